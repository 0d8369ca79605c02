//! A thread that asks the brokers what a consumer with fixed partitions is not told: new partitions, and where
//! each partition ends now. It only reports; the driver decides.

use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::config::DISCOVERY_INTERVAL;
use crate::job::message::{ReadId, Report};
use crate::source::kafka::{Cluster, Topics};

/// A table whose topics are watched.
pub struct Watched {
    pub read: ReadId,
    pub cluster: Cluster,
    pub topics: Topics,
    /// Whether new partitions are wanted.
    pub discovers: bool,
    pub idle_timeout: Option<Duration>,
}

/// Asks until `stop` is dropped.
///
/// An end must be confirmed several times within the idle timeout, or an idle partition would not be noticed.
pub fn watch(tables: &[Watched], interval: Option<Duration>, reports: &Sender<Report>, stop: &Receiver<()>) {
    let idle = tables.iter().filter_map(|table| table.idle_timeout).min();
    let wanted = [interval, idle.map(|timeout| timeout / 4), Some(DISCOVERY_INTERVAL)];
    let pause = wanted.into_iter().flatten().min().unwrap_or(DISCOVERY_INTERVAL);
    loop {
        for table in tables {
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

fn ask(table: &Watched) -> Report {
    let found = table.cluster.partitions(&table.topics).and_then(|partitions| {
        let ends = table.cluster.end_offsets(&partitions)?;
        Ok((partitions, ends))
    });
    match found {
        Ok((partitions, ends)) => {
            let ends = partitions.iter().cloned().zip(ends).collect();
            let partitions = if table.discovers { partitions } else { Vec::new() };
            Report::Discovered { read: table.read, partitions, ends }
        }
        Err(error) => Report::Trouble(error.what().to_string()),
    }
}
