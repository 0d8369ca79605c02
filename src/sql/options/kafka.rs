//! What the options of a Kafka table say: plain data, checked.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::Ignored;
use super::properties;
use super::values::{Given, Values};
use crate::error::{Error, Result, nearest};
use crate::sql::statement::CreateTable;

/// A Kafka table, read or written.
#[derive(Clone, PartialEq)]
pub struct KafkaOptions {
    pub topics: Topics,
    /// librdkafka's names, translated; nothing that Windrow sets itself. May hold secrets: never shown.
    pub properties: BTreeMap<String, String>,
    /// `properties.group.id`; None: the job's name.
    pub group_id: Option<String>,
    pub startup: Startup,
    /// Where to begin if the group has no committed offset: `properties.auto.offset.reset`.
    pub offset_reset: OffsetReset,
    pub bounded: Bounded,
    /// How often to look for new partitions; None: never.
    pub discovery_interval: Option<Duration>,
    /// Columns written as the record's key, as JSON if there are several. Empty: no key.
    pub key_fields: Vec<String>,
    /// Columns of the key are declared with this prefix, which its JSON fields do not have.
    pub key_fields_prefix: String,
    /// `key.format`; None: no key is read or written.
    pub key_format: Option<KeyFormat>,
    /// Whether the value holds the key's columns too.
    pub value_has_key: bool,
    pub partitioner: Partitioner,
    pub guarantee: Guarantee,
    pub transactional_id_prefix: Option<String>,
}

/// Shows the names of the properties, not their values.
impl fmt::Debug for KafkaOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaOptions")
            .field("topics", &self.topics)
            .field("properties", &self.properties.keys().collect::<Vec<_>>())
            .field("group_id", &self.group_id)
            .field("startup", &self.startup)
            .field("bounded", &self.bounded)
            .field("key_fields", &self.key_fields)
            .field("guarantee", &self.guarantee)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topics {
    List(Vec<String>),
    /// A regular expression over the whole name of a topic.
    Pattern(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFormat {
    Json,
    Csv,
    /// The text of the key's only column.
    Raw,
}

/// Where a job that has no checkpoint begins to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Startup {
    Earliest,
    Latest,
    /// Where the consumer group stands; without a committed offset, `auto.offset.reset` decides (earliest).
    Group,
    /// At the first record not older than this, milliseconds since 1970.
    Timestamp(i64),
    /// At these `(partition, next_offset)`; other partitions at the group's offset.
    Specific(Vec<(i32, i64)>),
}

/// Where a partition begins whose group has no committed offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetReset {
    Earliest,
    Latest,
    /// The job stops and says so.
    Fail,
}

/// Where reading ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bounded {
    Unbounded,
    /// Where the topic ended at the start.
    Latest,
    /// Where the consumer group stood at the start.
    Group,
    /// Before the first record not older than this, milliseconds since 1970.
    Timestamp(i64),
    /// Before these `(partition, next_offset)`.
    Specific(Vec<(i32, i64)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partitioner {
    /// By the key's hash if there is a key, else wherever there is room.
    Default,
    /// Wherever there is room, whatever the key.
    RoundRobin,
}

/// What a crash may do to what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarantee {
    /// Every row once: one transaction per epoch.
    ExactlyOnce,
    /// No row is lost; the last epoch's rows may be there twice.
    AtLeastOnce,
    /// Not waited for.
    None,
}

