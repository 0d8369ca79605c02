//! What SQL has beyond DataFusion, and Flink's meaning where the two give one name to different things.
//!
//! [`register`] adds everything to a session that is being built. `collisions` is the list of names that
//! both know, each decided once. A function of a family is one entry of that family's `functions`.

mod clock;
pub mod window_start;
mod zone;

use std::sync::Arc;

use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::ScalarUDF;

pub use clock::EpochClock;

/// Adds our functions to a session with DataFusion's defaults, replacing those of the same name.
///
/// Call it after `with_default_features`. Functions of time read `clock`, which is the caller's to set.
pub fn register(builder: &mut SessionStateBuilder, clock: &Arc<EpochClock>) {
    builder.scalar_functions().get_or_insert_default().extend(scalar(clock));
}

/// Every scalar function that this module adds or replaces.
fn scalar(clock: &Arc<EpochClock>) -> Vec<Arc<ScalarUDF>> {
    let mut functions = vec![Arc::new(ScalarUDF::new_from_impl(window_start::WindowStart::new()))];
    functions.extend(clock::functions(clock));
    functions
}

#[cfg(test)]
mod tests;
