//! Chains of filters, projections and UNNESTs, run on each batch as it comes.
//!
//! Filters and projections are evaluated directly, some 1 µs a batch. Anything else in a chain runs as one of
//! DataFusion's physical plans, built once and run again for every batch over a slot that holds it.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::SchemaRef;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, internal_err};
use datafusion::datasource::provider_as_source;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{LogicalPlan, TableScan, TableSource};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::physical_plan::{ExecutionPlan, collect};
use futures::executor::block_on;

use crate::plan::lower::Lowering;

/// A feed's plan, made ready to run on batches of its leaf.
pub struct Chain {
    /// Which of the leaf's columns, as batches carry them, the plan's scan asks for.
    columns: Vec<usize>,
    run: Run,
    pub schema: SchemaRef,
}

enum Run {
    Steps(Vec<Step>),
    Plan(Slotted),
}

enum Step {
    Filter(Arc<dyn PhysicalExpr>),
    Project(Vec<Arc<dyn PhysicalExpr>>, SchemaRef),
}

impl Chain {
    /// `position` says where in a leaf's batch a column of the leaf is.
    pub fn lower(
        plan: &LogicalPlan,
        position: impl Fn(usize) -> Option<usize>,
        lowering: &Lowering,
    ) -> Result<Chain> {
        let scan = scan_of(plan)?;
        let asked = match &scan.projection {
            Some(columns) => columns.clone(),
            None => (0..scan.source.schema().fields().len()).collect(),
        };
        let columns: Option<Vec<usize>> = asked.into_iter().map(position).collect();
        let Some(columns) = columns else { return internal_err!("a feed scans a column nobody reads") };
        let mut steps = Vec::new();
        let run = match direct(plan, lowering, &mut steps)? {
            true => Run::Steps(steps),
            false => Run::Plan(Slotted::new(plan, scan, lowering)?),
        };
        Ok(Chain { columns, run, schema: Arc::clone(plan.schema().inner()) })
    }

    pub fn is_direct(&self) -> bool {
        matches!(self.run, Run::Steps(_))
    }

    /// The rows that come out of the chain for a batch of the leaf.
    pub fn run(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let mut batch = batch.project(&self.columns)?;
        match &mut self.run {
            Run::Plan(plan) => plan.run(batch),
            Run::Steps(steps) => {
                for step in steps {
                    batch = step.run(batch)?;
                }
                Ok(batch)
            }
        }
    }
}

impl Step {
    fn run(&self, batch: RecordBatch) -> Result<RecordBatch> {
        match self {
            Step::Filter(predicate) => {
                let kept = predicate.evaluate(&batch)?.into_array(batch.num_rows())?;
                let kept = kept.as_boolean();
                if kept.null_count() == 0 && !kept.has_false() {
                    return Ok(batch);
                }
                Ok(filter_record_batch(&batch, kept)?)
            }
            Step::Project(exprs, schema) => {
                let column =
                    |expr: &Arc<dyn PhysicalExpr>| expr.evaluate(&batch)?.into_array(batch.num_rows());
                let columns: Vec<ArrayRef> = exprs.iter().map(column).collect::<Result<_>>()?;
                let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
                Ok(RecordBatch::try_new_with_options(nullable_as(schema, &columns), columns, &options)?)
            }
        }
    }
}

/// The schema with every column nullable that has NULLs: computed columns may promise too much.
fn nullable_as(schema: &SchemaRef, columns: &[ArrayRef]) -> SchemaRef {
    let fits = schema.fields().iter().zip(columns).all(|(f, c)| f.is_nullable() || c.null_count() == 0);
    if fits {
        return Arc::clone(schema);
    }
    let fields: Vec<_> = schema.fields().iter().map(|f| f.as_ref().clone().with_nullable(true)).collect();
    Arc::new(arrow::datatypes::Schema::new(fields))
}

fn scan_of(plan: &LogicalPlan) -> Result<&TableScan> {
    match plan {
        LogicalPlan::TableScan(scan) => Ok(scan),
        other => match other.inputs().as_slice() {
            [input] => scan_of(input),
            _ => internal_err!("a feed is not a chain: {}", other.display()),
        },
    }
}

/// Lowers the chain step by step; `false` if it has a node that must be a physical plan.
fn direct(plan: &LogicalPlan, lowering: &Lowering, steps: &mut Vec<Step>) -> Result<bool> {
    match plan {
        LogicalPlan::TableScan(scan) => Ok(scan.filters.is_empty()),
        LogicalPlan::SubqueryAlias(alias) => direct(&alias.input, lowering, steps),
        LogicalPlan::Filter(filter) => {
            if !direct(&filter.input, lowering, steps)? {
                return Ok(false);
            }
            steps.push(Step::Filter(lowering.expr(&filter.predicate, filter.input.schema())?));
            Ok(true)
        }
        LogicalPlan::Projection(projection) => {
            if !direct(&projection.input, lowering, steps)? {
                return Ok(false);
            }
            let exprs = lowering.exprs(&projection.expr, projection.input.schema())?;
            steps.push(Step::Project(exprs, Arc::clone(projection.schema.inner())));
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// A physical plan over a slot for the batch at hand.
struct Slotted {
    plan: Arc<dyn ExecutionPlan>,
    slot: Arc<Slot>,
    context: Arc<TaskContext>,
}

impl Slotted {
    fn new(plan: &LogicalPlan, scan: &TableScan, lowering: &Lowering) -> Result<Slotted> {
        let schema = Arc::clone(scan.projected_schema.inner());
        let slot = Arc::new(Slot { schema: Arc::clone(&schema), batch: Mutex::new(None) });
        let table = StreamingTable::try_new(schema, vec![Arc::clone(&slot) as Arc<dyn PartitionStream>])?;
        let plan = with_scan(plan, provider_as_source(Arc::new(table)))?;
        let planner = lowering.state.query_planner();
        let plan = block_on(planner.create_physical_plan(&plan, &lowering.state))?;
        Ok(Slotted { plan, slot, context: lowering.state.task_ctx() })
    }

    fn run(&mut self, batch: RecordBatch) -> Result<RecordBatch> {
        *self.slot.batch.lock().unwrap_or_else(PoisonError::into_inner) = Some(batch);
        // Without a reset every run adds to the plan's metrics for good.
        self.plan = reset_plan_states(Arc::clone(&self.plan))?;
        let batches = block_on(collect(Arc::clone(&self.plan), Arc::clone(&self.context)))?;
        Ok(concat_batches(&self.plan.schema(), &batches)?)
    }
}

/// The plan with its only scan reading from `source`, which has just the scanned columns.
pub fn with_scan(plan: &LogicalPlan, source: Arc<dyn TableSource>) -> Result<LogicalPlan> {
    let replaced = plan.clone().transform_up(|node| match node {
        LogicalPlan::TableScan(scan) => Ok(Transformed::yes(LogicalPlan::TableScan(TableScan {
            source: Arc::clone(&source),
            projection: None,
            ..scan
        }))),
        other => Ok(Transformed::no(other)),
    })?;
    Ok(replaced.data)
}

/// Gives the batch that was put in, once.
#[derive(Debug)]
struct Slot {
    schema: SchemaRef,
    /// Written and taken by the same thread; the lock is there because plans are shared by type.
    batch: Mutex<Option<RecordBatch>>,
}

impl PartitionStream for Slot {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner).take();
        let stream = futures::stream::iter(batch.map(Ok));
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream))
    }
}
