//! Reads a table's WITH clause.

use std::sync::Arc;

use super::kafka::{self, KafkaOptions};
use super::spec::OptionSpec;
use super::tables::{self, Group};
use super::values::{Given, Owner, Values, shown};
use super::{
    BadOptions, Connector, CsvOptions, FileOptions, Format, JsonOptions, MapNullKey, PrintFormat,
    PrintOptions, TableOptions, TimeOptions, TimestampFormat,
};
use crate::error::nearest::closest;
use crate::error::{Error, Result, SourceText};
use crate::sql::statement::CreateTable;

const CONNECTORS: [&str; 3] = ["kafka", "filesystem", "print"];
const FORMATS: [&str; 3] = ["json", "csv", "raw"];

/// Reads and checks the options of a table whose LIKE, if it had one, is resolved.
pub fn table_options(table: &CreateTable, source: &Arc<SourceText>) -> Result<TableOptions> {
    let given = |name: &str| {
        let option = table.options.iter().find(|option| option.key == name);
        option.map(Given::from).filter(|given| !given.value.is_empty())
    };
    let group = connector_group(table, given("connector"), source)?;
    let format = match group {
        Group::Print => "json",
        _ => format_name(table, given("format").or(given("value.format")), source)?,
    };
    let format_specs: &[OptionSpec] = match format {
        "json" => tables::JSON,
        "csv" => tables::CSV,
        _ => &[],
    };
    let mut specs = tables::of_group(group).to_vec();
    specs.push(format_specs);
    let phrase = format!("for table `{}`", table.name.value);
    let is_format_key = |option: &&crate::sql::statement::RawOption| {
        let key = option.key.strip_prefix("value.").unwrap_or(&option.key);
        FORMATS.iter().any(|format| key.strip_prefix(format).is_some_and(|rest| rest.starts_with('.')))
    };
    // An unknown `json.…` is looked up where the user would look it up.
    let wrong_format = table
        .options
        .iter()
        .filter(is_format_key)
        .any(|o| !format_specs.iter().any(|spec| spec.declares(&o.key)));
    let in_format = wrong_format && !format_specs.is_empty();
    let owner = Owner {
        phrase: &phrase,
        format: if group == Group::Print { "" } else { format },
        group: if in_format && format == "csv" {
            "csv"
        } else if in_format {
            "json"
        } else {
            group.name()
        },
    };
    let values = Values::read(table.options.iter().map(Given::from), &specs, &owner, source)?;
    let mut ignored = values.ignored();
    let connector = match group {
        Group::Kafka => Connector::Kafka(Box::new(KafkaOptions::read(&values, table, &mut ignored)?)),
        Group::Filesystem => Connector::Filesystem(file_options(&values, table)?),
        _ => Connector::Print(print_options(&values)),
    };
    Ok(TableOptions {
        connector,
        format: match format {
            "json" => Format::Json(json_options(&values)),
            "csv" => Format::Csv(csv_options(&values)?),
            _ => Format::Raw,
        },
        time: time_options(&values),
        bad: BadOptions {
            fail: values.choice("bad-records") == Some("fail"),
            topic: values.text("bad-records.topic"),
        },
        late_topic: values.text("late-rows.topic"),
        ignored,
    })
}

fn connector_group(table: &CreateTable, given: Option<Given>, source: &Arc<SourceText>) -> Result<Group> {
    let Some(given) = given else {
        return Err(Error::user(format!("table `{}` does not say what it is", table.name.value))
            .at(source, table.name.span, "no option `connector`")
            .fix(
                "add `WITH ('connector' = 'kafka', …)`; the connectors are `kafka`, `filesystem` and `print`",
            ));
    };
    match given.value {
        "kafka" => Ok(Group::Kafka),
        "filesystem" => Ok(Group::Filesystem),
        "print" => Ok(Group::Print),
        other => {
            let fix = match (other, closest(other, CONNECTORS)) {
                ("upsert-kafka", _) => "use `kafka` for rows that do not change".to_owned(),
                ("blackhole", _) => "use `print`".to_owned(),
                (_, Some(close)) => format!("did you mean `{close}`?"),
                (_, None) => "the connectors are `kafka`, `filesystem` and `print`".to_owned(),
            };
            Err(Error::user(format!("unknown connector `{}`", shown(source, &given)))
                .at(source, given.value_span, "")
                .fix(fix))
        }
    }
}

