//! Random rows, twice: as JSON lines in files for the job, and as Arrow columns for the oracle.
//!
//! In each file a row is at most the declared delay older than the newest one before it, so that none is late
//! whatever the epochs: a partition's watermark never passes a row that is still to come.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, ListBuilder,
    RecordBatch, StringViewArray, StringViewBuilder, StructArray, TimestampMicrosecondArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

const SECOND: i64 = 1_000_000;
const TEXTS: &[&str] =
    &["a", "b", "bb", "Zürich", "", "say \"x\"", "a longer text that no view holds inline"];

#[derive(Debug, Clone)]
struct Row {
    id: i64,
    time_micros: i64,
    s: Option<&'static str>,
    i: Option<i32>,
    b: Option<i64>,
    d: Option<f64>,
    /// Hundredths.
    n: Option<i128>,
    flag: Option<bool>,
    day: Option<i32>,
    tags: Option<Vec<Option<&'static str>>>,
    r: Option<(Option<i32>, Option<&'static str>)>,
}

/// The rows of a table, and the files they are in.
pub struct Rows {
    rows: Vec<Row>,
    /// For each row, which file it is in.
    file_of: Vec<usize>,
    files: usize,
    pub delay_seconds: i64,
}

impl Rows {
    /// Rows that fill some windows of the given size, and stay behind by up to some of them.
    pub fn generate(random: &mut StdRng, size_seconds: i64) -> Rows {
        let count = if random.random_bool(0.05) { 0 } else { random.random_range(1..300) };
        let files = random.random_range(1..5);
        let delay_seconds = random.random_range(0..=3 * size_seconds);
        // Long ago, across 1970, and not long ago.
        let begin = *[-86_400 * 400, -60, 0, 1_600_000_000].choose(random).unwrap_or(&0) * SECOND;
        let span_seconds = random.random_range(1..=30 * size_seconds);
        let mut clock = begin;
        let mut rows = Vec::with_capacity(count);
        for id in 0..count as i64 {
            clock += random.random_range(0..=2 * span_seconds * SECOND / (count as i64 + 1));
            let behind = random.random_range(0..=delay_seconds * SECOND);
            let time_micros = (clock - behind).div_euclid(1_000) * 1_000 + 1_000;
            rows.push(Row::generate(random, id, time_micros));
        }
        let file_of = (0..count).map(|_| random.random_range(0..files)).collect();
        // A millisecond more than the rows' disorder, for their rounding.
        Rows { rows, file_of, files, delay_seconds: delay_seconds + 1 }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The statement that declares the rows' files as table `t`.
    pub fn declaration(path: &str, delay_seconds: i64) -> String {
        format!(
            "CREATE TABLE t (\n  id BIGINT, ts TIMESTAMP(3), s STRING, i INT, b BIGINT, d DOUBLE,\n  \
             n DECIMAL(12, 2), flag BOOLEAN, `day` DATE, tags ARRAY<STRING>, r ROW<a INT, z STRING>,\n  \
             WATERMARK FOR ts AS ts - INTERVAL '{delay_seconds}' SECOND\n) WITH (\n  \
             'connector' = 'filesystem', 'path' = '{path}', 'format' = 'json'\n);"
        )
    }

    /// Writes the files into a folder.
    pub fn write(&self, folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        for file in 0..self.files {
            let rows = self.rows.iter().zip(&self.file_of).filter(|(_, of)| **of == file);
            let lines: String = rows.map(|(row, _)| row.json()).collect();
            std::fs::write(folder.join(format!("{file}.jsonl")), lines).unwrap();
        }
    }

    pub fn times(&self) -> Vec<i64> {
        self.rows.iter().map(|row| row.time_micros).collect()
    }

    /// All rows, with the types that the declaration gives them.
    pub fn batch(&self) -> RecordBatch {
        fn column<T: FromIterator<V>, V>(rows: &[Row], value: impl Fn(&Row) -> V) -> T {
            rows.iter().map(value).collect()
        }
        let rows = &self.rows;
        let numbers: Decimal128Array = column(rows, |row| row.n);
        let numbers = numbers.with_precision_and_scale(12, 2).unwrap();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("id", Arc::new(column::<Int64Array, _>(rows, |row| Some(row.id)))),
            ("ts", Arc::new(column::<TimestampMicrosecondArray, _>(rows, |row| Some(row.time_micros)))),
            ("s", Arc::new(column::<StringViewArray, _>(rows, |row| row.s))),
            ("i", Arc::new(column::<Int32Array, _>(rows, |row| row.i))),
            ("b", Arc::new(column::<Int64Array, _>(rows, |row| row.b))),
            ("d", Arc::new(column::<Float64Array, _>(rows, |row| row.d))),
            ("n", Arc::new(numbers)),
            ("flag", Arc::new(column::<BooleanArray, _>(rows, |row| row.flag))),
            ("day", Arc::new(column::<Date32Array, _>(rows, |row| row.day))),
            ("tags", tags(rows)),
            ("r", structs(rows)),
        ];
        let nullable = columns.into_iter().map(|(name, column)| (name, column, true));
        RecordBatch::try_from_iter_with_nullable(nullable).unwrap()
    }
}

fn tags(rows: &[Row]) -> ArrayRef {
    let mut list = ListBuilder::new(StringViewBuilder::new());
    for row in rows {
        for tag in row.tags.iter().flatten() {
            list.values().append_option(*tag);
        }
        list.append(row.tags.is_some());
    }
    Arc::new(list.finish())
}

fn structs(rows: &[Row]) -> ArrayRef {
    let a: Int32Array = rows.iter().map(|row| row.r.and_then(|(a, _)| a)).collect();
    let z: StringViewArray = rows.iter().map(|row| row.r.and_then(|(_, z)| z)).collect();
    let fields =
        Fields::from(vec![Field::new("a", DataType::Int32, true), Field::new("z", DataType::Utf8View, true)]);
    let nulls: NullBuffer = rows.iter().map(|row| row.r.is_some()).collect();
    Arc::new(StructArray::new(fields, vec![Arc::new(a), Arc::new(z)], Some(nulls)))
}

impl Row {
    fn generate(random: &mut StdRng, id: i64, time_micros: i64) -> Row {
        // Doubles are multiples of a quarter: their sums are exact in any order.
        Row {
            id,
            time_micros,
            s: maybe(random, |random| TEXTS.choose(random).copied().unwrap_or_default()),
            i: maybe(random, |random| random.random_range(-5..20)),
            b: maybe(random, |random| random.random_range(-1_000_000_000_000..1_000_000_000_000)),
            d: maybe(random, |random| f64::from(random.random_range(-40..400)) / 4.0),
            n: maybe(random, |random| random.random_range(-100_000..1_000_000_000)),
            flag: maybe(random, |random| random.random_bool(0.6)),
            day: maybe(random, |random| random.random_range(-2..3)),
            tags: maybe(random, |random| {
                let count = random.random_range(0..4);
                (0..count)
                    .map(|_| maybe(random, |random| TEXTS.choose(random).copied().unwrap_or_default()))
                    .collect()
            }),
            r: maybe(random, |random| {
                let a = maybe(random, |random| random.random_range(0..3));
                (a, maybe(random, |random| TEXTS[random.random_range(0..2)]))
            }),
        }
    }

