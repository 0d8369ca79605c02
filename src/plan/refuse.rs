//! What cannot run as a stream, said in words: where, why, and what to write instead.
//!
//! Also the one place that turns DataFusion's errors into ours, with its diagnostics' spans.

use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Diagnostic, Spans};
use datafusion::logical_expr::{Expr, LogicalPlan};
use sqlparser::ast::Spanned;

use crate::error::{Error, SourceText, Span};

/// The text a plan was made from, and the span to underline when nothing better is known.
#[derive(Debug, Clone)]
pub struct Origin {
    pub source: Arc<SourceText>,
    pub statement: Span,
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
    /// A refusal of `node`.
    pub fn refuse(&self, node: &LogicalPlan, what: impl Into<String>, why: &str, fix: &str) -> Error {
        let span = span_of_node(node).unwrap_or(self.statement);
        Error::user(what).at(&self.source, span, "").note(why).fix(fix)
    }

    /// One of DataFusion's errors, as an error of the user's SQL.
    pub fn explain(&self, error: DataFusionError) -> Error {
        match unwrapped(error) {
            Ok(ours) => ours,
            Err(theirs) => {
                let (message, span, notes) = match theirs.diagnostic() {
                    Some(diagnostic) => from_diagnostic(diagnostic),
                    None => (plain_message(&theirs), None, vec![]),
                };
                let error = Error::user(message).at(&self.source, span.unwrap_or(self.statement), "");
                notes.into_iter().fold(error, Error::fix)
            }
        }
    }
}

/// Our own error, if DataFusion only carried it.
fn unwrapped(error: DataFusionError) -> Result<Error, DataFusionError> {
    match error {
        DataFusionError::External(inner) => match inner.downcast::<Error>() {
            Ok(ours) => Ok(*ours),
            Err(other) => Err(DataFusionError::External(other)),
        },
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner)
            if matches!(inner.find_root(), DataFusionError::External(_)) =>
        {
            unwrapped(*inner)
        }
        other => Err(other),
    }
}

fn from_diagnostic(diagnostic: &Diagnostic) -> (String, Option<Span>, Vec<String>) {
    let span = diagnostic
        .span
        .map(|span| Span::new((span.start.line, span.start.column), (span.end.line, span.end.column)));
    let helps = diagnostic.helps.iter().map(|help| help.message.clone());
    let notes = diagnostic.notes.iter().map(|note| note.message.clone());
    (diagnostic.message.clone(), span, helps.chain(notes).take(1).collect())
}

/// The message without the kind of error in front and the back trace behind.
fn plain_message(error: &DataFusionError) -> String {
    let message = error.find_root().strip_backtrace();
    let kinds =
        ["Error during planning: ", "Schema error: ", "This feature is not implemented: ", "SQL error: "];
    let message = kinds.iter().find_map(|kind| message.strip_prefix(kind)).unwrap_or(&message);
    message.lines().next().unwrap_or_default().trim_end_matches('.').to_string()
}
