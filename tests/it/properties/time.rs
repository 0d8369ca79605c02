//! What time does to windows: late rows, quiet epochs, many open windows, years before 1970, wrong clocks.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{AsArray, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use windrow::functions::EpochClock;
use windrow::job::batch::BatchRunner;
use windrow::job::dag::{Dag, StageInput, keep_plan, stage_watermarks, table_chain};
use windrow::plan::lower::Lowering;
use windrow::plan::{JobPlan, StageKind, settings};
use windrow::stage::map::Chain;
use windrow::state::panes::Gather;
use windrow::time::{Clock, EventTime};
use windrow::watermark::{TableClock, WatermarkSpec};

use super::jobs::{self, Folder, Outcome, Way};

const SECOND: i64 = 1_000_000;

/// An epoch after every record: the watermark is known at each of them.
fn by_record() -> Way {
    Way {
        lanes: 1,
        batch_records_max: 1,
        batches_per_cut_max: Some(1),
        epoch_interval: Duration::from_secs(3_600),
        ..Way::default()
    }
}

fn seconds_file(folder: &Folder, seconds: &[i64]) -> String {
    let line = |(id, at): (usize, &i64)| format!("{{\"id\":{id},\"ts\":\"{}\"}}\n", EventTime(at * SECOND));
    let lines: String = seconds.iter().enumerate().map(line).collect();
    let path = folder.write("seconds.jsonl", &lines);
    format!(
        "CREATE TABLE t (id BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND)\n\
         WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');\n",
        path.display()
    )
}

const COUNTS: &str = "SELECT window_end, COUNT(*) AS n, SUM(id) AS ids\n\
     FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end";

fn lines(outcome: &Outcome) -> Vec<&str> {
    outcome.text.lines().collect()
}

#[test]
fn late_rows_are_counted_one_by_one_and_reopen_no_window() {
    let folder = Folder::new("late");
    // The watermark is 2 s behind the newest: after 12 it is 10, after 25 it is 23.
    let table = seconds_file(&folder, &[0, 5, 12, 3, 9, 11, 25, 14, 21, 20, 31]);
    let outcome = jobs::run(&format!("{table}{COUNTS}"), &by_record()).unwrap();
    assert_eq!(outcome.status.late, 3, "3, 9 and 14 come after their windows have closed");
    let expected = [
        "{\"window_end\":\"1970-01-01 00:00:10\",\"n\":2,\"ids\":1}",
        "{\"window_end\":\"1970-01-01 00:00:20\",\"n\":2,\"ids\":7}",
        "{\"window_end\":\"1970-01-01 00:00:30\",\"n\":3,\"ids\":23}",
        "{\"window_end\":\"1970-01-01 00:00:40\",\"n\":1,\"ids\":10}",
    ];
    assert_eq!(lines(&outcome), expected);
}

#[test]
fn a_row_that_the_query_leaves_out_is_not_late() {
    let folder = Folder::new("late-left-out");
    let table = seconds_file(&folder, &[0, 5, 12, 3, 9, 11, 25]);
    let query = COUNTS.replace("TABLE t,", "TABLE even,");
    let sql = format!("{table}CREATE VIEW even AS SELECT * FROM t WHERE id % 2 = 0;\n{query}");
    let outcome = jobs::run(&sql, &by_record()).unwrap();
    assert_eq!(outcome.status.late, 1, "id 3 is filtered out, id 4 is late");
}

#[test]
fn only_the_windows_that_have_closed_make_a_row_late() {
    let folder = Folder::new("late-by-size");
    let table = seconds_file(&folder, &[0, 5, 12, 3, 25]);
    let long = COUNTS.replace("'10' SECOND", "'1' MINUTE");
    let outcome = jobs::run(&format!("{table}{COUNTS};\n{long}"), &by_record()).unwrap();
    assert_eq!(outcome.status.late, 1, "late for 10 s, in time for 1 min");
    assert!(outcome.text.contains("{\"window_end\":\"1970-01-01 00:01:00\",\"n\":5,\"ids\":10}"));
}

#[test]
fn rows_of_one_partition_keep_their_order_over_epochs() {
    let folder = Folder::new("order");
    let seconds: Vec<i64> = (0..50).map(|row| row * 7 % 50).collect();
    let table = seconds_file(&folder, &seconds).replace("'2' SECOND", "'2' MINUTE");
    let sql = format!(
        "{table}SELECT FIRST_VALUE(id) AS f, LAST_VALUE(id) AS l, ARRAY_AGG(id) AS ids\n\
         FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR)) GROUP BY window_start, window_end"
    );
    let ids: Vec<String> = (0..50).map(|id| id.to_string()).collect();
    let expected = format!("{{\"f\":0,\"l\":49,\"ids\":[{}]}}\n", ids.join(","));
    assert_eq!(jobs::run(&sql, &by_record()).unwrap().text, expected);
}

