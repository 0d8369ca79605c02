//! A broker that is killed and comes back: nothing is lost, nothing is doubled, and nobody has to help.

use std::time::Duration;

use super::orders::{SECOND, START, Stretch, assert_recounted};
use super::records::{Stored, Tail, Transaction, read_to_end};
use super::running::{Running, order_analytics};
use crate::broker::{Broker, unique};

const WINDOW_SECONDS: i64 = 2;
const IDLE: Duration = Duration::from_secs(3);

fn analytics(broker: &Broker, orders: &str, results: &str, guarantee: &str) -> Running {
    let values = [
        ("KAFKA_BROKERS", broker.bootstrap()),
        ("ORDERS_TOPIC", orders),
        ("RESULTS_TOPIC", results),
        ("WINDOW_SECONDS", "2"),
        ("WATERMARK_SECONDS", "4"),
        ("IDLE_TIMEOUT", "3 s"),
        ("DELIVERY_GUARANTEE", guarantee),
    ];
    Running::start(&order_analytics(), &values, 2)
}

fn wait_for_window(tail: &mut Tail, second: i64) {
    let end = START.plus(second * SECOND).to_string();
    tail.until(|found| found.iter().any(|result| result.json()["window_end"] == end.as_str()));
}

/// Results that were sent again are the same bytes.
fn without_repeats(mut results: Vec<Stored>) -> Vec<Stored> {
    results.sort_by(|a, b| a.value.cmp(&b.value));
    results.dedup_by(|a, b| a.value == b.value);
    results
}

#[test]
fn an_outage_is_not_idleness_and_loses_nothing() {
    let broker = Broker::start_own();
    let orders = unique("orders");
    broker.create_topic(&orders, 4);
    let (once, at_least) = (unique("once"), unique("at-least-once"));
    broker.create_topic(&once, 1);
    broker.create_topic(&at_least, 1);
    let first = Stretch {
        seed: 5,
        count: 4_000,
        partitions: 4,
        from: START,
        span_micros: 20 * SECOND,
        disorder_micros: 900_000,
    };
    let second = Stretch { seed: 6, count: 8_000, from: START.plus(40 * SECOND), ..first };
    broker.produce(&orders, &first.samples(), &[]);
    let mut jobs = [
        analytics(&broker, &orders, &once, "exactly-once"),
        analytics(&broker, &orders, &at_least, "at-least-once"),
    ];
    let mut tails = [Tail::open(&broker, &once), Tail::open(&broker, &at_least)];
    for tail in &mut tails {
        wait_for_window(tail, 14);
    }
    broker.kill();
    // An outage longer than the idle timeout, and longer than the last window would need to close after it.
    let killed = jobs.each_mut().map(|job| job.until(|_| true).elapsed);
    for (job, killed) in jobs.iter_mut().zip(killed) {
        let status = job.until(|status| status.elapsed > killed + IDLE + Duration::from_secs(6));
        assert!(status.open_windows > 0, "an outage has closed a window: {status:?}");
    }
    broker.restart();
    let transaction = Transaction::write(&broker, &orders, &second.samples());
    for job in &mut jobs {
        job.until(|status| status.lag >= 8_000);
    }
    transaction.commit();
    // Now while there is work, and results to publish.
    for tail in &mut tails {
        wait_for_window(tail, 42);
    }
    broker.kill();
    broker.restart();
    for tail in &mut tails {
        wait_for_window(tail, 60);
    }
    for job in jobs {
        let status = job.stop();
        assert_eq!((status.records(), status.rows_out, status.late), (12_000, 20, 0));
    }
    let read = read_to_end(&broker, &orders);
    assert_eq!(read.len(), 12_000);
    let size_micros = WINDOW_SECONDS * SECOND;
    assert_recounted(&read_to_end(&broker, &once), &read, size_micros);
    assert_recounted(&without_repeats(read_to_end(&broker, &at_least)), &read, size_micros);
}