impl KafkaOptions {
    pub(super) fn read(values: &Values, table: &CreateTable, ignored: &mut Vec<Ignored>) -> Result<Self> {
        let guarantee = match values.choice("sink.delivery-guarantee") {
            Some("exactly-once") => Guarantee::ExactlyOnce,
            Some("none") => Guarantee::None,
            _ => Guarantee::AtLeastOnce,
        };
        let client = properties::translate(values, guarantee, ignored)?;
        if !client.properties.contains_key("bootstrap.servers") {
            let example = "'properties.bootstrap.servers' = 'localhost:9092'";
            return Err(missing(values, table, "properties.bootstrap.servers", example));
        }
        let key_fields = values.list("key.fields");
        let key_format = key_format(values, table, &key_fields)?;
        Ok(KafkaOptions {
            topics: topics(values, table)?,
            properties: client.properties,
            group_id: client.group_id,
            startup: startup(values, table)?,
            offset_reset: client.offset_reset,
            bounded: bounded(values, table)?,
            discovery_interval: values.duration_or_off("scan.topic-partition-discovery.interval"),
            key_fields,
            key_fields_prefix: values.text("key.fields-prefix").unwrap_or_default(),
            key_format,
            value_has_key: values.choice("value.fields-include") != Some("EXCEPT_KEY"),
            partitioner: partitioner(values)?,
            guarantee,
            transactional_id_prefix: values.text("sink.transactional-id-prefix"),
        })
    }
}

/// The error for a required option that is not there, or is empty.
pub(super) fn missing(values: &Values, table: &CreateTable, option: &str, example: &str) -> Error {
    let given = table.options.iter().find(|given| given.key == option);
    let (span, label) = given.map_or((table.name.span, "not given"), |given| (given.value_span, "empty"));
    Error::user(format!("table `{}` needs option `{option}`", table.name.value))
        .at(values.source, span, label)
        .fix(format!("add for example `{example}`"))
}

fn topics(values: &Values, table: &CreateTable) -> Result<Topics> {
    let (topics, pattern) = (values.list("topic"), values.given("topic-pattern"));
    match pattern {
        Some(pattern) if !topics.is_empty() => {
            Err(Error::user("`topic` and `topic-pattern` exclude each other")
                .at(values.source, pattern.key_span, "the second way to choose topics")
                .fix("keep one of them"))
        }
        Some(pattern) => Ok(Topics::Pattern(pattern.value.to_owned())),
        None if topics.is_empty() => {
            Err(missing(values, table, "topic", &format!("'topic' = '{}'", table.name.value)))
        }
        None => Ok(Topics::List(topics)),
    }
}

fn startup(values: &Values, table: &CreateTable) -> Result<Startup> {
    Ok(match values.choice("scan.startup.mode") {
        Some("earliest-offset") => Startup::Earliest,
        Some("latest-offset") => Startup::Latest,
        Some("timestamp") => Startup::Timestamp(millis(values, table, "scan.startup.timestamp-millis")?),
        Some("specific-offsets") => {
            Startup::Specific(offsets(values, table, "scan.startup.specific-offsets")?)
        }
        _ => Startup::Group,
    })
}

fn bounded(values: &Values, table: &CreateTable) -> Result<Bounded> {
    Ok(match values.choice("scan.bounded.mode") {
        Some("latest-offset") => Bounded::Latest,
        Some("group-offsets") => Bounded::Group,
        Some("timestamp") => Bounded::Timestamp(millis(values, table, "scan.bounded.timestamp-millis")?),
        Some("specific-offsets") => {
            Bounded::Specific(offsets(values, table, "scan.bounded.specific-offsets")?)
        }
        _ => Bounded::Unbounded,
    })
}

fn millis(values: &Values, table: &CreateTable, name: &str) -> Result<i64> {
    let millis = values.integer(name).and_then(|millis| i64::try_from(millis).ok());
    millis.ok_or_else(|| needed_by_mode(values, table, name, &format!("'{name}' = '1767225600000'")))
}

/// The error for an option that a mode needs, at the mode: `scan.startup.mode` of `scan.startup.…`.
fn needed_by_mode(values: &Values, table: &CreateTable, option: &str, example: &str) -> Error {
    let mode = option.rsplit_once('.').map(|(family, _)| format!("{family}.mode"));
    let error = match mode.and_then(|mode| values.given(&mode)) {
        Some(mode) => values.refuse(
            &mode,
            format!("table `{}` needs option `{option}`", table.name.value),
            "this mode needs it",
        ),
        None => return missing(values, table, option, example),
    };
    error.fix(format!("add for example `{example}`"))
}

