//! Scalar values from text, the same for every format: integers, floats, decimals, booleans.
//!
//! They read what Flink reads: a number may stand in quotes, with white space around it. They are stricter
//! where Flink would lose something in silence: `5.5` is not an integer and `abc` is not FALSE.

use super::bad::BadReason;

/// Digits that fit an i64 whatever they are.
const SAFE_DIGITS: usize = 18;

/// Reads an integer; `5.0` and `1e3` are integers too, `5.5` is a type mismatch.
pub(super) fn parse_integer(text: &[u8]) -> Result<i64, BadReason> {
    let text = text.trim_ascii();
    let (negative, digits) = split_sign(text);
    if !digits.is_empty() && digits.len() <= SAFE_DIGITS && digits.iter().all(u8::is_ascii_digit) {
        let value = digits.iter().fold(0i64, |value, digit| value * 10 + i64::from(digit - b'0'));
        return Ok(if negative { -value } else { value });
    }
    let exact = Number::parse(text).ok_or(BadReason::TypeMismatch)?.scaled(0, Rounding::Refuse)?;
    i64::try_from(exact).map_err(|_| BadReason::OutOfRange)
}

pub(super) trait Float: fast_float2::FastFloat + Copy {
    /// NaN, infinity and minus infinity.
    const SPECIAL: [Self; 3];
    fn overflowed(self) -> bool;
}

/// Reads a float to the nearest value; beyond the largest it is out of range. The words `NaN`, `Infinity`
/// and `-Infinity` are what the JSON encoder writes for them.
pub(super) fn parse_float<F: Float>(text: &[u8]) -> Result<F, BadReason> {
    let text = text.trim_ascii();
    let (_, digits) = split_sign(text);
    if !digits.first().is_some_and(|c| c.is_ascii_digit() || *c == b'.') {
        return match text {
            b"NaN" => Ok(F::SPECIAL[0]),
            b"Infinity" | b"+Infinity" => Ok(F::SPECIAL[1]),
            b"-Infinity" => Ok(F::SPECIAL[2]),
            _ => Err(BadReason::TypeMismatch),
        };
    }
    let value: F = fast_float2::parse(text).map_err(|_| BadReason::TypeMismatch)?;
    if value.overflowed() { Err(BadReason::OutOfRange) } else { Ok(value) }
}

impl Float for f64 {
    const SPECIAL: [Self; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    fn overflowed(self) -> bool {
        self.is_infinite()
    }
}

impl Float for f32 {
    const SPECIAL: [Self; 3] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    fn overflowed(self) -> bool {
        self.is_infinite()
    }
}

/// Reads a decimal exactly, in units of `10^-scale`; digits beyond the scale round half up (away from zero),
/// and what then needs more than `precision` digits is out of range.
pub(super) fn parse_decimal(text: &[u8], precision: u8, scale: i8) -> Result<i128, BadReason> {
    let number = Number::parse(text.trim_ascii()).ok_or(BadReason::TypeMismatch)?;
    let value = number.scaled(i64::from(scale), Rounding::HalfUp)?;
    let limit = 10u128.checked_pow(u32::from(precision)).unwrap_or(u128::MAX);
    if value.unsigned_abs() < limit { Ok(value) } else { Err(BadReason::OutOfRange) }
}

pub(super) fn parse_boolean(text: &[u8]) -> Result<bool, BadReason> {
    let text = text.trim_ascii();
    if text.eq_ignore_ascii_case(b"true") {
        Ok(true)
    } else if text.eq_ignore_ascii_case(b"false") {
        Ok(false)
    } else {
        Err(BadReason::TypeMismatch)
    }
}

fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rounding {
    Refuse,
    HalfUp,
}

/// A number in decimal notation, taken apart but not yet evaluated.
struct Number<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Number<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        let (negative, rest) = split_sign(text);
        let (whole, rest) = split_digits(rest);
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => split_digits(rest),
            _ => (&rest[..0], rest),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', rest @ ..] => {
                let (down, rest) = split_sign(rest);
                let (digits, rest) = split_digits(rest);
                if digits.is_empty() || !rest.is_empty() {
                    return None;
                }
                // Saturates far beyond any scale: what matters is only the direction.
                let size = digits.iter().fold(0i64, |n, c| (n * 10 + i64::from(c - b'0')).min(1 << 40));
                if down { -size } else { size }
            }
            _ => return None,
        };
        Some(Number { negative, whole, fraction, exponent })
    }

    /// The value times `10^scale`.
    fn scaled(&self, scale: i64, rounding: Rounding) -> Result<i128, BadReason> {
        let digits = || self.whole.iter().chain(self.fraction).map(|c| u128::from(c - b'0'));
        let kept = self.whole.len() as i64 + self.exponent + scale;
        let mut value = 0u128;
        for digit in digits().take(kept.max(0) as usize) {
            value = push_digit(value, digit)?;
        }
        let zeros = kept - (self.whole.len() + self.fraction.len()) as i64;
        if value != 0 {
            for _ in 0..zeros.max(0) {
                value = push_digit(value, 0)?;
            }
        }
        match rounding {
            Rounding::Refuse if digits().skip(kept.max(0) as usize).any(|digit| digit != 0) => {
                return Err(BadReason::TypeMismatch);
            }
            Rounding::HalfUp if kept >= 0 && digits().nth(kept as usize).is_some_and(|digit| digit >= 5) => {
                value = value.checked_add(1).ok_or(BadReason::OutOfRange)?;
            }
            _ => {}
        }
        let value = i128::try_from(value).map_err(|_| BadReason::OutOfRange)?;
        Ok(if self.negative { -value } else { value })
    }
}

