//! What arrives in topics: rows, keys, every guarantee, and epochs that are seen whole or not at all.

use std::collections::{BTreeMap, BTreeSet};

use super::orders::{SECOND, START};
use super::records::{Stored, Tail, read_to_end, read_uncommitted_to_end};
use super::running::{Running, run_to_end};
use crate::broker::{Broker, Sample, unique};

/// A table of numbered readings that is read up to its end.
fn readings(broker: &Broker, from: &str) -> String {
    let brokers = broker.bootstrap();
    format!(
        "CREATE TABLE readings (id BIGINT, place STRING, degrees DOUBLE
         ) WITH ('connector' = 'kafka', 'topic' = '{from}', 'properties.bootstrap.servers' = '{brokers}',
           'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset',
           'format' = 'json');"
    )
}

fn sink(broker: &Broker, name: &str, to: &str, options: &str) -> String {
    let brokers = broker.bootstrap();
    format!(
        "CREATE TABLE {name} (id BIGINT, place STRING, degrees DOUBLE
         ) WITH ('connector' = 'kafka', 'topic' = '{to}', 'properties.bootstrap.servers' = '{brokers}',
           'format' = 'json', {options});"
    )
}

fn reading(id: i64) -> Sample {
    let value = format!(r#"{{"id":{id},"place":"p{}","degrees":{}.5}}"#, id % 7, id % 40);
    Sample { partition: (id % 2) as i32, value: Some(value), ..Sample::default() }
}

fn topic_of_readings(broker: &Broker, count: i64) -> String {
    let topic = unique("readings");
    broker.create_topic(&topic, 2);
    broker.produce(&topic, &(0..count).map(reading).collect::<Vec<_>>(), &[]);
    topic
}

fn ids(records: &[Stored]) -> Vec<i64> {
    let mut ids: Vec<i64> = records.iter().map(|record| record.json()["id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn fifty_thousand_rows_pass_a_filter_with_every_guarantee_and_codec() {
    let broker = Broker::shared();
    let from = topic_of_readings(broker, 50_000);
    let expected: Vec<i64> = (0..50_000).filter(|id| id % 40 >= 20).collect();
    for (guarantee, codec) in [("exactly-once", "lz4"), ("at-least-once", "zstd"), ("none", "gzip")] {
        let to = unique("warm");
        broker.create_topic(&to, 3);
        let options =
            format!("'sink.delivery-guarantee' = '{guarantee}', 'properties.compression.type' = '{codec}'");
        let text = format!(
            "{} {} INSERT INTO warm SELECT id, UPPER(place), degrees * 2 FROM readings WHERE degrees > 20;",
            readings(broker, &from),
            sink(broker, "warm", &to, &options)
        );
        let status = run_to_end(&text, 2);
        assert_eq!((status.records(), status.rows_out), (50_000, 25_000), "{guarantee}");
        let found = read_to_end(broker, &to);
        assert_eq!(ids(&found), expected, "{guarantee}");
        let row = found.iter().map(Stored::json).find(|row| row["id"] == 25).unwrap();
        assert_eq!((row["place"].as_str(), row["degrees"].as_f64()), (Some("P4"), Some(51.0)));
    }
}

#[test]
fn two_inserts_of_a_statement_set_fill_two_topics() {
    let broker = Broker::shared();
    let from = topic_of_readings(broker, 1_000);
    let (even, odd) = (unique("even"), unique("odd"));
    broker.create_topic(&even, 1);
    broker.create_topic(&odd, 1);
    let text = format!(
        "{} {} {}
         BEGIN STATEMENT SET;
         INSERT INTO even SELECT id, place, degrees FROM readings WHERE id % 2 = 0;
         INSERT INTO odd SELECT id, place, degrees FROM readings WHERE id % 2 = 1;
         END;",
        readings(broker, &from),
        sink(broker, "even", &even, "'sink.delivery-guarantee' = 'exactly-once'"),
        sink(broker, "odd", &odd, "'sink.delivery-guarantee' = 'exactly-once'"),
    );
    let status = run_to_end(&text, 1);
    assert_eq!((status.records(), status.rows_out), (1_000, 1_000), "one read for both");
    assert_eq!(ids(&read_to_end(broker, &even)), (0..1_000).step_by(2).collect::<Vec<_>>());
    assert_eq!(ids(&read_to_end(broker, &odd)), (1..1_000).step_by(2).collect::<Vec<_>>());
}

#[test]
fn keys_are_written_as_declared_and_choose_the_partition() {
    let broker = Broker::shared();
    let from = topic_of_readings(broker, 200);
    let write = |options: &str| {
        let to = unique("keyed");
        broker.create_topic(&to, 4);
        let sink = sink(broker, "keyed", &to, options);
        let select = "INSERT INTO keyed SELECT id, place, degrees FROM readings;";
        run_to_end(&format!("{} {sink} {select}", readings(broker, &from)), 1);
        read_to_end(broker, &to)
    };
    let raw = write("'key.fields' = 'place', 'key.format' = 'raw'");
    assert_eq!(raw.len(), 200);
    let mut partitions: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
    for record in &raw {
        assert_eq!(record.json()["place"], record.key_text().unwrap().as_str());
        partitions.entry(record.key_text().unwrap()).or_default().insert(record.partition);
    }
    assert_eq!(partitions.len(), 7);
    assert!(partitions.values().all(|of_key| of_key.len() == 1), "{partitions:?}");
    let json =
        write("'key.fields' = 'id;place', 'key.format' = 'json', 'value.fields-include' = 'EXCEPT_KEY'");
    assert_eq!(json.len(), 200);
    for record in &json {
        let key: serde_json::Value = serde_json::from_slice(record.key.as_deref().unwrap()).unwrap();
        let id = key["id"].as_i64().unwrap();
        assert_eq!(key, serde_json::json!({ "id": id, "place": format!("p{}", id % 7) }));
        assert_eq!(record.json().to_string(), format!(r#"{{"degrees":{}.5}}"#, id % 40));
    }
    let spread = write("'key.fields' = 'place', 'key.format' = 'raw', 'sink.partitioner' = 'round-robin'");
    let used: BTreeSet<i32> =
        spread.iter().filter(|record| record.key_text().unwrap() == "p0").map(|r| r.partition).collect();
    assert!(used.len() > 1, "rows with one key, not sent by their key, are in {used:?}");
}

const USERS: i64 = 3_000;

/// Counts per user in windows of a second: a window's results belong to one epoch.
fn per_user(broker: &Broker, from: &str, to: &str, guarantee: &str) -> String {
    let brokers = broker.bootstrap();
    format!(
        "CREATE TABLE visits (user_id BIGINT, at TIMESTAMP(3), WATERMARK FOR at AS at
         ) WITH ('connector' = 'kafka', 'topic' = '{from}', 'properties.bootstrap.servers' = '{brokers}',
           'scan.startup.mode' = 'earliest-offset', 'format' = 'json');
         CREATE TABLE counts (window_start TIMESTAMP(3), user_id BIGINT, visits BIGINT
         ) WITH ('connector' = 'kafka', 'topic' = '{to}', 'properties.bootstrap.servers' = '{brokers}',
           'properties.batch.num.messages' = '50', 'sink.delivery-guarantee' = '{guarantee}',
           'format' = 'json');
         INSERT INTO counts SELECT window_start, user_id, COUNT(*)
         FROM TABLE(TUMBLE(TABLE visits, DESCRIPTOR(at), INTERVAL '1' SECOND))
         GROUP BY window_start, window_end, user_id;"
    )
}

fn visits(second: i64) -> Vec<Sample> {
    let at = START.plus(second * SECOND);
    let visit = |user: i64| Sample {
        value: Some(format!("{{\"user_id\":{user},\"at\":\"{at}\"}}")),
        ..Sample::default()
    };
    (0..USERS).map(visit).collect()
}

/// How many rows there are of each window and partition.
fn sizes(records: &[Stored]) -> BTreeMap<(i32, String), usize> {
    let mut sizes = BTreeMap::new();
    for record in records {
        let window = record.json()["window_start"].as_str().unwrap().to_string();
        *sizes.entry((record.partition, window)).or_default() += 1;
    }
    sizes
}

#[test]
fn readers_of_committed_records_see_an_epoch_whole_or_not_at_all() {
    let broker = Broker::shared();
    let (from, to) = (unique("visits"), unique("counts"));
    broker.create_topic(&from, 1);
    broker.create_topic(&to, 2);
    let job = Running::start(&per_user(broker, &from, &to, "exactly-once"), &[], 1);
    let mut tail = Tail::open(broker, &to);
    let mut snapshots = Vec::new();
    broker.produce(&from, &visits(0), &[]);
    for second in 1..5 {
        // The visits of a second close the one before.
        broker.produce(&from, &visits(second), &[]);
        while tail.found().len() < (second * USERS) as usize {
            let before = tail.found().len();
            if let Some(partition) = tail.poll() {
                snapshots.push((partition, before));
            }
        }
    }
    job.stop();
    let found = tail.found();
    let whole = sizes(found);
    assert_eq!(whole.values().sum::<usize>(), 4 * USERS as usize);
    for (partition, seen) in snapshots {
        let seen: Vec<Stored> =
            found[..seen].iter().filter(|record| record.partition == partition).cloned().collect();
        for (window, size) in sizes(&seen) {
            assert_eq!(size, whole[&window], "a part of {window:?} at the end of its partition");
        }
    }
}

#[test]
fn rows_of_a_transaction_that_was_never_finished_are_not_seen() {
    let broker = Broker::shared();
    let (from, to) = (unique("visits"), unique("counts"));
    broker.create_topic(&from, 1);
    broker.create_topic(&to, 2);
    broker.produce(&from, &[visits(0), visits(1)].concat(), &[]);
    let process =
        super::binary::run_text(&per_user(broker, &from, &to, "exactly-once"), &["--epoch", "100ms"]);
    let mut tail = Tail::open_uncommitted(broker, &to);
    tail.until(|found| !found.is_empty());
    drop(process);
    let written = read_uncommitted_to_end(broker, &to).len();
    let committed = read_to_end(broker, &to).len();
    assert!(committed == 0 || committed == USERS as usize, "{committed} of {written} rows are seen");
}
