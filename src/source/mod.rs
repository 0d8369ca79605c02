//! Where records come from. A lane owns one [`Reader`] per table, with its share of the partitions.

pub mod file;
pub mod generate;
pub mod kafka;

use std::time::Duration;

use crate::error::Result;

/// Reads the partitions that one lane has of one table.
pub enum Reader {
    Kafka(kafka::Reader),
    Files(file::Reader),
}

/// Records that are there now; they borrow from the reader until the next poll.
pub enum Batch<'a> {
    Kafka(kafka::Batch<'a>),
    Lines(file::Batch<'a>),
}

/// `partition` is always the index that the partition was added under.
pub enum Event<'a> {
    Record(Record<'a>),
    /// Everything before `next_offset` has been given, and there was no more.
    End {
        partition: usize,
        next_offset: i64,
    },
    /// The partition cannot be read any more.
    Lost {
        partition: usize,
        reason: String,
    },
    /// Something is wrong with the connection; reading goes on by itself.
    Trouble(String),
}

/// A record, wherever it came from.
pub enum Record<'a> {
    Kafka(kafka::Message<'a>),
    /// A line of a file; its offset is that of its first byte.
    Line {
        partition: usize,
        offset: i64,
        line: &'a [u8],
    },
}

impl Reader {
    /// Waits for a first event, `wait` at most, and returns what is there.
    pub fn poll(&mut self, wait: Duration) -> Result<Batch<'_>> {
        match self {
            Reader::Kafka(reader) => Ok(Batch::Kafka(reader.poll(wait))),
            Reader::Files(reader) => Ok(Batch::Lines(reader.poll()?)),
        }
    }
}

impl<'a> Batch<'a> {
    /// The events in order.
    pub fn events(&self) -> Vec<Event<'_>> {
        match self {
            Batch::Lines(batch) => batch.events(),
            Batch::Kafka(batch) => batch.iter().map(from_kafka).collect(),
        }
    }
}

fn from_kafka(event: kafka::Event<'_>) -> Event<'_> {
    match event {
        kafka::Event::Message(message) => Event::Record(Record::Kafka(message)),
        kafka::Event::End { partition, offset } => Event::End { partition, next_offset: offset },
        kafka::Event::Lost { partition, reason } => Event::Lost { partition, reason },
        kafka::Event::Trouble(text) => Event::Trouble(text),
    }
}

impl<'a> Record<'a> {
    pub fn partition(&self) -> usize {
        match self {
            Record::Kafka(message) => message.partition(),
            Record::Line { partition, .. } => *partition,
        }
    }

    pub fn offset(&self) -> i64 {
        match self {
            Record::Kafka(message) => message.offset(),
            Record::Line { offset, .. } => *offset,
        }
    }

    /// The offset to read next once this record is done.
    pub fn next_offset(&self) -> i64 {
        match self {
            Record::Kafka(message) => message.offset() + 1,
            Record::Line { offset, line, .. } => offset + line.len() as i64 + 1,
        }
    }

    /// Milliseconds since 1970, if the record has a time of its own.
    pub fn timestamp_ms(&self) -> Option<i64> {
        match self {
            Record::Kafka(message) => message.timestamp_ms(),
            Record::Line { .. } => None,
        }
    }

    /// `None` is a tombstone.
    pub fn payload(&self) -> Option<&'a [u8]> {
        match self {
            Record::Kafka(message) => message.payload(),
            Record::Line { line, .. } => Some(line),
        }
    }

    pub fn key(&self) -> Option<&'a [u8]> {
        match self {
            Record::Kafka(message) => message.key(),
            Record::Line { .. } => None,
        }
    }

    pub fn headers(&self) -> Vec<(String, Option<Vec<u8>>)> {
        match self {
            Record::Kafka(message) => message.headers(),
            Record::Line { .. } => Vec::new(),
        }
    }
}
