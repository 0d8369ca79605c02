//! Turns payloads into columns and batches into payloads: one folder per format.
//!
//! A decoder takes one payload at a time and appends exactly one row to its growing columns, or nothing at
//! all and a [`BadRecord`] that says why. So a bad record costs its own row only, and knows its place.
//! Nothing here does I/O, keeps a thread, or asks for the time.

mod bad;
mod column;
pub mod csv;
pub mod json;
pub mod raw;
mod rows;
mod scalar;
mod timestamp;

use arrow::array::ArrayRef;

use crate::error::Result;
use crate::sql::types::SqlType;

pub use bad::{BadReason, BadRecord, Syntax};
pub use rows::EncodedRows;

/// A physical column of a table: one that is read from the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSpec {
    pub name: String,
    pub ty: SqlType,
    pub not_null: bool,
}

/// How moments are written in text: the option `json.timestamp-format.standard`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimestampFormat {
    /// Reads `T` or a space, any fraction, no zone or any offset (without a zone it is UTC, and a column
    /// without a zone keeps the UTC wall clock), and numbers as epoch milliseconds. Writes as `Sql`.
    #[default]
    Lenient,
    /// `2024-02-28 21:00:00.123`; with a local time zone it ends in `Z`.
    Sql,
    /// `2024-02-28T21:00:00.123`; with a local time zone it ends in `Z`.
    Iso8601,
}

/// What a decoder does with fields that are wrong or not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecodeOptions {
    pub timestamp_format: TimestampFormat,
    /// A field that does not fit its column is NULL instead of making the record bad.
    pub ignore_parse_errors: bool,
    /// A field that is not there makes the record bad instead of being NULL.
    pub fail_on_missing_field: bool,
}

/// How an encoder writes rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EncodeOptions {
    pub timestamp_format: TimestampFormat,
    /// Leaves fields that are NULL out, at every level, instead of writing `null`.
    pub ignore_null_fields: bool,
}

/// Payloads of one format into columns.
#[derive(Debug)]
pub enum Decoder {
    Json(json::Decoder),
    Csv(csv::Decoder),
    Raw(raw::Decoder),
}

impl Decoder {
    /// Appends exactly one row, or nothing at all and says why.
    pub fn push(&mut self, payload: &[u8]) -> Result<(), BadRecord> {
        match self {
            Decoder::Json(decoder) => decoder.push(payload),
            Decoder::Csv(decoder) => decoder.push(payload),
            Decoder::Raw(decoder) => decoder.push(payload),
        }
    }

    /// Rows since the last [`Decoder::take`].
    pub fn rows(&self) -> usize {
        match self {
            Decoder::Json(decoder) => decoder.rows(),
            Decoder::Csv(decoder) => decoder.rows(),
            Decoder::Raw(decoder) => decoder.rows(),
        }
    }

    /// Roughly the bytes of the buffered values: what a batch of them will weigh.
    pub fn bytes(&self) -> usize {
        match self {
            Decoder::Json(decoder) => decoder.bytes(),
            Decoder::Csv(decoder) => decoder.bytes(),
            Decoder::Raw(decoder) => decoder.bytes(),
        }
    }

    /// The columns so far, in the order they were asked for, each of the type [`SqlType::arrow`] says.
    ///
    /// The decoder is empty again afterwards and keeps what it has learnt. An error is a bug of ours.
    pub fn take(&mut self) -> Result<Vec<ArrayRef>> {
        match self {
            Decoder::Json(decoder) => decoder.take(),
            Decoder::Csv(decoder) => decoder.take(),
            Decoder::Raw(decoder) => Ok(decoder.take()),
        }
    }

    /// Forgets all rows from `rows` on; does nothing if there are no more than that.
    pub fn truncate(&mut self, rows: usize) {
        match self {
            Decoder::Json(decoder) => decoder.truncate(rows),
            Decoder::Csv(decoder) => decoder.truncate(rows),
            Decoder::Raw(decoder) => decoder.truncate(rows),
        }
    }
}
