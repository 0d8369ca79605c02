//! A thread that asks the brokers what a consumer with fixed partitions is not told: new partitions, and
//! where each partition ends now. It only reports; the driver decides.

use std::collections::HashSet;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::config::DISCOVERY_INTERVAL;
use crate::job::message::{ReadId, Report};
use crate::source::kafka::{Cluster, TopicPartition, Topics};

/// A table whose topics are watched.
pub struct Watched {
    pub read: ReadId,
    pub cluster: Cluster,
    pub topics: Topics,
    /// Whether new partitions are wanted.
    pub discovers: bool,
    pub idle_timeout: Option<Duration>,
    /// Partitions that are being read.
    pub known: HashSet<TopicPartition>,
}

/// Asks until `stop` is dropped.
///
/// An end must be confirmed several times within the idle timeout, or an idle partition would not be noticed.
pub fn watch(
    tables: &mut [Watched],
    interval: Option<Duration>,
    reports: &Sender<Report>,
    stop: &Receiver<()>,
) {
    let idle = tables.iter().filter_map(|table| table.idle_timeout).min();
    let wanted = [interval, idle.map(|timeout| timeout / 4), Some(DISCOVERY_INTERVAL)];
    let pause = wanted.into_iter().flatten().min().unwrap_or(DISCOVERY_INTERVAL);
    loop {
        for table in &mut *tables {
            if reports.send(ask(table)).is_err() {
                return;
            }
        }
        match stop.recv_timeout(pause) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn ask(table: &mut Watched) -> Report {
    let found = table.cluster.partitions(&table.topics).and_then(|partitions| {
        let ends = table.cluster.end_offsets(&partitions)?;
        let is_new = |at: &TopicPartition| table.discovers && !table.known.contains(at);
        let new: Vec<TopicPartition> = partitions.iter().filter(|at| is_new(at)).cloned().collect();
        let starts = table.cluster.beginning_offsets(&new)?;
        Ok((partitions.into_iter().zip(ends).collect(), new.into_iter().zip(starts).collect()))
    });
    match found {
        Ok((ends, partitions)) => {
            let partitions: Vec<(TopicPartition, i64)> = partitions;
            table.known.extend(partitions.iter().map(|(at, _)| at.clone()));
            Report::Discovered { read: table.read, partitions, ends }
        }
        Err(error) => Report::Trouble(error.what().to_string()),
    }
}
