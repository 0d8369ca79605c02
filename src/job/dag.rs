//! The stages of a job as the driver steps them: in order, once per epoch.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use arrow::array::timezone::Tz;

use crate::error::{Error, Result};
use crate::job::batch::BatchRunner;
use crate::job::lane::evaluation_failed;
use crate::plan::lower::Lowering;
use crate::plan::provider::Leaf;
use crate::plan::{Feed, JobPlan, Stage, StageId, StageKind, TableRead};
use crate::stage::map::Chain;
use crate::stage::window::{CloseState, WindowState};
use crate::stage::{Delta, Piece};
use crate::state::panes::{KeepPlan, PaneRun, PaneStore};
use crate::time::EventTime;
use crate::time::zone::moment_past;

/// All stages with their state.
pub struct Dag {
    stages: Vec<StageRun>,
    /// The job's; None is UTC.
    zone: Option<Tz>,
}

enum StageRun {
    Map { feeds: Vec<StageFeed> },
    Window { state: Box<WindowState>, feeds: Vec<StageFeed> },
    Close { state: Box<CloseState>, inputs: Vec<StageId>, plan: datafusion::logical_expr::LogicalPlan },
}

/// A feed from another stage; those from tables run in the lanes.
struct StageFeed {
    from: StageId,
    chain: Chain,
}

/// What the lanes hand over for one stage.
#[derive(Debug, Default)]
pub struct StageInput {
    pub runs: Vec<PaneRun>,
    pub rows: Vec<RecordBatch>,
}

impl Dag {
    pub fn new(plan: &JobPlan, lowering: &Lowering) -> Result<Dag> {
        let lowered = |cause| Error::internal("a stage cannot be made ready to run").caused_by(cause);
        let stages = plan.stages.iter().map(|stage| lower(stage, lowering).map_err(lowered));
        Ok(Dag { stages: stages.collect::<Result<_>>()?, zone: plan.zone() })
    }

    /// Steps every stage once; `inputs` and `watermarks` are by stage, as are the deltas returned.
    pub fn step(
        &mut self,
        mut inputs: Vec<StageInput>,
        watermarks: &[EventTime],
        runner: &BatchRunner,
    ) -> Result<Vec<Delta>> {
        let mut deltas: Vec<Delta> = Vec::with_capacity(self.stages.len());
        for (id, stage) in self.stages.iter_mut().enumerate() {
            let input = std::mem::take(&mut inputs[id]);
            let delta = step(stage, input, watermarks[id], &deltas, runner).map_err(evaluation_failed)?;
            deltas.push(delta);
        }
        Ok(deltas)
    }

    pub fn open_windows(&self) -> usize {
        self.stores().map(|(_, store)| store.open_windows()).sum()
    }

    pub fn state_bytes(&self) -> usize {
        let size = |stage: &StageRun| match stage {
            StageRun::Map { .. } => 0,
            StageRun::Window { state, .. } => state.size_bytes(),
            StageRun::Close { state, .. } => state.size_bytes(),
        };
        self.stages.iter().map(size).sum()
    }

    /// The moment at which the last window of the given stages ends that has data.
    pub fn last_window_end(&self, stages: &[StageId]) -> Option<EventTime> {
        let end = |store: &PaneStore| match &self.zone {
            Some(zone) if store.window().is_local() => store.last_end().map(|end| moment_past(end, zone)),
            _ => store.last_end(),
        };
        let ends = self.stores().filter(|(id, _)| stages.contains(id)).filter_map(|(_, store)| end(store));
        ends.max()
    }

    fn stores(&self) -> impl Iterator<Item = (StageId, &PaneStore)> {
        self.stages.iter().enumerate().filter_map(|(id, stage)| match stage {
            StageRun::Window { state, .. } => Some((id, state.store())),
            _ => None,
        })
    }
}

fn lower(stage: &Stage, lowering: &Lowering) -> Result<StageRun, datafusion::error::DataFusionError> {
    let stage_feeds = |feeds: &[Feed]| {
        let from_stages = feeds.iter().filter_map(|feed| match feed.leaf {
            Leaf::Stage(from) => Some((from, feed)),
            Leaf::Table(_) => None,
        });
        let feed = |(from, feed): (StageId, &Feed)| {
            Ok(StageFeed { from, chain: Chain::lower(&feed.plan, Some, lowering)? })
        };
        from_stages.map(feed).collect::<Result<Vec<_>, datafusion::error::DataFusionError>>()
    };
    Ok(match &stage.kind {
        StageKind::Map { feeds } => StageRun::Map { feeds: stage_feeds(feeds)? },
        StageKind::Window { feeds, .. } => {
            let plan = keep_plan(stage, lowering)?;
            StageRun::Window { state: Box::new(WindowState::new(plan)), feeds: stage_feeds(feeds)? }
        }
        StageKind::Close { window, inputs, plan } => {
            let mut distinct = inputs.clone();
            distinct.sort_unstable();
            distinct.dedup();
            let chain = match distinct.len() {
                1 if is_chain(plan) => Some(Chain::lower(plan, Some, lowering)?).filter(Chain::is_direct),
                _ => None,
            };
            let state = Box::new(CloseState::new(*window, distinct.len(), chain));
            StageRun::Close { state, inputs: distinct, plan: plan.clone() }
        }
    })
}

