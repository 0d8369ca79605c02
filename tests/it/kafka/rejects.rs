//! Records that give no row, and rows that come too late: counted, kept as they came, and nobody disturbed.

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use windrow::error::Domain;
use windrow::job::Status;

use super::LIMIT;
use super::orders::{SECOND, START};
use super::records::{Stored, Tail, read_to_end};
use super::running::{Running, run_to_end};
use crate::broker::{Broker, Sample, config, unique};

/// Not text in any encoding we know.
const NO_TEXT: &[u8] = b"{\"n\":\xff\xfe}";
const TIME_MS: i64 = 1_763_975_280_123;

/// Writes payloads as they are to partition 0, each with the key `k<n>`, a header and a time.
fn produce(broker: &Broker, topic: &str, payloads: &[Option<&[u8]>]) {
    let producer: BaseProducer = config(&broker.properties()).create().unwrap();
    for (n, payload) in payloads.iter().enumerate() {
        let key = format!("k{n}");
        let headers = OwnedHeaders::new().insert(Header { key: "trace", value: Some(&[n as u8, 0xff]) });
        let mut record: BaseRecord<'_, str, [u8]> = BaseRecord::to(topic)
            .partition(0)
            .key(key.as_str())
            .timestamp(TIME_MS + n as i64)
            .headers(headers);
        record.payload = *payload;
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(LIMIT).unwrap();
}

/// A table `numbers` with options, copied to a topic up to its end.
fn copy(broker: &Broker, from: &str, to: &str, options: &str) -> String {
    let brokers = broker.bootstrap();
    format!(
        "CREATE TABLE numbers (n BIGINT, s STRING) WITH ('connector' = 'kafka', 'topic' = '{from}',
           'properties.bootstrap.servers' = '{brokers}', 'scan.startup.mode' = 'earliest-offset',
           'scan.bounded.mode' = 'latest-offset', 'format' = 'json'{options});
         CREATE TABLE copies (n BIGINT, s STRING) WITH ('connector' = 'kafka', 'topic' = '{to}',
           'properties.bootstrap.servers' = '{brokers}', 'sink.delivery-guarantee' = 'exactly-once',
           'format' = 'json');
         INSERT INTO copies SELECT n, s FROM numbers;"
    )
}

fn bad(status: &Status, reason: &str) -> u64 {
    status.counts[0].bad.iter().find(|(known, _)| *known == reason).map_or(0, |(_, count)| *count)
}

fn texts(records: &[Stored]) -> Vec<String> {
    records.iter().map(|record| String::from_utf8(record.value.clone().unwrap()).unwrap()).collect()
}

