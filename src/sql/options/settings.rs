//! What the SET statements of a file say about its job.

use std::sync::Arc;
use std::time::Duration;

use super::Ignored;
use super::tables::{self, Group};
use super::values::{Given, Owner, Values};
use crate::config::EPOCH_INTERVAL_MIN;
use crate::error::{Result, SourceText, nearest};
use crate::sql::statement::SetOption;
use crate::time::{show_duration, zone};

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

impl JobSettings {
    /// The name of the job's time zone.
    pub fn zone_name(&self) -> &str {
        self.time_zone.as_deref().unwrap_or("UTC")
    }
}

/// How a bare SELECT is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultMode {
    Table,
    Changelog,
    Tableau,
}

/// Reads and checks the settings of a file; of a key that is set twice, the last one counts.
pub fn job_settings(sets: &[SetOption], source: &Arc<SourceText>) -> Result<JobSettings> {
    let owner = Owner { phrase: "in SET", format: "", group: Group::Set.name() };
    let values = Values::read(sets.iter().map(Given::from), tables::of_group(Group::Set), &owner, source)?;
    let interval = values.given("execution.checkpointing.interval");
    let epoch_interval = interval.and_then(|_| values.duration("execution.checkpointing.interval"));
    if let (Some(given), Some(epoch)) = (interval, epoch_interval)
        && epoch < EPOCH_INTERVAL_MIN
    {
        let least = show_duration(EPOCH_INTERVAL_MIN);
        return Err(values
            .refuse(&given, "the epoch interval is too short", format!("at least {least}"))
            .fix(format!("write `SET 'execution.checkpointing.interval' = '{least}'`, or more")));
    }
    let lanes = values.integer("parallelism.default");
    if let (Some(given), Some(0)) = (values.given("parallelism.default"), lanes) {
        return Err(values.refuse(&given, "a job needs a lane", "at least 1"));
    }
    let name = values.text("pipeline.name");
    if let (Some(given), Some(text)) = (values.given("pipeline.name"), &name)
        && text.contains(['/', '\\', '\0'])
    {
        return Err(values
            .refuse(&given, "a job's name cannot contain a slash", "")
            .fix("it is the name of its checkpoint folder, too: use letters, digits, `-`, `_` and `.`"));
    }
    if let Some(given) = values.given("table.local-time-zone") {
        check_time_zone(&values, &given)?;
    }
    let given_duration = |key: &str| values.given(key).and_then(|_| values.duration(key));
    Ok(JobSettings {
        epoch_interval,
        lanes: lanes.and_then(|lanes| usize::try_from(lanes).ok()),
        name,
        time_zone: values.given("table.local-time-zone").map(|given| given.value.trim().to_owned()),
        idle_timeout: given_duration("table.exec.source.idle-timeout"),
        state_ttl: given_duration("table.exec.state.ttl"),
        result_mode: values.choice("sql-client.execution.result-mode").map(|mode| match mode {
            "table" => ResultMode::Table,
            "changelog" => ResultMode::Changelog,
            _ => ResultMode::Tableau,
        }),
        ignored: values.ignored(),
    })
}

/// `Europe/Berlin`, `UTC`, `+02:00`, `GMT+02:00`.
fn check_time_zone(values: &Values, given: &Given) -> Result<()> {
    let name = given.value.trim();
    if zone::parse(name).is_some() {
        return Ok(());
    }
    let fix = match nearest::closest(name, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())) {
        Some(close) => format!("did you mean `{close}`?"),
        None => "write a place like `Europe/Berlin`, `UTC`, or an offset like `+02:00`".to_owned(),
    };
    Err(values.refuse(given, "unknown time zone", "no such place or offset").fix(fix))
}
