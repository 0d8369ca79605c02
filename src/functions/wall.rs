//! `__wall(moment, zone)` and `__moment(time, zone)`: TIMESTAMP_LTZ to a wall clock's TIMESTAMP and back.
//!
//! The planner writes them for windows over moments and for casts, with the zone as a constant, so that a
//! plan says all it depends on. Both run once per row, so an offset is kept while rows stay in its quarter of
//! an hour.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{ArrayRef, AsArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{Result, plan_err};

use super::definition::Param::{Any, Word};
use super::definition::{Call, Constants, Definition, Eval};
use super::zone;
use crate::time::zone::offset_at;

/// What the wall clock of a zone shows at a moment.
pub const WALL: &str = "__wall";
/// The moment at which the wall clock of a zone shows a time.
pub const MOMENT: &str = "__moment";

const QUARTER_US: i64 = 900_000_000;

pub(super) fn functions() -> Vec<Definition> {
    vec![
        Definition::new(WALL, &[Any, Word], Eval::Columns { returns: walls, eval: wall }),
        Definition::new(MOMENT, &[Any, Word], Eval::Columns { returns: moments, eval: moment }),
    ]
}

fn walls(given: &[DataType], _: Constants<'_>) -> Result<DataType> {
    match given.first() {
        Some(DataType::Timestamp(_, Some(_)) | DataType::Null) => {
            Ok(DataType::Timestamp(TimeUnit::Microsecond, None))
        }
        other => plan_err!("`{WALL}` takes a TIMESTAMP_LTZ, and this is {other:?}"),
    }
}

fn moments(given: &[DataType], _: Constants<'_>) -> Result<DataType> {
    match given.first() {
        Some(DataType::Timestamp(_, None) | DataType::Null) => {
            Ok(DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))))
        }
        other => plan_err!("`{MOMENT}` takes a TIMESTAMP, and this is {other:?}"),
    }
}

fn wall(call: &Call) -> Result<ArrayRef> {
    let mut offset = Offset::default();
    shifted(call, |at_us, zone| at_us.saturating_add(offset.at(at_us, zone)))
}

fn moment(call: &Call) -> Result<ArrayRef> {
    shifted(call, zone::moment_of)
}

fn shifted(call: &Call, mut shift: impl FnMut(i64, &Tz) -> i64) -> Result<ArrayRef> {
    let given = call.column(0)?;
    let given = match given.data_type() {
        DataType::Timestamp(_, zone) => {
            cast(&given, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?
        }
        _ => cast(&given, &call.returns)?,
    };
    let times = given.as_primitive::<TimestampMicrosecondType>();
    // The zone is a constant: the planner writes it.
    let zone = if call.rows == 0 { None } else { zone::of_name(call.row(0).text(1))? };
    let times = match &zone {
        Some(zone) => {
            let shifted = times.iter().map(|at_us| at_us.map(|at_us| shift(at_us, zone)));
            shifted.collect::<TimestampMicrosecondArray>()
        }
        None => times.clone(),
    };
    Ok(Arc::new(times.with_data_type(call.returns.clone())))
}

/// The last offset and the quarter of an hour in which it is known to hold; at first an empty one.
#[derive(Default)]
struct Offset {
    from_us: i64,
    until_us: i64,
    offset_us: i64,
}

impl Offset {
    fn at(&mut self, at_us: i64, zone: &Tz) -> i64 {
        if at_us >= self.from_us && at_us < self.until_us {
            return self.offset_us;
        }
        let offset_us = offset_at(at_us, zone);
        let from_us = at_us.saturating_sub(at_us.rem_euclid(QUARTER_US));
        let until_us = from_us.saturating_add(QUARTER_US);
        // Clocks are hardly ever changed within a quarter of an hour, and never twice.
        if offset_at(from_us, zone) == offset_us && offset_at(until_us - 1, zone) == offset_us {
            *self = Offset { from_us, until_us, offset_us };
        }
        offset_us
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::tests::Session;

    #[test]
    fn rows_around_a_change_of_clocks_go_to_the_wall_and_back() {
        let session = Session::new();
        let wall = |second: i64, zone: &str| {
            let moments = format!("(SELECT TO_TIMESTAMP_LTZ({second}, 0) AS z)");
            session.row(&format!("SELECT __wall(z, '{zone}') FROM {moments}")).unwrap().remove(0)
        };
        assert_eq!(wall(1_711_846_799, "Europe/Berlin"), "2024-03-31T01:59:59");
        assert_eq!(wall(1_711_846_800, "Europe/Berlin"), "2024-03-31T03:00:00");
        assert_eq!(wall(0, "UTC"), "1970-01-01T00:00:00");
        let row = session.row(
            "SELECT __moment(TIMESTAMP '2024-03-31 03:00:00', 'Europe/Berlin'), \
             __moment(NULL, 'Europe/Berlin')",
        );
        assert_eq!(row.unwrap(), ["2024-03-31T01:00:00Z", "NULL"]);
    }

    #[test]
    fn an_offset_is_not_kept_over_a_change_within_its_quarter() {
        use super::*;
        let amsterdam = crate::time::zone::parse("Europe/Amsterdam").unwrap();
        // Between 1900 and 1940, offsets there and their changes were odd.
        let mut offset = Offset::default();
        for minute in 0..200_000 {
            let at_us = -1_800_000_000_000_000 + minute * 60_000_000;
            assert_eq!(offset.at(at_us, &amsterdam), offset_at(at_us, &amsterdam), "{at_us}");
        }
    }
}
