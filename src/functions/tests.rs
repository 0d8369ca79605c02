//! A session that evaluates one SELECT as text, for the tests of every family.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::Result;
use datafusion::execution::SessionState;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::{LogicalPlan, ScalarUDF};
use datafusion::physical_plan::collect;
use datafusion::prelude::SessionConfig;

use super::{EpochClock, register};

pub(super) struct Session {
    state: SessionState,
    pub(super) clock: Arc<EpochClock>,
}

impl Session {
    pub(super) fn new() -> Self {
        Self::of(SessionConfig::new())
    }

    pub(super) fn with_time_zone(zone: &str) -> Self {
        let mut config = SessionConfig::new();
        config.options_mut().execution.time_zone = Some(zone.to_owned());
        Self::of(config)
    }

    fn of(mut config: SessionConfig) -> Self {
        let options = config.options_mut();
        options.sql_parser.enable_ident_normalization = false;
        options.sql_parser.dialect = datafusion::config::Dialect::Generic;
        options.execution.target_partitions = 1;
        let clock = Arc::new(EpochClock::default());
        let mut builder = SessionStateBuilder::new().with_default_features().with_config(config);
        register(&mut builder, &clock);
        let mut state = builder.build();
        // Without this, functions see the default settings, not the session's.
        state.mark_start_execution();
        Session { state, clock }
    }

    /// The function that a name calls.
    pub(super) fn scalar(&self, name: &str) -> Option<&Arc<ScalarUDF>> {
        self.state.scalar_functions().get(name)
    }

    /// The optimized plan.
    pub(super) fn plan(&self, sql: &str) -> Result<LogicalPlan> {
        let plan = futures::executor::block_on(self.state.create_logical_plan(sql))?;
        self.state.optimize(&plan)
    }

    pub(super) fn run(&self, plan: &LogicalPlan) -> Result<Vec<RecordBatch>> {
        futures::executor::block_on(async {
            let plan = self.state.create_physical_plan(plan).await?;
            collect(plan, self.state.task_ctx()).await
        })
    }

    /// The first row of a query, as text; NULL is `NULL`.
    pub(super) fn row(&self, sql: &str) -> Result<Vec<String>> {
        Ok(shown(&self.run(&self.plan(sql)?)?))
    }
}

pub(super) fn shown(batches: &[RecordBatch]) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let batch = batches.iter().find(|batch| batch.num_rows() > 0).expect("a row");
    let first = |column| ArrayFormatter::try_new(column, &options).unwrap().value(0).to_string();
    batch.columns().iter().map(|column| first(column.as_ref())).collect()
}

/// Each expression gives its text, as a constant and with its texts in columns beside a row of NULLs.
///
/// All in two queries: planning is what takes time here.
pub(super) fn check(cases: &[(&str, &str)]) {
    let session = Session::new();
    let select = |expressions: &[String]| {
        let named = expressions.iter().enumerate().map(|(i, expression)| format!("{expression} AS e{i}"));
        format!("SELECT {}", named.collect::<Vec<_>>().join(", "))
    };
    let constants: Vec<String> = cases.iter().map(|(expression, _)| (*expression).to_owned()).collect();
    let mut values = vec!["1".to_owned()];
    let over: Vec<String> =
        cases.iter().map(|(expression, _)| over_columns(expression, &mut values)).collect();
    let names: Vec<String> = (0..values.len()).map(|i| format!("c{i}")).collect();
    let (row, nulls) = (values.join(", "), vec!["NULL"; values.len()].join(", "));
    let rows = format!("(VALUES ({row}), ({nulls})) AS t({})", names.join(", "));
    for sql in [select(&constants), format!("{} FROM {rows}", select(&over))] {
        match session.row(&sql) {
            Ok(row) => {
                for ((expression, expected), given) in cases.iter().zip(row) {
                    assert_eq!(given, *expected, "{expression}");
                }
            }
            Err(error) => panic!("{sql}: {error}"),
        }
    }
}

/// The same expression with each of its text literals in a column, where the optimizer cannot fold it.
fn over_columns(expression: &str, values: &mut Vec<String>) -> String {
    let literal = regex::Regex::new(r"(DATE|TIMESTAMP|TIME|INTERVAL)? ?'((?:[^']|'')*)'").expect("a pattern");
    let over = literal.replace_all(expression, |found: &regex::Captures<'_>| match found.get(1) {
        Some(_) => found[0].to_owned(),
        None => {
            values.push(format!("'{}'", &found[2]));
            format!(" c{}", values.len() - 1)
        }
    });
    over.into_owned()
}

#[test]
fn aggregates_have_flinks_defaults() {
    let session = Session::new();
    let rows = "FROM (VALUES (1, NULL, 'x'), (2, 5, 'y'), (3, 6, NULL), (4, NULL, 'z')) AS t(id, n, s)";
    for (aggregate, expected) in [
        ("FIRST_VALUE(n)", "5"),
        ("LAST_VALUE(n)", "6"),
        ("FIRST_VALUE(n ORDER BY id DESC)", "6"),
        ("FIRST_VALUE(n) RESPECT NULLS", "NULL"),
        ("LISTAGG(s)", "x,y,z"),
        ("LISTAGG(s, ' > ')", "x > y > z"),
        ("APPROX_COUNT_DISTINCT(n)", "2"),
        ("AVG(id)", "2.5"),
        ("arrow_typeof(SUM(CAST(id AS INT)))", "Int64"),
        ("COUNT(*)", "4"),
    ] {
        match session.row(&format!("SELECT {aggregate} {rows}")) {
            Ok(row) => assert_eq!(row, [expected], "{aggregate}"),
            Err(error) => panic!("{aggregate}: {error}"),
        }
    }
    let frame = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING";
    let over = format!("SELECT FIRST_VALUE(n) OVER (ORDER BY id {frame}) {rows}");
    assert_eq!(session.row(&over).unwrap(), ["5"]);
}
