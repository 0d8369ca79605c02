//! Live tables against DataFusion's one-shot aggregate over the same batches, rows per second of one thread.
//!
//! `cargo bench --bench window`. Each line ends with the ratio (live tables / one-shot: above 1 is faster).
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on says where")]

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::datasource::MemTable;
use datafusion::execution::context::SessionContext;
use windrow::error::SourceText;
use windrow::functions::EpochClock;
use windrow::job::dag::{keep_plan, table_chain};
use windrow::plan::lower::Lowering;
use windrow::plan::{StageKind, planner, settings};
use windrow::source::generate::Orders;
use windrow::sql;
use windrow::state::panes::{Gather, PaneStore};
use windrow::time::EventTime;

const ROWS: usize = 2_000_000;
const BATCH_ROWS: usize = 8_192;
const MINUTE_MICROS: i64 = 60_000_000;
/// A cut after this many rows: about what a lane sees in a second.
const CUT_ROWS: usize = 1_000_000;

fn main() {
    println!("{:<44} {:>12} {:>12} {:>7}", "case", "live Mrow/s", "once Mrow/s", "ratio");
    for groups in [0_u64, 10, 1_000, 100_000, 1_000_000] {
        for (windows, shuffled) in [(1, false), (60, false), (60, true)] {
            let batches = batches(groups, windows, shuffled);
            let live = best(|| live_tables(groups, &batches));
            let once = best(|| one_shot(groups, &batches));
            let order = if shuffled { "shuffled" } else { "ordered" };
            let rate = |seconds: f64| ROWS as f64 / seconds / 1e6;
            println!(
                "{:<44} {:>12.1} {:>12.1} {:>7.2}",
                format!("{groups} groups, {windows} windows, {order}"),
                rate(live),
                rate(once),
                once / live
            );
        }
    }
}

fn best(mut run: impl FnMut() -> f64) -> f64 {
    (0..3).map(|_| run()).fold(f64::INFINITY, f64::min)
}

fn batches(groups: u64, windows: i64, shuffled: bool) -> Vec<RecordBatch> {
    let mut random = Orders::new(7, 1);
    let span = windows * MINUTE_MICROS;
    let schema = Arc::new(Schema::new(vec![
        Field::new("k", DataType::Int64, true),
        Field::new("v", DataType::Float64, true),
        Field::new("ts", DataType::Timestamp(TimeUnit::Microsecond, None), true),
    ]));
    let mut row = 0_i64;
    let batch = |rows: usize| {
        let mut columns = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rows {
            columns.0.push(random.below(groups.max(1)) as i64);
            columns.1.push(random.below(10_000) as f64 / 4.0);
            let at = if shuffled { random.below(span as u64) as i64 } else { row * span / ROWS as i64 };
            columns.2.push(at);
            row += 1;
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(columns.0)),
            Arc::new(Float64Array::from(columns.1)),
            Arc::new(TimestampMicrosecondArray::from(columns.2)),
        ];
        RecordBatch::try_new(Arc::clone(&schema), columns).unwrap()
    };
    (0..ROWS / BATCH_ROWS).map(|_| BATCH_ROWS).map(batch).collect()
}

fn keys(groups: u64) -> &'static str {
    if groups == 0 { "" } else { ", k" }
}

fn live_tables(groups: u64, batches: &[RecordBatch]) -> f64 {
    let text = format!(
        "CREATE TABLE t (k BIGINT, v DOUBLE, ts TIMESTAMP(6), WATERMARK FOR ts AS ts)
           WITH ('connector' = 'filesystem', 'path' = 'unused', 'format' = 'json');
         SELECT window_start, COUNT(*), SUM(v), AVG(v)
         FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
         GROUP BY window_start, window_end{};",
        keys(groups)
    );
    let source = Arc::new(SourceText { name: "bench".into(), text });
    let clock = Arc::new(EpochClock::new(EventTime(0)));
    let plan = planner::plan(sql::parse(&source, &|_| Ok(None)).unwrap(), &clock).unwrap();
    let lowering = Lowering::new(settings::session(&clock, "UTC", None).unwrap());
    let (stage, feeds) = plan
        .stages
        .iter()
        .find_map(|stage| match &stage.kind {
            StageKind::Window { feeds, .. } => Some((stage, feeds)),
            _ => None,
        })
        .unwrap();
    let keep = keep_plan(stage, &lowering).unwrap();
    let read = &plan.reads[0];
    let mut chain = table_chain(&feeds[0], read, &lowering).unwrap();
    let started = Instant::now();
    let mut gather = Gather::new(keep.clone());
    let mut store = PaneStore::new(keep);
    let mut rows = 0;
    for batch in batches {
        let batch = batch.project(&read.columns).unwrap();
        gather.add(&chain.run(&batch).unwrap()).unwrap();
        rows += batch.num_rows();
        if rows >= CUT_ROWS {
            rows = 0;
            gather.drain(EventTime::MIN).unwrap().into_iter().for_each(|run| store.add(run).unwrap());
        }
    }
    gather.drain(EventTime::MAX).unwrap().into_iter().for_each(|run| store.add(run).unwrap());
    let closed: usize =
        store.close(EventTime::MAX).unwrap().iter().map(|window| window.batch.num_rows()).sum();
    assert!(closed > 0, "no window came out");
    started.elapsed().as_secs_f64()
}

fn one_shot(groups: u64, batches: &[RecordBatch]) -> f64 {
    let clock = Arc::new(EpochClock::new(EventTime(0)));
    let context = SessionContext::new_with_state(settings::session(&clock, "UTC", None).unwrap());
    let table = MemTable::try_new(batches[0].schema(), vec![batches.to_vec()]).unwrap();
    context.register_table("t", Arc::new(table)).unwrap();
    let sql = format!(
        "SELECT w, COUNT(*), SUM(v), AVG(v)
         FROM (SELECT __window_start(ts, 60000000, 0) AS w, k, v FROM t) GROUP BY w{}",
        keys(groups)
    );
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let started = Instant::now();
    let rows = runtime.block_on(async {
        let state = context.state();
        let logical = state.create_logical_plan(&sql).await.unwrap();
        let physical = state.create_physical_plan(&logical).await.unwrap();
        datafusion::physical_plan::collect(physical, state.task_ctx()).await.unwrap()
    });
    assert!(!rows.is_empty(), "no row came out");
    started.elapsed().as_secs_f64()
}
