//! Growing columns of scalar values, which any format can fill and which can be cut back.
//!
//! Cutting back is what makes bad records cheap: a record writes straight into the columns, and when it
//! turns out to be bad, every column is cut to the rows it had before. NULLs are a list of row numbers,
//! so rows without them cost nothing; the bitmap is made once, in `take`.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BinaryArray, BinaryViewArray, BooleanArray, BooleanBufferBuilder,
    Decimal128Array, PrimitiveArray, StringArray, StringViewArray, TimestampMicrosecondArray,
    TimestampNanosecondArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowNativeType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time64NanosecondType,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::TimestampFormat;
use super::bad::BadReason;
use super::scalar::{parse_boolean, parse_decimal, parse_float, parse_integer};
use super::timestamp::{TimestampReader, parse_date, parse_time};
use crate::error::{Error, Result};
use crate::sql::types::SqlType;

/// The rows of a column that are NULL, ascending.
#[derive(Debug, Default)]
pub(super) struct Nulls(Vec<u32>);

impl Nulls {
    pub(super) fn push(&mut self, row: usize) {
        self.0.push(row as u32);
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        while self.0.last().is_some_and(|row| *row as usize >= rows) {
            self.0.pop();
        }
    }

    pub(super) fn ends_at(&self, row: usize) -> bool {
        self.0.last().is_some_and(|last| *last as usize == row)
    }

    pub(super) fn take(&mut self, rows: usize) -> Option<NullBuffer> {
        if self.0.is_empty() {
            return None;
        }
        let mut valid = BooleanBufferBuilder::new(rows);
        valid.append_n(rows, true);
        self.0.drain(..).for_each(|row| valid.set_bit(row as usize, false));
        Some(NullBuffer::new(valid.finish()))
    }
}

/// Values of one width.
#[derive(Debug, Default)]
pub(super) struct Values<T> {
    values: Vec<T>,
    nulls: Nulls,
}

impl<T: Copy + Default> Values<T> {
    #[inline(always)]
    pub(super) fn push(&mut self, value: T) {
        self.values.push(value);
    }

    fn push_null(&mut self) {
        self.nulls.push(self.values.len());
        self.values.push(T::default());
    }

    fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.nulls.truncate(rows);
    }

    /// The values and their validity; room for as many again is kept.
    fn take(&mut self) -> (Vec<T>, Option<NullBuffer>) {
        let rows = self.values.len();
        (std::mem::replace(&mut self.values, Vec::with_capacity(rows)), self.nulls.take(rows))
    }
}

impl<T: ArrowNativeType> Values<T> {
    fn take_array<P: ArrowPrimitiveType<Native = T>>(&mut self) -> PrimitiveArray<P> {
        let (values, nulls) = self.take();
        PrimitiveArray::new(ScalarBuffer::from(values), nulls)
    }
}

/// Strings or byte strings, one behind the other.
///
/// Kept as offsets and made into views at the end: appending and cutting are then plain vector operations,
/// and the whole buffer is validated once instead of every string.
#[derive(Debug)]
pub(super) struct Strings {
    ends: Vec<i32>,
    data: Vec<u8>,
    nulls: Nulls,
}

impl Strings {
    fn new() -> Self {
        Strings { ends: vec![0], data: Vec::new(), nulls: Nulls::default() }
    }

    fn rows(&self) -> usize {
        self.ends.len() - 1
    }

    #[inline(always)]
    pub(super) fn push(&mut self, text: &[u8]) {
        self.data.extend_from_slice(text);
        self.end();
    }

