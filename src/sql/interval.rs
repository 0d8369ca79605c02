//! Reads interval literals: `INTERVAL '5' SECOND`, `INTERVAL '1 02:03:04' DAY TO SECOND`, `INTERVAL '90
//! minutes'`.
//!
//! The one reader for watermarks, EMIT and queries, so that a length means the same wherever it stands.
//! Months are kept apart: they have no length. A day is 24 hours, as in Flink.

use sqlparser::ast::{DateTimeField, Expr, Interval, Value};

/// A length of time. Months and microseconds have the same sign or one is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Length {
    pub months: i64,
    pub micros: i64,
}

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

impl Length {
    /// Its length in microseconds; None if it has months.
    pub fn fixed_micros(self) -> Option<i64> {
        (self.months == 0).then_some(self.micros)
    }

    /// The text that `INTERVAL '…'` takes without a unit: `90 minutes`, `14 months`.
    pub fn text(self) -> String {
        let units = [(DAY, "days"), (HOUR, "hours"), (MINUTE, "minutes"), (SECOND, "seconds")];
        let time = match units.iter().find(|(per, _)| self.micros != 0 && self.micros % per == 0) {
            Some((per, unit)) => format!("{} {unit}", self.micros / per),
            None if self.micros == 0 => "0 seconds".into(),
            None if self.micros % 1_000 == 0 => format!("{} milliseconds", self.micros / 1_000),
            None => format!("{} microseconds", self.micros),
        };
        match (self.months, self.micros) {
            (0, _) => time,
            (months, 0) => format!("{months} months"),
            (months, _) => format!("{months} months {time}"),
        }
    }
}

/// Reads a literal; None if it is not one (an expression), or its text does not fit its unit.
pub fn read(interval: &Interval) -> Option<Length> {
    let (text, negative) = literal(&interval.value)?;
    let text = text.trim();
    let (text, minus) = match text.strip_prefix('-') {
        Some(rest) => (rest.trim_start(), !negative),
        None => (text.strip_prefix('+').unwrap_or(text), negative),
    };
    let length = match (&interval.leading_field, &interval.last_field) {
        (None, _) => read_words(text)?,
        (Some(unit), None) => read_single(text, unit)?,
        (Some(from), Some(to)) => read_range(text, from, to)?,
    };
    let sign = if minus { -1 } else { 1 };
    Some(Length { months: length.months * sign, micros: length.micros * sign })
}

fn literal(value: &Expr) -> Option<(String, bool)> {
    match value {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some((text.clone(), false)),
            Value::Number(text, _) => Some((text.to_string(), false)),
            _ => None,
        },
        Expr::UnaryOp { op: sqlparser::ast::UnaryOperator::Minus, expr } => {
            literal(expr).map(|(text, negative)| (text, !negative))
        }
        _ => None,
    }
}

/// Months or microseconds of one unit.
pub fn unit(field: &DateTimeField) -> Option<Length> {
    let months = |months| Some(Length { months, micros: 0 });
    let micros = |micros| Some(Length { months: 0, micros });
    match field {
        DateTimeField::Year | DateTimeField::Years => months(12),
        DateTimeField::Quarter => months(3),
        DateTimeField::Month | DateTimeField::Months => months(1),
        DateTimeField::Week(None) | DateTimeField::Weeks => micros(7 * DAY),
        DateTimeField::Day | DateTimeField::Days => micros(DAY),
        DateTimeField::Hour | DateTimeField::Hours => micros(HOUR),
        DateTimeField::Minute | DateTimeField::Minutes => micros(MINUTE),
        DateTimeField::Second | DateTimeField::Seconds => micros(SECOND),
        DateTimeField::Millisecond | DateTimeField::Milliseconds => micros(1_000),
        DateTimeField::Microsecond | DateTimeField::Microseconds => micros(1),
        DateTimeField::Custom(name) => unit_named(&name.value),
        _ => None,
    }
}

fn unit_named(name: &str) -> Option<Length> {
    let lower = name.to_ascii_lowercase();
    let field = match lower.strip_suffix('s').filter(|rest| rest.len() > 1).unwrap_or(&lower) {
        "year" | "yr" | "y" => DateTimeField::Year,
        "quarter" => DateTimeField::Quarter,
        "month" | "mon" => DateTimeField::Month,
        "week" | "w" => DateTimeField::Week(None),
        "day" | "d" => DateTimeField::Day,
        "hour" | "hr" | "h" => DateTimeField::Hour,
        "minute" | "min" | "m" => DateTimeField::Minute,
        "second" | "sec" | "s" => DateTimeField::Second,
        "millisecond" | "milli" | "msec" | "ms" => DateTimeField::Millisecond,
        "microsecond" | "micro" | "usec" | "us" => DateTimeField::Microsecond,
        _ => return None,
    };
    unit(&field)
}

/// `5`, and `0.5` where the unit has a length.
fn read_single(text: &str, field: &DateTimeField) -> Option<Length> {
    scaled(text, unit(field)?)
}

fn scaled(text: &str, per: Length) -> Option<Length> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 12 {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let numerator: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let denominator = 10_i128.pow(fraction.len() as u32);
    if numerator != 0 && per.months != 0 {
        return None;
    }
    let part = i64::try_from(numerator * i128::from(per.micros) / denominator).ok()?;
    Some(Length {
        months: whole.checked_mul(per.months)?,
        micros: whole.checked_mul(per.micros)?.checked_add(part)?,
    })
}

/// `1:30` HOUR TO MINUTE, `1 02:03:04.5` DAY TO SECOND, `1-2` YEAR TO MONTH.
fn read_range(text: &str, from: &DateTimeField, to: &DateTimeField) -> Option<Length> {
    const FIELDS: [DateTimeField; 6] = [
        DateTimeField::Year,
        DateTimeField::Month,
        DateTimeField::Day,
        DateTimeField::Hour,
        DateTimeField::Minute,
        DateTimeField::Second,
    ];
    let first = FIELDS.iter().position(|field| field == from)?;
    let last = FIELDS.iter().position(|field| field == to)?;
    if first >= last || (first < 2) != (last < 2) {
        return None;
    }
    let parts: Vec<&str> = text.split(['-', ' ', ':']).collect();
    if parts.len() != last - first + 1 {
        return None;
    }
    let mut total = Length::default();
    for (part, field) in parts.iter().zip(&FIELDS[first..=last]) {
        if part.contains('.') && *field != DateTimeField::Second {
            return None;
        }
        let length = read_single(part, field)?;
        total.months = total.months.checked_add(length.months)?;
        total.micros = total.micros.checked_add(length.micros)?;
    }
    Some(total)
}

/// `90 minutes`, `1 hour 30 minutes`, `1h`.
fn read_words(text: &str) -> Option<Length> {
    let mut total = Length::default();
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = (&rest[..digits], rest[digits..].trim_start());
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let length = scaled(number, unit_named(&after[..letters])?)?;
        total.months = total.months.checked_add(length.months)?;
        total.micros = total.micros.checked_add(length.micros)?;
        rest = after[letters..].trim_start();
    }
    Some(total)
}
