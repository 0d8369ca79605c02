//! Records → rows of a table: decode, add what the record itself says, compute columns, judge event times.
//!
//! A record gives one row or is rejected with a reason; a rejected one never disturbs its neighbours.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BinaryViewArray, BooleanArray, Int32Array, Int64Array,
    MapBuilder, RecordBatch, RecordBatchOptions, StringBuilder, StringViewArray, TimestampMillisecondArray,
};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType};
use datafusion::common::DFSchema;
use datafusion::physical_expr::PhysicalExpr;

use crate::catalog::{ColumnOrigin, Table, TableColumn};
use crate::error::{Error, Result};
use crate::format::{
    BadReason, BadRecord, ColumnSpec, DecodeOptions, Decoder, TimestampFormat, csv, json, raw,
};
use crate::plan::TableRead;
use crate::plan::lower::Lowering;
use crate::source::Record;
use crate::sql::options::{self, Format};
use crate::sql::statement::MetadataKey;
use crate::time::EventTime;

/// Where a record is from, for METADATA columns and for those who look for it later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionName {
    /// A topic, or a file's path.
    pub topic: Arc<str>,
    pub number: i32,
}

/// Turns the records of one table into rows.
pub struct Intake {
    decoder: Decoder,
    /// The stored columns in order: from the payload, or from the record.
    stored: Vec<StoredColumn>,
    stored_schema: SchemaRef,
    /// Of the needed columns: a stored one by position, or computed over the stored ones.
    columns: Vec<NeededColumn>,
    schema: SchemaRef,
    /// Position of the event-time column among the needed ones.
    time: Option<usize>,
    max_future_micros: Option<i64>,
}

enum StoredColumn {
    Payload,
    Record(MetadataKey, DataType),
}

enum NeededColumn {
    Stored(usize),
    Computed(Arc<dyn PhysicalExpr>),
}

/// The rows that records gave.
pub struct Rows {
    pub batch: RecordBatch,
    /// For each row, which of the records it came from; ascending.
    pub record_of: Vec<u32>,
    /// For each row, its event time in microseconds; empty if the table has none.
    pub times: Vec<i64>,
    /// The records that gave none.
    pub rejected: Vec<(u32, BadRecord)>,
    pub tombstones: u64,
}