fn is_chain(plan: &datafusion::logical_expr::LogicalPlan) -> bool {
    use datafusion::logical_expr::LogicalPlan;
    match plan {
        LogicalPlan::TableScan(_) => true,
        LogicalPlan::Projection(_) | LogicalPlan::Filter(_) | LogicalPlan::SubqueryAlias(_) => {
            plan.inputs().iter().all(|input| is_chain(input))
        }
        _ => false,
    }
}

/// What a window stage keeps, made ready; lanes and driver each have their own.
pub fn keep_plan(stage: &Stage, lowering: &Lowering) -> Result<KeepPlan, datafusion::error::DataFusionError> {
    match &stage.kind {
        StageKind::Window { pane, keep, feeds } => {
            let input = match (keep, feeds.first()) {
                (crate::plan::Keep::Groups(groups), _) => &groups.input_schema,
                (crate::plan::Keep::Rows, _) => &stage.schema,
            };
            KeepPlan::lower(pane, keep, input, lowering)
        }
        _ => datafusion::common::internal_err!("only window stages keep rows"),
    }
}

/// A feed of a table, made ready for a lane.
pub fn table_chain(
    feed: &Feed,
    read: &TableRead,
    lowering: &Lowering,
) -> Result<Chain, datafusion::error::DataFusionError> {
    Chain::lower(&feed.plan, |column| read.columns.iter().position(|&c| c == column), lowering)
}

fn step(
    stage: &mut StageRun,
    input: StageInput,
    watermark: EventTime,
    deltas: &[Delta],
    runner: &BatchRunner,
) -> Result<Delta, datafusion::error::DataFusionError> {
    match stage {
        StageRun::Map { feeds } => {
            let mut pieces: Vec<Piece> = Vec::new();
            let rows = input.rows.into_iter().map(|batch| Piece { start: EventTime::MIN, batch });
            pieces.extend(rows);
            for feed in feeds {
                for piece in &deltas[feed.from].pieces {
                    pieces.push(Piece { start: piece.start, batch: feed.chain.run(&piece.batch)? });
                }
            }
            Ok(Delta { pieces })
        }
        StageRun::Window { state, feeds } => {
            let mut rows = input.rows;
            for feed in feeds {
                for piece in &deltas[feed.from].pieces {
                    rows.push(feed.chain.run(&piece.batch)?);
                }
            }
            state.take(input.runs, &rows)?;
            state.step(watermark)
        }
        StageRun::Close { state, inputs, plan } => {
            for (position, from) in inputs.iter().enumerate() {
                state.take(position, &deltas[*from]);
            }
            let mut delta = Delta::default();
            for window in state.closed(watermark) {
                let batches = match &mut state.chain {
                    Some(chain) => {
                        let rows = window.inputs.iter().flatten();
                        rows.map(|batch| chain.run(batch)).collect::<Result<Vec<_>, _>>()?
                    }
                    None => {
                        let rows: HashMap<StageId, Vec<RecordBatch>> =
                            inputs.iter().copied().zip(window.inputs).collect();
                        runner.run(plan, &rows)?
                    }
                };
                let filled = batches.into_iter().filter(|batch| batch.num_rows() > 0);
                delta.pieces.extend(filled.map(|batch| Piece { start: window.start, batch }));
            }
            Ok(delta)
        }
    }
}

/// The watermark of each stage, given those of the tables that are read; that of a stage of local windows is
/// a time of the wall clock.
pub fn stage_watermarks(plan: &JobPlan, of_read: &[EventTime]) -> Vec<EventTime> {
    let zone = plan.zone();
    let mut all: Vec<EventTime> = Vec::with_capacity(plan.stages.len());
    for stage in &plan.stages {
        let of_leaf = |leaf: &Leaf| match leaf {
            Leaf::Stage(stage) => all[*stage],
            Leaf::Table(name) => {
                let read = plan.reads.iter().position(|read| read.table.name == *name);
                read.map_or(EventTime::MAX, |read| of_read[read])
            }
        };
        let of_feed = |feed: &Feed| match feed.time {
            Some(time) => time.watermark(of_leaf(&feed.leaf), zone.as_ref()),
            None => of_leaf(&feed.leaf),
        };
        let watermark = match &stage.kind {
            StageKind::Map { feeds } | StageKind::Window { feeds, .. } => feeds.iter().map(of_feed).min(),
            StageKind::Close { inputs, .. } => inputs.iter().map(|&input| all[input]).min(),
        };
        all.push(watermark.unwrap_or(EventTime::MAX));
    }
    all
}

/// The stages that rows of a table reach.
pub fn downstream(plan: &JobPlan, table: &str) -> Vec<StageId> {
    let mut reached: Vec<StageId> = Vec::new();
    for (id, stage) in plan.stages.iter().enumerate() {
        let from_leaf = |leaf: &Leaf| match leaf {
            Leaf::Table(name) => name == table,
            Leaf::Stage(stage) => reached.contains(stage),
        };
        let is_reached = match &stage.kind {
            StageKind::Map { feeds } | StageKind::Window { feeds, .. } => {
                feeds.iter().any(|feed| from_leaf(&feed.leaf))
            }
            StageKind::Close { inputs, .. } => inputs.iter().any(|input| reached.contains(input)),
        };
        if is_reached {
            reached.push(id);
        }
    }
    reached
}
