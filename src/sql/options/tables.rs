//! Every option there is, declared once. Where Flink has a name for it, it is Flink's.

use super::spec::{Kind, OptionSpec};

/// Which tables of options go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Kafka,
    Filesystem,
    Print,
    Json,
    Csv,
    Set,
}

impl Group {
    pub const ALL: [Group; 6] =
        [Group::Kafka, Group::Filesystem, Group::Print, Group::Json, Group::Csv, Group::Set];

    /// What `windrow check --options` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Group::Kafka => "kafka",
            Group::Filesystem => "filesystem",
            Group::Print => "print",
            Group::Json => "json",
            Group::Csv => "csv",
            Group::Set => "set",
        }
    }
}

pub fn of_group(group: Group) -> &'static [&'static [OptionSpec]] {
    match group {
        Group::Kafka => &[CONNECTOR, KAFKA, FORMAT, TIME],
        Group::Filesystem => &[CONNECTOR, FILESYSTEM, FORMAT, TIME],
        Group::Print => &[CONNECTOR, PRINT],
        Group::Json => &[JSON],
        Group::Csv => &[CSV],
        Group::Set => &[SET],
    }
}

const CONNECTOR: &[OptionSpec] =
    &[OptionSpec::new("connector", Kind::Text, "What the table is: `kafka`, `filesystem` or `print`.")];

const FORMAT: &[OptionSpec] =
    &[OptionSpec::new("format", Kind::Text, "How a record is encoded: `json`, `csv` or `raw`.")
        .aliases(&["value.format"])];

const KAFKA: &[OptionSpec] = &[
    OptionSpec::new("topic", Kind::List, "The topics to read, or the one to write."),
    OptionSpec::new(
        "topic-pattern",
        Kind::Text,
        "A regular expression: topics whose whole name matches are read.",
    )
    .source(),
    OptionSpec::new(
        "properties.",
        Kind::Prefix,
        "Passed on to the Kafka client (librdkafka's names; the Java client's are translated). \
         'properties.bootstrap.servers' is required.",
    ),
    OptionSpec::new(
        "scan.startup.mode",
        Kind::Choice(&["earliest-offset", "latest-offset", "group-offsets", "timestamp", "specific-offsets"]),
        "Where a job without a checkpoint begins to read.",
    )
    .default("group-offsets")
    .source(),
    OptionSpec::new(
        "scan.startup.timestamp-millis",
        Kind::Integer,
        "For mode `timestamp`: milliseconds since 1970.",
    )
    .source(),
    OptionSpec::new(
        "scan.startup.specific-offsets",
        Kind::Text,
        "For mode `specific-offsets`: `partition:0,offset:42;partition:1,offset:300`.",
    )
    .source(),
    OptionSpec::new(
        "scan.bounded.mode",
        Kind::Choice(&["unbounded", "latest-offset", "group-offsets", "timestamp", "specific-offsets"]),
        "Where reading ends; resolved once, when the job begins.",
    )
    .default("unbounded")
    .source(),
    OptionSpec::new(
        "scan.bounded.timestamp-millis",
        Kind::Integer,
        "For mode `timestamp`: milliseconds since 1970.",
    )
    .source(),
    OptionSpec::new(
        "scan.bounded.specific-offsets",
        Kind::Text,
        "For mode `specific-offsets`: `partition:0,offset:42;partition:1,offset:300`, not included.",
    )
    .source(),
    OptionSpec::new(
        "scan.topic-partition-discovery.interval",
        Kind::Duration,
        "How often to look for new partitions and topics; `0` for never.",
    )
    .default("10 s")
    .source(),
    OptionSpec::ignored("scan.parallelism", "lanes are set for the whole job: `SET 'parallelism.default'`")
        .source(),
    OptionSpec::new("key.fields", Kind::List, "The columns that make the record's key; needs 'key.format'."),
    OptionSpec::new(
        "key.fields-prefix",
        Kind::Text,
        "A prefix of the key's columns that its fields do not have.",
    ),
    OptionSpec::new(
        "key.format",
        Kind::Choice(&["json", "csv", "raw"]),
        "How the key is encoded; `raw` is the text of its only column.",
    ),
    OptionSpec::new(
        "value.fields-include",
        Kind::Choice(&["ALL", "EXCEPT_KEY"]),
        "Whether the record's value holds the key's columns too.",
    )
    .default("ALL"),
    OptionSpec::new(
        "sink.partitioner",
        Kind::Text,
        "`default`: by the hash of the key if there is one; `round-robin`: not by the key; `fixed`: as \
         `default`.",
    )
    .default("default")
    .sink(),
    OptionSpec::new(
        "sink.delivery-guarantee",
        Kind::Choice(&["exactly-once", "at-least-once", "none"]),
        "What a crash may do to what is written.",
    )
    .default("at-least-once")
    .sink(),
    OptionSpec::new(
        "sink.transactional-id-prefix",
        Kind::Text,
        "The transactional id for `exactly-once`, instead of the job's name.",
    )
    .sink(),
    OptionSpec::ignored(
        "sink.parallelism",
        "one producer per cluster and job writes, in the order of epochs",
    )
    .sink(),
];

