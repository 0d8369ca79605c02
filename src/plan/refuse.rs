//! What cannot run as a stream, said in words: where, why, and what to write instead.
//!
//! Also the one place that turns DataFusion's errors into ours, with its diagnostics' spans (`wording`).

use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, JoinType, Spans};
use datafusion::logical_expr::{Expr, LogicalPlan};
use sqlparser::ast::Spanned;

use crate::error::{Error, SourceText, Span};
use crate::plan::places::{Clauses, Places};
use crate::plan::wording;

/// The text a plan was made from, the span to underline when nothing better is known, and what stands where.
#[derive(Debug, Clone)]
pub struct Origin {
    pub source: Arc<SourceText>,
    pub statement: Span,
    pub places: Places,
}

/// Why something cannot run as a stream, and what to write instead.
pub struct Refusal {
    pub what: String,
    pub why: String,
    pub fix: String,
}

/// A node's span in the file, if the parser knew one.
pub fn span_of_sql(node: &impl Spanned) -> Option<Span> {
    let span = node.span();
    let known = span.start.line > 0 && span.end.line > 0;
    known.then(|| Span::new((span.start.line, span.start.column), (span.end.line, span.end.column)))
}

fn first_span(spans: &Spans) -> Option<Span> {
    let span = spans.first()?;
    Some(Span::new((span.start.line, span.start.column), (span.end.line, span.end.column)))
}

