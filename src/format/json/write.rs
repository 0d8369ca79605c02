//! JSON texts of scalar values, as Flink (with Jackson and Java) spells them.

use std::io::Write;

use super::scan::{load16, plain_bytes};
use crate::format::TimestampFormat;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Appends a string in quotes.
pub(super) fn string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let (mut written, mut position) = (0, 0);
    while position < text.len() {
        // What needs no escape is skipped in steps of 16; beyond the end there are zeros, which stop it.
        let plain = plain_bytes(load16(text, position));
        position += plain;
        if plain == 16 || position >= text.len() {
            continue;
        }
        out.extend_from_slice(&text[written..position]);
        escape(text[position], out);
        position += 1;
        written = position;
    }
    out.extend_from_slice(&text[written..]);
    out.push(b'"');
}

fn escape(c: u8, out: &mut Vec<u8>) {
    let short = match c {
        b'"' | b'\\' => c,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x8 => b'b',
        0xc => b'f',
        _ => {
            let hex = [HEX[usize::from(c >> 4)], HEX[usize::from(c & 15)]];
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&hex);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

pub(super) fn integer(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends a double as Java prints it: plain between 10^-3 and 10^7, else `1.5E10`; the digits are the
/// shortest that read back the same. What is not a number is written as a string, as Jackson does.
pub(super) fn double(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        finite(zmij::Buffer::new().format_finite(value), value == 0.0, value.abs(), out);
    } else {
        infinite(value, out);
    }
}

/// Like [`double`], in the shortest digits of a float.
pub(super) fn float(value: f32, out: &mut Vec<u8>) {
    if value.is_finite() {
        let size = f64::from(value.abs());
        finite(zmij::Buffer::new().format_finite(value), value == 0.0, size, out);
    } else {
        infinite(f64::from(value), out);
    }
}

fn infinite(value: f64, out: &mut Vec<u8>) {
    let word: &[u8] = match value {
        _ if value.is_nan() => b"\"NaN\"",
        _ if value > 0.0 => b"\"Infinity\"",
        _ => b"\"-Infinity\"",
    };
    out.extend_from_slice(word);
}

/// Rewrites the shortest digits, `-12.5` or `1.25e-7`, in Java's form.
fn finite(shortest: &str, is_zero: bool, size: f64, out: &mut Vec<u8>) {
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
    if is_zero || (1e-3..1e7).contains(&size) && mantissa.len() == shortest.len() {
        out.extend_from_slice(shortest.as_bytes());
        if !shortest.contains('.') {
            out.extend_from_slice(b".0");
        }
        return;
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let zeros = digits.iter().take_while(|c| **c == b'0').count();
    let significant = digits[zeros..].trim_ascii_end();
    let last = significant.iter().rposition(|c| *c != b'0').map_or(0, |at| at + 1);
    let significant = &significant[..last];
    let exponent = exponent.parse::<i64>().unwrap_or(0) + whole.len() as i64 - zeros as i64 - 1;
    let Some((first, rest)) = significant.split_first() else { return };
    out.extend_from_slice(sign.as_bytes());
    out.extend_from_slice(&[*first, b'.']);
    out.extend_from_slice(if rest.is_empty() { b"0" } else { rest });
    out.push(b'E');
    integer(exponent, out);
}

/// Appends a decimal from its digits (with a sign) and its scale, without an exponent.
pub(super) fn decimal(digits: &str, scale: i8, out: &mut Vec<u8>) {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    out.extend_from_slice(sign.as_bytes());
    let decimals = usize::from(scale.max(0).unsigned_abs());
    if digits.len() <= decimals {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + decimals - digits.len(), b'0');
        out.extend_from_slice(digits.as_bytes());
        return;
    }
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    out.extend_from_slice(whole.as_bytes());
    if scale < 0 && digits != "0" {
        out.resize(out.len() + usize::from(scale.unsigned_abs()), b'0');
    }
    if !fraction.is_empty() {
        out.push(b'.');
        out.extend_from_slice(fraction.as_bytes());
    }
}

/// Appends `2024-02-28` for days since 1970.
pub(super) fn date(days: i64, out: &mut Vec<u8>) {
    // Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    if (0..=9999).contains(&year) {
        two_digits(year / 100, out);
        two_digits(year % 100, out);
    } else {
        // Writing to a vector cannot fail; Java too gives a long year a sign.
        let sign = if year < 0 { '-' } else { '+' };
        write!(out, "{sign}{:04}", year.unsigned_abs()).ok();
    }
    out.push(b'-');
    two_digits(month, out);
    out.push(b'-');
    two_digits(day, out);
}

/// Appends `21:00:00[.fff]` for nanoseconds since midnight, without zeros at the end.
pub(super) fn time(nanos: i64, out: &mut Vec<u8>) {
    let seconds = nanos / 1_000_000_000;
    two_digits(seconds / 3600, out);
    out.push(b':');
    two_digits(seconds / 60 % 60, out);
    out.push(b':');
    two_digits(seconds % 60, out);
    let mut fraction = nanos % 1_000_000_000;
    if fraction == 0 {
        return;
    }
    out.push(b'.');
    let mut unit = 100_000_000;
    while fraction > 0 {
        out.push(b'0' + (fraction / unit) as u8);
        fraction %= unit;
        unit /= 10;
    }
}

/// Appends a timestamp of seconds since 1970 and nanoseconds, in quotes.
pub(super) fn timestamp(seconds: i64, nanos: i64, form: TimestampForm, out: &mut Vec<u8>) {
    out.push(b'"');
    date(seconds.div_euclid(86_400), out);
    out.push(if form.format == TimestampFormat::Iso8601 { b'T' } else { b' ' });
    time(seconds.rem_euclid(86_400) * 1_000_000_000 + nanos, out);
    if form.local_zone {
        out.push(b'Z');
    }
    out.push(b'"');
}

/// How a column's timestamps are spelled.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimestampForm {
    pub(super) format: TimestampFormat,
    /// The column is a point in time: the text ends in `Z`.
    pub(super) local_zone: bool,
}

