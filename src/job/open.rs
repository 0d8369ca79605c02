//! Opens what a job reads and writes: connects, lists partitions, resolves where to start and to end.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::catalog::Table;
use crate::config;
use crate::error::{Error, Result};
use crate::format::{EncodeOptions, json};
use crate::job::intake::timestamp_format;
use crate::job::message::Place;
use crate::plan::{JobPlan, Pipeline, SinkTarget, TableRead};
use crate::sink::TargetId;
use crate::sink::encode::{CsvLines, Encoder, TableLines};
use crate::sink::file::LineFile;
use crate::sink::kafka::{Guarantee, Publisher};
use crate::sink::publish::{ClusterId, Deal, Target};
use crate::source::file::files_of;
use crate::source::kafka::{Cluster, Properties, Reset, Startup, TopicPartition, Topics};
use crate::sql::options::kafka::{KeyFormat, OffsetReset, Partitioner};
use crate::sql::options::{self, Bounded, Connector, Format, KafkaOptions, PrintOptions};
use crate::sql::types::SqlType;

/// Where results for the terminal are written, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalFormat {
    Table,
    Json,
    Csv,
}

/// A table that is read, with its partitions and where each starts and, if bounded, ends.
pub struct OpenRead {
    pub partitions: Vec<(Place, i64, Option<i64>)>,
    /// For Kafka: the connection that answers questions.
    pub cluster: Option<Cluster>,
}

/// Connects to what a table reads from.
pub fn read(read: &TableRead, job: &str) -> Result<OpenRead> {
    match &read.table.options.connector {
        Connector::Kafka(kafka) => read_kafka(kafka, job),
        Connector::Filesystem(files) => {
            let files = files_of(Path::new(&files.path))?;
            let partitions = files.into_iter().map(|path| (Place::File(path), 0, None)).collect();
            Ok(OpenRead { partitions, cluster: None })
        }
        Connector::Print(_) => Err(Error::user(format!("table `{}` can only be written", read.table.name))
            .note("'connector' = 'print' is a sink")
            .fix("read from a table with 'connector' = 'kafka' or 'filesystem'")),
    }
}

fn read_kafka(options: &KafkaOptions, job: &str) -> Result<OpenRead> {
    let cluster = Cluster::connect(&options.properties, config::CONNECT_TIMEOUT)?;
    let partitions = cluster.partitions(&topics(options))?;
    let group = options.group_id.as_deref().unwrap_or(job);
    let starts = cluster.start_offsets(&partitions, &startup(options), Some(group))?;
    let ends: Vec<Option<i64>> = match &options.bounded {
        Bounded::Unbounded => vec![None; partitions.len()],
        Bounded::Latest => cluster.end_offsets(&partitions)?.into_iter().map(Some).collect(),
        Bounded::Timestamp(at_ms) => cluster.offsets_at(&partitions, *at_ms)?.into_iter().map(Some).collect(),
        Bounded::Group => {
            let ends = cluster.start_offsets(&partitions, &Startup::Group(Reset::None), Some(group))?;
            ends.into_iter().map(Some).collect()
        }
        Bounded::Specific(given) => {
            let ends = cluster.end_offsets(&partitions)?;
            let of =
                |at: &TopicPartition| given.iter().find(|(p, _)| *p == at.partition).map(|(_, end)| *end);
            partitions.iter().zip(ends).map(|(at, end)| Some(of(at).unwrap_or(end))).collect()
        }
    };
    let places = partitions.into_iter().map(Place::Kafka);
    let partitions = places.zip(starts).zip(ends).map(|((place, start), end)| (place, start, end)).collect();
    Ok(OpenRead { partitions, cluster: Some(cluster) })
}

/// The topics of a table as the source knows them.
pub fn topics(options: &KafkaOptions) -> Topics {
    match &options.topics {
        options::Topics::List(names) => Topics::List(names.clone()),
        options::Topics::Pattern(pattern) => Topics::Pattern(pattern.clone()),
    }
}

