//! Lines of separated values into columns, by position over all physical columns of the table.
//!
//! As in Flink's `csv` format: a line has exactly as many fields as the table has physical columns (with
//! ignore-parse-errors, fields that are not there are NULL), an empty field is an empty string, and NULL is
//! what the null literal says, or nothing. A payload is one line; a line end at its end is allowed.

use std::sync::Arc;

use arrow::array::ArrayRef;
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::error::{Error, Result};
use crate::format::bad::{BadReason, BadRecord};
use crate::format::column::Column;
use crate::format::{ColumnSpec, DecodeOptions};
use crate::sql::types::SqlType;

/// What offsets can count: the texts of a batch are never longer than the payloads they come from.
const BATCH_BYTES_MAX: usize = i32::MAX as usize;

/// How lines are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub decode: DecodeOptions,
    /// `csv.field-delimiter`.
    pub delimiter: u8,
    /// `csv.quote-character`; None with `csv.disable-quote-character`.
    pub quote: Option<u8>,
    /// `csv.escape-character`.
    pub escape: Option<u8>,
    /// `csv.null-literal`: a field of exactly this text is NULL.
    pub null_literal: Option<String>,
    /// `csv.allow-comments`: a line that begins with `#` is no row, but a bad record without content.
    pub allow_comments: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            decode: DecodeOptions::default(),
            delimiter: b',',
            quote: Some(b'"'),
            escape: None,
            null_literal: None,
            allow_comments: false,
        }
    }
}

/// Reads one line per payload.
#[derive(Debug)]
pub struct Decoder {
    /// What to ask for: fixed.
    fields_count: usize,
    columns: Vec<Field>,
    options: Options,
    /// The rows so far.
    rows: usize,
    payload_bytes: usize,
    /// The fields of the last line, and where each ends.
    reader: Box<Reader>,
    line: Vec<u8>,
    ends: Vec<usize>,
}

#[derive(Debug)]
struct Field {
    /// Its place in a line.
    index: usize,
    name: Arc<str>,
    not_null: bool,
    column: Column,
}

impl Decoder {
    /// A decoder of `columns`, each with its place among the `fields_count` physical columns of the table.
    ///
    /// Fails on types with parts, which a line of text has no form for.
    pub fn new(fields_count: usize, columns: &[(usize, ColumnSpec)], options: Options) -> Result<Self> {
        let field = |(index, spec): &(usize, ColumnSpec)| {
            let column = Column::new(&spec.ty, options.decode.timestamp_format).ok_or_else(|| {
                let (name, ty): (&str, &SqlType) = (&spec.name, &spec.ty);
                Error::user(format!("column `{name}` of type `{ty}` cannot be read from CSV"))
                    .fix("use 'format' = 'json', or declare the column as STRING")
            })?;
            Ok(Field { index: *index, name: Arc::from(spec.name.as_str()), not_null: spec.not_null, column })
        };
        let mut builder = ReaderBuilder::new();
        builder.delimiter(options.delimiter).escape(options.escape).double_quote(true);
        match options.quote {
            Some(quote) => builder.quote(quote).quoting(true),
            None => builder.quoting(false),
        };
        Ok(Decoder {
            fields_count,
            columns: columns.iter().map(field).collect::<Result<_>>()?,
            rows: 0,
            payload_bytes: 0,
            reader: Box::new(builder.build()),
            line: Vec::new(),
            ends: vec![0; fields_count + 1],
            options,
        })
    }

    /// See [`crate::format::Decoder::push`].
    pub fn push(&mut self, payload: &[u8]) -> Result<(), BadRecord> {
        let pushed = self.split(payload).and_then(|fields| self.append(fields));
        match pushed {
            Ok(()) => {
                self.rows += 1;
                self.payload_bytes += payload.len();
            }
            Err(_) => self.columns.iter_mut().for_each(|field| field.column.truncate(self.rows)),
        }
        pushed
    }