/// `partition:0,offset:42;partition:1,offset:300`.
fn offsets(values: &Values, table: &CreateTable, name: &str) -> Result<Vec<(i32, i64)>> {
    const FORM: &str = "partition:0,offset:42;partition:1,offset:300";
    let Some(given) = values.given(name) else {
        return Err(needed_by_mode(values, table, name, &format!("'{name}' = '{FORM}'")));
    };
    let mut offsets: Vec<(i32, i64)> = Vec::new();
    for item in given.value.split(';').map(str::trim).filter(|item| !item.is_empty()) {
        let wrong = || {
            values
                .refuse(
                    &given,
                    format!("option `{name}` has a wrong value"),
                    "not a list of partitions and offsets",
                )
                .fix(format!("write for example `{FORM}`"))
        };
        let (partition, offset) = item.split_once(',').ok_or_else(wrong)?;
        let partition =
            partition.trim().strip_prefix("partition:").and_then(|number| number.trim().parse().ok());
        let offset = offset.trim().strip_prefix("offset:").and_then(|number| number.trim().parse().ok());
        let (Some(partition), Some(offset)) = (partition, offset) else { return Err(wrong()) };
        if partition < 0 || offset < 0 {
            return Err(wrong());
        }
        if offsets.iter().any(|(other, _)| *other == partition) {
            let label = format!("partition {partition} is there twice");
            return Err(values.refuse(&given, format!("option `{name}` has a wrong value"), label));
        }
        offsets.push((partition, offset));
    }
    Ok(offsets)
}

fn key_format(values: &Values, table: &CreateTable, fields: &[String]) -> Result<Option<KeyFormat>> {
    let given = values.given("key.fields");
    let format = match values.choice("key.format") {
        Some("json") => KeyFormat::Json,
        Some("csv") => KeyFormat::Csv,
        Some(_) => KeyFormat::Raw,
        None => {
            return match given {
                Some(given) => Err(Error::user("`key.fields` needs `key.format`")
                    .at(values.source, given.key_span, "how is the key encoded?")
                    .fix("add `'key.format' = 'raw'` for the text of one column, or `'json'`")),
                None => Ok(None),
            };
        }
    };
    let Some(given) = given else {
        let example = "'key.fields' = 'a column'";
        return Err(missing(values, table, "key.fields", example));
    };
    if format == KeyFormat::Raw && fields.len() > 1 {
        return Err(values
            .refuse(&given, "a key of format `raw` is one column", format!("{} columns", fields.len()))
            .fix("use `'key.format' = 'json'`"));
    }
    // Columns are not known here if the table takes them from another.
    let declared = |field: &String| table.columns.iter().any(|column| column.name.value == *field);
    match fields.iter().find(|field| !table.columns.is_empty() && table.like.is_none() && !declared(field)) {
        Some(field) => {
            let known = table.columns.iter().map(|column| column.name.value.as_str());
            let what =
                format!("the key of table `{}` names a column that it does not have", table.name.value);
            Err(values.refuse(&given, what, "not declared").fix_if(nearest::fix(field, known, "columns")))
        }
        None => Ok(Some(format)),
    }
}

fn partitioner(values: &Values) -> Result<Partitioner> {
    match values.text("sink.partitioner").as_deref() {
        None | Some("default" | "fixed") => Ok(Partitioner::Default),
        Some("round-robin") => Ok(Partitioner::RoundRobin),
        Some(_) => {
            let error = Error::user("unknown partitioner");
            let fix = "use `default` or `round-robin`: classes cannot be loaded";
            Err(match values.given("sink.partitioner") {
                Some(Given { value_span, .. }) => error.at(values.source, value_span, ""),
                None => error,
            }
            .fix(fix))
        }
    }
}