impl Intake {
    pub fn new(read: &TableRead, lowering: &Lowering) -> Result<Intake> {
        let table = &read.table;
        let stored: Vec<&TableColumn> = read.stored.iter().map(|&i| &table.columns[i]).collect();
        let stored_fields: Vec<Field> = stored
            .iter()
            .map(|column| {
                Field::new(&column.name, column.ty.as_ref().map_or(DataType::Null, |t| t.arrow()), true)
            })
            .collect();
        let stored_schema = Arc::new(Schema::new(stored_fields));
        let qualified = DFSchema::try_from_qualified_schema(table.name.as_str(), &stored_schema)
            .map_err(|cause| Error::internal("a table's schema has ambiguous names").caused_by(cause))?;
        let mut columns = Vec::new();
        for &index in &read.columns {
            let computed = read.computed.iter().find(|(computed, _)| *computed == index);
            columns.push(match computed {
                Some((_, expr)) => {
                    NeededColumn::Computed(lowering.expr(expr, &qualified).map_err(|cause| {
                        let name = &table.columns[index].name;
                        Error::user(format!("column `{name}` of `{}` cannot be computed", table.name))
                            .caused_by(cause)
                    })?)
                }
                None => {
                    NeededColumn::Stored(read.stored.iter().position(|&s| s == index).unwrap_or_default())
                }
            });
        }
        let fields: Vec<Field> =
            read.columns.iter().map(|&i| read.schema.field(i).clone().with_nullable(true)).collect();
        let time = table.time.as_ref();
        let time = time.and_then(|time| read.columns.iter().position(|&column| column == time.column));
        let max_future = table.options.time.max_future;
        Ok(Intake {
            decoder: decoder(table, &read.stored)?,
            stored: stored.iter().map(|column| stored_column(column)).collect(),
            stored_schema,
            columns,
            schema: Arc::new(Schema::new(fields)),
            time,
            max_future_micros: max_future.map(|ahead| ahead.as_micros() as i64),
        })
    }

    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Decodes records; `now` judges event times, `names` are their partitions by index.
    pub fn take(&mut self, records: &[Record<'_>], names: &[PartitionName], now: EventTime) -> Result<Rows> {
        let mut record_of = Vec::with_capacity(records.len());
        let mut rejected = Vec::new();
        let mut tombstones = 0;
        for (index, record) in records.iter().enumerate() {
            match record.payload().map(|payload| self.decoder.push(payload)) {
                Some(Ok(())) => record_of.push(index as u32),
                Some(Err(bad)) => rejected.push((index as u32, bad)),
                None => tombstones += 1,
            }
        }
        let batch = self.batch(records, &record_of, names)?;
        let mut rows = Rows { batch, record_of, times: Vec::new(), rejected, tombstones };
        if let Some(time) = self.time {
            self.judge_times(&mut rows, time, now)?;
        }
        Ok(rows)
    }

    fn batch(
        &mut self,
        records: &[Record<'_>],
        rows: &[u32],
        names: &[PartitionName],
    ) -> Result<RecordBatch> {
        let mut decoded = self.decoder.take()?.into_iter();
        let mut stored = Vec::with_capacity(self.stored.len());
        for column in &self.stored {
            stored.push(match column {
                StoredColumn::Payload => {
                    decoded.next().ok_or_else(|| Error::internal("the decoder gave too few columns"))?
                }
                StoredColumn::Record(key, ty) => record_column(*key, ty, records, rows, names)?,
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let failed = |cause| Error::internal("decoded columns do not fit their table").caused_by(cause);
        let stored = RecordBatch::try_new_with_options(Arc::clone(&self.stored_schema), stored, &options)
            .map_err(failed)?;
        let mut columns = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            columns.push(match column {
                NeededColumn::Stored(position) => Arc::clone(stored.column(*position)),
                NeededColumn::Computed(expr) => expr
                    .evaluate(&stored)
                    .and_then(|value| value.into_array(stored.num_rows()))
                    .map_err(|cause| Error::user("a computed column failed").caused_by(cause))?,
            });
        }
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options).map_err(failed)
    }

    /// Rejects rows without an event time or with one too far ahead; fills in the times of the others.
    fn judge_times(&self, rows: &mut Rows, time: usize, now: EventTime) -> Result<()> {
        let failed = |cause| Error::internal("event times cannot be read").caused_by(cause);
        let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
        let column = cast(&utc_free(rows.batch.column(time)), &micros).map_err(failed)?;
        let times = column.as_primitive::<TimestampMicrosecondType>();
        let latest = self.max_future_micros.map_or(EventTime::MAX, |ahead| now.plus(ahead));
        let is_good = |row: usize| !times.is_null(row) && times.value(row) <= latest.0;
        if (0..times.len()).all(is_good) {
            rows.times = times.values().to_vec();
            return Ok(());
        }
        let keep: BooleanArray = (0..times.len()).map(|row| Some(is_good(row))).collect();
        for row in (0..times.len()).filter(|&row| !is_good(row)) {
            let reason =
                if times.is_null(row) { BadReason::EventTimeNull } else { BadReason::EventTimeFuture };
            let column = self.schema.field(time).name().as_str();
            rows.rejected.push((rows.record_of[row], BadRecord::new(reason).column(Some(Arc::from(column)))));
        }
        rows.rejected.sort_by_key(|(record, _)| *record);
        rows.batch = filter_record_batch(&rows.batch, &keep).map_err(failed)?;
        let kept: Vec<usize> = (0..times.len()).filter(|&row| keep.value(row)).collect();
        rows.times = kept.iter().map(|&row| times.value(row)).collect();
        rows.record_of = kept.iter().map(|&row| rows.record_of[row]).collect();
        Ok(())
    }
}

/// A timestamp column without its time zone: inside, all are UTC.
fn utc_free(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Timestamp(unit, Some(_)) => {
            cast(column, &DataType::Timestamp(*unit, None)).unwrap_or_else(|_| Arc::clone(column))
        }
        _ => Arc::clone(column),
    }
}

fn stored_column(column: &TableColumn) -> StoredColumn {
    match &column.origin {
        ColumnOrigin::Record { key, .. } => {
            StoredColumn::Record(*key, column.ty.as_ref().map_or(DataType::Null, |ty| ty.arrow()))
        }
        ColumnOrigin::Payload | ColumnOrigin::Computed(_) => StoredColumn::Payload,
    }
}

fn decoder(table: &Table, stored: &[usize]) -> Result<Decoder> {
    let is_payload = |column: &TableColumn| matches!(column.origin, ColumnOrigin::Payload);
    let spec = |column: &TableColumn| ColumnSpec {
        name: column.name.clone(),
        ty: column.ty.clone().unwrap_or(crate::sql::types::SqlType::String),
        not_null: column.not_null,
    };
    let wanted = stored.iter().map(|&i| (i, &table.columns[i])).filter(|(_, column)| is_payload(column));
    match &table.options.format {
        Format::Csv(options) => {
            // CSV fields go by position among all physical columns.
            let physical: Vec<usize> =
                (0..table.columns.len()).filter(|&i| is_payload(&table.columns[i])).collect();
            let place = |index: usize| physical.iter().position(|&p| p == index).unwrap_or_default();
            let columns: Vec<_> = wanted.map(|(index, column)| (place(index), spec(column))).collect();
            Ok(Decoder::Csv(csv::Decoder::new(physical.len(), &columns, csv_options(options))?))
        }
        Format::Raw => {
            let columns: Vec<ColumnSpec> = wanted.map(|(_, column)| spec(column)).collect();
            Ok(Decoder::Raw(raw::Decoder::new(&columns)?))
        }
        Format::Json(options) => {
            let columns: Vec<ColumnSpec> = wanted.map(|(_, column)| spec(column)).collect();
            let options = DecodeOptions {
                timestamp_format: timestamp_format(options.timestamp_format),
                ignore_parse_errors: options.ignore_parse_errors,
                fail_on_missing_field: options.fail_on_missing_field,
            };
            Ok(Decoder::Json(json::Decoder::new(&columns, options)?))
        }
    }
}

fn csv_options(options: &options::CsvOptions) -> csv::Options {
    csv::Options {
        decode: DecodeOptions {
            ignore_parse_errors: options.ignore_parse_errors,
            ..DecodeOptions::default()
        },
        delimiter: options.delimiter,
        quote: options.quote,
        escape: options.escape,
        null_literal: options.null_literal.clone(),
        allow_comments: options.allow_comments,
    }
}

/// The option's value as the format knows it.
pub fn timestamp_format(format: options::TimestampFormat) -> TimestampFormat {
    match format {
        options::TimestampFormat::Lenient => TimestampFormat::Lenient,
        options::TimestampFormat::Sql => TimestampFormat::Sql,
        options::TimestampFormat::Iso8601 => TimestampFormat::Iso8601,
    }
}

/// A METADATA column for the given rows, in its declared type.
fn record_column(
    key: MetadataKey,
    ty: &DataType,
    records: &[Record<'_>],
    rows: &[u32],
    names: &[PartitionName],
) -> Result<ArrayRef> {
    let of = rows.iter().map(|&row| &records[row as usize]);
    let name = |record: &Record<'_>| &names[record.partition()];
    let column: ArrayRef = match key {
        MetadataKey::Timestamp => {
            let times: TimestampMillisecondArray = of.map(|record| record.timestamp_ms()).collect();
            Arc::new(times.with_timezone_opt(Some("UTC")))
        }
        MetadataKey::Partition => {
            Arc::new(of.map(|record| Some(name(record).number)).collect::<Int32Array>())
        }
        MetadataKey::Offset => Arc::new(of.map(|record| Some(record.offset())).collect::<Int64Array>()),
        MetadataKey::Topic => {
            Arc::new(of.map(|record| Some(name(record).topic.to_string())).collect::<StringViewArray>())
        }
        MetadataKey::Key => Arc::new(of.map(|record| record.key()).collect::<BinaryViewArray>()),
        MetadataKey::Headers => headers_column(of)?,
    };
    if column.data_type() == ty {
        return Ok(column);
    }
    cast(&column, ty).map_err(|cause| {
        Error::user(format!("METADATA column `{}` cannot be {ty}", key.name())).caused_by(cause)
    })
}

fn headers_column<'a>(records: impl Iterator<Item = &'a Record<'a>>) -> Result<ArrayRef> {
    let mut map = MapBuilder::new(None, StringBuilder::new(), BinaryBuilder::new());
    for record in records {
        for (name, value) in record.headers() {
            map.keys().append_value(name);
            map.values().append_option(value);
        }
        map.append(true).map_err(|cause| Error::internal("headers do not fit a map").caused_by(cause))?;
    }
    Ok(Arc::new(map.finish()))
}
