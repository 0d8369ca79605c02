//! Rewrites the old windows, `GROUP BY TUMBLE(ts, size)`, into window table functions.
//!
//! ```text
//! SELECT TUMBLE_START(ts, size), COUNT(*) FROM t GROUP BY TUMBLE(ts, size), k
//! SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(t, DESCRIPTOR(ts), size)) GROUP BY window_start,
//! window_end, k
//! ```
//!
//! `window_time` joins the keys only where it is used: it follows from the others, but takes room in the
//! state. A session is made per key, and of the rows that WHERE keeps: so the keys become the function's
//! partition, and the WHERE moves below it. A tumbling or hopping row is in the same windows whatever the
//! other rows are.

use std::ops::ControlFlow;
use std::sync::Arc;

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Ident, OrderBy, Query,
    Select, SelectFlavor, SelectItem, SetExpr, Spanned, TableAlias, TableFactor, TableWithJoins, VisitMut,
    VisitorMut, WildcardAdditionalOptions,
};

use super::{at, plain_name};
use crate::error::{Error, Result, SourceText};
use crate::sql::dialect::{PARTITION_BY, call, identifier};

/// A window of a GROUP BY.
struct Window {
    /// `TUMBLE`, `HOP` or `SESSION`.
    kind: &'static str,
    /// Its name as written: the place of what is made from it.
    name: Ident,
    time: Expr,
    /// Slide, size or gap.
    lengths: Vec<Expr>,
}

/// Rewrites a select that groups by a window; others are left alone.
pub fn rewrite(select: &mut Select, order_by: Option<&mut OrderBy>, source: &Arc<SourceText>) -> Result<()> {
    let GroupByExpr::Expressions(keys, _) = &mut select.group_by else { return Ok(()) };
    let found: Vec<usize> = (0..keys.len()).filter(|at| kind_of(&keys[*at]).is_some()).collect();
    let (Some(&position), None) = (found.first(), found.get(1)) else {
        return match found.get(1) {
            Some(second) => Err(at(
                Error::user("a query groups by one window").fix("put the inner one into a subquery"),
                &keys[*second],
                "the second window",
                source,
            )),
            None => Ok(()),
        };
    };
    let window = read(&keys[position], source)?;
    keys.remove(position);
    let mut parts = Parts { window: &window, depth: 0, uses_time: false, source };
    let mut replaced = parts.replace(&mut select.projection);
    replaced = replaced.and(parts.replace(&mut select.having)).and(parts.replace(&mut select.qualify));
    if let Some(order_by) = order_by {
        replaced = replaced.and(parts.replace(order_by));
    }
    replaced?;
    let mut bounds = vec!["window_start", "window_end"];
    bounds.extend(parts.uses_time.then_some("window_time"));
    let relation = relation(select, &window, source)?;
    let GroupByExpr::Expressions(keys, _) = &mut select.group_by else { return Ok(()) };
    keys.splice(position..position, bounds.into_iter().map(|bound| Expr::Identifier(window.ident(bound))));
    select.from = vec![TableWithJoins { relation, joins: Vec::new() }];
    Ok(())
}

fn kind_of(expr: &Expr) -> Option<(&'static str, &Function)> {
    let Expr::Function(function) = expr else { return None };
    let name = plain_name(&function.name)?;
    let kind = ["TUMBLE", "HOP", "SESSION"].into_iter().find(|kind| *kind == name)?;
    Some((kind, function))
}

fn arguments(function: &Function) -> Option<Vec<Expr>> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let plain = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    };
    list.args.iter().map(plain).collect()
}