/// The first column of a node that still knows where it was written.
pub fn span_of_node(node: &LogicalPlan) -> Option<Span> {
    let mut found = None;
    for expr in node.expressions() {
        let visited = expr.apply(|expr| {
            if let Expr::Column(column) = expr {
                found = first_span(&column.spans);
            }
            Ok(if found.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        });
        if visited.is_err() || found.is_some() {
            break;
        }
    }
    found
}

impl Origin {
    /// A refusal of `node`, at a place of its own or else at `place`.
    pub fn refuse(&self, node: &LogicalPlan, place: Option<Span>, refusal: Refusal) -> Error {
        let span = span_of_node(node).or(place).unwrap_or(self.statement);
        Error::user(refusal.what).at(&self.source, span, "").note(refusal.why).fix(refusal.fix)
    }

    /// A refusal of a node that would need the rows of all time.
    pub fn refuse_unbounded(&self, node: &LogicalPlan) -> Error {
        let Places { calls, clauses, .. } = &self.places;
        let aggregate = || calls.iter().find(|call| call.is_aggregate).map(|call| call.span);
        let (place, refusal) = match node {
            LogicalPlan::Aggregate(node) if node.aggr_expr.is_empty() => {
                (clauses.distinct, distinct_rows(clauses))
            }
            LogicalPlan::Aggregate(_) => (aggregate(), aggregates()),
            LogicalPlan::Window(_) => (None, over()),
            LogicalPlan::Join(join) => (None, joined(join.join_type, clauses)),
            LogicalPlan::Limit(_) => (clauses.limit, limited()),
            _ => (clauses.order_by, ordered()),
        };
        self.refuse(node, place, refusal)
    }

    /// One of DataFusion's errors, as an error of the user's SQL.
    pub fn explain(&self, error: DataFusionError) -> Error {
        match self.unwrapped(error) {
            Ok(ours) => ours.at(&self.source, self.statement, ""),
            Err(theirs) => wording::reworded(&theirs, self),
        }
    }

    /// Our own error, if DataFusion only carried it, at the place that DataFusion gave it.
    fn unwrapped(&self, error: DataFusionError) -> Result<Error, DataFusionError> {
        let is_external = |inner: &DataFusionError| matches!(inner.find_root(), DataFusionError::External(_));
        match error {
            DataFusionError::External(inner) => match inner.downcast::<Error>() {
                Ok(ours) => Ok(*ours),
                Err(other) => Err(DataFusionError::External(other)),
            },
            DataFusionError::Diagnostic(diagnostic, inner) if is_external(&inner) => {
                let ours = self.unwrapped(*inner)?;
                Ok(match wording::span_of(&diagnostic) {
                    Some(span) => ours.at(&self.source, span, ""),
                    None => ours,
                })
            }
            DataFusionError::Context(_, inner) if is_external(&inner) => self.unwrapped(*inner),
            other => Err(other),
        }
    }
}

const OR_BOUNDED: &str = "or bound the input with 'scan.bounded.mode'";

impl Refusal {
    fn new(what: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) -> Self {
        Refusal { what: what.into(), why: why.into(), fix: fix.into() }
    }
}

fn aggregates() -> Refusal {
    Refusal::new(
        "an aggregate over a stream needs a window",
        "without one, its result never ends; results that change after they were given are not supported yet",
        format!(
            "group by a window: FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) … \
             GROUP BY window_start, window_end; {OR_BOUNDED}"
        ),
    )
}

/// An aggregate that only leaves out equal rows: the optimizer makes one of several clauses.
fn distinct_rows(clauses: &Clauses) -> Refusal {
    let has = [
        (clauses.distinct.is_some(), "DISTINCT"),
        (clauses.union, "UNION"),
        (clauses.intersect, "INTERSECT"),
        (clauses.except, "EXCEPT"),
        (clauses.group_by, "GROUP BY"),
    ];
    let written: Vec<&str> = has.into_iter().filter(|(has, _)| *has).map(|(_, clause)| clause).collect();
    let what = match written.as_slice() {
        [one] => format!("{one} over a stream needs a window"),
        [] => "DISTINCT, UNION and GROUP BY over a stream need a window".to_owned(),
        [first @ .., last] => format!("{} and {last} over a stream need a window", first.join(", ")),
    };
    let fix = match written.as_slice() {
        ["UNION"] => "write UNION ALL: it keeps equal rows".to_owned(),
        _ => format!(
            "take the rows of a window: SELECT DISTINCT window_start, window_end, … \
             FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)); {OR_BOUNDED}"
        ),
    };
    Refusal::new(what, "to know a row again, every row would have to be kept for ever", fix)
}

fn over() -> Refusal {
    Refusal::new(
        "OVER over a stream must be partitioned by a window",
        "its rows would have to be kept for ever",
        format!(
            "read from a window and partition by it: OVER (PARTITION BY window_start, window_end, … \
             ORDER BY …) … FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)); {OR_BOUNDED}"
        ),
    )
}

fn joined(join: JoinType, clauses: &Clauses) -> Refusal {
    let what = match join {
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::RightSemi | JoinType::RightAnti
            if clauses.in_subquery =>
        {
            "`IN (SELECT …)` over a stream needs a window"
        }
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::RightSemi | JoinType::RightAnti
            if clauses.exists =>
        {
            "`EXISTS (SELECT …)` over a stream needs a window"
        }
        JoinType::LeftSemi | JoinType::RightSemi if clauses.intersect => {
            "INTERSECT over a stream needs a window"
        }
        JoinType::LeftAnti | JoinType::RightAnti if clauses.except => "EXCEPT over a stream needs a window",
        _ => "a join of streams must be an equality of their windows",
    };
    Refusal::new(
        what,
        "without one, every row would have to be kept for ever",
        format!(
            "join two windows: FROM TABLE(TUMBLE(…)) AS l JOIN TABLE(TUMBLE(…)) AS r \
             ON l.window_start = r.window_start AND l.window_end = r.window_end AND …; {OR_BOUNDED}"
        ),
    )
}

fn ordered() -> Refusal {
    Refusal::new(
        "ORDER BY over a stream needs a window",
        "a row that is still to come could sort before the others",
        format!("aggregate per window (GROUP BY window_start, window_end) and order that; {OR_BOUNDED}"),
    )
}

fn limited() -> Refusal {
    Refusal::new(
        "LIMIT over a stream needs a window",
        "a stream has no first rows: which come first is another thing in each run",
        format!("remove it, or aggregate per window (GROUP BY window_start, window_end); {OR_BOUNDED}"),
    )
}
