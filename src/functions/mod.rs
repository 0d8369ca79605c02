//! What SQL has beyond DataFusion, and Flink's meaning where the two give one name to different things.
//!
//! [`register`] adds everything to a session that is being built. A function of a family is one entry of
//! that family's `functions`; names that DataFusion gives another meaning are listed in `collisions`.

mod clock;
mod conditional;
mod date;
mod definition;
mod encoding;
mod java_time;
mod math;
mod planner;
mod text;
pub mod window_start;
mod zone;

use std::sync::Arc;

use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::ScalarUDF;

pub use clock::EpochClock;

/// Adds our functions to a session with DataFusion's defaults, replacing those of the same name.
///
/// Call it after `with_default_features`. Functions of time read `clock`, which is the caller's to set, and
/// the session's `execution.time_zone`, which they see only after `SessionState::mark_start_execution`.
pub fn register(builder: &mut SessionStateBuilder, clock: &Arc<EpochClock>) {
    let ours = scalar(clock);
    let named = |name: &str| ours.iter().find(|function| function.name() == name).cloned();
    if let (Some(substring), Some(extract)) = (named("substr"), named("__extract")) {
        let planner = Arc::new(planner::FlinkPlanner { substring, extract });
        builder.expr_planners().get_or_insert_default().insert(0, planner);
    }
    let functions = builder.scalar_functions().get_or_insert_default();
    let aliases = [
        ("random", "rand"),
        ("signum", "sign"),
        ("trunc", "truncate"),
        ("starts_with", "startswith"),
        ("ends_with", "endswith"),
    ];
    for function in functions.iter_mut() {
        if let Some((_, alias)) = aliases.iter().find(|(name, _)| *name == function.name()) {
            *function = Arc::new(function.as_ref().clone().with_aliases([*alias]));
        }
    }
    functions.extend(conditional::functions(functions));
    functions.extend(ours);
    for aggregate in builder.aggregate_functions().get_or_insert_default() {
        let aliases = [("approx_distinct", "approx_count_distinct"), ("string_agg", "listagg")];
        if let Some((_, alias)) = aliases.iter().find(|(name, _)| *name == aggregate.name()) {
            *aggregate = Arc::new(aggregate.as_ref().clone().with_aliases([*alias]));
        }
    }
}

/// Every scalar function that this module adds or replaces.
fn scalar(clock: &Arc<EpochClock>) -> Vec<Arc<ScalarUDF>> {
    let mut functions = vec![Arc::new(ScalarUDF::new_from_impl(window_start::WindowStart::new()))];
    functions.extend(clock::functions(clock));
    let families = [text::functions(), date::functions(), math::functions(), encoding::functions()];
    functions.extend(families.into_iter().flatten().map(definition::Definition::udf));
    let of = functions.iter().find(|function| function.name() == "__unix_timestamp_of").cloned();
    functions.extend(of.map(|of| clock::unix_timestamp(clock, of)));
    functions
}

#[cfg(test)]
mod tests;
