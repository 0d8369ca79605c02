//! Order analytics, Kafka → Kafka, exactly once, against bare librdkafka consumption of the same topic.
//!
//! `cargo bench --bench end_to_end`, with WINDROW_BENCH_EVENTS (default 5000000). A real Kafka is started as
//! the tests do it. Both sides run as processes of their own, in turn, so that CPU and memory are theirs
//! alone; the last lines are the ratios.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench that cannot go on says where"
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};
use windrow::error::SourceText;
use windrow::functions::EpochClock;
use windrow::job::{Job, RunOptions, TerminalFormat};
use windrow::plan::planner;
use windrow::source::generate::Orders;
use windrow::source::kafka::{Cluster, Event, Reader, Startup, Topics};
use windrow::sql;
use windrow::time::{Clock, EventTime};

#[path = "../tests/it/broker.rs"]
#[expect(dead_code, reason = "the bench needs less of the broker than the tests")]
mod broker;

const QUERY: &str = include_str!("../queries/order_analytics.sql");
const PARTITIONS: i32 = 4;
const USERS: u64 = 100_000;
/// Event time that passes between two orders.
const STEP_MICROS: i64 = 1_500;

/// What a child process reports: `events cpu_seconds wall_seconds rss_mb`.
#[derive(Debug, Clone, Copy)]
struct Used {
    events: u64,
    cpu_seconds: f64,
    wall_seconds: f64,
    rss_mb: f64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("consume") => consume(&arguments[2], &arguments[3]),
        Some("job") => job(&arguments[2], &arguments[3], arguments[4].parse().unwrap()),
        _ => compare(),
    }
}

fn compare() {
    let events: u64 =
        std::env::var("WINDROW_BENCH_EVENTS").ok().map_or(5_000_000, |text| text.parse().expect("a number"));
    let broker = broker::Broker::shared();
    let brokers = broker.bootstrap().to_string();
    let topic = format!("bench-orders-{}", std::process::id());
    broker.create_topic(&topic, PARTITIONS);
    broker.create_topic(&format!("{topic}-results"), 1);
    let started = Instant::now();
    produce(&brokers, &topic, events);
    println!(
        "{events} orders produced in {:.1} s, {PARTITIONS} partitions, lz4",
        started.elapsed().as_secs_f64()
    );
    println!("{:<34} {:>10} {:>12} {:>9} {:>8}", "who", "CPU ns/ev", "events/s", "wall s", "RSS MB");
    let run = |who: &str, arguments: &[&str], pinned: bool| {
        let used = child(arguments, pinned);
        println!(
            "{who:<34} {:>10.0} {:>12.0} {:>9.2} {:>8.0}",
            used.cpu_seconds * 1e9 / used.events as f64,
            used.events as f64 / used.wall_seconds,
            used.wall_seconds,
            used.rss_mb
        );
        assert_eq!(used.events, events, "{who} has not seen every event");
        used.cpu_seconds / used.events as f64
    };
    for (cores, pinned) in [("two cores", false), ("one core", true)] {
        let mut ratios = Vec::new();
        for _ in 0..3 {
            let bare = run(&format!("bare librdkafka, {cores}"), &["consume", &brokers, &topic], pinned);
            let ours = run(&format!("windrow, 1 lane, {cores}"), &["job", &brokers, &topic, "1"], pinned);
            ratios.push(ours / bare);
        }
        if !pinned {
            run("windrow, 2 lanes, two cores", &["job", &brokers, &topic, "2"], false);
        }
        ratios.sort_by(f64::total_cmp);
        println!("ratio of CPU per event to bare consumption, {cores}: {:.2}", ratios[ratios.len() / 2]);
    }
}

/// Runs this program again in another role; pinned with taskset where there is one.
fn child(arguments: &[&str], pinned: bool) -> Used {
    let me = std::env::current_exe().unwrap();
    let mut command = match pinned {
        true => {
            let mut command = Command::new("taskset");
            command.args(["-c", "0"]).arg(me);
            command
        }
        false => Command::new(me),
    };
    let output = command.args(arguments).stderr(Stdio::inherit()).output().expect("the child runs");
    assert!(output.status.success(), "the child failed: {:?}", output.status);
    let text = String::from_utf8(output.stdout).unwrap();
    let last = text.lines().last().expect("the child reports");
    let numbers: Vec<f64> = last.split(' ').map(|number| number.parse().unwrap()).collect();
    let [events, cpu_seconds, wall_seconds, rss_mb] = numbers[..] else { panic!("not a report: {last}") };
    Used { events: events as u64, cpu_seconds, wall_seconds, rss_mb }
}

