//! JSON objects into columns.
//!
//! The schema drives: only the columns asked for are made, the rest is checked and skipped. The grammar is
//! strict, UTF-8 included, also where nobody asked for the value: what any other JSON reader would refuse is
//! a bad record. Two limits are ours: the top level is an object, and nothing is nested deeper than 64.
//!
//! Why own code: arrow-json loses the rows before a bad record and blames the next one for a truncated
//! payload, and takes things that are not JSON. Reading straight into columns is also twice as fast.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::Fields;

use super::node::Row;
use super::read::Reader;
use super::scan::{Fault, Scanned, byte, not_json, skip_space};
use crate::error::Result;
use crate::format::bad::{BadReason, BadRecord, Syntax};
use crate::format::{ColumnSpec, DecodeOptions};

/// What offsets can count: the texts of a batch are never longer than the payloads they come from.
const BATCH_BYTES_MAX: usize = i32::MAX as usize;

/// Reads one JSON object per payload.
#[derive(Debug)]
pub struct Decoder {
    /// What to ask for: fixed.
    names: Vec<Arc<str>>,
    not_null: Vec<usize>,
    options: DecodeOptions,
    /// The rows so far.
    root: Row,
    /// Bytes of the payloads they come from.
    payload_bytes: usize,
}

impl Decoder {
    /// A decoder of `columns`, in this order; their names are the top-level keys, by case.
    ///
    /// Fails if a type cannot be read from JSON (a map with keys that have parts).
    pub fn new(columns: &[ColumnSpec], options: DecodeOptions) -> Result<Self> {
        let pairs = columns.iter().map(|column| (column.name.as_str(), &column.ty));
        Ok(Decoder {
            names: columns.iter().map(|column| Arc::from(column.name.as_str())).collect(),
            not_null: (0..columns.len()).filter(|i| columns[*i].not_null).collect(),
            options,
            root: Row::new(pairs, Fields::empty(), options.timestamp_format)?,
            payload_bytes: 0,
        })
    }

    /// See [`crate::format::Decoder::push`].
    pub fn push(&mut self, payload: &[u8]) -> Result<(), BadRecord> {
        let rows = self.root.rows;
        let mut reader = Reader::new(self.options.ignore_parse_errors, self.options.fail_on_missing_field);
        let read = self.read(payload, &mut reader);
        if reader.learnt {
            self.root.settle_keys(read.is_ok());
        }
        match read {
            Ok(()) => {
                self.payload_bytes += payload.len();
                Ok(())
            }
            Err(fault) => {
                self.root.truncate(rows);
                Err(self.bad_record(payload, fault, reader.blamed))
            }
        }
    }

    #[inline(always)]
    fn read(&mut self, payload: &[u8], reader: &mut Reader) -> Scanned<()> {
        if payload.len() > BATCH_BYTES_MAX - self.payload_bytes {
            return Err((0, BadReason::TooLarge));
        }
        let start = skip_space(payload, 0);
        if byte(payload, start) != b'{' {
            return not_json(start, Syntax::Object);
        }
        let row = self.root.rows;
        let end = skip_space(payload, reader.row(payload, start, &mut self.root)?);
        if end < payload.len() {
            return Err((end, BadReason::TrailingData));
        }
        if !reader.scan.is_ascii() {
            simdutf8::compat::from_utf8(payload)
                .map_err(|error| (error.valid_up_to(), BadReason::InvalidUtf8))?;
        }
        for &column in &self.not_null {
            if self.root.columns[column].ends_in_null(row) {
                reader.blamed = Some(column);
                return Err((0, BadReason::NullNotAllowed));
            }
        }
        Ok(())
    }

    #[cold]
    fn bad_record(&self, payload: &[u8], (at, reason): Fault, blamed: Option<usize>) -> BadRecord {
        let reason = match reason {
            BadReason::NotJson(_) if skip_space(payload, 0) == payload.len() => BadReason::Empty,
            BadReason::NotJson(_) if at >= payload.len() => BadReason::Truncated,
            reason => reason,
        };
        let names_column =
            reason.blames_field() || matches!(reason, BadReason::MissingField | BadReason::NullNotAllowed);
        let column = blamed.filter(|_| names_column).map(|column| Arc::clone(&self.names[column]));
        BadRecord { reason, at_byte: at.min(payload.len()), column }
    }

    /// See [`crate::format::Decoder::rows`].
    pub fn rows(&self) -> usize {
        self.root.rows
    }

    /// See [`crate::format::Decoder::bytes`].
    pub fn bytes(&self) -> usize {
        self.root.bytes()
    }

    /// See [`crate::format::Decoder::take`].
    pub fn take(&mut self) -> Result<Vec<ArrayRef>> {
        self.payload_bytes = 0;
        self.root.take_columns()
    }

    /// See [`crate::format::Decoder::truncate`].
    pub fn truncate(&mut self, rows: usize) {
        self.root.truncate(rows);
    }
}
