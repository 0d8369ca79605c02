//! Between a moment (UTC) and the clock on a wall somewhere.
//!
//! Both sides are microseconds since 1970. Arrow's own cast to a time without zone keeps the UTC digits;
//! Flink, and so Windrow, shows the wall clock of the session's time zone.

use arrow::array::timezone::Tz;
use chrono::{DateTime, LocalResult, NaiveDateTime, Offset, TimeZone};
use datafusion::common::{Result, plan_datafusion_err};
use datafusion::config::ConfigOptions;

/// The session's time zone; `None` is UTC.
pub(super) fn of_session(config: &ConfigOptions) -> Result<Option<Tz>> {
    match config.execution.time_zone.as_deref() {
        None | Some("UTC" | "Z" | "+00:00") => Ok(None),
        Some(name) => parse(name).map(Some),
    }
}

/// A name (`Europe/Berlin`), an offset (`+08:00`) or Java's `GMT-08:00`.
pub(super) fn parse(name: &str) -> Result<Tz> {
    let offset =
        name.strip_prefix("GMT").or_else(|| name.strip_prefix("UTC")).filter(|rest| !rest.is_empty());
    offset.unwrap_or(name).parse().map_err(|_| {
        plan_datafusion_err!("`{name}` is not a time zone: write it like `Europe/Berlin` or `+08:00`")
    })
}

/// What the wall clock shows at a moment.
pub(super) fn wall_of(at_us: i64, zone: &Tz) -> i64 {
    match naive(at_us) {
        Some(utc) => at_us + offset_us(zone.offset_from_utc_datetime(&utc).fix()),
        None => at_us,
    }
}

/// The moment at which the wall clock shows `wall_us`: the first of two where clocks are set back, and as
/// much later as they are set forward where it never does (as in Java).
pub(super) fn moment_of(wall_us: i64, zone: &Tz) -> i64 {
    let Some(wall) = naive(wall_us) else {
        return wall_us;
    };
    match zone.offset_from_local_datetime(&wall) {
        LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => wall_us - offset_us(offset.fix()),
        LocalResult::None => {
            // The offset before the gap; a gap is never longer than a day.
            let before = wall - chrono::Duration::days(1);
            wall_us - offset_us(zone.offset_from_utc_datetime(&before).fix())
        }
    }
}

/// Date and time of day of a wall clock; `None` beyond chrono's range.
pub(super) fn naive(wall_us: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(wall_us).map(|at| at.naive_utc())
}

fn offset_us(offset: chrono::FixedOffset) -> i64 {
    i64::from(offset.local_minus_utc()) * 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;
    /// 2024-03-31 01:00 in UTC: clocks in Berlin go from 02:00 to 03:00.
    const FORWARD: i64 = 1_711_846_800_000_000;
    /// 2024-10-27 01:00 in UTC: clocks in Berlin go from 03:00 to 02:00.
    const BACK: i64 = 1_729_990_800_000_000;

    #[test]
    fn a_moment_comes_back_from_the_wall() {
        let berlin = parse("Europe/Berlin").unwrap();
        assert_eq!(wall_of(FORWARD - 1, &berlin), FORWARD - 1 + HOUR);
        assert_eq!(wall_of(FORWARD, &berlin), FORWARD + 2 * HOUR);
        for at in [0, FORWARD - 1, FORWARD, BACK - HOUR - 1, BACK + HOUR] {
            assert_eq!(moment_of(wall_of(at, &berlin), &berlin), at, "{at}");
        }
    }

    #[test]
    fn a_gap_moves_forward_and_an_overlap_is_its_first_time() {
        let berlin = parse("Europe/Berlin").unwrap();
        assert_eq!(moment_of(FORWARD + HOUR + HOUR / 2, &berlin), FORWARD + HOUR / 2);
        assert_eq!(moment_of(BACK + HOUR + HOUR / 2, &berlin), BACK - HOUR / 2);
    }

    #[test]
    fn java_offsets_are_zones_and_nonsense_is_refused() {
        assert_eq!(wall_of(0, &parse("GMT-08:00").unwrap()), -8 * HOUR);
        assert!(parse("Mars/Olympus").is_err());
    }
}
