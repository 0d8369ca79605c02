//! Table functions of the FROM clause: `TUMBLE`, in all its spellings, and `UNNEST`, as plain projections.
//!
//! DataFusion asks here before it plans a relation itself. A window becomes three columns behind those of
//! its table, computed by [`window_start`]; no plan node of our own is needed. `HOP`, `CUMULATE` and
//! `SESSION` are refused by name.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, ScalarUDF, lit};
use sqlparser::ast::{
    Expr as SqlExpr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName, Spanned,
    TableAlias, TableFactor,
};

use crate::error::{Error, SourceText};
use crate::functions::{wall, window_start};
use crate::plan::facts::{Bound, micros, time_column, time_columns};
use crate::plan::refuse::span_of_sql;
use crate::plan::unnest;
use crate::sql::span::closed;

/// Plans window table functions and `UNNEST`.
#[derive(Debug)]
pub struct TableFunctions {
    pub source: Arc<SourceText>,
    /// The name of the job's time zone: windows of moments go by its wall clock.
    pub zone: String,
}

impl RelationPlanner for TableFunctions {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let relation = match relation {
            TableFactor::NestedJoin { table_with_joins, alias } => match unnest::split(*table_with_joins) {
                Ok((left, unnest)) => {
                    let plan = unnest::plan(left, unnest, &self.source, context)?;
                    return Ok(planned(plan, alias));
                }
                Err(table_with_joins) => TableFactor::NestedJoin { table_with_joins, alias },
            },
            other => other,
        };
        match call_of(&relation) {
            Some((name, args, alias)) if is_window_function(&name) => {
                let plan = self.plan_window(&name, &args, &relation, context)?;
                Ok(planned(plan, alias))
            }
            _ => Ok(RelationPlanning::Original(Box::new(relation))),
        }
    }
}

fn planned(plan: LogicalPlan, alias: Option<TableAlias>) -> RelationPlanning {
    RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, alias)))
}

fn is_window_function(name: &ObjectName) -> bool {
    let name = name.to_string().to_uppercase();
    ["TUMBLE", "HOP", "CUMULATE", "SESSION"].contains(&name.as_str())
}

/// `F(args)` and `TABLE(F(args))` alike.
fn call_of(relation: &TableFactor) -> Option<(ObjectName, Vec<FunctionArg>, Option<TableAlias>)> {
    match relation {
        TableFactor::Table { name, args: Some(args), alias, .. } => {
            Some((name.clone(), args.args.clone(), alias.clone()))
        }
        TableFactor::TableFunction { expr: SqlExpr::Function(call), alias } => {
            Some((call.name.clone(), arguments(call)?, alias.clone()))
        }
        _ => None,
    }
}

fn arguments(call: &Function) -> Option<Vec<FunctionArg>> {
    match &call.args {
        FunctionArguments::List(list) => Some(list.args.clone()),
        _ => None,
    }
}

/// The arguments of `TUMBLE`, by role.
struct WindowArgs {
    data: SqlExpr,
    time: SqlExpr,
    size: SqlExpr,
    offset: Option<SqlExpr>,
}

