//! Declared tables and views: what the statements of a file make of its names.
//!
//! A table's columns keep their declared order. Physical columns come from a record's payload, metadata
//! columns from the record itself, computed columns from an expression over the other two.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::compute::can_cast_types;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::error::{Error, Result, SourceText, Span, nearest};
use crate::sql;
use crate::sql::options::{Connector, Format, TableOptions, table_options};
use crate::sql::statement::{ColumnKind, CreateTable, CreateView, MetadataKey, Name};
use crate::sql::types::SqlType;

/// Everything a query can name, by name; names keep their case.
#[derive(Debug, Default)]
pub struct Catalog {
    tables: BTreeMap<String, Arc<Table>>,
    views: BTreeMap<String, Arc<CreateView>>,
    /// Where the file declares its tables and views.
    declared: BTreeMap<String, Span>,
    /// The tables' statements, with their LIKE resolved, for the LIKE of others.
    statements: BTreeMap<String, CreateTable>,
}

#[derive(Debug)]
pub struct Table {
    pub name: String,
    pub columns: Vec<TableColumn>,
    /// The event-time column and how far it may run behind, if `WATERMARK FOR` was given.
    pub time: Option<EventTimeColumn>,
    pub primary_key: Vec<String>,
    pub options: TableOptions,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub struct TableColumn {
    pub name: String,
    /// `None` for a computed column: its type is that of its expression.
    pub ty: Option<SqlType>,
    pub not_null: bool,
    pub origin: ColumnOrigin,
    pub span: Span,
}

/// Where a column's values come from.
#[derive(Debug, Clone)]
pub enum ColumnOrigin {
    Payload,
    Record { key: MetadataKey, is_virtual: bool },
    Computed(Box<sqlparser::ast::Expr>),
}

#[derive(Debug, Clone)]
pub struct EventTimeColumn {
    /// Index into [`Table::columns`].
    pub column: usize,
    pub delay_micros: i64,
    pub span: Span,
}

impl Table {
    /// The columns read from records, without the computed ones.
    pub fn stored_schema(&self) -> SchemaRef {
        let stored = self.columns.iter().filter_map(|column| {
            let ty = column.ty.as_ref()?;
            (!matches!(column.origin, ColumnOrigin::Computed(_)))
                .then(|| Field::new(&column.name, ty.arrow(), !column.not_null))
        });
        Arc::new(Schema::new(stored.collect::<Vec<_>>()))
    }

    /// The columns an INSERT without a column list writes, in order: neither computed nor virtual.
    pub fn sink_columns(&self) -> Vec<&TableColumn> {
        let written = |column: &&TableColumn| match &column.origin {
            ColumnOrigin::Payload => true,
            ColumnOrigin::Record { is_virtual, .. } => !is_virtual,
            ColumnOrigin::Computed(_) => false,
        };
        self.columns.iter().filter(written).collect()
    }

    pub fn is_bounded(&self) -> bool {
        self.options.connector.is_bounded()
    }
}

impl Catalog {
    pub fn table(&self, name: &str) -> Option<&Arc<Table>> {
        self.tables.get(name)
    }

    pub fn view(&self, name: &str) -> Option<&Arc<CreateView>> {
        self.views.get(name)
    }

    pub fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.tables.values()
    }

    /// A catalog of a file that declares these names, above or below.
    pub fn new(declared: BTreeMap<String, Span>) -> Self {
        Catalog { declared, ..Catalog::default() }
    }

    /// The error for a name that only a table can have.
    pub fn not_a_table(&self, name: &Name, source: &Arc<SourceText>) -> Error {
        let error = match self.views.get(&name.value) {
            Some(_) => Error::user(format!("`{}` is a view, not a table", name.value))
                .note("a view is a query: it has neither options nor rows of its own")
                .fix("name a table, declared with CREATE TABLE"),
            None => {
                let known = self.tables.keys().map(String::as_str);
                unknown_table(&name.value, known, self.declared.get(&name.value).copied())
            }
        };
        error.at(source, name.span, "")
    }

    pub fn add_view(&mut self, view: CreateView, source: &Arc<SourceText>) -> Result<()> {
        if !self.is_free(&view.name, view.if_not_exists, source)? {
            return Ok(());
        }
        self.views.insert(view.name.value.clone(), Arc::new(view));
        Ok(())
    }

    /// Checks a CREATE TABLE against what is already declared (LIKE) and within itself, and adds it.
    pub fn add_table(&mut self, mut table: CreateTable, source: &Arc<SourceText>) -> Result<()> {
        if !self.is_free(&table.name, table.if_not_exists, source)? {
            return Ok(());
        }
        if let Some(like) = &table.like {
            let name = like.table.clone();
            let base = self.statements.get(&name.value).ok_or_else(|| self.not_a_table(&name, source))?;
            sql::like::resolve(&mut table, base, source)?;
        }
        let options = table_options(&table, source)?;
        if options.format == Format::Raw {
            check_raw(&table, &options, source)?;
        }
        let mut columns = Vec::new();
        let mut time = None;
        for column in table.columns.iter().cloned() {
            add_column(&mut columns, column, source)?;
        }
        if let Some(watermark) = &table.watermark {
            let column = position(&columns, &watermark.column, "the watermark's column", source)?;
            time = Some(EventTimeColumn {
                column,
                delay_micros: watermark.delay_micros,
                span: watermark.column.span,
            });
        }
        if let Some(time) = &time {
            check_event_time(&columns[time.column], time, source)?;
        }
        for key in &table.primary_key {
            position(&columns, key, "the primary key", source)?;
        }
        let primary_key = table.primary_key.iter().map(|key| key.value.clone()).collect();
        let name = table.name.value.clone();
        let declared =
            Table { name: name.clone(), columns, time, primary_key, options, span: table.name.span };
        self.tables.insert(name.clone(), Arc::new(declared));
        self.statements.insert(name, table);
        Ok(())
    }

