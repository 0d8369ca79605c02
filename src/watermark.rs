//! How far event time has come: per partition, per table, decided once per epoch.
//!
//! ```text
//! newest time − delay, per partition ──minimum over active ones──► W of the table ──never falls──► stages
//! ```
//! * *Idle*: a partition read to an end that the broker has confirmed again and again for the idle timeout no
//!   longer holds the others back. An outage confirms nothing, so it is never idleness.
//! * *Quiet*: when all partitions are idle, W goes on at wall-clock speed from where it stood, so that the
//!   last window closes without another row. It stops at the end of the last window that has data.
//! * *Ended*: a bounded partition that was read to its end counts no more; when all have, W is the end of
//!   time.
//!
//! Pure: time is a parameter. `now` is monotonic.

use std::time::Duration;

use crate::time::EventTime;

/// What decides a table's watermark.
#[derive(Debug, Clone)]
pub struct WatermarkSpec {
    /// `None` if the table has no event time: then W says only whether the input has ended.
    pub delay_micros: Option<i64>,
    /// `None` switches idleness, and with it quiet, off.
    pub idle_timeout: Option<Duration>,
    pub quiet: bool,
    /// Whether the input ends; one without partitions has ended then, else it waits for some.
    pub bounded: bool,
}

/// The clock of one table.
#[derive(Debug)]
pub struct TableClock {
    spec: WatermarkSpec,
    partitions: Vec<Partition>,
    watermark: EventTime,
    quiet: Option<Quiet>,
}

/// Since when all partitions are idle, and where W stood then.
#[derive(Debug, Clone, Copy)]
struct Quiet {
    since: Duration,
    from: EventTime,
}

#[derive(Debug, Clone)]
struct Partition {
    newest: EventTime,
    next_offset: i64,
    /// When an end at or before our position was first confirmed, and when last.
    at_end: Option<(Duration, Duration)>,
    ended: bool,
}

impl TableClock {
    pub fn new(spec: WatermarkSpec) -> Self {
        TableClock { spec, partitions: Vec::new(), watermark: EventTime::MIN, quiet: None }
    }

    /// A partition that will be read from `next_offset`; returns its index. It starts at W.
    pub fn add_partition(&mut self, next_offset: i64) -> usize {
        let partition = Partition { newest: EventTime::MIN, next_offset, at_end: None, ended: false };
        self.partitions.push(partition);
        self.quiet = None;
        self.partitions.len() - 1
    }

    pub fn watermark(&self) -> EventTime {
        self.watermark
    }

    pub fn next_offset(&self, partition: usize) -> i64 {
        self.partitions[partition].next_offset
    }

    /// Rows were read up to `next_offset`, the newest of them at `newest` (MIN if none had a time).
    pub fn observe(&mut self, partition: usize, newest: EventTime, next_offset: i64) {
        let partition = &mut self.partitions[partition];
        if next_offset > partition.next_offset {
            partition.next_offset = next_offset;
            partition.at_end = None;
            self.quiet = None;
        }
        partition.newest = partition.newest.max(newest);
    }

    /// The broker has said at `now` that the partition ends at `end_offset`.
    pub fn confirm_end(&mut self, now: Duration, partition: usize, end_offset: i64) {
        let Some(timeout) = self.spec.idle_timeout else { return };
        let partition = &mut self.partitions[partition];
        partition.at_end = match partition.at_end {
            _ if partition.next_offset < end_offset => None,
            // A gap in the confirmations may hide rows that came and an outage: the wait begins anew.
            Some((since, last)) if now.saturating_sub(last) <= timeout => Some((since, now)),
            _ => Some((now, now)),
        };
    }

    /// A bounded partition has been read to its end.
    pub fn end(&mut self, partition: usize) {
        self.partitions[partition].ended = true;
    }

    /// Whether the table has event time at all.
    pub fn has_time(&self) -> bool {
        self.spec.delay_micros.is_some()
    }

    pub fn has_ended(&self) -> bool {
        self.spec.bounded && self.partitions.iter().all(|partition| partition.ended)
    }

    /// Whether the partition no longer holds the watermark back.
    pub fn is_idle(&self, now: Duration, partition: usize) -> bool {
        let (Some(timeout), Some((since, last))) =
            (self.spec.idle_timeout, self.partitions[partition].at_end)
        else {
            return false;
        };
        now.saturating_sub(since) >= timeout && now.saturating_sub(last) <= timeout
    }

    /// The partition that holds W back, if any does.
    pub fn slowest(&self, now: Duration) -> Option<usize> {
        let active = |i: &usize| !self.partitions[*i].ended && !self.is_idle(now, *i);
        (0..self.partitions.len()).filter(active).min_by_key(|&i| self.partitions[i].newest)
    }

    /// Fixes W for an epoch. `last_window_end` is where the last window ends that has rows of this table.
    pub fn fix(&mut self, now: Duration, last_window_end: Option<EventTime>) -> EventTime {
        let found = if self.has_ended() {
            EventTime::MAX
        } else {
            let Some(delay_micros) = self.spec.delay_micros else { return self.watermark };
            match self.slowest(now) {
                Some(slowest) => {
                    self.quiet = None;
                    self.partitions[slowest].newest.minus(delay_micros)
                }
                None => self.go_on(now, last_window_end),
            }
        };
        self.watermark = self.watermark.max(found);
        self.watermark
    }

