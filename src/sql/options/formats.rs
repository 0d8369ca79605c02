//! What a format's options say.

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    Json(JsonOptions),
    Csv(CsvOptions),
    /// The payload as it is, in the table's only physical column.
    Raw,
}

impl Format {
    /// Its name in `'format' = '…'`.
    pub fn name(&self) -> &'static str {
        match self {
            Format::Json(_) => "json",
            Format::Csv(_) => "csv",
            Format::Raw => "raw",
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsonOptions {
    pub fail_on_missing_field: bool,
    pub ignore_parse_errors: bool,
    pub timestamp_format: TimestampFormat,
    pub decimal_as_plain_number: bool,
    pub ignore_null_fields: bool,
    pub map_null_key: MapNullKey,
}

/// How timestamps are written in text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TimestampFormat {
    /// Not declared: either form is read, SQL is written.
    #[default]
    Lenient,
    /// `2024-02-28 21:00:00.123`.
    Sql,
    /// `2024-02-28T21:00:00.123`.
    Iso8601,
}

/// What becomes of a NULL key of a map in JSON, whose keys are strings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum MapNullKey {
    #[default]
    Fail,
    Drop,
    /// Written as this text.
    Literal(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvOptions {
    pub delimiter: u8,
    /// None: quotes are ordinary characters.
    pub quote: Option<u8>,
    pub escape: Option<u8>,
    /// The text that means NULL.
    pub null_literal: Option<String>,
    /// Lines that begin with `#` are skipped.
    pub allow_comments: bool,
    pub ignore_parse_errors: bool,
    /// Between the elements of an array.
    pub array_delimiter: String,
}

impl Default for CsvOptions {
    fn default() -> Self {
        CsvOptions {
            delimiter: b',',
            quote: Some(b'"'),
            escape: None,
            null_literal: None,
            allow_comments: false,
            ignore_parse_errors: false,
            array_delimiter: ";".into(),
        }
    }
}