fn startup(options: &KafkaOptions) -> Startup {
    let reset = match options.offset_reset {
        OffsetReset::Earliest => Reset::Earliest,
        OffsetReset::Latest => Reset::Latest,
        OffsetReset::Fail => Reset::None,
    };
    match &options.startup {
        options::Startup::Earliest => Startup::Earliest,
        options::Startup::Latest => Startup::Latest,
        options::Startup::Group => Startup::Group(reset),
        options::Startup::Timestamp(at_ms) => Startup::Timestamp(*at_ms),
        options::Startup::Specific(given) => Startup::Specific(given.iter().copied().collect()),
    }
}

/// The targets of a job, and which one each pipeline writes to.
#[derive(Default)]
pub struct OpenSinks {
    pub clusters: Vec<Publisher>,
    pub targets: Vec<Target>,
    pub target_of: Vec<TargetId>,
    pub routes: BTreeMap<Arc<str>, ClusterId>,
}

/// One producer per cluster: two with the same transactional id would fence each other.
struct ClusterSpec<'a> {
    id: String,
    properties: &'a Properties,
    guarantee: Guarantee,
    transactional_id: String,
}

/// The clusters of a job's sinks, while they are collected.
struct Clusters<'a> {
    job: &'a str,
    specs: Vec<ClusterSpec<'a>>,
    /// Ids of clusters that have been asked, by how they were reached.
    ids: Vec<(&'a Properties, String)>,
}

/// Connects to everything a job writes to; `opened` is what it reads, in the order of the plan.
pub fn sinks(plan: &JobPlan, job: &str, opened: &[OpenRead]) -> Result<OpenSinks> {
    let mut clusters = Clusters::new(plan, job, opened);
    let mut open = OpenSinks::default();
    let mut to_check: Vec<(ClusterId, Arc<str>)> = Vec::new();
    for pipeline in &plan.pipelines {
        let target = match kafka_of(pipeline) {
            Some((table, options)) => {
                let cluster = clusters.cluster_of(options)?;
                let topic = sink_topic(table, options)?;
                to_check.push((cluster, Arc::clone(&topic)));
                let deals = options.partitioner == Partitioner::RoundRobin;
                Target::Topic { cluster, topic, deal: deals.then(Deal::default) }
            }
            None => local_target(pipeline)?,
        };
        open.target_of.push(add_target(&mut open.targets, target));
    }
    for read in &plan.reads {
        let table = &read.table;
        let topics = [table.options.bad.topic.as_deref(), table.options.late_topic.as_deref()];
        if let (Connector::Kafka(options), true) =
            (&table.options.connector, topics.iter().any(Option::is_some))
        {
            let cluster = clusters.cluster_of(options)?;
            to_check.extend(topics.into_iter().flatten().map(|topic| (cluster, Arc::from(topic))));
            open.routes.insert(Arc::from(table.name.as_str()), cluster);
        }
    }
    for spec in &clusters.specs {
        let id = Some(spec.transactional_id.as_str());
        open.clusters.push(Publisher::open(spec.properties, spec.guarantee, id, config::CONNECT_TIMEOUT)?);
    }
    for (cluster, topic) in to_check {
        let partitions = open.clusters[cluster].check_topic(&topic)?;
        for target in &mut open.targets {
            match target {
                Target::Topic { cluster: of, topic: its, deal: Some(deal) }
                    if *of == cluster && *its == topic =>
                {
                    deal.partitions = partitions;
                }
                _ => {}
            }
        }
    }
    Ok(open)
}

fn kafka_of(pipeline: &Pipeline) -> Option<(&Table, &KafkaOptions)> {
    match &pipeline.sink {
        SinkTarget::Table(table) => match &table.options.connector {
            Connector::Kafka(options) => Some((table, options)),
            _ => None,
        },
        SinkTarget::Terminal => None,
    }
}

fn sink_topic(table: &Table, options: &KafkaOptions) -> Result<Arc<str>> {
    match &options.topics {
        options::Topics::List(names) if names.len() == 1 => Ok(Arc::from(names[0].as_str())),
        _ => Err(Error::user(format!("sink `{}` must name one topic", table.name))
            .fix("give it 'topic' = 'name', without `;` or a pattern")),
    }
}

fn add_target(targets: &mut Vec<Target>, target: Target) -> TargetId {
    let same = |other: &Target| match (other, &target) {
        (Target::Topic { cluster, topic, deal }, Target::Topic { cluster: c, topic: t, deal: d }) => {
            cluster == c && topic == t && deal.is_some() == d.is_some()
        }
        _ => false,
    };
    if let Some(known) = targets.iter().position(same) {
        return known;
    }
    targets.push(target);
    targets.len() - 1
}

