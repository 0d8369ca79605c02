//! What the Kafka edge promises, against a real broker, its faults, and librdkafka's mock cluster.

mod publish;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::mocking::MockCluster;
use windrow::error::{Domain, Error};
use windrow::sink::kafka::Publisher;
use windrow::source::kafka::{Cluster, Event, Properties, Reader, Reset, Startup, TopicPartition, Topics};

use crate::broker::{Broker, Sample, config, unique};

/// Generous, because several brokers share the machine.
const LIMIT: Duration = Duration::from_secs(60);
const WAIT: Duration = Duration::from_millis(10);

/// What a reader has brought, by partition index.
#[derive(Debug, Default)]
struct Seen {
    values: Vec<Vec<String>>,
    offsets: Vec<Vec<i64>>,
    ends: BTreeMap<usize, i64>,
    lost: BTreeMap<usize, String>,
    troubles: Vec<String>,
}

impl Seen {
    fn count(&self) -> usize {
        self.values.iter().map(Vec::len).sum()
    }
}

/// Polls until `done`; panics with what was seen when time is up.
fn read_until(reader: &mut Reader, seen: &mut Seen, done: impl Fn(&Seen) -> bool) {
    let deadline = Instant::now() + LIMIT;
    seen.values.resize(reader.partitions().len(), Vec::new());
    seen.offsets.resize(reader.partitions().len(), Vec::new());
    while !done(seen) {
        assert!(
            Instant::now() < deadline,
            "not reached: {} values, ends {:?}, lost {:?}, {:?}",
            seen.count(),
            seen.ends,
            seen.lost,
            seen.troubles
        );
        for event in reader.poll(WAIT).iter() {
            match event {
                Event::Message(message) => {
                    let value = String::from_utf8_lossy(message.payload().unwrap()).into_owned();
                    seen.values[message.partition()].push(value);
                    seen.offsets[message.partition()].push(message.offset());
                }
                Event::End { partition, offset } => {
                    seen.ends.insert(partition, offset);
                }
                Event::Lost { partition, reason } => {
                    seen.lost.insert(partition, reason);
                }
                Event::Trouble(text) => seen.troubles.push(text),
            }
        }
    }
}

fn numbered(partition: i32, from: i64, to: i64) -> Vec<Sample> {
    (from..to).map(|n| Sample { partition, value: Some(n.to_string()), ..Sample::default() }).collect()
}

fn reader_at(broker: &Broker, topic: &str, starts: &[i64]) -> Reader {
    let mut reader = Reader::open(&broker.properties(), None, 16 << 20).unwrap();
    for (partition, start) in starts.iter().enumerate() {
        let index = reader.add(TopicPartition::new(topic, partition as i32), *start).unwrap();
        assert_eq!(index, partition);
    }
    reader
}

fn refusal(properties: &Properties) -> Error {
    let start = Instant::now();
    let error = match Cluster::connect(properties, Duration::from_secs(8)) {
        Err(error) => error,
        Ok(_) => panic!("connected"),
    };
    assert!(start.elapsed() < Duration::from_secs(10), "took {:?}: {error}", start.elapsed());
    assert_eq!(error.domain(), Domain::External);
    println!("{:?} {error}", start.elapsed());
    error
}

#[test]
fn readers_and_publishers_can_be_given_to_a_thread() {
    fn sent<T: Send>() {}
    sent::<Reader>();
    sent::<Cluster>();
    sent::<Publisher>();
}

#[test]
fn the_library_has_every_codec_and_mechanism() {
    let features =
        rdkafka::ClientConfig::new().create_native_config().unwrap().get("builtin.features").unwrap();
    println!("{features}");
    for feature in
        ["gzip", "snappy", "lz4", "zstd", "ssl", "sasl_plain", "sasl_scram", "sasl_oauthbearer", "oidc"]
    {
        assert!(features.split(',').any(|has| has == feature), "{feature} is missing in {features}");
    }
}