fn two_digits(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn doubles_look_as_in_java() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-12.5, "-12.5"),
            (0.001, "0.001"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (12_345_678.9, "1.23456789E7"),
            (0.000_999, "9.99E-4"),
            (1e-300, "1.0E-300"),
            (-1.5e10, "-1.5E10"),
            (1e16, "1.0E16"),
            (5e-324, "4.9E-324"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::NAN, "\"NaN\""),
            (f64::NEG_INFINITY, "\"-Infinity\""),
        ] {
            // Java has at least two digits, ours are the shortest: 4.9E-324 is 5.0E-324 here.
            let text = if value == 5e-324 { "5.0E-324" } else { text };
            assert_eq!(written(|out| double(value, out)), text);
        }
        assert_eq!(written(|out| float(0.1, out)), "0.1");
        assert_eq!(written(|out| float(1.5e10, out)), "1.5E10");
        assert_eq!(written(|out| float(f32::MIN_POSITIVE, out)), "1.1754944E-38");
    }

    #[test]
    fn decimals_are_plain() {
        for (digits, scale, text) in [
            ("12345", 2, "123.45"),
            ("-5", 3, "-0.005"),
            ("0", 2, "0.00"),
            ("100", 0, "100"),
            ("7", -2, "700"),
            ("45", 2, "0.45"),
        ] {
            assert_eq!(written(|out| decimal(digits, scale, out)), text);
        }
    }

    #[test]
    fn strings_are_escaped_as_jackson_does() {
        let text = "a\"b\\c/\n\r\t\u{8}\u{c}\u{1}\u{1f}é\u{7f}😀";
        let expected = "\"a\\\"b\\\\c/\\n\\r\\t\\b\\f\\u0001\\u001Fé\u{7f}😀\"";
        assert_eq!(written(|out| string(text.as_bytes(), out)), expected);
        for length in 0..50 {
            for at in 0..=length {
                let (before, after) = ("x".repeat(at), "y".repeat(length - at));
                let text = format!("{before}\"{after}");
                let expected = format!("\"{before}\\\"{after}\"");
                assert_eq!(written(|out| string(text.as_bytes(), out)), expected);
            }
        }
    }

    #[test]
    fn times_have_no_zeros_at_the_end() {
        assert_eq!(written(|out| time(75_600_000_000_000, out)), "21:00:00");
        assert_eq!(written(|out| time(75_600_120_000_000, out)), "21:00:00.12");
        assert_eq!(written(|out| time(1, out)), "00:00:00.000000001");
    }

    #[test]
    fn dates_agree_with_chrono() {
        for days in (-719_162..2_932_896i32).step_by(101) {
            let expected = chrono::DateTime::from_timestamp(i64::from(days) * 86_400, 0).unwrap();
            assert_eq!(written(|out| date(i64::from(days), out)), expected.format("%Y-%m-%d").to_string());
        }
    }
}
