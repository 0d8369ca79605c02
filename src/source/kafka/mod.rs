//! Kafka as a source: what a cluster has ([`Cluster`]), and records of some of its partitions ([`Reader`]).
//!
//! Partitions are assigned by number, never by a consumer group: the checkpoint owns the positions, and a
//! rebalance would move partitions under a lane. New and recreated topics are found by asking the
//! [`Cluster`], because librdkafka does not tell a consumer with a fixed assignment.

mod batch;
pub mod client;
mod cluster;
mod reader;

use std::fmt;
use std::sync::Arc;

pub use batch::{Batch, Event, Message};
pub use client::Properties;
pub use cluster::{Cluster, Reset, Startup, Topics};
pub use reader::Reader;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    pub topic: Arc<str>,
    pub partition: i32,
}

impl TopicPartition {
    pub fn new(topic: &str, partition: i32) -> Self {
        TopicPartition { topic: Arc::from(topic), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} partition {}", self.topic, self.partition)
    }
}
