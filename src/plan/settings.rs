//! The DataFusion session every plan is made with: each setting that differs from the default, and why.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::config::ConfigOptions;
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::optimizer::Optimizer;
use datafusion::prelude::SessionConfig;

use crate::functions::{self, EpochClock};
use crate::plan::casts::FlinkCasts;
use crate::plan::types::FlinkTypes;

/// Rules that would hide what the cut looks for.
///
/// `single_distinct_aggregation_to_group_by` turns one `count(DISTINCT x)` into two stacked aggregates;
/// live tables count distinct values in one.
const LEFT_OUT: [&str; 1] = ["single_distinct_aggregation_to_group_by"];

/// A session in the time zone `zone` whose `now()` reads `clock`, with a memory pool of `memory` if one is
/// given.
pub fn session(
    clock: &Arc<EpochClock>,
    zone: &str,
    memory: Option<Arc<dyn MemoryPool>>,
) -> Result<SessionState> {
    let mut config = SessionConfig::from(options(zone)?);
    // Below some 10⁵ rows, and an epoch rarely has more, partitions cost more than they gain.
    config = config.with_target_partitions(1);
    let optimizer = Optimizer::new();
    let rules = optimizer.rules.into_iter().filter(|rule| !LEFT_OUT.contains(&rule.name())).collect();
    let mut runtime = RuntimeEnvBuilder::new();
    if let Some(pool) = memory {
        runtime = runtime.with_memory_pool(pool);
    }
    let mut builder = SessionStateBuilder::new()
        .with_default_features()
        .with_config(config)
        .with_runtime_env(runtime.build_arc()?)
        .with_optimizer_rules(rules)
        .with_type_planner(Arc::new(FlinkTypes));
    functions::register(&mut builder, clock);
    let mut state = builder.build();
    state.add_analyzer_rule(Arc::new(FlinkCasts::new(&state)?));
    // Without this, functions see the default settings, not the session's.
    state.mark_start_execution();
    Ok(state)
}

fn options(zone: &str) -> Result<ConfigOptions> {
    let mut options = ConfigOptions::new();
    options.execution.time_zone = Some(zone.to_owned());
    // Identifiers keep their case, as in Flink.
    options.sql_parser.enable_ident_normalization = false;
    // Without spans no error could be underlined.
    options.sql_parser.collect_spans = true;
    // Flink's ORDER BY: ascending puts NULL first, descending last.
    options.sql_parser.default_null_ordering = "nulls_min".into();
    // Strings are views, as the decoder makes them.
    options.sql_parser.map_string_types_to_utf8view = true;
    options.sql_parser.support_varchar_with_length = true;
    // Scalar subqueries in expressions would hide their aggregates from the cut.
    options.optimizer.enable_physical_uncorrelated_scalar_subquery = false;
    // A window's rows are in memory: a filter that travels at run time has nothing to save.
    // `set` is used because only it carries the value on to the join, top-k and aggregate flags.
    options.set("datafusion.optimizer.enable_dynamic_filter_pushdown", "false")?;
    Ok(options)
}
