//! The vocabulary of time: event time, the wall clock, durations as people write them.

pub mod zone;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// A moment of the stream: microseconds since 1970-01-01 00:00:00, in UTC or without a zone.
///
/// [`EventTime::MIN`] is "nothing seen yet" and [`EventTime::MAX`] "the input has ended"; both survive
/// arithmetic, which saturates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventTime(pub i64);

impl EventTime {
    pub const MIN: EventTime = EventTime(i64::MIN);
    pub const MAX: EventTime = EventTime(i64::MAX);

    pub fn plus(self, micros: i64) -> Self {
        match self {
            Self::MIN | Self::MAX => self,
            EventTime(at) => EventTime(at.saturating_add(micros)),
        }
    }

    pub fn minus(self, micros: i64) -> Self {
        self.plus(micros.saturating_neg())
    }
}

impl fmt::Display for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match chrono::DateTime::from_timestamp_micros(self.0) {
            _ if *self == Self::MIN => f.write_str("none"),
            _ if *self == Self::MAX => f.write_str("end"),
            Some(at) => write!(f, "{}", at.format("%Y-%m-%d %H:%M:%S%.f")),
            None => write!(f, "{} us", self.0),
        }
    }
}

/// How a window table function divides time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// Windows `[start, start + size)`, one beside the other; `start` is a multiple of the size after the
    /// offset.
    Tumble {
        size_micros: i64,
        offset_micros: i64,
        /// Bounds are times of the job's wall clock, not moments: a day may have 23 or 25 hours.
        is_local: bool,
    },
    /// All of a bounded input in one.
    All,
}

impl Window {
    /// The start of the window that holds `at`.
    pub fn start_of(self, at: EventTime) -> EventTime {
        match self {
            Window::All => EventTime::MIN,
            Window::Tumble { .. } if at == EventTime::MIN || at == EventTime::MAX => at,
            Window::Tumble { size_micros, offset_micros, .. } => {
                let since = at.0.saturating_sub(offset_micros).rem_euclid(size_micros);
                EventTime(at.0.saturating_sub(since))
            }
        }
    }

    /// Whether its bounds are times of the job's wall clock.
    pub fn is_local(self) -> bool {
        matches!(self, Window::Tumble { is_local: true, .. })
    }

    /// The end of the window that starts at `start`.
    pub fn end_of(self, start: EventTime) -> EventTime {
        match self {
            Window::All => EventTime::MAX,
            Window::Tumble { size_micros, .. } => start.plus(size_micros),
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |micros: i64| show_duration(Duration::from_micros(micros.unsigned_abs()));
        match self {
            Window::All => f.write_str("all of the input"),
            Window::Tumble { size_micros, offset_micros: 0, .. } => {
                write!(f, "tumbling windows of {}", show(*size_micros))
            }
            Window::Tumble { size_micros, offset_micros, .. } => {
                let sign = if *offset_micros < 0 { "-" } else { "" };
                write!(f, "tumbling windows of {}, offset {sign}{}", show(*size_micros), show(*offset_micros))
            }
        }
    }
}

/// The wall clock and the clock of intervals, as a parameter so that tests own time.
#[derive(Debug, Clone)]
pub enum Clock {
    System,
    /// Stands still until it is set: wall clock, microseconds.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    pub fn manual(now: EventTime) -> Self {
        Clock::Manual(Arc::new(AtomicI64::new(now.0)))
    }

    /// Wall-clock time in UTC. May step back; nothing durable may depend on its order.
    pub fn now(&self) -> EventTime {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
            Clock::System => EventTime(chrono::Utc::now().timestamp_micros()),
            Clock::Manual(at) => EventTime(at.load(Ordering::Relaxed)),
        }
    }

    /// Monotonic time since an arbitrary moment, for intervals.
    pub fn elapsed(&self) -> Duration {
        match self {
            Clock::System => {
                static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
                START.elapsed()
            }
            Clock::Manual(at) => Duration::from_micros(at.load(Ordering::Relaxed).max(0) as u64),
        }
    }

    /// Moves a manual clock forward; the system's clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Clock::Manual(at) = self {
            at.fetch_add(by.as_micros() as i64, Ordering::Relaxed);
        }
    }
}

/// Reads a duration as Flink writes it: `30 s`, `1s`, `500 ms`, `1 min`, `1 h 30 min`; a bare number is
/// milliseconds.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let count: u64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        total = total.checked_add(unit_of(&rest[..letters], count)?)?;
        rest = rest[letters..].trim_start();
    }
    Some(total)
}

fn unit_of(unit: &str, count: u64) -> Option<Duration> {
    let seconds = |per: u64| count.checked_mul(per).map(Duration::from_secs);
    match unit.to_lowercase().as_str() {
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => Some(Duration::from_millis(count)),
        "us" | "µs" | "micro" | "micros" | "microsecond" | "microseconds" => {
            Some(Duration::from_micros(count))
        }
        "ns" | "nano" | "nanos" | "nanosecond" | "nanoseconds" => Some(Duration::from_nanos(count)),
        "s" | "sec" | "secs" | "second" | "seconds" => seconds(1),
        "m" | "min" | "mins" | "minute" | "minutes" => seconds(60),
        "h" | "hour" | "hours" => seconds(3600),
        "d" | "day" | "days" => seconds(86_400),
        _ => None,
    }
}

/// The shortest exact spelling that [`parse_duration`] reads back: `1 h`, `90 s`, `1500 ms`.
pub fn show_duration(duration: Duration) -> String {
    let micros = duration.as_micros();
    let units =
        [(86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"), (1_000, "ms")];
    match units.iter().find(|(per, _)| micros != 0 && micros.is_multiple_of(*per)) {
        Some((per, unit)) => format!("{} {unit}", micros / per),
        None if micros == 0 => "0 s".into(),
        None => format!("{micros} us"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_flink_writes_them() {
        for (text, millis) in
            [("30 s", 30_000), ("1s", 1_000), ("500 ms", 500), ("250", 250), ("1 h 30 min", 5_400_000)]
        {
            assert_eq!(parse_duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "1 fortnight", "-1 s", "1.5 s"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn shown_durations_are_read_back() {
        for millis in [0, 1, 999, 1_000, 90_000, 3_600_000, 86_400_000, 86_401_000] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse_duration(&show_duration(duration)), Some(duration));
        }
    }

    #[test]
    fn windows_floor_before_1970_and_with_any_offset() {
        let minute = |offset_micros| Window::Tumble { size_micros: 60, offset_micros, is_local: false };
        assert_eq!(minute(0).start_of(EventTime(-1)), EventTime(-60));
        assert_eq!(minute(0).start_of(EventTime(60)), EventTime(60));
        assert_eq!(minute(15).start_of(EventTime(14)), EventTime(-45));
        assert_eq!(minute(-15).start_of(EventTime(44)), EventTime(-15));
        assert_eq!(minute(0).end_of(EventTime::MAX), EventTime::MAX);
    }

    #[test]
    fn the_ends_of_time_survive_arithmetic() {
        assert_eq!(EventTime::MIN.minus(1), EventTime::MIN);
        assert_eq!(EventTime::MAX.minus(1), EventTime::MAX);
        assert_eq!(EventTime(i64::MAX - 1).plus(5), EventTime(i64::MAX));
    }
}
