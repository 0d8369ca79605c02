//! What a publisher promises.

use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use rdkafka::mocking::MockCluster;
use windrow::error::Domain;
use windrow::sink::kafka::{Guarantee, PublishError, PublishReport, Publisher, Record, TopicRows};
use windrow::source::kafka::{Cluster, Properties, TopicPartition, Topics};

use super::{LIMIT, Seen, read_until, reader_at};
use crate::broker::{Broker, Sample, unique};

fn publisher(broker: &Broker, guarantee: Guarantee, id: &str) -> Publisher {
    let id = (guarantee == Guarantee::ExactlyOnce).then_some(id);
    Publisher::open(&broker.properties(), guarantee, id, LIMIT).unwrap()
}

fn rows<'a>(topic: &'a str, values: &'a [String]) -> TopicRows<'a> {
    TopicRows::new(topic, move || {
        values.iter().map(|value| Record { value: Some(value.as_bytes()), ..Record::default() })
    })
}

fn texts(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{prefix}-{n:06}")).collect()
}

/// Text that no codec makes small.
fn noise(len: usize) -> String {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + (state % 90) as u8)
    };
    (0..len).map(|_| next()).collect()
}

fn values(samples: Vec<Sample>) -> Vec<String> {
    let mut values: Vec<_> = samples.into_iter().filter_map(|sample| sample.value).collect();
    values.sort();
    values
}

#[test]
fn all_rows_of_a_transaction_appear_and_those_of_an_aborted_one_never() {
    let broker = Broker::shared();
    let (topic, small) = (unique("whole"), unique("small"));
    broker.create_topic(&topic, 2);
    broker.create_topic_with(&small, 1, &[("max.message.bytes", "2000")]);
    let mut publisher = publisher(broker, Guarantee::ExactlyOnce, &topic);
    let good = texts("good", 5_000);
    let report = publisher.publish(&[rows(&topic, &good), rows(&small, &good[..10])]).unwrap();
    assert_eq!((report.rows, report.retries), (5_010, 0));
    assert_eq!(values(broker.read_all(&topic, 5_000, true)), good);

    // The broker refuses the second topic's row; the first one's rows were delivered by then or not.
    let bad = texts("bad", 50);
    let large = [noise(4_000)];
    let error = publisher.publish(&[rows(&topic, &bad), rows(&small, &large)]).unwrap_err();
    assert!(matches!(&error, PublishError::Failed(cause) if cause.domain() == Domain::External), "{error}");
    assert!(error.to_string().contains(&format!("Kafka refuses rows for topic `{small}`")), "{error}");

    let after = texts("later", 100);
    publisher.publish(&[rows(&topic, &after)]).unwrap();
    assert_eq!(values(broker.read_to_end(&topic, true)), [good, after].concat());
    assert_eq!(broker.read_to_end(&small, true).len(), 10);
}

#[test]
fn the_end_of_a_topic_with_transactions_is_the_clusters_end_offset() {
    let broker = Broker::shared();
    let topic = unique("marks");
    broker.create_topic(&topic, 1);
    let mut publisher = publisher(broker, Guarantee::ExactlyOnce, &topic);
    publisher.publish(&[rows(&topic, &texts("row", 10))]).unwrap();
    let cluster = Cluster::connect(&broker.properties(), LIMIT).unwrap();
    // Ten rows and the transaction's mark, which no reader gets.
    assert_eq!(cluster.end_offsets(&[TopicPartition::new(&topic, 0)]).unwrap(), [11]);
    let mut seen = Seen::default();
    read_until(&mut reader_at(broker, &topic, &[0]), &mut seen, |seen| seen.ends.contains_key(&0));
    assert_eq!((seen.count(), seen.ends[&0]), (10, 11));
}

#[test]
fn a_publisher_is_fenced_by_a_newer_one_and_can_be_reopened() {
    let broker = Broker::shared();
    let topic = unique("fenced");
    broker.create_topic(&topic, 1);
    let all = texts("row", 4);
    let mut old = publisher(broker, Guarantee::ExactlyOnce, &topic);
    old.publish(&[rows(&topic, &all[..1])]).unwrap();
    let mut new = publisher(broker, Guarantee::ExactlyOnce, &topic);
    new.publish(&[rows(&topic, &all[1..2])]).unwrap();
    for _ in 0..2 {
        let error = old.publish(&[rows(&topic, &texts("zombie", 10))]).unwrap_err();
        assert!(matches!(error, PublishError::Fenced(_)), "{error}");
        assert!(error.to_string().contains("another process runs the same job"), "{error}");
    }
    new.publish(&[rows(&topic, &all[2..3])]).unwrap();
    old.reopen().unwrap();
    old.publish(&[rows(&topic, &all[3..])]).unwrap();
    assert!(matches!(new.publish(&[rows(&topic, &all)]).unwrap_err(), PublishError::Fenced(_)));
    assert_eq!(values(broker.read_to_end(&topic, true)), all);
}

