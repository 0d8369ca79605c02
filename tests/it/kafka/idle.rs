//! When a watermark goes on without rows: idle partitions and quiet tables, and never past the data.

use super::orders::{SECOND, START};
use super::records::{Stored, Tail, read_to_end};
use super::running::Running;
use crate::broker::{Broker, Sample, unique};

/// Counts events in windows of 4 s, a second after them; idle after a second.
fn counts(broker: &Broker, from: &str, to: &str, quiet: bool) -> String {
    let brokers = broker.bootstrap();
    format!(
        "CREATE TABLE events (at TIMESTAMP(3), WATERMARK FOR at AS at - INTERVAL '1' SECOND
         ) WITH ('connector' = 'kafka', 'topic' = '{from}', 'properties.bootstrap.servers' = '{brokers}',
           'scan.startup.mode' = 'earliest-offset', 'format' = 'json',
           'scan.watermark.idle-timeout' = '1 s', 'scan.watermark.quiet' = '{quiet}');
         CREATE TABLE counts (window_start TIMESTAMP(3), events BIGINT
         ) WITH ('connector' = 'kafka', 'topic' = '{to}', 'properties.bootstrap.servers' = '{brokers}',
           'format' = 'json');
         INSERT INTO counts SELECT window_start, COUNT(*)
         FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(at), INTERVAL '4' SECOND))
         GROUP BY window_start, window_end;"
    )
}

fn event(partition: i32, second: i64) -> Sample {
    let at = START.plus(second * SECOND);
    Sample { partition, value: Some(format!("{{\"at\":\"{at}\"}}")), ..Sample::default() }
}

/// The counts by window, in the order in which they came.
fn found(records: &[Stored]) -> Vec<(String, i64)> {
    let rows = records.iter().map(Stored::json);
    rows.map(|row| (row["window_start"].as_str().unwrap().to_string(), row["events"].as_i64().unwrap()))
        .collect()
}

fn window(second: i64, events: i64) -> (String, i64) {
    (START.plus(second * SECOND).to_string(), events)
}

#[test]
fn a_partition_without_data_holds_nobody_back_once_it_is_idle() {
    let broker = Broker::shared();
    let (from, to) = (unique("events"), unique("counts"));
    broker.create_topic(&from, 4);
    broker.create_topic(&to, 1);
    let seconds = 0..14;
    let samples: Vec<Sample> = seconds.flat_map(|second| (0..3).map(move |p| event(p, second))).collect();
    broker.produce(&from, &samples, &[]);
    // Without quiet, only rows can close windows: W stands a second before the newest.
    let mut job = Running::start(&counts(broker, &from, &to, false), &[], 2);
    Tail::open(broker, &to).until(|found| found.len() == 3);
    let at_end = job.until(|_| true).elapsed;
    let status = job.until(|status| status.elapsed.as_secs_f64() > at_end.as_secs_f64() + 3.0);
    assert_eq!((status.open_windows, status.late), (1, 0), "nothing closes the last window");
    job.stop();
    assert_eq!(found(&read_to_end(broker, &to)), [window(0, 12), window(4, 12), window(8, 12)]);
}

#[test]
fn a_paused_producer_closes_its_last_window_and_none_beyond() {
    let broker = Broker::shared();
    let (from, to) = (unique("events"), unique("counts"));
    broker.create_topic(&from, 2);
    broker.create_topic(&to, 1);
    broker.produce(&from, &[event(0, 0), event(1, 1), event(0, 3)], &[]);
    let mut job = Running::start(&counts(broker, &from, &to, true), &[], 1);
    let mut tail = Tail::open(broker, &to);
    tail.until(|found| found.len() == 1);
    // Longer than a window: if W ran on, the next row would be late.
    let closed = job.until(|status| status.open_windows == 0).elapsed;
    let status = job.until(|status| status.elapsed.as_secs_f64() > closed.as_secs_f64() + 5.0);
    assert_eq!(status.watermark, START.plus(4 * SECOND), "W stands at the end of the data");
    broker.produce(&from, &[event(1, 4)], &[]);
    tail.until(|found| found.len() == 2);
    let status = job.stop();
    assert_eq!((status.late, status.rows_out), (0, 2));
    assert_eq!(found(&read_to_end(broker, &to)), [window(0, 3), window(4, 1)]);
}