    fn is_free(&self, name: &Name, if_not_exists: bool, source: &Arc<SourceText>) -> Result<bool> {
        if !self.tables.contains_key(&name.value) && !self.views.contains_key(&name.value) {
            return Ok(true);
        }
        if if_not_exists {
            return Ok(false);
        }
        Err(Error::user(format!("`{}` is declared twice", name.value))
            .at(source, name.span, "already declared above")
            .fix("give it another name, or write IF NOT EXISTS"))
    }
}

fn add_column(
    columns: &mut Vec<TableColumn>,
    column: crate::sql::statement::Column,
    source: &Arc<SourceText>,
) -> Result<()> {
    let crate::sql::statement::Column { name, ty, not_null, kind, span } = column;
    if columns.iter().any(|other| other.name == name.value) {
        return Err(
            Error::user(format!("column `{}` is declared twice", name.value)).at(source, name.span, "")
        );
    }
    let origin = match kind {
        ColumnKind::Physical => ColumnOrigin::Payload,
        ColumnKind::Metadata { key, is_virtual } => {
            check_metadata(key, ty.as_ref(), span, source)?;
            ColumnOrigin::Record { key, is_virtual }
        }
        ColumnKind::Computed(expr) => ColumnOrigin::Computed(expr),
    };
    columns.push(TableColumn { name: name.value, ty, not_null, origin, span });
    Ok(())
}

/// What a record carries is cast to the column's type, if it can be.
fn check_metadata(
    key: MetadataKey,
    ty: Option<&SqlType>,
    span: Span,
    source: &Arc<SourceText>,
) -> Result<()> {
    let is = key.ty();
    let Some(ty) = ty.filter(|ty| !can_cast_types(&is.arrow(), &ty.arrow())) else { return Ok(()) };
    Err(Error::user(format!("metadata `{}` cannot be {ty}", key.name()))
        .at(source, span, format!("it is {is}"))
        .fix(format!("declare the column as {is}, and convert it in the query")))
}

/// Format `raw`: the payload is one column, a text or bytes.
fn check_raw(table: &CreateTable, options: &TableOptions, source: &Arc<SourceText>) -> Result<()> {
    let of_key = |name: &str| match &options.connector {
        Connector::Kafka(kafka) => !kafka.value_has_key && kafka.key_fields.iter().any(|key| key == name),
        _ => false,
    };
    let mut payload = table
        .columns
        .iter()
        .filter(|column| matches!(column.kind, ColumnKind::Physical) && !of_key(&column.name.value));
    let (first, second) = (payload.next(), payload.next());
    let fix =
        "declare one column of type STRING or BYTES beside METADATA columns, or use `'format' = 'json'`";
    if let Some(second) = second {
        return Err(Error::user(format!("format `raw` gives table `{}` one column", table.name.value))
            .at(source, second.span, "the second")
            .note("a record's whole value is the column")
            .fix(fix));
    }
    match first.and_then(|column| Some((column, column.ty.as_ref()?))) {
        None | Some((_, SqlType::String | SqlType::Bytes)) => Ok(()),
        Some((column, ty)) => Err(Error::user("format `raw` gives STRING or BYTES")
            .at(source, column.span, format!("{ty} would have to be parsed"))
            .fix(fix)),
    }
}

fn position(columns: &[TableColumn], name: &Name, role: &str, source: &Arc<SourceText>) -> Result<usize> {
    columns.iter().position(|column| column.name == name.value).ok_or_else(|| {
        let known = columns.iter().map(|column| column.name.as_str());
        Error::user(format!("{role} `{}` is not a column of the table", name.value))
            .at(source, name.span, "")
            .fix_if(nearest::fix(&name.value, known, "columns"))
    })
}

/// A declared type is checked here; a computed column's when its expression is planned.
fn check_event_time(column: &TableColumn, time: &EventTimeColumn, source: &Arc<SourceText>) -> Result<()> {
    match column.ty.as_ref() {
        None | Some(SqlType::Timestamp(_) | SqlType::TimestampLtz(_)) => Ok(()),
        Some(other) => Err(event_time_type_error(&column.name, &other.to_string()).at(
            source,
            time.span,
            format!("it is {other}"),
        )),
    }
}

/// The error for an event-time column that is no timestamp.
pub fn event_time_type_error(column: &str, ty: &str) -> Error {
    Error::user(format!("event time must be a timestamp, `{column}` is {ty}")).fix(format!(
        "declare it TIMESTAMP(3), or add a column like `ts AS TO_TIMESTAMP_LTZ({column}, 3)` and use that"
    ))
}

/// The error for a name that no table or view above has; `declared`: where the file declares it all the same.
pub fn unknown_table<'a>(name: &str, known: impl Iterator<Item = &'a str>, declared: Option<Span>) -> Error {
    let error = Error::user(format!("unknown table `{name}`"));
    match declared {
        Some(place) => error
            .note(format!("it is declared below, at line {}", place.start.line))
            .fix("move its declaration above this statement"),
        None => error.fix("declare it with CREATE TABLE above this statement").fix_if(nearest::fix(
            name,
            known,
            "declared tables and views",
        )),
    }
}

/// Whether an Arrow type can be event time.
pub fn is_timestamp(ty: &DataType) -> bool {
    matches!(ty, DataType::Timestamp(_, _))
}