#[test]
fn a_row_that_is_too_large_is_named_before_anything_is_sent() {
    let broker = Broker::shared();
    let topic = unique("large");
    broker.create_topic(&topic, 1);
    for guarantee in [Guarantee::ExactlyOnce, Guarantee::AtLeastOnce, Guarantee::None] {
        let mut publisher = publisher(broker, guarantee, &topic);
        let limit = publisher.max_message_bytes();
        let overhead = Record::default().size_bytes();
        let values = ["fits".to_string(), "x".repeat(limit - overhead), "x".repeat(limit - overhead + 1)];
        let error = publisher.publish(&[rows(&topic, &values)]).unwrap_err();
        let PublishError::TooLarge { topic: named, row, error } = error else { panic!("{error}") };
        assert_eq!((named.as_str(), row), (topic.as_str(), 2));
        assert!(error.to_string().contains("it has 1000001 bytes, the limit is 1000000"), "{error}");
    }
    assert_eq!(broker.read_to_end(&topic, false), []);
    let mut publisher = publisher(broker, Guarantee::AtLeastOnce, &topic);
    let largest = [noise(publisher.max_message_bytes() - Record::default().size_bytes())];
    publisher.publish(&[rows(&topic, &largest)]).unwrap();
    assert_eq!(broker.read_all(&topic, 1, true).len(), 1);
}

#[test]
fn records_keep_their_key_headers_time_and_tombstones() {
    let broker = Broker::shared();
    let topic = unique("records");
    broker.create_topic(&topic, 7);
    let headers = [("reason".to_string(), Some(b"bad".to_vec())), ("empty".to_string(), None)];
    let mut publisher = publisher(broker, Guarantee::AtLeastOnce, "");
    let record = Record {
        key: Some(b"21"),
        value: Some(b""),
        headers: &headers,
        timestamp_ms: Some(1_700_000_000_456),
        partition: None,
    };
    let tombstone = Record { value: None, headers: &[], ..record };
    publisher.publish(&[TopicRows::new(&topic, || [record, tombstone].into_iter())]).unwrap();
    let found = broker.read_all(&topic, 2, true);
    // Java's partitioner: murmur2("21") = -973932308.
    let partition = (-973_932_308_i32 & i32::MAX) % 7;
    let expected = |value: Option<&str>, headers: &[(String, Option<Vec<u8>>)]| Sample {
        partition,
        key: Some("21".into()),
        value: value.map(str::to_string),
        timestamp_ms: Some(1_700_000_000_456),
        headers: headers.to_vec(),
    };
    assert_eq!(found, [expected(None, &[]), expected(Some(""), &headers)]);
}

#[test]
fn nothing_is_published_for_no_rows() {
    let broker = Broker::shared();
    let topic = unique("nothing");
    broker.create_topic(&topic, 1);
    let mut publisher = publisher(broker, Guarantee::ExactlyOnce, &topic);
    assert_eq!(publisher.publish(&[]).unwrap(), PublishReport::default());
    assert_eq!(publisher.publish(&[rows(&topic, &[])]).unwrap(), PublishReport::default());
    // A transaction would have left a mark in the topic.
    assert_eq!(publisher.check_topic(&topic).unwrap(), 1);
    let mut seen = Seen::default();
    read_until(&mut reader_at(broker, &topic, &[0]), &mut seen, |seen| seen.ends.contains_key(&0));
    assert_eq!(seen.ends[&0], 0);
}

#[test]
fn a_missing_topic_is_told_when_checked_and_when_published_to() {
    let broker = Broker::shared();
    let topic = unique("missing");
    let mut publisher = publisher(broker, Guarantee::ExactlyOnce, &topic);
    let start = Instant::now();
    let error = publisher.check_topic(&topic).unwrap_err().to_string();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(error.contains(&format!("topic `{topic}` does not exist")), "{error}");
    let error = publisher.publish(&[rows(&topic, &texts("row", 3))]).unwrap_err();
    assert!(matches!(error, PublishError::Failed(_)), "{error}");
}

#[test]
fn a_small_transaction_does_not_wait_for_librdkafkas_hundred_milliseconds() {
    let broker = Broker::shared();
    let topic = unique("quick");
    broker.create_topic(&topic, 4);
    let mut publisher = publisher(broker, Guarantee::ExactlyOnce, &topic);
    let some = texts("row", 100);
    let took = (0..20).map(|_| {
        let start = Instant::now();
        publisher.publish(&[rows(&topic, &some)]).unwrap();
        start.elapsed()
    });
    let mut took: Vec<_> = took.collect();
    took.sort();
    println!("transactions of 100 rows: {:?} .. {:?} .. {:?}", took[0], took[10], took[19]);
    assert!(took[5] < Duration::from_millis(95), "{took:?}");
}

