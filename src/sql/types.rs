//! SQL types as a CREATE TABLE declares them, and the Arrow types they are inside.
//!
//! The declared type is kept beside the Arrow type because it says more: `TIMESTAMP(3)` and `TIMESTAMP(6)`
//! are both microseconds inside, but a decoder cuts the first to milliseconds, as Flink does.

pub mod declared;

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use sqlparser::ast::{self, ArrayElemTypeDef, ExactNumberInfo, TimezoneInfo};

/// Digits of a second if a TIMESTAMP does not say: Flink's.
const TIMESTAMP_DIGITS: u64 = 6;
const DIGITS_MAX: u64 = 9;
/// Precision and scale if a DECIMAL does not say: Flink's.
const DECIMAL_DEFAULT: (u64, u64) = (10, 0);
const PRECISION_MAX: u64 = 38;

/// A declared type. `Display` gives Flink's spelling.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SqlType {
    Boolean,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Float,
    Double,
    Decimal {
        precision: u8,
        scale: i8,
    },
    /// STRING, VARCHAR(n) and CHAR(n): lengths are accepted and not enforced.
    String,
    Bytes,
    Date,
    /// Time of day; digits of a second, 0 to 9.
    Time(u8),
    /// Without a time zone; digits of a second, 0 to 9.
    Timestamp(u8),
    /// A point in time (UTC inside); digits of a second, 0 to 9.
    TimestampLtz(u8),
    Array(Box<SqlType>),
    Map(Box<SqlType>, Box<SqlType>),
    Row(Vec<(String, SqlType)>),
}

impl SqlType {
    /// The type that a CAST names; None for a type we have no own reading of, or whose digits are out of
    /// range.
    pub fn from_ast(ty: &ast::DataType) -> Option<SqlType> {
        use ast::DataType as Ast;
        Some(match ty {
            Ast::Boolean | Ast::Bool => SqlType::Boolean,
            Ast::TinyInt(_) => SqlType::TinyInt,
            Ast::SmallInt(_) | Ast::Int2(_) => SqlType::SmallInt,
            Ast::Int(_) | Ast::Integer(_) | Ast::Int4(_) => SqlType::Int,
            Ast::BigInt(_) | Ast::Int8(_) => SqlType::BigInt,
            Ast::Float(_) | Ast::Real | Ast::Float4 => SqlType::Float,
            Ast::Double(_) | Ast::DoublePrecision | Ast::Float8 => SqlType::Double,
            Ast::Decimal(info) | Ast::Dec(info) | Ast::Numeric(info) => decimal(info)?,
            Ast::String(_) | Ast::Text | Ast::Varchar(_) | Ast::Char(_) => SqlType::String,
            Ast::Character(_) | Ast::CharacterVarying(_) | Ast::CharVarying(_) => SqlType::String,
            Ast::Bytes(_) | Ast::Bytea | Ast::Binary(_) | Ast::Varbinary(_) => SqlType::Bytes,
            Ast::Date => SqlType::Date,
            Ast::Time(digits, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
                SqlType::Time(second_digits(digits.unwrap_or(0))?)
            }
            Ast::Timestamp(digits, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone)
            | Ast::Datetime(digits) => SqlType::Timestamp(second_digits(digits.unwrap_or(TIMESTAMP_DIGITS))?),
            Ast::Timestamp(digits, _) => {
                SqlType::TimestampLtz(second_digits(digits.unwrap_or(TIMESTAMP_DIGITS))?)
            }
            Ast::Custom(name, modifiers) => custom(&name.to_string(), modifiers)?,
            Ast::Array(
                ArrayElemTypeDef::AngleBracket(item) | ArrayElemTypeDef::SquareBracket(item, None),
            ) => SqlType::Array(Box::new(Self::from_ast(item)?)),
            Ast::Map(key, value) => {
                SqlType::Map(Box::new(Self::from_ast(key)?), Box::new(Self::from_ast(value)?))
            }
            Ast::Struct(fields, _) => SqlType::Row(
                fields
                    .iter()
                    .map(|field| {
                        Some((field.field_name.as_ref()?.value.clone(), Self::from_ast(&field.field_type)?))
                    })
                    .collect::<Option<_>>()?,
            ),
            _ => return None,
        })
    }

    /// MULTISET of elements: a map of each to how often it is there, as which JSON shows it.
    pub fn multiset(element: SqlType) -> SqlType {
        SqlType::Map(Box::new(element), Box::new(SqlType::Int))
    }

    /// The Arrow type of a column of this type.
    ///
    /// Strings and bytes are views, timestamps up to microseconds are microseconds (nanoseconds beyond).
    pub fn arrow(&self) -> DataType {
        match self {
            SqlType::Boolean => DataType::Boolean,
            SqlType::TinyInt => DataType::Int8,
            SqlType::SmallInt => DataType::Int16,
            SqlType::Int => DataType::Int32,
            SqlType::BigInt => DataType::Int64,
            SqlType::Float => DataType::Float32,
            SqlType::Double => DataType::Float64,
            SqlType::Decimal { precision, scale } => DataType::Decimal128(*precision, *scale),
            SqlType::String => DataType::Utf8View,
            SqlType::Bytes => DataType::BinaryView,
            SqlType::Date => DataType::Date32,
            SqlType::Time(_) => DataType::Time64(TimeUnit::Nanosecond),
            SqlType::Timestamp(digits) => DataType::Timestamp(unit(*digits), None),
            SqlType::TimestampLtz(digits) => DataType::Timestamp(unit(*digits), Some(Arc::from("UTC"))),
            SqlType::Array(item) => DataType::List(nullable("item", item)),
            SqlType::Map(key, value) => DataType::Map(map_entries(key, value), false),
            SqlType::Row(fields) => {
                DataType::Struct(fields.iter().map(|(name, ty)| nullable(name, ty)).collect::<Fields>())
            }
        }
    }
}

