//! What a job is doing, for the status line and the log.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::catalog::Table;
use crate::config::WARNING_INTERVAL;
use crate::job::driver::ReadState;
use crate::job::message::{Place, ReadCounts, ReadId};
use crate::plan::{JobPlan, StageId};
use crate::source::kafka::TopicPartition;
use crate::time::EventTime;

/// A job's numbers after an epoch.
#[derive(Debug, Clone)]
pub struct Status {
    pub epoch: u64,
    /// By table read.
    pub counts: Vec<ReadCounts>,
    pub rows_out: u64,
    pub late: u64,
    pub open_windows: usize,
    /// Runs in the driver, in bytes.
    pub state_bytes: usize,
    /// Live tables and rows in the lanes, in bytes.
    pub held_bytes: usize,
    /// The lowest of the tables that have event time.
    pub watermark: EventTime,
    /// Records that are in the topics and not yet read, as far as known.
    pub lag: u64,
    /// Since the process started, and the wall clock.
    pub elapsed: Duration,
    pub now: EventTime,
    ends: HashMap<(ReadId, TopicPartition), i64>,
}

impl Status {
    pub fn new(reads: usize) -> Status {
        Status {
            epoch: 0,
            counts: vec![ReadCounts::default(); reads],
            rows_out: 0,
            late: 0,
            open_windows: 0,
            state_bytes: 0,
            held_bytes: 0,
            watermark: EventTime::MIN,
            lag: 0,
            elapsed: Duration::ZERO,
            now: EventTime::MIN,
            ends: HashMap::new(),
        }
    }

    pub fn records(&self) -> u64 {
        self.counts.iter().map(|counts| counts.records).sum()
    }

    pub fn bad(&self) -> u64 {
        self.counts.iter().map(ReadCounts::bad_total).sum()
    }

    /// Takes what the brokers say about the ends of partitions.
    pub fn end_offsets(&mut self, read: ReadId, ends: &[(TopicPartition, i64)]) {
        for (at, end_offset) in ends {
            self.ends.insert((read, at.clone()), *end_offset);
        }
    }

    /// Compares the ends with how far has been read.
    pub fn positions(&mut self, reads: &[ReadState]) {
        self.lag = 0;
        for ((read, at), end_offset) in &self.ends {
            if let Some(&partition) = reads[*read].kafka.get(at) {
                let behind = end_offset - reads[*read].clock.next_offset(partition);
                self.lag += behind.max(0) as u64;
            }
        }
    }
}

/// Warnings, each kind at most once in a while; nothing is counted less for it.
#[derive(Debug, Default)]
pub struct Warnings {
    last: HashMap<String, Instant>,
    late: HashMap<StageId, u64>,
}

impl Warnings {
    fn is_due(&mut self, kind: &str) -> bool {
        let due = self.last.get(kind).is_none_or(|at| at.elapsed() >= WARNING_INTERVAL);
        if due {
            self.last.insert(kind.to_string(), Instant::now());
        }
        due
    }

    pub fn trouble(&mut self, text: &str) {
        if self.is_due("trouble") {
            tracing::warn!("{text}; waiting, nothing is lost");
        }
    }

    pub fn bad(&mut self, table: &Table, reasons: &[(&'static str, u64)], total: u64) {
        if !self.is_due(&format!("bad {}", table.name)) {
            return;
        }
        let reasons: Vec<String> =
            reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        let kept = match &table.options.bad.topic {
            Some(topic) => format!("kept in `{topic}` with their offsets"),
            None => "left out; set 'bad-records.topic' to keep them".into(),
        };
        tracing::warn!(table = table.name, total, "bad records ({}); {kept}", reasons.join(", "));
    }

    pub fn late(&mut self, plan: &JobPlan, stage: StageId, count: u64) {
        let total = self.late.entry(stage).or_default();
        *total += count;
        let total = *total;
        if self.is_due(&format!("late {stage}")) {
            let table = plan.tables_of(stage).join(", ");
            tracing::warn!(table, total, "late rows: their windows had been closed");
        }
    }
}

/// The place of a partition, for people.
pub fn show_place(place: &Place) -> String {
    match place {
        Place::Kafka(at) => at.to_string(),
        Place::File(path) => path.display().to_string(),
    }
}
