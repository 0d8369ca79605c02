//! What calls mean before their arguments are evaluated: defaults that SQL leaves out.
//!
//! DataFusion asks planners in order, so this one stands first. It also takes the syntax forms
//! (`SUBSTRING(x FROM 2)`, `EXTRACT(DOW FROM x)`), which DataFusion's planners tie to its own functions
//! without asking the registry.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::logical_expr::expr::{NullTreatment, ScalarFunction};
use datafusion::logical_expr::planner::{
    ExprPlanner, PlannerResult, RawAggregateExpr, RawFieldAccessExpr, RawWindowExpr,
};
use datafusion::logical_expr::{
    Expr, ExprSchemable, GetFieldAccess, ScalarUDF, WindowFunctionDefinition, lit,
};

/// Plans with Flink's defaults.
#[derive(Debug)]
pub(super) struct FlinkPlanner {
    pub(super) substring: Arc<ScalarUDF>,
    pub(super) extract: Arc<ScalarUDF>,
    pub(super) overlay: Arc<ScalarUDF>,
    pub(super) map_value: Arc<ScalarUDF>,
}

impl ExprPlanner for FlinkPlanner {
    fn plan_substring(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        let call = ScalarFunction::new_udf(Arc::clone(&self.substring), args);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }

    fn plan_extract(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        let call = ScalarFunction::new_udf(Arc::clone(&self.extract), args);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }

    fn plan_overlay(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        let call = ScalarFunction::new_udf(Arc::clone(&self.overlay), args);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }

    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        if !matches!(access.expr.get_type(schema)?, DataType::Map(_, _)) {
            return Ok(PlannerResult::Original(access));
        }
        let key = match access.field_access {
            GetFieldAccess::NamedStructField { name } => Expr::Literal(name, None),
            GetFieldAccess::ListIndex { key } => *key,
            GetFieldAccess::ListRange { .. } => return plan_err!("a MAP has no ranges: use one key"),
        };
        let call = ScalarFunction::new_udf(Arc::clone(&self.map_value), vec![access.expr, key]);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }

    /// FIRST_VALUE and LAST_VALUE skip NULLs; LISTAGG separates by a comma.
    fn plan_aggregate(&self, mut call: RawAggregateExpr) -> Result<PlannerResult<RawAggregateExpr>> {
        match call.func.name() {
            "first_value" | "last_value" => {
                call.null_treatment.get_or_insert(NullTreatment::IgnoreNulls);
            }
            "string_agg" if call.args.len() == 1 => call.args.push(lit(",")),
            _ => {}
        }
        Ok(PlannerResult::Original(call))
    }

    fn plan_window(&self, mut call: RawWindowExpr) -> Result<PlannerResult<RawWindowExpr>> {
        let name = match &call.func_def {
            WindowFunctionDefinition::AggregateUDF(udf) => udf.name(),
            WindowFunctionDefinition::WindowUDF(udf) => udf.name(),
        };
        if matches!(name, "first_value" | "last_value") {
            call.null_treatment.get_or_insert(NullTreatment::IgnoreNulls);
        }
        Ok(PlannerResult::Original(call))
    }
}
