//! One try to publish an outbox, for each guarantee, and what its failure means.
//!
//! librdkafka's `flush` and `commit_transaction` wait in steps of 100 ms, so rows are drained first by
//! polling until nothing is in flight; and its `abort_transaction` waits for ever on rows that nobody polls,
//! so they are purged first.

use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, PurgeConfig};

use super::producer::{Deliveries, Failures, is_permanent};
use super::{PublishError, Record, TopicRows};
use crate::error::Error;

const POLL_STEP: Duration = Duration::from_millis(1);
/// Sent between two looks at the callbacks; never looking would cost memory.
const POLL_ROWS: usize = 1_000;
/// One step of a commit or an abort; both are called again for as long as it takes.
const TRANSACTION_STEP: Duration = Duration::from_secs(5);
/// A wait is worth a line in the log after this long, and again each time it has passed.
const WAIT_WARN: Duration = Duration::from_secs(30);

/// Why an attempt failed, when nothing of it was committed unless said.
pub enum Failure {
    /// May work the next time.
    Again(String),
    /// May work with a new producer; only without transactions.
    Broken(String),
    Final(PublishError),
}

/// Exactly once: all rows in one transaction.
pub fn in_transaction(producer: &BaseProducer<Deliveries>, outbox: &[TopicRows<'_>]) -> Result<(), Failure> {
    if let Err(error) = producer.begin_transaction() {
        let failure = of_transaction(&error);
        if matches!(failure, Failure::Again(_)) {
            // An earlier transaction is still open.
            abort(producer)?;
        }
        return Err(failure);
    }
    // The target's marker belongs here: an offset commit inside the transaction, after the rows.
    let sent = send_all(producer, outbox).and_then(|()| drain(producer));
    if let Err(failure) = sent {
        abort(producer)?;
        return Err(failure);
    }
    if let Some((code, text)) = producer.client().fatal_error() {
        return Err(Failure::Final(fenced(&format!("{code}: {text}"))));
    }
    commit(producer)
}

/// At least once: all rows acknowledged.
pub fn acknowledged(producer: &BaseProducer<Deliveries>, outbox: &[TopicRows<'_>]) -> Result<(), Failure> {
    let sent = send_all(producer, outbox).and_then(|()| drain(producer));
    if sent.is_err() {
        // What is left is sent again with the rest.
        purge(producer);
    }
    sent
}

/// No guarantee: all rows in librdkafka's queue. Returns how many were lost since the last call.
pub fn handed_over(producer: &BaseProducer<Deliveries>, outbox: &[TopicRows<'_>]) -> Result<u64, Failure> {
    for rows in outbox {
        for record in (rows.records)() {
            send(producer, rows.topic, &record, || Ok(()))?;
        }
    }
    producer.poll(Duration::ZERO);
    match producer.context().take_failures() {
        None => Ok(0),
        Some(failures) if is_permanent(failures.code) => Err(of_delivery(&failures)),
        Some(failures) => {
            let Failures { rows, topic, code } = failures;
            tracing::warn!(rows, topic, reason = %code, "rows were lost on their way to Kafka");
            Ok(rows)
        }
    }
}

fn send_all(producer: &BaseProducer<Deliveries>, outbox: &[TopicRows<'_>]) -> Result<(), Failure> {
    for rows in outbox {
        for (row, record) in (rows.records)().enumerate() {
            send(producer, rows.topic, &record, || check_deliveries(producer))?;
            if row % POLL_ROWS == POLL_ROWS - 1 {
                producer.poll(Duration::ZERO);
                check_deliveries(producer)?;
            }
        }
    }
    Ok(())
}

/// Hands over one record, waiting for a place in the queue; `check` ends the wait.
fn send(
    producer: &BaseProducer<Deliveries>,
    topic: &str,
    record: &Record<'_>,
    check: impl Fn() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut wait = Wait::new();
    loop {
        let mut message: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic);
        message.key = record.key;
        message.payload = record.value;
        message.timestamp = record.timestamp_ms;
        message.partition = record.partition;
        message.headers = headers(record.headers);
        let error = match producer.send(message) {
            Ok(()) => return Ok(()),
            Err((error, _)) => error,
        };
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::QueueFull) => {}
            Some(code) => return Err(of_code(producer, topic, code)),
            None => return Err(refused(topic, &error.to_string())),
        }
        producer.poll(POLL_STEP);
        check()?;
        wait.warn(producer);
    }
}

fn headers(pairs: &[(String, Option<Vec<u8>>)]) -> Option<OwnedHeaders> {
    let insert = |headers: OwnedHeaders, (name, value): &(String, Option<Vec<u8>>)| {
        headers.insert(Header { key: name, value: value.as_ref() })
    };
    (!pairs.is_empty()).then(|| pairs.iter().fold(OwnedHeaders::new_with_capacity(pairs.len()), insert))
}

/// Waits until every row is acknowledged.
fn drain(producer: &BaseProducer<Deliveries>) -> Result<(), Failure> {
    let mut wait = Wait::new();
    while producer.in_flight_count() > 0 {
        producer.poll(POLL_STEP);
        check_deliveries(producer)?;
        wait.warn(producer);
    }
    check_deliveries(producer)
}

fn check_deliveries(producer: &BaseProducer<Deliveries>) -> Result<(), Failure> {
    if !producer.context().has_failures() {
        return Ok(());
    }
    match producer.context().take_failures() {
        None => Ok(()),
        Some(failures) if is_permanent(failures.code) => Err(of_delivery(&failures)),
        Some(failures) => Err(of_code(producer, &failures.topic, failures.code)),
    }
}

/// Forgets what is not delivered. Afterwards nothing is in flight.
fn purge(producer: &BaseProducer<Deliveries>) {
    producer.purge(PurgeConfig::default().queue().inflight());
    while producer.in_flight_count() > 0 {
        producer.poll(POLL_STEP);
    }
    // The purged rows count as failures, too.
    producer.context().take_failures();
}

fn abort(producer: &BaseProducer<Deliveries>) -> Result<(), Failure> {
    purge(producer);
    let mut wait = Wait::new();
    loop {
        match producer.abort_transaction(TRANSACTION_STEP) {
            Ok(()) => return Ok(()),
            Err(KafkaError::Transaction(error)) if goes_on(&error) => wait.warn(producer),
            Err(error) => match of_transaction(&error) {
                // There is nothing to abort.
                Failure::Again(_) => return Ok(()),
                failure => return Err(failure),
            },
        }
        producer.poll(Duration::from_millis(100));
    }
}

/// Once this has been called, nothing but this may be called until the outcome is known.
fn commit(producer: &BaseProducer<Deliveries>) -> Result<(), Failure> {
    let mut wait = Wait::new();
    loop {
        let error = match producer.commit_transaction(TRANSACTION_STEP) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if !matches!(&error, KafkaError::Transaction(cause) if cause.is_retriable() && !cause.is_fatal()) {
            return Err(Failure::Final(PublishError::Unknown(
                Error::external("it is not known whether Kafka has committed the last transaction")
                    .note("the rows may or may not be there; sending them again could double them")
                    .caused_by(error),
            )));
        }
        wait.warn(producer);
        producer.poll(Duration::from_millis(100));
    }
}

fn goes_on(error: &RDKafkaError) -> bool {
    !error.is_fatal() && (error.is_retriable() || error.txn_requires_abort())
}

/// What the failure of `begin` or `abort` means.
fn of_transaction(error: &KafkaError) -> Failure {
    match error {
        KafkaError::Transaction(cause) if cause.is_fatal() || is_fence(cause.code()) => {
            Failure::Final(fenced(&cause.string()))
        }
        other => Failure::Again(other.to_string()),
    }
}

fn of_delivery(failures: &Failures) -> Failure {
    let text = format!("{} of its rows were refused: {}", failures.rows, failures.code);
    refused(&failures.topic, &text)
}

fn of_code(producer: &BaseProducer<Deliveries>, topic: &str, code: RDKafkaErrorCode) -> Failure {
    if is_permanent(code) {
        return refused(topic, &code.to_string());
    }
    let fault = producer.context().faults.worst().map(|fault| format!(" ({fault})")).unwrap_or_default();
    let reason = format!("topic `{topic}`: {code}{fault}");
    match producer.client().fatal_error() {
        Some((fatal, text)) if is_fence(fatal) => Failure::Final(fenced(&text)),
        Some((_, text)) => Failure::Broken(text),
        None => Failure::Again(reason),
    }
}

fn is_fence(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch | Code::TransactionCoordinatorFenced
    )
}

fn fenced(text: &str) -> PublishError {
    PublishError::Fenced(
        Error::external("Kafka does not let this process publish any more")
            .note(format!("librdkafka says: {text}"))
            .note("another process runs the same job, or a transaction was open for too long")
            .fix("run a job once; give two jobs different names with SET 'pipeline.name'"),
    )
}

fn refused(topic: &str, text: &str) -> Failure {
    Failure::Final(PublishError::Failed(
        Error::external(format!("Kafka refuses rows for topic `{topic}`")).note(text.to_string()),
    ))
}

/// A wait that says so when it gets long.
struct Wait {
    start: Instant,
    warned: Instant,
}

impl Wait {
    fn new() -> Self {
        let now = Instant::now();
        Wait { start: now, warned: now }
    }

    fn warn(&mut self, producer: &BaseProducer<Deliveries>) {
        if self.warned.elapsed() >= WAIT_WARN {
            self.warned = Instant::now();
            let reason = producer.context().faults.worst().map(|fault| fault.text).unwrap_or_default();
            tracing::warn!(
                reason,
                seconds = self.start.elapsed().as_secs(),
                "waiting for Kafka to take rows"
            );
        }
    }
}
