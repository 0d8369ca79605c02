//! The command line: one file per command.
//!
//! Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 the outside world,
//! 2 the user's input, 70 a bug of ours.

mod check;
mod demo;
mod explain;
mod progress;
mod run;
mod script;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::error::Result;
use crate::job::TerminalFormat;
use crate::time::parse_duration;

/// Streaming SQL over Kafka, in one binary.
///
/// Write what you want in a .sql file (Flink's dialect: CREATE TABLE … WITH ('connector' = 'kafka'), INSERT
/// INTO … SELECT … FROM TABLE(TUMBLE(…))) and keep it running with `windrow run file.sql`. Start with
/// `windrow demo`, which needs nothing else.
#[derive(Debug, Parser)]
#[command(name = "windrow", version, max_term_width = 110, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// How the log on standard error is written; WINDROW_LOG sets its level (info, debug, windrow=debug, …).
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a file's queries until they are stopped or their input ends.
    ///
    /// Ctrl-C or SIGTERM finishes the epoch at hand and exits with 0; a second one stops at once.
    #[command(after_help = "Examples:
  windrow run queries/order_analytics.sql
  KAFKA_BROKERS=broker:9092 windrow run queries/order_analytics.sql --epoch 200ms
  windrow run report.sql --format csv > report.csv")]
    Run(RunArguments),
    /// Say everything that is wrong with a file before a record is read.
    ///
    /// Checks the SQL and its options; then connects to the brokers and looks for the topics, unless
    /// --offline.
    Check(CheckArguments),
    /// Show what a file's queries do: what runs in lanes, what per window, what is kept.
    Explain(FileArguments),
    /// Order analytics, live, in one process: embedded broker, generator, results in the terminal.
    Demo(DemoArguments),
}

#[derive(Debug, clap::Args)]
struct FileArguments {
    /// The .sql file; `-` reads standard input.
    file: String,
    /// A job setting, as SET 'key' = 'value' in the file would give; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    sets: Vec<(String, String)>,
}

#[derive(Debug, clap::Args)]
struct RunArguments {
    #[command(flatten)]
    file: FileArguments,
    /// How often results are published: 50 ms or more [default: 1s].
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    epoch: Option<Duration>,
    /// Threads that read and aggregate [default: one per core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    lanes: Option<u16>,
    /// Memory for records read ahead, open windows and the queries over them.
    #[arg(long, value_name = "BYTES", default_value = "512MB", value_parser = bytes)]
    memory: usize,
    /// The job's name: its consumer group and transactional id [default: the file's name].
    #[arg(long)]
    name: Option<String>,
    /// How a bare SELECT is printed [default: table on a terminal, else json].
    #[arg(long, value_enum)]
    format: Option<OutputFormat>,
}

#[derive(Debug, clap::Args)]
struct CheckArguments {
    /// The .sql file; `-` reads standard input.
    #[arg(required_unless_present = "options")]
    file: Option<String>,
    /// Check the file alone, without asking any broker.
    #[arg(long)]
    offline: bool,
    /// List the options of a connector or format: kafka, filesystem, print, json, csv, set.
    #[arg(long, value_name = "GROUP")]
    options: Option<String>,
    /// A job setting, as SET 'key' = 'value' in the file would give; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    sets: Vec<(String, String)>,
}

#[derive(Debug, clap::Args)]
struct DemoArguments {
    /// Orders a second.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    rate: u32,
    /// End after this long instead of at Ctrl-C.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    duration: Option<Duration>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OutputFormat {
    Table,
    Json,
    Csv,
}

impl From<OutputFormat> for TerminalFormat {
    fn from(format: OutputFormat) -> Self {
        match format {
            OutputFormat::Table => TerminalFormat::Table,
            OutputFormat::Json => TerminalFormat::Json,
            OutputFormat::Csv => TerminalFormat::Csv,
        }
    }
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Help and usage errors print themselves; a closed terminal leaves nobody to tell.
        Err(usage) => {
            drop(usage.print());
            return ExitCode::from(usage.exit_code() as u8);
        }
    };
    start_log(arguments.log_format);
    match dispatch(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(command: Command) -> Result<()> {
    match command {
        Command::Run(arguments) => run::run(arguments),
        Command::Check(arguments) => check::check(arguments),
        Command::Explain(arguments) => explain::explain(&arguments),
        Command::Demo(arguments) => demo::demo(&arguments),
    }
}

fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_env("WINDROW_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    match format {
        LogFormat::Text => log.compact().init(),
        LogFormat::Json => log.json().init(),
    }
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.trim().to_string(), value.trim().to_string()))
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "write a number and a unit: 200ms, 1s, 5min".to_string())
}

fn bytes(text: &str) -> Result<usize, String> {
    let digits = text.trim_end_matches(|c: char| c.is_alphabetic()).trim_end();
    let count: usize = digits.parse().map_err(|_| "write a number and a unit: 256MB, 2GB".to_string())?;
    let unit = text[digits.len()..].trim().to_uppercase();
    let scale = match unit.as_str() {
        "" | "B" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        _ => return Err(format!("unknown unit `{unit}`; write KB, MB or GB")),
    };
    count.checked_mul(scale).filter(|bytes| *bytes >= 16 << 20).ok_or_else(|| "at least 16MB".to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn sizes_are_read_with_their_unit() {
        assert_eq!(bytes("512MB"), Ok(512 << 20));
        assert_eq!(bytes("2 GB"), Ok(2 << 30));
        assert!(bytes("12").is_err(), "too little to run with");
        assert!(bytes("1 parsec").is_err());
    }
}
