//! Batches into JSON objects, one per row, as Flink's `json` format writes them.
//!
//! A column's Arrow type decides how to read it, its declared type how to write it. Both are settled once
//! per batch, in a tree of writers, so that a row is one pass over them.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::write::{self, TimestampForm};
use crate::error::{Error, Result};
use crate::format::{EncodeOptions, EncodedRows};
use crate::sql::types::SqlType;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Writes one JSON object per row.
#[derive(Debug, Clone)]
pub struct Encoder {
    columns: Vec<(Vec<u8>, SqlType)>,
    options: EncodeOptions,
}

impl Encoder {
    /// An encoder of batches with these columns, by position.
    pub fn new(schema: &[(String, SqlType)], options: &EncodeOptions) -> Self {
        let columns = schema.iter().map(|(name, ty)| (quoted_key(name), ty.clone())).collect();
        Encoder { columns, options: *options }
    }

    /// Appends each row of `batch` to `out`, without keys.
    ///
    /// An error is a bug of ours: a batch with other columns than promised, or of a type without a form.
    pub fn encode(&self, batch: &RecordBatch, out: &mut EncodedRows) -> Result<()> {
        let writer = self.object(batch.columns())?;
        for row in 0..batch.num_rows() {
            out.write_value(|value| writer.write(row, value));
        }
        Ok(())
    }

    /// Like [`Encoder::encode`], each row with a key: the JSON object that `keys` writes of `key_columns`
    /// (positions in the batch).
    pub fn encode_keyed(
        &self,
        batch: &RecordBatch,
        keys: &Encoder,
        key_columns: &[usize],
        out: &mut EncodedRows,
    ) -> Result<()> {
        let key_batch = batch
            .project(key_columns)
            .map_err(|error| Error::internal("key columns are not in the batch").caused_by(error))?;
        let (keys, values) = (keys.object(key_batch.columns())?, self.object(batch.columns())?);
        for row in 0..batch.num_rows() {
            out.write_keyed(|key, value| {
                keys.write(row, key);
                values.write(row, value);
            });
        }
        Ok(())
    }

    fn object<'a>(&'a self, columns: &'a [ArrayRef]) -> Result<Object<'a>> {
        if columns.len() != self.columns.len() {
            let (has, promised) = (columns.len(), self.columns.len());
            return Err(Error::internal(format!("a batch of {has} columns for {promised} declared ones")));
        }
        let fields =
            self.columns.iter().zip(columns).map(|((key, ty), column)| {
                Ok((key.clone(), Writer::new(column.as_ref(), ty, &self.options)?))
            });
        Ok(Object {
            fields: fields.collect::<Result<_>>()?,
            ignore_null_fields: self.options.ignore_null_fields,
        })
    }
}

/// `"name":`, escaped.
fn quoted_key(name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 3);
    write::string(name.as_bytes(), &mut key);
    key.push(b':');
    key
}

/// The fields of an object, with their keys.
struct Object<'a> {
    fields: Vec<(Vec<u8>, Writer<'a>)>,
    ignore_null_fields: bool,
}

impl Object<'_> {
    fn write(&self, row: usize, out: &mut Vec<u8>) {
        out.push(b'{');
        let mut first = true;
        for (key, writer) in &self.fields {
            if self.ignore_null_fields && writer.is_null(row) {
                continue;
            }
            if !first {
                out.push(b',');
            }
            first = false;
            out.extend_from_slice(key);
            writer.write(row, out);
        }
        out.push(b'}');
    }
}

