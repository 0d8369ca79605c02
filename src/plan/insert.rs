//! `INSERT INTO sink [(columns)] query`: the query's columns by position, cast to the sink's types.
//!
//! The one place for the rules of store assignment. A value goes into a column of its own kind of type
//! (numbers into numbers, times into times) and into a string; text is never parsed without a CAST.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};
use datafusion::scalar::ScalarValue;

use crate::catalog::{Table, TableColumn};
use crate::error::{Error, Result, SourceText, nearest};
use crate::plan::refuse::Origin;
use crate::plan::types::type_name;
use crate::sql::statement::Name;

/// The query's rows with exactly the sink's written columns.
pub fn into_sink(query: LogicalPlan, table: &Table, listed: &[Name], origin: &Origin) -> Result<LogicalPlan> {
    let sink_columns = table.sink_columns();
    let targets = targets(&sink_columns, listed, table, origin)?;
    let given = query.schema().columns();
    if given.len() != targets.len() {
        return Err(wrong_count(&query, &targets, table, origin));
    }
    let mut values: Vec<Expr> = sink_columns
        .iter()
        .map(|column| {
            let null = cast(lit(ScalarValue::Null), arrow_type(column));
            null.alias(column.name.as_str())
        })
        .collect();
    for (position, (column, &target)) in given.into_iter().zip(&targets).enumerate() {
        let from = query.schema().field(position).data_type().clone();
        let sink_column = sink_columns[target];
        let to = arrow_type(sink_column);
        if !can_store(&from, &to) {
            return Err(wrong_type(position, &from, sink_column, table, origin));
        }
        let value = Expr::Column(column);
        let value = if from == to { value } else { cast(value, to) };
        values[target] = value.alias(sink_column.name.as_str());
    }
    let projected = LogicalPlanBuilder::from(query).project(values).and_then(LogicalPlanBuilder::build);
    projected.map_err(|error| origin.explain(error))
}

/// A column list names each column once.
pub fn check_listed(listed: &[Name], source: &Arc<SourceText>) -> Result<()> {
    let twice =
        listed.iter().enumerate().find(|(i, name)| listed[..*i].iter().any(|n| n.value == name.value));
    match twice {
        Some((_, name)) => Err(Error::user(format!("column `{}` is listed twice", name.value))
            .at(source, name.span, "the second")
            .fix("list each column once")),
        None => Ok(()),
    }
}

/// For each of the query's columns, the index of the sink column it goes to.
fn targets(columns: &[&TableColumn], listed: &[Name], table: &Table, origin: &Origin) -> Result<Vec<usize>> {
    if listed.is_empty() {
        return Ok((0..columns.len()).collect());
    }
    let find = |name: &Name| {
        columns.iter().position(|column| column.name == name.value).ok_or_else(|| {
            let known = columns.iter().map(|column| column.name.as_str());
            Error::user(format!("`{}` has no column `{}` that can be written", table.name, name.value))
                .at(&origin.source, name.span, "")
                .fix_if(nearest::fix(&name.value, known, "columns"))
        })
    };
    listed.iter().map(find).collect()
}

fn arrow_type(column: &TableColumn) -> DataType {
    column.ty.as_ref().map_or(DataType::Null, crate::sql::types::SqlType::arrow)
}

fn wrong_count(query: &LogicalPlan, targets: &[usize], table: &Table, origin: &Origin) -> Error {
    let columns = table.sink_columns();
    let names = |names: Vec<&str>| names.join(", ");
    let given: Vec<String> = query.schema().columns().into_iter().map(|column| column.name).collect();
    Error::user(format!("`{}` takes {} columns, the query gives {}", table.name, targets.len(), given.len()))
        .at(&origin.source, origin.statement, "")
        .note(format!("the sink's: {}", names(targets.iter().map(|&i| columns[i].name.as_str()).collect())))
        .note(format!("the query's: {}", names(given.iter().map(String::as_str).collect())))
        .fix("columns go by position; list the ones to write: INSERT INTO t (a, b) SELECT …")
}

fn wrong_type(
    position: usize,
    from: &DataType,
    column: &TableColumn,
    table: &Table,
    origin: &Origin,
) -> Error {
    let to = column.ty.as_ref().map(ToString::to_string).unwrap_or_default();
    let from = type_name(from);
    let item = origin.places.items.get(position).copied().flatten();
    Error::user(format!(
        "column {} of the query cannot go into `{}`.`{}`",
        position + 1,
        table.name,
        column.name
    ))
    .at(&origin.source, item.unwrap_or(origin.statement), from.as_str())
    .note(format!("the query gives {from}, the sink's column is {to}"))
    .fix(format!("convert it: CAST(… AS {to})"))
}

fn can_store(from: &DataType, to: &DataType) -> bool {
    use DataType::{Binary, BinaryView, Boolean, LargeBinary, List, Map, Null, Struct};
    if from == to || *from == Null {
        return true;
    }
    let is_text = |ty: &DataType| matches!(ty, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let is_bytes =
        |ty: &DataType| matches!(ty, Binary | LargeBinary | BinaryView | DataType::FixedSizeBinary(_));
    let is_time =
        |ty: &DataType| matches!(ty, DataType::Timestamp(_, _) | DataType::Date32 | DataType::Date64);
    let is_time_of_day = |ty: &DataType| matches!(ty, DataType::Time32(_) | DataType::Time64(_));
    match (from, to) {
        (DataType::Dictionary(_, value), _) => can_store(value, to),
        (List(from) | DataType::LargeList(from), List(to)) => can_store(from.data_type(), to.data_type()),
        (Struct(from), Struct(to)) => {
            from.len() == to.len()
                && from.iter().zip(to).all(|(f, t)| can_store(f.data_type(), t.data_type()))
        }
        (Map(from, _), Map(to, _)) => can_store(from.data_type(), to.data_type()),
        (List(_) | Struct(_) | Map(_, _), _) | (_, List(_) | Struct(_) | Map(_, _)) => false,
        (from, to) if is_text(to) => !is_bytes(from),
        (from, to) if from.is_numeric() => to.is_numeric(),
        (from, to) if is_bytes(from) => is_bytes(to),
        (from, to) if is_time(from) => is_time(to),
        (from, to) if is_time_of_day(from) => is_time_of_day(to),
        (Boolean, to) => *to == Boolean,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_into_numbers_and_anything_into_a_string() {
        assert!(can_store(&DataType::Int64, &DataType::Int32));
        assert!(can_store(&DataType::Float64, &DataType::Utf8View));
        assert!(!can_store(&DataType::Utf8View, &DataType::Int32));
        assert!(!can_store(&DataType::Boolean, &DataType::Int32));
    }
}
