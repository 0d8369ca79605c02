//! Reads records of assigned partitions: one Kafka consumer, owned by one lane.
//!
//! A consumer per lane, because one consumer has one thread per broker that parses and decompresses, and
//! that is the limit. The group is only a name: nothing is subscribed and nothing is committed here.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::TopicPartition;
use super::batch::{Batch, Inbox, Notice};
use super::client::{Faults, Properties, configure, refused_configuration};
use crate::error::{Error, Result};

/// The consumer's interface wants a group even where none is used.
const GROUP_UNUSED: &str = "windrow";
/// Bounds of the prefetch queue: below the first it stalls, above the second librdkafka refuses.
const QUEUE_KBYTES: (usize, usize) = (1_024, 2_097_151);

/// Seeking only talks to librdkafka's own thread.
const SEEK_LIMIT: Duration = Duration::from_secs(10);

/// See the module's text.
pub struct Reader {
    inbox: Inbox,
    /// By index.
    partitions: Vec<TopicPartition>,
}

impl Reader {
    /// Makes a consumer without partitions; does not wait for the cluster.
    ///
    /// `memory_bytes` bounds what is fetched ahead; messages of the current batch come on top.
    pub fn open(properties: &Properties, group: Option<&str>, memory_bytes: usize) -> Result<Reader> {
        let queue_kbytes = (memory_bytes / 1024).clamp(QUEUE_KBYTES.0, QUEUE_KBYTES.1);
        // A response may hold this much of all partitions together, on top of what is queued.
        let fetch_bytes = (memory_bytes / 2).clamp(1 << 20, 50 << 20);
        let config = configure(
            properties,
            &[
                ("isolation.level", "read_committed"),
                ("check.crcs", "true"),
                ("queued.max.messages.kbytes", &queue_kbytes.to_string()),
                // The bound is bytes; a count would stall small messages.
                ("queued.min.messages", "1000000"),
                ("fetch.max.bytes", &fetch_bytes.to_string()),
                ("fetch.message.max.bytes", "1048576"),
                // The library's 1000 makes a full queue pause for a second.
                ("fetch.queue.backoff.ms", "5"),
                // After an outage: seconds sooner than the library's 10 000.
                ("reconnect.backoff.max.ms", "1000"),
                // Within these a deleted or a missing topic is noticed.
                ("topic.metadata.refresh.interval.ms", "10000"),
                ("topic.metadata.propagation.max.ms", "10000"),
            ],
            &[
                ("group.id", group.unwrap_or(GROUP_UNUSED)),
                ("enable.auto.commit", "false"),
                ("enable.auto.offset.store", "false"),
                // An offset that is gone is reported, never jumped over.
                ("auto.offset.reset", "error"),
                ("enable.partition.eof", "true"),
            ],
        );
        let consumer: BaseConsumer<Faults> =
            config.create_with_context(Faults::default()).map_err(|error| refused_configuration(&error))?;
        Ok(Reader { inbox: Inbox::new(consumer), partitions: Vec::new() })
    }

    /// Starts reading a partition at `next_offset` while the others go on; returns its index in events.
    pub fn add(&mut self, partition: TopicPartition, next_offset: i64) -> Result<usize> {
        if self.partitions.contains(&partition) {
            return Err(Error::internal(format!("{partition} is being read already")));
        }
        let index = self.partitions.len();
        let failed = |cause: Option<KafkaError>| {
            let error = Error::external(format!("cannot read {partition} from offset {next_offset}"));
            match cause {
                Some(cause) => error.caused_by(cause),
                None => error.note("Kafka does not accept the topic's name"),
            }
        };
        let slot = u32::try_from(index).map_err(|_| failed(None))?;
        if !self.inbox.forward(&partition.topic, partition.partition, slot) {
            return Err(failed(None));
        }
        let mut list = TopicPartitionList::with_capacity(1);
        list.add_partition_offset(&partition.topic, partition.partition, Offset::Offset(next_offset))
            .map_err(|cause| failed(Some(cause)))?;
        self.inbox.consumer().incremental_assign(&list).map_err(|cause| failed(Some(cause)))?;
        self.partitions.push(partition);
        Ok(index)
    }

    /// By index; a partition that was added stays, even when it is lost.
    pub fn partitions(&self) -> &[TopicPartition] {
        &self.partitions
    }

    /// Stops fetching a partition and drops what has been fetched but not polled.
    pub fn pause(&self, index: usize) -> Result<()> {
        let list = self.one(index, Offset::Invalid)?;
        self.inbox.consumer().pause(&list).map_err(|cause| self.refused("pause", index, cause))
    }

    /// Goes on at `next_offset`, one past the last record that was polled.
    ///
    /// The offset is given, because librdkafka's own is wrong here: taking the end of a partition in a batch
    /// moves it one too far (2.12: `rd_kafka_q_serve_rkmessages`), and the next record would be lost.
    pub fn resume(&self, index: usize, next_offset: i64) -> Result<()> {
        let refused = |cause| self.refused("resume", index, cause);
        let list = self.one(index, Offset::Offset(next_offset))?;
        let sought = self.inbox.consumer().seek_partitions(list, SEEK_LIMIT).map_err(refused)?;
        for partition in sought.elements() {
            partition.error().map_err(refused)?;
        }
        self.inbox.consumer().resume(&sought).map_err(refused)
    }

    /// Waits for a first event, `wait` at most, and returns those that are there.
    ///
    /// `wait` is not added to the latency of a message, but to that of errors of the whole client.
    /// Must be called even when all partitions are paused: it serves the client's callbacks.
    pub fn poll(&mut self, wait: Duration) -> Batch<'_> {
        self.inbox.fill(wait);
        let consumer = self.inbox.consumer();
        // Messages never come this way (see `batch`), only errors of the client, which the callback keeps.
        while let Some(event) = consumer.poll(Duration::ZERO) {
            assert!(event.is_err(), "a message has bypassed the reader's queue");
        }
        let faults = consumer.client().context();
        let lost = faults.take_logged().into_iter().map(|line| self.lost(line));
        let notices = lost.chain(faults.take_fresh().into_iter().map(Notice::Trouble)).collect();
        Batch::new(&mut self.inbox, notices)
    }

    /// Finds the partition that a line of the log is about: `…: topic [partition]: reason`.
    fn lost(&self, line: String) -> Notice {
        let found = self.partitions.iter().enumerate().find_map(|(index, at)| {
            let start = line.find(&format!(": {} [{}]: ", at.topic, at.partition))?;
            Some(Notice::Lost { partition: index, reason: line[start + 2..].to_string() })
        });
        found.unwrap_or(Notice::Trouble(line))
    }

    fn one(&self, index: usize, offset: Offset) -> Result<TopicPartitionList> {
        let Some(partition) = self.partitions.get(index) else {
            return Err(Error::internal(format!("the reader has no partition with index {index}")));
        };
        let mut list = TopicPartitionList::with_capacity(1);
        list.add_partition_offset(&partition.topic, partition.partition, offset)
            .map_err(|cause| self.refused("go on", index, cause))?;
        Ok(list)
    }

    fn refused(&self, doing: &str, index: usize, cause: KafkaError) -> Error {
        Error::external(format!("cannot {doing} reading {}", self.partitions[index])).caused_by(cause)
    }
}
