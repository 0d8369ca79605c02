//! What a running job shows of itself: one live line on a terminal, a log line a minute elsewhere.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use crate::job::Status;
use crate::time::EventTime;

const LOG_INTERVAL: Duration = Duration::from_secs(60);
const LINE_INTERVAL: Duration = Duration::from_millis(500);

pub(super) struct Progress {
    is_terminal: bool,
    shown: Duration,
    records: u64,
    drawn: bool,
}

impl Progress {
    pub fn new() -> Self {
        Progress {
            is_terminal: std::io::stderr().is_terminal(),
            shown: Duration::ZERO,
            records: 0,
            drawn: false,
        }
    }

    pub fn show(&mut self, status: &Status) {
        let passed = status.elapsed.saturating_sub(self.shown);
        let interval = if self.is_terminal { LINE_INTERVAL } else { LOG_INTERVAL };
        if passed < interval {
            return;
        }
        let per_second = (status.records() - self.records) as f64 / passed.as_secs_f64().max(1e-3);
        self.shown = status.elapsed;
        self.records = status.records();
        let line = line(status, per_second);
        if self.is_terminal {
            self.drawn = true;
            let mut err = std::io::stderr();
            // A status line that cannot be drawn is no reason to stop.
            drop(write!(err, "\r\x1b[2K{line}").and_then(|()| err.flush()));
        } else {
            tracing::info!("{line}");
        }
    }

    pub fn finish(&mut self, status: &Status) {
        if self.drawn {
            eprint!("\r\x1b[2K");
        }
        let seconds = status.elapsed.as_secs_f64().max(1e-3);
        tracing::info!("done: {}", line(status, status.records() as f64 / seconds));
    }
}

fn line(status: &Status, per_second: f64) -> String {
    let behind = match status.watermark {
        EventTime::MIN => "none yet".to_string(),
        EventTime::MAX => "at the end".to_string(),
        at => format!("{} s behind", (status.now.0 - at.0) / 1_000_000),
    };
    format!(
        "{} records ({per_second:.0}/s), {} results, lag {}, watermark {behind}, {} open windows, {} bad, \
         {} late",
        status.records(),
        status.rows_out,
        status.lag,
        status.open_windows,
        status.bad(),
        status.late
    )
}
