//! `l CROSS JOIN UNNEST(l.list) AS t(a, b)`: arrays and maps as rows.
//!
//! DataFusion plans such a join as a lateral subquery that nothing can run. Here [`nest`] puts the join into
//! parentheses of its own, so that the relation planner is asked about the pair, and [`plan`] turns it into a
//! projection, DataFusion's `Unnest` node, and a projection that names the parts.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{
    Column, DFSchema, DataFusionError, ExprSchema, NullHandling, Result, TableReference, UnnestOptions,
};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_nested::map_entries::map_entries;
use datafusion::logical_expr::planner::RelationPlannerContext;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder};
use sqlparser::ast::{
    Expr as SqlExpr, Join, JoinConstraint, JoinOperator, Query, SetExpr, Spanned, TableAlias, TableFactor,
    TableWithJoins, Value, VisitMut, VisitorMut,
};

use crate::error::{Error, SourceText};
use crate::functions::array::WITH_ORDINALITY;
use crate::plan::refuse::span_of_sql;
use crate::plan::relation::function_named;
use crate::plan::types::type_name;
use crate::sql::span::closed;

/// Puts every `… JOIN UNNEST(…)` of a query, however deep, into parentheses.
pub fn nest(query: &mut Query) {
    struct Nest;
    impl VisitorMut for Nest {
        type Break = ();
        fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
            nest_set(&mut query.body);
            ControlFlow::Continue(())
        }
    }
    let ControlFlow::Continue(()) = query.visit(&mut Nest) else { return };
}

fn nest_set(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            let tables = std::mem::take(&mut select.from);
            for table in tables {
                // `FROM t, UNNEST(t.list)` is a cross join.
                match select.from.last_mut() {
                    Some(left) if matches!(table.relation, TableFactor::UNNEST { .. }) => {
                        let join = Join {
                            relation: table.relation,
                            global: false,
                            join_operator: JoinOperator::CrossJoin(JoinConstraint::None),
                        };
                        left.joins.push(join);
                        left.joins.extend(table.joins);
                    }
                    _ => select.from.push(table),
                }
            }
            select.from.iter_mut().for_each(nest_joins);
        }
        SetExpr::SetOperation { left, right, .. } => {
            nest_set(left);
            nest_set(right);
        }
        _ => {}
    }
}

fn nest_joins(table: &mut TableWithJoins) {
    let joins = std::mem::take(&mut table.joins);
    for join in joins {
        let is_unnest = matches!(join.relation, TableFactor::UNNEST { .. });
        table.joins.push(join);
        if is_unnest {
            let pair = table.clone();
            let nested = TableFactor::NestedJoin { table_with_joins: Box::new(pair), alias: None };
            *table = TableWithJoins { relation: nested, joins: vec![] };
        }
    }
}

/// An `UNNEST` and how it is joined.
pub struct UnnestJoin {
    expr: SqlExpr,
    alias: Option<TableAlias>,
    with_ordinality: bool,
    keeps_empty: bool,
    join: JoinOperator,
}

/// Takes a parenthesised join apart if its last partner is an `UNNEST`; else gives it back.
pub fn split(mut pair: TableWithJoins) -> Result<(TableFactor, UnnestJoin), Box<TableWithJoins>> {
    let Some(Join { relation: TableFactor::UNNEST { array_exprs, .. }, .. }) = pair.joins.last() else {
        return Err(Box::new(pair));
    };
    let [expr] = array_exprs.as_slice() else { return Err(Box::new(pair)) };
    let expr = expr.clone();
    let Some(Join { relation: TableFactor::UNNEST { alias, with_ordinality, .. }, join_operator, .. }) =
        pair.joins.pop()
    else {
        return Err(Box::new(pair));
    };
    let keeps_empty = matches!(join_operator, JoinOperator::Left(_) | JoinOperator::LeftOuter(_));
    let left = if pair.joins.is_empty() {
        pair.relation
    } else {
        TableFactor::NestedJoin { table_with_joins: Box::new(pair), alias: None }
    };
    Ok((left, UnnestJoin { expr, alias, with_ordinality, keeps_empty, join: join_operator }))
}

/// The name of the list column between the two projections; no SQL can say it.
const LIST: &str = "__list";

