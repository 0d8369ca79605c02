//! `windrow demo`: order analytics, live, in one process.
//!
//! The broker is librdkafka's own mock cluster: real protocol, real clients, no disk. Its transactions are
//! stubs, so the demo's sink is at least once. Everything else is what `windrow run` does with the same file.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};

use super::DemoArguments;
use super::run::stop_on_signal;
use super::script::{Planned, plan};
use crate::config;
use crate::error::{Error, Result, SourceText};
use crate::job::{Job, RunOptions, TerminalFormat};
use crate::source::generate::Orders;
use crate::source::kafka::{Event, Properties, Reader, TopicPartition};
use crate::time::{Clock, EventTime};

/// The file that the demo runs, as it is in `queries/`.
const QUERY: &str = include_str!("../../queries/order_analytics.sql");
const WINDOW_SECONDS: &str = "5";
const PARTITIONS: i32 = 4;
/// Orders come up to this late, as they do in life.
const DISORDER_MICROS: u64 = 800_000;
const USERS: u64 = 5_000;

pub(super) fn demo(arguments: &DemoArguments) -> Result<()> {
    let cluster = MockCluster::new(1).map_err(|cause| broker_failed("start", cause))?;
    let brokers = cluster.bootstrap_servers();
    for (topic, partitions) in [("orders", PARTITIONS), ("analytics-results", 1)] {
        cluster
            .create_topic(topic, partitions, 1)
            .map_err(|cause| broker_failed("create a topic on", cause))?;
    }
    let Planned { plan, epoch_clock, .. } = planned(&brokers)?;
    let options = RunOptions {
        name: "demo".into(),
        lanes: 1,
        epoch_interval: Duration::from_millis(200),
        memory_max_bytes: config::MEMORY_MAX_BYTES,
        batch_records_max: config::BATCH_RECORDS_MAX,
        batches_per_cut_max: None,
        interleave_seed: None,
        clock: Clock::System,
        terminal: Box::new(std::io::stdout()),
        terminal_format: TerminalFormat::Json,
    };
    let job = Job::start(plan, epoch_clock, options)?;
    let stopper = job.stopper();
    stop_on_signal(stopper.clone())?;
    eprintln!(
        "An embedded broker at {brokers}, {} orders a second, windows of {WINDOW_SECONDS} s. Results from \
         the topic `analytics-results`; Ctrl-C ends it.",
        arguments.rate
    );
    let running = Arc::new(AtomicBool::new(true));
    let generator = spawn("demo-orders", {
        let (brokers, running, rate) = (brokers.clone(), Arc::clone(&running), arguments.rate);
        move || generate(&brokers, rate, &running)
    })?;
    let printer = spawn("demo-results", {
        let (brokers, running) = (brokers.clone(), Arc::clone(&running));
        move || print_results(&brokers, &running)
    })?;
    let end = arguments.duration.map(|duration| Instant::now() + duration);
    let result = job.run(&mut |_| {
        if end.is_some_and(|end| Instant::now() >= end) {
            stopper.stop();
        }
    });
    running.store(false, Ordering::Relaxed);
    for thread in [generator, printer] {
        thread.join().map_err(|_| Error::internal("a thread of the demo has panicked"))??;
    }
    let status = result?;
    eprintln!(
        "{} orders in {:.0} s, {} windows.\nOn your own Kafka: KAFKA_BROKERS=localhost:9092 windrow run \
         queries/order_analytics.sql",
        status.records(),
        status.elapsed.as_secs_f64(),
        status.rows_out
    );
    Ok(())
}

fn broker_failed(doing: &str, cause: rdkafka::error::KafkaError) -> Error {
    Error::external(format!("cannot {doing} the embedded broker")).caused_by(cause)
}

/// The query as it stands in the file, with shorter windows and the embedded broker.
fn planned(brokers: &str) -> Result<Planned> {
    let source = SourceText { name: "queries/order_analytics.sql".into(), text: QUERY.into() };
    let values = |name: &str| match name {
        "KAFKA_BROKERS" => Ok(Some(brokers.to_string())),
        "WINDOW_SECONDS" => Ok(Some(WINDOW_SECONDS.into())),
        "WINDOW_NAME" => Ok(Some(format!("{WINDOW_SECONDS}_second_window"))),
        "WATERMARK_SECONDS" => Ok(Some("1".into())),
        "DELIVERY_GUARANTEE" => Ok(Some("at-least-once".into())),
        _ => Ok(None),
    };
    plan(&Arc::new(source), &[], "demo".into(), &values)
}

#[expect(clippy::disallowed_methods, reason = "the demo's broker clients are not part of the job")]
fn spawn(
    name: &str,
    work: impl FnOnce() -> Result<()> + Send + 'static,
) -> Result<std::thread::JoinHandle<Result<()>>> {
    let thread = std::thread::Builder::new().name(name.into()).spawn(work);
    thread.map_err(|cause| Error::external(format!("cannot start thread `{name}`")).caused_by(cause))
}

/// Produces orders at a steady rate, in small portions, until told to end.
fn generate(brokers: &str, rate: u32, running: &AtomicBool) -> Result<()> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("linger.ms", "5").set("compression.type", "lz4");
    let producer: BaseProducer<DefaultProducerContext> =
        config.create().map_err(|cause| broker_failed("produce to", cause))?;
    let mut orders = Orders::new(Clock::System.now().0 as u64, USERS);
    let mut payload = String::new();
    let started = Instant::now();
    let mut sent = 0_u64;
    while running.load(Ordering::Relaxed) {
        let due = (started.elapsed().as_secs_f64() * f64::from(rate)) as u64;
        while sent < due {
            let late = orders.below(DISORDER_MICROS) as i64;
            orders.write(EventTime(Clock::System.now().0 - late), &mut payload);
            let record: BaseRecord<'_, (), str> = BaseRecord::to("orders").payload(&payload);
            if producer.send(record).is_err() {
                // The queue is full: the poll below makes room.
                break;
            }
            sent += 1;
        }
        producer.poll(Duration::from_millis(10));
    }
    producer.flush(Duration::from_secs(1)).map_err(|cause| broker_failed("produce to", cause))
}

/// Prints the results as any consumer would see them.
fn print_results(brokers: &str, running: &AtomicBool) -> Result<()> {
    let properties = Properties::from([("bootstrap.servers".to_string(), brokers.to_string())]);
    let mut reader = Reader::open(&properties, None, 1 << 20)?;
    reader.add(TopicPartition::new("analytics-results", 0), 0)?;
    let mut out = std::io::stdout();
    while running.load(Ordering::Relaxed) {
        let batch = reader.poll(Duration::from_millis(50));
        for event in batch.iter() {
            if let Event::Message(message) = event
                && let Some(payload) = message.payload()
            {
                let line = String::from_utf8_lossy(payload);
                writeln!(out, "{line}")
                    .map_err(|cause| Error::external("cannot write to the terminal").caused_by(cause))?;
            }
        }
    }
    Ok(())
}
