//! Properties of the JSON decoder and encoder over generated input. `WINDROW_FUZZ_ROUNDS` sets how many
//! mutated messages there are (10 000 unless it is set); the seed is fixed, so a failure can be repeated.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, BooleanArray, Date32Array, Decimal128Array, Float32Array,
    Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, ListArray, MapArray, RecordBatch,
    StringViewArray, StructArray, Time64NanosecondArray, TimestampMicrosecondArray, TimestampNanosecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema};
use serde_json::Value;

use super::{Decoder, Encoder};
use crate::format::{
    BadReason, ColumnSpec, DecodeOptions, EncodeOptions, EncodedRows, Syntax, TimestampFormat,
};
use crate::sql::types::SqlType;

/// A xorshift generator.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        ((self.next() >> 11) % limit as u64) as usize
    }
}

fn spec(name: &str, ty: SqlType) -> ColumnSpec {
    ColumnSpec { name: name.into(), ty, not_null: false }
}

fn array_of(item: SqlType) -> SqlType {
    SqlType::Array(Box::new(item))
}

fn map_of(key: SqlType, value: SqlType) -> SqlType {
    SqlType::Map(Box::new(key), Box::new(value))
}

fn row_of(fields: &[(&str, SqlType)]) -> SqlType {
    SqlType::Row(fields.iter().map(|(name, ty)| ((*name).into(), ty.clone())).collect())
}

const MESSAGES: &[&str] = &[
    concat!(
        r#"{"id":"a-long-identifier-0001","amount":12.50,"count":7,"flag":true,"#,
        r#""at":"2024-02-29T21:00:00.123","items":[{"sku":"prod-1","qty":2,"x":[1.5e3,null]},"#,
        r#"{"sku":"prod-2"}],"#,
        r#""tags":{"k":"v","l":"w"},"geo":{"country":"DE","city":"Łódź"},"#,
        r#""skipped":{"a":[{},[],"",0,-1.0E-2,false],"b":"\u00e9\ud83d\ude00"}}"#,
    ),
    concat!(
        r#"{ "count" : -3 , "id" : "é\n\"\\/\u0041", "amount" : 0.1, "#,
        r#""geo" : { } , "tags" : { } , "items" : [ ] }"#,
    ),
    r#"{"id":"other shape","kind":"deleted","amount":null,"geo":null,"items":null,"skipped":[[[[1]]]]}"#,
    concat!(
        r#"{"amount":"1.5","count":"34","flag":" true ","id":123.40,"tags":{"a":1,"a":2},"#,
        r#""id":"twice","geo":{"country":5}}"#,
    ),
    concat!(
        r#"{"amount":123456789012345678901234567890,"count":1e3,"i\u0064":"escaped key","#,
        r#""at":"1969-12-31 23:59:59Z"}"#,
    ),
    "{}",
];

const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u",
    "\\ud800",
    "\\n",
    "null",
    "true",
    "fals",
    "0",
    "-",
    ".",
    "e",
    "1e5",
    "\0",
    "\u{1}",
    " ",
    "\n",
    "é",
    "😀",
    "\u{7f}",
    "\"id\":",
    "\"count\":9",
    "[[[[",
    "]]]]",
    "{\"a\":",
    "9999999999",
];

/// A message with up to three changes: bytes cut, changed, inserted, moved or taken from another message.
fn mutated(random: &mut Random) -> Vec<u8> {
    let mut message = MESSAGES[random.below(MESSAGES.len())].as_bytes().to_vec();
    for _ in 0..random.below(4) {
        let at = random.below(message.len() + 1);
        let end = (at + random.below(8)).min(message.len());
        match random.below(7) {
            0 => message.truncate(at),
            1 => drop(message.drain(at..end)),
            2 if at < message.len() => message[at] = random.next() as u8,
            3 if at < message.len() => message[at] ^= 1 << random.below(7),
            4 => drop(message.splice(at..at, message[at..end].to_vec())),
            5 => {
                let other = MESSAGES[random.below(MESSAGES.len())].as_bytes();
                let from = random.below(other.len());
                drop(
                    message.splice(at..end, other[from..(from + random.below(30)).min(other.len())].to_vec()),
                );
            }
            _ => drop(message.splice(at..at, TOKENS[random.below(TOKENS.len())].bytes())),
        }
    }
    message
}

