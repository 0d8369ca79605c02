use std::time::Duration;

use super::*;
use crate::sql::parse;
use crate::sql::statement::{SetOption, Statement};
use crate::sql::tests::{source, table};
use crate::{config, error};

fn read(text: &str) -> error::Result<TableOptions> {
    table_options(&table(text), &source(text))
}

/// The options of a Kafka table with these beside the required ones.
fn kafka(options: &str) -> error::Result<KafkaOptions> {
    let text = format!(
        "CREATE TABLE orders (user_id STRING, total DOUBLE) WITH ('connector' = 'kafka', 'format' = 'json', \
         'topic' = 'orders', 'properties.bootstrap.servers' = 'b:9092',\n{options})"
    );
    match read(&text)?.connector {
        Connector::Kafka(kafka) => Ok(*kafka),
        other => panic!("{other:?}"),
    }
}

fn refusal(options: &str) -> String {
    match kafka(options) {
        Ok(kafka) => panic!("accepted: {kafka:?}"),
        Err(error) => error.to_string(),
    }
}

fn properties(options: &str) -> Vec<(String, String)> {
    kafka(options).unwrap().properties.into_iter().filter(|(key, _)| key != "bootstrap.servers").collect()
}

fn settings(text: &str) -> error::Result<JobSettings> {
    let sets: Vec<SetOption> = parse(&source(text), &|_| Ok(None))?
        .statements
        .into_iter()
        .filter_map(|statement| match statement {
            Statement::Set(set) => Some(set),
            _ => None,
        })
        .collect();
    job_settings(&sets, &source(text))
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_kafka_table_has_flinks_defaults() {
    let text = "CREATE TABLE t (a INT) WITH ('connector' = 'kafka', 'topic' = 'x; y',
        'properties.bootstrap.servers' = 'b:9092', 'value.format' = 'json')";
    let options = read(text).unwrap();
    assert_eq!(options.format, Format::Json(JsonOptions::default()));
    assert_eq!(options.time.idle_timeout, Some(config::IDLE_TIMEOUT));
    assert_eq!(options.time.max_future, Some(config::MAX_FUTURE));
    assert!(options.time.quiet && options.time.idle_is_default && !options.bad.fail);
    let Connector::Kafka(kafka) = options.connector else { panic!("not Kafka") };
    assert_eq!(kafka.topics, Topics::List(vec!["x".into(), "y".into()]));
    assert_eq!(kafka.startup, Startup::Group);
    assert_eq!(kafka.offset_reset, OffsetReset::Earliest);
    assert_eq!(kafka.bounded, Bounded::Unbounded);
    assert_eq!(kafka.guarantee, Guarantee::AtLeastOnce);
    assert_eq!(kafka.discovery_interval, Some(config::DISCOVERY_INTERVAL));
}

#[test]
fn modes_take_their_values() {
    let kafka = kafka(
        "'scan.startup.mode' = 'specific-offsets', 'scan.bounded.mode' = 'timestamp',
        'scan.startup.specific-offsets' = 'partition:0,offset:42;partition:1,offset:300',
        'scan.bounded.timestamp-millis' = '1700000000000', 'sink.delivery-guarantee' = 'exactly-once',
        'key.fields' = 'user_id', 'key.format' = 'raw', 'value.fields-include' = 'EXCEPT_KEY',
        'scan.topic-partition-discovery.interval' = '0', 'properties.group.id' = 'g'",
    )
    .unwrap();
    assert_eq!(kafka.startup, Startup::Specific(vec![(0, 42), (1, 300)]));
    assert_eq!(kafka.bounded, Bounded::Timestamp(1_700_000_000_000));
    assert_eq!(kafka.guarantee, Guarantee::ExactlyOnce);
    assert_eq!((kafka.key_fields.len(), kafka.key_format), (1, Some(KeyFormat::Raw)));
    assert!(!kafka.value_has_key);
    assert_eq!((kafka.discovery_interval, kafka.group_id.as_deref()), (None, Some("g")));
}

