//! A record's whole payload as the one column of its table.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryViewBuilder, StringViewBuilder};

use crate::error::{Error, Result};
use crate::format::{BadReason, BadRecord, ColumnSpec};
use crate::sql::types::SqlType;

/// Collects payloads.
#[derive(Debug)]
pub struct Decoder {
    column: Column,
    rows: usize,
    bytes: usize,
}

#[derive(Debug)]
enum Column {
    /// The query reads no column.
    None,
    Text(Vec<String>),
    Bytes(Vec<Vec<u8>>),
}

impl Decoder {
    /// `columns` are those that the query needs: at most one, STRING or BYTES.
    pub fn new(columns: &[ColumnSpec]) -> Result<Self> {
        let column = match columns {
            [] => Column::None,
            [only] if only.ty == SqlType::String => Column::Text(Vec::new()),
            [only] if only.ty == SqlType::Bytes => Column::Bytes(Vec::new()),
            _ => {
                return Err(Error::user("'format' = 'raw' takes one column")
                    .fix("declare one column of type STRING or BYTES beside the METADATA columns"));
            }
        };
        Ok(Decoder { column, rows: 0, bytes: 0 })
    }

    pub fn push(&mut self, payload: &[u8]) -> Result<(), BadRecord> {
        match &mut self.column {
            Column::None => {}
            Column::Bytes(values) => values.push(payload.to_vec()),
            Column::Text(values) => {
                let text = simdutf8::compat::from_utf8(payload)
                    .map_err(|error| BadRecord::new(BadReason::InvalidUtf8).at(error.valid_up_to()))?;
                values.push(text.to_string());
            }
        }
        self.rows += 1;
        self.bytes += payload.len();
        Ok(())
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn take(&mut self) -> Vec<ArrayRef> {
        (self.rows, self.bytes) = (0, 0);
        match &mut self.column {
            Column::None => Vec::new(),
            Column::Text(values) => {
                let mut builder = StringViewBuilder::with_capacity(values.len());
                values.drain(..).for_each(|value| builder.append_value(value));
                vec![Arc::new(builder.finish())]
            }
            Column::Bytes(values) => {
                let mut builder = BinaryViewBuilder::with_capacity(values.len());
                values.drain(..).for_each(|value| builder.append_value(value));
                vec![Arc::new(builder.finish())]
            }
        }
    }

    pub fn truncate(&mut self, rows: usize) {
        self.rows = self.rows.min(rows);
        match &mut self.column {
            Column::None => {}
            Column::Text(values) => values.truncate(rows),
            Column::Bytes(values) => values.truncate(rows),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;

    #[test]
    fn a_payload_is_a_row_and_text_must_be_utf8() {
        let column = ColumnSpec { name: "line".into(), ty: SqlType::String, not_null: false };
        let mut decoder = Decoder::new(&[column]).unwrap();
        decoder.push(b"one").unwrap();
        assert!(decoder.push(b"\xff").is_err());
        decoder.push(b"two").unwrap();
        decoder.push(b"three").unwrap();
        decoder.truncate(2);
        let columns = decoder.take();
        let values: Vec<&str> = columns[0].as_string_view().iter().flatten().collect();
        assert_eq!(values, ["one", "two"]);
        assert_eq!(decoder.rows(), 0);
    }
}
