//! Live tables alone: updated, drained, written and read as Arrow IPC, merged in tiers, evaluated; the
//! answer is that of DataFusion's own aggregate over all rows at once, for every aggregate function it has.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Aggregate, LogicalPlan};
use rand::SeedableRng;
use rand::rngs::StdRng;
use windrow::functions::EpochClock;
use windrow::plan::cut::{distinct, key_sets};
use windrow::plan::lower::Lowering;
use windrow::plan::{GroupSpec, settings};
use windrow::state::live::{GroupPlan, LiveTable};
use windrow::time::{EventTime, Window};

use super::oracle::{json_lines, session_with};
use super::rows::Rows;
use super::{compare, jobs};

/// Calls whose answer does not depend on where batches and runs end.
const EXACT: &[&str] = &[
    "count(*)",
    "count(s)",
    "count(*) FILTER (WHERE flag)",
    "count(DISTINCT s)",
    "count(DISTINCT i)",
    "count(DISTINCT n)",
    "count(DISTINCT d)",
    "count(DISTINCT flag)",
    "count(DISTINCT day)",
    "count(DISTINCT ts)",
    "count(DISTINCT r)",
    "sum(i)",
    "sum(b)",
    "sum(d)",
    "sum(n)",
    "sum(DISTINCT i)",
    "sum(DISTINCT d)",
    "sum(DISTINCT n)",
    "avg(i)",
    "avg(d)",
    "avg(n)",
    "avg(DISTINCT i)",
    "avg(DISTINCT d)",
    "avg(DISTINCT n)",
    "min(i)",
    "max(d)",
    "min(n)",
    "max(s)",
    "min(s)",
    "max(ts)",
    "min(day)",
    "min(flag)",
    "max(flag)",
    "max(r)",
    "min(tags)",
    "stddev(d)",
    "stddev_pop(d)",
    "var(i)",
    "var_pop(d)",
    "corr(d, i)",
    "covar_samp(d, i)",
    "covar_pop(d, i)",
    "regr_slope(d, i)",
    "regr_intercept(d, i)",
    "regr_count(d, i)",
    "regr_r2(d, i)",
    "regr_avgx(d, i)",
    "regr_avgy(d, i)",
    "regr_sxx(d, i)",
    "regr_syy(d, i)",
    "regr_sxy(d, i)",
    "approx_distinct(s)",
    "approx_distinct(i)",
    "approx_distinct(b)",
    "approx_distinct(n)",
    "approx_distinct(flag)",
    "approx_distinct(ts)",
    "median(d)",
    "median(i)",
    "median(n)",
    "median(DISTINCT d)",
    "percentile_cont(0.25) WITHIN GROUP (ORDER BY d)",
    "first_value(s ORDER BY id)",
    "last_value(d ORDER BY id)",
    "first_value(n ORDER BY d DESC, id)",
    "last_value(s ORDER BY ts, id) FILTER (WHERE flag)",
    "first_value(r ORDER BY id)",
    "nth_value(s, 3 ORDER BY b, id)",
    "nth_value(s, -2 ORDER BY b, id)",
    "array_agg(i ORDER BY b, id)",
    "array_agg(r ORDER BY d DESC, id)",
    "array_agg(tags ORDER BY b, id)",
    "array_agg(DISTINCT i ORDER BY i)",
    "array_agg(s ORDER BY id) FILTER (WHERE i > 3)",
    "string_agg(s, ',' ORDER BY b, id)",
    "string_agg(DISTINCT s, ',' ORDER BY s)",
    "bit_and(i)",
    "bit_or(b)",
    "bit_xor(i)",
    "bit_and(DISTINCT i)",
    "bit_or(DISTINCT i)",
    "bool_and(flag)",
    "bool_or(flag)",
    // In the order of arrival, which runs merged oldest first keep.
    "any_value(s)",
    "first_value(s)",
    "last_value(d)",
    "nth_value(s, 2)",
    "array_agg(i)",
    "string_agg(s, ',')",
    "collect(s)",
    "collect(DISTINCT i)",
    "collect(b) FILTER (WHERE flag)",
];