impl<'a> Clusters<'a> {
    fn new(plan: &'a JobPlan, job: &'a str, opened: &[OpenRead]) -> Self {
        let asked = plan.reads.iter().zip(opened).filter_map(|(read, open)| {
            let (Connector::Kafka(options), Some(cluster)) = (&read.table.options.connector, &open.cluster)
            else {
                return None;
            };
            Some((&options.properties, cluster.id().to_string()))
        });
        Clusters { job, specs: Vec::new(), ids: asked.collect() }
    }

    /// The cluster that the options lead to: two ways of writing its address are one cluster.
    fn cluster_of(&mut self, options: &'a KafkaOptions) -> Result<ClusterId> {
        let guarantee = match options.guarantee {
            options::Guarantee::ExactlyOnce => Guarantee::ExactlyOnce,
            options::Guarantee::AtLeastOnce => Guarantee::AtLeastOnce,
            options::Guarantee::None => Guarantee::None,
        };
        let id = self.id_of(&options.properties)?;
        let user = options.properties.get("sasl.username");
        let same = |spec: &ClusterSpec<'_>| spec.id == id && spec.properties.get("sasl.username") == user;
        if let Some(known) = self.specs.iter().position(same) {
            let spec = &mut self.specs[known];
            if strength(guarantee) > strength(spec.guarantee) {
                spec.guarantee = guarantee;
            }
            return Ok(known);
        }
        let transactional_id =
            options.transactional_id_prefix.clone().unwrap_or_else(|| self.job.to_string());
        self.specs.push(ClusterSpec { id, properties: &options.properties, guarantee, transactional_id });
        Ok(self.specs.len() - 1)
    }

    fn id_of(&mut self, properties: &'a Properties) -> Result<String> {
        if let Some((_, id)) = self.ids.iter().find(|(known, _)| *known == properties) {
            return Ok(id.clone());
        }
        let id = Cluster::connect(properties, config::CONNECT_TIMEOUT)?.id().to_string();
        self.ids.push((properties, id.clone()));
        Ok(id)
    }
}

fn strength(guarantee: Guarantee) -> u8 {
    match guarantee {
        Guarantee::None => 0,
        Guarantee::AtLeastOnce => 1,
        Guarantee::ExactlyOnce => 2,
    }
}

fn local_target(pipeline: &Pipeline) -> Result<Target> {
    let SinkTarget::Table(table) = &pipeline.sink else {
        return Ok(Target::Stdout { prefix: String::new() });
    };
    match &table.options.connector {
        Connector::Print(PrintOptions { identifier, to_stderr, .. }) => {
            let prefix = identifier.as_ref().map(|text| format!("{text}> ")).unwrap_or_default();
            Ok(if *to_stderr { Target::Stderr { prefix } } else { Target::Stdout { prefix } })
        }
        Connector::Filesystem(files) => {
            let extension = if matches!(table.options.format, Format::Csv(_)) { "csv" } else { "jsonl" };
            Ok(Target::Lines(LineFile::new(Path::new(&files.path), extension)))
        }
        Connector::Kafka(_) => Err(Error::internal("a Kafka sink is no local target")),
    }
}

