use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, Schema, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::{Decoder, Encoder};
use crate::format::{
    BadReason, ColumnSpec, DecodeOptions, EncodeOptions, EncodedRows, Syntax, TimestampFormat,
};
use crate::sql::types::SqlType;

fn specs(columns: &[(&str, SqlType)]) -> Vec<ColumnSpec> {
    let spec = |(name, ty): &(&str, SqlType)| ColumnSpec {
        name: (*name).to_owned(),
        ty: ty.clone(),
        not_null: false,
    };
    columns.iter().map(spec).collect()
}

fn decoder(columns: &[(&str, SqlType)]) -> Decoder {
    Decoder::new(&specs(columns), DecodeOptions::default()).unwrap()
}

/// One value as text; `NULL` for none.
fn shown(array: &ArrayRef, row: usize) -> String {
    let options = FormatOptions::default().with_null("NULL");
    if let DataType::Timestamp(_, Some(_)) = array.data_type() {
        // Arrow's formatter does not know the zone `UTC` without a time zone database.
        let plain = array.as_primitive::<TimestampMicrosecondType>().clone().with_timezone_opt(None::<&str>);
        return format!("{}Z", shown(&(Arc::new(plain) as ArrayRef), row));
    }
    ArrayFormatter::try_new(array.as_ref(), &options).unwrap().value(row).to_string()
}

/// What `json` comes to as a value of `ty`, or why it is bad.
fn read(ty: SqlType, json: &str) -> Result<String, BadReason> {
    let mut decoder = decoder(&[("x", ty.clone())]);
    decoder.push(format!("{{\"x\":{json}}}").as_bytes()).map_err(|bad| bad.reason)?;
    let column = decoder.take().unwrap().remove(0);
    assert_eq!(column.data_type(), &ty.arrow());
    Ok(shown(&column, 0))
}

fn row_type(fields: &[(&str, SqlType)]) -> SqlType {
    SqlType::Row(fields.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect())
}

fn array_of(item: SqlType) -> SqlType {
    SqlType::Array(Box::new(item))
}

fn map_of(key: SqlType, value: SqlType) -> SqlType {
    SqlType::Map(Box::new(key), Box::new(value))
}

const DECIMAL: SqlType = SqlType::Decimal { precision: 10, scale: 2 };

