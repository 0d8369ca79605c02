//! Wires a job and runs it: the only place that starts threads.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use datafusion::execution::memory_pool::GreedyMemoryPool;

use crate::config;
use crate::error::{Error, Result};
use crate::functions::EpochClock;
use crate::job::batch::BatchRunner;
use crate::job::dag::{Dag, downstream, keep_plan, stage_watermarks, table_chain};
use crate::job::discovery::{Watched, watch};
use crate::job::driver::{Driver, PipelineState, ReadState};
use crate::job::intake::Intake;
use crate::job::lane::{Lane, LaneFeed, LaneTable, Output};
use crate::job::message::{Order, Place, ReadCounts, Report};
use crate::job::open::{self, OpenRead, TerminalFormat};
use crate::job::routing::Router;
use crate::job::status::{Status, Warnings};
use crate::plan::lower::Lowering;
use crate::plan::provider::Leaf;
use crate::plan::{Feed, JobPlan, StageId, StageKind, TableRead, settings};
use crate::sink::publish::Sinks;
use crate::source::{Reader, file, kafka};
use crate::sql::options::Connector;
use crate::state::panes::Gather;
use crate::time::{Clock, EventTime};
use crate::watermark::{TableClock, WatermarkSpec};

/// How a job is run; the command line's choices.
pub struct RunOptions {
    /// Names the consumer group and the transactional id.
    pub name: String,
    pub lanes: usize,
    pub epoch_interval: Duration,
    pub memory_max_bytes: usize,
    /// Records of one batch; small numbers are for tests.
    pub batch_records_max: usize,
    /// A lane waits for a cut after this many batches, so that tests have epochs at known places.
    pub batches_per_cut_max: Option<u32>,
    /// Reads files in an order made from this instead of in turn, for tests.
    pub interleave_seed: Option<u64>,
    pub clock: Clock,
    pub terminal: Box<dyn Write + Send>,
    pub terminal_format: TerminalFormat,
}

/// Asks a job to finish its epoch and end; can be given to a signal handler.
#[derive(Clone)]
pub struct Stopper(Sender<Report>);

impl Stopper {
    pub fn stop(&self) {
        // A job that has ended already needs no stop.
        drop(self.0.send(Report::Stop));
    }
}

/// A job with everything opened and connected, ready to poll its first record.
pub struct Job {
    driver: Driver,
    reports: Sender<Report>,
    threads: Vec<JoinHandle<()>>,
    /// Dropping it ends the discovery thread.
    discovery: Option<Sender<()>>,
}

impl Job {
    /// Opens sources and sinks, starts the lanes, and gives them their partitions.
    ///
    /// `epoch_clock` is the one the plan was made with.
    pub fn start(plan: JobPlan, epoch_clock: Arc<EpochClock>, options: RunOptions) -> Result<Job> {
        let plan = Arc::new(plan);
        let pool = Arc::new(GreedyMemoryPool::new(options.memory_max_bytes));
        let session =
            settings::session(&epoch_clock, plan.settings.zone_name(), Some(pool)).map_err(no_session)?;
        let lowering = Lowering::new(session.clone());
        let opened =
            plan.reads.iter().map(|read| open::read(read, &options.name)).collect::<Result<Vec<_>>>()?;
        let sinks = open::sinks(&plan, &options.name, &opened)?;
        let pipelines = pipelines(&plan, &sinks.target_of, options.terminal_format)?;
        let sinks = Sinks {
            clusters: sinks.clusters,
            targets: sinks.targets,
            routes: sinks.routes,
            terminal: options.terminal,
        };
        let (reports, inbox) = unbounded();
        let lane_count = lane_count(options.lanes, &opened);
        let setup = LaneSetup {
            plan: &plan,
            lowering: &lowering,
            job: &options.name,
            clock: &options.clock,
            lane_count,
            batch_records_max: options.batch_records_max,
            batches_per_cut_max: options.batches_per_cut_max,
            interleave_seed: options.interleave_seed,
            memory_max_bytes: options.memory_max_bytes,
            terminal_format: options.terminal_format,
        };
        let mut threads = Vec::new();
        let mut lanes = Vec::new();
        for number in 0..lane_count {
            let (orders, lane_orders) = unbounded();
            let lane = setup.lane(lane_orders, reports.clone())?;
            threads.push(spawn(&format!("windrow-lane-{number}"), move || lane.run())?);
            lanes.push(orders);
        }
        let reads = plan.reads.iter().map(|read| read_state(&plan, read)).collect();
        let mut driver = Driver {
            dag: Dag::new(&plan, &lowering)?,
            runner: BatchRunner::new(session)?,
            status: Status::new(plan.reads.len()),
            reads,
            pipelines,
            sinks,
            lanes,
            reports: inbox,
            clock: options.clock,
            epoch_clock,
            epoch_interval: options.epoch_interval,
            warnings: Warnings::default(),
            stopping: false,
            wants_cut: false,
            plan,
        };
        let watched = assign_all(&mut driver, opened)?;
        let discovery = match watched.is_empty() {
            true => None,
            false => Some(start_discovery(watched, &driver.plan, reports.clone(), &mut threads)?),
        };
        Ok(Job { driver, reports, threads, discovery })
    }

