//! A job inside the test process, on a thread of its own.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use windrow::error::{Result, SourceText};
use windrow::functions::EpochClock;
use windrow::job::{Job, RunOptions, Status, Stopper, TerminalFormat};
use windrow::plan::planner;
use windrow::sql;
use windrow::time::Clock;

use super::LIMIT;
use crate::broker::unique;

/// What `${NAME}` stands for.
pub type Values<'a> = &'a [(&'a str, &'a str)];

/// Runs until it is stopped or its input ends; stopped when dropped.
pub struct Running {
    thread: Option<JoinHandle<Result<Status>>>,
    stopper: Stopper,
    statuses: Receiver<Status>,
}

impl Running {
    #[expect(clippy::disallowed_methods, reason = "the job has a thread of its own, as in the binary")]
    pub fn start(text: &str, values: Values<'_>, lanes: usize) -> Running {
        let job = open(text, values, lanes).unwrap_or_else(|error| panic!("the job does not start: {error}"));
        let stopper = job.stopper();
        let (sender, statuses) = channel();
        let run = move || {
            job.run(&mut |status| {
                // A test that looks no more needs no status.
                drop(sender.send(status.clone()));
            })
        };
        let thread = std::thread::Builder::new().name("job".into()).spawn(run).unwrap();
        Running { thread: Some(thread), stopper, statuses }
    }

    /// Waits for an epoch from now on after which the job's numbers satisfy `done`.
    pub fn until(&mut self, done: impl Fn(&Status) -> bool) -> Status {
        while self.statuses.try_recv().is_ok() {}
        let deadline = Instant::now() + LIMIT;
        let mut last = None;
        loop {
            match self.statuses.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(status) if done(&status) => return status,
                Ok(status) => last = Some(status),
                Err(RecvTimeoutError::Timeout) => panic!("not reached; the job says {last:?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("the job has ended: {:?}", self.join()),
            }
        }
    }

    /// Asks it to stop and waits for its end.
    pub fn stop(mut self) -> Status {
        self.stopper.stop();
        self.join().unwrap_or_else(|error| panic!("the job has failed: {error}"))
    }

    /// Waits for it to end by itself.
    pub fn ended(mut self) -> Result<Status> {
        let deadline = Instant::now() + LIMIT;
        while self.statuses.recv_timeout(deadline.saturating_duration_since(Instant::now())).is_ok() {}
        assert!(Instant::now() < deadline, "the job does not end by itself");
        self.join()
    }

    fn join(&mut self) -> Result<Status> {
        self.thread.take().expect("a job ends once").join().expect("the job's thread has panicked")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Runs a job whose input is bounded, to its end.
pub fn run_to_end(text: &str, lanes: usize) -> Status {
    let job = Running::start(text, &[], lanes);
    job.ended().unwrap_or_else(|error| panic!("the job has failed: {error}"))
}

/// A job with everything opened, ready to run.
pub fn open(text: &str, values: Values<'_>, lanes: usize) -> Result<Job> {
    let source = Arc::new(SourceText { name: "test.sql".into(), text: text.to_string() });
    let value = |name: &str| Ok(values.iter().find(|(known, _)| *known == name).map(|(_, v)| v.to_string()));
    let epoch_clock = Arc::new(EpochClock::new(Clock::System.now()));
    let plan = planner::plan(sql::parse(&source, &value)?, &epoch_clock)?;
    let options = RunOptions {
        name: unique("job"),
        lanes,
        epoch_interval: Duration::from_millis(100),
        memory_max_bytes: 128 << 20,
        batch_records_max: 8192,
        batches_per_cut_max: None,
        interleave_seed: None,
        clock: Clock::System,
        terminal: Box::new(std::io::sink()),
        terminal_format: TerminalFormat::Json,
    };
    Job::start(plan, epoch_clock, options)
}

/// The query that the project is measured by.
pub fn order_analytics() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries/order_analytics.sql");
    std::fs::read_to_string(file).unwrap()
}
