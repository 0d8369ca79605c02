//! What lanes, the discovery thread and the driver say to each other.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::error::Error;
use crate::format::EncodedRows;
use crate::plan::StageId;
use crate::sink::RoutedRecord;
use crate::source::kafka::TopicPartition;
use crate::state::panes::PaneRun;
use crate::time::EventTime;

/// Index of a table that is read, in [`crate::plan::JobPlan::reads`].
pub type ReadId = usize;

/// From the driver to a lane.
#[derive(Debug)]
pub enum Order {
    /// Read a partition, too.
    Add(Assignment),
    /// Hand over what was gathered. From now on rows of windows that end at or before these watermarks, one
    /// per stage, are late.
    Cut { watermarks: Arc<[EventTime]> },
}

/// A partition for a lane.
#[derive(Debug, Clone)]
pub struct Assignment {
    pub read: ReadId,
    /// Its index in the table's clock.
    pub partition: usize,
    pub place: Place,
    pub next_offset: i64,
    /// Where a bounded read ends.
    pub end_offset: Option<i64>,
}

#[derive(Debug, Clone)]
pub enum Place {
    Kafka(TopicPartition),
    File(PathBuf),
}

/// To the driver.
#[derive(Debug)]
pub enum Report {
    /// A lane has read on.
    Progress { read: ReadId, seen: Vec<Seen> },
    /// A lane's answer to a cut.
    Cut(Box<CutAnswer>),
    /// A lane holds as much as it may and waits for a cut.
    Full,
    /// A partition cannot be read any more.
    Lost { read: ReadId, partition: usize, reason: String },
    /// New partitions with where they begin, and the ends that the broker confirms now.
    Discovered { read: ReadId, partitions: Vec<(TopicPartition, i64)>, ends: Vec<(TopicPartition, i64)> },
    /// Something outside does not work at the moment.
    Trouble(String),
    /// A thread has failed and is gone.
    Failed(Error),
    /// Finish the epoch and end.
    Stop,
}

/// How far a partition has been read.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub partition: usize,
    /// The newest event time among the rows; MIN if there was none.
    pub newest: EventTime,
    pub next_offset: i64,
    /// The broker says that there is no more for now.
    pub at_end: bool,
    /// A bounded partition has been read to its end.
    pub ended: bool,
}

/// What a lane has gathered since the last cut.
#[derive(Debug, Default)]
pub struct CutAnswer {
    pub runs: Vec<(StageId, Vec<PaneRun>)>,
    pub rows: Vec<(StageId, Vec<RecordBatch>)>,
    pub encoded: Vec<(StageId, EncodedRows)>,
    pub routed: Vec<RoutedRecord>,
    pub counts: Vec<(ReadId, ReadCounts)>,
    pub late: Vec<(StageId, u64)>,
    pub next_offsets: Vec<(ReadId, usize, i64)>,
    pub held_bytes: usize,
}

/// What became of a table's records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadCounts {
    pub records: u64,
    pub bytes: u64,
    pub tombstones: u64,
    /// By reason.
    pub bad: Vec<(&'static str, u64)>,
}

impl ReadCounts {
    pub fn add_bad(&mut self, reason: &'static str, count: u64) {
        match self.bad.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, total)) => *total += count,
            None => self.bad.push((reason, count)),
        }
    }

    pub fn add(&mut self, other: &ReadCounts) {
        self.records += other.records;
        self.bytes += other.bytes;
        self.tombstones += other.tombstones;
        for (reason, count) in &other.bad {
            self.add_bad(reason, *count);
        }
    }

    pub fn bad_total(&self) -> u64 {
        self.bad.iter().map(|(_, count)| count).sum()
    }
}
