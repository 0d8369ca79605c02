//! Every limit and default, with its reason.

use std::time::Duration;

/// How often the driver makes an epoch: the latency users expect of a micro-batch engine, at a cost that does
/// not show.
pub const EPOCH_INTERVAL: Duration = Duration::from_secs(1);
/// Below this, a Kafka transaction (7 to 20 ms) takes most of each epoch.
pub const EPOCH_INTERVAL_MIN: Duration = Duration::from_millis(50);
/// How long a partition must have been read to its end before it stops holding the watermark back.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// An event time further ahead of the wall clock than this is a wrong clock, not a row: it would close every
/// window.
pub const MAX_FUTURE: Duration = Duration::from_secs(3600);
/// How long to wait for a broker at start before the error is shown.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);
/// How often topics are asked for new partitions.
pub const DISCOVERY_INTERVAL: Duration = Duration::from_secs(10);
/// The memory limit of a job unless `--memory` says otherwise, in bytes.
pub const MEMORY_MAX_BYTES: usize = 512 << 20;
/// How long a clean stop waits for rows handed over without a guarantee.
pub const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);
/// Records a lane takes at once: enough to pay for the fixed cost of a batch, little enough to stay in cache.
pub const BATCH_RECORDS_MAX: usize = 8192;
/// How long a lane waits for a first record before it looks for orders; also the delay an order can have.
pub const POLL_WAIT: Duration = Duration::from_millis(5);
/// What a lane may gather between two cuts before it asks for one and waits, in bytes.
pub const LANE_OUTPUT_MAX_BYTES: usize = 64 << 20;
/// Share of the memory limit that prefetched records may take, over all lanes and tables.
pub const PREFETCH_SHARE: f64 = 0.25;
/// Warnings of one kind are logged at most this often.
pub const WARNING_INTERVAL: Duration = Duration::from_secs(10);
/// A lane measures what it holds after this many batches: measuring walks all groups.
pub const BATCHES_PER_MEASURE: u32 = 16;
