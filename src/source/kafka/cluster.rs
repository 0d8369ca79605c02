//! Asks a Kafka cluster what there is: topics, partitions and their offsets. Never reads a record.
//!
//! Every call waits for the cluster, [`Cluster::connect`]'s timeout at most. Offsets are resolved to numbers
//! here and now, so that a restart cannot resolve `latest-offset` to another place; end offsets are high
//! watermarks, not the last stable offset, so that an open transaction does not look like the end.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::TopicPartition;
use super::client::{
    Faults, Properties, configure, connect, failed_call, is_authorization, refused_configuration,
};
use crate::error::{Error, Result};

/// Topics named in an error about a missing one; more do not help.
const LISTED_MAX: usize = 8;

/// Which topics a table reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topics {
    List(Vec<String>),
    /// A regular expression that must match the whole name; internal topics are left out.
    Pattern(String),
}

/// Where to start reading a partition that has no position yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Startup {
    Earliest,
    Latest,
    /// Where the group has committed; `Reset` where it has not.
    Group(Reset),
    /// The first record at or after this time (milliseconds since 1970); the end if there is none.
    Timestamp(i64),
    /// Next offset by partition number; others start where the group has committed, else at the beginning.
    Specific(BTreeMap<i32, i64>),
}

/// Kafka's `auto.offset.reset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    Earliest,
    Latest,
    /// An error.
    None,
}

/// A connection that has been answered. See the module's text.
pub struct Cluster {
    consumer: BaseConsumer<Faults>,
    properties: Properties,
    timeout: Duration,
    id: String,
}

impl Cluster {
    /// Connects, or says why that is not possible within `timeout`; which then bounds every other call, too.
    pub fn connect(properties: &Properties, timeout: Duration) -> Result<Cluster> {
        let consumer = consumer(properties, &[])?;
        let faults = consumer.client().context();
        connect(consumer.client(), faults, |wait| serve(&consumer, wait), properties, timeout)?;
        let id = consumer.client().fetch_cluster_id(timeout).unwrap_or_default();
        Ok(Cluster { consumer, properties: properties.clone(), timeout, id })
    }

    /// The cluster's own id, the same whichever brokers were named. Empty where brokers do not tell.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The partitions of these topics, ordered by topic as listed (a pattern: by name) and by number.
    ///
    /// A listed topic that does not exist is an error; a pattern that matches nothing is an empty answer.
    pub fn partitions(&self, topics: &Topics) -> Result<Vec<TopicPartition>> {
        let mut all = Vec::new();
        match topics {
            Topics::List(names) => {
                for name in names {
                    all.extend(self.partitions_of(name)?);
                }
            }
            Topics::Pattern(pattern) => {
                let whole = regex::Regex::new(&format!("^(?:{pattern})$")).map_err(|cause| {
                    Error::user(format!("`{pattern}` is not a regular expression")).caused_by(cause)
                })?;
                let metadata = self.metadata(None)?;
                let mut found: Vec<_> = metadata
                    .topics()
                    .iter()
                    .filter(|topic| topic.error().is_none() && !is_internal(topic.name()))
                    .filter(|topic| whole.is_match(topic.name()))
                    .collect();
                found.sort_unstable_by_key(|topic| topic.name());
                all.extend(found.into_iter().flat_map(numbered));
            }
        }
        Ok(all)
    }

    /// The first offset that can be read, for each partition.
    pub fn beginning_offsets(&self, partitions: &[TopicPartition]) -> Result<Vec<i64>> {
        self.offsets(partitions, Offset::Beginning)
    }

    /// The offset the next record will get (the high watermark), for each partition.
    pub fn end_offsets(&self, partitions: &[TopicPartition]) -> Result<Vec<i64>> {
        self.offsets(partitions, Offset::End)
    }

    /// The offset of the first record at or after this time (milliseconds since 1970), else the end.
    pub fn offsets_at(&self, partitions: &[TopicPartition], timestamp_ms: i64) -> Result<Vec<i64>> {
        self.offsets(partitions, Offset::Offset(timestamp_ms.max(0)))
    }

