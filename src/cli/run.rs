//! `windrow run`: keeps a file's queries running.

use std::io::IsTerminal;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::RunArguments;
use super::progress::Progress;
use super::script::{Planned, load};
use crate::config;
use crate::error::{Error, Result};
use crate::job::{Job, RunOptions, Stopper, TerminalFormat};
use crate::sql::options::ResultMode;
use crate::time::Clock;

/// What a process that is told twice to stop exits with: as if the signal had ended it.
const STOPPED_AT_ONCE: i32 = 130;

pub(super) fn run(arguments: RunArguments) -> Result<()> {
    let planned = load(&arguments.file.file, &arguments.file.sets)?;
    let options = options(&arguments, &planned)?;
    let Planned { plan, epoch_clock, .. } = planned;
    for ignored in plan.settings.ignored.iter().map(|i| (&i.option, i.reason)) {
        tracing::warn!(option = ignored.0, "ignored: {}", ignored.1);
    }
    let name = options.name.clone();
    let job = Job::start(plan, epoch_clock, options)?;
    stop_on_signal(job.stopper())?;
    tracing::info!(job = name, "running");
    let mut progress = Progress::new();
    let status = job.run(&mut |status| progress.show(status))?;
    progress.finish(&status);
    Ok(())
}

fn options(arguments: &RunArguments, planned: &Planned) -> Result<RunOptions> {
    let settings = &planned.plan.settings;
    let epoch_interval = arguments.epoch.or(settings.epoch_interval).unwrap_or(config::EPOCH_INTERVAL);
    if epoch_interval < config::EPOCH_INTERVAL_MIN {
        return Err(Error::user("the epoch interval is too short")
            .note("a Kafka transaction takes 7 to 20 ms of each epoch")
            .fix("use 50 ms or more: --epoch 50ms"));
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let lanes = arguments.lanes.map(usize::from).or(settings.lanes).unwrap_or(cores);
    let of_mode = settings.result_mode.map(|mode| match mode {
        ResultMode::Table => TerminalFormat::Table,
        _ => TerminalFormat::Json,
    });
    let fallback = if std::io::stdout().is_terminal() {
        TerminalFormat::Table
    } else {
        of_mode.unwrap_or(TerminalFormat::Json)
    };
    Ok(RunOptions {
        name: arguments
            .name
            .clone()
            .or_else(|| settings.name.clone())
            .unwrap_or_else(|| planned.stem.clone()),
        lanes,
        epoch_interval,
        memory_max_bytes: arguments.memory,
        batch_records_max: config::BATCH_RECORDS_MAX,
        batches_per_cut_max: None,
        interleave_seed: None,
        clock: Clock::System,
        terminal: Box::new(std::io::stdout()),
        terminal_format: arguments.format.map_or(fallback, TerminalFormat::from),
    })
}

/// The first signal finishes the epoch, a second one ends the process at once.
#[expect(clippy::disallowed_methods, reason = "signals are the process's, not a job's")]
pub(super) fn stop_on_signal(stopper: Stopper) -> Result<()> {
    let signals = Signals::new([SIGINT, SIGTERM]);
    let mut signals =
        signals.map_err(|cause| Error::external("cannot listen for signals").caused_by(cause))?;
    std::thread::spawn(move || {
        for (count, _) in signals.forever().enumerate() {
            if count > 0 {
                std::process::exit(STOPPED_AT_ONCE);
            }
            stopper.stop();
        }
    });
    Ok(())
}