#[test]
fn an_unknown_option_is_underlined_with_the_one_it_is_close_to() {
    assert_eq!(
        refusal("  'topics' = 'orders'"),
        "error: unknown option `topics` for table `orders`
  --> q.sql:2:3
   |
 2 |   'topics' = 'orders')
   |   ^^^^^^^^
   = fix: did you mean `topic`? `windrow check --options kafka` lists them all"
    );
    assert!(refusal("'zzz' = '1'").ends_with("= fix: `windrow check --options kafka` lists them all"));
    let text = refusal("'json.ignore-parse-error' = 'true'");
    assert!(
        text.ends_with(
            "did you mean `json.ignore-parse-errors`? `windrow check --options json` lists them all"
        )
    );
    assert!(refusal("'csv.field-delimiter' = ';'").contains("belongs to format `csv`"));
    assert!(refusal("'csv.field' = ';'").starts_with("error: unknown option `csv.field`"));
    assert!(
        refusal("'properties.sasl.pasword' = 'x', 'properties.security.protocol' = 'SASL_SSL'")
            .contains("did you mean `properties.sasl.password`?")
    );
}

#[test]
fn a_wrong_value_is_underlined_with_what_is_expected() {
    assert_eq!(
        refusal("'scan.startup.mode' = 'earliest'"),
        "error: option `scan.startup.mode` has a wrong value
  --> q.sql:2:23
   |
 2 | 'scan.startup.mode' = 'earliest')
   |                       ^^^^^^^^^^ expected one of `earliest-offset`, `latest-offset`, `group-offsets`, \
`timestamp`, `specific-offsets`"
    );
    assert!(refusal("'scan.watermark.idle-timeout' = 'soon'").contains("expected a duration like `500 ms`"));
    assert!(refusal("'scan.watermark.quiet' = 'yes'").contains("expected `true` or `false`"));
    assert!(refusal("'scan.bounded.timestamp-millis' = '-1'").contains("expected a whole number"));
    assert!(
        refusal("'scan.bounded.mode' = 'timestamp'").contains("needs option `scan.bounded.timestamp-millis`")
    );
    assert!(
        refusal(
            "'scan.startup.mode' = 'specific-offsets', 'scan.startup.specific-offsets' = \
             'partition:0,offset:x'"
        )
        .contains("not a list of partitions and offsets")
    );
    assert!(refusal("'key.fields' = 'user_id'").contains("`key.fields` needs `key.format`"));
    assert!(
        refusal("'key.format' = 'raw', 'key.fields' = 'id'").contains("names a column that it does not have")
    );
    assert!(refusal("'topic-pattern' = 'o.*'").contains("`topic` and `topic-pattern` exclude each other"));
    assert!(refusal("'sink.partitioner' = 'com.x.P'").contains("unknown partitioner"));
}

#[test]
fn required_options_are_named() {
    let refuse = |options: &str| read(&format!("CREATE TABLE t (a INT) {options}")).unwrap_err().to_string();
    assert_eq!(
        refuse(""),
        "error: table `t` does not say what it is
  --> q.sql:1:14
   |
 1 | CREATE TABLE t (a INT)
   |              ^ no option `connector`
   = fix: add `WITH ('connector' = 'kafka', …)`; the connectors are `kafka`, `filesystem` and `print`"
    );
    assert!(refuse("WITH ('connector' = 'kafak')").contains("did you mean `kafka`?"));
    assert!(refuse("WITH ('connector' = 'kafka')").contains("no option `format`"));
    assert!(refuse("WITH ('connector' = 'kafka', 'format' = 'jsn')").contains("did you mean `json`?"));
    let kafka = "'connector' = 'kafka', 'format' = 'json'";
    assert!(refuse(&format!("WITH ({kafka})")).contains("needs option `properties.bootstrap.servers`"));
    assert!(refuse(&format!("WITH ({kafka}, 'properties.bootstrap.servers' = '')")).contains("^^ empty"));
    assert!(
        refuse(&format!("WITH ({kafka}, 'properties.bootstrap.servers' = 'b')"))
            .contains("needs option `topic`")
    );
    assert!(refuse("WITH ('connector' = 'filesystem', 'format' = 'csv')").contains("needs option `path`"));
    let remote = "WITH ('connector' = 'filesystem', 'format' = 'csv', 'path' = 's3://b/x')";
    assert!(refuse(remote).contains("only local paths"));
}