fn read(expr: &Expr, source: &Arc<SourceText>) -> Result<Window> {
    let wrong = |kind: &str| {
        let fix = match kind {
            "HOP" => "write HOP(ts, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE): the slide, then the size",
            "SESSION" => "write SESSION(ts, INTERVAL '5' MINUTE)",
            _ => "write TUMBLE(ts, INTERVAL '1' MINUTE)",
        };
        let error = Error::user(format!("wrong arguments of `{kind}` in GROUP BY")).fix(fix);
        at(error, expr, "", source)
    };
    let Some((kind, function)) = kind_of(expr) else { return Err(wrong("TUMBLE")) };
    let mut args = arguments(function).ok_or_else(|| wrong(kind))?;
    if args.len() != if kind == "HOP" { 3 } else { 2 } {
        return Err(wrong(kind));
    }
    let lengths = args.split_off(1);
    let mut name = Ident::new(kind);
    name.span = function.name.span();
    match args.pop() {
        Some(time @ (Expr::Identifier(_) | Expr::CompoundIdentifier(_))) => {
            Ok(Window { kind, name, time, lengths })
        }
        time => {
            let error = Error::user(format!("`{kind}` needs an event time column"))
                .note("windows over the wall clock (PROCTIME) are not supported")
                .fix("name the column of the table's WATERMARK");
            Err(match time {
                Some(time) => at(error, &time, "not a column", source),
                None => error,
            })
        }
    }
}

impl Window {
    fn ident(&self, name: &str) -> Ident {
        Ident { value: name.to_owned(), quote_style: None, span: self.name.span }
    }

    /// The time column without its table.
    fn time_name(&self) -> Option<&Ident> {
        match &self.time {
            Expr::Identifier(name) => Some(name),
            Expr::CompoundIdentifier(names) => names.last(),
            _ => None,
        }
    }

    /// Whether a call like `TUMBLE_START(ts, size)` speaks of this window.
    fn is_meant_by(&self, args: &[Expr]) -> bool {
        let last = |expr: &Expr| match expr {
            Expr::Identifier(name) => Some(name.value.clone()),
            Expr::CompoundIdentifier(names) => names.last().map(|name| name.value.clone()),
            _ => None,
        };
        let same_lengths = args.get(1..).is_some_and(|lengths| {
            lengths.iter().map(ToString::to_string).eq(self.lengths.iter().map(ToString::to_string))
        });
        same_lengths && args.first().and_then(last) == last(&self.time)
    }
}

/// Replaces `TUMBLE_START(…)` and its like by the window's columns; not within subqueries, which have their
/// own.
struct Parts<'a> {
    window: &'a Window,
    depth: usize,
    uses_time: bool,
    source: &'a Arc<SourceText>,
}

impl Parts<'_> {
    fn replace(&mut self, node: &mut impl VisitMut) -> Result<()> {
        match VisitMut::visit(node, self) {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(()),
        }
    }

    fn column(&self, function: &Function) -> Result<Option<&'static str>> {
        let Some(name) = plain_name(&function.name) else { return Ok(None) };
        let part = name.strip_prefix(self.window.kind).and_then(|rest| rest.strip_prefix('_'));
        let column = match part {
            Some("START") => "window_start",
            Some("END") => "window_end",
            Some("ROWTIME") => "window_time",
            Some("PROCTIME") => {
                let error = Error::user(format!("`{name}` is not supported: windows are of event time"))
                    .fix(format!("write `{}_ROWTIME`", self.window.kind));
                return Err(at(error, &function.name, "", self.source));
            }
            _ => return Ok(None),
        };
        if arguments(function).is_some_and(|args| self.window.is_meant_by(&args)) {
            return Ok(Some(column));
        }
        let error =
            Error::user(format!("`{name}` has other arguments than the `{}` in GROUP BY", self.window.kind))
                .fix("write the same arguments in both places");
        Err(at(error, &function.name, "of which window?", self.source))
    }
}

impl VisitorMut for Parts<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<Error> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<Error> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        if let (Expr::Function(function), 0) = (&*expr, self.depth) {
            match self.column(function) {
                Ok(None) => {}
                Ok(Some(column)) => {
                    self.uses_time |= column == "window_time";
                    let span = function.name.span();
                    *expr = Expr::Identifier(Ident { value: column.to_owned(), quote_style: None, span });
                }
                Err(error) => return ControlFlow::Break(error),
            }
        }
        ControlFlow::Continue(())
    }
}

