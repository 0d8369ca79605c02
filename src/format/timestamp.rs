//! Dates, times of day and timestamps from text.
//!
//! Most timestamps of a stream share their minute with the one before, so a reader remembers the text up to
//! the minute and what it came to. That saves most of the work, and needs no assumption about order.

use super::TimestampFormat;
use super::bad::BadReason;

const SECONDS_PER_DAY: i64 = 86_400;
const NANOS_PER_SECOND: i64 = 1_000_000_000;
const POWERS_OF_TEN: [i64; 10] =
    [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];
/// 0001-01-01 and 9999-12-31 in milliseconds since 1970: what the calendar of the SQL standard has.
const EPOCH_MILLIS: std::ops::Range<i64> = -62_135_596_800_000..253_402_300_800_000;

/// Reads the timestamps of one column.
#[derive(Debug)]
pub(super) struct TimestampReader {
    format: TimestampFormat,
    /// The column is a point in time: the formats of the standard end in `Z`.
    local_zone: bool,
    /// Digits of a second that are kept; further ones are cut, which is the floor before 1970 too.
    digits: usize,
    /// Digits of a second in the result's unit: 6 or 9.
    unit_digits: usize,
    /// The first 16 bytes of the last text, up to the minute.
    minute_text: [u8; 16],
    /// What they came to, seconds since 1970.
    minute_s: i64,
}

impl TimestampReader {
    pub(super) fn new(format: TimestampFormat, digits: u8, local_zone: bool) -> Self {
        TimestampReader {
            format,
            local_zone,
            digits: usize::from(digits.min(9)),
            unit_digits: if digits <= 6 { 6 } else { 9 },
            minute_text: [0; 16],
            minute_s: 0,
        }
    }

    /// Microseconds since 1970, or nanoseconds where the column has more than 6 digits of a second.
    #[inline]
    pub(super) fn read(&mut self, text: &[u8]) -> Result<i64, BadReason> {
        let Some((minute, rest)) = text.split_first_chunk::<16>() else {
            return Err(BadReason::BadTimestamp);
        };
        if *minute != self.minute_text {
            self.minute_s = self.read_minute(minute).ok_or(BadReason::BadTimestamp)?;
            self.minute_text = *minute;
        }
        let (second, rest) = match rest {
            [b':', tens @ b'0'..=b'5', ones @ b'0'..=b'9', rest @ ..] => {
                (i64::from(tens - b'0') * 10 + i64::from(ones - b'0'), rest)
            }
            // Java leaves `:00` out of ISO-8601 texts.
            _ if self.format != TimestampFormat::Sql && rest.first() != Some(&b':') => (0, rest),
            _ => return Err(BadReason::BadTimestamp),
        };
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => self.read_fraction(rest).ok_or(BadReason::BadTimestamp)?,
            _ => (0, rest),
        };
        let offset_s = if rest.is_empty() && (!self.local_zone || self.format == TimestampFormat::Lenient) {
            0
        } else {
            self.read_zone(rest).ok_or(BadReason::BadTimestamp)?
        };
        self.in_unit(self.minute_s + second - offset_s, fraction)
    }

    /// Digits of a second in the unit of what is read: 6 or 9.
    pub(super) fn unit_digits(&self) -> usize {
        self.unit_digits
    }

    /// The moment of a number of milliseconds since 1970; only the lenient format takes numbers.
    pub(super) fn read_epoch_ms(&self, millis: i64) -> Result<i64, BadReason> {
        if self.format != TimestampFormat::Lenient {
            return Err(BadReason::TypeMismatch);
        }
        if !EPOCH_MILLIS.contains(&millis) {
            return Err(BadReason::OutOfRange);
        }
        let cut = POWERS_OF_TEN[3 - self.digits.min(3)];
        let in_second = millis.rem_euclid(1000) / cut * cut;
        self.in_unit(millis.div_euclid(1000), in_second * POWERS_OF_TEN[self.unit_digits - 3])
    }

    fn in_unit(&self, seconds: i64, fraction: i64) -> Result<i64, BadReason> {
        seconds
            .checked_mul(POWERS_OF_TEN[self.unit_digits])
            .and_then(|value| value.checked_add(fraction))
            .ok_or(BadReason::OutOfRange)
    }

    fn read_minute(&self, text: &[u8; 16]) -> Option<i64> {
        let between = match self.format {
            TimestampFormat::Lenient => matches!(text[10], b'T' | b' '),
            TimestampFormat::Sql => text[10] == b' ',
            TimestampFormat::Iso8601 => text[10] == b'T',
        };
        let day = i64::from(parse_date(&text[..10]).ok()?);
        let (hour, minute) = (two_digits(&text[11..13], 23)?, two_digits(&text[14..16], 59)?);
        (between && text[13] == b':').then_some(day * SECONDS_PER_DAY + hour * 3600 + minute * 60)
    }

    /// The fraction in the result's unit, and what follows it.
    fn read_fraction<'a>(&self, text: &'a [u8]) -> Option<(i64, &'a [u8])> {
        read_fraction(text, self.digits)
            .map(|(nanos, rest)| (nanos / POWERS_OF_TEN[9 - self.unit_digits], rest))
    }

    /// Seconds ahead of UTC.
    fn read_zone(&self, text: &[u8]) -> Option<i64> {
        if text == b"Z" && (self.local_zone || self.format == TimestampFormat::Lenient) {
            return Some(0);
        }
        let (sign, text) = match text {
            _ if self.format != TimestampFormat::Lenient => return None,
            [b'+', rest @ ..] => (1, rest),
            [b'-', rest @ ..] => (-1, rest),
            _ => return None,
        };
        let (hours, minutes) = match text.len() {
            2 => (text, &b"00"[..]),
            4 => text.split_at(2),
            5 if text[2] == b':' => (&text[..2], &text[3..]),
            _ => return None,
        };
        Some(sign * (two_digits(hours, 18)? * 3600 + two_digits(minutes, 59)? * 60))
    }
}