fn push_digit(value: u128, digit: u128) -> Result<u128, BadReason> {
    value.checked_mul(10).and_then(|value| value.checked_add(digit)).ok_or(BadReason::OutOfRange)
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|c| !c.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_exact_or_refused() {
        let good =
            [("34", 34), (" -7 ", -7), ("+5", 5), ("5.0", 5), ("1e3", 1000), ("1200e-2", 12), ("0e99", 0)];
        for (text, value) in good {
            assert_eq!(parse_integer(text.as_bytes()), Ok(value), "{text}");
        }
        assert_eq!(parse_integer(b"9223372036854775807"), Ok(i64::MAX));
        assert_eq!(parse_integer(b"-9223372036854775808"), Ok(i64::MIN));
        for text in ["9223372036854775808", "1e400", "123456789012345678901234567890"] {
            assert_eq!(parse_integer(text.as_bytes()), Err(BadReason::OutOfRange), "{text}");
        }
        for text in ["", "-", "5.5", "abc", "1e", "1 2", "0x10", "1e-400", "--1"] {
            assert_eq!(parse_integer(text.as_bytes()), Err(BadReason::TypeMismatch), "{text}");
        }
    }

    #[test]
    fn floats_are_the_nearest_value() {
        assert_eq!(parse_float::<f64>(b"0.12345678901234567"), Ok(0.123_456_789_012_345_67));
        assert_eq!(parse_float::<f64>(b" -1.5e3 "), Ok(-1500.0));
        assert!(parse_float::<f64>(b"-0.0").is_ok_and(|v| v.is_sign_negative()));
        assert!(parse_float::<f64>(b"NaN").is_ok_and(f64::is_nan));
        assert_eq!(parse_float::<f32>(b"-Infinity"), Ok(f32::NEG_INFINITY));
        assert_eq!(parse_float::<f64>(b"1e400"), Err(BadReason::OutOfRange));
        assert_eq!(parse_float::<f32>(b"1e39"), Err(BadReason::OutOfRange));
        for text in ["", "inf", "nan", "1.5x", "-", "."] {
            assert_eq!(parse_float::<f64>(text.as_bytes()), Err(BadReason::TypeMismatch), "{text}");
        }
    }

    #[test]
    fn decimals_round_half_up_and_keep_every_digit() {
        let good = [
            ("12.345", 10, 2, 1235),
            ("-12.345", 10, 2, -1235),
            ("12.3449", 10, 2, 1234),
            ("1e2", 10, 2, 10_000),
            ("0.005", 10, 2, 1),
            ("0.0049", 10, 2, 0),
            ("5e-3", 10, 2, 1),
            ("4e-400", 10, 2, 0),
            (
                "99999999999999999999999999999999999999",
                38,
                0,
                99_999_999_999_999_999_999_999_999_999_999_999_999,
            ),
            ("000000000000000000000000000000000000000000001.5", 38, 1, 15),
        ];
        for (text, precision, scale, value) in good {
            assert_eq!(parse_decimal(text.as_bytes(), precision, scale), Ok(value), "{text}");
        }
        for (text, precision, scale) in [("999.995", 5, 2), ("1000", 5, 2), ("1e400", 38, 0), ("1e38", 38, 0)]
        {
            assert_eq!(
                parse_decimal(text.as_bytes(), precision, scale),
                Err(BadReason::OutOfRange),
                "{text}"
            );
        }
    }

    #[test]
    fn booleans_are_words() {
        assert_eq!(parse_boolean(b" True "), Ok(true));
        assert_eq!(parse_boolean(b"false"), Ok(false));
        assert_eq!(parse_boolean(b"1"), Err(BadReason::TypeMismatch));
    }
}