fn format_name(table: &CreateTable, given: Option<Given>, source: &Arc<SourceText>) -> Result<&'static str> {
    let Some(given) = given else {
        return Err(Error::user(format!(
            "table `{}` does not say how its records are encoded",
            table.name.value
        ))
        .at(source, table.name.span, "no option `format`")
        .fix("add `'format' = 'json'`; the formats are `json`, `csv` and `raw`"));
    };
    FORMATS.into_iter().find(|format| *format == given.value).ok_or_else(|| {
        let fix = closest(given.value, FORMATS)
            .map_or("the formats are `json`, `csv` and `raw`".to_owned(), |close| {
                format!("did you mean `{close}`?")
            });
        Error::user(format!("unknown format `{}`", shown(source, &given)))
            .at(source, given.value_span, "")
            .fix(fix)
    })
}

fn time_options(values: &Values) -> TimeOptions {
    TimeOptions {
        idle_timeout: values.duration_or_off("scan.watermark.idle-timeout"),
        idle_is_default: values.given("scan.watermark.idle-timeout").is_none(),
        quiet: values.bool("scan.watermark.quiet"),
        max_future: values.duration_or_off("scan.watermark.max-future"),
    }
}

fn file_options(values: &Values, table: &CreateTable) -> Result<FileOptions> {
    let Some(path) = values.given("path") else {
        return Err(kafka::missing(values, table, "path", "'path' = '/data/orders.json'"));
    };
    let local = path.value.strip_prefix("file://").unwrap_or(path.value);
    if local.contains("://") {
        return Err(values
            .refuse(&path, "only local paths can be read and written", "not a local path")
            .fix("write a path like `/data/orders` or `file:///data/orders`"));
    }
    Ok(FileOptions { path: local.to_owned() })
}

fn print_options(values: &Values) -> PrintOptions {
    PrintOptions {
        format: match values.choice("format") {
            Some("table") => PrintFormat::Table,
            Some("json") => PrintFormat::Json,
            _ => PrintFormat::Auto,
        },
        identifier: values.text("print-identifier"),
        to_stderr: values.bool("standard-error"),
    }
}

fn json_options(values: &Values) -> JsonOptions {
    JsonOptions {
        fail_on_missing_field: values.bool("json.fail-on-missing-field"),
        ignore_parse_errors: values.bool("json.ignore-parse-errors"),
        timestamp_format: match values.choice("json.timestamp-format.standard") {
            Some("SQL") => TimestampFormat::Sql,
            Some(_) => TimestampFormat::Iso8601,
            None => TimestampFormat::Lenient,
        },
        decimal_as_plain_number: values.bool("json.encode.decimal-as-plain-number"),
        ignore_null_fields: values.bool("json.encode.ignore-null-fields"),
        map_null_key: match values.choice("json.map-null-key.mode") {
            Some("DROP") => MapNullKey::Drop,
            Some("LITERAL") => {
                MapNullKey::Literal(values.text("json.map-null-key.literal").unwrap_or_default())
            }
            _ => MapNullKey::Fail,
        },
    }
}

fn csv_options(values: &Values) -> Result<CsvOptions> {
    let quoted = !values.bool("csv.disable-quote-character");
    Ok(CsvOptions {
        delimiter: character(values, "csv.field-delimiter")?.unwrap_or(b','),
        quote: character(values, "csv.quote-character")?.filter(|_| quoted),
        escape: character(values, "csv.escape-character")?,
        null_literal: values.given_or_empty("csv.null-literal").map(|given| given.value.to_owned()),
        allow_comments: values.bool("csv.allow-comments"),
        ignore_parse_errors: values.bool("csv.ignore-parse-errors"),
        array_delimiter: values.text("csv.array-element-delimiter").unwrap_or_default(),
    })
}

/// One ASCII character; `\t` and the like as Java writes them.
fn character(values: &Values, name: &str) -> Result<Option<u8>> {
    let Some(text) = values.text(name) else { return Ok(None) };
    let byte = match text.as_str() {
        "\\t" => Some(b'\t'),
        "\\\\" => Some(b'\\'),
        other => match other.as_bytes() {
            [byte] if byte.is_ascii() => Some(*byte),
            _ => other
                .strip_prefix("\\u")
                .and_then(|hex| u8::from_str_radix(hex.trim_start_matches('0'), 16).ok())
                .filter(u8::is_ascii),
        },
    };
    match (byte, values.given(name)) {
        (None, Some(given)) => Err(values.refuse(
            &given,
            format!("option `{name}` needs one ASCII character"),
            format!("{} characters", text.chars().count()),
        )),
        (byte, _) => Ok(byte),
    }
}