    /// Splits the line into `line` and `ends`; how many fields there are.
    fn split(&mut self, payload: &[u8]) -> Result<usize, BadRecord> {
        if payload.len() > BATCH_BYTES_MAX - self.payload_bytes {
            return Err(BadRecord::new(BadReason::TooLarge));
        }
        if let Err(error) = simdutf8::compat::from_utf8(payload) {
            return Err(BadRecord::new(BadReason::InvalidUtf8).at(error.valid_up_to()));
        }
        let end = payload.iter().rposition(|c| !matches!(c, b'\r' | b'\n')).map_or(0, |last| last + 1);
        let line = &payload[..end];
        if line.is_empty() || self.options.allow_comments && line[0] == b'#' {
            return Err(BadRecord::new(BadReason::Empty));
        }
        self.reader.reset();
        // No field is longer than its line.
        self.line.resize(line.len() + 16, 0);
        let (result, read, written, fields) = self.reader.read_record(line, &mut self.line, &mut self.ends);
        let (result, fields) = match result {
            // A line end ends the record, unless it is within quotes that were never closed.
            ReadRecordResult::InputEmpty => {
                let (result, _, _, more) =
                    self.reader.read_record(b"\n", &mut self.line[written..], &mut self.ends[fields..]);
                (result, fields + more)
            }
            ReadRecordResult::Record => (ReadRecordResult::InputEmpty, fields),
            result => (result, fields),
        };
        match result {
            ReadRecordResult::Record => Ok(fields),
            ReadRecordResult::InputEmpty => Err(BadRecord::new(BadReason::CsvQuotes).at(read)),
            _ if self.options.decode.ignore_parse_errors => Ok(self.fields_count),
            _ => Err(BadRecord::new(BadReason::CsvColumns)),
        }
    }

    fn append(&mut self, fields: usize) -> Result<(), BadRecord> {
        let options = &self.options;
        if fields != self.fields_count && !options.decode.ignore_parse_errors {
            return Err(BadRecord::new(BadReason::CsvColumns));
        }
        for field in &mut self.columns {
            let blame = |reason| BadRecord::new(reason).column(Some(Arc::clone(&field.name)));
            let text = (field.index < fields).then(|| {
                let start = if field.index == 0 { 0 } else { self.ends[field.index - 1] };
                &self.line[start..self.ends[field.index]]
            });
            let text = text.filter(|text| options.null_literal.as_deref().map(str::as_bytes) != Some(text));
            let read = match text {
                Some(text) => field.column.push_text(trimmed(text, &field.column)),
                None => {
                    field.column.push_null();
                    Ok(())
                }
            };
            match read {
                Err(_) if options.decode.ignore_parse_errors => field.column.push_null(),
                read => read.map_err(blame)?,
            }
            if field.not_null && field.column.ends_in_null(self.rows) {
                return Err(blame(BadReason::NullNotAllowed));
            }
        }
        Ok(())
    }

    /// See [`crate::format::Decoder::rows`].
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// See [`crate::format::Decoder::bytes`].
    pub fn bytes(&self) -> usize {
        self.columns.iter().map(|field| field.column.bytes()).sum()
    }

    /// See [`crate::format::Decoder::take`].
    pub fn take(&mut self) -> Result<Vec<ArrayRef>> {
        (self.rows, self.payload_bytes) = (0, 0);
        self.columns.iter_mut().map(|field| field.column.take()).collect()
    }

    /// See [`crate::format::Decoder::truncate`].
    pub fn truncate(&mut self, rows: usize) {
        self.rows = self.rows.min(rows);
        self.columns.iter_mut().for_each(|field| field.column.truncate(rows));
    }
}

