//! Where reading starts and ends, which topics and partitions are read, and what METADATA columns say.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::records::{Stored, Tail, Transaction, read_to_end};
use super::running::{Running, run_to_end};
use crate::broker::{Broker, Sample, unique};

const TIME_MS: i64 = 1_763_975_280_000;

/// Numbers from `from` to `to` in one partition; `n` was written `n` milliseconds after `TIME_MS`.
fn numbers(partition: i32, from: i64, to: i64) -> Vec<Sample> {
    let sample = |n: i64| Sample {
        partition,
        value: Some(format!("{{\"n\":{n}}}")),
        timestamp_ms: Some(TIME_MS + n),
        ..Sample::default()
    };
    (from..to).map(sample).collect()
}

fn range(from: i64, to: i64) -> Vec<i64> {
    (from..to).collect()
}

/// Copies numbers to a topic; `source` are the options that choose what is read.
fn copy(broker: &Broker, source: &str, to: &str) -> String {
    let brokers = broker.bootstrap();
    format!(
        "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'kafka', {source},
           'properties.bootstrap.servers' = '{brokers}', 'format' = 'json');
         CREATE TABLE copies (n BIGINT) WITH ('connector' = 'kafka', 'topic' = '{to}',
           'properties.bootstrap.servers' = '{brokers}', 'format' = 'json');
         INSERT INTO copies SELECT n FROM numbers;"
    )
}