/// Whether a decoded value is what serde_json read; a coerced one only has to be there.
fn agrees(array: &ArrayRef, row: usize, value: Option<&Value>) -> bool {
    let Some(value) = value.filter(|value| !value.is_null()) else { return array.is_null(row) };
    if array.is_null(row) {
        return false;
    }
    match (array.data_type(), value) {
        (DataType::Utf8View, Value::String(text)) => array.as_string_view().value(row) == text,
        (DataType::Float64, Value::Number(number)) => {
            let ours = array.as_primitive::<Float64Type>().value(row);
            number.as_f64().is_some_and(|theirs| theirs.to_bits() == ours.to_bits())
        }
        (DataType::Int64, Value::Number(number)) => {
            number.as_i64().is_none_or(|theirs| theirs == array.as_primitive::<Int64Type>().value(row))
        }
        (DataType::Boolean, Value::Bool(theirs)) => array.as_boolean().value(row) == *theirs,
        (DataType::Struct(fields), Value::Object(object)) => fields
            .iter()
            .zip(array.as_struct().columns())
            .all(|(field, column)| agrees(column, row, object.get(field.name()))),
        (DataType::List(_), Value::Array(items)) => {
            let list = array.as_list::<i32>().value(row);
            list.len() == items.len() && (0..items.len()).all(|i| agrees(&list, i, Some(&items[i])))
        }
        (DataType::Map(..), Value::Object(object)) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0).as_string_view(), entries.column(1));
            entries.len() == object.len()
                && (0..entries.len()).all(|i| agrees(values, i, object.get(keys.value(i))))
        }
        _ => true,
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn rounds() -> usize {
    std::env::var("WINDROW_FUZZ_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(10_000)
}

#[test]
fn mutated_messages_are_judged_and_read_as_serde_json_does() {
    let columns = [
        spec("id", SqlType::String),
        spec("amount", SqlType::Double),
        spec("count", SqlType::BigInt),
        spec("flag", SqlType::Boolean),
        spec("at", SqlType::Timestamp(6)),
        spec("items", array_of(row_of(&[("sku", SqlType::String), ("qty", SqlType::Int)]))),
        spec("tags", map_of(SqlType::String, SqlType::String)),
        spec("geo", row_of(&[("country", SqlType::String)])),
    ];
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut strict = Decoder::new(&[], DecodeOptions::default()).unwrap();
    // Kept over all messages, so that what it learnt from one is put to the test by the others.
    let mut decoder = Decoder::new(&columns, DecodeOptions::default()).unwrap();
    let (mut valid, mut taken) = (0, 0);
    for round in 0..rounds() {
        let message = mutated(&mut random);
        let shown = String::from_utf8_lossy(&message);
        let theirs: Option<Value> = serde_json::from_slice(&message).ok();
        let theirs = theirs.filter(|value| value.is_object() && depth(value) <= 64);
        assert_eq!(strict.push(&message).is_ok(), theirs.is_some(), "{shown}");
        valid += usize::from(theirs.is_some());
        let mut fresh = Decoder::new(&columns, DecodeOptions::default()).unwrap();
        let (first, again) = (decoder.push(&message), fresh.push(&message));
        assert_eq!(first, again, "{shown}");
        match (first, theirs) {
            (Ok(()), Some(value)) => {
                taken += 1;
                let arrays = fresh.take().unwrap();
                for (column, array) in columns.iter().zip(&arrays) {
                    assert!(agrees(array, 0, value.get(&column.name)), "`{}` of {shown}", column.name);
                }
                let row = decoder.rows() - 1;
                let kept = if round % 64 == 0 { decoder.take().unwrap() } else { Vec::new() };
                for (kept, fresh) in kept.iter().zip(&arrays) {
                    assert_eq!(&kept.slice(row, 1), fresh, "{shown}");
                }
            }
            (Ok(()), None) => panic!("taken, though it is not JSON: {shown}"),
            (Err(bad), Some(_)) => assert!(bad.reason.blames_field(), "{bad}: {shown}"),
            (Err(_), None) => {}
        }
        if round % 1024 == 0 {
            strict.take().unwrap();
        }
    }
    assert!(valid > rounds() / 10 && taken > rounds() / 20, "{valid} valid, {taken} taken: too few to tell");
}

#[test]
fn with_ignored_parse_errors_only_what_is_not_json_is_refused() {
    let columns =
        [spec("id", SqlType::Int), spec("items", SqlType::Date), spec("geo", array_of(SqlType::Int))];
    let options = DecodeOptions { ignore_parse_errors: true, ..DecodeOptions::default() };
    let mut decoder = Decoder::new(&columns, options).unwrap();
    let mut random = Random(0x0123_4567_89ab_cdef);
    for _ in 0..rounds() / 4 {
        let message = mutated(&mut random);
        let value: Option<Value> = serde_json::from_slice(&message).ok();
        let valid = value.is_some_and(|value| value.is_object() && depth(&value) <= 64);
        assert_eq!(decoder.push(&message).is_ok(), valid, "{}", String::from_utf8_lossy(&message));
    }
    let rows = decoder.rows();
    assert!(decoder.take().unwrap().iter().all(|column| column.len() == rows));
}

fn validity(rows: usize, random: &mut Random) -> NullBuffer {
    (0..rows).map(|_| random.below(5) > 0).collect()
}

fn optional<T>(rows: usize, random: &mut Random, mut make: impl FnMut(&mut Random) -> T) -> Vec<Option<T>> {
    (0..rows).map(|_| (random.below(5) > 0).then(|| make(random))).collect()
}

fn text(random: &mut Random) -> String {
    const PIECES: &[&str] =
        &["", "a", "\"", "\\", "\n", "\u{1}", "é", "😀", "/", "twelve bytes", "null", "{}"];
    (0..random.below(5)).map(|_| PIECES[random.below(PIECES.len())]).collect()
}

fn number_below(power: u32, random: &mut Random) -> i128 {
    let digits = 1 + random.below(power as usize) as u32;
    let wide = i128::from(random.next()) << 64 | i128::from(random.next());
    wide % 10i128.pow(digits)
}

/// Microseconds from the year 1 to 9999, or from 1700 to 2200 in nanoseconds; cut to `digits`.
fn moments(digits: u8, rows: usize, random: &mut Random) -> Vec<Option<i64>> {
    let unit_digits = if digits <= 6 { 6 } else { 9 };
    let range = if digits <= 6 { -62_135_596_800..253_402_300_800i64 } else { -8_520_336_000..7_258_118_400 };
    optional(rows, random, |random| {
        let second = range.start + random.below((range.end - range.start) as usize) as i64;
        let cut = 10i64.pow(unit_digits - u32::from(digits));
        let unit = 10i64.pow(unit_digits);
        second * unit + random.below(unit as usize) as i64 / cut * cut
    })
}

fn timestamps(digits: u8, zone: Option<&str>, rows: usize, random: &mut Random) -> ArrayRef {
    let values = moments(digits, rows, random);
    if digits <= 6 {
        Arc::new(TimestampMicrosecondArray::from(values).with_timezone_opt(zone))
    } else {
        Arc::new(TimestampNanosecondArray::from(values).with_timezone_opt(zone))
    }
}

/// Where lists end, few items each; NULL lists have none.
fn ends(validity: &NullBuffer, random: &mut Random) -> OffsetBuffer<i32> {
    OffsetBuffer::from_lengths(validity.iter().map(|valid| if valid { random.below(4) } else { 0 }))
}

fn generated(ty: &SqlType, rows: usize, random: &mut Random) -> ArrayRef {
    match (ty, ty.arrow()) {
        (SqlType::Boolean, _) => Arc::new(BooleanArray::from(optional(rows, random, |r| r.below(2) == 0))),
        (SqlType::TinyInt, _) => Arc::new(Int8Array::from(optional(rows, random, |r| r.next() as i8))),
        (SqlType::SmallInt, _) => Arc::new(Int16Array::from(optional(rows, random, |r| r.next() as i16))),
        (SqlType::Int, _) => Arc::new(Int32Array::from(optional(rows, random, |r| r.next() as i32))),
        (SqlType::BigInt, _) => {
            Arc::new(Int64Array::from(optional(rows, random, |r| number_below(19, r) as i64)))
        }
        (SqlType::Float, _) => Arc::new(Float32Array::from(optional(rows, random, |r| {
            let value = f32::from_bits(r.next() as u32);
            if value.is_nan() { f32::NAN } else { value }
        }))),
        (SqlType::Double, _) => Arc::new(Float64Array::from(optional(rows, random, |r| {
            let bits = if r.below(2) == 0 { r.next() } else { (r.below(1 << 20) as f64 / 100.0).to_bits() };
            let value = f64::from_bits(bits);
            if value.is_nan() { f64::NAN } else { value }
        }))),
        (SqlType::Decimal { precision, scale }, _) => {
            let values = optional(rows, random, |r| number_below(u32::from(*precision), r));
            Arc::new(Decimal128Array::from(values).with_precision_and_scale(*precision, *scale).unwrap())
        }
        (SqlType::String, _) => Arc::new(StringViewArray::from_iter(optional(rows, random, text))),
        (SqlType::Bytes, _) => {
            let bytes = |r: &mut Random| (0..r.below(20)).map(|_| r.next() as u8).collect::<Vec<u8>>();
            Arc::new(BinaryViewArray::from_iter(optional(rows, random, bytes)))
        }
        (SqlType::Date, _) => {
            Arc::new(Date32Array::from(optional(rows, random, |r| r.below(3_652_058) as i32 - 719_162)))
        }
        (SqlType::Time(digits), _) => {
            let cut = 10i64.pow(9 - u32::from(*digits));
            let values = optional(rows, random, |r| r.below(86_400_000_000_000) as i64 / cut * cut);
            Arc::new(Time64NanosecondArray::from(values))
        }
        (SqlType::Timestamp(digits), _) => timestamps(*digits, None, rows, random),
        (SqlType::TimestampLtz(digits), _) => timestamps(*digits, Some("UTC"), rows, random),
        (SqlType::Array(item), DataType::List(field)) => {
            let validity = validity(rows, random);
            let ends = ends(&validity, random);
            let items = generated(item, ends.last().copied().unwrap_or(0) as usize, random);
            Arc::new(ListArray::new(field, ends, items, Some(validity)))
        }
        (SqlType::Map(key, value), DataType::Map(entries, _)) => {
            let validity = validity(rows, random);
            let ends = ends(&validity, random);
            let count = ends.last().copied().unwrap_or(0);
            let keys: ArrayRef = match **key {
                SqlType::String => {
                    Arc::new(StringViewArray::from_iter_values((0..count).map(|i| format!("k\"{i}"))))
                }
                _ => Arc::new(Int32Array::from_iter_values(0..count)),
            };
            let DataType::Struct(fields) = entries.data_type() else { panic!("entries are a struct") };
            let columns = vec![keys, generated(value, count as usize, random)];
            let content = StructArray::new(fields.clone(), columns, None);
            Arc::new(MapArray::new(entries, ends, content, Some(validity), false))
        }
        (SqlType::Row(parts), DataType::Struct(fields)) => {
            let columns = parts.iter().map(|(_, ty)| generated(ty, rows, random)).collect();
            Arc::new(StructArray::new(fields, columns, Some(validity(rows, random))))
        }
        (ty, _) => panic!("`{ty}` is not generated"),
    }
}

fn every_type() -> Vec<SqlType> {
    let mut types = vec![
        SqlType::Boolean,
        SqlType::TinyInt,
        SqlType::SmallInt,
        SqlType::Int,
        SqlType::BigInt,
        SqlType::Float,
        SqlType::Double,
        SqlType::Decimal { precision: 10, scale: 2 },
        SqlType::Decimal { precision: 38, scale: 0 },
        SqlType::Decimal { precision: 38, scale: 38 },
        SqlType::String,
        SqlType::Bytes,
        SqlType::Date,
        SqlType::Time(0),
        SqlType::Time(9),
    ];
    for digits in [0, 3, 6, 9] {
        types.extend([SqlType::Timestamp(digits), SqlType::TimestampLtz(digits)]);
    }
    let row = row_of(&[("x", SqlType::Int), ("y \"z\"", array_of(SqlType::String))]);
    types.extend([
        array_of(array_of(SqlType::BigInt)),
        array_of(row.clone()),
        map_of(SqlType::String, row.clone()),
        map_of(SqlType::Int, map_of(SqlType::String, SqlType::Double)),
        row_of(&[("inner", row), ("m", map_of(SqlType::String, array_of(SqlType::Date)))]),
    ]);
    types
}

#[test]
fn what_was_encoded_is_decoded_again() {
    let types = every_type();
    let names: Vec<String> = (0..types.len()).map(|i| format!("column {i}")).collect();
    let schema: Vec<(String, SqlType)> = names.iter().cloned().zip(types).collect();
    let columns: Vec<ColumnSpec> = schema.iter().map(|(name, ty)| spec(name, ty.clone())).collect();
    let fields: Vec<Field> = schema.iter().map(|(name, ty)| Field::new(name, ty.arrow(), true)).collect();
    let arrow = Arc::new(Schema::new(fields));
    let mut random = Random(0x1234_5678_9abc_def1);
    for round in 0..24 {
        let format = [TimestampFormat::Lenient, TimestampFormat::Sql, TimestampFormat::Iso8601][round % 3];
        let options = EncodeOptions { timestamp_format: format, ignore_null_fields: round % 2 == 0 };
        let arrays = schema.iter().map(|(_, ty)| generated(ty, 40, &mut random)).collect();
        let batch = RecordBatch::try_new(Arc::clone(&arrow), arrays).unwrap();
        let mut rows = EncodedRows::new();
        Encoder::new(&schema, &options).encode(&batch, &mut rows).unwrap();
        let options = DecodeOptions { timestamp_format: format, ..DecodeOptions::default() };
        let mut decoder = Decoder::new(&columns, options).unwrap();
        for (_, value) in rows.iter() {
            assert!(serde_json::from_slice::<Value>(value).is_ok(), "{}", String::from_utf8_lossy(value));
            decoder.push(value).unwrap_or_else(|bad| panic!("{bad}: {}", String::from_utf8_lossy(value)));
        }
        for ((column, before), after) in columns.iter().zip(batch.columns()).zip(decoder.take().unwrap()) {
            assert_eq!(&after, before, "{} {format:?}", column.ty);
        }
    }
}

#[test]
fn an_array_that_grows_too_deep_is_no_stack_overflow() {
    let mut decoder =
        Decoder::new(&[spec("a", array_of(SqlType::String))], DecodeOptions::default()).unwrap();
    for opening in ["{\"a\":[", "{\"z\":{\"y\":", "[", "{\"a\":"] {
        let bad = decoder.push(opening.repeat(100_000).as_bytes()).unwrap_err();
        let allowed = [BadReason::TooDeep, BadReason::TypeMismatch, BadReason::NotJson(Syntax::Object)];
        assert!(allowed.contains(&bad.reason), "{bad}");
    }
}