/// Days since 1970 of `YYYY-MM-DD`, years 0001 to 9999.
pub(super) fn parse_date(text: &[u8]) -> Result<i32, BadReason> {
    read_date(text).ok_or(BadReason::BadTimestamp)
}

fn read_date(text: &[u8]) -> Option<i32> {
    let text: &[u8; 10] = text.try_into().ok()?;
    let year = two_digits(&text[..2], 99)? * 100 + two_digits(&text[2..4], 99)?;
    let (month, day) = (two_digits(&text[5..7], 12)?, two_digits(&text[8..10], 31)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let sound =
        text[4] == b'-' && text[7] == b'-' && year > 0 && month > 0 && (1..=days_in_month).contains(&day);
    sound.then(|| days_since_1970(year, month, day) as i32)
}

/// Howard Hinnant, "chrono-compatible low-level date algorithms", days_from_civil; for years from 1 on.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year / 400;
    let year_of_era = year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Nanoseconds since midnight of `HH:MM[:SS[.f]]`, cut to `digits` digits of a second.
pub(super) fn parse_time(text: &[u8], digits: u8) -> Result<i64, BadReason> {
    read_time(text, usize::from(digits.min(9))).ok_or(BadReason::BadTimestamp)
}

fn read_time(text: &[u8], digits: usize) -> Option<i64> {
    let (minute, rest) = text.split_first_chunk::<5>()?;
    if minute[2] != b':' {
        return None;
    }
    let minutes = two_digits(&minute[..2], 23)? * 60 + two_digits(&minute[3..], 59)?;
    let (second, rest) = match rest {
        [b':', tens, ones, rest @ ..] => (two_digits(&[*tens, *ones], 59)?, rest),
        [] => (0, rest),
        _ => return None,
    };
    let nanos = match rest {
        [] => 0,
        [b'.', rest @ ..] => read_fraction(rest, digits).filter(|(_, rest)| rest.is_empty())?.0,
        _ => return None,
    };
    Some((minutes * 60 + second) * NANOS_PER_SECOND + nanos)
}

/// Nanoseconds of 1 to 9 digits, of which `digits` count, and what follows them.
#[inline]
fn read_fraction(text: &[u8], digits: usize) -> Option<(i64, &[u8])> {
    let length = text.iter().position(|c| !c.is_ascii_digit()).unwrap_or(text.len());
    if !(1..=9).contains(&length) {
        return None;
    }
    let kept = length.min(digits);
    let value = text[..kept].iter().fold(0, |value, c| value * 10 + i64::from(c - b'0'));
    Some((value * POWERS_OF_TEN[9 - kept], &text[length..]))
}

fn two_digits(text: &[u8], max: i64) -> Option<i64> {
    let [tens, ones] = text else { return None };
    let value = i64::from(tens.wrapping_sub(b'0')) * 10 + i64::from(ones.wrapping_sub(b'0'));
    (tens.is_ascii_digit() && ones.is_ascii_digit() && value <= max).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: TimestampFormat, digits: u8, local_zone: bool, text: &str) -> Result<i64, BadReason> {
        TimestampReader::new(format, digits, local_zone).read(text.as_bytes())
    }

    /// What chrono makes of the same text, microseconds.
    fn micros(text: &str) -> i64 {
        chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
            .unwrap()
            .and_utc()
            .timestamp_micros()
    }

    #[test]
    fn the_lenient_format_takes_every_common_spelling() {
        let expected = Ok(micros("2024-02-29T21:05:09.123456"));
        for text in [
            "2024-02-29T21:05:09.123456",
            "2024-02-29 21:05:09.123456",
            "2024-02-29T21:05:09.123456Z",
            "2024-02-29T21:05:09.123456789Z",
            "2024-02-29T23:05:09.123456+02:00",
            "2024-02-29T23:05:09.123456+0200",
            "2024-02-29T23:05:09.123456+02",
            "2024-02-29T16:35:09.123456-04:30",
        ] {
            assert_eq!(read(TimestampFormat::Lenient, 6, false, text), expected, "{text}");
            assert_eq!(read(TimestampFormat::Lenient, 6, true, text), expected, "{text}");
        }
        assert_eq!(
            read(TimestampFormat::Lenient, 3, false, "2024-02-29T21:05Z"),
            Ok(micros("2024-02-29T21:05:00"))
        );
    }

    #[test]
    fn the_formats_of_the_standard_are_strict() {
        use TimestampFormat::{Iso8601, Sql};
        for (format, local_zone, text, good) in [
            (Sql, false, "2024-02-29 21:05:09", true),
            (Sql, false, "2024-02-29T21:05:09", false),
            (Sql, false, "2024-02-29 21:05:09Z", false),
            (Sql, false, "2024-02-29 21:05", false),
            (Sql, true, "2024-02-29 21:05:09.5Z", true),
            (Sql, true, "2024-02-29 21:05:09", false),
            (Sql, true, "2024-02-29 21:05:09+01:00", false),
            (Iso8601, false, "2024-02-29T21:05:09.5", true),
            (Iso8601, false, "2024-02-29T21:05", true),
            (Iso8601, false, "2024-02-29 21:05:09", false),
            (Iso8601, true, "2024-02-29T21:05:09Z", true),
            (Iso8601, true, "2024-02-29T21:05:09", false),
        ] {
            assert_eq!(read(format, 3, local_zone, text).is_ok(), good, "{format:?} {local_zone} {text}");
        }
    }

    #[test]
    fn wrong_timestamps_are_refused() {
        for text in [
            "",
            "2024-02-29",
            "2024-02-30T00:00:00",
            "2023-02-29T00:00:00",
            "2024-13-01T00:00:00",
            "2024-00-01T00:00:00",
            "2024-01-00T00:00:00",
            "0000-01-01T00:00:00",
            "2024-01-01T24:00:00",
            "2024-01-01T00:60:00",
            "2024-01-01T00:00:60",
            "2024-01-01T00:00:00.",
            "2024-01-01T00:00:00.1234567890",
            "2024-01-01T00:00:00+",
            "2024-01-01T00:00:00+1",
            "2024-01-01T00:00:00ZZ",
            "2024-01-01T00:00:0",
            "2024-01-01T00:00:00 ",
            "+024-01-01T00:00:00",
            "2024-1-01T00:00:00.0",
            "2024-01-01T00:00:00+aa:00",
        ] {
            assert_eq!(
                read(TimestampFormat::Lenient, 6, false, text),
                Err(BadReason::BadTimestamp),
                "{text}"
            );
        }
    }

    #[test]
    fn every_day_agrees_with_chrono() {
        for days in (-719_162..2_932_896).step_by(97) {
            let date = chrono::DateTime::from_timestamp(days * SECONDS_PER_DAY, 0).unwrap();
            let text = date.format("%Y-%m-%d").to_string();
            assert_eq!(parse_date(text.as_bytes()), Ok(days as i32), "{text}");
        }
        assert_eq!(parse_date(b"9999-12-31"), Ok(2_932_896));
    }

    #[test]
    fn digits_beyond_the_precision_are_cut_before_1970_too() {
        let text = "1969-12-31T23:59:59.987654321";
        for (digits, value) in [(0, -1_000_000), (3, -13_000), (6, -12_346), (9, -12_345_679)] {
            assert_eq!(read(TimestampFormat::Lenient, digits, false, text), Ok(value), "{digits}");
        }
        assert_eq!(
            read(TimestampFormat::Lenient, 9, false, "2300-01-01T00:00:00"),
            Err(BadReason::OutOfRange)
        );
    }

    #[test]
    fn the_remembered_minute_changes_nothing() {
        let mut reader = TimestampReader::new(TimestampFormat::Lenient, 6, false);
        for text in
            ["2024-02-29T21:05:09.5", "2024-02-29T21:05:59", "2024-02-29T21:06:00", "2024-02-29T21:05:00"]
        {
            assert_eq!(reader.read(text.as_bytes()), Ok(micros(text)));
            assert_eq!(reader.read(b"2024-02-30T21:05:09"), Err(BadReason::BadTimestamp));
        }
    }

    #[test]
    fn epoch_milliseconds_are_cut_and_limited() {
        let reader = TimestampReader::new(TimestampFormat::Lenient, 2, true);
        assert_eq!(reader.read_epoch_ms(1_700_000_000_127), Ok(1_700_000_000_120_000));
        assert_eq!(reader.read_epoch_ms(-1), Ok(-10_000));
        assert_eq!(reader.read_epoch_ms(1_700_000_000_000_000), Err(BadReason::OutOfRange));
        let reader = TimestampReader::new(TimestampFormat::Sql, 3, true);
        assert_eq!(reader.read_epoch_ms(0), Err(BadReason::TypeMismatch));
    }

    #[test]
    fn times_of_day_are_nanoseconds() {
        assert_eq!(parse_time(b"00:00:00", 0), Ok(0));
        assert_eq!(parse_time(b"23:59", 0), Ok(86_340 * NANOS_PER_SECOND));
        assert_eq!(parse_time(b"12:30:05.123456789", 3), Ok(45_005_123_000_000));
        for text in ["", "24:00:00", "12:60:00", "12:30:60", "12:30:05.", "12:30:05Z", "1:30:00"] {
            assert_eq!(parse_time(text.as_bytes(), 3), Err(BadReason::BadTimestamp), "{text}");
        }
    }
}
