//! Functions of arrays and maps beyond DataFusion's.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, ListArray, ListBuilder, MapBuilder, MapFieldNames,
    StringViewBuilder, StructArray, UInt32Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::kernels::cmp::eq;
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};

use super::definition::Param::{Any, Integer, Text};
use super::definition::{Call, Definition, Eval, Row};
use crate::sql::types::SqlType;

/// Numbers the elements of an array, for UNNEST WITH ORDINALITY.
pub const WITH_ORDINALITY: &str = "__with_ordinality";

/// `map[key]`; the planner writes it.
pub(super) const MAP_VALUE: &str = "__map_value";

pub(super) fn functions() -> Vec<Definition> {
    let ordinality = Eval::Columns {
        returns: |given, _| numbered_type(given),
        eval: |call| with_ordinality(&call.column(0)?),
    };
    let element =
        Eval::Columns { returns: |given, _| Ok(item_of(&given[0])?.data_type().clone()), eval: element };
    let texts = |eval| Eval::Columns { returns: |_, _| Ok(texts_type()), eval };
    let value =
        Eval::Columns { returns: |given, _| Ok(value_of(&given[0])?.data_type().clone()), eval: map_value };
    let map = Eval::Columns { returns: |_, _| Ok(text_map().arrow()), eval: str_to_map };
    vec![
        Definition::new(WITH_ORDINALITY, &[Any], ordinality),
        Definition::new("element", &[Any], element),
        Definition::new(MAP_VALUE, &[Any, Any], value),
        Definition::new("split", &[Text, Text], texts(split)),
        Definition::new("regexp_extract_all", &[Text, Text, Integer], texts(regexp_extract_all)).optional(1),
        Definition::new("str_to_map", &[Text, Text, Text], map).optional(2),
    ]
}

/// The field of a list's items; those of a map are its entries.
fn item_of(list: &DataType) -> Result<&FieldRef> {
    match list {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => Ok(item),
        other => plan_err!("an ARRAY or a MAP is needed here, and this is `{other}`; use CAST"),
    }
}

fn numbered_fields(list: &DataType) -> Result<Fields> {
    let item = Field::new("item", item_of(list)?.data_type().clone(), true);
    Ok(Fields::from(vec![item, Field::new("ordinality", DataType::Int32, false)]))
}

/// `List<Struct<item, ordinality: Int32>>`.
fn numbered_type(given: &[DataType]) -> Result<DataType> {
    Ok(DataType::List(Arc::new(Field::new("item", DataType::Struct(numbered_fields(&given[0])?), true))))
}