/// A column and how to write its values.
struct Writer<'a> {
    array: &'a dyn Array,
    has_nulls: bool,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Null,
    Boolean(&'a BooleanArray),
    Int8(&'a PrimitiveArray<Int8Type>),
    Int16(&'a PrimitiveArray<Int16Type>),
    Int32(&'a PrimitiveArray<Int32Type>),
    Int64(&'a PrimitiveArray<Int64Type>),
    UInt8(&'a PrimitiveArray<UInt8Type>),
    UInt16(&'a PrimitiveArray<UInt16Type>),
    UInt32(&'a PrimitiveArray<UInt32Type>),
    UInt64(&'a PrimitiveArray<UInt64Type>),
    Float32(&'a PrimitiveArray<Float32Type>),
    Float64(&'a PrimitiveArray<Float64Type>),
    Decimal128(&'a PrimitiveArray<Decimal128Type>, i8),
    Decimal256(&'a PrimitiveArray<Decimal256Type>, i8),
    Text(Bytes<'a>),
    Binary(Bytes<'a>),
    /// Days since 1970, times `1 / per_day`.
    Date {
        values: Integers<'a>,
        per_day: i64,
    },
    /// Units of `nanos` nanoseconds since midnight, cut to multiples of `cut_ns`.
    Time {
        values: Integers<'a>,
        nanos: i64,
        cut_ns: i64,
    },
    /// `per_second` units since 1970, cut to multiples of `cut_ns`.
    Timestamp {
        values: &'a [i64],
        per_second: i64,
        cut_ns: i64,
        form: TimestampForm,
    },
    List {
        ends: Ends<'a>,
        items: Box<Writer<'a>>,
    },
    Map {
        ends: Ends<'a>,
        keys: Box<Writer<'a>>,
        values: Box<Writer<'a>>,
    },
    Object(Object<'a>),
    Dictionary {
        keys: Vec<usize>,
        values: Box<Writer<'a>>,
    },
}

/// Text or bytes, however they are kept.
enum Bytes<'a> {
    Small(&'a [i32], &'a [u8]),
    Large(&'a [i64], &'a [u8]),
    TextView(&'a arrow::array::StringViewArray),
    BinaryView(&'a arrow::array::BinaryViewArray),
    Fixed(&'a arrow::array::FixedSizeBinaryArray),
}

impl Bytes<'_> {
    fn get(&self, row: usize) -> &[u8] {
        match self {
            Bytes::Small(ends, data) => &data[ends[row] as usize..ends[row + 1] as usize],
            Bytes::Large(ends, data) => &data[ends[row] as usize..ends[row + 1] as usize],
            Bytes::TextView(array) => array.value(row).as_bytes(),
            Bytes::BinaryView(array) => array.value(row),
            Bytes::Fixed(array) => array.value(row),
        }
    }
}

enum Integers<'a> {
    I32(&'a [i32]),
    I64(&'a [i64]),
}

impl Integers<'_> {
    fn get(&self, row: usize) -> i64 {
        match self {
            Integers::I32(values) => i64::from(values[row]),
            Integers::I64(values) => values[row],
        }
    }
}

/// Where the items of a list begin and end.
enum Ends<'a> {
    Small(&'a [i32]),
    Large(&'a [i64]),
    Fixed(usize),
}

impl Ends<'_> {
    fn range(&self, row: usize) -> std::ops::Range<usize> {
        match self {
            Ends::Small(ends) => ends[row] as usize..ends[row + 1] as usize,
            Ends::Large(ends) => ends[row] as usize..ends[row + 1] as usize,
            Ends::Fixed(size) => row * size..(row + 1) * size,
        }
    }
}

impl<'a> Writer<'a> {
    fn new(array: &'a dyn Array, ty: &SqlType, options: &EncodeOptions) -> Result<Self> {
        Ok(Writer { array, has_nulls: array.null_count() > 0, kind: Kind::new(array, ty, options)? })
    }

    fn is_null(&self, row: usize) -> bool {
        match &self.kind {
            Kind::Null => true,
            Kind::Dictionary { keys, values } => {
                self.has_nulls && self.array.is_null(row) || values.is_null(keys[row])
            }
            _ => self.has_nulls && self.array.is_null(row),
        }
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) {
        if self.is_null(row) {
            out.extend_from_slice(b"null");
        } else {
            self.kind.write(row, out);
        }
    }

    /// Writes the value in quotes, whatever its type: JSON has no other keys.
    fn write_key(&self, row: usize, out: &mut Vec<u8>) {
        let start = out.len();
        self.write(row, out);
        if out.get(start) != Some(&b'"') {
            out.insert(start, b'"');
            out.push(b'"');
        }
    }
}

impl<'a> Kind<'a> {
    fn new(array: &'a dyn Array, ty: &SqlType, options: &EncodeOptions) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Null => Kind::Null,
            DataType::Boolean => Kind::Boolean(array.as_boolean()),
            DataType::Int8 => Kind::Int8(array.as_primitive()),
            DataType::Int16 => Kind::Int16(array.as_primitive()),
            DataType::Int32 => Kind::Int32(array.as_primitive()),
            DataType::Int64 => Kind::Int64(array.as_primitive()),
            DataType::UInt8 => Kind::UInt8(array.as_primitive()),
            DataType::UInt16 => Kind::UInt16(array.as_primitive()),
            DataType::UInt32 => Kind::UInt32(array.as_primitive()),
            DataType::UInt64 => Kind::UInt64(array.as_primitive()),
            DataType::Float32 => Kind::Float32(array.as_primitive()),
            DataType::Float64 => Kind::Float64(array.as_primitive()),
            DataType::Decimal128(_, scale) => Kind::Decimal128(array.as_primitive(), *scale),
            DataType::Decimal256(_, scale) => Kind::Decimal256(array.as_primitive(), *scale),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text(bytes(array)?),
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => Kind::Binary(bytes(array)?),
            DataType::Date32 => Kind::Date { values: i32s::<Date32Type>(array), per_day: 1 },
            DataType::Date64 => Kind::Date { values: i64s::<Date64Type>(array), per_day: 86_400_000 },
            DataType::Time32(_) | DataType::Time64(_) => time(array, ty)?,
            DataType::Timestamp(unit, zone) => timestamp(array, *unit, zone.is_some(), ty, options),
            DataType::List(_) => list(
                Ends::Small(array.as_list::<i32>().offsets()),
                array.as_list::<i32>().values(),
                ty,
                options,
            )?,
            DataType::LargeList(_) => list(
                Ends::Large(array.as_list::<i64>().offsets()),
                array.as_list::<i64>().values(),
                ty,
                options,
            )?,
            DataType::FixedSizeList(_, size) => {
                let array = array.as_fixed_size_list();
                list(Ends::Fixed(usize::try_from(*size).unwrap_or(0)), array.values(), ty, options)?
            }
            DataType::Map(..) => map(array, ty, options)?,
            DataType::Struct(_) => object(array, ty, options)?,
            DataType::Dictionary(..) => dictionary(array, ty, options)?,
            other => return Err(unwritable(other)),
        })
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            Kind::Null => out.extend_from_slice(b"null"),
            Kind::Boolean(array) => out.extend_from_slice(if array.value(row) { b"true" } else { b"false" }),
            Kind::Int8(array) => write::integer(array.value(row), out),
            Kind::Int16(array) => write::integer(array.value(row), out),
            Kind::Int32(array) => write::integer(array.value(row), out),
            Kind::Int64(array) => write::integer(array.value(row), out),
            Kind::UInt8(array) => write::integer(array.value(row), out),
            Kind::UInt16(array) => write::integer(array.value(row), out),
            Kind::UInt32(array) => write::integer(array.value(row), out),
            Kind::UInt64(array) => write::integer(array.value(row), out),
            Kind::Float32(array) => write::float(array.value(row), out),
            Kind::Float64(array) => write::double(array.value(row), out),
            Kind::Decimal128(array, scale) => {
                write::decimal(itoa::Buffer::new().format(array.value(row)), *scale, out);
            }
            Kind::Decimal256(array, scale) => write::decimal(&array.value(row).to_string(), *scale, out),
            Kind::Text(text) => write::string(text.get(row), out),
            Kind::Binary(bytes) => write_base64(bytes.get(row), out),
            Kind::Date { values, per_day } => {
                out.push(b'"');
                write::date(values.get(row).div_euclid(*per_day), out);
                out.push(b'"');
            }
            Kind::Time { values, nanos, cut_ns } => {
                let value = values.get(row) * nanos;
                out.push(b'"');
                write::time(value - value % cut_ns, out);
                out.push(b'"');
            }
            Kind::Timestamp { values, per_second, cut_ns, form } => {
                let value = values[row];
                let nanos = value.rem_euclid(*per_second) * (NANOS_PER_SECOND / per_second);
                write::timestamp(value.div_euclid(*per_second), nanos - nanos % cut_ns, *form, out);
            }
            Kind::List { ends, items } => write_list(ends.range(row), items, out),
            Kind::Map { ends, keys, values } => write_map(ends.range(row), keys, values, out),
            Kind::Object(object) => object.write(row, out),
            Kind::Dictionary { keys, values } => values.write(keys[row], out),
        }
    }
}

fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, b'=');
    // The room is exact, so this cannot fail; were it not, the padding would stand there.
    BASE64.encode_slice(bytes, &mut out[start..]).ok();
    out.push(b'"');
}

fn write_list(items: std::ops::Range<usize>, writer: &Writer, out: &mut Vec<u8>) {
    out.push(b'[');
    let start = items.start;
    for item in items {
        if item > start {
            out.push(b',');
        }
        writer.write(item, out);
    }
    out.push(b']');
}

fn write_map(entries: std::ops::Range<usize>, keys: &Writer, values: &Writer, out: &mut Vec<u8>) {
    out.push(b'{');
    let start = entries.start;
    for entry in entries {
        if entry > start {
            out.push(b',');
        }
        keys.write_key(entry, out);
        out.push(b':');
        values.write(entry, out);
    }
    out.push(b'}');
}

fn i32s<T: ArrowPrimitiveType<Native = i32>>(array: &dyn Array) -> Integers<'_> {
    Integers::I32(array.as_primitive::<T>().values())
}

fn i64s<T: ArrowPrimitiveType<Native = i64>>(array: &dyn Array) -> Integers<'_> {
    Integers::I64(array.as_primitive::<T>().values())
}

fn bytes(array: &dyn Array) -> Result<Bytes<'_>> {
    fn parts<T: arrow::datatypes::ByteArrayType>(array: &dyn Array) -> (&[T::Offset], &[u8]) {
        let array = array.as_bytes::<T>();
        (array.value_offsets(), array.value_data())
    }
    fn small<T: arrow::datatypes::ByteArrayType<Offset = i32>>(array: &dyn Array) -> Bytes<'_> {
        let (ends, data) = parts::<T>(array);
        Bytes::Small(ends, data)
    }
    fn large<T: arrow::datatypes::ByteArrayType<Offset = i64>>(array: &dyn Array) -> Bytes<'_> {
        let (ends, data) = parts::<T>(array);
        Bytes::Large(ends, data)
    }
    Ok(match array.data_type() {
        DataType::Utf8 => small::<arrow::datatypes::Utf8Type>(array),
        DataType::LargeUtf8 => large::<arrow::datatypes::LargeUtf8Type>(array),
        DataType::Utf8View => Bytes::TextView(array.as_string_view()),
        DataType::Binary => small::<arrow::datatypes::BinaryType>(array),
        DataType::LargeBinary => large::<arrow::datatypes::LargeBinaryType>(array),
        DataType::BinaryView => Bytes::BinaryView(array.as_binary_view()),
        DataType::FixedSizeBinary(_) => Bytes::Fixed(array.as_fixed_size_binary()),
        other => return Err(unwritable(other)),
    })
}

/// Nanoseconds of the last digit of a second that a declared type has.
fn unit_ns(digits: u8) -> i64 {
    10i64.pow(9 - u32::from(digits.min(9)))
}

fn time<'a>(array: &'a dyn Array, ty: &SqlType) -> Result<Kind<'a>> {
    let cut_ns = if let SqlType::Time(digits) = ty { unit_ns(*digits) } else { 1 };
    let (values, nanos) = match array.data_type() {
        DataType::Time32(TimeUnit::Second) => (i32s::<Time32SecondType>(array), NANOS_PER_SECOND),
        DataType::Time32(TimeUnit::Millisecond) => (i32s::<Time32MillisecondType>(array), 1_000_000),
        DataType::Time64(TimeUnit::Microsecond) => (i64s::<Time64MicrosecondType>(array), 1_000),
        DataType::Time64(TimeUnit::Nanosecond) => (i64s::<Time64NanosecondType>(array), 1),
        other => return Err(unwritable(other)),
    };
    Ok(Kind::Time { values, nanos, cut_ns })
}

fn timestamp<'a>(
    array: &'a dyn Array,
    unit: TimeUnit,
    has_zone: bool,
    ty: &SqlType,
    options: &EncodeOptions,
) -> Kind<'a> {
    let (values, per_second): (&[i64], i64) = match unit {
        TimeUnit::Second => (array.as_primitive::<TimestampSecondType>().values(), 1),
        TimeUnit::Millisecond => (array.as_primitive::<TimestampMillisecondType>().values(), 1_000),
        TimeUnit::Microsecond => (array.as_primitive::<TimestampMicrosecondType>().values(), 1_000_000),
        TimeUnit::Nanosecond => (array.as_primitive::<TimestampNanosecondType>().values(), NANOS_PER_SECOND),
    };
    let (digits, local_zone) = match ty {
        SqlType::Timestamp(digits) => (*digits, false),
        SqlType::TimestampLtz(digits) => (*digits, true),
        _ => (9, has_zone),
    };
    let form = TimestampForm { format: options.timestamp_format, local_zone };
    Kind::Timestamp { values, per_second, cut_ns: unit_ns(digits), form }
}

fn list<'a>(ends: Ends<'a>, items: &'a ArrayRef, ty: &SqlType, options: &EncodeOptions) -> Result<Kind<'a>> {
    let item = if let SqlType::Array(item) = ty { item } else { ty };
    Ok(Kind::List { ends, items: Box::new(Writer::new(items.as_ref(), item, options)?) })
}

fn map<'a>(array: &'a dyn Array, ty: &SqlType, options: &EncodeOptions) -> Result<Kind<'a>> {
    let array = array.as_map();
    let (key, value) = if let SqlType::Map(key, value) = ty { (&**key, &**value) } else { (ty, ty) };
    Ok(Kind::Map {
        ends: Ends::Small(array.offsets()),
        keys: Box::new(Writer::new(array.keys().as_ref(), key, options)?),
        values: Box::new(Writer::new(array.values().as_ref(), value, options)?),
    })
}

