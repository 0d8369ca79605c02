//! Runs DataFusion plans over what stages have emitted: the only place that does.
//!
//! A plan is made physical anew for each run: kept plans would leak metrics and keep stale join sides, and
//! planning knows the exact sizes of its inputs this way.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{LogicalPlan, TableScan};
use datafusion::physical_plan::collect;
use tokio::runtime::Runtime;

use crate::error::{Error, Result};
use crate::plan::StageId;
use crate::plan::provider::{Leaf, LeafSource};

/// A session and a runtime of one thread: the driver's.
pub struct BatchRunner {
    runtime: Runtime,
    state: SessionState,
}

impl BatchRunner {
    pub fn new(state: SessionState) -> Result<BatchRunner> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime =
            runtime.map_err(|cause| Error::external("cannot start the driver's runtime").caused_by(cause))?;
        Ok(BatchRunner { runtime, state })
    }

    /// The plan's rows, given those of the stages it scans.
    pub fn run(
        &self,
        plan: &LogicalPlan,
        inputs: &HashMap<StageId, Vec<RecordBatch>>,
    ) -> Result<Vec<RecordBatch>, DataFusionError> {
        let plan = plan.clone().transform_up(|node| match node {
            LogicalPlan::TableScan(scan) => Ok(Transformed::yes(with_rows(scan, inputs)?)),
            other => Ok(Transformed::no(other)),
        })?;
        self.runtime.block_on(async {
            let planner = self.state.query_planner();
            let physical = planner.create_physical_plan(&plan.data, &self.state).await?;
            collect(physical, self.state.task_ctx()).await
        })
    }
}

fn with_rows(
    scan: TableScan,
    inputs: &HashMap<StageId, Vec<RecordBatch>>,
) -> Result<LogicalPlan, DataFusionError> {
    let Some(LeafSource { leaf: Leaf::Stage(stage), schema, .. }) = LeafSource::of(&scan.source) else {
        return datafusion::common::internal_err!("a driver's plan scans a table");
    };
    let batches = inputs.get(stage).map(Vec::as_slice).unwrap_or_default();
    let batches = batches.iter().map(|batch| renamed(batch, schema)).collect::<Result<Vec<_>, _>>()?;
    let table = MemTable::try_new(Arc::clone(schema), vec![batches])?;
    Ok(LogicalPlan::TableScan(TableScan { source: provider_as_source(Arc::new(table)), ..scan }))
}

/// The same columns under the names the plan's scan knows.
fn renamed(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, DataFusionError> {
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), batch.columns().to_vec(), &options)?)
}
