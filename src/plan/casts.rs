//! Casts that mean something else in Flink than in Arrow: nested ones, numbers from text, and those between
//! kinds of times.
//!
//! Fields go by position. Between moments (TIMESTAMP_LTZ) and wall-clock times, the wall clock of the job's
//! time zone decides; Arrow would keep the digits of UTC. Runs after types have been coerced, so that what
//! the planner casts by itself, for a comparison or a union, means the same as a CAST that was written.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, internal_datafusion_err, not_impl_err, plan_datafusion_err};
use datafusion::config::ConfigOptions;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, ScalarUDF, cast, lit, try_cast};
use datafusion::optimizer::AnalyzerRule;

use crate::functions::cast::{flink_cast, is_needed};
use crate::functions::wall;
use crate::time::zone;

/// See the module's text.
#[derive(Debug)]
pub struct FlinkCasts {
    /// The job's time zone; None is UTC, whose wall clocks show moments.
    zone: Option<Zone>,
}

#[derive(Debug)]
struct Zone {
    /// As Arrow knows it.
    name: Arc<str>,
    to_wall: Arc<ScalarUDF>,
    to_moment: Arc<ScalarUDF>,
}

impl FlinkCasts {
    /// For a session with our functions, in its time zone.
    pub fn new(state: &SessionState) -> Result<Self> {
        let zone = state.config_options().execution.time_zone.as_deref().filter(|zone| !zone::is_utc(zone));
        Ok(FlinkCasts { zone: zone.map(|zone| Zone::new(zone, state)).transpose()? })
    }

    /// The expression with each of its casts as Flink has them; `schema` is that of its rows.
    pub fn rewrite(&self, expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
        expr.transform_up(|expr| {
            let (inner, field, is_try) = match &expr {
                Expr::Cast(cast) => (&cast.expr, &cast.field, false),
                Expr::TryCast(cast) => (&cast.expr, &cast.field, true),
                _ => return Ok(Transformed::no(expr)),
            };
            // What is no column of these rows, such as an outer reference, keeps its cast.
            let Ok(from) = inner.get_type(schema) else { return Ok(Transformed::no(expr)) };
            let to = field.data_type().clone();
            let crosses = self.zone.is_some() && crosses(&from, &to);
            if let (Some(zone), true) = (&self.zone, crosses)
                && let Some(zoned) = zone.cast(inner, &from, &to, is_try)
            {
                return Ok(Transformed::yes(zoned));
            }
            if crosses {
                return not_impl_err!(
                    "a TIMESTAMP_LTZ inside a nested value cannot become a TIMESTAMP, or the other way \
                     round: convert it with CAST where the value is built"
                );
            }
            if is_needed(&from, &to) {
                return Ok(Transformed::yes(flink_cast(inner.as_ref().clone(), to, is_try)));
            }
            Ok(Transformed::no(expr))
        })
    }
}

impl Zone {
    fn new(name: &str, state: &SessionState) -> Result<Zone> {
        let parsed = zone::parse(name).ok_or_else(|| plan_datafusion_err!("`{name}` is not a time zone"))?;
        let function = |name: &str| {
            let function = state.scalar_functions().get(name).cloned();
            function.ok_or_else(|| internal_datafusion_err!("function `{name}` is not registered"))
        };
        let name = Arc::from(parsed.to_string());
        Ok(Zone { name, to_wall: function(wall::WALL)?, to_moment: function(wall::MOMENT)? })
    }

    /// A cast by the wall clock; None for nested values.
    fn cast(&self, inner: &Expr, from: &DataType, to: &DataType, is_try: bool) -> Option<Expr> {
        let cast_as = |expr: Expr, ty: DataType| if is_try { try_cast(expr, ty) } else { cast(expr, ty) };
        let in_zone =
            |function: &Arc<ScalarUDF>, expr: Expr| function.call(vec![expr, lit(self.name.as_ref())]);
        let micros = |zone: Option<&Arc<str>>| DataType::Timestamp(TimeUnit::Microsecond, zone.cloned());
        let inner = inner.clone();
        match (Kind::of(from), Kind::of(to)) {
            (Kind::Moment, Kind::Wall | Kind::Text) => {
                Some(cast_as(in_zone(&self.to_wall, inner), to.clone()))
            }
            (Kind::Wall, Kind::Moment) => {
                Some(cast_as(in_zone(&self.to_moment, cast_as(inner, micros(None))), to.clone()))
            }
            (Kind::Text, Kind::Moment) => Some(cast_as(cast_as(inner, micros(Some(&self.name))), to.clone())),
            _ => None,
        }
    }
}

impl AnalyzerRule for FlinkCasts {
    fn name(&self) -> &str {
        "flink_casts"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let rewritten = plan.transform_up_with_subqueries(|plan| {
            let mut schema = merge_schema(&plan.inputs());
            if let LogicalPlan::TableScan(scan) = &plan {
                schema.merge(&scan.projected_schema);
            }
            let names = NamePreserver::new(&plan);
            let rewritten = plan.map_expressions(|expr| {
                let name = names.save(&expr);
                Ok(self.rewrite(expr, &schema)?.update_data(|expr| name.restore(expr)))
            })?;
            rewritten.map_data(LogicalPlan::recompute_schema)
        })?;
        Ok(rewritten.data)
    }
}

/// What a cast by the wall clock looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Moment,
    Wall,
    Text,
    Other,
}

impl Kind {
    fn of(ty: &DataType) -> Kind {
        match ty {
            DataType::Timestamp(_, Some(_)) => Kind::Moment,
            DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64 => Kind::Wall,
            DataType::Time32(_) | DataType::Time64(_) => Kind::Wall,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
            _ => Kind::Other,
        }
    }
}

/// Whether the value, or a part of it, goes from a moment to a wall clock's time or text, or back.
fn crosses(from: &DataType, to: &DataType) -> bool {
    use DataType::{LargeList, List, Map, Struct};
    match (from, to) {
        (List(from) | LargeList(from), List(to) | LargeList(to)) => crosses(from.data_type(), to.data_type()),
        (Map(from, _), Map(to, _)) => crosses(from.data_type(), to.data_type()),
        (Struct(from), Struct(to)) => {
            from.iter().zip(to).any(|(from, to)| crosses(from.data_type(), to.data_type()))
        }
        (from, to) => {
            let (from, to) = (Kind::of(from), Kind::of(to));
            let both_known = from != Kind::Other && to != Kind::Other;
            both_known && from != to && (from == Kind::Moment || to == Kind::Moment)
        }
    }
}