    pub fn stopper(&self) -> Stopper {
        Stopper(self.reports.clone())
    }

    /// Runs until the input ends, a stop is asked for, or something fails.
    pub fn run(mut self, on_epoch: &mut dyn FnMut(&Status)) -> Result<Status> {
        let result = self.driver.run(on_epoch);
        // Lanes end when nobody can give them orders any more.
        self.driver.lanes.clear();
        drop(self.discovery.take());
        let mut crashed = false;
        for thread in self.threads {
            crashed |= thread.join().is_err();
        }
        result?;
        if crashed {
            return Err(Error::internal("a thread of the job has panicked; its message is above"));
        }
        Ok(self.driver.status)
    }
}

fn no_session(cause: datafusion::error::DataFusionError) -> Error {
    Error::internal("cannot make a session").caused_by(cause)
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that starts threads")]
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    let thread = Builder::new().name(name.to_string()).spawn(work);
    thread.map_err(|cause| Error::external(format!("cannot start thread `{name}`")).caused_by(cause))
}

/// More lanes than partitions would only wait.
fn lane_count(wanted: usize, opened: &[OpenRead]) -> usize {
    let partitions: usize = opened.iter().map(|read| read.partitions.len()).sum();
    wanted.min(partitions).max(1)
}

fn read_state(plan: &JobPlan, read: &TableRead) -> ReadState {
    let table = &read.table;
    let time = &table.options.time;
    let idle_timeout = idle_timeout(plan, read);
    let bounded = table.is_bounded();
    let spec = WatermarkSpec {
        delay_micros: table.time.as_ref().map(|time| time.delay_micros),
        idle_timeout: idle_timeout.filter(|_| !bounded),
        quiet: time.quiet && !bounded,
        bounded,
    };
    let stages = downstream(plan, &table.name);
    ReadState { clock: TableClock::new(spec), partitions: vec![], kafka: HashMap::new(), stages, bounded }
}

/// The table's own timeout, or the job's where the table leaves it to the default.
fn idle_timeout(plan: &JobPlan, read: &TableRead) -> Option<Duration> {
    let time = &read.table.options.time;
    match (time.idle_is_default, plan.settings.idle_timeout) {
        (true, Some(of_job)) => Some(of_job).filter(|timeout| !timeout.is_zero()),
        _ => time.idle_timeout,
    }
}

/// Gives every partition to a lane; returns the tables whose brokers are asked again and again.
fn assign_all(driver: &mut Driver, opened: Vec<OpenRead>) -> Result<Vec<Watched>> {
    let mut watched = Vec::new();
    for (read, open) in opened.into_iter().enumerate() {
        let mut known = Vec::new();
        for (place, next_offset, end_offset) in open.partitions {
            if let Place::Kafka(at) = &place {
                known.push(at.clone());
            }
            driver.assign(read, place, next_offset, end_offset)?;
        }
        let table = Arc::clone(&driver.plan.reads[read].table);
        if let (Some(cluster), Connector::Kafka(options)) = (open.cluster, &table.options.connector) {
            let bounded = driver.reads[read].bounded;
            watched.push(Watched {
                read,
                cluster,
                topics: open::topics(options),
                discovers: options.discovery_interval.is_some() && !bounded,
                idle_timeout: idle_timeout(&driver.plan, &driver.plan.reads[read]),
                known: known.into_iter().collect(),
            });
        }
    }
    Ok(watched)
}

fn start_discovery(
    watched: Vec<Watched>,
    plan: &JobPlan,
    reports: Sender<Report>,
    threads: &mut Vec<JoinHandle<()>>,
) -> Result<Sender<()>> {
    let intervals = plan.reads.iter().filter_map(|read| match &read.table.options.connector {
        Connector::Kafka(options) => options.discovery_interval,
        _ => None,
    });
    let interval = intervals.min();
    let (stop, stopped) = unbounded();
    let mut watched = watched;
    threads.push(spawn("windrow-discovery", move || watch(&mut watched, interval, &reports, &stopped))?);
    Ok(stop)
}

fn pipelines(plan: &JobPlan, target_of: &[usize], terminal: TerminalFormat) -> Result<Vec<PipelineState>> {
    let state = |(pipeline, target): (&crate::plan::Pipeline, &usize)| {
        Ok(PipelineState {
            stage: pipeline.stage,
            target: *target,
            encoder: open::encoder(plan, pipeline, terminal)?,
            encoded_in_lanes: is_encoded_in_lanes(plan, pipeline.stage),
        })
    };
    plan.pipelines.iter().zip(target_of).map(state).collect()
}