const FILESYSTEM: &[OptionSpec] = &[
    OptionSpec::new("path", Kind::Text, "A file, or a folder of files."),
    OptionSpec::ignored("sink.parallelism", "one writer per file").sink(),
];

const PRINT: &[OptionSpec] = &[
    OptionSpec::new(
        "format",
        Kind::Choice(&["auto", "table", "json"]),
        "How rows are written; `auto` is a table on a terminal and JSON elsewhere.",
    )
    .default("auto")
    .sink(),
    OptionSpec::new("print-identifier", Kind::Text, "Written before each row.").sink(),
    OptionSpec::new("standard-error", Kind::Bool, "Write to standard error instead of standard output.")
        .default("false")
        .sink(),
    OptionSpec::ignored("sink.parallelism", "rows are written by one thread, in order").sink(),
];

/// Event time and bad records: of every table that is read.
const TIME: &[OptionSpec] = &[
    OptionSpec::new(
        "scan.watermark.idle-timeout",
        Kind::Duration,
        "A partition that has been read to its end for this long stops holding the watermark back; `0` for \
         never.",
    )
    .default("30 s")
    .source(),
    OptionSpec::new(
        "scan.watermark.quiet",
        Kind::Bool,
        "While all partitions are idle, the watermark follows the wall clock, so that the last window \
         closes.",
    )
    .default("true")
    .source(),
    OptionSpec::new(
        "scan.watermark.max-future",
        Kind::Duration,
        "An event time further ahead of the wall clock makes a bad record; `0` for no limit.",
    )
    .default("1 h")
    .source(),
    OptionSpec::new(
        "bad-records",
        Kind::Choice(&["count", "fail"]),
        "What a record that cannot be decoded does.",
    )
    .default("count")
    .source(),
    OptionSpec::new("bad-records.topic", Kind::Text, "Where records that cannot be decoded are kept.")
        .source(),
    OptionSpec::new("late-rows.topic", Kind::Text, "Where rows older than the watermark are kept.").source(),
];

pub const JSON: &[OptionSpec] = &[
    OptionSpec::new(
        "json.fail-on-missing-field",
        Kind::Bool,
        "A missing field makes a bad record instead of NULL.",
    )
    .default("false")
    .source(),
    OptionSpec::new(
        "json.ignore-parse-errors",
        Kind::Bool,
        "A field that does not fit is NULL; a bad record is dropped.",
    )
    .default("false")
    .source(),
    OptionSpec::new(
        "json.timestamp-format.standard",
        Kind::Choice(&["SQL", "ISO-8601"]),
        "How timestamps are written: with a space, or with a `T`. Without it both are read, and SQL is \
         written.",
    ),
    OptionSpec::new("json.encode.decimal-as-plain-number", Kind::Bool, "Write decimals without an exponent.")
        .default("false")
        .sink(),
    OptionSpec::new("json.encode.ignore-null-fields", Kind::Bool, "Leave out fields that are NULL.")
        .default("false")
        .sink(),
    OptionSpec::new(
        "json.map-null-key.mode",
        Kind::Choice(&["FAIL", "DROP", "LITERAL"]),
        "What a NULL map key does.",
    )
    .default("FAIL")
    .sink(),
    OptionSpec::new("json.map-null-key.literal", Kind::Text, "For mode `LITERAL`: the key written instead.")
        .default("null")
        .sink(),
    OptionSpec::ignored("json.decode.json-parser.enabled", "there is one decoder").source(),
];