/// White space around a value counts only in a string.
fn trimmed<'a>(text: &'a [u8], column: &Column) -> &'a [u8] {
    if matches!(column, Column::Text(_)) { text } else { text.trim_ascii() }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::{Int32Type, TimestampMicrosecondType};

    use super::*;

    fn spec(name: &str, ty: SqlType) -> ColumnSpec {
        ColumnSpec { name: name.into(), ty, not_null: false }
    }

    /// Columns 0 and 2 of three.
    fn decoder(options: Options) -> Decoder {
        let columns = [(0, spec("id", SqlType::String)), (2, spec("n", SqlType::Int))];
        Decoder::new(3, &columns, options).unwrap()
    }

    fn reason(decoder: &mut Decoder, line: &str) -> BadReason {
        decoder.push(line.as_bytes()).unwrap_err().reason
    }

    fn texts(column: &ArrayRef) -> Vec<Option<&str>> {
        column.as_string_view().iter().collect()
    }

    #[test]
    fn columns_are_taken_by_their_place() {
        let mut decoder = decoder(Options::default());
        for line in ["a,x,1", " b ,x, 2 \r\n", "\"c,\"\"c\",,3\n", ",,4", "\"two\nlines\",,5"] {
            decoder.push(line.as_bytes()).unwrap();
        }
        let columns = decoder.take().unwrap();
        let ids = [Some("a"), Some(" b "), Some("c,\"c"), Some(""), Some("two\nlines")];
        assert_eq!(texts(&columns[0]), ids);
        assert_eq!(columns[1].as_primitive::<Int32Type>().values(), &[1, 2, 3, 4, 5]);
        assert_eq!((decoder.rows(), decoder.bytes()), (0, 0));
    }

    #[test]
    fn a_bad_line_says_why_and_leaves_nothing() {
        let mut decoder = decoder(Options::default());
        for (line, expected) in [
            ("", BadReason::Empty),
            ("\r\n", BadReason::Empty),
            ("a,b", BadReason::CsvColumns),
            ("a,b,1,2", BadReason::CsvColumns),
            ("a,b,x", BadReason::TypeMismatch),
            ("a,b,", BadReason::TypeMismatch),
            ("a,b,3000000000", BadReason::OutOfRange),
            ("a,\"b,1", BadReason::CsvQuotes),
            ("a,b,1\nc,d,2", BadReason::CsvQuotes),
        ] {
            assert_eq!(reason(&mut decoder, line), expected, "{line}");
            assert_eq!(decoder.rows(), 0);
            decoder.push(b"k,,1").unwrap();
            assert_eq!(texts(&decoder.take().unwrap()[0]), [Some("k")], "{line}");
        }
        assert_eq!(decoder.push(b"a,\xff,1").unwrap_err().at_byte, 2);
        let bad = decoder.push(b"a,b,x").unwrap_err();
        assert_eq!(bad.describe(), "column `n`: the value cannot be read as the declared type");
    }

    #[test]
    fn the_options_of_the_format_are_followed() {
        let options = Options {
            delimiter: b';',
            quote: Some(b'\''),
            escape: Some(b'\\'),
            null_literal: Some("n/a".into()),
            allow_comments: true,
            ..Options::default()
        };
        let mut decoder = decoder(options);
        assert_eq!(reason(&mut decoder, "# a comment"), BadReason::Empty);
        decoder.push(b"'a\\';b';;n/a").unwrap();
        decoder.push(b"n/a;;7").unwrap();
        let columns = decoder.take().unwrap();
        assert_eq!(texts(&columns[0]), [Some("a';b"), None]);
        assert!(columns[1].is_null(0) && columns[1].is_valid(1));
        let mut decoder = self::decoder(Options { quote: None, ..Options::default() });
        decoder.push(b"\"a,b,1").unwrap();
        assert_eq!(texts(&decoder.take().unwrap()[0]), [Some("\"a")]);
    }

    #[test]
    fn ignored_parse_errors_are_null() {
        let decode = DecodeOptions { ignore_parse_errors: true, ..DecodeOptions::default() };
        let mut decoder = decoder(Options { decode, ..Options::default() });
        for line in ["a,b,x", "a", "a,b,1,2"] {
            decoder.push(line.as_bytes()).unwrap();
        }
        let columns = decoder.take().unwrap();
        let numbers: Vec<_> = columns[1].as_primitive::<Int32Type>().iter().collect();
        assert_eq!(numbers, [None, None, Some(1)]);
    }

    #[test]
    fn null_is_refused_where_it_is_not_allowed_and_parts_are_refused_at_once() {
        let column = ColumnSpec { name: "t".into(), ty: SqlType::Timestamp(3), not_null: true };
        let options = Options { null_literal: Some(String::new()), ..Options::default() };
        let mut decoder = Decoder::new(1, &[(0, column)], options).unwrap();
        assert_eq!(reason(&mut decoder, "\"\""), BadReason::NullNotAllowed);
        decoder.push(b"1970-01-01 00:00:01").unwrap();
        decoder.push(b"1970-01-01 00:00:02").unwrap();
        decoder.truncate(1);
        let columns = decoder.take().unwrap();
        assert_eq!(columns[0].as_primitive::<TimestampMicrosecondType>().values(), &[1_000_000]);
        let parts = spec("l", SqlType::Array(Box::new(SqlType::Int)));
        let error = Decoder::new(1, &[(0, parts)], Options::default()).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
