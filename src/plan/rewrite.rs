//! Turns a parsed query into one that DataFusion's planner takes, or refuses it.
//!
//! What the planner cannot take is said in another way: intervals as text, `FLOOR(x TO unit)` and bare unit
//! words as function arguments, the old `GROUP BY TUMBLE(…)` as a window table function (`group_window`),
//! select items without a name (`names`), the patterns of LIKE and SIMILAR TO (`pattern`).
//! What the planner would leave out in silence, so that the result is another than the query says, is refused
//! (`refuse`). Rewritten nodes keep the places of what they were made from, so that a later error underlines
//! the file's own text.

mod group_window;
mod names;
mod pattern;
mod refuse;

#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::sync::Arc;

use sqlparser::ast::{
    AccessExpr, CeilFloorKind, DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, Ident, Interval, ObjectName, Query, Select, SetExpr, Spanned, TableFactor, Value,
    ValueWithSpan, VisitMut, VisitorMut,
};

use crate::error::{Error, Result, SourceText};
use crate::sql::dialect::call;
use crate::sql::{interval, span};

/// Rewrites a query and all queries in it. Select items without a name get Flink's: in the queries within
/// always, in the query itself if `names_items`.
pub fn rewrite(query: &mut Query, names_items: bool, source: &Arc<SourceText>) -> Result<()> {
    walk(query, Rewriter { source, names_items, depth: 0 })
}

/// Rewrites an expression that stands on its own: a computed column's.
pub fn rewrite_expr(expr: &mut Expr, source: &Arc<SourceText>) -> Result<()> {
    walk(expr, Rewriter { source, names_items: true, depth: 0 })
}

fn walk(node: &mut impl VisitMut, mut rewriter: Rewriter<'_>) -> Result<()> {
    match VisitMut::visit(node, &mut rewriter) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Rewriter<'a> {
    source: &'a Arc<SourceText>,
    names_items: bool,
    /// Of queries around the visited one.
    depth: usize,
}

impl VisitorMut for Rewriter<'_> {
    type Break = Error;

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<Error> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        if self.names_items || self.depth > 0 {
            names::name_items(query);
        }
        self.depth += 1;
        // The old window functions can stand in ORDER BY, which a Select does not have.
        flow(refuse::query(query, self.source).and_then(|()| match &mut *query.body {
            SetExpr::Select(select) => group_window::rewrite(select, query.order_by.as_mut(), self.source),
            _ => Ok(()),
        }))
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        flow(
            refuse::select(select, self.source)
                .and_then(|()| group_window::rewrite(select, None, self.source)),
        )
    }

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<Error> {
        flow(refuse::table(table, self.source))
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        flow(rewrite_node(expr, self.source))
    }
}

fn flow(result: Result<()>) -> ControlFlow<Error> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

/// Underlines a node, if it has a place.
fn at(error: Error, node: &impl Spanned, label: &str, source: &Arc<SourceText>) -> Error {
    match span::of(node.span()) {
        Some(place) => error.at(source, span::closed(source, place), label),
        None => error,
    }
}

fn rewrite_node(expr: &mut Expr, source: &Arc<SourceText>) -> Result<()> {
    match expr {
        Expr::Interval(literal) => rewrite_interval(literal, source),
        Expr::Floor { expr: inner, field: CeilFloorKind::DateTimeField(unit) } => {
            if let Some(rounded) = round_to("__floor_to", inner, unit, source)? {
                *expr = rounded;
            }
            Ok(())
        }
        Expr::Ceil { expr: inner, field: CeilFloorKind::DateTimeField(unit) } => {
            if let Some(rounded) = round_to("__ceil_to", inner, unit, source)? {
                *expr = rounded;
            }
            Ok(())
        }
        Expr::Function(function) => rewrite_function(function, source),
        Expr::CompoundFieldAccess { access_chain, .. } => {
            access_chain.iter_mut().for_each(quote_field);
            Ok(())
        }
        other => pattern::rewrite(other, source),
    }
}

/// The planner takes `items[1].name` only with the field in quotes.
fn quote_field(access: &mut AccessExpr) {
    if let AccessExpr::Dot(Expr::Identifier(name)) = access {
        let value = Value::SingleQuotedString(name.value.clone());
        *access = AccessExpr::Dot(Expr::Value(ValueWithSpan { value, span: name.span }));
    }
}