#[test]
fn a_record_arrives_with_its_key_value_headers_and_time() {
    let broker = Broker::shared();
    let topic = unique("whole");
    broker.create_topic(&topic, 1);
    let sample = Sample {
        key: Some("k".into()),
        value: Some("v".into()),
        timestamp_ms: Some(1_700_000_000_123),
        headers: vec![("a".into(), Some(vec![1, 2])), ("b".into(), None), ("a".into(), Some(vec![]))],
        ..Sample::default()
    };
    broker.produce(&topic, &[sample.clone(), Sample { key: Some("gone".into()), ..Sample::default() }], &[]);
    let mut reader = reader_at(broker, &topic, &[0]);
    let mut found = 0;
    let deadline = Instant::now() + LIMIT;
    while found < 2 && Instant::now() < deadline {
        for event in reader.poll(WAIT).iter() {
            let Event::Message(message) = event else { continue };
            if message.offset() == 0 {
                assert_eq!(message.key(), Some(b"k".as_slice()));
                assert_eq!(message.payload(), Some(b"v".as_slice()));
                assert_eq!(message.timestamp_ms(), sample.timestamp_ms);
                assert_eq!(message.headers(), sample.headers);
            } else {
                assert_eq!((message.payload(), message.key()), (None, Some(b"gone".as_slice())));
                assert!(message.headers().is_empty());
            }
            found += 1;
        }
    }
    assert_eq!(found, 2);
}

#[test]
fn every_codec_is_read() {
    let broker = Broker::shared();
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let topic = unique(codec);
        broker.create_topic(&topic, 1);
        broker.produce(&topic, &numbered(0, 0, 500), &[("compression.type", codec)]);
        let mut seen = Seen::default();
        read_until(&mut reader_at(broker, &topic, &[0]), &mut seen, |seen| seen.count() == 500);
        assert_eq!(seen.values[0], (0..500).map(|n| n.to_string()).collect::<Vec<_>>(), "{codec}");
    }
}

#[test]
fn the_end_of_a_partition_is_told_each_time_it_is_reached() {
    let broker = Broker::shared();
    let topic = unique("ends");
    broker.create_topic(&topic, 2);
    broker.produce(&topic, &numbered(0, 0, 10), &[]);
    let mut reader = reader_at(broker, &topic, &[4, 0]);
    let mut seen = Seen::default();
    read_until(&mut reader, &mut seen, |seen| seen.ends.len() == 2);
    assert_eq!(seen.ends, BTreeMap::from([(0, 10), (1, 0)]));
    assert_eq!(seen.offsets[0], (4..10).collect::<Vec<_>>());
    broker.produce(&topic, &numbered(1, 0, 3), &[]);
    read_until(&mut reader, &mut seen, |seen| seen.ends[&1] == 3);
    assert_eq!(seen.values[1], ["0", "1", "2"]);
}

#[test]
fn partitions_are_added_and_paused_while_others_go_on() {
    let broker = Broker::shared();
    let (topic, other) = (unique("grows"), unique("other"));
    broker.create_topic(&topic, 1);
    broker.create_topic(&other, 1);
    broker.produce(&topic, &numbered(0, 0, 1000), &[]);
    let mut reader = reader_at(broker, &topic, &[0]);
    let mut seen = Seen::default();
    read_until(&mut reader, &mut seen, |seen| seen.count() > 0);
    broker.grow_topic(&topic, 2);
    broker.produce(&topic, &numbered(1, 0, 1000), &[]);
    broker.produce(&other, &numbered(0, 0, 1000), &[]);
    assert_eq!(reader.add(TopicPartition::new(&topic, 1), 100).unwrap(), 1);
    assert_eq!(reader.add(TopicPartition::new(&other, 0), 0).unwrap(), 2);
    assert!(reader.add(TopicPartition::new(&other, 0), 0).is_err());
    read_until(&mut reader, &mut seen, |seen| seen.count() == 2900);
    assert_eq!(seen.offsets[0], (0..1000).collect::<Vec<_>>());
    assert_eq!(seen.offsets[1], (100..1000).collect::<Vec<_>>());
    assert_eq!(seen.offsets[2], (0..1000).collect::<Vec<_>>());

    reader.pause(0).unwrap();
    broker.produce(&topic, &[numbered(0, 1000, 2000), numbered(1, 1000, 2000)].concat(), &[]);
    read_until(&mut reader, &mut seen, |seen| seen.offsets[1].len() == 1900);
    let while_paused = seen.offsets[0].len();
    reader.resume(0, 1000).unwrap();
    read_until(&mut reader, &mut seen, |seen| seen.offsets[0].len() >= 2000);
    assert_eq!(while_paused, 1000);
    assert_eq!(seen.offsets[0], (0..2000).collect::<Vec<_>>());
}