pub const CSV: &[OptionSpec] = &[
    OptionSpec::new("csv.field-delimiter", Kind::Text, "The character between fields; `\\t` is a tab.")
        .default(","),
    OptionSpec::new("csv.quote-character", Kind::Text, "The character around fields.").default("\""),
    OptionSpec::new("csv.disable-quote-character", Kind::Bool, "Quotes are ordinary characters.")
        .default("false"),
    OptionSpec::new("csv.escape-character", Kind::Text, "The character before one that is meant literally."),
    OptionSpec::new("csv.null-literal", Kind::Text, "The text that means NULL."),
    OptionSpec::new("csv.allow-comments", Kind::Bool, "Skip lines that begin with `#`.")
        .default("false")
        .source(),
    OptionSpec::new(
        "csv.ignore-parse-errors",
        Kind::Bool,
        "A field that does not fit is NULL; a bad line is dropped.",
    )
    .default("false")
    .source(),
    OptionSpec::new("csv.array-element-delimiter", Kind::Text, "Between the elements of an array.")
        .default(";"),
];

const SET: &[OptionSpec] = &[
    OptionSpec::new(
        "execution.checkpointing.interval",
        Kind::Duration,
        "How often an epoch is made: results are published and progress is saved once per epoch. At least \
         50 ms.",
    )
    .default("1 s")
    .job(),
    OptionSpec::new("parallelism.default", Kind::Integer, "How many lanes read and aggregate.")
        .aliases(&["table.exec.resource.default-parallelism"])
        .job(),
    OptionSpec::new(
        "pipeline.name",
        Kind::Text,
        "The job's name: its consumer group, transactional id and checkpoints.",
    )
    .job(),
    OptionSpec::new("table.local-time-zone", Kind::Text, "The session's time zone, for TIMESTAMP_LTZ.")
        .default("UTC")
        .job(),
    OptionSpec::new(
        "table.exec.source.idle-timeout",
        Kind::Duration,
        "'scan.watermark.idle-timeout' for tables that have none of their own; `0` for never.",
    )
    .job(),
    OptionSpec::new(
        "table.exec.state.ttl",
        Kind::Duration,
        "How long state that nothing else bounds is kept; `0` for ever.",
    )
    .job(),
    OptionSpec::new(
        "sql-client.execution.result-mode",
        Kind::Choice(&["table", "changelog", "tableau"]),
        "How a bare SELECT is shown.",
    )
    .job(),
    OptionSpec::ignored("execution.runtime-mode", "bounded tables end by themselves").job(),
    OptionSpec::ignored("execution.checkpointing.mode", "'sink.delivery-guarantee' of a table decides").job(),
    OptionSpec::ignored("execution.checkpointing.timeout", "an epoch is committed or the job stops").job(),
    OptionSpec::ignored("execution.checkpointing.min-pause", "epochs do not overlap").job(),
    OptionSpec::ignored("state.backend.type", "there is one kind of state").job().aliases(&["state.backend"]),
    OptionSpec::ignored("state.checkpoints.dir", "`windrow run --checkpoint` decides")
        .job()
        .aliases(&["execution.checkpointing.dir"]),
    OptionSpec::ignored("restart-strategy.type", "whoever starts the process restarts it")
        .job()
        .aliases(&["restart-strategy"]),
    OptionSpec::ignored("table.exec.mini-batch.enabled", "all work is done in batches").job(),
    OptionSpec::ignored("table.exec.mini-batch.allow-latency", "all work is done in batches").job(),
    OptionSpec::ignored("table.exec.mini-batch.size", "all work is done in batches").job(),
    OptionSpec::ignored("pipeline.object-reuse", "there are no objects per row").job(),
    OptionSpec::ignored("table.dml-sync", "`windrow run` waits for the job").job(),
    OptionSpec::ignored("sql-client.verbose", "messages are always complete").job(),
];