/// Flink's forms (`'1:30' HOUR TO MINUTE`) become text (`'90 minutes'`). What is no literal is left as it is.
fn rewrite_interval(literal: &mut Interval, source: &Arc<SourceText>) -> Result<()> {
    let units = match (&literal.leading_field, &literal.last_field) {
        (None, _) => 0,
        (Some(_), None) => 1,
        (Some(_), Some(_)) => 3,
    };
    let value = literal.value.span();
    let place = span::of(value).map_or(value, |value| span::back(span::interval(source, value, units)));
    if let Some(length) = interval::read(literal) {
        let text = Value::SingleQuotedString(length.text());
        *literal.value = Expr::Value(ValueWithSpan { value: text, span: place });
        literal.leading_field = None;
        literal.leading_precision = None;
        literal.last_field = None;
        literal.fractional_seconds_precision = None;
        return Ok(());
    }
    match (&*literal.value, &literal.leading_field) {
        (Expr::Value(value), Some(unit)) => {
            let unit = match &literal.last_field {
                Some(last) => format!("{unit} TO {last}"),
                None => unit.to_string(),
            };
            let error = Error::user("the interval's value does not fit its unit").fix(
                "write for example INTERVAL '5' MINUTE, INTERVAL '1:30' HOUR TO MINUTE or INTERVAL '90 \
                 minutes'",
            );
            Err(at(error, value, &format!("not a number of {unit}"), source))
        }
        (Expr::Value(value), None) if is_number(&value.value) => {
            let error = Error::user("the interval has no unit")
                .fix("write for example INTERVAL '5' MINUTE or INTERVAL '90 minutes'");
            Err(match span::of(place) {
                Some(place) => error.at(source, place, "of what?"),
                None => error,
            })
        }
        _ => Ok(()),
    }
}

fn is_number(value: &Value) -> bool {
    match value {
        Value::SingleQuotedString(text) => text.trim().parse::<f64>().is_ok(),
        Value::Number(..) => true,
        _ => false,
    }
}

/// Units of time as arguments of functions.
const UNITS: [&str; 13] = [
    "MICROSECOND",
    "MILLISECOND",
    "SECOND",
    "MINUTE",
    "HOUR",
    "DAY",
    "WEEK",
    "MONTH",
    "QUARTER",
    "YEAR",
    "DECADE",
    "CENTURY",
    "MILLENNIUM",
];

fn unit_named(name: &str) -> Option<&'static str> {
    let upper = name.to_uppercase();
    let singular = upper.strip_prefix("SQL_TSI_").unwrap_or(&upper);
    let find = |name: &str| UNITS.into_iter().find(|unit| *unit == name);
    find(singular).or_else(|| find(singular.strip_suffix('S')?))
}

fn unknown_unit(node: &impl Spanned, source: &Arc<SourceText>) -> Error {
    let error = Error::user("not a unit of time")
        .fix("use SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER or YEAR, without quotes");
    at(error, node, "", source)
}

/// `FLOOR(x TO unit)` as `function('unit', x)`; None for the plain `FLOOR(x)`.
fn round_to(
    function: &str,
    inner: &Expr,
    unit: &DateTimeField,
    source: &Arc<SourceText>,
) -> Result<Option<Expr>> {
    if matches!(unit, DateTimeField::NoDateTime) {
        return Ok(None);
    }
    let Some(unit) = unit_named(&unit.to_string()) else { return Err(unknown_unit(inner, source)) };
    let place = inner.span();
    let unit = Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(unit.to_owned()), span: place });
    let mut name = Ident::new(function);
    name.span = place;
    Ok(Some(call(name, vec![unit, inner.clone()])))
}

fn rewrite_function(function: &mut Function, source: &Arc<SourceText>) -> Result<()> {
    refuse::function(function, source)?;
    let Some(name) = plain_name(&function.name) else { return Ok(()) };
    match name.as_str() {
        "TIMESTAMPADD" | "TIMESTAMPDIFF" => {
            if let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(unit @ Expr::Identifier(_)))) =
                arguments_mut(function).and_then(<[_]>::first_mut)
            {
                let place = unit.span();
                let Some(known) = unit_named(&unit.to_string()) else {
                    return Err(unknown_unit(unit, source));
                };
                let value = Value::SingleQuotedString(known.to_owned());
                *unit = Expr::Value(ValueWithSpan { value, span: place });
            }
            Ok(())
        }
        "GROUPING_ID" => {
            let place = function.name.span();
            let name = Ident { value: "grouping".into(), quote_style: None, span: place };
            function.name = ObjectName::from(vec![name]);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The name in upper case, if it is a single one.
fn plain_name(name: &ObjectName) -> Option<String> {
    match name.0.as_slice() {
        [part] => part.as_ident().map(|ident| ident.value.to_uppercase()),
        _ => None,
    }
}

fn arguments_mut(function: &mut Function) -> Option<&mut [FunctionArg]> {
    match &mut function.args {
        FunctionArguments::List(list) => Some(&mut list.args),
        _ => None,
    }
}
