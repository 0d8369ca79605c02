//! Whole jobs against a real Kafka: SQL in, records in topics, results in topics, compared with a recount.
//!
//! Every test has topics and a job name of its own. Nothing sleeps: a test waits for records in a topic or
//! for what the job says of itself, with a deadline.

mod analytics;
mod binary;
mod idle;
mod orders;
mod outage;
mod records;
mod rejects;
mod running;
mod scan;
mod sinks;

use std::time::Duration;

/// Generous, because several brokers, jobs and builds may share the machine.
const LIMIT: Duration = Duration::from_secs(60);
