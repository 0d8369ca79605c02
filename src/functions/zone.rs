//! The session's time zone, as functions see it.
//!
//! Arrow's own cast to a time without zone keeps the UTC digits; Flink, and so Windrow, shows the wall clock
//! of the session's time zone.

use arrow::array::timezone::Tz;
use datafusion::common::{Result, plan_datafusion_err};
use datafusion::config::ConfigOptions;

use crate::time::zone;
pub(super) use crate::time::zone::{moment_of, naive, wall_of};

/// The session's time zone; `None` is UTC.
pub(super) fn of_session(config: &ConfigOptions) -> Result<Option<Tz>> {
    config.execution.time_zone.as_deref().map_or(Ok(None), of_name)
}

/// The zone of a name; `None` is UTC.
pub(super) fn of_name(name: &str) -> Result<Option<Tz>> {
    if zone::is_utc(name) { Ok(None) } else { parse(name).map(Some) }
}

/// A name (`Europe/Berlin`), an offset (`+08:00`) or Java's `GMT-08:00`.
pub(super) fn parse(name: &str) -> Result<Tz> {
    zone::parse(name).ok_or_else(|| {
        plan_datafusion_err!("`{name}` is not a time zone: write it like `Europe/Berlin` or `+08:00`")
    })
}