    /// Lets `write` append the value; on an error the column is as before.
    pub(super) fn push_with<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let before = self.data.len();
        let written = write(&mut self.data);
        match written {
            Ok(()) => self.end(),
            Err(_) => self.data.truncate(before),
        }
        written
    }

    /// Decoders refuse to buffer more than an i32 can count, so the cast is exact.
    #[inline(always)]
    fn end(&mut self) {
        self.ends.push(self.data.len() as i32);
    }

    fn push_null(&mut self) {
        self.nulls.push(self.rows());
        self.end();
    }

    fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows + 1);
        self.data.truncate(self.ends[rows.min(self.ends.len() - 1)] as usize);
        self.nulls.truncate(rows);
    }

    fn get(&self, row: usize) -> &[u8] {
        &self.data[self.ends[row] as usize..self.ends[row + 1] as usize]
    }

    fn take(&mut self) -> (OffsetBuffer<i32>, Buffer, Option<NullBuffer>) {
        let rows = self.rows();
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        let ends = std::mem::replace(&mut self.ends, ends);
        let room = self.data.len();
        let data = std::mem::replace(&mut self.data, Vec::with_capacity(room));
        (OffsetBuffer::new(ends.into()), Buffer::from_vec(data), self.nulls.take(rows))
    }
}

#[derive(Debug)]
pub(super) struct Decimals {
    values: Values<i128>,
    precision: u8,
    scale: i8,
}

#[derive(Debug)]
pub(super) struct Timestamps {
    values: Values<i64>,
    reader: TimestampReader,
}

impl Timestamps {
    #[inline(always)]
    pub(super) fn push_text(&mut self, text: &[u8]) -> Result<(), BadReason> {
        self.values.push(self.reader.read(text)?);
        Ok(())
    }
}

/// A growing column of one scalar type.
#[derive(Debug)]
pub(super) enum Column {
    Boolean(Values<bool>),
    TinyInt(Values<i8>),
    SmallInt(Values<i16>),
    Int(Values<i32>),
    BigInt(Values<i64>),
    Float(Values<f32>),
    Double(Values<f64>),
    Decimal(Decimals),
    Text(Strings),
    Bytes(Strings),
    Date(Values<i32>),
    Time(Values<i64>, u8),
    /// The second says whether it is a point in time (UTC inside).
    Timestamp(Box<Timestamps>, bool),
}

impl Column {
    /// None for a type with parts: ARRAY, MAP, ROW.
    pub(super) fn new(ty: &SqlType, format: TimestampFormat) -> Option<Self> {
        let timestamps = |digits: u8, local_zone| {
            let reader = TimestampReader::new(format, digits, local_zone);
            Column::Timestamp(Box::new(Timestamps { values: Values::default(), reader }), local_zone)
        };
        Some(match ty {
            SqlType::Boolean => Column::Boolean(Values::default()),
            SqlType::TinyInt => Column::TinyInt(Values::default()),
            SqlType::SmallInt => Column::SmallInt(Values::default()),
            SqlType::Int => Column::Int(Values::default()),
            SqlType::BigInt => Column::BigInt(Values::default()),
            SqlType::Float => Column::Float(Values::default()),
            SqlType::Double => Column::Double(Values::default()),
            SqlType::Decimal { precision, scale } => {
                Column::Decimal(Decimals { values: Values::default(), precision: *precision, scale: *scale })
            }
            SqlType::String => Column::Text(Strings::new()),
            SqlType::Bytes => Column::Bytes(Strings::new()),
            SqlType::Date => Column::Date(Values::default()),
            SqlType::Time(digits) => Column::Time(Values::default(), *digits),
            SqlType::Timestamp(digits) => timestamps(*digits, false),
            SqlType::TimestampLtz(digits) => timestamps(*digits, true),
            SqlType::Array(_) | SqlType::Map(..) | SqlType::Row(_) => return None,
        })
    }

    #[inline(always)]
    pub(super) fn rows(&self) -> usize {
        match self {
            Column::Boolean(c) => c.values.len(),
            Column::TinyInt(c) => c.values.len(),
            Column::SmallInt(c) => c.values.len(),
            Column::Int(c) | Column::Date(c) => c.values.len(),
            Column::BigInt(c) | Column::Time(c, _) => c.values.len(),
            Column::Float(c) => c.values.len(),
            Column::Double(c) => c.values.len(),
            Column::Decimal(c) => c.values.values.len(),
            Column::Text(c) | Column::Bytes(c) => c.rows(),
            Column::Timestamp(c, _) => c.values.values.len(),
        }
    }