    /// W while all is quiet: as the wall clock goes, but never past the data.
    fn go_on(&mut self, now: Duration, last_window_end: Option<EventTime>) -> EventTime {
        if !self.spec.quiet {
            return self.watermark;
        }
        let stood = self.standing();
        let quiet = *self.quiet.get_or_insert(Quiet { since: now, from: stood });
        let passed = i64::try_from(now.saturating_sub(quiet.since).as_micros()).unwrap_or(i64::MAX);
        let Some(limit) = last_window_end else { return self.watermark };
        quiet.from.plus(passed).min(limit)
    }

    /// Where W stands when all partitions fall idle at once: held by the slowest that has had rows.
    fn standing(&self) -> EventTime {
        let newest = self.partitions.iter().map(|p| p.newest).filter(|at| *at != EventTime::MIN).min();
        let delay_micros = self.spec.delay_micros.unwrap_or_default();
        self.watermark.max(newest.map_or(EventTime::MIN, |at| at.minus(delay_micros)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn clock(partitions: usize) -> TableClock {
        let idle_timeout = Some(Duration::from_secs(30));
        let spec =
            WatermarkSpec { delay_micros: Some(10 * SECOND), idle_timeout, quiet: true, bounded: false };
        let mut clock = TableClock::new(spec);
        for _ in 0..partitions {
            clock.add_partition(0);
        }
        clock
    }

    fn at(seconds: i64) -> EventTime {
        EventTime(seconds * SECOND)
    }

    fn now(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Confirms the end every ten seconds over a half-open range.
    fn confirm(clock: &mut TableClock, partition: usize, end_offset: i64, from: u64, to: u64) {
        for second in (from..to).step_by(10) {
            clock.confirm_end(now(second), partition, end_offset);
        }
    }

    #[test]
    fn the_slowest_partition_holds_the_watermark() {
        let mut clock = clock(2);
        clock.observe(0, at(100), 5);
        assert_eq!(clock.fix(now(0), None), EventTime::MIN, "the other partition has not been heard");
        clock.observe(1, at(50), 5);
        assert_eq!(clock.fix(now(0), None), at(40));
        clock.observe(1, at(20), 6);
        assert_eq!(clock.fix(now(0), None), at(40), "an older row does not take the watermark back");
    }

    #[test]
    fn an_idle_partition_lets_the_others_go_on() {
        let mut clock = clock(2);
        clock.observe(0, at(100), 5);
        confirm(&mut clock, 1, 0, 0, 31);
        assert_eq!(clock.fix(now(29), None), EventTime::MIN, "not idle before the timeout");
        assert_eq!(clock.fix(now(31), None), at(90));
    }

    #[test]
    fn an_outage_is_not_idleness() {
        let mut clock = clock(2);
        clock.observe(0, at(100), 5);
        clock.confirm_end(now(0), 1, 0);
        assert_eq!(clock.fix(now(600), None), EventTime::MIN, "nothing was confirmed meanwhile");
        clock.confirm_end(now(601), 1, 0);
        assert_eq!(clock.fix(now(602), None), EventTime::MIN, "the wait begins anew after the gap");
    }

    #[test]
    fn a_partition_that_lags_is_not_idle() {
        let mut clock = clock(1);
        clock.observe(0, at(100), 5);
        confirm(&mut clock, 0, 9, 0, 100);
        assert!(!clock.is_idle(now(99), 0), "four records are unread");
    }

    #[test]
    fn a_quiet_table_goes_on_at_wall_clock_speed_to_the_end_of_its_data() {
        let mut clock = clock(1);
        clock.observe(0, at(100), 5);
        clock.fix(now(0), Some(at(120)));
        confirm(&mut clock, 0, 5, 0, 200);
        assert_eq!(clock.fix(now(30), Some(at(120))), at(90));
        assert_eq!(clock.fix(now(45), Some(at(120))), at(105));
        assert_eq!(clock.fix(now(199), Some(at(120))), at(120), "nothing beyond the data is declared over");
        clock.observe(0, at(300), 6);
        assert_eq!(clock.fix(now(200), Some(at(360))), at(290), "rows take over again");
    }

    #[test]
    fn an_ended_table_is_at_the_end_of_time() {
        let spec = WatermarkSpec {
            delay_micros: Some(10 * SECOND),
            idle_timeout: None,
            quiet: false,
            bounded: true,
        };
        let mut clock = TableClock::new(spec);
        assert!(clock.has_ended(), "an empty folder has nothing to wait for");
        clock.add_partition(0);
        clock.add_partition(0);
        clock.observe(0, at(100), 5);
        clock.end(0);
        clock.observe(1, at(30), 5);
        assert_eq!(clock.fix(now(0), None), at(20), "the partition that goes on decides");
        clock.end(1);
        assert_eq!(clock.fix(now(0), None), EventTime::MAX);
    }

    #[test]
    fn a_pattern_without_a_topic_waits_for_one() {
        let mut clock = clock(0);
        assert!(!clock.has_ended());
        assert_eq!(clock.fix(now(0), None), EventTime::MIN);
    }

    #[test]
    fn a_new_partition_starts_at_the_watermark() {
        let mut clock = clock(1);
        clock.observe(0, at(100), 5);
        assert_eq!(clock.fix(now(0), None), at(90));
        clock.add_partition(0);
        clock.observe(0, at(200), 6);
        assert_eq!(clock.fix(now(1), None), at(90), "it holds W, but does not lower it");
    }
}
