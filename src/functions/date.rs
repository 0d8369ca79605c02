//! Functions of dates and times, with Java's patterns and the session's time zone, as in Flink.
//!
//! A TIMESTAMP_LTZ is shown on the wall clock of the session's zone before anything is read from it. A text
//! that cannot be read gives NULL, as in Flink, except where its documentation says otherwise.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, AsArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use datafusion::common::{Result, exec_err, plan_err};

use super::definition::Param::{Any, Integer, Text, Wall, Word};
use super::definition::{Call, Constants, Definition, Eval, Row};
use super::java_time::{Reading, plus_months};
use super::zone;

const SECOND_US: i64 = 1_000_000;
const DAY_US: i64 = 86_400 * SECOND_US;
const DEFAULT_PATTERN: &str = "yyyy-MM-dd HH:mm:ss";

pub(super) fn functions() -> Vec<Definition> {
    let mut functions = vec![
        Definition::new("date_format", &[Wall, Text], Eval::Text(date_format)),
        Definition::new("to_timestamp", &[Text, Text], Eval::Timestamp(to_timestamp)).optional(1),
        Definition::new(
            "to_timestamp_ltz",
            &[Any, Any],
            Eval::Columns { returns: |_, _| Ok(instants()), eval: to_timestamp_ltz },
        )
        .optional(1),
        Definition::new("to_date", &[Text, Text], Eval::Date(to_date)).optional(1),
        Definition::new("from_unixtime", &[Integer, Text], Eval::Text(from_unixtime)).optional(1),
        Definition::new("__unix_timestamp_of", &[Text, Text], Eval::BigInt(unix_timestamp)).optional(1),
        Definition::new("convert_tz", &[Text, Text, Text], Eval::Text(convert_tz)),
        Definition::new("timestampdiff", &[Text, Wall, Wall], Eval::Int(timestampdiff)),
        Definition::new(
            "timestampadd",
            &[Word, Integer, Any],
            Eval::Columns { returns: added, eval: timestampadd },
        ),
        Definition::new(
            "__floor_to",
            &[Text, Any],
            Eval::Columns { returns: rounded_type, eval: |call| rounded(call, floor) },
        ),
        Definition::new(
            "__ceil_to",
            &[Text, Any],
            Eval::Columns { returns: rounded_type, eval: |call| rounded(call, ceil) },
        ),
        Definition::new("__extract", &[Text, Wall], Eval::BigInt(|row| extract(row.text(0), row.wall(1)))),
    ];
    type Part = fn(Row<'_>) -> Result<Option<i64>>;
    let parts: [(&'static str, Part); 10] = [
        ("year", |row| extract("YEAR", row.wall(0))),
        ("quarter", |row| extract("QUARTER", row.wall(0))),
        ("month", |row| extract("MONTH", row.wall(0))),
        ("week", |row| extract("WEEK", row.wall(0))),
        ("dayofyear", |row| extract("DOY", row.wall(0))),
        ("dayofmonth", |row| extract("DAY", row.wall(0))),
        ("dayofweek", |row| extract("DOW", row.wall(0))),
        ("hour", |row| extract("HOUR", row.wall(0))),
        ("minute", |row| extract("MINUTE", row.wall(0))),
        ("second", |row| extract("SECOND", row.wall(0))),
    ];
    functions.extend(parts.map(|(name, part)| Definition::new(name, &[Wall], Eval::BigInt(part))));
    functions
}

/// One part of a wall clock. `DOW` is 1 on Sunday, `ISODOW` 1 on Monday, `WEEK` is ISO's.
fn extract(unit: &str, wall_us: i64) -> Result<Option<i64>> {
    let Some(at) = zone::naive(wall_us) else {
        return Ok(None);
    };
    let year = i64::from(at.year());
    let within_second = wall_us.rem_euclid(SECOND_US);
    Ok(Some(match unit.to_uppercase().as_str() {
        "MILLENNIUM" => (year + 999).div_euclid(1000),
        "CENTURY" => (year + 99).div_euclid(100),
        "DECADE" => year.div_euclid(10),
        "YEAR" => year,
        "ISOYEAR" => i64::from(at.iso_week().year()),
        "QUARTER" => i64::from(at.month0() / 3 + 1),
        "MONTH" => i64::from(at.month()),
        "WEEK" => i64::from(at.iso_week().week()),
        "DAY" => i64::from(at.day()),
        "DOY" => i64::from(at.ordinal()),
        "DOW" => i64::from(at.weekday().number_from_sunday()),
        "ISODOW" => i64::from(at.weekday().number_from_monday()),
        "HOUR" => i64::from(at.hour()),
        "MINUTE" => i64::from(at.minute()),
        "SECOND" => i64::from(at.second()),
        "MILLISECOND" => within_second / 1_000,
        "MICROSECOND" => within_second,
        "EPOCH" => wall_us.div_euclid(SECOND_US),
        _ => return plan_err!("`{unit}` is not a unit that EXTRACT knows"),
    }))
}

fn date_format(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    shown(row, row.wall(0), row.text(1))
}

/// Writes a wall clock of the session's zone.
fn shown<'a>(row: Row<'a>, wall_us: i64, pattern: &str) -> Result<Option<Cow<'a, str>>> {
    let Some(at) = zone::naive(wall_us) else {
        return Ok(None);
    };
    let (offset_s, name) = match &row.call.zone {
        Some(zone) => {
            let offset_us = wall_us - zone::moment_of(wall_us, zone);
            ((offset_us / SECOND_US) as i32, zone.to_string())
        }
        None => (0, "UTC".to_owned()),
    };
    Ok(Some(Cow::Owned(row.pattern(pattern)?.format(at, offset_s, &name))))
}

