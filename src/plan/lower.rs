//! Logical expressions → physical ones, with everything DataFusion wants to know for it.

use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::common::{DFSchema, Result};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::physical_expr::aggregate::{LoweredAggregate, LoweredAggregateBuilder};
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};

/// Lowers expressions of optimized plans: their types are coerced already.
pub struct Lowering {
    pub state: SessionState,
    properties: ExecutionProps,
    planning: PhysicalPlanningContext,
}

impl Lowering {
    pub fn new(state: SessionState) -> Self {
        let mut properties = ExecutionProps::new();
        properties.mark_start_execution(Arc::clone(state.config_options()));
        Lowering { state, properties, planning: PhysicalPlanningContext::default() }
    }

    pub fn expr(&self, expr: &Expr, schema: &DFSchema) -> Result<Arc<dyn PhysicalExpr>> {
        create_physical_expr(expr, schema, &self.properties, &self.planning)
    }

    pub fn exprs(&self, exprs: &[Expr], schema: &DFSchema) -> Result<Vec<Arc<dyn PhysicalExpr>>> {
        exprs.iter().map(|expr| self.expr(expr, schema)).collect()
    }

    /// An aggregate call over rows of `schema`.
    pub fn aggregate(&self, expr: &Expr, schema: &DFSchema) -> Result<LoweredAggregate> {
        let physical: &Schema = schema.as_arrow();
        LoweredAggregateBuilder::new(expr, schema, physical, &self.properties, &self.planning).build()
    }
}