#[test]
fn a_wrong_clock_and_a_missing_time_are_bad_records_and_move_no_watermark() {
    let folder = Folder::new("future");
    let now = Clock::System.now();
    let at = |seconds: i64| format!("\"{}\"", now.plus(seconds * SECOND));
    // Ten years ahead, none at all, and once more: rows a minute old are still in time after each.
    let times = [at(-60), at(315_360_000), at(-59), "null".into(), at(-61), at(7_200), at(-60)];
    let lines: String = times.iter().map(|time| format!("{{\"id\":1,\"ts\":{time}}}\n")).collect();
    let path = folder.write("t.jsonl", &lines);
    let sql = format!(
        "CREATE TABLE t (id BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)\n\
         WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');\n\
         SELECT SUM(n) AS n FROM (SELECT COUNT(*) AS n FROM \
         TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY window_start, window_end)",
        path.display()
    );
    let outcome = jobs::run(&sql, &by_record()).unwrap();
    assert_eq!(outcome.status.late, 0);
    let mut bad = outcome.status.counts[0].bad.clone();
    bad.sort_unstable();
    assert_eq!(bad, [("event_time_future", 2), ("event_time_null", 1)]);
    assert_eq!(outcome.text, "{\"n\":4}\n");
}

/// The driver's stages and one lane's windows, without threads and files.
struct Stages {
    plan: JobPlan,
    dag: Dag,
    runner: BatchRunner,
    chain: Chain,
    gather: Gather,
}

impl Stages {
    fn new() -> Stages {
        let clock = Arc::new(EpochClock::new(EventTime(0)));
        let sql = "CREATE TABLE t (ts TIMESTAMP(3), WATERMARK FOR ts AS ts)\n\
                   WITH ('connector' = 'filesystem', 'path' = '/nowhere', 'format' = 'json');\n\
                   SELECT window_start, COUNT(*) AS n, window_end\n\
                   FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' SECOND))\n\
                   GROUP BY window_start, window_end";
        let plan = jobs::plan(sql, &clock).unwrap();
        let session = settings::session(&clock, "UTC", None).unwrap();
        let lowering = Lowering::new(session.clone());
        let StageKind::Window { feeds, .. } = &plan.stages[0].kind else { panic!("{:?}", plan.stages) };
        let chain = table_chain(&feeds[0], &plan.reads[0], &lowering).unwrap();
        let gather = Gather::new(keep_plan(&plan.stages[0], &lowering).unwrap());
        let dag = Dag::new(&plan, &lowering).unwrap();
        Stages { runner: BatchRunner::new(session).unwrap(), plan, dag, chain, gather }
    }

    fn add(&mut self, times: &[i64]) {
        let column = TimestampMicrosecondArray::from_iter_values(times.iter().copied());
        let batch = RecordBatch::try_from_iter([("ts", Arc::new(column) as _)]).unwrap();
        let rows = self.chain.run(&batch).unwrap();
        self.gather.add(&rows).unwrap();
    }

    /// One epoch at a watermark: the starts and counts of the windows it closes, in order.
    fn epoch(&mut self, watermark: EventTime) -> Vec<(i64, i64)> {
        let watermarks = stage_watermarks(&self.plan, &[watermark]);
        let mut inputs: Vec<StageInput> = Vec::new();
        inputs.resize_with(self.plan.stages.len(), StageInput::default);
        inputs[0].runs = self.gather.drain(watermarks[0]).unwrap();
        let deltas = self.dag.step(inputs, &watermarks, &self.runner).unwrap();
        let mut closed = Vec::new();
        for piece in &deltas[self.plan.pipelines[0].stage].pieces {
            let starts = piece.batch.column(0).as_primitive::<TimestampMicrosecondType>();
            let counts = piece.batch.column(1).as_primitive::<Int64Type>();
            closed.extend(starts.values().iter().copied().zip(counts.values().iter().copied()));
        }
        closed
    }
}

#[test]
fn epochs_without_rows_emit_nothing_and_change_nothing() {
    let mut stages = Stages::new();
    stages.add(&[100, 200, 5 * SECOND]);
    assert_eq!(stages.epoch(EventTime(0)), []);
    let state_bytes = stages.dag.state_bytes();
    let held_bytes = stages.gather.size_bytes();
    for _ in 0..200 {
        assert_eq!(stages.epoch(EventTime(0)), []);
        assert_eq!((stages.dag.open_windows(), stages.dag.state_bytes()), (2, state_bytes));
        assert_eq!(stages.gather.size_bytes(), held_bytes);
    }
    assert_eq!(stages.epoch(EventTime(SECOND)), [(0, 2)]);
    assert_eq!(stages.epoch(EventTime(SECOND)), [], "a window closes once");
}

