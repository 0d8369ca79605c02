//! Memory does not grow with the stream's length; a full lane is heard.

use std::fmt::Write;
use std::time::{Duration, Instant};

use windrow::time::EventTime;

use super::jobs::{self, Folder, Way};

const ROWS: i64 = 300_000;
/// Microseconds between two rows: a hundred fall into each window.
const STEP_MICROS: i64 = 10_000;

#[test]
fn the_second_half_of_a_stream_takes_no_more_memory_than_the_first() {
    let folder = Folder::new("memory");
    let mut lines = String::new();
    for row in 0..ROWS {
        let at = EventTime(1_600_000_000_000_000 + row * STEP_MICROS);
        writeln!(lines, "{{\"ts\":\"{at}\",\"k\":\"key-{}\",\"v\":{}}}", row % 17, row % 1_000).unwrap();
    }
    let path = folder.write("t.jsonl", &lines);
    drop(lines);
    let sql = format!(
        "CREATE TABLE t (ts TIMESTAMP(3), k STRING, v INT, WATERMARK FOR ts AS ts - INTERVAL '3' SECOND)\n\
         WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');\n\
         SELECT window_start, k, COUNT(*) AS n, APPROX_DISTINCT(v) AS u, MAX(v) AS m, ARRAY_AGG(v) AS a\n\
         FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' SECOND)) \n\
         GROUP BY window_start, window_end, k",
        path.display()
    );
    // Epochs at fixed places, so that the machine's speed does not decide what they hold.
    let way = Way {
        lanes: 1,
        batch_records_max: 1_000,
        batches_per_cut_max: Some(2),
        epoch_interval: Duration::from_secs(3_600),
        ..Way::default()
    };
    let mut held = Vec::new();
    let mut open = Vec::new();
    let outcome = jobs::watch(&sql, &way, &mut |status| {
        held.push(status.state_bytes + status.held_bytes);
        open.push(status.open_windows);
    });
    let outcome = outcome.unwrap();
    assert_eq!((outcome.status.records(), outcome.status.late), (ROWS as u64, 0));
    assert!(held.len() > 100, "{} epochs", held.len());
    let (first, second) = held.split_at(held.len() / 2);
    let (first, second) = (first.iter().max().unwrap(), second.iter().max().unwrap());
    assert!(*second as f64 <= 1.5 * *first as f64, "{first} bytes at most, and later {second}");
    assert!(*open.iter().max().unwrap() <= 40, "{} windows open", open.iter().max().unwrap());
}

/// A request for a cut that comes while another cut is under way is not left until the next epoch is due.
#[test]
fn a_full_lane_is_heard_while_others_are_still_cut() {
    const DUE: Duration = Duration::from_secs(20);
    let folder = Folder::new("full-lanes");
    // Lanes whose files are read answer a cut when they wake up; one that goes on may be full again by then.
    for (file, rows) in [1_500, 1, 1].into_iter().enumerate() {
        let line = |row: i64| format!("{{\"ts\":\"{}\"}}\n", EventTime(row * STEP_MICROS));
        folder.write(&format!("input/{file}.jsonl"), &(0..rows).map(line).collect::<String>());
    }
    let sql = format!(
        "CREATE TABLE t (ts TIMESTAMP(3), WATERMARK FOR ts AS ts)\n\
         WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');\n\
         SELECT COUNT(*) AS n FROM t",
        folder.path("input").display()
    );
    let way = Way {
        lanes: 3,
        batch_records_max: 1,
        batches_per_cut_max: Some(1),
        epoch_interval: DUE,
        ..Way::default()
    };
    let started = Instant::now();
    let outcome = jobs::watch(&sql, &way, &mut |status| {
        assert!(started.elapsed() < DUE, "epoch {} has waited until it was due", status.epoch);
    });
    let outcome = outcome.unwrap();
    assert_eq!(outcome.text, "{\"n\":1502}\n");
}