    /// One line; a NULL is written or left out, as the row's number decides.
    fn json(&self) -> String {
        let text = |text: Option<&str>| text.map(|text| serde_json::to_string(text).unwrap());
        let time = |format: &str, micros: i64| {
            let at = chrono::DateTime::from_timestamp_micros(micros).unwrap();
            format!("\"{}\"", at.format(format))
        };
        let tags = self.tags.as_ref().map(|tags| {
            let tags = tags.iter().map(|tag| text(*tag).unwrap_or_else(|| "null".into()));
            format!("[{}]", tags.collect::<Vec<_>>().join(","))
        });
        let record = self.r.map(|(a, z)| {
            let a = a.map_or("null".into(), |a| a.to_string());
            format!("{{\"a\":{a},\"z\":{}}}", text(z).unwrap_or_else(|| "null".into()))
        });
        let day = self.day.map(|day| time("%Y-%m-%d", i64::from(day) * 86_400 * SECOND));
        let hundredths = |n: i128| {
            let sign = if n < 0 { "-" } else { "" };
            format!("{sign}{}.{:02}", n.unsigned_abs() / 100, n.unsigned_abs() % 100)
        };
        let fields = [
            ("id", Some(self.id.to_string())),
            ("ts", Some(time("%Y-%m-%d %H:%M:%S%.3f", self.time_micros))),
            ("s", text(self.s)),
            ("i", self.i.map(|i| i.to_string())),
            ("b", self.b.map(|b| b.to_string())),
            ("d", self.d.map(|d| d.to_string())),
            ("n", self.n.map(hundredths)),
            ("flag", self.flag.map(|flag| flag.to_string())),
            ("day", day),
            ("tags", tags),
            ("r", record),
        ];
        let mut line = String::from("{");
        for (name, value) in fields {
            if value.is_none() && self.id % 2 == 0 {
                continue;
            }
            let comma = if line.len() > 1 { "," } else { "" };
            write!(line, "{comma}\"{name}\":{}", value.as_deref().unwrap_or("null")).unwrap();
        }
        line + "}\n"
    }
}

/// NULL one time in six.
fn maybe<T>(random: &mut StdRng, value: impl FnOnce(&mut StdRng) -> T) -> Option<T> {
    (!random.random_bool(1.0 / 6.0)).then(|| value(random))
}
