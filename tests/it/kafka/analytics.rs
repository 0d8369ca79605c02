//! `queries/order_analytics.sql` as it stands in the file, compared with a recount of the topic it read.

use windrow::time::EventTime;

use super::orders::{SECOND, START, Stretch, assert_recounted};
use super::records::{Stored, Tail, Transaction, read_to_end};
use super::running::{Running, order_analytics, run_to_end};
use crate::broker::{Broker, unique};

const WINDOW_SECONDS: i64 = 2;

/// Whether the window that ends at `end` is among the results.
fn has_window(results: &[Stored], end: EventTime) -> bool {
    let end = end.to_string();
    results.iter().any(|result| result.json()["window_end"] == end.as_str())
}

#[test]
fn order_analytics_equals_a_recount_and_the_last_window_closes_by_itself() {
    let broker = Broker::shared();
    let (orders, results) = (unique("orders"), unique("results"));
    broker.create_topic(&orders, 4);
    broker.create_topic(&results, 2);
    let first = Stretch {
        seed: 1,
        count: 12_000,
        partitions: 4,
        from: START,
        span_micros: 30 * SECOND,
        disorder_micros: 1_900_000,
    };
    // Its first orders come after the pause in which the windows of the first stretch close by themselves.
    let second = Stretch { seed: 2, count: 8_000, from: START.plus(60 * SECOND), ..first };
    broker.produce(&orders, &first.samples(), &[]);
    let values = [
        ("KAFKA_BROKERS", broker.bootstrap()),
        ("ORDERS_TOPIC", &orders),
        ("RESULTS_TOPIC", &results),
        ("WINDOW_SECONDS", "2"),
        ("WATERMARK_SECONDS", "2"),
        ("IDLE_TIMEOUT", "1 s"),
    ];
    let mut job = Running::start(&order_analytics(), &values, 2);
    let mut tail = Tail::open(broker, &results);
    tail.until(|found| has_window(found, START.plus(30 * SECOND)));
    // An idle partition holds nobody back, so the others could close windows before its first order comes.
    // Orders that are there but not yet committed end the idleness of all partitions at once.
    let transaction = Transaction::write(broker, &orders, &second.samples());
    job.until(|status| status.lag >= 8_000);
    transaction.commit();
    tail.until(|found| has_window(found, START.plus(90 * SECOND)));
    let status = job.stop();
    assert_eq!((status.records(), status.rows_out), (20_000, 30));
    assert_eq!((status.late, status.bad(), status.open_windows), (0, 0, 0));
    let read = read_to_end(broker, &orders);
    assert_eq!(read.len(), 20_000);
    assert_recounted(&read_to_end(broker, &results), &read, WINDOW_SECONDS * SECOND);
}

/// A topic's orders per user and window, in as many lanes as asked for.
fn per_user(broker: &Broker, orders: &str, lanes: usize) -> Vec<String> {
    let results = unique("per-user");
    broker.create_topic(&results, 1);
    let brokers = broker.bootstrap();
    let text = format!(
        "CREATE TABLE orders (user_id STRING, items_count INT, created_at TIMESTAMP(6),
           WATERMARK FOR created_at AS created_at - INTERVAL '2' SECOND
         ) WITH ('connector' = 'kafka', 'topic' = '{orders}', 'properties.bootstrap.servers' = '{brokers}',
           'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset', 'format' = 'json');
         CREATE TABLE results (window_start TIMESTAMP(3), user_id STRING, orders BIGINT, items BIGINT,
           last_at TIMESTAMP(6)
         ) WITH ('connector' = 'kafka', 'topic' = '{results}', 'properties.bootstrap.servers' = '{brokers}',
           'format' = 'json');
         INSERT INTO results
         SELECT window_start, user_id, COUNT(*), SUM(items_count), MAX(created_at)
         FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(created_at), INTERVAL '5' SECOND))
         GROUP BY window_start, window_end, user_id;"
    );
    let status = run_to_end(&text, lanes);
    assert_eq!((status.records(), status.late, status.open_windows), (8_000, 0, 0));
    let found = read_to_end(broker, &results);
    let mut rows: Vec<String> = found.iter().map(|record| record.json().to_string()).collect();
    assert_eq!(rows.len() as u64, status.rows_out);
    rows.sort();
    rows
}

#[test]
fn two_lanes_give_what_one_lane_gives() {
    let broker = Broker::shared();
    let orders = unique("lanes");
    broker.create_topic(&orders, 4);
    let stretch = Stretch {
        seed: 9,
        count: 8_000,
        partitions: 4,
        from: START,
        span_micros: 20 * SECOND,
        disorder_micros: 1_900_000,
    };
    broker.produce(&orders, &stretch.samples(), &[]);
    let of_one = per_user(broker, &orders, 1);
    assert!(of_one.len() > 5_000, "{} rows", of_one.len());
    assert_eq!(per_user(broker, &orders, 2), of_one);
}
