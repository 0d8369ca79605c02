//! What is remembered: partial aggregates while rows arrive, and the runs they are drained into.

pub mod live;
pub mod panes;