    /// Roughly what the values weigh as an array.
    pub(super) fn bytes(&self) -> usize {
        let width = match self {
            Column::Boolean(_) | Column::TinyInt(_) => 1,
            Column::SmallInt(_) => 2,
            Column::Int(_) | Column::Date(_) | Column::Float(_) => 4,
            Column::BigInt(_) | Column::Time(..) | Column::Double(_) | Column::Timestamp(..) => 8,
            Column::Decimal(_) => 16,
            Column::Text(c) | Column::Bytes(c) => return c.rows() * 16 + c.data.len(),
        };
        self.rows() * width
    }

    pub(super) fn push_null(&mut self) {
        match self {
            Column::Boolean(c) => c.push_null(),
            Column::TinyInt(c) => c.push_null(),
            Column::SmallInt(c) => c.push_null(),
            Column::Int(c) | Column::Date(c) => c.push_null(),
            Column::BigInt(c) | Column::Time(c, _) => c.push_null(),
            Column::Float(c) => c.push_null(),
            Column::Double(c) => c.push_null(),
            Column::Decimal(c) => c.values.push_null(),
            Column::Text(c) | Column::Bytes(c) => c.push_null(),
            Column::Timestamp(c, _) => c.values.push_null(),
        }
    }

    fn nulls(&self) -> &Nulls {
        match self {
            Column::Boolean(c) => &c.nulls,
            Column::TinyInt(c) => &c.nulls,
            Column::SmallInt(c) => &c.nulls,
            Column::Int(c) | Column::Date(c) => &c.nulls,
            Column::BigInt(c) | Column::Time(c, _) => &c.nulls,
            Column::Float(c) => &c.nulls,
            Column::Double(c) => &c.nulls,
            Column::Decimal(c) => &c.values.nulls,
            Column::Text(c) | Column::Bytes(c) => &c.nulls,
            Column::Timestamp(c, _) => &c.values.nulls,
        }
    }

    /// Whether `row`, the last one, is NULL.
    pub(super) fn ends_in_null(&self, row: usize) -> bool {
        self.nulls().ends_at(row)
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        match self {
            Column::Boolean(c) => c.truncate(rows),
            Column::TinyInt(c) => c.truncate(rows),
            Column::SmallInt(c) => c.truncate(rows),
            Column::Int(c) | Column::Date(c) => c.truncate(rows),
            Column::BigInt(c) | Column::Time(c, _) => c.truncate(rows),
            Column::Float(c) => c.truncate(rows),
            Column::Double(c) => c.truncate(rows),
            Column::Decimal(c) => c.values.truncate(rows),
            Column::Text(c) | Column::Bytes(c) => c.truncate(rows),
            Column::Timestamp(c, _) => c.values.truncate(rows),
        }
    }

    /// Appends the value that a text stands for, as it was in quotes or between delimiters.
    ///
    /// `text` must be UTF-8 if this is a text column: that is checked when the array is made, too late.
    pub(super) fn push_text(&mut self, text: &[u8]) -> Result<(), BadReason> {
        match self {
            Column::Boolean(c) => c.push(parse_boolean(text)?),
            Column::TinyInt(c) => c.push(narrow(parse_integer(text)?)?),
            Column::SmallInt(c) => c.push(narrow(parse_integer(text)?)?),
            Column::Int(c) => c.push(narrow(parse_integer(text)?)?),
            Column::BigInt(c) => c.push(parse_integer(text)?),
            Column::Float(c) => c.push(parse_float(text)?),
            Column::Double(c) => c.push(parse_float(text)?),
            Column::Decimal(c) => c.values.push(parse_decimal(text, c.precision, c.scale)?),
            Column::Text(c) => c.push(text),
            Column::Bytes(c) => {
                let decode = |data: &mut Vec<u8>| BASE64.decode_vec(text, data);
                c.push_with(decode).map_err(|_| BadReason::TypeMismatch)?;
            }
            Column::Date(c) => c.push(parse_date(text)?),
            Column::Time(c, digits) => c.push(parse_time(text, *digits)?),
            Column::Timestamp(c, _) => c.push_text(text)?,
        }
        Ok(())
    }

