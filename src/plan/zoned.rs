//! Casts between moments (TIMESTAMP_LTZ) and wall-clock times, by the wall clock of the job's time zone.
//!
//! Arrow's casts keep the digits of UTC. Runs after types have been coerced, so that what the planner casts
//! by itself, for a comparison or a union, means the same as a CAST that was written.

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

use crate::functions::wall;
use crate::time::zone;

/// See the module's text. Not needed in UTC, whose wall clocks show moments.
#[derive(Debug)]
pub struct ZonedCasts {
    /// As Arrow knows it.
    zone: Arc<str>,
    to_wall: Arc<ScalarUDF>,
    to_moment: Arc<ScalarUDF>,
}

impl ZonedCasts {
    pub fn new(zone: &str, state: &SessionState) -> Result<Self> {
        let parsed = zone::parse(zone).ok_or_else(|| plan_datafusion_err!("`{zone}` is not a time zone"))?;
        let function = |name: &str| {
            let function = state.scalar_functions().get(name).cloned();
            function.ok_or_else(|| internal_datafusion_err!("function `{name}` is not registered"))
        };
        let zone = Arc::from(parsed.to_string());
        Ok(ZonedCasts { zone, to_wall: function(wall::WALL)?, to_moment: function(wall::MOMENT)? })
    }

    /// The expression with each of its casts by the wall clock; `schema` is that of its rows.
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
            let cast_as = |expr: Expr, ty: DataType| if is_try { try_cast(expr, ty) } else { cast(expr, ty) };
            let zoned = match (Kind::of(&from), Kind::of(&to)) {
                (Kind::Moment, Kind::Wall | Kind::Text) => {
                    cast_as(self.to_wall.call(vec![inner.as_ref().clone(), self.name()]), to)
                }
                (Kind::Wall, Kind::Moment) => {
                    let wall = DataType::Timestamp(TimeUnit::Microsecond, None);
                    let wall = cast_as(inner.as_ref().clone(), wall);
                    cast_as(self.to_moment.call(vec![wall, self.name()]), to)
                }
                (Kind::Text, Kind::Moment) => {
                    let read = DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(&self.zone)));
                    cast_as(cast_as(inner.as_ref().clone(), read), to)
                }
                (Kind::Nested, Kind::Nested) if crosses(&from, &to) => {
                    return not_impl_err!(
                        "a TIMESTAMP_LTZ inside a nested value cannot become a TIMESTAMP, or the other way \
                         round: convert it with CAST where the value is built"
                    );
                }
                _ => return Ok(Transformed::no(expr)),
            };
            Ok(Transformed::yes(zoned))
        })
    }

    fn name(&self) -> Expr {
        lit(self.zone.as_ref())
    }
}

impl AnalyzerRule for ZonedCasts {
    fn name(&self) -> &str {
        "zoned_casts"
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
    Nested,
    Other,
}

impl Kind {
    fn of(ty: &DataType) -> Kind {
        match ty {
            DataType::Timestamp(_, Some(_)) => Kind::Moment,
            DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64 => Kind::Wall,
            DataType::Time32(_) | DataType::Time64(_) => Kind::Wall,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
            DataType::List(_) | DataType::LargeList(_) | DataType::Struct(_) | DataType::Map(_, _) => {
                Kind::Nested
            }
            _ => Kind::Other,
        }
    }
}

/// Whether a part of the value goes from a moment to a wall clock's time or back.
fn crosses(from: &DataType, to: &DataType) -> bool {
    use DataType::{LargeList, List, Map, Struct};
    match (from, to) {
        (List(from) | LargeList(from), List(to) | LargeList(to)) => {
            crosses(from.data_type(), to.data_type())
        }
        (Map(from, _), Map(to, _)) => crosses(from.data_type(), to.data_type()),
        (Struct(from), Struct(to)) => {
            from.iter().zip(to).any(|(from, to)| crosses(from.data_type(), to.data_type()))
        }
        (from, to) => {
            let (from, to) = (Kind::of(from), Kind::of(to));
            from != to && (from == Kind::Moment || to == Kind::Moment)
        }
    }
}
