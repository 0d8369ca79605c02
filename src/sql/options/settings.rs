//! What the SET statements of a file say about its job.

use std::time::Duration;

use super::Ignored;

/// Settings of the job; None where the file says nothing, so that the command line or the default decides.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobSettings {
    /// `execution.checkpointing.interval`: how often an epoch is made.
    pub epoch_interval: Option<Duration>,
    /// `parallelism.default`: how many lanes.
    pub lanes: Option<usize>,
    /// `pipeline.name`: the job's name.
    pub name: Option<String>,
    /// `table.local-time-zone`: an IANA name or an offset like `+02:00`.
    pub time_zone: Option<String>,
    /// `table.exec.source.idle-timeout`, for tables without one of their own; `Some(ZERO)`: never idle.
    pub idle_timeout: Option<Duration>,
    /// `table.exec.state.ttl`; `Some(ZERO)`: state is kept forever.
    pub state_ttl: Option<Duration>,
    /// `sql-client.execution.result-mode`.
    pub result_mode: Option<ResultMode>,
    /// Accepted settings that change nothing here, each with the reason: for a warning.
    pub ignored: Vec<Ignored>,
}

/// How a bare SELECT is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultMode {
    Table,
    Changelog,
    Tableau,
}