#[test]
fn rows_without_a_guarantee_arrive_when_nothing_fails() {
    let broker = Broker::shared();
    let topic = unique("none");
    broker.create_topic(&topic, 1);
    let all = texts("row", 50_000);
    let mut publisher = publisher(broker, Guarantee::None, "");
    assert_eq!(publisher.publish(&[rows(&topic, &all)]).unwrap().rows, 50_000);
    assert_eq!(publisher.flush(LIMIT).unwrap(), 0);
    assert_eq!(broker.read_all(&topic, 50_000, true).len(), 50_000);
}

#[test]
fn an_outage_loses_no_rows_and_doubles_none_published_exactly_once() {
    let broker = Broker::start_own();
    let all: Vec<Vec<String>> = (0..60).map(|n| texts(&format!("epoch-{n:03}"), 200)).collect();
    let publish = |guarantee: Guarantee, topic: &str, done: &Sender<()>| {
        let mut publisher = publisher(&broker, guarantee, topic);
        for outbox in &all {
            publisher.publish(&[rows(topic, outbox)]).unwrap();
            done.send(()).unwrap();
        }
    };
    let (once, repeated) = (unique("once"), unique("repeated"));
    for topic in [&once, &repeated] {
        broker.create_topic(topic, 3);
    }
    let ((once_done, once_epochs), (repeated_done, repeated_epochs)) = (channel(), channel());
    std::thread::scope(|scope| {
        scope.spawn(|| publish(Guarantee::ExactlyOnce, &once, &once_done));
        scope.spawn(|| publish(Guarantee::AtLeastOnce, &repeated, &repeated_done));
        for _ in 0..20 {
            once_epochs.recv_timeout(LIMIT).unwrap();
            repeated_epochs.recv_timeout(LIMIT).unwrap();
        }
        broker.kill();
        broker.restart();
    });
    let all = all.concat();
    assert_eq!(values(broker.read_to_end(&once, true)), all);
    let mut seen = values(broker.read_to_end(&repeated, true));
    seen.dedup();
    assert_eq!(seen, all);
}

#[test]
fn an_outage_longer_than_the_transactions_timeout_doubles_nothing() {
    let broker = Broker::start_own();
    let topic = unique("long-outage");
    broker.create_topic(&topic, 1);
    let mut properties = broker.properties();
    properties.insert("transaction.timeout.ms".into(), "2000".into());
    let mut publisher = Publisher::open(&properties, Guarantee::ExactlyOnce, Some(&topic), LIMIT).unwrap();
    let (before, after) = (texts("before", 100), texts("during", 100));
    publisher.publish(&[rows(&topic, &before)]).unwrap();
    broker.kill();
    std::thread::scope(|scope| {
        let publishing = scope.spawn(|| {
            loop {
                match publisher.publish(&[rows(&topic, &after)]) {
                    Ok(report) => return report,
                    // What the driver does when the checkpoint store says that the job is still ours.
                    Err(PublishError::Fenced(error)) => {
                        println!("{error}");
                        while publisher.reopen().is_err() {}
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        });
        // The broker takes longer to start than the transaction lives.
        broker.restart();
        assert_eq!(publishing.join().unwrap().rows, 100);
    });
    assert_eq!(values(broker.read_to_end(&topic, true)), [before, after].concat());
}

#[test]
fn a_refused_setting_and_a_missing_broker_are_told_when_opened() {
    let broker = Broker::shared();
    let mut properties = broker.properties();
    properties.insert("compression.type".into(), "rar".into());
    let open = |properties: &Properties| {
        Publisher::open(properties, Guarantee::ExactlyOnce, Some("job"), Duration::from_secs(8))
            .err()
            .unwrap()
    };
    let error = open(&properties);
    assert_eq!(error.domain(), Domain::User);
    assert!(error.to_string().contains("`compression.type`"), "{error}");
    let nobody = std::net::TcpListener::bind("localhost:0").unwrap().local_addr().unwrap();
    properties = Properties::from([("bootstrap.servers".into(), nobody.to_string())]);
    let start = Instant::now();
    let error = open(&properties);
    assert!(start.elapsed() < Duration::from_secs(10));
    assert!(error.to_string().contains("refused"), "{error}");
}

#[test]
fn the_mock_cluster_takes_rows() {
    let mock = MockCluster::new(1).unwrap();
    mock.create_topic("orders", 3, 1).unwrap();
    let properties = Properties::from([("bootstrap.servers".into(), mock.bootstrap_servers())]);
    for (guarantee, id) in [(Guarantee::AtLeastOnce, None), (Guarantee::ExactlyOnce, Some("demo"))] {
        let mut publisher = Publisher::open(&properties, guarantee, id, LIMIT).unwrap();
        assert_eq!(publisher.check_topic("orders").unwrap(), 3);
        let all = texts("row", 1_000);
        assert_eq!(publisher.publish(&[rows("orders", &all)]).unwrap().rows, 1_000);
    }
    let cluster = Cluster::connect(&properties, LIMIT).unwrap();
    let topics = Topics::List(vec!["orders".into()]);
    let ends = cluster.end_offsets(&cluster.partitions(&topics).unwrap()).unwrap();
    assert!(ends.iter().sum::<i64>() >= 2_000, "{ends:?}");
}
