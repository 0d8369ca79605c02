//! Between a moment (UTC) and the clock on a wall somewhere.
//!
//! Both sides are microseconds since 1970. Where clocks are set back, the wall shows an hour twice, so wall
//! times neither rise with moments nor name one: a watermark, which promises what can still come, crosses by
//! [`earliest_wall_from`] and not by [`wall_of`].

use arrow::array::timezone::Tz;
use chrono::{DateTime, LocalResult, NaiveDateTime, Offset, TimeZone};

use crate::time::EventTime;

const DAY_US: i64 = 86_400_000_000;

/// A name (`Europe/Berlin`), an offset (`+08:00`) or Java's `GMT-08:00`; None if it is none of them.
pub fn parse(name: &str) -> Option<Tz> {
    let offset =
        name.strip_prefix("GMT").or_else(|| name.strip_prefix("UTC")).filter(|rest| !rest.is_empty());
    offset.unwrap_or(name).parse().ok()
}

/// Whether a name that [`parse`] takes is UTC itself, whose wall clocks show moments.
pub fn is_utc(name: &str) -> bool {
    matches!(name, "UTC" | "Etc/UTC" | "Z" | "+00:00")
}

/// What the wall clock shows at a moment.
pub fn wall_of(at_us: i64, zone: &Tz) -> i64 {
    at_us.saturating_add(offset_at(at_us, zone))
}

/// The moment at which the wall clock shows `wall_us`: the first of two where clocks are set back, and as
/// much later as they are set forward where it never does (as in Java).
pub fn moment_of(wall_us: i64, zone: &Tz) -> i64 {
    match moments_of(wall_us, zone) {
        LocalResult::Single(at_us) | LocalResult::Ambiguous(at_us, _) => at_us,
        // The offset before the gap; a gap is never longer than a day.
        LocalResult::None => wall_us - offset_at(wall_us - DAY_US, zone),
    }
}

/// The earliest time that the wall clock shows at this moment or any later one. Never falls.
pub fn earliest_wall_from(at: EventTime, zone: &Tz) -> EventTime {
    let EventTime(at_us) = at;
    if at == EventTime::MIN || at == EventTime::MAX {
        return at;
    }
    let wall_us = wall_of(at_us, zone);
    match moments_of(wall_us, zone) {
        // Clocks are about to be set back: at the change, they show the earliest time of those to come.
        LocalResult::Ambiguous(first, again) if first == at_us => {
            EventTime(wall_of(change_within(first, again, zone), zone))
        }
        _ => EventTime(wall_us),
    }
}

/// The moment from which on the wall clock shows nothing before `wall`.
pub fn moment_past(wall: EventTime, zone: &Tz) -> EventTime {
    let EventTime(wall_us) = wall;
    if wall == EventTime::MIN || wall == EventTime::MAX {
        return wall;
    }
    EventTime(match moments_of(wall_us, zone) {
        // The first time shown twice is past the first time already: before it nothing is shown again.
        LocalResult::Ambiguous(first, _) if earliest_wall_from(EventTime(first), zone) >= wall => first,
        LocalResult::Single(at_us) | LocalResult::Ambiguous(_, at_us) => at_us,
        LocalResult::None => {
            let with_offset_of = |day_us: i64| wall_us - offset_at(wall_us + day_us, zone);
            change_within(with_offset_of(DAY_US), with_offset_of(-DAY_US), zone)
        }
    })
}

/// Date and time of day of a wall clock; `None` beyond chrono's range.
pub fn naive(wall_us: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(wall_us).map(|at| at.naive_utc())
}

/// How far the wall clock is ahead of UTC at a moment; 0 beyond chrono's range.
pub fn offset_at(at_us: i64, zone: &Tz) -> i64 {
    naive(at_us).map_or(0, |utc| micros(zone.offset_from_utc_datetime(&utc).fix()))
}

/// The moments at which the wall clock shows `wall_us`, in their order.
fn moments_of(wall_us: i64, zone: &Tz) -> LocalResult<i64> {
    match naive(wall_us) {
        Some(wall) => zone.offset_from_local_datetime(&wall).map(|offset| wall_us - micros(offset.fix())),
        None => LocalResult::Single(wall_us),
    }
}

/// The moment in `(from, until]` at which the clocks are changed.
fn change_within(from_us: i64, until_us: i64, zone: &Tz) -> i64 {
    let (mut before, mut after) = (from_us, until_us);
    let offset = offset_at(from_us, zone);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if offset_at(middle, zone) == offset {
            before = middle;
        } else {
            after = middle;
        }
    }
    after
}

fn micros(offset: chrono::FixedOffset) -> i64 {
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
        assert!(parse("Mars/Olympus").is_none());
    }

    #[test]
    fn a_watermark_on_the_wall_is_the_earliest_time_to_come_and_never_falls() {
        for (name, change) in [("Europe/Berlin", BACK), ("Europe/Berlin", FORWARD), ("Asia/Kolkata", BACK)] {
            let zone = parse(name).unwrap();
            let moments: Vec<i64> = (-200..200).map(|i| change + i * HOUR / 20).collect();
            for (i, at) in moments.iter().enumerate() {
                let to_come = moments[i..].iter().map(|at| wall_of(*at, &zone)).min();
                assert_eq!(Some(earliest_wall_from(EventTime(*at), &zone).0), to_come, "{name} {at}");
            }
        }
        let berlin = parse("Europe/Berlin").unwrap();
        assert_eq!(earliest_wall_from(EventTime::MIN, &berlin), EventTime::MIN);
        assert_eq!(earliest_wall_from(EventTime::MAX, &berlin), EventTime::MAX);
    }

    #[test]
    fn a_wall_time_is_over_at_the_last_moment_that_shows_it() {
        let berlin = parse("Europe/Berlin").unwrap();
        for wall in (-300..300).flat_map(|i| [BACK, FORWARD].map(|at| at + i * HOUR / 60)) {
            let EventTime(at) = moment_past(EventTime(wall), &berlin);
            assert!(earliest_wall_from(EventTime(at), &berlin).0 >= wall, "{wall}");
            assert!(earliest_wall_from(EventTime(at - 1), &berlin).0 < wall, "{wall}");
        }
    }
}
