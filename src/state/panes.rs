//! Rows and partial aggregates by window: gathered where rows arrive, stored as runs until the window closes.
//!
//! A [`Gather`] belongs to whoever sees the rows (a lane, or the driver for rows of another stage) and is
//! drained into runs at each cut. A [`PaneStore`] belongs to the driver and keeps the runs of open windows.
//! It is bounded by what is in the open windows: runs are merged size-tiered, closed windows are removed.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{cast, concat_batches, take_record_batch};
use arrow::datatypes::{DataType, SchemaRef, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{DFSchema, Result, exec_err};
use datafusion::physical_expr::PhysicalExpr;

use crate::plan::lower::Lowering;
use crate::plan::{Keep, PaneColumn};
use crate::state::live::{GroupPlan, LiveTable};
use crate::time::{EventTime, Window};

/// Runs of one tier that are merged into one of the next. Each group is so merged log(runs) times.
const RUNS_PER_TIER_MAX: usize = 4;
/// More pieces than this in a batch, and rows are gathered by window instead of sliced.
const SLICES_MAX: usize = 4;

/// What a window stage keeps, made ready to run.
#[derive(Clone)]
pub struct KeepPlan {
    pub pane: PanePlan,
    /// `None` keeps the rows themselves.
    pub groups: Option<Arc<GroupPlan>>,
    /// Schema of the rows that go in.
    pub input_schema: SchemaRef,
}

/// How a row tells its window, made ready to run.
#[derive(Clone)]
pub struct PanePlan {
    pub window: Window,
    expr: Option<Arc<dyn PhysicalExpr>>,
    /// What the expression gives lies this far after the start.
    after_start_micros: i64,
}

impl KeepPlan {
    pub fn lower(pane: &PaneColumn, keep: &Keep, input: &DFSchema, lowering: &Lowering) -> Result<KeepPlan> {
        let groups = match keep {
            Keep::Rows => None,
            Keep::Groups(spec) => Some(Arc::new(GroupPlan::lower(spec, lowering)?)),
        };
        let pane = match pane {
            PaneColumn::All => PanePlan { window: Window::All, expr: None, after_start_micros: 0 },
            PaneColumn::Expr { window, expr, bound } => {
                let size = match window {
                    Window::Tumble { size_micros, .. } => *size_micros,
                    Window::All => 0,
                };
                let expr = Some(lowering.expr(&own_window_start(expr, *window, lowering), input)?);
                PanePlan { window: *window, expr, after_start_micros: bound.after_start_micros(size) }
            }
        };
        Ok(KeepPlan { pane, groups, input_schema: Arc::clone(input.inner()) })
    }

    /// Schema of the rows that a closed window gives.
    pub fn output_schema(&self) -> &SchemaRef {
        self.groups.as_ref().map_or(&self.input_schema, |groups| groups.output_schema())
    }
}

/// `date_bin` and `date_trunc` cost some 50 times as much per row as our own function.
fn own_window_start(
    expr: &datafusion::logical_expr::Expr,
    window: Window,
    lowering: &Lowering,
) -> datafusion::logical_expr::Expr {
    use crate::functions::window_start::NAME;
    use datafusion::logical_expr::{Expr, lit};
    let (Expr::ScalarFunction(call), Window::Tumble { size_micros, offset_micros, .. }) = (expr, window)
    else {
        return expr.clone();
    };
    let time = match call.name() {
        "date_bin" | "date_trunc" => call.args.get(1),
        _ => None,
    };
    match (time, lowering.state.scalar_functions().get(NAME)) {
        (Some(time), Some(own)) => own.call(vec![time.clone(), lit(size_micros), lit(offset_micros)]),
        _ => expr.clone(),
    }
}

impl PanePlan {
    /// The start of each row's window.
    fn starts(&self, batch: &RecordBatch) -> Result<Vec<i64>> {
        let Some(expr) = &self.expr else { return Ok(vec![EventTime::MIN.0; batch.num_rows()]) };
        let column = expr.evaluate(batch)?.into_array(batch.num_rows())?;
        let column = cast(&column, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
        let column = column.as_primitive::<TimestampMicrosecondType>();
        if column.null_count() > 0 {
            return exec_err!("a row has no time: its window is NULL");
        }
        let values = column.values();
        if self.after_start_micros == 0 {
            return Ok(values.to_vec());
        }
        Ok(values.iter().map(|at| at - self.after_start_micros).collect())
    }

    /// The rows of each window, in order of arrival within a window.
    fn split(&self, batch: &RecordBatch) -> Result<Vec<(EventTime, RecordBatch)>> {
        if batch.num_rows() == 0 {
            return Ok(Vec::new());
        }
        let starts = self.starts(batch)?;
        let slices: Vec<(usize, usize)> = slices(&starts);
        if slices.len() <= SLICES_MAX {
            let slice = |(at, len): (usize, usize)| (EventTime(starts[at]), batch.slice(at, len));
            return Ok(slices.into_iter().map(slice).collect());
        }
        let mut rows: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        for (at, len) in slices {
            rows.entry(starts[at]).or_default().extend(at as u32..(at + len) as u32);
        }
        let taken = rows
            .into_iter()
            .map(|(start, rows)| Ok((EventTime(start), take_record_batch(batch, &UInt32Array::from(rows))?)));
        taken.collect()
    }
}

/// Runs of equal values as (first, length).
fn slices(values: &[i64]) -> Vec<(usize, usize)> {
    let mut slices: Vec<(usize, usize)> = Vec::new();
    for chunk in values.chunk_by(|a, b| a == b) {
        let at = slices.last().map_or(0, |(at, len)| at + len);
        slices.push((at, chunk.len()));
    }
    slices
}

/// A run of one window: partial aggregates or rows.
#[derive(Debug, Clone)]
pub struct PaneRun {
    pub start: EventTime,
    pub batch: RecordBatch,
}

/// Open windows where rows arrive; drained at each cut.
pub struct Gather {
    plan: KeepPlan,
    live: BTreeMap<EventTime, LiveTable>,
    rows: BTreeMap<EventTime, Vec<RecordBatch>>,
}

impl Gather {
    pub fn new(plan: KeepPlan) -> Gather {
        Gather { plan, live: BTreeMap::new(), rows: BTreeMap::new() }
    }

    pub fn window(&self) -> Window {
        self.plan.pane.window
    }

    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        for (start, rows) in self.plan.pane.split(batch)? {
            let Some(groups) = &self.plan.groups else {
                self.rows.entry(start).or_default().push(rows);
                continue;
            };
            let table = match self.live.entry(start) {
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::btree_map::Entry::Vacant(entry) => entry.insert(LiveTable::new(groups)?),
            };
            table.update(groups, &rows)?;
        }
        Ok(())
    }

    /// Hands over what was gathered since the last cut; live tables of windows up to `watermark` are dropped.
    pub fn drain(&mut self, watermark: EventTime) -> Result<Vec<PaneRun>> {
        let mut runs = Vec::new();
        for (start, table) in &mut self.live {
            if let Some(groups) = &self.plan.groups
                && !table.is_empty()
            {
                runs.push(PaneRun { start: *start, batch: table.drain(groups)? });
            }
        }
        let window = self.plan.pane.window;
        self.live.retain(|start, _| window.end_of(*start) > watermark);
        for (start, batches) in std::mem::take(&mut self.rows) {
            let schema = batches.first().map_or_else(|| Arc::clone(&self.plan.input_schema), |b| b.schema());
            runs.push(PaneRun { start, batch: concat_batches(&schema, &batches)? });
        }
        Ok(runs)
    }

    /// Memory held, in bytes.
    pub fn size_bytes(&self) -> usize {
        let live: usize = self.live.values().map(LiveTable::size_bytes).sum();
        let rows: usize = self.rows.values().flatten().map(RecordBatch::get_array_memory_size).sum();
        live + rows
    }
}

/// The runs of a stage's open windows.
pub struct PaneStore {
    plan: KeepPlan,
    panes: BTreeMap<EventTime, Vec<TieredRun>>,
}

struct TieredRun {
    tier: u32,
    batch: RecordBatch,
}

impl PaneStore {
    pub fn new(plan: KeepPlan) -> PaneStore {
        PaneStore { plan, panes: BTreeMap::new() }
    }

    pub fn window(&self) -> Window {
        self.plan.pane.window
    }

    pub fn open_windows(&self) -> usize {
        self.panes.len()
    }

    /// Where the last window with data ends.
    pub fn last_end(&self) -> Option<EventTime> {
        let (start, _) = self.panes.last_key_value()?;
        Some(self.plan.pane.window.end_of(*start))
    }

    /// The open windows by start, oldest first.
    pub fn starts(&self) -> impl Iterator<Item = EventTime> {
        self.panes.keys().copied()
    }

    pub fn size_bytes(&self) -> usize {
        self.panes.values().flatten().map(|run| run.batch.get_array_memory_size()).sum()
    }

    /// Keeps a run; runs of a window come oldest first.
    pub fn add(&mut self, run: PaneRun) -> Result<()> {
        let runs = self.panes.entry(run.start).or_default();
        runs.push(TieredRun { tier: 0, batch: run.batch });
        loop {
            let Some(tier) = runs.last().map(|run| run.tier) else { return Ok(()) };
            let same = runs.iter().rev().take_while(|run| run.tier == tier).count();
            if same < RUNS_PER_TIER_MAX {
                return Ok(());
            }
            let merged = runs.split_off(runs.len() - same);
            let batches: Vec<RecordBatch> = merged.into_iter().map(|run| run.batch).collect();
            let batch = merge(&self.plan, &batches)?;
            runs.push(TieredRun { tier: tier + 1, batch });
        }
    }

    /// Closes the windows that end at or before `watermark` and gives their rows, oldest window first.
    pub fn close(&mut self, watermark: EventTime) -> Result<Vec<PaneRun>> {
        let window = self.plan.pane.window;
        let has_total = self.plan.groups.as_ref().is_some_and(|groups| groups.has_total());
        if window == Window::All && watermark == EventTime::MAX && has_total {
            // `SELECT COUNT(*)` of nothing is one row.
            self.panes.entry(EventTime::MIN).or_default();
        }
        let mut closed = Vec::new();
        while let Some(entry) = self.panes.first_entry() {
            let start = *entry.key();
            if window.end_of(start) > watermark {
                break;
            }
            let runs = entry.remove();
            let batches: Vec<RecordBatch> = runs.into_iter().map(|run| run.batch).collect();
            closed.push(PaneRun { start, batch: finish(&self.plan, &batches, start)? });
        }
        Ok(closed)
    }
}

fn merge(plan: &KeepPlan, batches: &[RecordBatch]) -> Result<RecordBatch> {
    match &plan.groups {
        Some(groups) => merged(groups, batches)?.drain(groups),
        None => concatenated(plan, batches),
    }
}

fn finish(plan: &KeepPlan, batches: &[RecordBatch], start: EventTime) -> Result<RecordBatch> {
    match &plan.groups {
        Some(groups) => merged(groups, batches)?.evaluate(groups, plan.pane.window, start),
        None => concatenated(plan, batches),
    }
}

fn merged(groups: &GroupPlan, batches: &[RecordBatch]) -> Result<LiveTable> {
    let mut table = LiveTable::new(groups)?;
    for batch in batches {
        table.merge(groups, batch)?;
    }
    Ok(table)
}

fn concatenated(plan: &KeepPlan, batches: &[RecordBatch]) -> Result<RecordBatch> {
    let schema = batches.first().map_or_else(|| Arc::clone(&plan.input_schema), RecordBatch::schema);
    Ok(concat_batches(&schema, batches)?)
}
