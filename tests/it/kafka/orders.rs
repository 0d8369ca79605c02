//! Orders that a test produces, and the exact recount that `queries/order_analytics.sql` is compared with.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;
use windrow::source::generate::Orders;
use windrow::time::EventTime;

use super::records::Stored;
use crate::broker::Sample;

pub const SECOND: i64 = 1_000_000;
/// Some hour of the past, at the start of a minute.
pub const START: EventTime = EventTime(1_763_975_280 * SECOND);

/// A stretch of orders, spread evenly over time and partitions, each up to `disorder_micros` too old.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    pub seed: u64,
    pub count: i64,
    pub partitions: i32,
    pub from: EventTime,
    pub span_micros: i64,
    pub disorder_micros: i64,
}

impl Stretch {
    /// The orders; none is older than `from`.
    pub fn samples(&self) -> Vec<Sample> {
        let mut orders = Orders::new(self.seed, 5_000);
        let mut value = String::new();
        let sample = |n: i64| {
            let due = self.from.0 + n * self.span_micros / self.count;
            let at = due - orders.below(self.disorder_micros as u64 + 1) as i64;
            orders.write(EventTime(at.max(self.from.0)), &mut value);
            let partition = (n % i64::from(self.partitions)) as i32;
            Sample { partition, value: Some(value.clone()), ..Sample::default() }
        };
        (0..self.count).map(sample).collect()
    }
}

/// One window, counted again.
#[derive(Debug, Default)]
pub struct Recount {
    orders: i64,
    users: HashSet<String>,
    revenue: f64,
}

/// Windows by their start, of all orders that are in a topic.
pub fn recount(orders: &[Stored], size_micros: i64) -> BTreeMap<EventTime, Recount> {
    let mut windows: BTreeMap<EventTime, Recount> = BTreeMap::new();
    for order in orders.iter().map(Stored::json) {
        let text = order["created_at"].as_str().unwrap();
        let at = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").unwrap();
        let micros = at.and_utc().timestamp_micros();
        let window = windows.entry(EventTime(micros - micros.rem_euclid(size_micros))).or_default();
        window.orders += 1;
        window.users.insert(order["user_id"].as_str().unwrap().to_string());
        window.revenue += order["total_amount"].as_f64().unwrap();
    }
    windows
}

/// Fails unless the results are the recount: every window once, with its numbers.
pub fn assert_recounted(results: &[Stored], orders: &[Stored], size_micros: i64) {
    let expected = recount(orders, size_micros);
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    for result in results.iter().map(Stored::json) {
        let start = result["window_start"].as_str().unwrap().to_string();
        if let Some(first) = found.insert(start, result.clone()) {
            panic!("a window twice: {first} and {result}");
        }
    }
    let starts: Vec<String> = expected.keys().map(EventTime::to_string).collect();
    assert_eq!(found.keys().cloned().collect::<Vec<_>>(), starts, "windows");
    for ((start, expected), result) in expected.iter().zip(found.values()) {
        assert_eq!(result["window_end"], EventTime(start.0 + size_micros).to_string(), "{result}");
        assert_eq!(result["order_count"], expected.orders, "{result}");
        let revenue = result["total_revenue"].as_f64().unwrap();
        let error = (revenue - expected.revenue).abs() / expected.revenue;
        assert!(error <= 1e-9, "{result} has a revenue of {}", expected.revenue);
        let average = result["avg_order_value"].as_f64().unwrap();
        let rounded = (expected.revenue / expected.orders as f64 * 100.0).round() / 100.0;
        assert!((average - rounded).abs() < 1e-6, "{result} has an average of {rounded}");
        let users = result["unique_users"].as_f64().unwrap();
        let error = (users - expected.users.len() as f64).abs() / expected.users.len() as f64;
        assert!(error <= 0.03, "{result} has {} users", expected.users.len());
        assert_eq!(result["metric_type"], "order_analytics");
    }
}