/// `TABLE(TUMBLE(what is in FROM, DESCRIPTOR(ts), size))`, under the name that FROM gave it.
fn relation(select: &mut Select, window: &Window, source: &Arc<SourceText>) -> Result<TableFactor> {
    let (Some(from), true) = (select.from.pop(), select.from.is_empty()) else {
        return Err(not_one_table(window, source));
    };
    if !from.joins.is_empty() {
        return Err(not_one_table(window, source));
    }
    let session = window.kind == "SESSION";
    let filter = if session { select.selection.take() } else { None };
    let (data, alias) = match from.relation {
        TableFactor::Table { ref name, ref alias, args: None, .. } if filter.is_none() => {
            let idents: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
            (identifier(idents), alias.clone())
        }
        TableFactor::Derived { subquery, alias, lateral: false, .. } if filter.is_none() => {
            (Expr::Subquery(subquery), alias)
        }
        other => {
            let alias = name_of(&other);
            (Expr::Subquery(Box::new(select_all(other, filter))), alias)
        }
    };
    let data = if session { partitioned(data, select, window, source)? } else { data };
    let mut args = vec![data];
    if let Some(time) = window.time_name() {
        args.push(call(window.ident("DESCRIPTOR"), vec![Expr::Identifier(time.clone())]));
    }
    args.extend(window.lengths.iter().cloned());
    Ok(TableFactor::TableFunction { expr: call(window.name.clone(), args), alias })
}

fn not_one_table(window: &Window, source: &Arc<SourceText>) -> Error {
    let kind = window.kind;
    let error = Error::user(format!("`GROUP BY {kind}(…)` needs one table or subquery in FROM"))
        .fix("put the join into a subquery, or into a view");
    at(error, &Expr::Identifier(window.name.clone()), "a window of which rows?", source)
}

/// The session's keys: all other keys of the GROUP BY.
fn partitioned(data: Expr, select: &Select, window: &Window, source: &Arc<SourceText>) -> Result<Expr> {
    let GroupByExpr::Expressions(keys, _) = &select.group_by else { return Ok(data) };
    let mut args = vec![data];
    for key in keys {
        match key {
            Expr::Identifier(name) => args.push(Expr::Identifier(name.clone())),
            Expr::CompoundIdentifier(names) => {
                args.extend(names.last().cloned().map(Expr::Identifier));
            }
            _ => {
                let error = Error::user("a session is made per column, not per expression")
                    .fix("compute it in a subquery, under a name, and group by the name");
                return Err(at(error, key, "not a column", source));
            }
        }
    }
    Ok(match args.len() {
        1 => args.swap_remove(0),
        _ => call(window.ident(PARTITION_BY), args),
    })
}

/// The name that columns of a relation are qualified with.
fn name_of(relation: &TableFactor) -> Option<TableAlias> {
    match relation {
        TableFactor::Table { name, alias: None, .. } => {
            let name = name.0.last()?.as_ident()?.clone();
            Some(TableAlias { explicit: true, name, columns: Vec::new(), at: None })
        }
        TableFactor::Table { alias, .. }
        | TableFactor::Derived { alias, .. }
        | TableFactor::TableFunction { alias, .. }
        | TableFactor::UNNEST { alias, .. } => {
            alias.clone().map(|alias| TableAlias { columns: Vec::new(), ..alias })
        }
        _ => None,
    }
}

/// `SELECT * FROM relation WHERE filter`.
fn select_all(relation: TableFactor, selection: Option<Expr>) -> Query {
    let select = Select {
        select_token: AttachedToken::empty(),
        optimizer_hints: Vec::new(),
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection: vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())],
        exclude: None,
        into: None,
        from: vec![TableWithJoins { relation, joins: Vec::new() }],
        lateral_views: Vec::new(),
        prewhere: None,
        selection,
        connect_by: Vec::new(),
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        cluster_by: Vec::new(),
        distribute_by: Vec::new(),
        sort_by: Vec::new(),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: SelectFlavor::Standard,
    };
    Query {
        with: None,
        body: Box::new(SetExpr::Select(Box::new(select))),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}
