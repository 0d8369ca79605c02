//! Turns the option strings of WITH and SET into what the job is built from.
//!
//! Each option is declared once, as data, in the tables of `spec` and its neighbours: parsing, "did you
//! mean",
//! `windrow check --options` and the documentation all come from there. Values are checked here, so that
//! whoever builds a source or a sink meets no strings. An option's value may be a secret: messages name the
//! option and underline the file, and quote a value only where the option is not declared secret.

mod settings;
mod spec;
mod table;
mod tables;
mod values;

pub mod formats;
mod jaas;
pub mod kafka;
mod properties;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use formats::{CsvOptions, Format, JsonOptions, MapNullKey, TimestampFormat};
pub use kafka::{Bounded, Guarantee, KafkaOptions, KeyFormat, OffsetReset, Partitioner, Startup, Topics};
pub use settings::{JobSettings, ResultMode, job_settings};
pub use spec::describe;
pub use table::table_options;

/// What a table's WITH clause says.
#[derive(Debug, Clone, PartialEq)]
pub struct TableOptions {
    pub connector: Connector,
    pub format: Format,
    pub time: TimeOptions,
    pub bad: BadOptions,
    /// Where late rows of this table go; None: they are counted only.
    pub late_topic: Option<String>,
    /// Accepted options that change nothing here, each with the reason: for a warning.
    pub ignored: Vec<Ignored>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Connector {
    Kafka(Box<KafkaOptions>),
    Filesystem(FileOptions),
    Print(PrintOptions),
}

impl Connector {
    /// Whether a table of it ends when it is read.
    pub fn is_bounded(&self) -> bool {
        match self {
            Connector::Kafka(kafka) => kafka.bounded != Bounded::Unbounded,
            Connector::Filesystem(_) => true,
            Connector::Print(_) => false,
        }
    }

    /// Its name in `'connector' = '…'`.
    pub fn name(&self) -> &'static str {
        match self {
            Connector::Kafka(_) => "kafka",
            Connector::Filesystem(_) => "filesystem",
            Connector::Print(_) => "print",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOptions {
    /// A file or a folder of files, without a `file://` in front.
    pub path: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintOptions {
    pub format: PrintFormat,
    /// Written before each row.
    pub identifier: Option<String>,
    pub to_stderr: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrintFormat {
    /// Aligned columns on a terminal, JSON elsewhere.
    Auto,
    Table,
    Json,
}

/// How a table's watermark moves when its partitions are silent or wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOptions {
    /// When a partition read to its end stops holding the watermark back. None: never. Falls back to
    /// `SET 'table.exec.source.idle-timeout'`, then to the default, where `idle_is_default` says so.
    pub idle_timeout: Option<Duration>,
    /// Whether `idle_timeout` is the default, so that the job's setting may replace it.
    pub idle_is_default: bool,
    /// Whether the watermark follows the wall clock while all partitions are idle.
    pub quiet: bool,
    /// How far ahead of the wall clock an event time may be. None: any distance.
    pub max_future: Option<Duration>,
}

/// What becomes of records that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadOptions {
    /// Stop the job at the first one; otherwise they are counted.
    pub fail: bool,
    /// Where they are kept; None: they are counted only.
    pub topic: Option<String>,
}

/// An option that is understood and has no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    pub option: String,
    pub reason: &'static str,
    pub span: crate::error::Span,
}
