//! Compares rows written as JSON lines, as multisets: no contract gives a stream's rows an order.

use std::collections::BTreeMap;

use serde_json::Value;

/// How far two doubles may lie apart, in units of the larger: sums are made in another order.
const RELATIVE: f64 = 1e-9;
/// A variance of equal values may be a rounding error away from zero, and its root further.
const ABSOLUTE: f64 = 1e-6;

pub fn parse(lines: &str) -> Vec<Value> {
    lines.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Says what is missing and what was not expected.
pub fn same_rows(expected: &str, actual: &str) -> Result<(), String> {
    let (expected, actual) = (parse(expected), parse(actual));
    let mut left: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for row in &actual {
        left.entry(exact_part(row)).or_default().push(row);
    }
    let mut missing = Vec::new();
    for row in &expected {
        let candidates = left.entry(exact_part(row)).or_default();
        match candidates.iter().position(|other| same(row, other)) {
            Some(found) => {
                candidates.swap_remove(found);
            }
            None => missing.push(row),
        }
    }
    let left: Vec<&Value> = left.into_values().flatten().collect();
    if missing.is_empty() && left.is_empty() {
        return Ok(());
    }
    let show = |rows: &[&Value]| rows.iter().take(5).map(|row| format!("\n    {row}")).collect::<String>();
    Err(format!(
        "{} rows expected, {} given\n  missing:{}\n  unexpected:{}",
        expected.len(),
        actual.len(),
        show(&missing),
        show(&left)
    ))
}

/// A row without its doubles and decimals, which find its partners quickly.
fn exact_part(row: &Value) -> String {
    fn blank(value: &Value) -> Value {
        match value {
            Value::Number(number) if is_inexact(&number.to_string()) => Value::Null,
            Value::Array(items) => items.iter().map(blank).collect(),
            Value::Object(fields) => {
                Value::Object(fields.iter().map(|(name, value)| (name.clone(), blank(value))).collect())
            }
            other => other.clone(),
        }
    }
    blank(row).to_string()
}

fn is_inexact(number: &str) -> bool {
    number.contains(['.', 'e', 'E'])
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(&a.to_string(), &b.to_string()),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

fn same_number(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) if is_inexact(a) && is_inexact(b) => {
            (x - y).abs() <= (RELATIVE * x.abs().max(y.abs())).max(ABSOLUTE)
        }
        _ => false,
    }
}

#[test]
fn rows_match_in_any_order_and_doubles_but_for_their_last_bits() {
    let expected = "{\"a\":1,\"b\":0.1}\n{\"a\":1,\"b\":7.5}\n";
    assert_eq!(same_rows(expected, "{\"a\":1,\"b\":7.500000000001}\n{\"a\":1,\"b\":0.1}\n"), Ok(()));
    for wrong in [
        "{\"a\":1,\"b\":7.5}\n",
        "{\"a\":1,\"b\":7.5}\n{\"a\":1,\"b\":7.5}\n",
        "{\"a\":1,\"b\":0.1}\n{\"a\":2,\"b\":7.5}\n",
        "{\"a\":1,\"b\":0.1}\n{\"a\":1,\"b\":null}\n",
    ] {
        assert!(same_rows(expected, wrong).is_err(), "{wrong}");
    }
}