#[test]
fn one_file_serves_a_laptop_and_a_cluster_with_credentials() {
    let file = |protocol: &str, user: &str, password: &str| {
        properties(&format!(
            "'properties.security.protocol' = '{protocol}', 'properties.sasl.mechanism' = 'PLAIN',
            'properties.sasl.jaas.config' = 'org.apache.kafka.PlainLoginModule required \
             username=\"{user}\" password=\"{password}\";',
            'properties.ssl.endpoint.identification.algorithm' = ''"
        ))
    };
    assert_eq!(file("", "", ""), []);
    assert_eq!(file("PLAINTEXT", "", ""), pairs(&[("security.protocol", "plaintext")]));
    assert_eq!(
        file("SASL_SSL", "key", "secret"),
        pairs(&[
            ("sasl.mechanism", "PLAIN"),
            ("sasl.password", "secret"),
            ("sasl.username", "key"),
            ("security.protocol", "sasl_ssl"),
            ("ssl.endpoint.identification.algorithm", "none"),
        ])
    );
}

#[test]
fn java_properties_become_librdkafkas() {
    assert_eq!(
        properties(
            "'properties.fetch.max.wait.ms' = '10', 'properties.compression.type' = 'lz4',
            'properties.max.poll.records' = '500', 'properties.isolation.level' = 'read_uncommitted',
            'properties.request.timeout.ms' = '9000', 'properties.acks' = 'all', 'properties.client.id' = ''"
        ),
        pairs(&[
            ("acks", "all"),
            ("compression.type", "lz4"),
            ("fetch.wait.max.ms", "10"),
            ("isolation.level", "read_uncommitted"),
            ("socket.timeout.ms", "9000"),
        ])
    );
    assert_eq!(
        properties(
            "'properties.security.protocol' = 'SSL', 'properties.ssl.truststore.location' = '/ca',
            'properties.ssl.truststore.type' = 'PEM', 'properties.ssl.keystore.location' = '/me.p12',
            'properties.ssl.keystore.password' = 'p'"
        ),
        pairs(&[
            ("security.protocol", "ssl"),
            ("ssl.ca.location", "/ca"),
            ("ssl.keystore.location", "/me.p12"),
            ("ssl.keystore.password", "p"),
        ])
    );
}

#[test]
fn what_the_client_cannot_do_is_refused_without_its_secrets() {
    let sasl = "'properties.security.protocol' = 'SASL_SSL',";
    let cases = [
        ("'properties.sasl.username' = 'u'".to_owned(), "SASL needs a mechanism"),
        (
            "'properties.sasl.mechanism' = 'PLAIN', 'properties.sasl.username' = 'hunter2'".to_owned(),
            "PLAIN needs `properties.sasl.password`",
        ),
        ("'properties.sasl.mechanism' = 'GSSAPI'".to_owned(), "this SASL mechanism is not supported"),
        ("'properties.ssl.truststore.location' = '/t.jks'".to_owned(), "a Java truststore cannot be read"),
        ("'properties.ssl.keystore.location' = '/t.jks'".to_owned(), "a Java keystore cannot be read"),
        ("'properties.transactional.id' = 'x'".to_owned(), "it fences the processes of one job"),
        ("'properties.enable.idempotence' = 'false'".to_owned(), "breaks the table's delivery guarantee"),
        ("'properties.acks' = '1'".to_owned(), "rows could be lost, but the guarantee is `at-least-once`"),
        ("'properties.auto.offset.reset' = 'first'".to_owned(), "expected `earliest`, `latest` or `none`"),
    ];
    for (options, expected) in cases {
        let text = refusal(&format!("{sasl}{options}"));
        assert!(text.contains(expected), "{text}");
    }
    assert!(refusal("'properties.security.protocol' = 'SASL_TLS'").contains("did you mean `SASL_SSL`?"));
    let jaas = "'properties.sasl.jaas.config' = '${JAAS}'";
    let text = format!(
        "CREATE TABLE t (a INT) WITH ('connector' = 'kafka', 'format' = 'json', 'topic' = 't',
        'properties.bootstrap.servers' = 'b', {sasl}{jaas})"
    );
    let script =
        parse(&source(&text), &|_| Ok(Some("x.IAMLoginModule required a=\"hunter2\"".into()))).unwrap();
    let Statement::CreateTable(table) = &script.statements[0] else { panic!("not a table") };
    let error = format!("{}{table:?}", table_options(table, &source(&text)).unwrap_err());
    assert!(error.contains("this login module is not supported") && error.contains("'${JAAS}'"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn options_without_effect_are_reported_with_the_reason() {
    let text = "CREATE TABLE t (a INT) WITH ('connector' = 'kafka', 'format' = 'json', 'topic' = 't',
        'properties.bootstrap.servers' = 'b', 'sink.parallelism' = '4',
        'properties.enable.auto.commit' = 'true')";
    let ignored = read(text).unwrap().ignored;
    let named: Vec<_> = ignored.iter().map(|ignored| (ignored.option.as_str(), ignored.reason)).collect();
    assert_eq!(
        named,
        [
            ("sink.parallelism", "one producer per cluster and job writes, in the order of epochs"),
            ("properties.enable.auto.commit", "offsets are saved with each epoch"),
        ]
    );
}

#[test]
fn files_and_terminals_have_their_options() {
    let text =
        "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = 'file:///data/x', 'format' = 'csv',
        'csv.field-delimiter' = '\\t', 'csv.null-literal' = '', 'csv.disable-quote-character' = 'true')";
    let options = read(text).unwrap();
    assert_eq!(options.connector, Connector::Filesystem(FileOptions { path: "/data/x".into() }));
    let csv = CsvOptions {
        delimiter: b'\t',
        quote: None,
        null_literal: Some(String::new()),
        ..CsvOptions::default()
    };
    assert_eq!(options.format, Format::Csv(csv));
    let text =
        "CREATE TABLE t (a INT) WITH ('connector' = 'print', 'print-identifier' = 'x', 'format' = 'JSON')";
    let print = PrintOptions { format: PrintFormat::Json, identifier: Some("x".into()), to_stderr: false };
    assert_eq!(read(text).unwrap().connector, Connector::Print(print));
    let text = "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = 'x', 'format' = 'csv',
        'csv.field-delimiter' = 'ab')";
    assert!(read(text).unwrap_err().to_string().contains("needs one ASCII character"));
}