fn copied(broker: &Broker, topic: &str) -> Vec<i64> {
    let copies = read_to_end(broker, topic);
    let mut numbers: Vec<i64> = copies.iter().map(|copy| copy.json()["n"].as_i64().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

/// What a bounded read with these options copies.
fn read_with(broker: &Broker, source: &str) -> Vec<i64> {
    let to = unique("copies");
    broker.create_topic(&to, 1);
    run_to_end(&copy(broker, source, &to), 1);
    copied(broker, &to)
}

#[test]
fn every_startup_mode_starts_where_it_says() {
    let broker = Broker::shared();
    let topic = unique("starts");
    broker.create_topic(&topic, 2);
    broker.produce(&topic, &[numbers(0, 0, 10), numbers(1, 10, 20)].concat(), &[]);
    let group = unique("group");
    broker.commit(&group, &topic, &BTreeMap::from([(0, 7)]));
    let read = |options: &str| {
        read_with(broker, &format!("'topic' = '{topic}', 'scan.bounded.mode' = 'latest-offset', {options}"))
    };
    assert_eq!(read("'scan.startup.mode' = 'earliest-offset'"), range(0, 20));
    assert_eq!(read("'scan.startup.mode' = 'latest-offset'"), Vec::<i64>::new());
    let at = TIME_MS + 5;
    let by_time = format!("'scan.startup.mode' = 'timestamp', 'scan.startup.timestamp-millis' = '{at}'");
    assert_eq!(read(&by_time), range(5, 20));
    let specific = "'scan.startup.mode' = 'specific-offsets', \
                    'scan.startup.specific-offsets' = 'partition:0,offset:8;partition:1,offset:1'";
    assert_eq!(read(specific), [range(8, 10), range(11, 20)].concat());
    let by_group = format!("'properties.group.id' = '{group}'");
    assert_eq!(read(&by_group), range(7, 20), "a partition without an offset starts at its beginning");
    let latest = format!("{by_group}, 'properties.auto.offset.reset' = 'latest'");
    assert_eq!(read(&latest), range(7, 10));
}

#[test]
fn every_bounded_mode_ends_where_it_says() {
    let broker = Broker::shared();
    let topic = unique("ends");
    broker.create_topic(&topic, 2);
    broker.produce(&topic, &[numbers(0, 0, 10), numbers(1, 10, 20)].concat(), &[]);
    let group = unique("group");
    broker.commit(&group, &topic, &BTreeMap::from([(0, 7), (1, 0)]));
    let read = |options: &str| {
        read_with(broker, &format!("'topic' = '{topic}', 'scan.startup.mode' = 'earliest-offset', {options}"))
    };
    let at = TIME_MS + 15;
    let by_time = format!("'scan.bounded.mode' = 'timestamp', 'scan.bounded.timestamp-millis' = '{at}'");
    assert_eq!(read(&by_time), range(0, 15));
    let specific = "'scan.bounded.mode' = 'specific-offsets', \
                    'scan.bounded.specific-offsets' = 'partition:0,offset:3;partition:1,offset:10'";
    assert_eq!(read(specific), [range(0, 3), range(10, 20)].concat());
    let by_group = format!("'scan.bounded.mode' = 'group-offsets', 'properties.group.id' = '{group}'");
    assert_eq!(read(&by_group), range(0, 7));
}

#[test]
fn a_bounded_read_ends_where_a_transaction_ends() {
    let broker = Broker::shared();
    let topic = unique("transactional");
    broker.create_topic(&topic, 2);
    // The last offset of each partition is not a record but the mark of a commit, or of an abort.
    Transaction::write(broker, &topic, &numbers(0, 0, 10)).commit();
    Transaction::write(broker, &topic, &numbers(1, 10, 20)).commit();
    Transaction::write(broker, &topic, &numbers(1, 20, 30)).abort();
    let source = format!(
        "'topic' = '{topic}', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'"
    );
    assert_eq!(read_with(broker, &source), range(0, 20));
}

#[test]
fn several_topics_are_read_by_list_and_by_pattern() {
    let broker = Broker::shared();
    let prefix = unique("several");
    for (number, name) in ["a", "b", "other"].iter().enumerate() {
        let topic = format!("{prefix}-{name}");
        broker.create_topic(&topic, 2);
        let first = number as i64 * 10;
        broker.produce(
            &topic,
            &[numbers(0, first, first + 5), numbers(1, first + 5, first + 10)].concat(),
            &[],
        );
    }
    let read = |options: &str| {
        let bounds = "'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'";
        read_with(broker, &format!("{options}, {bounds}"))
    };
    assert_eq!(read(&format!("'topic' = '{prefix}-a;{prefix}-b'")), range(0, 20));
    assert_eq!(read(&format!("'topic-pattern' = '{prefix}-[ab]'")), range(0, 20));
    assert_eq!(read(&format!("'topic-pattern' = '{prefix}-.*'")), range(0, 30));
}

#[test]
fn partitions_and_topics_that_appear_are_read_from_their_beginning() {
    let broker = Broker::shared();
    let (prefix, to) = (unique("growing"), unique("copies"));
    let (first, second) = (format!("{prefix}-1"), format!("{prefix}-2"));
    broker.create_topic(&first, 1);
    broker.create_topic(&to, 1);
    broker.produce(&first, &numbers(0, 0, 5), &[]);
    // Latest: what appears later is read from its beginning nevertheless.
    let source = format!(
        "'topic-pattern' = '{prefix}-.', 'scan.startup.mode' = 'latest-offset',
         'scan.topic-partition-discovery.interval' = '200 ms'"
    );
    let mut job = Running::start(&copy(broker, &source, &to), &[], 2);
    job.until(|status| status.epoch > 0);
    broker.produce(&first, &numbers(0, 5, 10), &[]);
    job.until(|status| status.records() == 5);
    broker.grow_topic(&first, 2);
    broker.produce(&first, &numbers(1, 10, 15), &[]);
    broker.create_topic(&second, 1);
    broker.produce(&second, &numbers(0, 15, 20), &[]);
    Tail::open(broker, &to).until(|found| found.len() >= 15);
    job.stop();
    assert_eq!(copied(broker, &to), range(5, 20));
}

#[test]
fn metadata_columns_say_where_a_record_is_from() {
    let broker = Broker::shared();
    let (from, to) = (unique("described"), unique("descriptions"));
    broker.create_topic(&from, 2);
    broker.create_topic(&to, 1);
    let header = |name: &str, value: Option<&[u8]>| (name.to_string(), value.map(<[u8]>::to_vec));
    let whole = Sample {
        partition: 1,
        key: Some("the key".into()),
        value: Some(r#"{"n":2}"#.into()),
        timestamp_ms: Some(TIME_MS + 250),
        headers: vec![header("trace", Some(b"abc")), header("empty", None)],
    };
    let plain = Sample { headers: Vec::new(), key: None, value: Some(r#"{"n":1}"#.into()), ..whole.clone() };
    broker.produce(&from, &[plain, whole], &[]);
    let brokers = broker.bootstrap();
    let text = format!(
        "CREATE TABLE described (
           n BIGINT,
           written_at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp',
           `partition` INT METADATA VIRTUAL,
           `offset` BIGINT METADATA,
           `key` BYTES METADATA,
           `topic` STRING METADATA,
           `headers` MAP<STRING, BYTES> METADATA
         ) WITH ('connector' = 'kafka', 'topic' = '{from}', 'properties.bootstrap.servers' = '{brokers}',
           'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset', 'format' = 'json');
         CREATE TABLE descriptions (
           n BIGINT, written_at TIMESTAMP_LTZ(3), p INT, o BIGINT, k STRING, t STRING, trace STRING
         ) WITH ('connector' = 'kafka', 'topic' = '{to}', 'properties.bootstrap.servers' = '{brokers}',
           'format' = 'json');
         INSERT INTO descriptions
         SELECT n, written_at, `partition`, `offset`, CAST(`key` AS STRING), `topic`,
           CAST(`headers`['trace'] AS STRING)
         FROM described;"
    );
    run_to_end(&text, 1);
    let at = "2025-11-24 09:08:00.25Z";
    let expected = [
        json!({ "n": 1, "written_at": at, "p": 1, "o": 0, "k": null, "t": from, "trace": null }),
        json!({ "n": 2, "written_at": at, "p": 1, "o": 1, "k": "the key", "t": from, "trace": "abc" }),
    ];
    let found: Vec<Value> = read_to_end(broker, &to).iter().map(Stored::json).collect();
    assert_eq!(found, expected);
}
