//! Why a record could not become a row.
//!
//! Made once for each bad record, so it is small and allocates nothing: the column's name is shared with the
//! decoder, and the sentence for a person is made only when somebody asks for it.

use std::fmt;
use std::sync::Arc;

/// What is wrong with a record. Each reason has a metric label, [`BadReason::as_str`], that never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BadReason {
    /// No payload, or nothing but white space.
    Empty,
    NotJson(Syntax),
    /// The payload ends within a value.
    Truncated,
    /// There is more after the end of the value.
    TrailingData,
    InvalidUtf8,
    /// Nested deeper than 64 levels.
    TooDeep,
    /// More than a batch can hold.
    TooLarge,
    /// A value that the declared type cannot be made from.
    TypeMismatch,
    /// A value of the right kind, beyond what the declared type can hold.
    OutOfRange,
    /// Not a date or a time in the declared format.
    BadTimestamp,
    MissingField,
    NullNotAllowed,
    EventTimeNull,
    /// The event time is further ahead of the wall clock than is allowed.
    EventTimeFuture,
    /// A line with more or fewer fields than the table has columns.
    CsvColumns,
    /// A quoted field that does not end, or more than one line.
    CsvQuotes,
}

/// What a JSON text should have had where it went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Syntax {
    Object,
    Key,
    Colon,
    CommaOrBrace,
    CommaOrBracket,
    Value,
    Digit,
    Escape,
    NoControl,
}

impl BadReason {
    /// The label in metrics and dead-letter headers.
    pub fn as_str(self) -> &'static str {
        match self {
            BadReason::Empty => "empty",
            BadReason::NotJson(_) => "not_json",
            BadReason::Truncated => "truncated",
            BadReason::TrailingData => "trailing_data",
            BadReason::InvalidUtf8 => "invalid_utf8",
            BadReason::TooDeep => "too_deep",
            BadReason::TooLarge => "too_large",
            BadReason::TypeMismatch => "type_mismatch",
            BadReason::OutOfRange => "out_of_range",
            BadReason::BadTimestamp => "bad_timestamp",
            BadReason::MissingField => "missing_field",
            BadReason::NullNotAllowed => "null_not_allowed",
            BadReason::EventTimeNull => "event_time_null",
            BadReason::EventTimeFuture => "event_time_future",
            BadReason::CsvColumns => "csv_columns",
            BadReason::CsvQuotes => "csv_quotes",
        }
    }

    /// Whether one field is to blame while the record as a whole can be read.
    pub(super) fn blames_field(self) -> bool {
        matches!(self, BadReason::TypeMismatch | BadReason::OutOfRange | BadReason::BadTimestamp)
    }

    fn sentence(self) -> &'static str {
        match self {
            BadReason::Empty => "the payload is empty",
            BadReason::NotJson(_) => "not valid JSON",
            BadReason::Truncated => "the payload ends within a value",
            BadReason::TrailingData => "there is more after the end of the value",
            BadReason::InvalidUtf8 => "not valid UTF-8",
            BadReason::TooDeep => "nested deeper than 64 levels",
            BadReason::TooLarge => "too large for a batch",
            BadReason::TypeMismatch => "the value cannot be read as the declared type",
            BadReason::OutOfRange => "the value is out of the declared type's range",
            BadReason::BadTimestamp => "the value is not a date or time in the declared format",
            BadReason::MissingField => "the field is missing",
            BadReason::NullNotAllowed => "the value is NULL in a NOT NULL column",
            BadReason::EventTimeNull => "the event time is NULL",
            BadReason::EventTimeFuture => "the event time is too far in the future",
            BadReason::CsvColumns => "the line does not have as many fields as the table has columns",
            BadReason::CsvQuotes => "the line does not end where the payload ends",
        }
    }

    /// Whether a byte position says anything about it.
    fn has_place(self) -> bool {
        !matches!(
            self,
            BadReason::Empty
                | BadReason::TooLarge
                | BadReason::MissingField
                | BadReason::NullNotAllowed
                | BadReason::EventTimeNull
                | BadReason::EventTimeFuture
                | BadReason::CsvColumns
        )
    }
}

impl Syntax {
    fn expected(self) -> &'static str {
        match self {
            Syntax::Object => "expected an object, `{`",
            Syntax::Key => "expected a key in double quotes",
            Syntax::Colon => "expected `:`",
            Syntax::CommaOrBrace => "expected `,` or `}`",
            Syntax::CommaOrBracket => "expected `,` or `]`",
            Syntax::Value => "expected a value",
            Syntax::Digit => "expected a number without leading zeros",
            Syntax::Escape => "expected a valid escape after `\\`",
            Syntax::NoControl => "control characters in strings must be escaped",
        }
    }
}

/// A record that made no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecord {
    pub reason: BadReason,
    /// Where in the payload, in bytes from its start; 0 where a place makes no sense.
    pub at_byte: usize,
    /// The column that could not be filled, where one is to blame.
    pub column: Option<Arc<str>>,
}

impl BadRecord {
    pub fn new(reason: BadReason) -> Self {
        BadRecord { reason, at_byte: 0, column: None }
    }

    pub fn at(self, at_byte: usize) -> Self {
        BadRecord { at_byte, ..self }
    }

    pub fn column(self, column: Option<Arc<str>>) -> Self {
        BadRecord { column, ..self }
    }

    /// One line for a person; shows nothing of the payload.
    pub fn describe(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(column) = &self.column {
            write!(f, "column `{column}`: ")?;
        }
        f.write_str(self.reason.sentence())?;
        // No field's value stands at byte 0: it means that the place is not known.
        if self.reason.has_place() && (self.at_byte > 0 || !self.reason.blames_field()) {
            write!(f, " at byte {}", self.at_byte)?;
        }
        if let BadReason::NotJson(syntax) = self.reason {
            write!(f, " ({})", syntax.expected())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_record_says_what_and_where() {
        let record = BadRecord::new(BadReason::NotJson(Syntax::CommaOrBrace)).at(57);
        assert_eq!(record.describe(), "not valid JSON at byte 57 (expected `,` or `}`)");
        let record = BadRecord::new(BadReason::NullNotAllowed).column(Some(Arc::from("user_id")));
        assert_eq!(record.describe(), "column `user_id`: the value is NULL in a NOT NULL column");
    }
}