#[test]
fn pausing_in_the_middle_of_a_backlog_loses_and_repeats_nothing() {
    let broker = Broker::shared();
    let topic = unique("pauses");
    broker.create_topic(&topic, 2);
    broker.produce(&topic, &[numbered(0, 0, 30_000), numbered(1, 0, 30_000)].concat(), &[]);
    let mut reader = reader_at(broker, &topic, &[0, 0]);
    let mut seen = Seen::default();
    for round in 1..20 {
        let before = seen.count();
        reader.pause(round % 2).unwrap();
        read_until(&mut reader, &mut seen, |seen| seen.count() > before || !seen.ends.is_empty());
        reader.resume(round % 2, seen.offsets[round % 2].last().map_or(0, |last| last + 1)).unwrap();
    }
    read_until(&mut reader, &mut seen, |seen| seen.count() >= 60_000);
    for offsets in seen.offsets {
        assert_eq!(offsets, (0..30_000).collect::<Vec<_>>());
    }
}

#[test]
fn every_startup_mode_becomes_offsets() {
    let broker = Broker::shared();
    let (topic, group) = (unique("starts"), unique("group"));
    broker.create_topic(&topic, 2);
    let mut samples = numbered(0, 0, 10);
    for (n, sample) in samples.iter_mut().enumerate() {
        sample.timestamp_ms = Some(1_000_000 + 1_000 * n as i64);
    }
    broker.produce(&topic, &samples, &[]);
    broker.delete_records(&topic, 0, 2);
    broker.commit(&group, &topic, &BTreeMap::from([(0, 7)]));
    let cluster = Cluster::connect(&broker.properties(), LIMIT).unwrap();
    assert!(!cluster.id().is_empty());
    let partitions = cluster.partitions(&Topics::List(vec![topic.clone()])).unwrap();
    let starts = |startup: &Startup| cluster.start_offsets(&partitions, startup, Some(&group));
    assert_eq!(starts(&Startup::Earliest).unwrap(), [2, 0]);
    assert_eq!(starts(&Startup::Latest).unwrap(), [10, 0]);
    assert_eq!(starts(&Startup::Timestamp(1_004_500)).unwrap(), [5, 0]);
    assert_eq!(starts(&Startup::Timestamp(9_000_000)).unwrap(), [10, 0]);
    assert_eq!(starts(&Startup::Group(Reset::Earliest)).unwrap(), [7, 0]);
    assert_eq!(starts(&Startup::Group(Reset::Latest)).unwrap(), [7, 0]);
    assert_eq!(starts(&Startup::Specific(BTreeMap::from([(1, 5)]))).unwrap(), [7, 5]);
    assert_eq!(cluster.end_offsets(&partitions).unwrap(), [10, 0]);
    let error = starts(&Startup::Group(Reset::None)).unwrap_err().to_string();
    assert!(error.contains(&format!("has no committed offset for {topic} partition 1")), "{error}");
    let unnamed = cluster.start_offsets(&partitions, &Startup::Group(Reset::Earliest), None);
    assert_eq!(unnamed.unwrap_err().domain(), Domain::User);
}

#[test]
fn topics_are_found_by_pattern_and_missing_ones_are_named() {
    let broker = Broker::shared();
    let base = unique("find");
    for name in ["orders", "returns", "orders-old"] {
        broker.create_topic(&format!("{base}-{name}"), 2);
    }
    let cluster = Cluster::connect(&broker.properties(), LIMIT).unwrap();
    let found = cluster.partitions(&Topics::Pattern(format!("{base}-(orders|returns)"))).unwrap();
    let names: Vec<_> = found.iter().map(|at| (at.topic.to_string(), at.partition)).collect();
    let (orders, returns) = (format!("{base}-orders"), format!("{base}-returns"));
    assert_eq!(names, [(orders.clone(), 0), (orders.clone(), 1), (returns.clone(), 0), (returns, 1)]);
    assert_eq!(cluster.partitions(&Topics::Pattern("no-such-.*".into())).unwrap(), []);
    let error = cluster.partitions(&Topics::List(vec![format!("{base}-order")])).unwrap_err().to_string();
    assert!(error.starts_with(&format!("error: topic `{base}-order` does not exist")), "{error}");
    assert!(error.ends_with(&format!("fix: did you mean `{orders}`?")), "{error}");
    assert_eq!(cluster.partitions(&Topics::Pattern("(".into())).unwrap_err().domain(), Domain::User);
}

