//! The answer of one batch query: DataFusion over a table in memory, with windows computed here.

use std::sync::Arc;

use arrow::array::{RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::catalog::MemTable;
use datafusion::error::Result;
use datafusion::physical_plan::collect;
use datafusion::prelude::SessionContext;
use windrow::format::{EncodeOptions, EncodedRows, json};
use windrow::functions::EpochClock;
use windrow::plan::settings;
use windrow::sql::types::SqlType;
use windrow::time::EventTime;

use super::rows::Rows;
use super::shapes::{Case, Windows};

/// The rows of a case's batch query, as JSON lines.
pub fn answer(case: &Case) -> Result<String> {
    query(&case.rows, case.windows, &case.batch_sql())
}

/// `t` has the rows, `w` the rows with `window_start`, `window_end` and `window_time`.
fn query(rows: &Rows, windows: Windows, sql: &str) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let plain = rows.batch();
        let windowed = with_windows(&plain, &rows.times(), windows)?;
        let state = session_with(&[("t", plain), ("w", windowed)])?.state();
        let plan = state.create_physical_plan(&state.create_logical_plan(sql).await?).await?;
        let batches = collect(plan, state.task_ctx()).await?;
        Ok(batches.iter().map(json_lines).collect())
    })
}

/// A session like a job's, with tables in memory.
pub fn session_with(tables: &[(&str, RecordBatch)]) -> Result<SessionContext> {
    let clock = Arc::new(EpochClock::new(EventTime(0)));
    let context = SessionContext::new_with_state(settings::session(&clock, "UTC", None)?);
    for (name, batch) in tables {
        let table = MemTable::try_new(batch.schema(), vec![vec![batch.clone()]])?;
        context.register_table(*name, Arc::new(table))?;
    }
    Ok(context)
}

/// Rows as a terminal shows them in JSON.
pub fn json_lines(batch: &RecordBatch) -> String {
    let schema = batch.schema();
    let columns: Vec<(String, SqlType)> =
        schema.fields().iter().map(|f| (f.name().clone(), SqlType::from_arrow(f.data_type()))).collect();
    let encoder = json::Encoder::new(&columns, &EncodeOptions::default());
    let mut rows = EncodedRows::new();
    encoder.encode(batch, &mut rows).unwrap();
    rows.iter().map(|(_, row)| format!("{}\n", String::from_utf8_lossy(row))).collect()
}

fn with_windows(batch: &RecordBatch, times: &[i64], windows: Windows) -> Result<RecordBatch> {
    let size = windows.size_seconds * 1_000_000;
    let offset = windows.offset_seconds * 1_000_000;
    let start = |at: &i64| (at - offset).div_euclid(size) * size + offset;
    let mut fields = batch.schema().fields().to_vec();
    let mut columns = batch.columns().to_vec();
    for (name, after) in [("window_start", 0), ("window_end", size), ("window_time", size - 1_000)] {
        fields.push(Arc::new(Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, None), true)));
        let values = times.iter().map(|at| start(at) + after);
        columns.push(Arc::new(TimestampMicrosecondArray::from_iter_values(values)));
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}