    /// Appends the value that a bare number stands for.
    pub(super) fn push_number(&mut self, text: &[u8]) -> Result<(), BadReason> {
        match self {
            Column::Timestamp(c, _) => {
                let value = c.reader.read_epoch_ms(parse_integer(text)?)?;
                c.values.push(value);
                Ok(())
            }
            Column::Boolean(_) | Column::Bytes(_) | Column::Date(_) | Column::Time(..) => {
                Err(BadReason::TypeMismatch)
            }
            _ => self.push_text(text),
        }
    }

    /// Orders two rows that are not NULL; equal values are equal, the rest is any total order.
    pub(super) fn compare(&self, a: usize, b: usize) -> Ordering {
        match self {
            Column::Boolean(c) => c.values[a].cmp(&c.values[b]),
            Column::TinyInt(c) => c.values[a].cmp(&c.values[b]),
            Column::SmallInt(c) => c.values[a].cmp(&c.values[b]),
            Column::Int(c) | Column::Date(c) => c.values[a].cmp(&c.values[b]),
            Column::BigInt(c) | Column::Time(c, _) => c.values[a].cmp(&c.values[b]),
            Column::Float(c) => c.values[a].total_cmp(&c.values[b]),
            Column::Double(c) => c.values[a].total_cmp(&c.values[b]),
            Column::Decimal(c) => c.values.values[a].cmp(&c.values.values[b]),
            Column::Text(c) | Column::Bytes(c) => c.get(a).cmp(c.get(b)),
            Column::Timestamp(c, _) => c.values.values[a].cmp(&c.values.values[b]),
        }
    }

    /// The array of all rows; the column is empty afterwards.
    pub(super) fn take(&mut self) -> Result<ArrayRef> {
        Ok(match self {
            Column::Boolean(c) => {
                let (values, nulls) = c.take();
                Arc::new(BooleanArray::new(BooleanBuffer::from(values), nulls))
            }
            Column::TinyInt(c) => Arc::new(c.take_array::<Int8Type>()),
            Column::SmallInt(c) => Arc::new(c.take_array::<Int16Type>()),
            Column::Int(c) => Arc::new(c.take_array::<Int32Type>()),
            Column::BigInt(c) => Arc::new(c.take_array::<Int64Type>()),
            Column::Float(c) => Arc::new(c.take_array::<Float32Type>()),
            Column::Double(c) => Arc::new(c.take_array::<Float64Type>()),
            Column::Decimal(c) => {
                let (values, nulls) = c.values.take();
                let array = Decimal128Array::new(values.into(), nulls);
                Arc::new(array.with_precision_and_scale(c.precision, c.scale).map_err(unsound)?)
            }
            Column::Text(c) => {
                let (ends, data, nulls) = c.take();
                let strings = StringArray::try_new(ends, data, nulls).map_err(unsound)?;
                Arc::new(StringViewArray::from(&strings))
            }
            Column::Bytes(c) => {
                let (ends, data, nulls) = c.take();
                let strings = BinaryArray::try_new(ends, data, nulls).map_err(unsound)?;
                Arc::new(BinaryViewArray::from(&strings))
            }
            Column::Date(c) => Arc::new(c.take_array::<Date32Type>()),
            Column::Time(c, _) => Arc::new(c.take_array::<Time64NanosecondType>()),
            Column::Timestamp(c, local_zone) => {
                let (values, nulls) = c.values.take();
                let zone: Option<Arc<str>> = local_zone.then(|| Arc::from("UTC"));
                if c.reader.unit_digits() == 6 {
                    Arc::new(TimestampMicrosecondArray::new(values.into(), nulls).with_timezone_opt(zone))
                } else {
                    Arc::new(TimestampNanosecondArray::new(values.into(), nulls).with_timezone_opt(zone))
                }
            }
        })
    }
}

pub(super) fn narrow<T: TryFrom<i64>>(value: i64) -> Result<T, BadReason> {
    T::try_from(value).map_err(|_| BadReason::OutOfRange)
}

/// A column that cannot become an array: never the payload's fault.
pub(super) fn unsound(error: arrow::error::ArrowError) -> Error {
    Error::internal("decoded values do not make a column").caused_by(error)
}