fn second_digits(digits: u64) -> Option<u8> {
    (digits <= DIGITS_MAX).then_some(digits as u8)
}

fn decimal(info: &ExactNumberInfo) -> Option<SqlType> {
    let (precision, scale) = match info {
        ExactNumberInfo::None => DECIMAL_DEFAULT,
        ExactNumberInfo::Precision(precision) => (*precision, DECIMAL_DEFAULT.1),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, u64::try_from(*scale).ok()?),
    };
    let fits = (1..=PRECISION_MAX).contains(&precision) && scale <= precision;
    fits.then_some(SqlType::Decimal { precision: precision as u8, scale: scale as i8 })
}

fn custom(name: &str, modifiers: &[String]) -> Option<SqlType> {
    if !name.eq_ignore_ascii_case("TIMESTAMP_LTZ") {
        return None;
    }
    let digits = match modifiers {
        [] => TIMESTAMP_DIGITS,
        [digits] => digits.parse().ok()?,
        _ => return None,
    };
    Some(SqlType::TimestampLtz(second_digits(digits)?))
}

impl SqlType {
    /// The declared type that comes nearest to an Arrow type, for results that nobody declared.
    pub fn from_arrow(ty: &DataType) -> SqlType {
        match ty {
            DataType::Boolean => SqlType::Boolean,
            DataType::Int8 => SqlType::TinyInt,
            DataType::Int16 | DataType::UInt8 => SqlType::SmallInt,
            DataType::Int32 | DataType::UInt16 => SqlType::Int,
            DataType::Int64 | DataType::UInt32 | DataType::UInt64 => SqlType::BigInt,
            DataType::Float16 | DataType::Float32 => SqlType::Float,
            DataType::Float64 => SqlType::Double,
            DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
                SqlType::Decimal { precision: *precision, scale: *scale }
            }
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => SqlType::Bytes,
            DataType::Date32 | DataType::Date64 => SqlType::Date,
            DataType::Time32(_) | DataType::Time64(_) => SqlType::Time(DIGITS_MAX as u8),
            DataType::Timestamp(_, None) => SqlType::Timestamp(DIGITS_MAX as u8),
            DataType::Timestamp(_, Some(_)) => SqlType::TimestampLtz(DIGITS_MAX as u8),
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                SqlType::Array(Box::new(SqlType::from_arrow(item.data_type())))
            }
            DataType::Struct(fields) => {
                let field = |field: &FieldRef| (field.name().clone(), SqlType::from_arrow(field.data_type()));
                SqlType::Row(fields.iter().map(field).collect())
            }
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(pair) if pair.len() == 2 => {
                    let of = |field: &FieldRef| Box::new(SqlType::from_arrow(field.data_type()));
                    SqlType::Map(of(&pair[0]), of(&pair[1]))
                }
                _ => SqlType::String,
            },
            DataType::Dictionary(_, value) => SqlType::from_arrow(value),
            _ => SqlType::String,
        }
    }
}

fn unit(digits: u8) -> TimeUnit {
    if digits <= 6 { TimeUnit::Microsecond } else { TimeUnit::Nanosecond }
}

fn nullable(name: &str, ty: &SqlType) -> FieldRef {
    Arc::new(Field::new(name, ty.arrow(), true))
}

fn map_entries(key: &SqlType, value: &SqlType) -> FieldRef {
    let key = Arc::new(Field::new("key", key.arrow(), false));
    Arc::new(Field::new(
        "entries",
        DataType::Struct(Fields::from(vec![key, nullable("value", value)])),
        false,
    ))
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SqlType::Boolean => f.write_str("BOOLEAN"),
            SqlType::TinyInt => f.write_str("TINYINT"),
            SqlType::SmallInt => f.write_str("SMALLINT"),
            SqlType::Int => f.write_str("INT"),
            SqlType::BigInt => f.write_str("BIGINT"),
            SqlType::Float => f.write_str("FLOAT"),
            SqlType::Double => f.write_str("DOUBLE"),
            SqlType::Decimal { precision, scale } => write!(f, "DECIMAL({precision}, {scale})"),
            SqlType::String => f.write_str("STRING"),
            SqlType::Bytes => f.write_str("BYTES"),
            SqlType::Date => f.write_str("DATE"),
            SqlType::Time(digits) => write!(f, "TIME({digits})"),
            SqlType::Timestamp(digits) => write!(f, "TIMESTAMP({digits})"),
            SqlType::TimestampLtz(digits) => write!(f, "TIMESTAMP_LTZ({digits})"),
            SqlType::Array(item) => write!(f, "ARRAY<{item}>"),
            SqlType::Map(key, value) => write!(f, "MAP<{key}, {value}>"),
            SqlType::Row(fields) => {
                f.write_str("ROW<")?;
                for (i, (name, ty)) in fields.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    write!(f, "{comma}`{name}` {ty}")?;
                }
                f.write_str(">")
            }
        }
    }
}
