//! The binary as a user has it: its environment, arguments, signals, exit codes and messages.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::LIMIT;
use super::orders::{SECOND, START, Stretch, assert_recounted};
use super::records::{Tail, read_to_end};
use super::running::order_analytics;
use crate::broker::{Broker, Sample, USER, unique};

const QUERY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/queries/order_analytics.sql");
/// Within this a user is told what is wrong.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process of ours, killed when dropped.
pub struct Process {
    child: Child,
    lines: Receiver<String>,
    log: String,
}

impl Process {
    #[expect(clippy::disallowed_methods, reason = "a pipe that nobody reads would block the process")]
    fn start(arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windrow"));
        command.args(arguments).envs(environment.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let (sender, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in stderr.lines() {
                drop(sender.send(line.unwrap()));
            }
        });
        Process { child, lines, log: String::new() }
    }

    /// Asks it to stop, as an operator would.
    fn terminate(&self) {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for its end; returns its exit code and what it wrote on standard error.
    fn ended(mut self) -> (i32, String) {
        let deadline = Instant::now() + LIMIT;
        while let Ok(line) = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.log += &line;
            self.log.push('\n');
        }
        assert!(Instant::now() < deadline, "the process does not end:\n{}", self.log);
        (self.child.wait().unwrap().code().unwrap(), std::mem::take(&mut self.log))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended needs neither.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs a command that fails or ends by itself; also says how long it took.
fn command(arguments: &[&str], environment: &[(&str, &str)], input: &str) -> (i32, String, Duration) {
    let start = Instant::now();
    let (code, log) = Process::start(arguments, environment, input).ended();
    (code, log, start.elapsed())
}

/// Runs a SQL text until it is stopped or dropped.
pub fn run_text(text: &str, arguments: &[&str]) -> Process {
    let job = unique("job");
    Process::start(&[&["run", "-", "--name", &job], arguments].concat(), &[], text)
}

/// Where nobody listens.
fn nobody() -> String {
    TcpListener::bind("localhost:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn order_analytics_runs_from_the_environment_until_it_is_told_to_stop() {
    let broker = Broker::shared();
    let (orders, results) = (unique("orders"), unique("results"));
    broker.create_topic(&orders, 4);
    broker.create_topic(&results, 1);
    let stretch = Stretch {
        seed: 3,
        count: 4_000,
        partitions: 4,
        from: START,
        span_micros: 10 * SECOND,
        disorder_micros: 900_000,
    };
    broker.produce(&orders, &stretch.samples(), &[]);
    let environment = [
        ("KAFKA_BROKERS", broker.bootstrap()),
        ("ORDERS_TOPIC", &orders),
        ("RESULTS_TOPIC", &results),
        ("WINDOW_SECONDS", "1"),
        ("WATERMARK_SECONDS", "1"),
        ("IDLE_TIMEOUT", "1 s"),
    ];
    let job = unique("job");
    let process = Process::start(&["run", QUERY, "--epoch", "200ms", "--name", &job], &environment, "");
    Tail::open(broker, &results).until(|found| found.len() >= 10);
    process.terminate();
    let (code, log) = process.ended();
    assert_eq!(code, 0, "{log}");
    assert!(log.contains("4000 records") && log.contains("10 results"), "{log}");
    assert_recounted(&read_to_end(broker, &results), &read_to_end(broker, &orders), SECOND);
}

#[test]
fn a_bounded_job_ends_by_itself_with_all_its_windows_closed() {
    let broker = Broker::shared();
    let (orders, results) = (unique("orders"), unique("results"));
    broker.create_topic(&orders, 4);
    broker.create_topic(&results, 1);
    let stretch = Stretch {
        seed: 4,
        count: 4_000,
        partitions: 3,
        from: START,
        span_micros: 300 * SECOND,
        disorder_micros: 29 * SECOND,
    };
    broker.produce(&orders, &stretch.samples(), &[]);
    let environment = [
        ("KAFKA_BROKERS", broker.bootstrap()),
        ("ORDERS_TOPIC", &orders),
        ("RESULTS_TOPIC", &results),
        ("DELIVERY_GUARANTEE", "at-least-once"),
    ];
    let text = order_analytics();
    let text =
        text.replacen("'format' = 'json'", "'format' = 'json', 'scan.bounded.mode' = 'latest-offset'", 1);
    let job = unique("job");
    let (code, log, _) = command(&["run", "-", "--name", &job], &environment, &text);
    assert_eq!(code, 0, "{log}");
    assert!(log.contains("4000 records") && log.contains("5 results"), "{log}");
    assert_recounted(&read_to_end(broker, &results), &read_to_end(broker, &orders), 60 * SECOND);
}

/// Copies the numbers of a topic, with epochs of a second.
fn copy(broker: &Broker, from: &str, to: &str) -> String {
    let brokers = broker.bootstrap();
    format!(
        "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'kafka', 'topic' = '{from}',
           'properties.bootstrap.servers' = '{brokers}', 'scan.startup.mode' = 'earliest-offset',
           'format' = 'json');
         CREATE TABLE copies (n BIGINT) WITH ('connector' = 'kafka', 'topic' = '{to}',
           'properties.bootstrap.servers' = '{brokers}', 'sink.delivery-guarantee' = 'exactly-once',
           'format' = 'json');
         INSERT INTO copies SELECT n FROM numbers;"
    )
}

fn numbers(partitions: i32, from: i64, to: i64) -> Vec<Sample> {
    let sample = |n: i64| Sample {
        partition: (n % i64::from(partitions)) as i32,
        value: Some(format!("{{\"n\":{n}}}")),
        ..Sample::default()
    };
    (from..to).map(sample).collect()
}

#[test]
fn a_stop_publishes_what_has_been_read() {
    let broker = Broker::shared();
    let (from, to) = (unique("numbers"), unique("copies"));
    broker.create_topic(&from, 2);
    broker.create_topic(&to, 1);
    broker.produce(&from, &numbers(2, 0, 1_000), &[]);
    let job = unique("job");
    let process =
        Process::start(&["run", "-", "--epoch", "2s", "--name", &job], &[], &copy(broker, &from, &to));
    Tail::open(broker, &to).until(|found| found.len() >= 1_000);
    broker.produce(&from, &numbers(2, 1_000, 21_000), &[]);
    process.terminate();
    let (code, log) = process.ended();
    assert_eq!(code, 0, "{log}");
    let copies: Vec<i64> =
        read_to_end(broker, &to).iter().map(|copy| copy.json()["n"].as_i64().unwrap()).collect();
    assert!(log.contains(&format!("{} results", copies.len())), "{} copies, but {log}", copies.len());
    assert!(log.contains(&format!("{} records", copies.len())), "{} copies, but {log}", copies.len());
    // What has been read is a stretch of each partition, without a gap.
    let mut of_partition: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for n in copies {
        of_partition.entry(n % 2).or_default().push(n);
    }
    for (partition, copied) in of_partition {
        let expected: Vec<i64> = (0..copied.len() as i64).map(|i| 2 * i + partition).collect();
        assert_eq!(copied, expected, "partition {partition}");
    }
}

#[test]
fn a_broker_that_is_down_is_named_within_ten_seconds() {
    let address = nobody();
    for arguments in [&["run", QUERY][..], &["check", QUERY]] {
        let (code, log, took) = command(arguments, &[("KAFKA_BROKERS", &address)], "");
        assert_eq!(code, 1, "{log}");
        assert!(log.contains(&format!("error: cannot connect to Kafka at `{address}`")), "{log}");
        assert!(log.contains("refused"), "{log}");
        assert!(took < PATIENCE, "took {took:?}: {log}");
    }
}

#[test]
fn a_mistake_in_the_file_is_the_users() {
    let (code, log, _) = command(&["run", "-"], &[], "INSERT INTO nowhere SELECT 1;");
    assert_eq!(code, 2, "{log}");
    assert!(log.contains("nowhere"), "{log}");
    let (code, log, _) = command(&["run", "no-such-file.sql"], &[], "");
    assert_eq!(code, 2, "{log}");
    assert!(log.contains("error: cannot read `no-such-file.sql`"), "{log}");
}

#[test]
fn a_missing_topic_is_named_with_the_nearest_one_there_is() {
    let broker = Broker::shared();
    let (orders, results) = (unique("orders"), unique("results"));
    broker.create_topic(&orders, 1);
    broker.create_topic(&results, 1);
    let missing = format!("{orders}-x");
    for (orders, results) in [(&missing, &results), (&orders, &missing)] {
        let environment = [
            ("KAFKA_BROKERS", broker.bootstrap()),
            ("ORDERS_TOPIC", orders.as_str()),
            ("RESULTS_TOPIC", results.as_str()),
        ];
        for word in ["run", "check"] {
            let (code, log, took) = command(&[word, QUERY], &environment, "");
            assert_eq!(code, 1, "{log}");
            assert!(log.contains(&format!("topic `{missing}` does not exist")), "{log}");
            assert!(took < PATIENCE, "took {took:?}: {log}");
            if orders == &missing {
                assert!(log.contains("fix: did you mean"), "{log}");
            }
        }
    }
}

#[test]
fn credentials_are_checked_and_never_shown() {
    let broker = Broker::secured();
    let (orders, results) = (unique("orders"), unique("results"));
    broker.create_topic(&orders, 1);
    broker.create_topic(&results, 1);
    for mechanism in ["PLAIN", "SCRAM-SHA-256"] {
        let bootstrap = broker.sasl_properties(mechanism)["bootstrap.servers"].clone();
        let environment = |secret| {
            [
                ("KAFKA_BROKERS", bootstrap.clone()),
                ("KAFKA_SECURITY_PROTOCOL", "SASL_PLAINTEXT".into()),
                ("KAFKA_SASL_MECHANISM", mechanism.into()),
                ("KAFKA_API_KEY", USER.0.into()),
                ("KAFKA_API_SECRET", secret),
                ("ORDERS_TOPIC", orders.clone()),
                ("RESULTS_TOPIC", results.clone()),
                ("WINDROW_LOG", "debug".into()),
            ]
        };
        let run = |word: &str, secret: &str| {
            let environment = environment(secret.to_string());
            let environment: Vec<(&str, &str)> = environment.iter().map(|(k, v)| (*k, v.as_str())).collect();
            command(&[word, QUERY], &environment, "")
        };
        let (code, log, _) = run("check", USER.1);
        assert_eq!(code, 0, "{log}");
        for word in ["run", "check"] {
            let (code, log, took) = run(word, "s3cret-but-wrong");
            assert_eq!(code, 1, "{log}");
            assert!(log.contains("uthentication failed"), "{log}");
            assert!(log.contains("check the user name"), "{log}");
            assert!(!log.contains("s3cret"), "{log}");
            assert!(took < PATIENCE, "took {took:?}: {log}");
        }
    }
}

#[test]
fn check_is_content_with_topics_that_are_there() {
    let broker = Broker::shared();
    let (orders, results) = (unique("orders"), unique("results"));
    broker.create_topic(&orders, 4);
    broker.create_topic(&results, 1);
    let environment = [
        ("KAFKA_BROKERS", broker.bootstrap()),
        ("ORDERS_TOPIC", orders.as_str()),
        ("RESULTS_TOPIC", results.as_str()),
    ];
    let (code, log, _) = command(&["check", QUERY], &environment, "");
    assert_eq!(code, 0, "{log}");
    let (code, log, _) = command(&["check", QUERY, "--offline"], &[("KAFKA_BROKERS", &nobody())], "");
    assert_eq!(code, 0, "{log}");
}