pub fn plan(
    left: TableFactor,
    unnest: UnnestJoin,
    source: &Arc<SourceText>,
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    check_join(&unnest, source)?;
    let left = context.plan(left)?;
    let list = context.sql_to_expr(unnest.expr.clone(), left.schema())?;
    let list = match list.get_type(left.schema())? {
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(_, _) => list,
        DataType::Map(_, _) => map_entries(list),
        other => {
            let other = type_name(&other);
            let error = Error::user(format!("UNNEST takes an ARRAY or a MAP, not {other}"))
                .fix("name a column of type ARRAY<…> or MAP<…, …>");
            return Err(at(error, &unnest.expr, &other, source));
        }
    };
    let list = if unnest.with_ordinality {
        function_named(WITH_ORDINALITY, context)?.call(vec![list])
    } else {
        list
    };
    let left_columns: Vec<Expr> = left.schema().columns().into_iter().map(Expr::Column).collect();
    let mut columns = left_columns.clone();
    columns.push(list.alias(LIST));
    let handling = if unnest.keeps_empty { NullHandling::PreserveAndExpandEmpty } else { NullHandling::Drop };
    let options = UnnestOptions::new().with_null_handling(handling);
    let list_column = Column::new_unqualified(LIST);
    let unnested = LogicalPlanBuilder::from(left)
        .project(columns)?
        .unnest_columns_with_options(vec![list_column.clone()], options)?
        .build()?;
    let parts = parts(&list_column, &unnest, unnested.schema())?;
    let mut columns = left_columns;
    columns.extend(name_parts(parts, &unnest, source)?);
    LogicalPlanBuilder::from(unnested).project(columns)?.build()
}

/// UNNEST of a column of the other side can only be a cross join or `LEFT JOIN … ON TRUE`.
fn check_join(unnest: &UnnestJoin, source: &Arc<SourceText>) -> Result<()> {
    let constraint = match &unnest.join {
        JoinOperator::CrossJoin(constraint)
        | JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint) => Some(constraint),
        _ => None,
    };
    let is_true = |expr: &SqlExpr| matches!(expr, SqlExpr::Value(v) if v.value == Value::Boolean(true));
    match constraint {
        Some(JoinConstraint::None) => Ok(()),
        Some(JoinConstraint::On(on)) if is_true(on) => Ok(()),
        _ => {
            let error = Error::user("UNNEST is joined by CROSS JOIN or by LEFT JOIN … ON TRUE")
                .fix("put the condition into WHERE");
            Err(at(error, &unnest.expr, "", source))
        }
    }
}

/// The unnested value's columns, as Flink gives them: a ROW's fields each, else the value itself.
fn parts(list: &Column, unnest: &UnnestJoin, schema: &DFSchema) -> Result<Vec<(String, Expr)>> {
    let value = Expr::Column(list.clone());
    let ty = schema.field_from_column(list)?.data_type().clone();
    let fields_of = |value: &Expr, ty: &DataType| -> Vec<(String, Expr)> {
        match ty {
            DataType::Struct(fields) => {
                let part = |f: &FieldRef| (f.name().clone(), get_field(value.clone(), f.name().as_str()));
                fields.iter().map(part).collect()
            }
            _ => vec![("EXPR$0".to_string(), value.clone())],
        }
    };
    match &ty {
        DataType::Struct(pair) if unnest.with_ordinality && pair.len() == 2 => {
            let item = get_field(value.clone(), pair[0].name().as_str());
            let mut parts = fields_of(&item, pair[0].data_type());
            parts.push(("ORDINALITY".to_string(), get_field(value, pair[1].name().as_str())));
            Ok(parts)
        }
        ty => Ok(fields_of(&value, ty)),
    }
}

fn name_parts(
    parts: Vec<(String, Expr)>,
    unnest: &UnnestJoin,
    source: &Arc<SourceText>,
) -> Result<Vec<Expr>> {
    let Some(alias) = &unnest.alias else {
        return Ok(parts.into_iter().map(|(name, expr)| expr.alias(name)).collect());
    };
    if !alias.columns.is_empty() && alias.columns.len() != parts.len() {
        let (named, given) = (alias.columns.len(), parts.len());
        let names = alias.columns.iter().map(|column| column.name.value.clone());
        let names: Vec<String> = names.chain(parts.into_iter().skip(named).map(|(name, _)| name)).collect();
        let names = names[..given].join(", ");
        let error =
            Error::user(format!("`{}` names {named} columns, but UNNEST gives {given}", alias.name.value))
                .note("UNNEST gives an element as one column, a ROW as its fields, a MAP as key and value")
                .fix(format!("write `{} ({names})`", alias.name.value));
        return Err(at(error, alias, "", source));
    }
    let table = TableReference::bare(alias.name.value.as_str());
    let named = parts.into_iter().enumerate().map(|(i, (name, expr))| {
        let name = alias.columns.get(i).map_or(name, |column| column.name.value.clone());
        expr.alias_qualified(Some(table.clone()), name)
    });
    Ok(named.collect())
}

fn at(error: Error, node: &impl Spanned, label: &str, source: &Arc<SourceText>) -> DataFusionError {
    DataFusionError::External(Box::new(match span_of_sql(node) {
        Some(span) => error.at(source, closed(source, span), label),
        None => error,
    }))
}
