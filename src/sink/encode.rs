//! Batches → the bytes a target takes: JSON or CSV rows, or the lines of a table on a terminal.

use std::fmt::Write;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::util::display::{ArrayFormatter, DurationFormat, FormatOptions};

use crate::error::{Error, Result};
use crate::format::EncodedRows;
use crate::format::json;

/// Encodes the rows of one pipeline.
pub enum Encoder {
    Json(json::Encoder),
    /// JSON rows with a key made of these columns.
    KeyedJson {
        values: json::Encoder,
        value_columns: Vec<usize>,
        keys: json::Encoder,
        key_columns: Vec<usize>,
    },
    /// JSON rows whose key is the text of one column.
    RawKeyJson {
        values: json::Encoder,
        value_columns: Vec<usize>,
        key_column: usize,
    },
    Csv(CsvLines),
    Table(TableLines),
}

impl Encoder {
    pub fn encode(&mut self, batch: &RecordBatch, out: &mut EncodedRows) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        match self {
            Encoder::Json(encoder) => encoder.encode(batch, out),
            Encoder::KeyedJson { values, value_columns, keys, key_columns } => {
                let key_rows = encoded(keys, batch, key_columns)?;
                let value_rows = encoded(values, batch, value_columns)?;
                for ((_, key), (_, value)) in key_rows.iter().zip(value_rows.iter()) {
                    out.push(Some(key), value);
                }
                Ok(())
            }
            Encoder::RawKeyJson { values, value_columns, key_column } => {
                let value_rows = encoded(values, batch, value_columns)?;
                let text = Texts::new(std::slice::from_ref(batch.column(*key_column)))?;
                for (row, (_, value)) in value_rows.iter().enumerate() {
                    match text.get(0, row) {
                        Some(key) => out.push(Some(key.as_bytes()), value),
                        None => out.push(None, value),
                    }
                }
                Ok(())
            }
            Encoder::Csv(lines) => lines.encode(batch, out),
            Encoder::Table(lines) => lines.encode(batch, out),
        }
    }
}

fn encoded(encoder: &json::Encoder, batch: &RecordBatch, columns: &[usize]) -> Result<EncodedRows> {
    let batch = batch
        .project(columns)
        .map_err(|cause| Error::internal("a sink's columns are not in its batch").caused_by(cause))?;
    let mut rows = EncodedRows::new();
    encoder.encode(&batch, &mut rows)?;
    Ok(rows)
}

/// Values of columns as text; NULL is `None`.
struct Texts<'a> {
    columns: Vec<(ArrayFormatter<'a>, &'a ArrayRef)>,
}

impl<'a> Texts<'a> {
    fn new(columns: &'a [ArrayRef]) -> Result<Self> {
        let options = FormatOptions::new()
            .with_duration_format(DurationFormat::Pretty)
            .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
            .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.fZ"));
        let formatter = |column: &'a ArrayRef| {
            let formatter = ArrayFormatter::try_new(column.as_ref(), &options)
                .map_err(|cause| Error::internal("a column cannot be shown as text").caused_by(cause))?;
            Ok((formatter, column))
        };
        Ok(Texts { columns: columns.iter().map(formatter).collect::<Result<_>>()? })
    }

    fn get(&self, column: usize, row: usize) -> Option<String> {
        let (formatter, array) = &self.columns[column];
        (!array.is_null(row)).then(|| formatter.value(row).to_string())
    }
}

/// CSV lines after one header line; NULL is empty.
pub struct CsvLines {
    names: Option<Vec<String>>,
    delimiter: char,
}

impl CsvLines {
    /// With `header`, the first line names the columns.
    pub fn new(schema: &SchemaRef, delimiter: char, header: bool) -> Self {
        let names = schema.fields().iter().map(|field| field.name().clone()).collect();
        CsvLines { names: header.then_some(names), delimiter }
    }

    fn encode(&mut self, batch: &RecordBatch, out: &mut EncodedRows) -> Result<()> {
        if let Some(names) = self.names.take() {
            let line: Vec<String> = names.iter().map(|name| self.quoted(name)).collect();
            out.push_value(line.join(&self.delimiter.to_string()).as_bytes());
        }
        let texts = Texts::new(batch.columns())?;
        let mut line = String::new();
        for row in 0..batch.num_rows() {
            line.clear();
            for column in 0..batch.num_columns() {
                if column > 0 {
                    line.push(self.delimiter);
                }
                if let Some(text) = texts.get(column, row) {
                    line.push_str(&self.quoted(&text));
                }
            }
            out.push_value(line.as_bytes());
        }
        Ok(())
    }

    fn quoted(&self, text: &str) -> String {
        let needs = text.is_empty() || text.contains([self.delimiter, '"', '\n', '\r']);
        if needs { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_string() }
    }
}

/// Lines of a table whose columns are as wide as what the first rows need; a header once.
pub struct TableLines {
    names: Vec<String>,
    right: Vec<bool>,
    widths: Option<Vec<usize>>,
}

/// Wider cells push their line out instead of being cut: nothing is hidden.
const WIDTH_MAX: usize = 40;

impl TableLines {
    pub fn new(schema: &SchemaRef) -> Self {
        let names = schema.fields().iter().map(|field| field.name().clone()).collect();
        let right = schema.fields().iter().map(|field| field.data_type().is_numeric()).collect();
        TableLines { names, right, widths: None }
    }

    fn encode(&mut self, batch: &RecordBatch, out: &mut EncodedRows) -> Result<()> {
        let texts = Texts::new(batch.columns())?;
        let row = |row: usize| -> Vec<String> {
            (0..batch.num_columns()).map(|c| texts.get(c, row).unwrap_or_else(|| "NULL".into())).collect()
        };
        let rows: Vec<Vec<String>> = (0..batch.num_rows()).map(row).collect();
        if self.widths.is_none() {
            let width = |column: usize| {
                let cells = rows.iter().map(|row| row[column].chars().count());
                let widest = cells.max().unwrap_or_default().min(WIDTH_MAX);
                widest.max(self.names[column].chars().count())
            };
            let widths: Vec<usize> = (0..self.names.len()).map(width).collect();
            let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
            self.widths = Some(widths);
            out.push_value(self.line(&self.names).as_bytes());
            out.push_value(rule.join("  ").as_bytes());
        }
        for row in &rows {
            out.push_value(self.line(row).as_bytes());
        }
        Ok(())
    }

    fn line(&self, cells: &[String]) -> String {
        let mut line = String::new();
        let widths = self.widths.as_deref().unwrap_or_default();
        for (i, cell) in cells.iter().enumerate() {
            let gap = if i == 0 { "" } else { "  " };
            let width = widths.get(i).copied().unwrap_or_default();
            // Writing into a String cannot fail.
            let written = match self.right[i] {
                true => write!(line, "{gap}{cell:>width$}"),
                false => write!(line, "{gap}{cell:<width$}"),
            };
            debug_assert!(written.is_ok(), "a String takes everything");
        }
        line.trim_end().to_string()
    }
}