fn object<'a>(array: &'a dyn Array, ty: &SqlType, options: &EncodeOptions) -> Result<Kind<'a>> {
    let array = array.as_struct();
    let declared = if let SqlType::Row(fields) = ty { fields.as_slice() } else { &[] };
    let fields = array.fields().iter().zip(array.columns()).enumerate().map(|(i, (field, column))| {
        // The declared name: an INSERT goes by position.
        let (name, ty) = declared.get(i).map_or((field.name(), ty), |(name, ty)| (name, ty));
        Ok((quoted_key(name), Writer::new(column.as_ref(), ty, options)?))
    });
    let fields = fields.collect::<Result<_>>()?;
    Ok(Kind::Object(Object { fields, ignore_null_fields: options.ignore_null_fields }))
}

fn dictionary<'a>(array: &'a dyn Array, ty: &SqlType, options: &EncodeOptions) -> Result<Kind<'a>> {
    let dictionary = array.as_any_dictionary();
    let keys =
        if dictionary.values().is_empty() { vec![0; array.len()] } else { dictionary.normalized_keys() };
    Ok(Kind::Dictionary { keys, values: Box::new(Writer::new(dictionary.values().as_ref(), ty, options)?) })
}

fn unwritable(ty: &DataType) -> Error {
    Error::internal(format!("no JSON form for a column of Arrow type `{ty}`"))
}
