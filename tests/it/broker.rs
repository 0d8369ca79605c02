//! A real Apache Kafka for the tests: one node, started by the test process and gone with it.
//!
//! Taken from, in this order: `WINDROW_TEST_BROKERS` (brokers that are there already; plain text), Java with
//! Maven (the jars are kept in the target directory), docker. A broker that we start listens in plain text,
//! with SASL (PLAIN and SCRAM-SHA-256) and with TLS.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use futures::executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::{Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use windrow::source::kafka::Properties;

/// A user of the SASL listener, with either mechanism.
pub const USER: (&str, &str) = ("alice", "correct");
const VERSION: &str = "4.1.0";
const START_LIMIT: Duration = Duration::from_secs(90);

pub struct Broker {
    bootstrap: String,
    /// None for brokers that were there already.
    own: Option<Own>,
}

struct Own {
    dir: PathBuf,
    sasl_port: u16,
    tls_port: u16,
    /// None while it is killed. Runs until its standard input is dropped.
    launcher: Mutex<Option<Child>>,
}

/// A record as tests write and read it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sample {
    pub partition: i32,
    pub key: Option<String>,
    pub value: Option<String>,
    pub timestamp_ms: Option<i64>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Broker {
    /// The broker of this test process; started when first asked for.
    pub fn shared() -> &'static Broker {
        static SHARED: OnceLock<Broker> = OnceLock::new();
        SHARED.get_or_init(|| match std::env::var("WINDROW_TEST_BROKERS") {
            Ok(bootstrap) if !bootstrap.is_empty() => Broker { bootstrap, own: None },
            _ => Broker::start_own(),
        })
    }

    /// One with SASL and TLS listeners, shared by the tests that need them.
    pub fn secured() -> &'static Broker {
        static SECURED: OnceLock<Broker> = OnceLock::new();
        if Broker::shared().own.is_some() { Broker::shared() } else { SECURED.get_or_init(Broker::start_own) }
    }

    /// A broker for one test, which may kill it.
    pub fn start_own() -> Broker {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("windrow-kafka-{}-{number}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let [plain, controller, sasl_port, tls_port] = free_ports();
        fs::write(dir.join("server.properties"), settings(&dir, [plain, controller, sasl_port, tls_port]))
            .unwrap();
        let own = Own { dir, sasl_port, tls_port, launcher: Mutex::new(None) };
        let broker = Broker { bootstrap: format!("localhost:{plain}"), own: Some(own) };
        broker.restart();
        broker
    }

    /// Stops it at once, as a crash would. Its data stays.
    pub fn kill(&self) {
        let own = self.own.as_ref().expect("only a broker that the test started can be killed");
        fs::write(own.dir.join("keep"), "").unwrap();
        own.stop();
    }

    /// Starts it (again) on the same ports and waits until it answers.
    pub fn restart(&self) {
        self.restart_without_waiting();
        let deadline = Instant::now() + START_LIMIT;
        let probe: BaseConsumer = config(&self.properties()).create().unwrap();
        while probe.fetch_metadata(None, Duration::from_millis(500)).is_err() {
            let own = self.own.as_ref().unwrap();
            let log = || fs::read_to_string(own.dir.join("broker.log")).unwrap_or_default();
            let ended =
                own.launcher.lock().unwrap().as_mut().is_none_or(|child| child.try_wait().unwrap().is_some());
            assert!(!ended && Instant::now() < deadline, "the Kafka broker does not start:\n{}", log());
        }
    }

    pub fn restart_without_waiting(&self) {
        let own = self.own.as_ref().expect("only a broker that the test started can be restarted");
        if own.dir.join("keep").exists() {
            fs::remove_file(own.dir.join("keep")).unwrap();
        }
        *own.launcher.lock().unwrap() = Some(launch(&own.dir));
    }

    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// What a table would have as `properties.*`, for the plain listener.
    pub fn properties(&self) -> Properties {
        Properties::from([("bootstrap.servers".into(), self.bootstrap.clone())])
    }

    /// For the SASL listener, with the right password.
    pub fn sasl_properties(&self, mechanism: &str) -> Properties {
        let port = self.own.as_ref().unwrap().sasl_port;
        [
            ("bootstrap.servers", format!("localhost:{port}").as_str()),
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", mechanism),
            ("sasl.username", USER.0),
            ("sasl.password", USER.1),
        ]
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .into()
    }

    /// For the TLS listener, with the right CA.
    pub fn tls_properties(&self) -> Properties {
        let own = self.own.as_ref().unwrap();
        [
            ("bootstrap.servers", format!("localhost:{}", own.tls_port)),
            ("security.protocol", "SSL".to_string()),
            ("ssl.ca.location", own.dir.join("ca.pem").display().to_string()),
        ]
        .map(|(name, value)| (name.to_string(), value))
        .into()
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        config(&self.properties()).create().unwrap()
    }

    pub fn create_topic(&self, name: &str, partitions: i32) {
        self.create_topic_with(name, partitions, &[]);
    }

    pub fn create_topic_with(&self, name: &str, partitions: i32, settings: &[(&str, &str)]) {
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        for (name, value) in settings {
            topic = topic.set(name, value);
        }
        block_on(self.admin().create_topics([&topic], &waiting())).unwrap().remove(0).unwrap();
        self.wait_for_partitions(name, partitions as usize);
    }

    pub fn grow_topic(&self, name: &str, partitions: i32) {
        let grown = NewPartitions::new(name, partitions as usize);
        block_on(self.admin().create_partitions([&grown], &waiting())).unwrap().remove(0).unwrap();
        self.wait_for_partitions(name, partitions as usize);
    }

    pub fn delete_topic(&self, name: &str) {
        block_on(self.admin().delete_topics(&[name], &waiting())).unwrap().remove(0).unwrap();
    }

    /// Deletes the records of a partition below `offset`.
    pub fn delete_records(&self, topic: &str, partition: i32, offset: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(offset)).unwrap();
        block_on(self.admin().delete_records(&list, &waiting())).unwrap();
    }

    fn wait_for_partitions(&self, topic: &str, count: usize) {
        let probe: BaseConsumer = config(&self.properties()).create().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let metadata = probe.fetch_metadata(Some(topic), Duration::from_secs(10)).unwrap();
            let ready = metadata.topics()[0].partitions().iter().filter(|partition| partition.leader() >= 0);
            if ready.count() == count {
                return;
            }
            assert!(Instant::now() < deadline, "topic {topic} has not got its {count} partitions");
        }
    }

    /// Writes records in the given order and waits for all of them.
    pub fn produce(&self, topic: &str, samples: &[Sample], settings: &[(&str, &str)]) {
        let mut config = config(&self.properties());
        config.set("enable.idempotence", "true").set("linger.ms", "5");
        for (name, value) in settings {
            config.set(*name, *value);
        }
        let producer: BaseProducer = config.create().unwrap();
        for sample in samples {
            loop {
                let mut record: BaseRecord<'_, str, str> = BaseRecord::to(topic).partition(sample.partition);
                (record.key, record.payload) = (sample.key.as_deref(), sample.value.as_deref());
                record.timestamp = sample.timestamp_ms;
                record.headers = (!sample.headers.is_empty()).then(|| headers(&sample.headers));
                match producer.send(record) {
                    Ok(()) => break,
                    Err(_) => producer.poll(Duration::from_millis(1)),
                }
            }
        }
        producer.flush(Duration::from_secs(60)).unwrap();
    }

    /// The first `count` records of a topic, sorted; panics with what is there when time is up.
    pub fn read_all(&self, topic: &str, count: usize, read_committed: bool) -> Vec<Sample> {
        let found = self.read(topic, read_committed, Some(count));
        assert!(found.len() >= count, "topic {topic} has {} of {count} records", found.len());
        found
    }

    /// All records up to the ends of the partitions; with `read_committed`, to the last stable offset.
    pub fn read_to_end(&self, topic: &str, read_committed: bool) -> Vec<Sample> {
        self.read(topic, read_committed, None)
    }

    fn read(&self, topic: &str, read_committed: bool, count: Option<usize>) -> Vec<Sample> {
        let isolation = if read_committed { "read_committed" } else { "read_uncommitted" };
        let consumer: BaseConsumer = config(&self.properties())
            .set("group.id", "tests")
            .set("isolation.level", isolation)
            .set("enable.partition.eof", "true")
            .set("enable.auto.commit", "false")
            .create()
            .unwrap();
        let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(10)).unwrap();
        let partitions = metadata.topics()[0].partitions().len();
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition_offset(topic, partition as i32, Offset::Beginning).unwrap();
        }
        consumer.assign(&list).unwrap();
        let (mut found, mut ended) = (Vec::new(), BTreeSet::new());
        let deadline = Instant::now() + Duration::from_secs(30);
        let done = |found: &Vec<Sample>, ended: usize| match count {
            Some(count) => found.len() >= count,
            None => ended == partitions,
        };
        while !done(&found, ended.len()) && Instant::now() < deadline {
            match consumer.poll(Duration::from_millis(100)) {
                None => {}
                Some(Ok(message)) => {
                    ended.remove(&message.partition());
                    found.push(sample_of(&message));
                }
                Some(Err(rdkafka::error::KafkaError::PartitionEOF(partition))) => {
                    ended.insert(partition);
                }
                Some(Err(error)) => panic!("cannot read topic {topic}: {error}"),
            }
        }
        found.sort();
        found
    }

    /// Commits a group's offsets, by partition.
    pub fn commit(&self, group: &str, topic: &str, offsets: &BTreeMap<i32, i64>) {
        let consumer: BaseConsumer = config(&self.properties()).set("group.id", group).create().unwrap();
        let mut list = TopicPartitionList::new();
        for (partition, offset) in offsets {
            list.add_partition_offset(topic, *partition, Offset::Offset(*offset)).unwrap();
        }
        consumer.commit(&list, CommitMode::Sync).unwrap();
    }
}

