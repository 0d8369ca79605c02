//! Turns properties and a guarantee into a connected producer that notices what is not delivered.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};

use super::Guarantee;
use crate::error::{Error, Result};
use crate::source::kafka::Properties;
use crate::source::kafka::client::{
    Faults, configure, connect, failed_call, is_authorization, log_line, refused_configuration,
};

/// librdkafka's default for `message.max.bytes`; a batch's header fits between it and the brokers' 1 048 588.
const MESSAGE_BYTES_MAX: usize = 1_000_000;
/// How long a topic that was just created may be unknown to a broker.
const CREATION_LIMIT: Duration = Duration::from_secs(5);

/// What librdkafka's callbacks have told about the rows that were sent.
#[derive(Debug, Default)]
pub struct Deliveries {
    pub faults: Faults,
    failures: Mutex<Option<Failures>>,
}

/// Rows that were not delivered, and why the most telling of them was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failures {
    pub rows: u64,
    pub topic: String,
    pub code: RDKafkaErrorCode,
}

impl Deliveries {
    /// What has failed since the last call.
    pub fn take_failures(&self) -> Option<Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub fn has_failures(&self) -> bool {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn record(&self, topic: &str, code: RDKafkaErrorCode) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = failures.get_or_insert_with(|| Failures { rows: 0, topic: topic.to_string(), code });
        failures.rows += 1;
        if is_permanent(code) && !is_permanent(failures.code) {
            failures.topic = topic.to_string();
            failures.code = code;
        }
    }
}

impl ClientContext for Deliveries {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        log_line(facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.faults.record(error.rdkafka_error_code(), reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, message)) = result {
            let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
            self.record(message.topic(), code);
        }
    }
}

/// Whether sending the same row again would fail again.
pub fn is_permanent(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    is_authorization(Some(code))
        || matches!(
            code,
            Code::MessageSizeTooLarge
                | Code::MessageBatchTooLarge
                | Code::InvalidRecord
                | Code::InvalidTimestamp
                | Code::InvalidTopic
                | Code::PolicyViolation
                | Code::UnknownTopic
                | Code::UnknownTopicOrPartition
                | Code::UnsupportedCompressionType
                | Code::UnsupportedForMessageFormat
        )
}

pub fn message_bytes_max(properties: &Properties) -> usize {
    properties.get("message.max.bytes").and_then(|text| text.trim().parse().ok()).unwrap_or(MESSAGE_BYTES_MAX)
}

/// A producer whose cluster has answered; with a transactional id, one that owns it.
pub fn open(
    properties: &Properties,
    guarantee: Guarantee,
    transactional_id: Option<&str>,
    timeout: Duration,
) -> Result<BaseProducer<Deliveries>> {
    let start = Instant::now();
    let mut defaults = vec![
        // Long enough to fill batches, which halves the cost of a row; short against an epoch.
        ("linger.ms", "2"),
        ("compression.type", "lz4"),
        // Java's: a key goes to the same partition as with every other producer.
        ("partitioner", "murmur2_random"),
        // Bounds memory at no cost; a full queue is waited for.
        ("queue.buffering.max.messages", "20000"),
        ("queue.buffering.max.kbytes", "65536"),
        ("reconnect.backoff.max.ms", "1000"),
    ];
    let mut forced = vec![("delivery.report.only.error", "true")];
    let mut own = properties.clone();
    own.remove("transactional.id");
    match transactional_id {
        Some(id) => {
            // Open only while publishing; a dead one holds up readers until this has passed.
            defaults.push(("transaction.timeout.ms", "60000"));
            forced.extend([("transactional.id", id), ("enable.idempotence", "true")]);
        }
        // Keeps order and avoids most duplicates; not possible with fewer acknowledgements.
        None if guarantee == Guarantee::AtLeastOnce
            && !["acks", "request.required.acks"].iter().any(|name| own.contains_key(*name)) =>
        {
            defaults.push(("enable.idempotence", "true"));
        }
        None => {}
    }
    let producer: BaseProducer<Deliveries> = configure(&own, &defaults, &forced)
        .create_with_context(Deliveries::default())
        .map_err(|error| refused_configuration(&error))?;
    let faults = &producer.context().faults;
    connect(producer.client(), faults, |wait| producer.poll(wait), properties, timeout)?;
    if let Some(id) = transactional_id {
        take_over(&producer, id, timeout.saturating_sub(start.elapsed()))?;
    }
    Ok(producer)
}

/// Fences older producers with this id. In short steps, so that the error callback can speak.
fn take_over(producer: &BaseProducer<Deliveries>, id: &str, limit: Duration) -> Result<()> {
    let start = Instant::now();
    loop {
        let cause = match producer.init_transactions(Duration::from_millis(500)) {
            Ok(()) => return Ok(()),
            Err(cause) => cause,
        };
        producer.poll(Duration::from_millis(20));
        let again = matches!(&cause, KafkaError::Transaction(error) if error.is_retriable());
        if again && start.elapsed() < limit {
            continue;
        }
        let error = failed_call(&format!("start transactions as `{id}`"), &cause, &producer.context().faults);
        return Err(if is_authorization(cause.rdkafka_error_code()) {
            error.fix(format!("grant this user `WRITE` and `DESCRIBE` on the transactional id `{id}`"))
        } else {
            error.fix("check that the cluster's transaction log is available, or publish at least once")
        });
    }
}

/// Whether a topic is there (or was created by asking), and its number of partitions.
pub fn check_topic(producer: &BaseProducer<Deliveries>, topic: &str, timeout: Duration) -> Result<usize> {
    let start = Instant::now();
    let doing = format!("look up topic `{topic}`");
    loop {
        let metadata = producer.client().fetch_metadata(Some(topic), timeout).map_err(|error| {
            producer.poll(Duration::ZERO);
            failed_call(&doing, &error, &producer.context().faults)
        })?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        let partitions = found.map_or(0, |found| found.partitions().len());
        let code = found.and_then(|found| found.error()).map(RDKafkaErrorCode::from);
        let settling = match code {
            None if partitions > 0 => return Ok(partitions),
            None | Some(RDKafkaErrorCode::LeaderNotAvailable) => true,
            // A cluster that creates topics answers like this once or twice before it has.
            Some(RDKafkaErrorCode::UnknownTopicOrPartition) => start.elapsed() < Duration::from_millis(500),
            Some(_) => false,
        };
        if settling && start.elapsed() < CREATION_LIMIT.min(timeout) {
            producer.poll(Duration::from_millis(50));
            continue;
        }
        return Err(unusable(topic, code));
    }
}

fn unusable(topic: &str, code: Option<RDKafkaErrorCode>) -> Error {
    match code {
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            Error::external(format!("topic `{topic}` does not exist"))
                .note("the cluster does not create topics by itself")
                .fix("create the topic, or correct 'topic' in the table's options")
        }
        code if is_authorization(code) => Error::external(format!("no permission to write topic `{topic}`"))
            .fix("grant `WRITE` and `DESCRIBE` on the topic, or use another user"),
        Some(RDKafkaErrorCode::InvalidTopic) => {
            Error::user(format!("`{topic}` is not a name Kafka allows for a topic"))
        }
        Some(code) => {
            Error::external(format!("cannot write topic `{topic}`")).caused_by(KafkaError::Global(code))
        }
        None => Error::external(format!("topic `{topic}` has no partitions yet")),
    }
}