/// Encodes a pipeline's rows as its sink wants them.
pub fn encoder(plan: &JobPlan, pipeline: &Pipeline, terminal: TerminalFormat) -> Result<Encoder> {
    let schema = plan.stages[pipeline.stage].schema.inner();
    let SinkTarget::Table(table) = &pipeline.sink else {
        return Ok(match terminal {
            TerminalFormat::Table => Encoder::Table(TableLines::new(schema)),
            TerminalFormat::Csv => Encoder::Csv(CsvLines::new(schema, ',', true)),
            TerminalFormat::Json => {
                let columns: Vec<(String, SqlType)> = schema
                    .fields()
                    .iter()
                    .map(|f| (f.name().clone(), SqlType::from_arrow(f.data_type())))
                    .collect();
                Encoder::Json(json::Encoder::new(&columns, &EncodeOptions::default()))
            }
        });
    };
    let columns: Vec<(String, SqlType)> = table
        .sink_columns()
        .into_iter()
        .filter_map(|column| Some((column.name.clone(), column.ty.clone()?)))
        .collect();
    let json_options = match &table.options.format {
        Format::Csv(options) => {
            return Ok(Encoder::Csv(CsvLines::new(schema, char::from(options.delimiter), false)));
        }
        Format::Raw => EncodeOptions::default(),
        Format::Json(options) => EncodeOptions {
            timestamp_format: timestamp_format(options.timestamp_format),
            ignore_null_fields: options.ignore_null_fields,
        },
    };
    match &table.options.connector {
        Connector::Print(options) if options.format == options::PrintFormat::Table => {
            Ok(Encoder::Table(TableLines::new(schema)))
        }
        Connector::Print(options) if options.format == options::PrintFormat::Auto => Ok(match terminal {
            TerminalFormat::Table => Encoder::Table(TableLines::new(schema)),
            _ => Encoder::Json(json::Encoder::new(&columns, &json_options)),
        }),
        Connector::Kafka(options) if !options.key_fields.is_empty() => {
            keyed(table, options, &columns, &json_options)
        }
        _ => Ok(Encoder::Json(json::Encoder::new(&columns, &json_options))),
    }
}

/// Rows with a key made of `key.fields`.
fn keyed(
    table: &Table,
    options: &KafkaOptions,
    columns: &[(String, SqlType)],
    json_options: &EncodeOptions,
) -> Result<Encoder> {
    let mut key_columns = Vec::new();
    for field in &options.key_fields {
        let position = columns.iter().position(|(name, _)| name == field).ok_or_else(|| {
            Error::user(format!("'key.fields' of `{}` names `{field}`, which is not a column", table.name))
        })?;
        key_columns.push(position);
    }
    let keys: Vec<(String, SqlType)> = key_columns
        .iter()
        .map(|&i| {
            let (name, ty) = &columns[i];
            let short = name.strip_prefix(options.key_fields_prefix.as_str()).unwrap_or(name);
            (short.to_string(), ty.clone())
        })
        .collect();
    let in_value = |i: &usize| options.value_has_key || !key_columns.contains(i);
    let value_columns: Vec<usize> = (0..columns.len()).filter(in_value).collect();
    let values: Vec<(String, SqlType)> = value_columns.iter().map(|&i| columns[i].clone()).collect();
    let values = json::Encoder::new(&values, json_options);
    match options.key_format {
        Some(KeyFormat::Raw) if key_columns.len() == 1 => {
            Ok(Encoder::RawKeyJson { values, value_columns, key_column: key_columns[0] })
        }
        Some(KeyFormat::Raw) => {
            Err(Error::user(format!("'key.format' = 'raw' of `{}` takes one column", table.name))
                .fix("name one column in 'key.fields', or use 'key.format' = 'json'"))
        }
        Some(KeyFormat::Csv) => {
            Err(Error::user(format!("'key.format' = 'csv' of `{}` is not supported", table.name))
                .fix("use 'json' or 'raw'"))
        }
        Some(KeyFormat::Json) | None => {
            let keys = json::Encoder::new(&keys, json_options);
            Ok(Encoder::KeyedJson { values, value_columns, keys, key_columns })
        }
    }
}

/// Connects to the sinks' clusters and looks for their topics, without disturbing a job that runs.
pub fn check_sinks(plan: &JobPlan) -> Result<()> {
    let check = |options: &KafkaOptions, topic: &str| {
        // No transactional id: taking one over would fence the running job.
        let publisher = Publisher::open(&options.properties, Guarantee::None, None, config::CONNECT_TIMEOUT)?;
        publisher.check_topic(topic).map(|_| ())
    };
    for pipeline in &plan.pipelines {
        if let Some((table, options)) = kafka_of(pipeline) {
            check(options, &sink_topic(table, options)?)?;
        }
    }
    for read in &plan.reads {
        let options = &read.table.options;
        if let Connector::Kafka(kafka) = &options.connector {
            for topic in [&options.bad.topic, &options.late_topic].into_iter().flatten() {
                check(kafka, topic)?;
            }
        }
    }
    Ok(())
}