/// Sketches of percentiles are not the same where batches end elsewhere: they are near.
const NEAR: &[&str] = &[
    "approx_median(d)",
    "approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY d)",
    "approx_percentile_cont_with_weight(1, 0.5) WITHIN GROUP (ORDER BY d)",
];

const KEYS: &[&str] = &[
    "",
    "s",
    "i",
    "b % 7",
    "d",
    "n",
    "flag",
    "ts",
    "day",
    "r",
    "tags",
    "s, flag",
    "n, s, day",
    "flag, d",
    "r, tags, i",
    "ROLLUP (s, flag)",
    "CUBE (flag, day)",
    "GROUPING SETS ((s), (flag, day), ())",
];

/// An aggregate of a query, apart from it.
struct Isolated {
    aggregate: Aggregate,
    /// The rows it aggregates.
    input: RecordBatch,
    state: SessionState,
}

fn isolate(rows: &Rows, keys: &str, call: &str) -> Result<Isolated> {
    let group = if keys.is_empty() { String::new() } else { format!(" GROUP BY {keys}") };
    let state = session_with(&[("t", rows.batch())])?.state();
    block_on(async {
        let plan = state.create_logical_plan(&format!("SELECT {call} AS a FROM t{group}")).await?;
        let plan = state.optimize(&plan)?;
        let mut found = None;
        plan.apply(|node| {
            if let LogicalPlan::Aggregate(aggregate) = node {
                found = Some(aggregate.clone());
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        let aggregate = found.unwrap();
        let input = execute(&state, &aggregate.input).await?;
        Ok(Isolated { aggregate, input, state })
    })
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

async fn execute(state: &SessionState, plan: &LogicalPlan) -> Result<RecordBatch> {
    let physical = state.query_planner().create_physical_plan(plan, state).await?;
    let batches = datafusion::physical_plan::collect(Arc::clone(&physical), state.task_ctx()).await?;
    Ok(arrow::compute::concat_batches(&physical.schema(), &batches)?)
}

impl Isolated {
    fn at_once(&self) -> Result<RecordBatch> {
        block_on(execute(&self.state, &LogicalPlan::Aggregate(self.aggregate.clone())))
    }

    /// In batches of `rows` rows, three of which make a run; runs are merged three at a time.
    fn in_pieces(&self, rows: usize) -> Result<RecordBatch> {
        let keys = distinct(&key_sets(&self.aggregate.group_expr)?);
        let spec = GroupSpec {
            group_expr: self.aggregate.group_expr.clone(),
            bounds: vec![None; keys.len()],
            aggr_expr: self.aggregate.aggr_expr.clone(),
            input_schema: Arc::clone(self.aggregate.input.schema()),
            schema: Arc::clone(&self.aggregate.schema),
        };
        let plan = GroupPlan::lower(&spec, &Lowering::new(self.state.clone()))?;
        let starts: Vec<usize> = (0..self.input.num_rows()).step_by(rows).collect();
        let mut lane = LiveTable::new(&plan)?;
        let mut runs = Vec::new();
        for epoch in starts.chunks(3) {
            for &start in epoch {
                let rows = rows.min(self.input.num_rows() - start);
                lane.update(&plan, &self.input.slice(start, rows))?;
            }
            runs.push(through_ipc(&lane.drain(&plan)?));
            assert!(lane.is_empty());
        }
        while runs.len() > 3 {
            let tiers = runs.chunks(3).map(|runs| Ok(through_ipc(&merged(&plan, runs)?.drain(&plan)?)));
            runs = tiers.collect::<Result<_>>()?;
        }
        merged(&plan, &runs)?.evaluate(&plan, Window::All, EventTime::MIN)
    }
}

fn merged(plan: &GroupPlan, runs: &[RecordBatch]) -> Result<LiveTable> {
    let mut table = LiveTable::new(plan)?;
    for run in runs {
        table.merge(plan, run)?;
    }
    Ok(table)
}

/// As a checkpoint and a shuffle will carry it.
fn through_ipc(run: &RecordBatch) -> RecordBatch {
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, &run.schema()).unwrap();
    writer.write(run).unwrap();
    writer.finish().unwrap();
    StreamReader::try_new(bytes.as_slice(), None).unwrap().next().unwrap().unwrap()
}

fn check(seed: u64, keys: &str, call: &str) -> Result<(), String> {
    let rows = Rows::generate(&mut StdRng::seed_from_u64(seed), 60);
    let told = |what: String| format!("seed {seed}: {call} by ({keys}): {what}");
    let failed = |error: datafusion::error::DataFusionError| told(error.to_string());
    let isolated = isolate(&rows, keys, call).map_err(failed)?;
    let expected = json_lines(&isolated.at_once().map_err(failed)?);
    let actual = json_lines(&isolated.in_pieces(7).map_err(failed)?);
    compare::same_rows(&expected, &actual).map_err(told)
}

fn assert_all(checks: impl Iterator<Item = Result<(), String>>) {
    let failures: Vec<String> = checks.filter_map(Result::err).collect();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_aggregate_is_the_same_in_pieces_with_keys_of_any_type() {
    // Not all pairs: each call meets no key, a few keys, and in its turn each kind of key.
    let checks = EXACT.iter().enumerate().flat_map(|(n, call)| {
        let turns = [0, 1 + n % (KEYS.len() - 1), 1 + (n * 7 + 3) % (KEYS.len() - 1)];
        turns.map(|turn| check(n as u64, KEYS[turn], call))
    });
    assert_all(checks);
}

#[test]
fn every_kind_of_key_is_the_same_in_pieces() {
    assert_all(KEYS.iter().flat_map(|keys| (100..103).map(|seed| check(seed, keys, "sum(n)"))));
}

#[test]
fn sketches_of_percentiles_stay_near() {
    let rows = Rows::generate(&mut StdRng::seed_from_u64(8), 60);
    for call in NEAR {
        let isolated = isolate(&rows, "", call).unwrap();
        let values = [isolated.at_once(), isolated.in_pieces(7)].map(|batch| {
            let rows = compare::parse(&json_lines(&batch.unwrap()));
            rows[0].as_object().unwrap().values().next().unwrap().as_f64().unwrap()
        });
        assert!((values[0] - values[1]).abs() <= 0.05 * values[0].abs(), "{call}: {values:?}");
    }
}

#[test]
fn every_aggregate_function_of_the_session_is_tested() {
    let session = settings::session(&Arc::new(EpochClock::new(EventTime(0))), "UTC", None).unwrap();
    let names: BTreeSet<&str> =
        session.aggregate_functions().values().map(|function| function.name()).collect();
    let called: BTreeSet<&str> =
        EXACT.iter().chain(NEAR).map(|call| call.split('(').next().unwrap_or_default()).collect();
    let aliases = |name: &&&str| {
        session.aggregate_functions()[**name].aliases().iter().any(|a| called.contains(a.as_str()))
    };
    let missing: Vec<_> = names.difference(&called).filter(|name| !aliases(name)).collect();
    assert_eq!(missing, [&"grouping"], "`grouping` is planned away");
}

/// DataFusion's grouped `bit_xor` forgets DISTINCT: a plan with it would be wrong without a word.
#[test]
fn bit_xor_of_distinct_values_is_refused() {
    let clock = Arc::new(EpochClock::new(EventTime(0)));
    let sql = format!("{}\nSELECT bit_xor(DISTINCT i) AS x FROM t", Rows::declaration("/nowhere", 1));
    let error = jobs::plan(&sql, &clock).unwrap_err().to_string();
    assert!(error.contains("`bit_xor(DISTINCT …)`"), "{error}");
}