/// A wall clock from a text: by pattern, or in ISO's and SQL's form with up to 9 digits of a second.
fn read_wall(row: Row<'_>) -> Result<Option<i64>> {
    if row.len() > 1 {
        return Ok(row.pattern(row.text(1))?.read(row.text(0), Reading::Strict).map(|parsed| parsed.wall_us));
    }
    let text = row.text(0).trim();
    let at = match text.len() {
        0..=10 => chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(NaiveDateTime::from),
        _ => NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok(),
    };
    Ok(at.map(|at| at.and_utc().timestamp_micros()))
}

/// TIMESTAMP(3), as in Flink: cut to milliseconds.
fn to_timestamp(row: Row<'_>) -> Result<Option<i64>> {
    Ok(read_wall(row)?.map(|wall_us| wall_us.div_euclid(1_000) * 1_000))
}

fn to_date(row: Row<'_>) -> Result<Option<i32>> {
    Ok(read_wall(row)?.map(|wall_us| wall_us.div_euclid(DAY_US) as i32))
}

fn instants() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")))
}

/// From a number of seconds (precision 0) or milliseconds (precision 3, the default), or from a text.
fn to_timestamp_ltz(call: &Call) -> Result<ArrayRef> {
    let value = call.column(0)?;
    if value.data_type().is_numeric() || value.data_type().is_null() {
        let precision = match call.arity() {
            1 => 3,
            _ => {
                let precision = cast(&call.column(1)?, &DataType::Int64)?;
                let precision = precision.as_primitive::<Int64Type>();
                if precision.is_empty() || precision.is_null(0) { 3 } else { precision.value(0) }
            }
        };
        let unit = match precision {
            0 => TimeUnit::Second,
            3 => TimeUnit::Millisecond,
            _ => {
                return exec_err!(
                    "the precision of TO_TIMESTAMP_LTZ is 0 (seconds) or 3, and not `{precision}`"
                );
            }
        };
        let at = cast(&cast(&value, &DataType::Int64)?, &DataType::Timestamp(unit, None))?;
        let at = cast(&at, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
        let at = at.as_primitive::<TimestampMicrosecondType>().clone();
        return Ok(Arc::new(at.with_timezone("UTC")));
    }
    let texts = cast(&value, &DataType::Utf8View)?;
    let texts = texts.as_string_view();
    let patterns = if call.arity() > 1 { Some(cast(&call.column(1)?, &DataType::Utf8View)?) } else { None };
    let read = |i: usize| -> Result<Option<i64>> {
        let pattern = match &patterns {
            Some(patterns) if patterns.is_null(i) => return Ok(None),
            Some(patterns) => patterns.as_string_view().value(i),
            None => "yyyy-MM-dd HH:mm:ss.SSS",
        };
        if texts.is_null(i) {
            return Ok(None);
        }
        let row = call.row(i);
        let parsed = row.pattern(pattern)?.read(texts.value(i), Reading::Strict);
        let parsed = match (parsed, patterns.is_none()) {
            (None, true) => row.pattern(DEFAULT_PATTERN)?.read(texts.value(i), Reading::Strict),
            (parsed, _) => parsed,
        };
        Ok(parsed.map(|parsed| moment(parsed.wall_us, parsed.offset_s, call)))
    };
    let at: TimestampMicrosecondArray = (0..call.rows).map(read).collect::<Result<_>>()?;
    Ok(Arc::new(at.with_timezone("UTC")))
}

/// The moment of a wall clock, by the offset that the text named or by the session's zone.
fn moment(wall_us: i64, offset_s: Option<i32>, call: &Call) -> i64 {
    match (offset_s, &call.zone) {
        (Some(offset_s), _) => wall_us - i64::from(offset_s) * SECOND_US,
        (None, Some(zone)) => zone::moment_of(wall_us, zone),
        (None, None) => wall_us,
    }
}

fn from_unixtime(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    let at_us = row.integer(0).saturating_mul(SECOND_US);
    let wall_us = row.call.zone.as_ref().map_or(at_us, |zone| zone::wall_of(at_us, zone));
    shown(row, wall_us, row.text_or(1, DEFAULT_PATTERN))
}

/// Seconds since 1970; a text that cannot be read gives the smallest BIGINT, as Flink documents.
fn unix_timestamp(row: Row<'_>) -> Result<Option<i64>> {
    let parsed = row.pattern(row.text_or(1, DEFAULT_PATTERN))?.read(row.text(0), Reading::Lenient);
    let seconds = |wall_us, offset_s| moment(wall_us, offset_s, row.call).div_euclid(SECOND_US);
    Ok(Some(parsed.map_or(i64::MIN, |parsed| seconds(parsed.wall_us, parsed.offset_s))))
}

fn convert_tz(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    let pattern = row.pattern(DEFAULT_PATTERN)?;
    let Some(parsed) = pattern.read(row.text(0), Reading::Lenient) else {
        return Ok(None);
    };
    let (from, to) = (zone::parse(row.text(1))?, zone::parse(row.text(2))?);
    let wall_us = zone::wall_of(zone::moment_of(parsed.wall_us, &from), &to);
    Ok(zone::naive(wall_us).map(|at| Cow::Owned(pattern.format(at, 0, ""))))
}

/// A unit of time as a number of months or of microseconds.
#[derive(Debug, Clone, Copy)]
enum Step {
    Months(i64),
    Micros(i64),
}

/// `MINUTE`, also as MySQL's `SQL_TSI_MINUTE`.
fn step(unit: &str) -> Result<Step> {
    let name = unit.to_uppercase();
    Ok(match name.strip_prefix("SQL_TSI_").unwrap_or(&name) {
        "MICROSECOND" => Step::Micros(1),
        "MILLISECOND" => Step::Micros(1_000),
        "SECOND" => Step::Micros(SECOND_US),
        "MINUTE" => Step::Micros(60 * SECOND_US),
        "HOUR" => Step::Micros(3_600 * SECOND_US),
        "DAY" => Step::Micros(DAY_US),
        "WEEK" => Step::Micros(7 * DAY_US),
        "MONTH" => Step::Months(1),
        "QUARTER" => Step::Months(3),
        "YEAR" => Step::Months(12),
        "DECADE" => Step::Months(120),
        "CENTURY" => Step::Months(1_200),
        "MILLENNIUM" => Step::Months(12_000),
        _ => {
            return plan_err!(
                "`{unit}` is not a unit of time: use SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER or YEAR"
            );
        }
    })
}

/// Whole units from the first time to the second.
fn timestampdiff(row: Row<'_>) -> Result<Option<i32>> {
    let (from, to) = (row.wall(1), row.wall(2));
    let count = match step(row.text(0))? {
        Step::Micros(micros) => (to - from) / micros,
        Step::Months(months) => match (zone::naive(from), zone::naive(to)) {
            (Some(from), Some(to)) => whole_months(from, to) / months,
            _ => return Ok(None),
        },
    };
    i32::try_from(count).map(Some).or_else(|_| exec_err!("TIMESTAMPDIFF: `{count}` does not fit an INT"))
}

/// Whole months, counted by days as Flink does: the time of day decides only where the days of the month
/// agree, and only forwards.
fn whole_months(from: NaiveDateTime, to: NaiveDateTime) -> i64 {
    let months = match from.date() <= to.date() {
        true => months_of_days(from.date(), to.date()),
        false => -months_of_days(to.date(), from.date()),
    };
    let is_same_day = plus_months(from, months).is_some_and(|moved| moved.date() == to.date());
    if is_same_day && to.time() < from.time() { months - 1 } else { months }
}

/// The most months that can be added to the first day without passing the second, which is not before it.
fn months_of_days(from: NaiveDate, to: NaiveDate) -> i64 {
    let months = i64::from(to.year() - from.year()) * 12 + i64::from(to.month()) - i64::from(from.month());
    let passes = plus_months(from.into(), months).is_none_or(|moved| moved.date() > to);
    if passes { months - 1 } else { months }
}

/// What has a time of day keeps its type; a DATE stays one if the unit is a day or more.
fn added(given: &[DataType], constants: Constants<'_>) -> Result<DataType> {
    let unit = constants.first().copied().flatten().and_then(|unit| unit.try_as_str().flatten());
    let whole_days = match unit.map(step).transpose()? {
        Some(Step::Months(_)) => true,
        Some(Step::Micros(micros)) => micros % DAY_US == 0,
        None => false,
    };
    match rounded_type(given.get(1..).unwrap_or_default(), constants)? {
        DataType::Date32 if !whole_days => Ok(DataType::Timestamp(TimeUnit::Microsecond, None)),
        other => Ok(other),
    }
}

/// The type of the time, in microseconds.
fn rounded_type(given: &[DataType], _constants: Constants<'_>) -> Result<DataType> {
    match given.get(1) {
        Some(DataType::Timestamp(_, zone)) => Ok(DataType::Timestamp(TimeUnit::Microsecond, zone.clone())),
        Some(DataType::Date32) => Ok(DataType::Date32),
        Some(DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 | DataType::Null) => {
            Ok(DataType::Timestamp(TimeUnit::Microsecond, None))
        }
        other => {
            let given = other.map(ToString::to_string).unwrap_or_default();
            plan_err!("a DATE or a TIMESTAMP is needed here, and this is `{given}`; use CAST")
        }
    }
}

/// The time in argument `i` of each row without NULLs, changed by `change`; the zone is that of wall clocks.
fn change_times(
    call: &Call,
    i: usize,
    change: impl Fn(Row<'_>, i64, Option<&Tz>) -> Result<Option<i64>>,
) -> Result<ArrayRef> {
    let given = call.column(i)?;
    let has_zone = matches!(given.data_type(), DataType::Timestamp(_, Some(_)));
    let zone = call.zone.as_ref().filter(|_| has_zone);
    let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
    let times = cast(&given, &micros)?;
    let times = times.as_primitive::<TimestampMicrosecondType>();
    let changed = (0..call.rows).map(|index| match call.is_null(index) {
        true => Ok(None),
        false => change(call.row(index), times.value(index), zone),
    });
    let changed: TimestampMicrosecondArray = changed.collect::<Result<_>>()?;
    match &call.returns {
        DataType::Date32 => Ok(cast(&changed, &DataType::Date32)?),
        ty => Ok(Arc::new(changed.with_data_type(ty.clone()))),
    }
}

fn timestampadd(call: &Call) -> Result<ArrayRef> {
    change_times(call, 2, |row, at_us, zone| {
        let count = row.integer(1);
        match step(row.text(0))? {
            Step::Micros(micros) => Ok(at_us.checked_add(count.saturating_mul(micros))),
            Step::Months(months) => {
                let wall = zone::naive(zone.map_or(at_us, |zone| zone::wall_of(at_us, zone)));
                let wall = wall.and_then(|wall| plus_months(wall, count.saturating_mul(months)));
                let wall_us = wall.map(|wall| wall.and_utc().timestamp_micros());
                Ok(wall_us.map(|wall_us| zone.map_or(wall_us, |zone| zone::moment_of(wall_us, zone))))
            }
        }
    })
}

/// `FLOOR` and `CEIL` of times: on the wall clock of the session's zone.
fn rounded(call: &Call, round: fn(&str, i64) -> Result<Option<i64>>) -> Result<ArrayRef> {
    change_times(call, 1, |row, at_us, zone| {
        let wall_us = round(row.text(0), zone.map_or(at_us, |zone| zone::wall_of(at_us, zone)))?;
        Ok(wall_us.map(|wall_us| zone.map_or(wall_us, |zone| zone::moment_of(wall_us, zone))))
    })
}

/// The start of the unit that holds a time; a week starts on Sunday, as in Calcite.
fn floor(unit: &str, wall_us: i64) -> Result<Option<i64>> {
    // 1970-01-01 was a Thursday: weeks start four days later, on a Sunday three days in.
    const SUNDAY_US: i64 = 3 * DAY_US;
    Ok(match step(unit)? {
        Step::Micros(micros) if micros == 7 * DAY_US => {
            Some(wall_us - (wall_us - SUNDAY_US).rem_euclid(micros))
        }
        Step::Micros(micros) => Some(wall_us - wall_us.rem_euclid(micros)),
        Step::Months(months) => zone::naive(wall_us).and_then(|at| {
            let month = i64::from(at.year()) * 12 + i64::from(at.month0());
            let start = plus_months(at.date().with_day(1)?.into(), -month.rem_euclid(months))?;
            Some(start.and_utc().timestamp_micros())
        }),
    })
}

fn ceil(unit: &str, wall_us: i64) -> Result<Option<i64>> {
    let start = floor(unit, wall_us)?;
    let Some(start) = start.filter(|start| *start != wall_us) else {
        return Ok(start);
    };
    Ok(match step(unit)? {
        Step::Micros(micros) => start.checked_add(micros),
        Step::Months(months) => {
            let end = zone::naive(start).and_then(|start| plus_months(start, months));
            end.map(|end| end.and_utc().timestamp_micros())
        }
    })
}

#[cfg(test)]
mod tests {
    use crate::functions::tests::{Session, check};

    #[test]
    fn parts_of_a_time_count_as_in_flink() {
        check(&[
            ("YEAR(DATE '1994-09-27')", "1994"),
            ("QUARTER(DATE '1994-09-27')", "3"),
            ("MONTH(DATE '1994-09-27')", "9"),
            ("WEEK(DATE '1994-09-27')", "39"),
            ("DAYOFYEAR(DATE '1994-09-27')", "270"),
            ("DAYOFMONTH(DATE '1994-09-27')", "27"),
            ("DAYOFWEEK(DATE '1994-09-27')", "3"),
            ("EXTRACT(DOW FROM DATE '1994-09-27')", "3"),
            ("EXTRACT(DAY FROM DATE '2006-06-05')", "5"),
            ("HOUR(TIMESTAMP '1994-09-27 13:14:15')", "13"),
            ("MINUTE(TIMESTAMP '1994-09-27 13:14:15')", "14"),
            ("SECOND(TIMESTAMP '1994-09-27 13:14:15')", "15"),
            ("EXTRACT(HOUR FROM TIME '13:14:15')", "13"),
            ("YEAR(NULL)", "NULL"),
            ("DAYOFWEEK(DATE '1969-12-28')", "1"),
        ]);
    }

    #[test]
    fn texts_become_times_and_back_by_java_patterns() {
        check(&[
            ("DATE_FORMAT(TIMESTAMP '2024-02-05 15:04:09', 'yyyy/MM/dd HH:mm')", "2024/02/05 15:04"),
            ("DATE_FORMAT('2024-02-05 15:04:09', 'yyyyMMdd')", "20240205"),
            ("DATE_FORMAT(DATE '2024-02-05', 'yyyy')", "2024"),
            ("TO_TIMESTAMP('2024-02-05 15:04:09.1239')", "2024-02-05T15:04:09.123"),
            ("TO_TIMESTAMP('05.02.2024', 'dd.MM.yyyy')", "2024-02-05T00:00:00"),
            ("TO_TIMESTAMP('nonsense')", "NULL"),
            ("TO_DATE('2024-02-05')", "2024-02-05"),
            ("TO_DATE('20240205', 'yyyyMMdd')", "2024-02-05"),
            ("TO_TIMESTAMP_LTZ(100, 0)", "1970-01-01T00:01:40Z"),
            ("TO_TIMESTAMP_LTZ(1234, 3)", "1970-01-01T00:00:01.234Z"),
            ("TO_TIMESTAMP_LTZ('1970-01-01 00:00:02')", "1970-01-01T00:00:02Z"),
            ("FROM_UNIXTIME(44)", "1970-01-01 00:00:44"),
            ("FROM_UNIXTIME(44, 'ss')", "44"),
            ("UNIX_TIMESTAMP('1970-01-01 00:00:44')", "44"),
            ("UNIX_TIMESTAMP('1970-01-01 08:00:01 +0800', 'yyyy-MM-dd HH:mm:ss X')", "1"),
            ("UNIX_TIMESTAMP('nonsense')", "-9223372036854775808"),
            ("CONVERT_TZ('1970-01-01 00:00:00', 'UTC', 'America/Los_Angeles')", "1969-12-31 16:00:00"),
        ]);
    }

    #[test]
    fn the_session_zone_is_the_wall_that_is_shown_and_read() {
        let tokyo = Session::with_time_zone("Asia/Tokyo");
        let row = tokyo
            .row(
                "SELECT FROM_UNIXTIME(44), HOUR(z), DATE_FORMAT(z, 'HH:mm XXX') \
                 FROM (SELECT TO_TIMESTAMP_LTZ(0, 0) AS z)",
            )
            .unwrap();
        assert_eq!(row, ["1970-01-01 09:00:44", "9", "09:00 +09:00"]);
        let berlin = Session::with_time_zone("Europe/Berlin");
        let row = berlin
            .row("SELECT UNIX_TIMESTAMP('1970-01-01 08:00:01.001', 'yyyy-MM-dd HH:mm:ss.SSS')")
            .unwrap();
        assert_eq!(row, ["25201"]);
    }

    #[test]
    fn times_are_moved_compared_and_rounded() {
        check(&[
            ("TIMESTAMPADD('HOUR', 1, DATE '2003-01-02')", "2003-01-02T01:00:00"),
            ("__floor_to('MONTH', DATE '2024-06-05')", "2024-06-01"),
            ("TIMESTAMPADD('MONTH', 1, TIMESTAMP '2024-01-31 10:00:00')", "2024-02-29T10:00:00"),
            ("TIMESTAMPADD('SECOND', -1, TIMESTAMP '2024-01-01 00:00:00')", "2023-12-31T23:59:59"),
            ("TIMESTAMPDIFF('DAY', TIMESTAMP '2003-01-02 10:00:00', TIMESTAMP '2003-01-03 10:00:00')", "1"),
            ("TIMESTAMPDIFF('MONTH', TIMESTAMP '2024-01-31 00:00:00', TIMESTAMP '2024-02-29 00:00:00')", "1"),
            ("TIMESTAMPDIFF('MONTH', TIMESTAMP '2024-01-31 12:00:00', TIMESTAMP '2024-02-29 11:00:00')", "0"),
            (
                "TIMESTAMPDIFF('MONTH', TIMESTAMP '2024-02-29 00:00:00', TIMESTAMP '2024-01-31 00:00:00')",
                "-1",
            ),
            (
                "TIMESTAMPDIFF('MONTH', TIMESTAMP '2024-03-31 10:00:00', TIMESTAMP '2024-02-29 09:00:00')",
                "-2",
            ),
            (
                "TIMESTAMPDIFF('MONTH', TIMESTAMP '2024-01-15 00:00:00', TIMESTAMP '2023-12-15 01:00:00')",
                "-1",
            ),
            ("TIMESTAMPDIFF('YEAR', DATE '2024-03-01', DATE '2020-03-02')", "-3"),
            ("TIMESTAMPDIFF('HOUR', NULL, DATE '2020-03-02')", "NULL"),
            ("__floor_to('MINUTE', TIMESTAMP '2024-02-05 12:44:31')", "2024-02-05T12:44:00"),
            ("__ceil_to('MINUTE', TIMESTAMP '2024-02-05 12:44:31')", "2024-02-05T12:45:00"),
            ("__floor_to('QUARTER', TIMESTAMP '2024-06-05 12:44:31')", "2024-04-01T00:00:00"),
            ("__ceil_to('YEAR', TIMESTAMP '2024-06-05 12:44:31')", "2025-01-01T00:00:00"),
            ("__floor_to('WEEK', TIMESTAMP '2024-02-05 12:44:31')", "2024-02-04T00:00:00"),
        ]);
    }

    #[test]
    fn times_keep_their_type_and_are_rounded_on_the_wall() {
        let session = Session::with_time_zone("Asia/Kolkata");
        let row = session
            .row(
                "SELECT TIMESTAMPADD('WEEK', 1, DATE '2003-01-02'), __floor_to('DAY', z), \
                 __floor_to('HOUR', z) FROM (SELECT TO_TIMESTAMP_LTZ(0, 0) AS z)",
            )
            .unwrap();
        // Midnight and five o'clock half past five hours east of UTC.
        assert_eq!(row, ["2003-01-09", "1969-12-31T18:30:00Z", "1969-12-31T23:30:00Z"]);
    }

    #[test]
    fn a_wrong_unit_or_type_is_named() {
        let session = Session::new();
        let error = |sql: &str| session.row(sql).unwrap_err().to_string();
        assert!(error("SELECT TIMESTAMPADD('FORTNIGHT', 1, DATE '2024-01-01')").contains("`FORTNIGHT`"));
        assert!(error("SELECT TO_TIMESTAMP(5)").contains("argument 1 of `TO_TIMESTAMP` must be a STRING"));
        assert!(error("SELECT TO_TIMESTAMP_LTZ(5, 6)").contains("`6`"));
    }
}