    /// Resolves where to start to numbers, for each partition.
    pub fn start_offsets(
        &self,
        partitions: &[TopicPartition],
        startup: &Startup,
        group: Option<&str>,
    ) -> Result<Vec<i64>> {
        match startup {
            Startup::Earliest => self.beginning_offsets(partitions),
            Startup::Latest => self.end_offsets(partitions),
            Startup::Timestamp(at_ms) => self.offsets_at(partitions, *at_ms),
            Startup::Group(reset) => {
                let committed = self.committed(partitions, group)?;
                self.resolve(partitions, committed, *reset, group)
            }
            Startup::Specific(given) => {
                let mut known: Vec<_> =
                    partitions.iter().map(|at| given.get(&at.partition).copied()).collect();
                if group.is_some() && known.contains(&None) {
                    for (known, committed) in known.iter_mut().zip(self.committed(partitions, group)?) {
                        *known = known.or(committed);
                    }
                }
                self.resolve(partitions, known, Reset::Earliest, group)
            }
        }
    }

    /// Fills in what is not known, by `reset`.
    fn resolve(
        &self,
        partitions: &[TopicPartition],
        known: Vec<Option<i64>>,
        reset: Reset,
        group: Option<&str>,
    ) -> Result<Vec<i64>> {
        let missing: Vec<_> =
            partitions.iter().zip(&known).filter(|(_, at)| at.is_none()).map(|(at, _)| at.clone()).collect();
        let mut found = match (reset, missing.first()) {
            (_, None) => Vec::new(),
            (Reset::Earliest, _) => self.beginning_offsets(&missing)?,
            (Reset::Latest, _) => self.end_offsets(&missing)?,
            (Reset::None, Some(first)) => {
                let group = group.unwrap_or_default();
                return Err(Error::user(format!("group `{group}` has no committed offset for {first}"))
                    .note(format!("{} of {} partitions have none", missing.len(), partitions.len()))
                    .fix("set 'properties.auto.offset.reset' to 'earliest' or 'latest'"));
            }
        }
        .into_iter();
        Ok(known.into_iter().filter_map(|at| at.or_else(|| found.next())).collect())
    }

    fn committed(&self, partitions: &[TopicPartition], group: Option<&str>) -> Result<Vec<Option<i64>>> {
        let Some(group) = group else {
            return Err(Error::user("reading from a group's offsets needs the group's name")
                .fix("set 'properties.group.id'"));
        };
        // A client has one group for life; this one is used for a single question.
        let consumer = consumer(&self.properties, &[("group.id", group)])?;
        let doing = format!("read the committed offsets of group `{group}`");
        let list = consumer.committed_offsets(list_of(partitions, Offset::Invalid)?, self.timeout).map_err(
            |error| {
                serve(&consumer, Duration::ZERO);
                failed_call(&doing, &error, consumer.client().context())
            },
        )?;
        in_order(partitions, &list, &doing)?
            .into_iter()
            .map(|offset| match offset {
                Offset::Offset(next_offset) => Ok(Some(next_offset)),
                _ => Ok(None),
            })
            .collect()
    }