#[test]
fn a_thousand_open_windows_close_in_order() {
    let mut stages = Stages::new();
    // From before 1970 to after it, newest first and scattered over the epochs.
    let starts: Vec<i64> = (-500..500).map(|second| second * SECOND).collect();
    for (epoch, part) in starts.chunks(100).rev().enumerate() {
        let times: Vec<i64> = part.iter().flat_map(|start| [start + 7, *start, start + SECOND - 1]).collect();
        stages.add(&times);
        stages.epoch(EventTime(-501 * SECOND));
        assert_eq!(stages.dag.open_windows(), (epoch + 1) * 100);
    }
    let first = stages.epoch(EventTime(-499 * SECOND + 5));
    assert_eq!(first, [(-500 * SECOND, 3)], "one before 1970 is over");
    let rest = stages.epoch(EventTime::MAX);
    let expected: Vec<(i64, i64)> = starts[1..].iter().map(|start| (*start, 3)).collect();
    assert_eq!(rest, expected);
    assert_eq!((stages.dag.open_windows(), stages.dag.state_bytes()), (0, 0));
    assert_eq!(stages.gather.size_bytes(), 0, "live tables of closed windows are gone");
}

/// Random observations, confirmations, ends and epochs: W never falls, and never outruns what is known.
#[test]
fn the_watermark_never_falls_nor_outruns_what_is_known() {
    const DELAY: i64 = 10 * SECOND;
    for seed in 0..300 {
        let random = &mut StdRng::seed_from_u64(seed);
        let bounded = random.random_bool(0.3);
        let quiet = !bounded && random.random_bool(0.7);
        let idle_timeout = (!bounded).then(|| Duration::from_secs(random.random_range(1..20)));
        let spec = WatermarkSpec { delay_micros: Some(DELAY), idle_timeout, quiet, bounded };
        let mut clock = TableClock::new(spec);
        let mut newest: HashMap<usize, EventTime> = HashMap::new();
        let mut ended = 0;
        let mut now = Duration::ZERO;
        let mut last_window_end = None;
        for step in 0..200 {
            now += Duration::from_millis(random.random_range(0..3_000));
            let partition = random.random_range(0..newest.len().max(1));
            match random.random_range(0..10) {
                0 if newest.len() < 3 || random.random_bool(0.05) => {
                    let before = clock.watermark();
                    newest.insert(clock.add_partition(0), EventTime::MIN);
                    assert_eq!(clock.watermark(), before, "a new partition never lowers W");
                }
                1 if partition < newest.len() => {
                    let at = EventTime(random.random_range(-100..step * 3 - 50) * SECOND);
                    clock.observe(partition, at, clock.next_offset(partition) + 1);
                    let seen = newest.entry(partition).or_insert(at);
                    *seen = (*seen).max(at);
                    last_window_end = last_window_end.max(Some(at.plus(random.random_range(1..5 * SECOND))));
                }
                4..7 => {
                    for other in 0..newest.len() {
                        let behind = i64::from(other == partition && random.random_bool(0.05));
                        clock.confirm_end(now, other, clock.next_offset(other) + behind);
                    }
                }
                7 if bounded && partition < newest.len() && random.random_bool(0.2) => {
                    clock.end(partition);
                    newest.insert(partition, EventTime::MAX);
                    ended += 1;
                }
                _ => {
                    let before = clock.watermark();
                    let fixed = clock.fix(now, last_window_end);
                    assert!(fixed >= before, "seed {seed}: W fell from {before} to {fixed}");
                    let active =
                        newest.iter().filter(|(p, at)| **at != EventTime::MAX && !clock.is_idle(now, **p));
                    let limit = match active.map(|(_, at)| *at).min() {
                        Some(slowest) => slowest.minus(DELAY),
                        None if bounded => EventTime::MAX,
                        None => last_window_end.unwrap_or(before),
                    };
                    assert!(
                        fixed <= before.max(limit),
                        "seed {seed}, step {step}: W went from {before} to {fixed}, past {limit}"
                    );
                    if fixed == EventTime::MAX {
                        assert!(
                            bounded && newest.values().all(|at| *at == EventTime::MAX),
                            "{ended} have ended"
                        );
                        break;
                    }
                }
            }
        }
    }
}