#[test]
fn scalars_are_read_as_flink_reads_them() {
    for (ty, json, expected) in [
        (SqlType::Boolean, "true", "true"),
        (SqlType::Boolean, r#"" True ""#, "true"),
        (SqlType::TinyInt, "-128", "-128"),
        (SqlType::SmallInt, r#""34""#, "34"),
        (SqlType::Int, "2147483647", "2147483647"),
        (SqlType::Int, "5.0", "5"),
        (SqlType::Int, r#"" 34 ""#, "34"),
        (SqlType::BigInt, "1e3", "1000"),
        (SqlType::BigInt, "-9223372036854775808", "-9223372036854775808"),
        (SqlType::Float, "0.1", "0.1"),
        (SqlType::Double, "5", "5.0"),
        (SqlType::Double, "-0.0", "-0.0"),
        (SqlType::Double, "0.12345678901234567", "0.12345678901234566"),
        (SqlType::Double, "123456789012345678901234567890", "1.2345678901234568e29"),
        (SqlType::Double, r#""1.5""#, "1.5"),
        (DECIMAL, "12.345", "12.35"),
        (DECIMAL, r#""-7""#, "-7.00"),
        (SqlType::String, r#""a\u00e9\n\ud83d\ude00""#, "aé\n😀"),
        (SqlType::String, "1.50", "1.50"),
        (SqlType::String, "true", "true"),
        (SqlType::String, r#"{ "a" : [ 1 , "b \" c" ] }"#, r#"{"a":[1,"b \" c"]}"#),
        (SqlType::Bytes, r#""AP8=""#, "00ff"),
        (SqlType::Date, r#""2024-02-29""#, "2024-02-29"),
        (SqlType::Time(3), r#""21:00:00.1239""#, "21:00:00.123"),
        (SqlType::Timestamp(3), r#""2024-02-29T21:00:00.1239""#, "2024-02-29T21:00:00.123"),
        (SqlType::Timestamp(3), r#""2024-02-29\u002021:00:00""#, "2024-02-29T21:00:00"),
        (SqlType::TimestampLtz(3), r#""2024-02-29 21:00:00+01:00""#, "2024-02-29T20:00:00Z"),
        (SqlType::TimestampLtz(3), "1709240400123", "2024-02-29T21:00:00.123Z"),
        (SqlType::Timestamp(9), r#""1969-12-31T23:59:59.999999999""#, "1969-12-31T23:59:59.999999999"),
        (SqlType::Int, "null", "NULL"),
        (SqlType::String, "null", "NULL"),
    ] {
        assert_eq!(read(ty.clone(), json).as_deref(), Ok(expected), "{ty} {json}");
    }
}

#[test]
fn values_that_do_not_fit_are_refused() {
    use BadReason::{BadTimestamp, OutOfRange, TypeMismatch};
    for (ty, json, reason) in [
        (SqlType::Boolean, "1", TypeMismatch),
        (SqlType::Boolean, r#""yes""#, TypeMismatch),
        (SqlType::TinyInt, "128", OutOfRange),
        (SqlType::Int, "2147483648", OutOfRange),
        (SqlType::Int, "5.5", TypeMismatch),
        (SqlType::Int, "true", TypeMismatch),
        (SqlType::Int, "{}", TypeMismatch),
        (SqlType::Int, r#""""#, TypeMismatch),
        (SqlType::BigInt, "9223372036854775808", OutOfRange),
        (SqlType::Double, "1e400", OutOfRange),
        (SqlType::Double, r#"{"v":1}"#, TypeMismatch),
        (SqlType::Double, "[]", TypeMismatch),
        (DECIMAL, "123456789.00", OutOfRange),
        (SqlType::Bytes, r#""AP8""#, TypeMismatch),
        (SqlType::Bytes, "1", TypeMismatch),
        (SqlType::Date, r#""2024-02-30""#, BadTimestamp),
        (SqlType::Timestamp(3), r#""2024-02-29""#, BadTimestamp),
        (SqlType::Timestamp(3), "true", TypeMismatch),
        (SqlType::TimestampLtz(3), "1709240400123000", OutOfRange),
        (array_of(SqlType::Int), "{}", TypeMismatch),
        (array_of(SqlType::Int), "[1,[]]", TypeMismatch),
        (row_type(&[("a", SqlType::Int)]), "[]", TypeMismatch),
        (map_of(SqlType::String, SqlType::Int), "[]", TypeMismatch),
        (map_of(SqlType::Int, SqlType::Int), r#"{"a":1}"#, TypeMismatch),
    ] {
        assert_eq!(read(ty.clone(), json), Err(reason), "{ty} {json}");
    }
}

#[test]
fn nested_values_are_read_at_any_depth() {
    let inner = row_type(&[("b", array_of(row_type(&[("c", SqlType::Int)]))), ("d", SqlType::String)]);
    let ty = row_type(&[("a", inner)]);
    let json = r#"{"skip":{"x":[1,{"y":null}]},"a":{"d":"z","b":[{"c":1},{},null,{"c":2,"e":[]}]}}"#;
    assert_eq!(read(ty, json).as_deref(), Ok("{a: {b: [{c: 1}, {c: NULL}, NULL, {c: 2}], d: z}}"));
    let ty = map_of(SqlType::String, array_of(SqlType::BigInt));
    assert_eq!(read(ty, r#"{"a":[1],"b":null,"":[]}"#).as_deref(), Ok("{a: [1], b: NULL, : []}"));
    let ty = map_of(SqlType::Date, SqlType::Int);
    assert_eq!(read(ty, r#"{"2024-02-29":1}"#).as_deref(), Ok("{2024-02-29: 1}"));
}

#[test]
fn the_last_of_duplicate_keys_counts() {
    let mut decoder = decoder(&[("a", SqlType::Int), ("b", row_type(&[("c", SqlType::Int)]))]);
    decoder.push(br#"{"a":1,"b":{"c":1,"c":2},"a":null,"b":{},"a":3,"\u0062":{"c":4}}"#).unwrap();
    let columns = decoder.take().unwrap();
    assert_eq!((shown(&columns[0], 0), shown(&columns[1], 0)), ("3".into(), "{c: 4}".into()));
    let ty = map_of(SqlType::String, SqlType::Int);
    assert_eq!(read(ty, r#"{"a":1,"b":2,"a":3,"b":4,"c":5}"#).as_deref(), Ok("{a: 3, b: 4, c: 5}"));
}

#[test]
fn what_is_not_json_says_where_and_what_was_expected() {
    let syntax = BadReason::NotJson;
    for (json, reason, at_byte) in [
        ("", BadReason::Empty, 0),
        (" \n", BadReason::Empty, 2),
        ("1", syntax(Syntax::Object), 0),
        ("[]", syntax(Syntax::Object), 0),
        ("<html>502", syntax(Syntax::Object), 0),
        ("\u{feff}{}", syntax(Syntax::Object), 0),
        ("{", BadReason::Truncated, 1),
        (r#"{"a""#, BadReason::Truncated, 4),
        (r#"{"a":"#, BadReason::Truncated, 5),
        (r#"{"a":1"#, BadReason::Truncated, 6),
        (r#"{"a":tru"#, BadReason::Truncated, 8),
        (r#"{"a":"x"#, BadReason::Truncated, 7),
        (r#"{"n":{"x":[1,"#, BadReason::Truncated, 13),
        (r#"{"a":1 "b":2}"#, syntax(Syntax::CommaOrBrace), 7),
        (r#"{"a" 1}"#, syntax(Syntax::Colon), 5),
        (r#"{a:1}"#, syntax(Syntax::Key), 1),
        (r#"{"a":1,}"#, syntax(Syntax::Key), 7),
        (r#"{"a":}"#, syntax(Syntax::Value), 5),
        (r#"{"a":007}"#, syntax(Syntax::Digit), 5),
        (r#"{"z":007}"#, syntax(Syntax::Digit), 5),
        (r#"{"a":5.}"#, syntax(Syntax::Digit), 7),
        (r#"{"z":1.2.3-e}"#, syntax(Syntax::CommaOrBrace), 8),
        (r#"{"z":[1,2}}"#, syntax(Syntax::CommaOrBracket), 9),
        (r#"{"z":[1,]}"#, syntax(Syntax::Value), 8),
        ("{\"z\":\"a\u{1}\"}", syntax(Syntax::NoControl), 7),
        (r#"{"z":"\q"}"#, syntax(Syntax::Escape), 7),
        (r#"{"z":"\ud800"}"#, syntax(Syntax::Escape), 12),
        (r#"{"z":"\udc00"}"#, syntax(Syntax::Escape), 12),
        (r#"{"z":"\u00g0"}"#, syntax(Syntax::Escape), 10),
        (r#"{"a":1}}"#, BadReason::TrailingData, 7),
        (r#"{"a":1}{"a":2}"#, BadReason::TrailingData, 7),
    ] {
        let mut decoder = decoder(&[("a", SqlType::Int), ("n", row_type(&[("x", array_of(SqlType::Int))]))]);
        let bad = decoder.push(json.as_bytes()).unwrap_err();
        assert_eq!((bad.reason, bad.at_byte), (reason, at_byte), "{json}");
        assert_eq!(decoder.rows(), 0);
        decoder.push(b"{\"a\":7}").unwrap();
        assert_eq!(shown(&decoder.take().unwrap()[0], 0), "7");
    }
}

#[test]
fn utf8_is_checked_also_where_nobody_asked() {
    for (payload, at_byte) in [(&b"{\"a\":\"\xff\"}"[..], 6), (b"{\"z\":\"\xc3\"}", 6), (b"{\"\xf8\":1}", 2)]
    {
        let bad = decoder(&[("a", SqlType::String)]).push(payload).unwrap_err();
        assert_eq!((bad.reason, bad.at_byte), (BadReason::InvalidUtf8, at_byte));
    }
}

#[test]
fn nesting_ends_at_64() {
    let nested = |depth: usize| format!("{{\"z\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let mut decoder = decoder(&[("a", SqlType::String), ("l", array_of(SqlType::String))]);
    assert_eq!(decoder.push(nested(63).as_bytes()), Ok(()));
    for payload in [
        nested(64),
        nested(200_000),
        nested(64).replace('z', "a"),
        nested(64).replace('z', "l"),
        format!("{{\"z\":{}", "[".repeat(200_000)),
    ] {
        assert_eq!(decoder.push(payload.as_bytes()).unwrap_err().reason, BadReason::TooDeep);
    }
}

#[test]
fn a_bad_record_costs_its_own_row_only() {
    let ty = array_of(row_type(&[("p", SqlType::Int), ("m", map_of(SqlType::String, SqlType::Int))]));
    let mut decoder = decoder(&[("id", SqlType::String), ("items", ty)]);
    let mut expected = Vec::new();
    for i in 0..50 {
        let good = format!(r#"{{"id":"row {i} is long","items":[{{"p":{i},"m":{{"k":{i}}}}},null]}}"#);
        decoder.push(good.as_bytes()).unwrap();
        expected.push(format!("[{{p: {i}, m: {{k: {i}}}}}, NULL]"));
        for end in 0..good.len() {
            assert!(decoder.push(&good.as_bytes()[..end]).is_err());
        }
        assert!(decoder.push(good.replace("null]", "7]").as_bytes()).is_err());
        assert_eq!(decoder.rows(), i + 1);
    }
    let columns = decoder.take().unwrap();
    for (i, expected) in expected.iter().enumerate() {
        assert_eq!(shown(&columns[0], i), format!("row {i} is long"));
        assert_eq!(&shown(&columns[1], i), expected);
    }
}

#[test]
fn rows_can_be_taken_back_and_the_decoder_used_again() {
    let mut decoder = decoder(&[("a", SqlType::String), ("b", array_of(SqlType::Int))]);
    for round in 0..3 {
        for i in 0..10 {
            decoder.push(format!(r#"{{"a":"{round}-{i}","b":[{i},null]}}"#).as_bytes()).unwrap();
        }
        decoder.truncate(4);
        decoder.truncate(7);
        assert_eq!(decoder.rows(), 4);
        decoder.push(b"{}").unwrap();
        assert!(decoder.bytes() > 0);
        let columns = decoder.take().unwrap();
        assert_eq!((decoder.rows(), decoder.bytes()), (0, 0));
        assert_eq!(columns[0].len(), 5);
        assert_eq!(
            (shown(&columns[0], 3), shown(&columns[1], 3)),
            (format!("{round}-3"), "[3, NULL]".into())
        );
        assert!(columns[0].is_null(4) && columns[1].is_null(4));
    }
}

#[test]
fn bad_fields_are_null_when_parse_errors_are_ignored() {
    let options = DecodeOptions { ignore_parse_errors: true, ..DecodeOptions::default() };
    let nested = row_type(&[("c", SqlType::Int), ("d", array_of(SqlType::Int))]);
    let columns = [("a", SqlType::Int), ("t", SqlType::Timestamp(3)), ("n", nested), ("s", SqlType::String)];
    let mut decoder = Decoder::new(&specs(&columns), options).unwrap();
    decoder.push(br#"{"a":"x","t":"now","n":{"c":{"q":[1]},"d":[1,"y",3]},"s":"ok"}"#).unwrap();
    decoder.push(br#"{"a":[1],"t":0,"n":5,"s":"ok"}"#).unwrap();
    let bad = decoder.push(br#"{"a":[1,],"s":"no"}"#).unwrap_err();
    assert_eq!(bad.reason, BadReason::NotJson(Syntax::Value));
    let columns = decoder.take().unwrap();
    let rows: Vec<Vec<String>> = (0..2).map(|row| columns.iter().map(|c| shown(c, row)).collect()).collect();
    assert_eq!(rows[0], ["NULL", "NULL", "{c: NULL, d: [1, NULL, 3]}", "ok"]);
    assert_eq!(rows[1], ["NULL", "1970-01-01T00:00:00", "NULL", "ok"]);
}

#[test]
fn many_bad_maps_in_a_record_do_not_add_up_to_nesting() {
    let options = DecodeOptions { ignore_parse_errors: true, ..DecodeOptions::default() };
    let columns = specs(&[("l", array_of(map_of(SqlType::Int, SqlType::Int)))]);
    let mut decoder = Decoder::new(&columns, options).unwrap();
    let payload = format!("{{\"l\":[{}{{\"1\":2}}]}}", r#"{"1":1,"x":2},"#.repeat(100));
    decoder.push(payload.as_bytes()).unwrap();
    let expected = format!("[{}{{1: 2}}]", "NULL, ".repeat(100));
    assert_eq!(shown(&decoder.take().unwrap()[0], 0), expected);
}

#[test]
fn missing_and_null_fields_can_be_refused() {
    let mut columns = specs(&[("a", SqlType::Int), ("b", SqlType::Int)]);
    columns[1].not_null = true;
    let mut decoder = Decoder::new(&columns, DecodeOptions::default()).unwrap();
    decoder.push(br#"{"b":1}"#).unwrap();
    for payload in [r#"{"a":1}"#, r#"{"a":1,"b":null}"#] {
        let bad = decoder.push(payload.as_bytes()).unwrap_err();
        assert_eq!(bad.describe(), "column `b`: the value is NULL in a NOT NULL column");
    }
    let options = DecodeOptions { fail_on_missing_field: true, ..DecodeOptions::default() };
    let mut decoder = Decoder::new(&specs(&[("a", row_type(&[("x", SqlType::Int)]))]), options).unwrap();
    decoder.push(br#"{"a":{"x":null}}"#).unwrap();
    decoder.push(br#"{"a":null}"#).unwrap();
    for payload in ["{}", r#"{"a":{}}"#] {
        let bad = decoder.push(payload.as_bytes()).unwrap_err();
        assert_eq!((bad.reason, bad.column.as_deref()), (BadReason::MissingField, Some("a")));
    }
    assert_eq!(decoder.rows(), 2);
}

#[test]
fn a_type_error_names_its_top_level_column() {
    let mut decoder =
        decoder(&[("a", SqlType::Int), ("n", row_type(&[("x", SqlType::Int), ("y", SqlType::Int)]))]);
    let bad = decoder.push(br#"{"a":1,"n":{"x":1,"y":"z"}}"#).unwrap_err();
    assert_eq!(bad.describe(), "column `n`: the value cannot be read as the declared type at byte 22");
}

#[test]
fn more_columns_than_a_machine_word_and_keys_in_any_order() {
    let names: Vec<String> = (0..150).map(|i| format!("a_rather_long_key_name_number_{i}")).collect();
    let columns: Vec<(&str, SqlType)> = names.iter().map(|name| (name.as_str(), SqlType::Int)).collect();
    let mut decoder = decoder(&columns);
    for shift in 0..40 {
        let fields: Vec<String> = (0..150)
            .map(|i| (i * 7 + shift * 31) % 150)
            .map(|i| format!("\"{}\"{}:{}", names[i], " ".repeat(shift % 3), i + shift))
            .collect();
        decoder.push(format!("{{{}}}", fields.join(", ")).as_bytes()).unwrap();
    }
    for (i, column) in decoder.take().unwrap().iter().enumerate() {
        let values = column.as_primitive::<Int32Type>().values();
        assert!(values.iter().enumerate().all(|(shift, value)| *value == (i + shift) as i32));
    }
}

#[test]
fn no_columns_at_all_still_make_rows() {
    let mut decoder = decoder(&[]);
    decoder.push(br#"{"a":1}"#).unwrap();
    assert!(decoder.push(b"{").is_err());
    assert_eq!(decoder.rows(), 1);
    assert!(decoder.take().unwrap().is_empty());
    assert_eq!(decoder.rows(), 0);
}

#[test]
fn spaces_are_allowed_wherever_the_grammar_has_them() {
    let mut decoder = decoder(&[("a", SqlType::BigInt), ("t", SqlType::Timestamp(3))]);
    let payload = b" \t{ \"z\" : [ 1 , { } , [ ] ] ,\r\n \"a\" : 5 , \"t\" :\t\"1970-01-01T00:00:01\" } \n";
    for _ in 0..2 {
        decoder.push(payload).unwrap();
    }
    let columns = decoder.take().unwrap();
    assert_eq!(columns[0].as_primitive::<Int64Type>().values(), &[5, 5]);
    assert_eq!(columns[1].as_primitive::<TimestampMicrosecondType>().values(), &[1_000_000, 1_000_000]);
}

/// The rows that `json` makes, encoded again.
fn again(columns: &[(&str, SqlType)], json: &[&str], options: EncodeOptions) -> Vec<String> {
    let mut decoder = decoder(columns);
    json.iter().for_each(|json| decoder.push(json.as_bytes()).unwrap());
    let fields: Vec<Field> = columns.iter().map(|(name, ty)| Field::new(*name, ty.arrow(), true)).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), decoder.take().unwrap()).unwrap();
    let schema: Vec<_> = columns.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect();
    let mut rows = EncodedRows::new();
    Encoder::new(&schema, &options).encode(&batch, &mut rows).unwrap();
    rows.iter().map(|(_, value)| String::from_utf8(value.to_vec()).unwrap()).collect()
}

#[test]
fn rows_are_written_as_flink_writes_them() {
    let columns = [
        ("b", SqlType::Boolean),
        ("d", SqlType::Double),
        ("f", SqlType::Float),
        ("n", DECIMAL),
        ("s", SqlType::String),
        ("y", SqlType::Bytes),
        ("t", SqlType::Timestamp(3)),
        ("l", SqlType::TimestampLtz(3)),
        ("da", SqlType::Date),
        ("ti", SqlType::Time(3)),
        ("a", array_of(SqlType::Int)),
        ("m", map_of(SqlType::Int, SqlType::String)),
        ("r", row_type(&[("x", SqlType::Int), ("y", SqlType::String)])),
    ];
    let full = concat!(
        r#"{"b":true,"d":1.0E10,"f":0.1,"n":12.50,"s":"a\"é","y":"AP8=","t":"2024-02-28 21:00:00","#,
        r#""l":"2024-02-28 21:00:00.12Z","da":"2024-02-28","ti":"21:00:00.5","a":[1,null],"#,
        r#""m":{"1":"x","2":null},"r":{"x":1,"y":null}}"#,
    );
    let nulls = concat!(
        r#"{"b":null,"d":null,"f":null,"n":null,"s":null,"y":null,"t":null,"l":null,"da":null,"#,
        r#""ti":null,"a":null,"m":null,"r":null}"#,
    );
    assert_eq!(again(&columns, &[full, "{}"], EncodeOptions::default()), [full, nulls]);
    let options = EncodeOptions { ignore_null_fields: true, ..EncodeOptions::default() };
    let dense = full.replace(r#","y":null}}"#, "}}");
    assert_eq!(again(&columns, &[full, "{}"], options), [dense.as_str(), "{}"]);
    let options = EncodeOptions { timestamp_format: TimestampFormat::Iso8601, ..EncodeOptions::default() };
    let iso = full.replace("28 21:", "28T21:");
    assert_eq!(again(&columns, &[full], options), [iso]);
}

#[test]
fn every_arrow_type_a_plan_makes_can_be_written() {
    use arrow::array::{
        Decimal256Array, DictionaryArray, FixedSizeListArray, Float64Array, LargeListArray, LargeStringArray,
        NullArray, StringArray, TimestampSecondArray, UInt64Array,
    };
    use arrow::datatypes::{Int8Type, i256};
    let dictionary: DictionaryArray<Int8Type> = vec![Some("a"), None, Some("a")].into_iter().collect();
    let empty: DictionaryArray<Int8Type> = vec![None::<&str>; 3].into_iter().collect();
    let ints = |row: i64| Some(vec![Some(row), None]);
    let fixed = FixedSizeListArray::from_iter_primitive::<Int64Type, _, _>((0..3).map(ints), 2);
    let decimal = Decimal256Array::from(vec![i256::from_i128(-125), i256::ZERO, i256::from_i128(5)]);
    let columns: Vec<(&str, SqlType, ArrayRef)> = vec![
        ("a", SqlType::String, Arc::new(dictionary)),
        ("b", SqlType::String, Arc::new(empty)),
        ("c", SqlType::String, Arc::new(NullArray::new(3))),
        ("d", SqlType::BigInt, Arc::new(UInt64Array::from(vec![u64::MAX, 0, 1]))),
        ("e", SqlType::String, Arc::new(StringArray::from(vec!["x", "", "\n"]))),
        ("f", SqlType::String, Arc::new(LargeStringArray::from(vec![Some("x"), None, Some("y")]))),
        ("g", array_of(SqlType::BigInt), Arc::new(fixed)),
        (
            "h",
            array_of(SqlType::BigInt),
            Arc::new(LargeListArray::from_iter_primitive::<Int64Type, _, _>((0..3).map(ints))),
        ),
        (
            "i",
            SqlType::Decimal { precision: 40, scale: 2 },
            Arc::new(decimal.with_precision_and_scale(40, 2).unwrap()),
        ),
        ("j", SqlType::TimestampLtz(0), Arc::new(TimestampSecondArray::from(vec![-1, 0, 1]))),
        ("k", SqlType::Double, Arc::new(Float64Array::from(vec![f64::NAN, 1e-5, 100.0]))),
    ];
    let fields: Vec<Field> =
        columns.iter().map(|(n, _, c)| Field::new(*n, c.data_type().clone(), true)).collect();
    let arrays = columns.iter().map(|(_, _, c)| Arc::clone(c)).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    let schema: Vec<_> = columns.iter().map(|(n, ty, _)| ((*n).to_owned(), ty.clone())).collect();
    for (start, expected) in [
        concat!(
            r#"{"a":"a","b":null,"c":null,"d":18446744073709551615,"e":"x","f":"x","#,
            r#""g":[0,null],"h":[0,null],"i":-1.25,"j":"1969-12-31 23:59:59Z","k":"NaN"}"#,
        ),
        concat!(
            r#"{"a":null,"b":null,"c":null,"d":0,"e":"","f":null,"#,
            r#""g":[1,null],"h":[1,null],"i":0.00,"j":"1970-01-01 00:00:00Z","k":1.0E-5}"#,
        ),
        concat!(
            r#"{"a":"a","b":null,"c":null,"d":1,"e":"\n","f":"y","#,
            r#""g":[2,null],"h":[2,null],"i":0.05,"j":"1970-01-01 00:00:01Z","k":100.0}"#,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        // A slice, because offsets within arrays are where such code goes wrong.
        let mut rows = EncodedRows::new();
        Encoder::new(&schema, &EncodeOptions::default()).encode(&batch.slice(start, 1), &mut rows).unwrap();
        let (_, value) = rows.iter().next().unwrap();
        assert_eq!(std::str::from_utf8(value).unwrap(), expected);
    }
    assert_eq!(
        batch.schema().field(0).data_type(),
        &DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8))
    );
}

#[test]
fn keys_are_written_beside_their_values() {
    let mut decoder = decoder(&[("a", SqlType::Int), ("b", SqlType::String)]);
    decoder.push(br#"{"a":1,"b":"x"}"#).unwrap();
    let fields = vec![Field::new("a", DataType::Int32, true), Field::new("b", DataType::Utf8View, true)];
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), decoder.take().unwrap()).unwrap();
    let (a, b) = (("a".to_owned(), SqlType::Int), ("b".to_owned(), SqlType::String));
    let values = Encoder::new(&[a, b.clone()], &EncodeOptions::default());
    let keys = Encoder::new(&[b], &EncodeOptions::default());
    let mut rows = EncodedRows::new();
    values.encode_keyed(&batch, &keys, &[1], &mut rows).unwrap();
    let expected = (Some(&br#"{"b":"x"}"#[..]), &br#"{"a":1,"b":"x"}"#[..]);
    assert_eq!(rows.iter().collect::<Vec<_>>(), [expected]);
}