impl Own {
    fn stop(&self) {
        if let Some(mut child) = self.launcher.lock().unwrap().take() {
            drop(child.stdin.take());
            child.wait().unwrap();
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.stop();
        if self.dir.exists() {
            fs::remove_dir_all(&self.dir).unwrap();
        }
    }
}

/// A topic name that no other test uses, on whatever broker.
pub fn unique(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let since_boot = File::open("/proc/uptime").and_then(std::io::read_to_string).unwrap_or_default();
    let boot = since_boot.split('.').next().unwrap_or_default().to_string();
    format!("{name}-{}-{boot}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

pub fn config(properties: &Properties) -> ClientConfig {
    properties.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn waiting() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(Duration::from_secs(20)))
}

fn headers(pairs: &[(String, Option<Vec<u8>>)]) -> OwnedHeaders {
    pairs.iter().fold(OwnedHeaders::new(), |headers, (name, value)| {
        headers.insert(Header { key: name, value: value.as_ref() })
    })
}

fn sample_of(message: &rdkafka::message::BorrowedMessage<'_>) -> Sample {
    use rdkafka::message::Headers;
    let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let pair = |header: Header<'_, &[u8]>| (header.key.to_string(), header.value.map(<[u8]>::to_vec));
    Sample {
        partition: message.partition(),
        key: text(message.key()),
        value: text(message.payload()),
        timestamp_ms: message.timestamp().to_millis(),
        headers: message.headers().map(|all| all.iter().map(pair).collect()).unwrap_or_default(),
    }
}

/// Held together until all are known, so that they differ; released before the broker takes them.
fn free_ports<const N: usize>() -> [u16; N] {
    let listeners: Vec<TcpListener> = (0..N).map(|_| TcpListener::bind("localhost:0").unwrap()).collect();
    std::array::from_fn(|at| listeners[at].local_addr().unwrap().port())
}

fn settings(dir: &Path, [plain, controller, sasl, tls]: [u16; 4]) -> String {
    let (dir, (user, password)) = (dir.display(), USER);
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@localhost:{controller}\n\
         listeners=PLAIN://localhost:{plain},CONTROLLER://localhost:{controller},SASL://localhost:{sasl},\
         TLS://localhost:{tls}\n\
         advertised.listeners=PLAIN://localhost:{plain},SASL://localhost:{sasl},TLS://localhost:{tls}\n\
         listener.security.protocol.map=PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL\n\
         inter.broker.listener.name=PLAIN\n\
         controller.listener.names=CONTROLLER\n\
         log.dirs={dir}/data\n\
         num.network.threads=2\n\
         num.io.threads=2\n\
         auto.create.topics.enable=false\n\
         group.initial.rebalance.delay.ms=0\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=1\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         transaction.state.log.num.partitions=1\n\
         share.coordinator.state.topic.replication.factor=1\n\
         share.coordinator.state.topic.min.isr=1\n\
         sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256\n\
         listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule \
         required user_{user}=\"{password}\";\n\
         listener.name.sasl.scram-sha-256.sasl.jaas.config=\
         org.apache.kafka.common.security.scram.ScramLoginModule required;\n\
         ssl.keystore.location={dir}/keys.p12\n\
         ssl.keystore.type=PKCS12\n\
         ssl.keystore.password=windrow\n"
    )
}

/// Starts `start.sh`, with Java here or in a container.
fn launch(dir: &Path) -> Child {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/broker");
    let mut command = match jars(&assets) {
        Some(jars) => {
            let mut command = Command::new("sh");
            command.arg(assets.join("start.sh")).arg(dir).arg(format!("{}/*", jars.display()));
            command
        }
        None if works("docker", &["info"]) => {
            let mount = |path: &Path| format!("{0}:{0}", path.display());
            let mut command = Command::new("docker");
            command.args(["run", "--rm", "-i", "--network", "host", "--user", "root", "--entrypoint", "sh"]);
            command.args(["-v", &mount(dir), "-v", &mount(&assets), &format!("apache/kafka:{VERSION}")]);
            command.arg(assets.join("start.sh")).arg(dir).arg("/opt/kafka/libs/*");
            command
        }
        None => panic!(
            "these tests need Apache Kafka: install Java 17 and Maven, or docker, \
             or set WINDROW_TEST_BROKERS to the address of a broker"
        ),
    };
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The folder with Kafka's jars, fetched with Maven the first time; none without Java or Maven.
fn jars(assets: &Path) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join(format!("kafka-{VERSION}"));
    let jars = target.join("lib");
    if !works("java", &["-version"]) {
        return None;
    }
    fs::create_dir_all(&target).unwrap();
    // Test processes may run at the same time; the first fetches, the others wait.
    let lock = File::create(target.join("lock")).unwrap();
    lock.lock().unwrap();
    if jars.exists() {
        return Some(jars);
    }
    let fetched = target.join("fetched");
    let done = works(
        "mvn",
        &[
            "-q",
            "-B",
            "-f",
            &assets.join("pom.xml").display().to_string(),
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            &format!("-DoutputDirectory={}", fetched.display()),
        ],
    );
    if done {
        fs::rename(&fetched, &jars).unwrap();
    }
    done.then_some(jars)
}

fn works(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