/// Each element beside its place, counted from 1; NULL and empty arrays stay what they are.
fn with_ordinality(given: &ArrayRef) -> Result<ArrayRef> {
    let fields = numbered_fields(given.data_type())?;
    let list = as_list(given)?;
    let offsets = list.offsets();
    let (first, last) = (offsets[0], offsets[list.len()]);
    let items = list.values().slice(first as usize, (last - first) as usize);
    let lengths = offsets.windows(2).map(|pair| pair[1] - pair[0]);
    let places: Int32Array = lengths.clone().flat_map(|length| 1..=length).collect::<Vec<_>>().into();
    let numbered = StructArray::new(fields, vec![items, Arc::new(places)], None);
    let item = Arc::new(Field::new("item", numbered.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths(lengths.map(|length| length as usize));
    Ok(Arc::new(ListArray::new(item, offsets, Arc::new(numbered), list.nulls().cloned())))
}

fn as_list(given: &ArrayRef) -> Result<ListArray> {
    Ok(match given.data_type() {
        DataType::List(_) => given.as_list::<i32>().clone(),
        DataType::Map(entry, _) => {
            let map = given.as_map();
            let entries = Arc::new(map.entries().clone());
            ListArray::new(Arc::clone(entry), map.offsets().clone(), entries, map.nulls().cloned())
        }
        other => cast(given, &DataType::List(Arc::clone(item_of(other)?)))?.as_list::<i32>().clone(),
    })
}

/// The only element of an array; NULL of an empty one, an error of a longer one.
fn element(call: &Call) -> Result<ArrayRef> {
    let list = as_list(&call.column(0)?)?;
    let only = |i: usize| {
        let items = if list.is_null(i) { list.values().slice(0, 0) } else { list.value(i) };
        match items.len() {
            0 => ScalarValue::try_from(items.data_type()),
            1 => ScalarValue::try_from_array(&items, 0),
            more => exec_err!("ELEMENT takes an array of one element, and this one has {more}"),
        }
    };
    let found = (0..list.len()).map(only).collect::<Result<Vec<_>>>()?;
    match found.is_empty() {
        true => Ok(list.values().slice(0, 0)),
        false => ScalarValue::iter_to_array(found),
    }
}

fn value_of(map: &DataType) -> Result<&FieldRef> {
    match map {
        DataType::Map(entry, _) => match entry.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => Ok(&fields[1]),
            other => plan_err!("the entries of a MAP are a key and a value, and these are `{other}`"),
        },
        other => plan_err!("a MAP is needed here, and this is `{other}`"),
    }
}

/// The value of a key, NULL without one. DataFusion compares keys of two kinds of text with an error.
fn map_value(call: &Call) -> Result<ArrayRef> {
    let (maps, keys) = (call.column(0)?, call.column(1)?);
    let maps = maps.as_map();
    let keys = cast(&keys, maps.key_type())?;
    let lengths = maps.offsets().windows(2).map(|pair| (pair[1] - pair[0]) as usize);
    let row_of_entry = lengths.enumerate().flat_map(|(row, length)| std::iter::repeat_n(row as u32, length));
    let wanted = take(&keys, &UInt32Array::from_iter_values(row_of_entry), None)?;
    let (first, last) = (maps.offsets()[0] as usize, maps.offsets()[maps.len()] as usize);
    let matches = eq(&maps.keys().slice(first, last - first), &wanted)?;
    let found = maps.offsets().windows(2).enumerate().map(|(row, pair)| {
        let mut entries = pair[0] as usize..pair[1] as usize;
        let entry = entries.find(|entry| matches.is_valid(entry - first) && matches.value(entry - first));
        entry.filter(|_| maps.is_valid(row)).map(|entry| entry as u32)
    });
    let found: UInt32Array = found.collect();
    Ok(take(maps.values(), &found, None)?)
}

fn texts_type() -> DataType {
    SqlType::Array(Box::new(SqlType::String)).arrow()
}

fn text_map() -> SqlType {
    SqlType::Map(Box::new(SqlType::String), Box::new(SqlType::String))
}

/// A list of texts for each row without a NULL argument.
fn lists_of_texts(call: &Call, texts: fn(Row<'_>) -> Result<Vec<String>>) -> Result<ArrayRef> {
    let mut lists = ListBuilder::new(StringViewBuilder::new());
    for i in 0..call.rows {
        if call.is_null(i) {
            lists.append_null();
            continue;
        }
        lists.append_value(texts(call.row(i))?.into_iter().map(Some));
    }
    Ok(Arc::new(lists.finish()))
}

/// The parts between delimiters; without a delimiter each character.
fn split(call: &Call) -> Result<ArrayRef> {
    lists_of_texts(call, |row| {
        Ok(match row.text(1) {
            "" => row.text(0).chars().map(String::from).collect(),
            delimiter => row.text(0).split(delimiter).map(str::to_owned).collect(),
        })
    })
}

/// A group (the first unless given) of every match.
fn regexp_extract_all(call: &Call) -> Result<ArrayRef> {
    lists_of_texts(call, |row| {
        let (regex, group) = (row.regex(1)?, row.integer_or(2, 1));
        match usize::try_from(group) {
            Ok(group) if group < regex.captures_len() => {
                let found = regex.captures_iter(row.text(0));
                Ok(found.filter_map(|found| Some(found.get(group)?.as_str().to_owned())).collect())
            }
            _ => exec_err!("`{}` has no group `{group}`", row.text(1)),
        }
    })
}

/// `a=1,b=2` as a map. Both separators are regular expressions; of equal keys the last counts.
fn str_to_map(call: &Call) -> Result<ArrayRef> {
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    let mut maps = MapBuilder::new(Some(names), StringViewBuilder::new(), StringViewBuilder::new());
    for i in 0..call.rows {
        let null = call.is_null(i);
        for (key, value) in if null { Vec::new() } else { pairs(call.row(i))? } {
            maps.keys().append_value(key);
            maps.values().append_option(value);
        }
        maps.append(!null)?;
    }
    Ok(Arc::new(maps.finish()))
}

fn pairs(row: Row<'_>) -> Result<Vec<(&str, Option<&str>)>> {
    let pair_ends = row.regex_of(row.text_or(1, ","))?;
    let key_ends = row.regex_of(row.text_or(2, "="))?;
    let mut pairs: Vec<(&str, Option<&str>)> = Vec::new();
    for pair in pair_ends.split(row.text(0)) {
        let mut parts = key_ends.splitn(pair, 2);
        let (key, value) = (parts.next().unwrap_or_default(), parts.next());
        match pairs.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value,
            None => pairs.push((key, value)),
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Int32Type, Int64Type};

    use super::*;
    use crate::functions::tests::{Session, check};

    #[test]
    fn elements_are_numbered_from_one_in_each_array() {
        check(&[
            (
                "__with_ordinality(ARRAY['a', NULL])",
                "[{item: a, ordinality: 1}, {item: NULL, ordinality: 2}]",
            ),
            ("ELEMENT(ARRAY['a'])", "a"),
        ]);
        let session = Session::new();
        let sql = "SELECT MIN(n.ordinality), MAX(n.ordinality), COUNT(*) FROM \
                   (SELECT UNNEST(__with_ordinality(a)) AS n \
                    FROM (VALUES (ARRAY[5, 6, 7]), (NULL), (ARRAY[8, 9])) AS t(a))";
        assert_eq!(session.row(sql).unwrap(), ["1", "3", "5"]);
        let error = session.row("SELECT ELEMENT(ARRAY[1, 2])").unwrap_err().to_string();
        assert!(error.contains("this one has 2"), "{error}");
    }

    #[test]
    fn a_sliced_list_keeps_its_own_elements() {
        let list = ListArray::from_iter_primitive::<Int64Type, _, _>([
            Some(vec![Some(1), Some(2)]),
            None,
            Some(vec![Some(3), Some(4)]),
        ]);
        let rest: ArrayRef = Arc::new(list.slice(1, 2));
        let numbered = with_ordinality(&rest).unwrap();
        assert!(numbered.is_null(0));
        let last = numbered.as_list::<i32>().value(1);
        let columns = last.as_struct().columns();
        assert_eq!(columns[0].as_primitive::<Int64Type>().values(), &[3, 4]);
        assert_eq!(columns[1].as_primitive::<Int32Type>().values(), &[1, 2]);
    }

    #[test]
    fn a_map_gives_the_value_of_a_key_of_each_row() {
        let session = Session::new();
        let rows = "('a=1,b=2', 'b'), ('b=3', 'a'), (NULL, 'a'), ('a=5', NULL), ('a=4,b=6', 'a')";
        let maps = format!("SELECT STR_TO_MAP(s) AS m, k FROM (VALUES {rows}) AS t(s, k)");
        let sql = &format!("SELECT MIN(m[k]), COUNT(m[k]), MAX(m['a']), COUNT(*) FROM ({maps})");
        assert_eq!(session.row(sql).unwrap(), ["2", "2", "5", "5"]);
        check(&[("MAP(ARRAY[7, 8], ARRAY[1, 2])[8]", "2")]);
    }

    #[test]
    fn texts_are_taken_apart_as_in_flink() {
        check(&[
            ("SPLIT('a,b,,c', ',')", "[a, b, , c]"),
            ("SPLIT('ab', '')", "[a, b]"),
            ("SPLIT(NULL, ',')", "NULL"),
            ("REGEXP_EXTRACT_ALL('a1b2', '([a-z])([0-9])', 2)", "[1, 2]"),
            ("STR_TO_MAP('k1=v1,k2=v2,k1=v3')", "{k1: v3, k2: v2}"),
            ("STR_TO_MAP('k1:v1|k2', '\\|', ':')", "{k1: v1, k2: NULL}"),
            ("STR_TO_MAP('k1=v1,k2=v2')['k2']", "v2"),
            ("STR_TO_MAP('k1=v1')['K1']", "NULL"),
        ]);
    }

    #[test]
    fn arrays_answer_as_in_flink() {
        check(&[
            ("CARDINALITY(ARRAY[1, 2])", "2"),
            ("CARDINALITY(ARRAY_REMOVE(ARRAY[1], 1))", "0"),
            ("ARRAY_CONTAINS(ARRAY[1, 2], 2)", "true"),
            ("ARRAY_CONTAINS(ARRAY_REMOVE(ARRAY[1], 1), 2)", "false"),
            ("ARRAY_REMOVE(ARRAY[1, 2, 1], 1)", "[2]"),
            ("ARRAY_JOIN(ARRAY['a', NULL, 'c'], '+')", "a+c"),
            ("ARRAY_DISTINCT(ARRAY[3, 1, 3])", "[3, 1]"),
            ("ARRAY_REVERSE(ARRAY[1, 2])", "[2, 1]"),
            ("ARRAY_CONCAT(ARRAY[1], ARRAY[2])", "[1, 2]"),
            ("ARRAY_SLICE(ARRAY[1, 2, 3], 2, 3)", "[2, 3]"),
            ("ARRAY_SLICE(ARRAY[1], 2, 3)", "[]"),
            ("ARRAY_MAX(ARRAY[1, 3, 2])", "3"),
            ("ARRAY_MAX(ARRAY_REMOVE(ARRAY[1], 1))", "NULL"),
            ("ARRAY_JOIN(ARRAY_REMOVE(ARRAY['a'], 'a'), '+')", ""),
            ("ARRAY_POSITION(ARRAY_REMOVE(ARRAY[1], 1), 2)", "0"),
            ("ARRAY_CONTAINS(CAST(NULL AS INT[]), 2)", "NULL"),
            ("CARDINALITY(CAST(NULL AS INT[]))", "NULL"),
            ("ARRAY_POSITION(CAST(NULL AS INT[]), 2)", "NULL"),
            ("ARRAY_CONCAT(CAST(NULL AS INT[]), ARRAY[7])", "NULL"),
            ("ARRAY_UNION(ARRAY[1], CAST(NULL AS INT[]))", "NULL"),
            ("ARRAY_EXCEPT(ARRAY[1, 2], ARRAY[2])", "[1]"),
            ("ARRAY_DISTINCT(ARRAY[NULL, 2, NULL, 2])", "[NULL, 2]"),
            ("ARRAY[1, 2][1]", "1"),
            ("ARRAY[1, 2][3]", "NULL"),
            ("MAP_KEYS(MAP_FROM_ARRAYS(ARRAY[7], ARRAY[1]))", "[7]"),
            ("CARDINALITY(MAP(ARRAY[7], ARRAY[1]))", "1"),
        ]);
    }
}
