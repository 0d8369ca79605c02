//! Records in topics as the tests see them: bytes, headers and offsets.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::Value;

use super::LIMIT;
use crate::broker::{Broker, Sample, config, unique};

/// A record that is in a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub partition: i32,
    pub offset: i64,
    pub timestamp_ms: Option<i64>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Stored {
    pub fn json(&self) -> Value {
        serde_json::from_slice(self.value.as_deref().unwrap()).unwrap()
    }

    pub fn key_text(&self) -> Option<String> {
        self.key.as_deref().map(|key| String::from_utf8(key.to_vec()).unwrap())
    }

    /// A header's value as text; panics unless it is there once.
    pub fn header(&self, name: &str) -> String {
        let found: Vec<_> = self.headers.iter().filter(|(other, _)| other == name).collect();
        assert_eq!(found.len(), 1, "header {name} of {self:?}");
        String::from_utf8(found[0].1.clone().unwrap()).unwrap()
    }
}

/// Follows a topic's committed records from its beginning.
pub struct Tail {
    consumer: BaseConsumer,
    topic: String,
    partitions: usize,
    found: Vec<Stored>,
}

impl Tail {
    pub fn open(broker: &Broker, topic: &str) -> Tail {
        Tail::open_with(broker, topic, "read_committed")
    }

    /// Sees the records of open and aborted transactions, too.
    pub fn open_uncommitted(broker: &Broker, topic: &str) -> Tail {
        Tail::open_with(broker, topic, "read_uncommitted")
    }

    fn open_with(broker: &Broker, topic: &str, isolation: &str) -> Tail {
        let consumer: BaseConsumer = config(&broker.properties())
            .set("group.id", "tests")
            .set("isolation.level", isolation)
            .set("enable.partition.eof", "true")
            .set("enable.auto.commit", "false")
            .set("fetch.wait.max.ms", "50")
            .set("reconnect.backoff.max.ms", "500")
            .create()
            .unwrap();
        let metadata = consumer.fetch_metadata(Some(topic), LIMIT).unwrap();
        let partitions = metadata.topics()[0].partitions().len();
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition_offset(topic, partition as i32, Offset::Beginning).unwrap();
        }
        consumer.assign(&list).unwrap();
        Tail { consumer, topic: topic.to_string(), partitions, found: Vec::new() }
    }

    /// Reads on until `done`; panics with the last records when time is up.
    pub fn until(&mut self, done: impl Fn(&[Stored]) -> bool) -> &[Stored] {
        let deadline = Instant::now() + LIMIT;
        while !done(&self.found) {
            assert!(Instant::now() < deadline, "topic {} has only {}", self.topic, self.text());
            self.poll();
        }
        &self.found
    }

    /// Takes one event; returns the partition whose end has been reached, if that is what it was.
    ///
    /// Brokers may be away for a while: the client connects again by itself.
    pub fn poll(&mut self) -> Option<i32> {
        match self.consumer.poll(Duration::from_millis(50)) {
            Some(Ok(message)) => self.found.push(stored(&message)),
            Some(Err(KafkaError::PartitionEOF(partition))) => return Some(partition),
            Some(Err(_)) | None => {}
        }
        None
    }

    pub fn found(&self) -> &[Stored] {
        &self.found
    }

    fn text(&self) -> String {
        let value = |record: &Stored| {
            let value = record.value.as_deref().map(|value| String::from_utf8_lossy(value).into_owned());
            format!("\n  {} {}: {value:?}", record.partition, record.offset)
        };
        let shown: String = self.found.iter().rev().take(10).map(value).collect();
        format!("{} records, the last of them:{shown}", self.found.len())
    }
}

/// All committed records that are in a topic now, partition by partition.
pub fn read_to_end(broker: &Broker, topic: &str) -> Vec<Stored> {
    to_end(Tail::open(broker, topic))
}

/// The same with those of open and aborted transactions.
pub fn read_uncommitted_to_end(broker: &Broker, topic: &str) -> Vec<Stored> {
    to_end(Tail::open_uncommitted(broker, topic))
}

fn to_end(mut tail: Tail) -> Vec<Stored> {
    let mut ended = BTreeSet::new();
    let deadline = Instant::now() + LIMIT;
    while ended.len() < tail.partitions {
        assert!(Instant::now() < deadline, "the end of topic {} is not reached: {}", tail.topic, tail.text());
        ended.extend(tail.poll());
    }
    tail.found.sort_by_key(|record| (record.partition, record.offset));
    tail.found
}

/// Writes values in one transaction, which is open until it is committed.
pub struct Transaction(BaseProducer);

impl Transaction {
    /// Returns when the brokers have all of them.
    pub fn write(broker: &Broker, topic: &str, samples: &[Sample]) -> Transaction {
        let mut config = config(&broker.properties());
        config.set("transactional.id", unique("test")).set("transaction.timeout.ms", "60000");
        let producer: BaseProducer = config.create().unwrap();
        producer.init_transactions(LIMIT).unwrap();
        producer.begin_transaction().unwrap();
        for sample in samples {
            let value = sample.value.as_deref().unwrap();
            let record: BaseRecord<'_, str, str> =
                BaseRecord::to(topic).partition(sample.partition).payload(value);
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(LIMIT).unwrap();
        Transaction(producer)
    }

    pub fn commit(self) {
        self.0.commit_transaction(LIMIT).unwrap();
    }

    pub fn abort(self) {
        self.0.abort_transaction(LIMIT).unwrap();
    }
}

fn stored(message: &rdkafka::message::BorrowedMessage<'_>) -> Stored {
    let pair = |header: rdkafka::message::Header<'_, &[u8]>| {
        (header.key.to_string(), header.value.map(<[u8]>::to_vec))
    };
    Stored {
        partition: message.partition(),
        offset: message.offset(),
        timestamp_ms: message.timestamp().to_millis(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: message.headers().map(|all| all.iter().map(pair).collect()).unwrap_or_default(),
    }
}
