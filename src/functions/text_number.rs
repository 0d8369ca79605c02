//! Whole numbers and decimals from text, as Flink's CAST reads them.
//!
//! Blanks around the number do not count. A whole number may have a fraction, which is cut off, but no
//! exponent; a decimal may have both, and is rounded half away from zero.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Decimal128Array, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, DecimalType, Int8Type, Int16Type, Int32Type, Int64Type,
};
use datafusion::common::{Result, exec_datafusion_err};

/// Whether [`read`] gives values of this type.
pub(super) fn reads(ty: &DataType) -> bool {
    use DataType::{Decimal128, Int8, Int16, Int32, Int64};
    matches!(ty, Int8 | Int16 | Int32 | Int64 | Decimal128(_, _))
}

/// A column of texts as numbers. A text that is none is an error, or NULL if `is_try`.
pub(super) fn read(texts: &ArrayRef, ty: &DataType, is_try: bool) -> Result<ArrayRef> {
    let texts = cast(texts, &DataType::Utf8View)?;
    let reader = Reader { texts: &texts, ty, is_try };
    Ok(match ty {
        DataType::Int8 => Arc::new(reader.whole::<Int8Type>()?),
        DataType::Int16 => Arc::new(reader.whole::<Int16Type>()?),
        DataType::Int32 => Arc::new(reader.whole::<Int32Type>()?),
        DataType::Decimal128(precision, scale) => {
            let decimals: Decimal128Array = reader.column(|text| decimal(text, *precision, *scale))?;
            Arc::new(decimals.with_precision_and_scale(*precision, *scale)?)
        }
        _ => Arc::new(reader.whole::<Int64Type>()?),
    })
}

struct Reader<'a> {
    texts: &'a ArrayRef,
    ty: &'a DataType,
    is_try: bool,
}

impl Reader<'_> {
    fn whole<T: ArrowPrimitiveType>(&self) -> Result<PrimitiveArray<T>>
    where
        T::Native: TryFrom<i64>,
    {
        self.column(|text| whole(text).and_then(|number| number.try_into().ok()))
    }

    fn column<T: ArrowPrimitiveType>(
        &self,
        read: impl Fn(&str) -> Option<T::Native>,
    ) -> Result<PrimitiveArray<T>> {
        let number = |text: Option<&str>| {
            let Some(text) = text else { return Ok(None) };
            let number = read(text.trim());
            if number.is_none() && !self.is_try {
                return Err(exec_datafusion_err!(
                    "`{text}` cannot be read as `{}`; TRY_CAST gives NULL",
                    self.ty
                ));
            }
            Ok(number)
        };
        self.texts.as_string_view().iter().map(number).collect()
    }
}

/// A sign, digits and, if wanted, a point and further digits.
struct Digits<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
}

fn digits(text: &str) -> Option<Digits<'_>> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let are_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let is_number = are_digits(whole) && are_digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    is_number.then_some(Digits { negative: text.starts_with('-'), whole, fraction })
}

fn whole(text: &str) -> Option<i64> {
    let Digits { negative, whole, .. } = digits(text)?;
    // Downwards, because there is one more negative number than positive ones.
    let add = |sum: i64, digit: u8| sum.checked_mul(10)?.checked_sub(i64::from(digit - b'0'));
    let number = whole.bytes().try_fold(0, add)?;
    if negative { Some(number) } else { number.checked_neg() }
}

/// The number times ten to the `scale`.
fn decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    /// Far beyond any precision, and far from overflow.
    const EXPONENT_MAX: i32 = 10_000;
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let Digits { negative, whole, fraction } = digits(number)?;
    let exponent = exponent.clamp(-EXPONENT_MAX, EXPONENT_MAX);
    // Digits up to the one behind the last that is kept, which decides how to round.
    let kept = i64::try_from(whole.len()).ok()? + i64::from(exponent) + i64::from(scale);
    let mut value: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat(b'0')).take(size(kept)) {
        value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    let next = match usize::try_from(kept) {
        Ok(kept) => whole.bytes().chain(fraction.bytes()).nth(kept).unwrap_or(b'0'),
        Err(_) => b'0',
    };
    value += i128::from(next >= b'5');
    let value = if negative { -value } else { value };
    Decimal128Type::is_valid_decimal_precision(value, precision).then_some(value)
}

fn size(count: i64) -> usize {
    usize::try_from(count).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_loses_its_fraction_and_has_no_exponent() {
        for (text, number) in [("7", 7), ("-3.995", -3), ("+5", 5), ("5.", 5), (".5", 0)] {
            assert_eq!(whole(text), Some(number), "{text}");
        }
        assert_eq!(whole("-9223372036854775808"), Some(i64::MIN));
        for text in ["", "-", ".", "1e3", "1 2", "0x1", "9223372036854775808", "1.a", "--1"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn a_decimal_is_rounded_half_away_from_zero() {
        for (text, hundredths) in [
            ("3.995", 400),
            ("-3.995", -400),
            ("1e3", 100_000),
            ("12.5E-1", 125),
            ("0.004", 0),
            ("5e-3", 1),
            ("5e-4", 0),
            ("1e-9999999", 0),
            ("9999.99", 999_999),
        ] {
            assert_eq!(decimal(text, 6, 2), Some(hundredths), "{text}");
        }
        for text in ["9999.995", "1e9", "1e99999999999", "e5", "1e", "abc", ""] {
            assert_eq!(decimal(text, 6, 2), None, "{text}");
        }
    }
}
