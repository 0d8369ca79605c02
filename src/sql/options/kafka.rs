//! What the options of a Kafka table say: plain data, checked.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// A Kafka table, read or written.
#[derive(Clone, PartialEq)]
pub struct KafkaOptions {
    pub topics: Topics,
    /// librdkafka's names, translated; nothing that Windrow sets itself. May hold secrets: never shown.
    pub properties: BTreeMap<String, String>,
    /// `properties.group.id`; None: the job's name.
    pub group_id: Option<String>,
    pub startup: Startup,
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
