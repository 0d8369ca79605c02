//! Runs a plan: lanes and the driver, and what wires them.

pub mod batch;
pub mod dag;
pub mod discovery;
pub mod driver;
pub mod intake;
pub mod lane;
pub mod message;
pub mod open;
pub mod routing;
pub mod run;
pub mod status;

pub use open::TerminalFormat;
pub use run::{Job, RunOptions, Stopper};
pub use status::Status;
