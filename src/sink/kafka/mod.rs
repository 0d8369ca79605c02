//! Publishes what an epoch has to say to one Kafka cluster, all or nothing where Kafka can.
//!
//! Exactly once: one transaction holds all rows of the epoch. Until commit is asked for, every error means
//! abort and start over, which readers of committed records never see. After that only a retry of the commit
//! is allowed: sending the rows again could double them. At least once: the epoch is done when the brokers
//! have acknowledged every row, and sent again as a whole when they refuse one.
//!
//! A broker that is away is waited for, without limit and with a warning now and then: the rows are safe in
//! the checkpoint, and giving up would only stop the job.

mod attempt;
mod producer;

use std::time::{Duration, Instant};

use rdkafka::producer::{BaseProducer, Producer};

use self::attempt::Failure;
use self::producer::Deliveries;
use crate::error::{Error, Result};
use crate::source::kafka::Properties;

/// Lengths, time and offset of a record, each as the longest number (`RD_KAFKAP_MESSAGE_V2_MAX_OVERHEAD`).
const RECORD_OVERHEAD_BYTES: usize = 36;

/// What a reader may rely on after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarantee {
    /// Every row once, for readers that read committed records only.
    ExactlyOnce,
    /// Every row, some more than once.
    AtLeastOnce,
    /// Rows are handed over and not waited for.
    None,
}

/// A record to be written. Borrowed: librdkafka copies it when it is sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Record<'a> {
    pub key: Option<&'a [u8]>,
    /// None is a tombstone.
    pub value: Option<&'a [u8]>,
    pub headers: &'a [(String, Option<Vec<u8>>)],
    /// Milliseconds since 1970; none is the time of sending.
    pub timestamp_ms: Option<i64>,
    /// None leaves it to the key's hash, or to chance without a key.
    pub partition: Option<i32>,
}

impl Record<'_> {
    /// What counts against `message.max.bytes`: librdkafka's upper bound of what it takes on the wire.
    pub fn size_bytes(&self) -> usize {
        let len = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
        let headers: usize =
            self.headers.iter().map(|(name, value)| name.len() + len(value.as_deref()) + 10).sum();
        RECORD_OVERHEAD_BYTES + len(self.key) + len(self.value) + headers
    }
}

/// The rows for one topic, as a function that starts over: an outbox may have to be sent more than once.
pub struct TopicRows<'a> {
    topic: &'a str,
    records: Box<dyn Fn() -> Box<dyn Iterator<Item = Record<'a>> + 'a> + 'a>,
}

impl<'a> TopicRows<'a> {
    pub fn new<I: Iterator<Item = Record<'a>> + 'a>(topic: &'a str, records: impl Fn() -> I + 'a) -> Self {
        TopicRows { topic, records: Box::new(move || Box::new(records())) }
    }
}

/// What a publication took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PublishReport {
    pub rows: u64,
    /// [`Record::size_bytes`] of all, before compression.
    pub bytes: u64,
    /// How often it was started over.
    pub retries: u32,
    /// Rows that were handed over (now or before) and lost since; only without a guarantee.
    pub lost_rows: u64,
}

/// Why a publication ended without having succeeded.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A row that Kafka would never take; nothing was sent. `row` counts within `topic` from 0.
    #[error("{error}")]
    TooLarge { topic: String, row: usize, error: Error },
    /// The producer cannot go on: another one has its transactional id, or its transaction timed out. Nothing
    /// was committed. Whether to `reopen` and publish again is for the checkpoint store to say.
    #[error("{0}")]
    Fenced(Error),
    /// The commit was asked for and its outcome is not known; sending again could double the rows.
    #[error("{0}")]
    Unknown(Error),
    /// Waiting would not help. Nothing was committed; without transactions, a part may have been written.
    #[error("{0}")]
    Failed(Error),
}

impl From<PublishError> for Error {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::TooLarge { error, .. }
            | PublishError::Fenced(error)
            | PublishError::Unknown(error)
            | PublishError::Failed(error) => error,
        }
    }
}

/// One producer, for all topics of one cluster and one job.
pub struct Publisher {
    /// As given; may hold secrets.
    properties: Properties,
    guarantee: Guarantee,
    transactional_id: Option<String>,
    /// Bounds the calls that do not publish.
    timeout: Duration,
    /// Largest [`Record::size_bytes`] that is sent.
    message_bytes_max: usize,
    producer: BaseProducer<Deliveries>,
}

impl Publisher {
    /// Connects, and with `ExactlyOnce` takes over `transactional_id`: an older producer with it is fenced,
    /// its open transaction aborted. Fails with the reason within `timeout`.
    pub fn open(
        properties: &Properties,
        guarantee: Guarantee,
        transactional_id: Option<&str>,
        timeout: Duration,
    ) -> Result<Publisher> {
        let transactional_id = match guarantee {
            Guarantee::ExactlyOnce => Some(transactional_id.ok_or_else(|| {
                Error::internal("publishing exactly once to Kafka needs a transactional id")
            })?),
            Guarantee::AtLeastOnce | Guarantee::None => None,
        };
        let producer = producer::open(properties, guarantee, transactional_id, timeout)?;
        Ok(Publisher {
            properties: properties.clone(),
            guarantee,
            transactional_id: transactional_id.map(str::to_string),
            timeout,
            message_bytes_max: producer::message_bytes_max(properties),
            producer,
        })
    }