    /// `what` is Beginning, End, or a timestamp as an offset: Kafka asks for all three in one way.
    fn offsets(&self, partitions: &[TopicPartition], what: Offset) -> Result<Vec<i64>> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let doing = "read offsets";
        let list = self
            .consumer
            .offsets_for_times(list_of(partitions, what)?, self.timeout)
            .map_err(|error| self.failed(doing, &error))?;
        let found = in_order(partitions, &list, doing)?;
        let mut ends = Vec::new();
        if found.contains(&Offset::End) {
            // No record is that late. Asked for all, because a second list costs as much as a shorter one.
            if what == Offset::End {
                return Err(Error::external(format!("cannot {doing}")).note("the broker gave no end offset"));
            }
            ends = self.offsets(partitions, Offset::End)?;
        }
        found
            .into_iter()
            .enumerate()
            .map(|(at, offset)| match offset {
                Offset::Offset(offset) => Ok(offset),
                Offset::End => Ok(ends[at]),
                other => Err(Error::external(format!("cannot {doing} of {}", partitions[at]))
                    .note(format!("the broker answered `{other:?}`"))),
            })
            .collect()
    }

    fn partitions_of(&self, name: &str) -> Result<Vec<TopicPartition>> {
        let metadata = self.metadata(Some(name))?;
        let Some(topic) = metadata.topics().iter().find(|topic| topic.name() == name) else {
            return Err(self.missing(name));
        };
        match topic.error().map(RDKafkaErrorCode::from) {
            None | Some(RDKafkaErrorCode::LeaderNotAvailable) if !topic.partitions().is_empty() => {
                Ok(numbered(topic))
            }
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
                Err(self.missing(name))
            }
            code if is_authorization(code) => {
                Err(Error::external(format!("no permission to read topic `{name}`"))
                    .note("the broker denies `DESCRIBE` on the topic to this user")
                    .fix("grant `READ` and `DESCRIBE` on the topic, or use another user"))
            }
            Some(RDKafkaErrorCode::InvalidTopic) => {
                Err(Error::user(format!("`{name}` is not a name Kafka allows for a topic")))
            }
            Some(code) => {
                Err(Error::external(format!("cannot read topic `{name}`"))
                    .caused_by(KafkaError::Global(code)))
            }
            None => Err(Error::external(format!("topic `{name}` has no partitions yet"))),
        }
    }

    fn missing(&self, name: &str) -> Error {
        let error = Error::external(format!("topic `{name}` does not exist"));
        let Ok(metadata) = self.metadata(None) else { return error };
        let mut names: Vec<&str> =
            metadata.topics().iter().map(MetadataTopic::name).filter(|topic| !is_internal(topic)).collect();
        let near = |topic: &str| strsim::jaro_winkler(name, topic);
        names.sort_by(|a, b| near(b).total_cmp(&near(a)).then_with(|| a.cmp(b)));
        let similar = names.first().copied().filter(|topic| near(topic) > 0.85);
        let more = names.len().saturating_sub(LISTED_MAX);
        let listed: Vec<_> = names.iter().take(LISTED_MAX).map(|topic| format!("`{topic}`")).collect();
        let error = match (listed.is_empty(), more) {
            (true, _) => error.note("the cluster has no topics that this user can see"),
            (false, 0) => error.note(format!("the cluster has {}", listed.join(", "))),
            (false, more) => error.note(format!("the cluster has {} and {more} more", listed.join(", "))),
        };
        match similar {
            Some(topic) => error.fix(format!("did you mean `{topic}`?")),
            None => error.fix("create the topic, or correct 'topic' in the table's options"),
        }
    }

    fn metadata(&self, topic: Option<&str>) -> Result<Metadata> {
        let metadata = self.consumer.fetch_metadata(topic, self.timeout).map_err(|error| match topic {
            Some(topic) => self.failed(&format!("look up topic `{topic}`"), &error),
            None => self.failed("list the cluster's topics", &error),
        })?;
        self.consumer.client().context().forget();
        Ok(metadata)
    }

    fn failed(&self, doing: &str, error: &KafkaError) -> Error {
        serve(&self.consumer, Duration::ZERO);
        failed_call(doing, error, self.consumer.client().context())
    }
}

fn consumer(properties: &Properties, forced: &[(&str, &str)]) -> Result<BaseConsumer<Faults>> {
    let mut own = properties.clone();
    own.remove("group.id");
    let forced =
        [&[("isolation.level", "read_uncommitted"), ("allow.auto.create.topics", "false")], forced].concat();
    configure(&own, &[("reconnect.backoff.max.ms", "1000")], &forced)
        .create_with_context(Faults::default())
        .map_err(|error| refused_configuration(&error))
}

/// Lets the error callback speak; there are no messages to get.
fn serve(consumer: &BaseConsumer<Faults>, wait: Duration) {
    while consumer.poll(wait).is_some() && wait.is_zero() {}
}

fn is_internal(topic: &str) -> bool {
    topic.starts_with("__")
}

fn numbered(topic: &MetadataTopic) -> Vec<TopicPartition> {
    let mut numbers: Vec<_> = topic.partitions().iter().map(|partition| partition.id()).collect();
    numbers.sort_unstable();
    numbers.into_iter().map(|number| TopicPartition::new(topic.name(), number)).collect()
}

fn list_of(partitions: &[TopicPartition], offset: Offset) -> Result<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for at in partitions {
        list.add_partition_offset(&at.topic, at.partition, offset)
            .map_err(|cause| Error::internal(format!("no offset for {at}")).caused_by(cause))?;
    }
    Ok(list)
}

/// The answers for `partitions`, in their order; an error of one partition is an error of all.
fn in_order(partitions: &[TopicPartition], list: &TopicPartitionList, doing: &str) -> Result<Vec<Offset>> {
    let mut answers = Vec::with_capacity(partitions.len());
    for at in partitions {
        let answer = list.find_partition(&at.topic, at.partition);
        let failed = || Error::external(format!("cannot {doing} of {at}"));
        match answer {
            Some(answer) => match answer.error() {
                Ok(()) => answers.push(answer.offset()),
                Err(cause) => return Err(failed().caused_by(cause)),
            },
            None => return Err(failed().note("the broker gave no answer for it")),
        }
    }
    Ok(answers)
}