/// Rows of a map stage that only one sink reads are encoded where they arise; a table's layout must be one.
fn is_encoded_in_lanes(plan: &JobPlan, stage: StageId) -> bool {
    let sinks: Vec<_> = plan.pipelines.iter().filter(|pipeline| pipeline.stage == stage).collect();
    let to_topic_or_file = sinks.iter().all(|pipeline| match &pipeline.sink {
        crate::plan::SinkTarget::Table(table) => !matches!(table.options.connector, Connector::Print(_)),
        crate::plan::SinkTarget::Terminal => false,
    });
    let from_tables = match &plan.stages[stage].kind {
        StageKind::Map { feeds } => feeds.iter().all(|feed| matches!(feed.leaf, Leaf::Table(_))),
        _ => false,
    };
    let read_by_stage = plan.stages.iter().any(|other| match &other.kind {
        StageKind::Map { feeds } | StageKind::Window { feeds, .. } => {
            feeds.iter().any(|feed| feed.leaf == Leaf::Stage(stage))
        }
        StageKind::Close { inputs, .. } => inputs.contains(&stage),
    });
    sinks.len() == 1 && to_topic_or_file && from_tables && !read_by_stage
}

/// What is needed to make a lane.
struct LaneSetup<'a> {
    plan: &'a JobPlan,
    lowering: &'a Lowering,
    job: &'a str,
    clock: &'a Clock,
    lane_count: usize,
    batch_records_max: usize,
    batches_per_cut_max: Option<u32>,
    interleave_seed: Option<u64>,
    memory_max_bytes: usize,
    terminal_format: TerminalFormat,
}

impl LaneSetup<'_> {
    fn lane(&self, orders: Receiver<Order>, reports: Sender<Report>) -> Result<Lane> {
        let tables = (0..self.plan.reads.len()).map(|read| self.table(read)).collect::<Result<Vec<_>>>()?;
        let start = vec![EventTime::MIN; self.plan.reads.len()];
        Ok(Lane {
            tables,
            orders,
            reports,
            clock: self.clock.clone(),
            watermarks: stage_watermarks(self.plan, &start).into(),
            held_bytes_max: config::LANE_OUTPUT_MAX_BYTES.min(self.memory_max_bytes / 4 / self.lane_count),
            batches_per_cut_max: self.batches_per_cut_max,
            batches: 0,
            asked_for_cut: false,
            unmeasured: 0,
        })
    }

    fn table(&self, read: usize) -> Result<LaneTable> {
        let table_read = &self.plan.reads[read];
        let table = &table_read.table;
        let reader = match &table.options.connector {
            Connector::Kafka(options) => {
                let group = options.group_id.as_deref().unwrap_or(self.job);
                let share = config::PREFETCH_SHARE / (self.lane_count * self.plan.reads.len()) as f64;
                let memory = (self.memory_max_bytes as f64 * share) as usize;
                Reader::Kafka(kafka::Reader::open(&options.properties, Some(group), memory)?)
            }
            _ => Reader::Files(file::Reader::new(self.batch_records_max, self.interleave_seed)),
        };
        let router = Router {
            table: Arc::from(table.name.as_str()),
            fail: table.options.bad.fail,
            bad_topic: table.options.bad.topic.as_deref().map(Arc::from),
            late_topic: table.options.late_topic.as_deref().map(Arc::from),
        };
        Ok(LaneTable {
            read,
            reader,
            intake: Intake::new(table_read, self.lowering)?,
            feeds: self.feeds(table_read)?,
            router,
            partitions: Vec::new(),
            names: Vec::new(),
            counts: ReadCounts::default(),
            routed: Vec::new(),
        })
    }

    fn feeds(&self, read: &TableRead) -> Result<Vec<LaneFeed>> {
        let mut lane_feeds = Vec::new();
        for (stage, spec) in self.plan.stages.iter().enumerate() {
            let feeds: &[Feed] = match &spec.kind {
                StageKind::Map { feeds } | StageKind::Window { feeds, .. } => feeds,
                StageKind::Close { .. } => &[],
            };
            for feed in feeds {
                if feed.leaf != Leaf::Table(read.table.name.clone()) {
                    continue;
                }
                let lowered = |cause| Error::internal("a feed cannot be made ready to run").caused_by(cause);
                let chain = table_chain(feed, read, self.lowering).map_err(lowered)?;
                let output = match &spec.kind {
                    StageKind::Window { .. } => {
                        Output::Windows(Gather::new(keep_plan(spec, self.lowering).map_err(lowered)?))
                    }
                    _ if is_encoded_in_lanes(self.plan, stage) => {
                        let pipeline = self.plan.pipelines.iter().find(|pipeline| pipeline.stage == stage);
                        let pipeline =
                            pipeline.ok_or_else(|| Error::internal("a stage without a pipeline"))?;
                        let encoder = open::encoder(self.plan, pipeline, self.terminal_format)?;
                        Output::Encoded(encoder, crate::format::EncodedRows::new())
                    }
                    _ => Output::Rows(Vec::new()),
                };
                let zone = match &output {
                    Output::Windows(gather) if gather.window().is_local() => self.plan.zone(),
                    _ => None,
                };
                lane_feeds.push(LaneFeed { stage, chain, output, zone, late: 0 });
            }
        }
        Ok(lane_feeds)
    }
}