    /// Starts over with a new producer, after `PublishError::Fenced`, when the job is still ours.
    pub fn reopen(&mut self) -> Result<()> {
        let id = self.transactional_id.as_deref();
        self.producer = producer::open(&self.properties, self.guarantee, id, self.timeout)?;
        Ok(())
    }

    /// Whether a topic can be written to: its number of partitions.
    ///
    /// A missing topic is created here where the cluster creates topics by itself.
    pub fn check_topic(&self, topic: &str) -> Result<usize> {
        producer::check_topic(&self.producer, topic, self.timeout)
    }

    /// The largest [`Record::size_bytes`] that [`Publisher::publish`] takes; a topic may allow less.
    pub fn max_message_bytes(&self) -> usize {
        self.message_bytes_max
    }

    /// Publishes all rows of an epoch; without rows nothing happens.
    ///
    /// Returns when the guarantee is met. Waits for brokers that are away for as long as it takes.
    pub fn publish(&mut self, outbox: &[TopicRows<'_>]) -> Result<PublishReport, PublishError> {
        let mut report = self.measure(outbox)?;
        if report.rows == 0 {
            return Ok(report);
        }
        let mut patience = Patience::new();
        loop {
            self.producer.context().faults.forget();
            let tried = match self.guarantee {
                Guarantee::ExactlyOnce => attempt::in_transaction(&self.producer, outbox),
                Guarantee::AtLeastOnce => attempt::acknowledged(&self.producer, outbox),
                Guarantee::None => attempt::handed_over(&self.producer, outbox).map(|lost| {
                    report.lost_rows = lost;
                }),
            };
            let reason = match tried {
                Ok(()) => return Ok(report),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Again(reason)) => reason,
                Err(Failure::Broken(reason)) => {
                    // Without transactions there is nobody to fence, so a new producer is free.
                    if let Err(error) = self.reopen() {
                        tracing::debug!(%error, "no new Kafka producer yet");
                    }
                    reason
                }
            };
            report.retries += 1;
            patience.warn(&reason);
            patience.pause(&self.producer);
        }
    }

    /// Waits until everything handed over is acknowledged; returns how many rows were lost instead.
    ///
    /// Only needed without a guarantee, before the publisher is dropped.
    pub fn flush(&mut self, limit: Duration) -> Result<u64> {
        let deadline = Instant::now() + limit;
        while self.producer.in_flight_count() > 0 && Instant::now() < deadline {
            self.producer.poll(Duration::from_millis(1));
        }
        let left = u64::try_from(self.producer.in_flight_count()).unwrap_or_default();
        Ok(left + self.producer.context().take_failures().map_or(0, |failures| failures.rows))
    }

    /// Counts, and refuses what Kafka would refuse, before anything is sent.
    fn measure(&self, outbox: &[TopicRows<'_>]) -> Result<PublishReport, PublishError> {
        let mut report = PublishReport::default();
        for rows in outbox {
            for (row, record) in (rows.records)().enumerate() {
                let bytes = record.size_bytes();
                if bytes > self.message_bytes_max {
                    let topic = rows.topic.to_string();
                    let what = format!("a row for topic `{topic}` is larger than Kafka's limit");
                    let sizes = format!("it has {bytes} bytes, the limit is {}", self.message_bytes_max);
                    let error = Error::user(what)
                        .note(sizes)
                        .fix("raise 'properties.max.request.size' and the topic's `max.message.bytes`");
                    return Err(PublishError::TooLarge { topic, row, error });
                }
                report.rows += 1;
                report.bytes += bytes as u64;
            }
        }
        Ok(report)
    }
}

/// How long to wait before the next try, and when to say so.
struct Patience {
    start: Instant,
    warned: Option<Instant>,
    wait: Duration,
}

impl Patience {
    const WAIT_MAX: Duration = Duration::from_secs(5);
    const WARN_INTERVAL: Duration = Duration::from_secs(30);

    fn new() -> Self {
        Patience { start: Instant::now(), warned: None, wait: Duration::from_millis(100) }
    }

    fn warn(&mut self, reason: &str) {
        if self.warned.is_none_or(|at| at.elapsed() >= Self::WARN_INTERVAL) {
            self.warned = Some(Instant::now());
            let seconds = self.start.elapsed().as_secs();
            tracing::warn!(
                reason,
                seconds,
                "cannot publish to Kafka; the rows are kept and sent again until it takes them"
            );
        }
    }

    /// Waits while serving the producer, twice as long each time.
    fn pause(&mut self, producer: &BaseProducer<Deliveries>) {
        producer.poll(self.wait);
        self.wait = (self.wait * 2).min(Self::WAIT_MAX);
    }
}