impl TableFunctions {
    fn plan_window(
        &self,
        name: &ObjectName,
        args: &[FunctionArg],
        relation: &TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<LogicalPlan> {
        let function = name.to_string().to_uppercase();
        if function != "TUMBLE" {
            let error = Error::user(format!("`{function}` windows are not supported yet"))
                .fix("TUMBLE windows are: TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)");
            return Err(self.at(error, name, ""));
        }
        let args = self.window_args(args, relation)?;
        let input = context.plan(self.data_relation(&args.data)?)?;
        let time = self.time_argument(&args.time, &input, context)?;
        let size_micros = self.length(&args.size, "the window size", context)?;
        if size_micros <= 0 {
            let error =
                Error::user("the window size must be positive").fix("write INTERVAL '1' MINUTE, for example");
            return Err(self.at(error, &args.size, "no row could be in a window of this size"));
        }
        let offset_micros = match &args.offset {
            Some(offset) => self.length(offset, "the window offset", context)?,
            None => 0,
        };
        let is_moment = matches!(time.get_type(input.schema())?, DataType::Timestamp(_, Some(_)));
        let in_zone = |function: &str, time: Expr| -> Result<Expr> {
            Ok(function_named(function, context)?.call(vec![time, lit(self.zone.as_str())]))
        };
        let time = if is_moment { in_zone(wall::WALL, time)? } else { time };
        let start = function_named(window_start::NAME, context)?.call(vec![
            time,
            lit(size_micros),
            lit(offset_micros),
        ]);
        let bound = |bound: Bound| {
            let micros = bound.after_start_micros(size_micros);
            start.clone() + lit(ScalarValue::DurationMicrosecond(Some(micros)))
        };
        let window_time = bound(Bound::Time);
        let window_time = if is_moment { in_zone(wall::MOMENT, window_time)? } else { window_time };
        // The columns keep their table's name, as in `SELECT orders.id FROM TUMBLE(TABLE orders, …)`.
        let mut columns: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
        columns.push(start.clone().alias("window_start"));
        columns.push(bound(Bound::End).alias("window_end"));
        columns.push(window_time.alias("window_time"));
        LogicalPlanBuilder::from(input).project(columns)?.build()
    }

    /// Sorts positional and named arguments into their roles.
    fn window_args(&self, args: &[FunctionArg], relation: &TableFactor) -> Result<WindowArgs> {
        let mut by_role: [Option<SqlExpr>; 4] = [None, None, None, None];
        for (position, arg) in args.iter().enumerate() {
            let (role, value) = match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => (position, value),
                FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), .. } => {
                    let name = name.value.to_uppercase();
                    let roles = ["DATA", "TIMECOL", "SIZE", "OFFSET"];
                    let role = roles.iter().position(|role| *role == name).ok_or_else(|| {
                        let error = Error::user(format!("`TUMBLE` has no argument `{name}`"))
                            .fix("its arguments are DATA, TIMECOL, SIZE and OFFSET");
                        self.at(error, arg, "")
                    })?;
                    (role, value)
                }
                other => return Err(self.at(self.wrong_arguments(), other, "")),
            };
            match by_role.get_mut(role) {
                Some(slot @ None) => *slot = Some(value.clone()),
                _ => return Err(self.at(self.wrong_arguments(), arg, "one too many")),
            }
        }
        match by_role {
            [Some(data), Some(time), Some(size), offset] => Ok(WindowArgs { data, time, size, offset }),
            _ => Err(self.at(self.wrong_arguments(), relation, "")),
        }
    }

    fn wrong_arguments(&self) -> Error {
        Error::user("`TUMBLE` takes a table, its time column, a size and, if wanted, an offset")
            .fix("write TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)")
    }

    /// The first argument: a table's name or a subquery.
    fn data_relation(&self, data: &SqlExpr) -> Result<TableFactor> {
        let name = match data {
            SqlExpr::Identifier(name) => ObjectName::from(vec![name.clone()]),
            SqlExpr::CompoundIdentifier(names) => ObjectName::from(names.clone()),
            SqlExpr::Subquery(query) => {
                return Ok(TableFactor::Derived {
                    lateral: false,
                    subquery: query.clone(),
                    alias: None,
                    sample: None,
                });
            }
            SqlExpr::Nested(inner) => return self.data_relation(inner),
            other => return Err(self.at(self.wrong_arguments(), other, "not a table")),
        };
        Ok(TableFactor::Table {
            name,
            alias: None,
            args: None,
            with_hints: vec![],
            version: None,
            with_ordinality: false,
            partitions: vec![],
            json_path: None,
            sample: None,
            index_hints: vec![],
        })
    }

    /// `DESCRIPTOR(ts)` or `ts`: a time attribute of the table.
    fn time_argument(
        &self,
        time: &SqlExpr,
        input: &LogicalPlan,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<Expr> {
        let inner = match time {
            SqlExpr::Function(call) if call.name.to_string().eq_ignore_ascii_case("descriptor") => {
                match arguments(call).as_deref() {
                    Some([FunctionArg::Unnamed(FunctionArgExpr::Expr(column))]) => column.clone(),
                    _ => {
                        let error = Error::user("DESCRIPTOR takes one column").fix("write DESCRIPTOR(ts)");
                        return Err(self.at(error, time, ""));
                    }
                }
            }
            other => other.clone(),
        };
        let expr = context.sql_to_expr(inner.clone(), input.schema())?;
        let facts = time_columns(input);
        if time_column(&expr, &facts, input.schema()).is_some_and(|fact| fact.is_time_attribute()) {
            return Ok(expr);
        }
        let known = known_time_columns(&facts, input.schema());
        let fix = if known.is_empty() {
            "declare it in CREATE TABLE: WATERMARK FOR ts AS ts - INTERVAL '5' SECOND".to_string()
        } else {
            format!("use {}", known.join(" or "))
        };
        let error = Error::user(format!("`{inner}` is not an event-time column"))
            .note("a window is built on a column with a WATERMARK, or on `window_time` of another window")
            .fix(fix);
        Err(self.at(error, &inner, "no watermark belongs to it"))
    }

    /// An interval's length; calendar months have none.
    fn length(&self, arg: &SqlExpr, role: &str, context: &mut dyn RelationPlannerContext) -> Result<i64> {
        let (sign, literal) = match context.sql_to_expr(arg.clone(), &DFSchema::empty())? {
            Expr::Negative(inner) => (-1, *inner),
            other => (1, other),
        };
        let value = match &literal {
            Expr::Literal(value, _) => micros(value),
            _ => None,
        };
        let label = match &literal {
            Expr::Literal(ScalarValue::IntervalYearMonth(_) | ScalarValue::IntervalMonthDayNano(_), _) => {
                "months and years have no fixed length"
            }
            Expr::Literal(value, _) if value.data_type().is_numeric() => "a number has no unit",
            _ => "not an interval that is the same for all rows",
        };
        value.map(|micros| sign * micros).ok_or_else(|| {
            let error = Error::user(format!("{role} must be an interval of fixed length"))
                .fix("write INTERVAL '1' MINUTE, for example");
            self.at(error, arg, label)
        })
    }

    fn at(&self, error: Error, node: &impl Spanned, label: &str) -> DataFusionError {
        DataFusionError::External(Box::new(match span_of_sql(node) {
            Some(span) => error.at(&self.source, closed(&self.source, span), label),
            None => error,
        }))
    }
}

fn known_time_columns(facts: &[Option<crate::plan::facts::TimeColumn>], schema: &DFSchema) -> Vec<String> {
    let columns: Vec<Column> = schema.columns();
    let known = facts.iter().zip(&columns).filter(|(fact, _)| fact.is_some_and(|f| f.is_time_attribute()));
    known.map(|(_, column)| format!("`{}`", column.name)).collect()
}

/// One of our own functions, by the name only the planner writes.
pub fn function_named(name: &str, context: &dyn RelationPlannerContext) -> Result<Arc<ScalarUDF>> {
    let function = context.context_provider().get_function_meta(name);
    function.ok_or_else(|| DataFusionError::Internal(format!("function `{name}` is not registered")))
}
