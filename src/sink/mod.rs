//! Where results go. An epoch's results are an [`Outbox`]: encoded, immutable, and then published by
//! [`Sinks`].
//!
//! Encoding is part of the epoch, publishing is not: whoever publishes an outbox publishes the same bytes.

pub mod encode;
pub mod file;
pub mod kafka;
pub mod publish;

use std::sync::Arc;

use crate::format::EncodedRows;

/// Index of a target in a job: pipelines that write to one topic of one cluster share it.
pub type TargetId = usize;

/// What an epoch has yet to publish.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Rows by target; a target occurs once.
    pub rows: Vec<(TargetId, EncodedRows)>,
    /// Records routed as they came, by the table they came from.
    pub routed: Vec<RoutedRecord>,
}

/// A late row's or a bad record's record, as it came, on its way to the topic that keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutedRecord {
    pub route: RouteId,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    /// The record's own headers, then ours, which say where it came from and why it is here.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    pub timestamp_ms: Option<i64>,
}

/// Which table's record it was, and which of its topics takes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteId {
    pub table: Arc<str>,
    pub topic: Arc<str>,
}

impl Outbox {
    pub fn is_empty(&self) -> bool {
        self.rows.iter().all(|(_, rows)| rows.is_empty()) && self.routed.is_empty()
    }

    /// Adds rows for a target; takes them out of `rows`.
    pub fn add(&mut self, target: TargetId, rows: &mut EncodedRows) {
        if rows.is_empty() {
            return;
        }
        match self.rows.iter_mut().find(|(known, _)| *known == target) {
            Some((_, all)) => all.append(rows),
            None => self.rows.push((target, std::mem::take(rows))),
        }
    }

    pub fn rows_len(&self) -> usize {
        self.rows.iter().map(|(_, rows)| rows.len()).sum()
    }
}