#[test]
fn an_offset_that_is_gone_and_a_partition_that_never_was_are_lost() {
    let broker = Broker::shared();
    let topic = unique("gone");
    broker.create_topic(&topic, 1);
    broker.produce(&topic, &numbered(0, 0, 10), &[]);
    broker.delete_records(&topic, 0, 5);
    let mut reader = reader_at(broker, &topic, &[3, 0]);
    let mut seen = Seen::default();
    read_until(&mut reader, &mut seen, |seen| seen.lost.len() == 2);
    assert!(seen.lost[&0].to_lowercase().contains("out of range"), "{:?}", seen.lost);
    assert!(seen.lost[&1].to_lowercase().contains("unknown"), "{:?}", seen.lost);
    assert_eq!(seen.count(), 0);
}

#[test]
fn a_deleted_topic_is_lost() {
    let broker = Broker::shared();
    let topic = unique("deleted");
    broker.create_topic(&topic, 1);
    broker.produce(&topic, &numbered(0, 0, 10), &[]);
    let mut properties = broker.properties();
    properties.insert("topic.metadata.refresh.interval.ms".into(), "1000".into());
    properties.insert("topic.metadata.propagation.max.ms".into(), "1000".into());
    let mut reader = Reader::open(&properties, None, 16 << 20).unwrap();
    reader.add(TopicPartition::new(&topic, 0), 0).unwrap();
    let mut seen = Seen::default();
    read_until(&mut reader, &mut seen, |seen| seen.ends.contains_key(&0));
    broker.delete_topic(&topic);
    read_until(&mut reader, &mut seen, |seen| !seen.lost.is_empty());
}

#[test]
fn an_idle_reader_costs_next_to_nothing() {
    let broker = Broker::shared();
    let topic = unique("idle");
    broker.create_topic(&topic, 4);
    let mut reader = reader_at(broker, &topic, &[0, 0, 0, 0]);
    let mut seen = Seen::default();
    read_until(&mut reader, &mut seen, |seen| seen.ends.len() == 4);
    let start = Instant::now();
    let mut polls = 0;
    while start.elapsed() < Duration::from_millis(500) {
        assert!(reader.poll(WAIT).is_empty());
        polls += 1;
    }
    // A poll sleeps for its whole wait when nothing comes.
    assert!(polls <= 51, "{polls} polls in 500 ms");
}

#[test]
fn a_broker_that_is_not_there_is_an_error_with_its_cause() {
    let nobody = std::net::TcpListener::bind("localhost:0").unwrap().local_addr().unwrap();
    let at = |server: &str| Properties::from([("bootstrap.servers".into(), server.into())]);
    let error = refusal(&at(&nobody.to_string())).to_string();
    assert!(error.starts_with(&format!("error: cannot connect to Kafka at `{nobody}`")), "{error}");
    assert!(error.contains("refused"), "{error}");
    let error = refusal(&at("no-such-host.invalid:9092")).to_string();
    assert!(error.contains("resolve") && error.contains("fix: check the host name"), "{error}");
    let Err(error) = Cluster::connect(&at(" "), LIMIT) else { panic!("connected to nothing") };
    assert_eq!(error.domain(), Domain::User);
}

#[test]
fn right_credentials_connect() {
    let broker = Broker::secured();
    for mechanism in ["PLAIN", "SCRAM-SHA-256"] {
        Cluster::connect(&broker.sasl_properties(mechanism), LIMIT).unwrap();
    }
    Cluster::connect(&broker.tls_properties(), LIMIT).unwrap();
}

