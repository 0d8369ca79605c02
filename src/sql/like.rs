//! `CREATE TABLE a (…) LIKE b (…)`: adds to a table what it takes over from another.

use std::sync::Arc;

use crate::error::{Error, Result, SourceText, Span};
use crate::sql::statement::{ColumnKind, CreateTable, LikeMerge, RawOption};

/// Adds to `table` what its LIKE clause takes from `base`, whose own LIKE has been resolved; the clause is
/// gone after.
///
/// As in Flink: physical columns always, the base's first; what is declared in both is an error unless the
/// kind of thing is OVERWRITING, which is the default for options only.
pub fn resolve(table: &mut CreateTable, base: &CreateTable, source: &Arc<SourceText>) -> Result<()> {
    let Some(like) = table.like.take() else { return Ok(()) };
    let take = like.options;
    let mut columns = Vec::new();
    for column in &base.columns {
        let merge = match column.kind {
            ColumnKind::Physical => LikeMerge::Including,
            ColumnKind::Computed(_) => take.generated,
            ColumnKind::Metadata { .. } => take.metadata,
        };
        let own = table.columns.iter().find(|own| own.name.value == column.name.value);
        match (merge, own) {
            (LikeMerge::Excluding, _) | (LikeMerge::Overwriting, Some(_)) => {}
            (LikeMerge::Including, Some(own)) => {
                return Err(twice(
                    &format!("column `{}`", own.name.value),
                    &base.name.value,
                    own.span,
                    source,
                ));
            }
            (_, None) => columns.push(column.clone()),
        }
    }
    columns.append(&mut table.columns);
    table.columns = columns;
    match (take.watermarks, &table.watermark) {
        (LikeMerge::Excluding, _) | (LikeMerge::Overwriting, Some(_)) => {}
        (LikeMerge::Including, Some(own)) if base.watermark.is_some() => {
            return Err(twice("a watermark", &base.name.value, own.expr_span, source));
        }
        (LikeMerge::Including, Some(_)) => {}
        (_, None) => table.watermark.clone_from(&base.watermark),
    }
    if take.constraints && !base.primary_key.is_empty() {
        if let Some(own) = table.primary_key.first() {
            return Err(twice("a primary key", &base.name.value, own.span, source));
        }
        table.primary_key.clone_from(&base.primary_key);
    }
    if take.partitions && table.partitioned_by.is_empty() {
        table.partitioned_by.clone_from(&base.partitioned_by);
    }
    take_options(take.options, table, base, source)
}

fn take_options(
    merge: LikeMerge,
    table: &mut CreateTable,
    base: &CreateTable,
    source: &Arc<SourceText>,
) -> Result<()> {
    let mut options: Vec<RawOption> = Vec::new();
    for option in &base.options {
        let own = table.options.iter().find(|own| own.key == option.key);
        match (merge, own) {
            (LikeMerge::Excluding, _) | (LikeMerge::Overwriting, Some(_)) => {}
            (LikeMerge::Including, Some(own)) => {
                return Err(twice(&format!("option `{}`", own.key), &base.name.value, own.key_span, source));
            }
            (_, None) => options.push(option.clone()),
        }
    }
    options.append(&mut table.options);
    table.options = options;
    Ok(())
}

fn twice(what: &str, base: &str, span: Span, source: &Arc<SourceText>) -> Error {
    Error::user(format!("{what} is declared here and in `{base}`, which this table is like"))
        .at(source, span, "the second")
        .fix("remove it here, or write `LIKE … (OVERWRITING …)` or `(EXCLUDING …)` for this kind of thing")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::tests::{source, table};

    const BASE: &str = "CREATE TABLE b (a INT, t TIMESTAMP(3), w AS a + 1, PRIMARY KEY (a) NOT ENFORCED,
        WATERMARK FOR t AS t) WITH ('connector' = 'kafka', 'topic' = 'b')";

    fn resolved(text: &str) -> Result<CreateTable> {
        let (mut table, base) = (table(text), table(BASE));
        resolve(&mut table, &base, &source(text)).map(|()| table)
    }

    #[test]
    fn everything_is_taken_over_and_options_are_overwritten() {
        let table = resolved("CREATE TABLE a (z INT) WITH ('topic' = 'a') LIKE b").unwrap();
        let names: Vec<_> = table.columns.iter().map(|column| column.name.value.as_str()).collect();
        assert_eq!(names, ["a", "t", "w", "z"]);
        assert!(table.watermark.is_some() && table.like.is_none());
        let options: Vec<_> = table.options.iter().map(|o| (o.key.as_str(), o.value.as_str())).collect();
        assert_eq!(options, [("connector", "kafka"), ("topic", "a")]);
    }

    #[test]
    fn what_is_excluded_stays_out_and_what_is_declared_twice_is_refused() {
        let table = resolved("CREATE TABLE a WITH ('connector' = 'print') LIKE b (EXCLUDING ALL)").unwrap();
        assert_eq!((table.columns.len(), table.options.len()), (2, 1));
        assert!(table.primary_key.is_empty() && table.watermark.is_none());
        let error = resolved("CREATE TABLE a (a INT) LIKE b").unwrap_err();
        assert_eq!(error.what(), "column `a` is declared here and in `b`, which this table is like");
    }
}
