//! The targets of a job, opened: takes an outbox and returns when every target has it.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::format::EncodedRows;
use crate::sink::file::LineFile;
use crate::sink::kafka::{Publisher, Record, TopicRows};
use crate::sink::{Outbox, RouteId, RoutedRecord};

/// Index of a cluster in [`Sinks::clusters`].
pub type ClusterId = usize;

/// Where rows of a target go.
pub enum Target {
    Topic { cluster: ClusterId, topic: Arc<str>, deal: Option<Deal> },
    Lines(LineFile),
    Stdout { prefix: String },
    Stderr { prefix: String },
}

/// Deals rows to partitions in turn, whatever their keys: 'sink.partitioner' = 'round-robin'.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deal {
    /// As many as the topic had when it was opened.
    pub partitions: usize,
    /// How many rows have been dealt.
    pub dealt: usize,
}

impl Deal {
    /// The partition of the row with this index among the next ones.
    fn partition(self, row: usize) -> Option<i32> {
        i32::try_from((self.dealt + row).checked_rem(self.partitions)?).ok()
    }
}

/// Everything a job writes to.
pub struct Sinks {
    pub clusters: Vec<Publisher>,
    pub targets: Vec<Target>,
    /// The cluster that each table's late rows and bad records go to.
    pub routes: BTreeMap<Arc<str>, ClusterId>,
    /// Where results for the terminal go; standard output outside of tests.
    pub terminal: Box<dyn Write + Send>,
}

impl Sinks {
    /// Publishes an outbox: one transaction per cluster, then files and the terminal.
    pub fn publish(&mut self, outbox: &Outbox) -> Result<()> {
        for cluster in 0..self.clusters.len() {
            self.publish_to(cluster, outbox)?;
        }
        for (target, rows) in &outbox.rows {
            match &mut self.targets[*target] {
                Target::Topic { deal, .. } => {
                    if let Some(deal) = deal {
                        deal.dealt += rows.len();
                    }
                }
                Target::Lines(file) => file.write(rows)?,
                Target::Stdout { prefix } => print(&mut self.terminal, prefix, rows)?,
                Target::Stderr { prefix } => print(&mut std::io::stderr(), prefix, rows)?,
            }
        }
        Ok(())
    }

    fn publish_to(&mut self, cluster: ClusterId, outbox: &Outbox) -> Result<()> {
        let routed = self.routed_to(cluster, outbox);
        let mut rows = Vec::new();
        for (target, encoded) in &outbox.rows {
            if let Target::Topic { cluster: of, topic, deal } = &self.targets[*target]
                && *of == cluster
            {
                let partition = |index| deal.and_then(|deal| deal.partition(index));
                let dealt = move |(index, pair)| row(pair, partition(index));
                rows.push(TopicRows::new(topic, move || encoded.iter().enumerate().map(dealt)));
            }
        }
        for (route, records) in &routed {
            rows.push(TopicRows::new(&route.topic, || records.iter().map(|record| kept(record))));
        }
        if rows.is_empty() {
            return Ok(());
        }
        self.clusters[cluster].publish(&rows).map_err(Error::from)?;
        Ok(())
    }

    /// The routed records that a cluster gets, by topic.
    fn routed_to<'a>(
        &self,
        cluster: ClusterId,
        outbox: &'a Outbox,
    ) -> BTreeMap<&'a RouteId, Vec<&'a RoutedRecord>> {
        let mut routed: BTreeMap<&RouteId, Vec<&RoutedRecord>> = BTreeMap::new();
        for record in &outbox.routed {
            if self.routes.get(&record.route.table) == Some(&cluster) {
                routed.entry(&record.route).or_default().push(record);
            }
        }
        routed
    }

    /// Waits for what was handed over without a guarantee.
    pub fn finish(&mut self) -> Result<()> {
        for cluster in &mut self.clusters {
            cluster.flush(crate::config::FLUSH_TIMEOUT)?;
        }
        self.terminal.flush().map_err(broken_pipe)
    }
}

fn row<'a>((key, value): (Option<&'a [u8]>, &'a [u8]), partition: Option<i32>) -> Record<'a> {
    Record { key, value: Some(value), partition, ..Record::default() }
}

fn kept(record: &RoutedRecord) -> Record<'_> {
    Record {
        key: record.key.as_deref(),
        value: record.value.as_deref(),
        headers: &record.headers,
        timestamp_ms: record.timestamp_ms,
        partition: None,
    }
}

fn print(out: &mut dyn Write, prefix: &str, rows: &EncodedRows) -> Result<()> {
    let mut write = || {
        for (_, value) in rows.iter() {
            out.write_all(prefix.as_bytes())?;
            out.write_all(value)?;
            out.write_all(b"\n")?;
        }
        out.flush()
    };
    write().map_err(broken_pipe)
}

fn broken_pipe(cause: std::io::Error) -> Error {
    Error::external("cannot write the results to the terminal").caused_by(cause)
}