#[test]
fn bad_records_are_kept_as_they_came_and_their_neighbours_pass() {
    let broker = Broker::shared();
    let (from, to, kept) = (unique("mixed"), unique("copies"), unique("bad"));
    broker.create_topic(&from, 1);
    broker.create_topic(&to, 1);
    broker.create_topic(&kept, 1);
    let payloads: [Option<&[u8]>; 9] = [
        Some(b"{\"n\":0,\"s\":\"first\"}"),
        None,
        Some(b""),
        Some(b"{\"n\":3,\"s\":"),
        Some(b"{\"n\":4,\"s\":\"between\"}"),
        Some(NO_TEXT),
        Some(b"{\"n\":\"six\"}"),
        Some(b"not json at all"),
        Some(b"{\"n\":8,\"s\":\"last\"}"),
    ];
    produce(broker, &from, &payloads);
    let options = format!(", 'bad-records.topic' = '{kept}'");
    let status = run_to_end(&copy(broker, &from, &to, &options), 1);
    assert_eq!((status.records(), status.counts[0].tombstones, status.bad()), (9, 1, 5));
    assert_eq!(
        (bad(&status, "empty"), bad(&status, "truncated"), bad(&status, "type_mismatch")),
        (1, 1, 1),
        "{:?}",
        status.counts[0].bad
    );
    assert_eq!(
        texts(&read_to_end(broker, &to)),
        [r#"{"n":0,"s":"first"}"#, r#"{"n":4,"s":"between"}"#, r#"{"n":8,"s":"last"}"#]
    );
    let kept = read_to_end(broker, &kept);
    let offsets: Vec<String> = kept.iter().map(|record| record.header("windrow.offset")).collect();
    assert_eq!(offsets, ["2", "3", "5", "6", "7"]);
    for (record, offset) in kept.iter().zip([2_usize, 3, 5, 6, 7]) {
        assert_eq!(record.value.as_deref(), payloads[offset], "the bytes of offset {offset}");
        assert_eq!(record.key_text(), Some(format!("k{offset}")));
        assert_eq!(record.timestamp_ms, Some(TIME_MS + offset as i64));
        assert_eq!(record.headers[0], ("trace".to_string(), Some(vec![offset as u8, 0xff])));
        assert_eq!(record.header("windrow.topic"), from);
        assert_eq!(record.header("windrow.partition"), "0");
        assert_eq!(record.header("windrow.timestamp"), (TIME_MS + offset as i64).to_string());
        assert!(bad(&status, &record.header("windrow.reason")) > 0, "{record:?}");
        assert!(!record.header("windrow.detail").is_empty());
    }
}

#[test]
fn a_job_told_to_fail_names_the_first_bad_record() {
    let broker = Broker::shared();
    let (from, to) = (unique("mixed"), unique("copies"));
    broker.create_topic(&from, 1);
    broker.create_topic(&to, 1);
    produce(broker, &from, &[Some(b"{\"n\":0}"), Some(b"{\"n\":1}"), Some(b"{\"n\":")]);
    let text = copy(broker, &from, &to, ", 'bad-records' = 'fail'");
    let error = Running::start(&text, &[], 1).ended().unwrap_err();
    assert_eq!((error.domain(), error.exit_code()), (Domain::External, 1));
    let error = error.to_string();
    assert!(error.contains(&format!("{from} partition 0 offset 2: ")), "{error}");
    assert!(error.contains("ends within a value") || error.contains("truncated"), "{error}");
}

#[test]
fn parse_errors_that_are_ignored_give_nulls() {
    let broker = Broker::shared();
    let (from, to) = (unique("mixed"), unique("copies"));
    broker.create_topic(&from, 1);
    broker.create_topic(&to, 1);
    produce(broker, &from, &[Some(b"{\"n\":\"six\",\"s\":\"a\"}"), Some(b"{\"n\":7,\"s\":\"b\"}")]);
    let status = run_to_end(&copy(broker, &from, &to, ", 'json.ignore-parse-errors' = 'true'"), 1);
    assert_eq!(status.bad(), 0);
    assert_eq!(texts(&read_to_end(broker, &to)), [r#"{"n":null,"s":"a"}"#, r#"{"n":7,"s":"b"}"#]);
}

fn event(n: i64, second: i64) -> Sample {
    let at = START.plus(second * SECOND);
    Sample {
        key: Some(format!("k{n}")),
        value: Some(format!("{{\"n\":{n},\"at\":\"{at}\"}}")),
        ..Sample::default()
    }
}

#[test]
fn late_rows_are_counted_and_routed_and_their_window_stays_closed() {
    let broker = Broker::shared();
    let (from, to, late) = (unique("events"), unique("windows"), unique("late"));
    for topic in [&from, &to, &late] {
        broker.create_topic(topic, 1);
    }
    let brokers = broker.bootstrap();
    let text = format!(
        "CREATE TABLE events (n BIGINT, at TIMESTAMP(3), WATERMARK FOR at AS at - INTERVAL '1' SECOND
         ) WITH ('connector' = 'kafka', 'topic' = '{from}', 'properties.bootstrap.servers' = '{brokers}',
           'scan.startup.mode' = 'earliest-offset', 'late-rows.topic' = '{late}', 'format' = 'json');
         CREATE TABLE windows (window_start TIMESTAMP(3), events BIGINT, total BIGINT
         ) WITH ('connector' = 'kafka', 'topic' = '{to}', 'properties.bootstrap.servers' = '{brokers}',
           'format' = 'json');
         INSERT INTO windows SELECT window_start, COUNT(*), SUM(n)
         FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(at), INTERVAL '10' SECOND))
         WHERE n < 1000 GROUP BY window_start, window_end;"
    );
    let mut job = Running::start(&text, &[], 1);
    let mut windows = Tail::open(broker, &to);
    broker.produce(&from, &[event(1, 0), event(2, 9), event(3, 8), event(4, 12)], &[]);
    windows.until(|found| found.len() == 1);
    // Two for the closed window, one that the query leaves out anyway, one that is only out of order.
    let more = [event(5, 3), event(6, 9), event(1_000, 4), event(7, 11), event(8, 22)];
    broker.produce(&from, &more, &[]);
    windows.until(|found| found.len() == 2);
    let status = job.until(|status| status.records() == 9);
    assert_eq!((status.late, status.open_windows), (2, 1));
    let status = job.stop();
    assert_eq!(status.late, 2);
    let start = |second: i64| START.plus(second * SECOND);
    let expected = [
        format!(r#"{{"window_start":"{}","events":3,"total":6}}"#, start(0)),
        format!(r#"{{"window_start":"{}","events":2,"total":11}}"#, start(10)),
    ];
    assert_eq!(texts(&read_to_end(broker, &to)), expected);
    let late = read_to_end(broker, &late);
    assert_eq!(texts(&late), [event(5, 3), event(6, 9)].map(|sample| sample.value.unwrap()));
    for (record, offset) in late.iter().zip(["4", "5"]) {
        assert_eq!(record.header("windrow.offset"), offset);
        assert_eq!(record.header("windrow.topic"), from);
        assert_eq!(record.header("windrow.reason"), "late");
    }
    assert_eq!(late[0].key_text(), Some("k5".into()));
}