fn report(events: u64, started: Instant) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    // User and system time in ticks of 10 ms: fields 14 and 15 of the line.
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kb: f64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    println!("{events} {} {} {}", ticks / 100.0, started.elapsed().as_secs_f64(), kb / 1024.0);
}

fn produce(brokers: &str, topic: &str, events: u64) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("compression.type", "lz4").set("linger.ms", "20");
    config.set("batch.size", "1000000").set("queue.buffering.max.messages", "200000");
    let producer: BaseProducer<DefaultProducerContext> = config.create().unwrap();
    let mut orders = Orders::new(42, USERS);
    let mut payload = String::new();
    let first = 1_763_975_296_000_000;
    for event in 0..events {
        let disorder = orders.below(2_000_000) as i64;
        orders.write(EventTime(first + event as i64 * STEP_MICROS + disorder), &mut payload);
        let partition = (event % PARTITIONS as u64) as i32;
        loop {
            let record: BaseRecord<'_, (), str> =
                BaseRecord::to(topic).partition(partition).payload(&payload);
            match producer.send(record) {
                Ok(()) => break,
                Err(_) => producer.poll(Duration::from_millis(1)),
            };
        }
    }
    producer.flush(Duration::from_secs(120)).unwrap();
}

/// The bound: batches of messages, two bytes of each touched.
fn consume(brokers: &str, topic: &str) {
    let started = Instant::now();
    let properties = BTreeMap::from([
        ("bootstrap.servers".to_string(), brokers.to_string()),
        ("check.crcs".to_string(), "true".to_string()),
    ]);
    let cluster = Cluster::connect(&properties, Duration::from_secs(10)).unwrap();
    let partitions = cluster.partitions(&Topics::List(vec![topic.to_string()])).unwrap();
    let starts = cluster.start_offsets(&partitions, &Startup::Earliest, None).unwrap();
    let mut reader = Reader::open(&properties, None, 64 << 20).unwrap();
    for (partition, start) in partitions.iter().zip(starts) {
        reader.add(partition.clone(), start).unwrap();
    }
    let (mut events, mut touched, mut ended) = (0_u64, 0_u64, 0);
    while ended < partitions.len() {
        let batch = reader.poll(Duration::from_millis(10));
        for event in batch.iter() {
            match event {
                Event::Message(message) => {
                    let payload = message.payload().unwrap_or_default();
                    touched += u64::from(payload[0]) + u64::from(payload[payload.len() - 1]);
                    events += 1;
                }
                Event::End { .. } => ended += 1,
                _ => {}
            }
        }
    }
    assert!(touched > 0);
    report(events, started);
}

/// The job as `windrow run queries/order_analytics.sql` runs it, to the end that the topic has now.
fn job(brokers: &str, topic: &str, lanes: usize) {
    let started = Instant::now();
    let text =
        QUERY.replacen("'format' = 'json'", "'format' = 'json', 'scan.bounded.mode' = 'latest-offset'", 1);
    let source = Arc::new(SourceText { name: "order_analytics.sql".into(), text });
    let values = |name: &str| match name {
        "KAFKA_BROKERS" => Ok(Some(brokers.to_string())),
        "ORDERS_TOPIC" => Ok(Some(topic.to_string())),
        "RESULTS_TOPIC" => Ok(Some(format!("{topic}-results"))),
        _ => Ok(None),
    };
    let clock = Arc::new(EpochClock::new(Clock::System.now()));
    let plan = planner::plan(sql::parse(&source, &values).unwrap(), &clock).unwrap();
    let options = RunOptions {
        name: format!("bench-{}", std::process::id()),
        lanes,
        epoch_interval: windrow::config::EPOCH_INTERVAL,
        memory_max_bytes: windrow::config::MEMORY_MAX_BYTES,
        batch_records_max: windrow::config::BATCH_RECORDS_MAX,
        batches_per_cut_max: None,
        interleave_seed: None,
        clock: Clock::System,
        terminal: Box::new(std::io::sink()),
        terminal_format: TerminalFormat::Json,
    };
    let job = Job::start(plan, clock, options).unwrap();
    let status = job.run(&mut |_| {}).unwrap();
    assert_eq!((status.late, status.bad()), (0, 0));
    std::io::stdout().flush().unwrap();
    report(status.records(), started);
}