#[test]
fn settings_are_read_and_checked() {
    let settings = |text: &str| settings(text);
    let read = settings(
        "SET 'execution.checkpointing.interval' = '3s'; SET parallelism.default = 2;
        SET 'pipeline.name' = 'j'; SET 'execution.runtime-mode' = 'batch'; SET 'table.exec.state.ttl' = '1 d';
        SET 'table.local-time-zone' = 'Europe/Berlin'; SET 'parallelism.default' = '3'",
    )
    .unwrap();
    assert_eq!(read.epoch_interval, Some(Duration::from_secs(3)));
    assert_eq!((read.lanes, read.name.as_deref()), (Some(3), Some("j")));
    assert_eq!(read.time_zone.as_deref(), Some("Europe/Berlin"));
    assert_eq!(read.state_ttl, Some(Duration::from_secs(86_400)));
    assert_eq!((read.idle_timeout, read.ignored.len()), (None, 1));
    let refuse = |text: &str| settings(text).unwrap_err().to_string();
    assert_eq!(
        refuse("SET 'paralelism.default' = '2'"),
        "error: unknown option `paralelism.default` in SET
  --> q.sql:1:5
   |
 1 | SET 'paralelism.default' = '2'
   |     ^^^^^^^^^^^^^^^^^^^^
   = fix: did you mean `parallelism.default`? `windrow check --options set` lists them all"
    );
    assert!(refuse("SET 'execution.checkpointing.interval' = '1 ms'").contains("at least 50 ms"));
    assert!(refuse("SET 'parallelism.default' = '0'").contains("at least 1"));
    assert!(refuse("SET 'pipeline.name' = 'a/b'").contains("cannot contain a slash"));
}

#[test]
fn every_group_describes_every_option_it_has() {
    for group in tables::Group::ALL {
        let text = describe(group.name()).unwrap();
        for spec in tables::of_group(group).iter().copied().flatten() {
            assert!(text.contains(&format!("'{}", spec.name)), "{}", spec.name);
            assert!(spec.text.ends_with('.'), "{}", spec.name);
        }
    }
    assert!(describe("kafka").unwrap().contains(
        "'scan.watermark.idle-timeout'
    a duration like `30 s`, default `30 s`, when read
"
    ));
    assert!(describe("kafak").unwrap_err().to_string().contains("`kafak` has no options"));
}