#[test]
fn wrong_credentials_and_protocols_are_told_apart_and_secrets_kept() {
    let broker = Broker::secured();
    for mechanism in ["PLAIN", "SCRAM-SHA-256"] {
        let mut wrong = broker.sasl_properties(mechanism);
        wrong.insert("sasl.password".into(), "s3cret".into());
        let error = refusal(&wrong).to_string();
        assert!(error.contains("uthentication failed") && error.contains("check the user name"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
    let with = |mut properties: Properties, name: &str, value: &str| {
        properties.insert(name.into(), value.into());
        refusal(&properties).to_string()
    };
    let error = with(broker.sasl_properties("PLAIN"), "bootstrap.servers", broker.bootstrap());
    assert!(error.contains("does not offer") || error.contains("plain text"), "sasl to plain: {error}");
    let error = with(broker.tls_properties(), "bootstrap.servers", broker.bootstrap());
    assert!(error.contains("fix: the port speaks plain text"), "tls to plain: {error}");
    let mut unknown_ca = broker.tls_properties();
    unknown_ca.remove("ssl.ca.location");
    let error = refusal(&unknown_ca).to_string();
    assert!(error.contains("fix: set 'properties.ssl.ca.location'"), "unknown ca: {error}");
    for secured in [broker.sasl_properties("PLAIN"), broker.tls_properties()] {
        let plain = Properties::from([("bootstrap.servers".into(), secured["bootstrap.servers"].clone())]);
        let error = refusal(&plain).to_string();
        assert!(error.contains("set 'properties.security.protocol'"), "plain to secured: {error}");
    }
}

#[test]
fn a_broker_that_dies_and_comes_back_costs_a_reader_nothing() {
    let broker = Broker::start_own();
    let topic = unique("outage");
    broker.create_topic(&topic, 2);
    broker.produce(&topic, &[numbered(0, 0, 5_000), numbered(1, 0, 5_000)].concat(), &[]);
    let mut reader = reader_at(&broker, &topic, &[0, 0]);
    let mut seen = Seen::default();
    read_until(&mut reader, &mut seen, |seen| seen.count() > 100);
    broker.kill();
    read_until(&mut reader, &mut seen, |seen| !seen.troubles.is_empty());
    assert!(seen.lost.is_empty());
    broker.restart();
    broker.produce(&topic, &[numbered(0, 5_000, 6_000), numbered(1, 5_000, 6_000)].concat(), &[]);
    read_until(&mut reader, &mut seen, |seen| seen.count() >= 12_000);
    for offsets in &seen.offsets {
        assert_eq!(*offsets, (0..6_000).collect::<Vec<_>>());
    }
    broker.kill();
    let start = Instant::now();
    drop(reader);
    assert!(start.elapsed() < Duration::from_secs(5), "closing a reader took {:?}", start.elapsed());
}

#[test]
fn the_mock_cluster_can_be_read_from_both_ends() {
    let mock = MockCluster::new(1).unwrap();
    mock.create_topic("orders", 2, 1).unwrap();
    let properties = Properties::from([("bootstrap.servers".into(), mock.bootstrap_servers())]);
    let producer: rdkafka::producer::BaseProducer = config(&properties).create().unwrap();
    for n in 0..100 {
        let value = n.to_string();
        let record: rdkafka::producer::BaseRecord<'_, str, str> =
            rdkafka::producer::BaseRecord::to("orders").partition(n % 2).payload(&value);
        assert!(producer.send(record).is_ok());
    }
    rdkafka::producer::Producer::flush(&producer, LIMIT).unwrap();
    let cluster = Cluster::connect(&properties, LIMIT).unwrap();
    let partitions = cluster.partitions(&Topics::List(vec!["orders".into()])).unwrap();
    assert_eq!(cluster.start_offsets(&partitions, &Startup::Earliest, None).unwrap(), [0, 0]);
    assert_eq!(cluster.start_offsets(&partitions, &Startup::Latest, None).unwrap(), [50, 50]);
    let mut reader = Reader::open(&properties, None, 16 << 20).unwrap();
    for partition in partitions {
        reader.add(partition, 0).unwrap();
    }
    let mut seen = Seen::default();
    read_until(&mut reader, &mut seen, |seen| seen.ends.len() == 2);
    assert_eq!((seen.count(), &seen.ends), (100, &BTreeMap::from([(0, 50), (1, 50)])));
}
