//! Refuses what DataFusion's planner would parse, leave out and so give another meaning; and by name what it
//! would refuse with a dump of its tree.

use std::sync::Arc;

use sqlparser::ast::{
    Expr, Function, FunctionArguments, GroupByExpr, LimitClause, Query, Select, Spanned, TableFactor, Value,
};

use super::{at, plain_name};
use crate::error::{Error, Result, SourceText};
use crate::sql::span;

fn refuse<T>(what: &str, fix: &str, node: &impl Spanned, source: &Arc<SourceText>) -> Result<T> {
    Err(at(Error::user(format!("{what} is not supported")).fix(fix), node, "", source))
}

/// The clauses around a query. FETCH becomes LIMIT.
pub fn query(query: &mut Query, source: &Arc<SourceText>) -> Result<()> {
    const REMOVE: &str = "remove it: it would have no effect";
    if !query.locks.is_empty() {
        return refuse("`FOR UPDATE`", REMOVE, &*query.body, source);
    }
    if query.for_clause.is_some() {
        return refuse("`FOR XML` or `FOR JSON`", REMOVE, &*query.body, source);
    }
    if query.settings.is_some() || query.format_clause.is_some() {
        return refuse("`SETTINGS` or `FORMAT`", REMOVE, &*query.body, source);
    }
    if query.order_by.as_ref().is_some_and(|order| order.interpolate.is_some()) {
        return refuse("`INTERPOLATE`", REMOVE, &*query.body, source);
    }
    if let Some(with) = query.with.as_ref().filter(|with| with.recursive) {
        let error = Error::user("recursive queries (`WITH RECURSIVE`) are not supported")
            .note("a stream has no end, so the recursion would have none")
            .fix("join once per level, or unnest the levels with UNNEST");
        return Err(match span::of(with.with_token.0.span) {
            Some(place) => error.at(source, place, ""),
            None => error,
        });
    }
    let Some(fetch) = query.fetch.take() else { return Ok(()) };
    if fetch.with_ties || fetch.percent {
        let fix = "use `RANK() OVER (ORDER BY …)` in a subquery, and keep the ranks you want";
        return refuse("`FETCH … WITH TIES` or `PERCENT`", fix, &*query.body, source);
    }
    let one = || Expr::Value(Value::Number("1".into(), false).into());
    let rows = Some(fetch.quantity.unwrap_or_else(one));
    match &mut query.limit_clause {
        Some(LimitClause::LimitOffset { limit: limit @ None, .. }) => *limit = rows,
        Some(_) => return refuse("`FETCH` after `LIMIT`", "keep one of them", &*query.body, source),
        none => {
            *none = Some(LimitClause::LimitOffset { limit: rows, offset: None, limit_by: Vec::new() });
        }
    }
    Ok(())
}

pub fn select(select: &Select, source: &Arc<SourceText>) -> Result<()> {
    let modifiers = match &select.group_by {
        GroupByExpr::All(modifiers) | GroupByExpr::Expressions(_, modifiers) => modifiers,
    };
    if !modifiers.is_empty() {
        return refuse("`GROUP BY … WITH`", "write `GROUP BY ROLLUP (…)` or `CUBE (…)`", select, source);
    }
    if let Some(expr) = select.distribute_by.first().or(select.cluster_by.first()) {
        return refuse(
            "`DISTRIBUTE BY` or `CLUSTER BY`",
            "remove it: rows of a group always meet",
            expr,
            source,
        );
    }
    if let Some(order) = select.sort_by.first() {
        return refuse("`SORT BY`", "write `ORDER BY`", &order.expr, source);
    }
    if let Some(view) = select.lateral_views.first() {
        let fix = "write `CROSS JOIN UNNEST(array) AS t (item)`";
        return refuse("`LATERAL VIEW`", fix, &view.lateral_view, source);
    }
    if select.into.is_some() {
        return refuse("`SELECT … INTO`", "write `INSERT INTO … SELECT …`", select, source);
    }
    if let Some(expr) = &select.prewhere {
        return refuse("`PREWHERE`", "write `WHERE`", expr, source);
    }
    if !select.connect_by.is_empty() {
        return refuse("`CONNECT BY`", "write joins, one per level", select, source);
    }
    if select.top.is_some() {
        return refuse("`TOP`", "write `LIMIT`", select, source);
    }
    if !select.optimizer_hints.is_empty() {
        return refuse("a hint", "remove it", select, source);
    }
    if select.value_table_mode.is_some() || select.select_modifiers.is_some() || select.exclude.is_some() {
        return refuse("this form of SELECT", "name the columns after SELECT", select, source);
    }
    Ok(())
}

