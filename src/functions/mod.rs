//! What SQL has beyond DataFusion, and Flink's meaning where the two give one name to different things.
//!
//! [`register`] adds everything to a session that is being built. A function of a family is one entry of
//! that family's `functions`; names that DataFusion gives another meaning are listed in `collisions`.

pub mod array;
pub mod cast;
mod clock;
mod collect;
pub mod collisions;
mod conditional;
mod date;
mod definition;
mod encoding;
mod java_time;
mod json;
mod math;
mod planner;
mod text;
mod text_number;
pub mod wall;
pub mod window_start;
mod zone;

use std::sync::Arc;

use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::ScalarUDF;

pub use clock::EpochClock;

/// DataFusion's functions that Flink has under another name.
const ALIASES: [(&str, &str); 9] = [
    ("approx_distinct", "approx_count_distinct"),
    ("array_remove_all", "array_remove"),
    ("ends_with", "endswith"),
    ("map", "map_from_arrays"),
    ("random", "rand"),
    ("signum", "sign"),
    ("starts_with", "startswith"),
    ("string_agg", "listagg"),
    ("trunc", "truncate"),
];

/// Adds our functions to a session with DataFusion's defaults, replacing those of the same name.
///
/// Call it after `with_default_features`. Functions of time read `clock`, which is the caller's to set, and
/// the session's `execution.time_zone`, which they see only after `SessionState::mark_start_execution`.
pub fn register(builder: &mut SessionStateBuilder, clock: &Arc<EpochClock>) {
    let ours = scalar(clock);
    let named = |name: &str| ours.iter().find(|function| function.name() == name).cloned();
    if let (Some(substring), Some(extract), Some(overlay), Some(map_value)) =
        (named("substr"), named("__extract"), named("overlay"), named(array::MAP_VALUE))
    {
        let planner = Arc::new(planner::FlinkPlanner { substring, extract, overlay, map_value });
        builder.expr_planners().get_or_insert_default().insert(0, planner);
    }
    let functions = builder.scalar_functions().get_or_insert_default();
    let changed = conditional::functions(functions);
    // Of two functions with one name the last counts: aliases after DataFusion's own, ours after all.
    let aliased = ALIASES.iter().filter_map(|(name, alias)| {
        let function = functions.iter().find(|function| function.name() == *name)?;
        Some(Arc::new(function.as_ref().clone().with_aliases([*alias])))
    });
    let aliased: Vec<_> = aliased.collect();
    functions.extend(aliased.into_iter().chain(changed).chain(ours));
    let aggregates = builder.aggregate_functions().get_or_insert_default();
    let aliased = ALIASES.iter().filter_map(|(name, alias)| {
        let aggregate = aggregates.iter().find(|aggregate| aggregate.name() == *name)?;
        Some(Arc::new(aggregate.as_ref().clone().with_aliases([*alias])))
    });
    let aliased: Vec<_> = aliased.collect();
    aggregates.extend(aliased);
    aggregates.push(collect::collect());
}

/// Every scalar function that this module adds or replaces.
fn scalar(clock: &Arc<EpochClock>) -> Vec<Arc<ScalarUDF>> {
    let mut functions = vec![Arc::new(ScalarUDF::new_from_impl(window_start::WindowStart::new()))];
    functions.extend(clock::functions(clock));
    let families = [
        text::functions(),
        date::functions(),
        math::functions(),
        encoding::functions(),
        array::functions(),
        json::functions(),
        wall::functions(),
    ];
    functions.extend(families.into_iter().flatten().map(definition::Definition::udf));
    let of = functions.iter().find(|function| function.name() == "__unix_timestamp_of").cloned();
    functions.extend(of.map(|of| clock::unix_timestamp(clock, of)));
    functions
}

#[cfg(test)]
mod tests;
