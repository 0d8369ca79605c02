//! Runs a job in this process over files and keeps what it prints.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use windrow::error::{Result, SourceText};
use windrow::functions::EpochClock;
use windrow::job::status::Status;
use windrow::job::{Job, RunOptions, TerminalFormat};
use windrow::plan::{JobPlan, planner};
use windrow::sql;
use windrow::time::Clock;

/// How a job is run; its results must not depend on it.
#[derive(Debug, Clone)]
pub struct Way {
    pub lanes: usize,
    pub epoch_interval: Duration,
    pub batch_records_max: usize,
    pub batches_per_cut_max: Option<u32>,
    pub interleave_seed: Option<u64>,
    pub format: TerminalFormat,
}

impl Default for Way {
    fn default() -> Way {
        Way {
            lanes: 2,
            epoch_interval: Duration::from_millis(5),
            batch_records_max: 1024,
            batches_per_cut_max: None,
            interleave_seed: None,
            format: TerminalFormat::Json,
        }
    }
}

/// What a job has printed, and its numbers at the end.
pub struct Outcome {
    pub text: String,
    pub status: Status,
}

pub fn plan(sql: &str, epoch_clock: &Arc<EpochClock>) -> Result<JobPlan> {
    let source = Arc::new(SourceText { name: "case.sql".into(), text: sql.to_string() });
    planner::plan(sql::parse(&source, &|_| Ok(None))?, epoch_clock)
}

pub fn run(sql: &str, way: &Way) -> Result<Outcome> {
    watch(sql, way, &mut |_| {})
}

/// Runs a job to the end of its input, and shows its numbers after each epoch.
pub fn watch(sql: &str, way: &Way, on_epoch: &mut dyn FnMut(&Status)) -> Result<Outcome> {
    let clock = Clock::System;
    let epoch_clock = Arc::new(EpochClock::new(clock.now()));
    let plan = plan(sql, &epoch_clock)?;
    let terminal = Kept::default();
    let options = RunOptions {
        name: "case".into(),
        lanes: way.lanes,
        epoch_interval: way.epoch_interval,
        memory_max_bytes: 256 << 20,
        batch_records_max: way.batch_records_max,
        batches_per_cut_max: way.batches_per_cut_max,
        interleave_seed: way.interleave_seed,
        clock,
        terminal: Box::new(terminal.clone()),
        terminal_format: way.format,
    };
    let status = Job::start(plan, epoch_clock, options)?.run(on_epoch)?;
    let text = String::from_utf8(terminal.0.lock().unwrap().clone()).unwrap();
    Ok(Outcome { text, status })
}

/// A terminal whose text can be read afterwards.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A folder of its own for a test, gone with it.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("windrow-{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}