/// The parts of a table's name and call that the planner does not read.
fn named_table(table: &TableFactor, source: &Arc<SourceText>) -> Result<()> {
    let TableFactor::Table {
        name,
        args,
        with_hints,
        version,
        with_ordinality,
        partitions,
        json_path,
        sample,
        index_hints,
        ..
    } = table
    else {
        return Ok(());
    };
    if version.is_some() {
        let error = Error::user("temporal joins (`FOR SYSTEM_TIME AS OF`) are not supported yet")
            .note("without it, each row would be joined with all versions, not with that of its time")
            .fix("join with the latest rows of a window, or with a table that does not change");
        return Err(at(error, name, "a version of this table", source));
    }
    if sample.is_some() {
        return refuse("`TABLESAMPLE`", "write `WHERE RAND() < 0.1`", name, source);
    }
    if !with_hints.is_empty() || !index_hints.is_empty() {
        return refuse("a hint", "remove it", name, source);
    }
    if !partitions.is_empty() || json_path.is_some() {
        return refuse("this way to name a part of a table", "write a WHERE clause", name, source);
    }
    if *with_ordinality {
        return refuse("`WITH ORDINALITY` after a table", "it belongs after UNNEST", name, source);
    }
    match args {
        Some(args) if args.settings.is_some() => refuse("`SETTINGS`", "remove it", name, source),
        _ => Ok(()),
    }
}

pub fn table(table: &TableFactor, source: &Arc<SourceText>) -> Result<()> {
    match table {
        TableFactor::Table { .. } => named_table(table, source),
        TableFactor::Derived { sample: Some(_), .. } => {
            refuse("`TABLESAMPLE`", "write `WHERE RAND() < 0.1`", table, source)
        }
        TableFactor::Function { name, with_ordinality, .. } => {
            if plain_name(name).as_deref() == Some("TABLE") {
                let fix = "write `CROSS JOIN UNNEST(array)` for arrays; other table functions do not exist";
                return refuse("`LATERAL TABLE(…)`", fix, name, source);
            }
            if *with_ordinality {
                return refuse("`WITH ORDINALITY` here", "it belongs after UNNEST", name, source);
            }
            Ok(())
        }
        TableFactor::UNNEST { with_offset: true, .. } => {
            refuse("`UNNEST … WITH OFFSET`", "write `WITH ORDINALITY`: it counts from 1", table, source)
        }
        TableFactor::MatchRecognize { .. } => {
            refuse("`MATCH_RECOGNIZE`", "express the pattern with windows, LAG or self-joins", table, source)
        }
        TableFactor::Pivot { .. } | TableFactor::Unpivot { .. } => refuse(
            "`PIVOT` or `UNPIVOT`",
            "write one aggregate per column: `SUM(x) FILTER (WHERE …)`",
            table,
            source,
        ),
        TableFactor::JsonTable { .. }
        | TableFactor::OpenJsonTable { .. }
        | TableFactor::XmlTable { .. }
        | TableFactor::SemanticView { .. } => {
            refuse("this table function", "declare the columns in CREATE TABLE", table, source)
        }
        _ => Ok(()),
    }
}

pub fn function(function: &Function, source: &Arc<SourceText>) -> Result<()> {
    if function.parameters != FunctionArguments::None {
        return refuse("a second list of arguments", "write one list", &function.name, source);
    }
    let Some(name) = plain_name(&function.name) else { return Ok(()) };
    let Some((window, part)) = name.rsplit_once('_') else { return Ok(()) };
    if ["TUMBLE", "HOP", "SESSION"].contains(&window)
        && ["START", "END", "ROWTIME", "PROCTIME"].contains(&part)
    {
        let error = Error::user(format!("`{name}` belongs to a query that groups by `{window}(…)`"))
            .fix("with a window table function, write `window_start`, `window_end` or `window_time`");
        return Err(at(error, &function.name, "no such window here", source));
    }
    Ok(())
}
