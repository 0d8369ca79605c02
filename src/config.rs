//! Every limit and default, with its reason.

use std::time::Duration;

/// How often the driver makes an epoch: the latency users expect of a micro-batch engine, at a cost that does not show.
pub const EPOCH_INTERVAL: Duration = Duration::from_secs(1);
/// Below this, a Kafka transaction (7 to 20 ms) takes most of each epoch.
pub const EPOCH_INTERVAL_MIN: Duration = Duration::from_millis(50);
/// How long a partition must have been read to its end before it stops holding the watermark back.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// An event time further ahead of the wall clock than this is a wrong clock, not a row: it would close every window.
pub const MAX_FUTURE: Duration = Duration::from_secs(3600);
/// How long to wait for a broker at start before the error is shown.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);
/// How often topics are asked for new partitions.
pub const DISCOVERY_INTERVAL: Duration = Duration::from_secs(10);
/// The memory limit of a job unless `--memory` says otherwise, in bytes.
pub const MEMORY_MAX_BYTES: usize = 512 << 20;
