//! A lane: one thread that polls, decodes, filters and aggregates its share of the partitions.
//!
//! It shares nothing and waits for nobody. Between two batches it looks for orders; a cut hands over what it
//! has gathered. Its state is a function of exactly the records below its `next_offset`s, so that the number
//! of lanes changes no result.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::timezone::Tz;
use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use crossbeam_channel::{Receiver, Sender, TryRecvError};

use crate::config;
use crate::error::{Error, Result};
use crate::format::EncodedRows;
use crate::job::intake::{Intake, PartitionName, Rows};
use crate::job::message::{Assignment, CutAnswer, Order, Place, ReadCounts, ReadId, Report, Seen};
use crate::job::routing::Router;
use crate::plan::StageId;
use crate::sink::RoutedRecord;
use crate::sink::encode::Encoder;
use crate::source::{Event, Reader, Record};
use crate::stage::map::Chain;
use crate::state::panes::Gather;
use crate::time::zone::{earliest_wall_from, wall_of};
use crate::time::{Clock, EventTime};

/// One thread's work; see the module's text.
pub struct Lane {
    pub tables: Vec<LaneTable>,
    pub orders: Receiver<Order>,
    pub reports: Sender<Report>,
    pub clock: Clock,
    /// The watermark of each stage at the last cut.
    pub watermarks: Arc<[EventTime]>,
    /// A lane that holds more than this waits for a cut, in bytes.
    pub held_bytes_max: usize,
    /// So does one that has taken this many batches since the last cut.
    pub batches_per_cut_max: Option<u32>,
    pub batches: u32,
    pub asked_for_cut: bool,
    /// Batches since the held bytes were last measured, which is not free with many groups.
    pub unmeasured: u32,
}

/// A table as one lane reads it.
pub struct LaneTable {
    pub read: ReadId,
    pub reader: Reader,
    pub intake: Intake,
    pub feeds: Vec<LaneFeed>,
    pub router: Router,
    /// By the reader's index.
    pub partitions: Vec<LanePartition>,
    pub names: Vec<PartitionName>,
    pub counts: ReadCounts,
    pub routed: Vec<RoutedRecord>,
}

pub struct LanePartition {
    /// Index in the table's clock.
    index: usize,
    /// First offset this lane has not yet put into any window: one past the last record read, so that a
    /// restart neither repeats nor skips.
    next_offset: i64,
    end_offset: Option<i64>,
    ended: bool,
}

/// What a lane does with the rows of one feed.
pub struct LaneFeed {
    pub stage: StageId,
    pub chain: Chain,
    pub output: Output,
    /// Set if the windows go by the wall clock of a zone.
    pub zone: Option<Tz>,
    pub late: u64,
}

pub enum Output {
    /// Into the windows of a `window` stage.
    Windows(Gather),
    /// As they are, for a `map` stage of the driver.
    Rows(Vec<RecordBatch>),
    /// Encoded, for a `map` stage that only a sink reads.
    Encoded(Encoder, EncodedRows),
}

impl Lane {
    /// Works until the driver has gone; a failure is reported, and ends the lane.
    pub fn run(mut self) {
        if let Err(error) = self.work() {
            // If the driver has gone, nobody is left to be told.
            drop(self.reports.send(Report::Failed(error)));
        }
    }

    fn work(&mut self) -> Result<()> {
        loop {
            match self.orders.try_recv() {
                Ok(order) => {
                    self.obey(order)?;
                    continue;
                }
                Err(TryRecvError::Disconnected) => return Ok(()),
                Err(TryRecvError::Empty) => {}
            }
            if self.is_full() {
                if !self.asked_for_cut {
                    self.asked_for_cut = true;
                    self.report(Report::Full);
                }
                // Waits for the cut: that is the back-pressure.
                match self.orders.recv_timeout(config::POLL_WAIT) {
                    Ok(order) => self.obey(order)?,
                    Err(crossbeam_channel::RecvTimeoutError::Timeout) => {}
                    Err(crossbeam_channel::RecvTimeoutError::Disconnected) => return Ok(()),
                }
                continue;
            }
            if self.poll()? {
                self.batches = self.batches.saturating_add(1);
            } else {
                match self.orders.recv_timeout(config::POLL_WAIT) {
                    Ok(order) => self.obey(order)?,
                    Err(crossbeam_channel::RecvTimeoutError::Timeout) => {}
                    Err(crossbeam_channel::RecvTimeoutError::Disconnected) => return Ok(()),
                }
            }
        }
    }

    fn report(&self, report: Report) {
        // A driver that has gone ends the lane at its next look for orders.
        drop(self.reports.send(report));
    }

    fn obey(&mut self, order: Order) -> Result<()> {
        match order {
            Order::Add(assignment) => {
                let table = self.tables.iter_mut().find(|table| table.read == assignment.read);
                let table =
                    table.ok_or_else(|| Error::internal("a partition of a table this lane does not read"))?;
                if let Some(seen) = table.add(assignment)? {
                    let read = table.read;
                    self.report(Report::Progress { read, seen: vec![seen] });
                }
                Ok(())
            }
            Order::Cut { watermarks } => {
                let answer = self.cut(&watermarks)?;
                self.watermarks = watermarks;
                self.asked_for_cut = false;
                self.batches = 0;
                self.report(Report::Cut(Box::new(answer)));
                Ok(())
            }
        }
    }

    /// Takes one batch of each table; `false` if there was nothing and no time has been spent waiting for it.
    fn poll(&mut self) -> Result<bool> {
        let is_open = |table: &&mut LaneTable| !table.partitions.iter().all(|partition| partition.ended);
        let open = self.tables.iter_mut().filter(is_open).count();
        // Waiting on one of several tables would hold up the others.
        let wait = if open == 1 { config::POLL_WAIT } else { Duration::ZERO };
        let mut busy = false;
        for table in self.tables.iter_mut().filter(is_open) {
            let mut reports = Vec::new();
            let taken = table.poll(wait, &self.watermarks, &self.clock, &mut reports)?;
            busy |= taken > 0 || (open == 1 && matches!(table.reader, Reader::Kafka(_)));
            for report in reports {
                drop(self.reports.send(report));
            }
        }
        Ok(busy)
    }

    fn cut(&mut self, watermarks: &[EventTime]) -> Result<CutAnswer> {
        let mut answer = CutAnswer::default();
        for table in &mut self.tables {
            table.cut(watermarks, &mut answer)?;
        }
        Ok(answer)
    }

    /// Measured now and then, and after that again and again until the cut.
    fn is_full(&mut self) -> bool {
        if self.batches_per_cut_max.is_some_and(|max| self.batches >= max) {
            return true;
        }
        self.unmeasured += 1;
        if self.unmeasured < config::BATCHES_PER_MEASURE && !self.asked_for_cut {
            return false;
        }
        self.unmeasured = 0;
        self.held_bytes() > self.held_bytes_max
    }

    fn held_bytes(&self) -> usize {
        self.tables.iter().map(LaneTable::held_bytes).sum()
    }
}

impl LaneTable {
    /// Starts to read a partition; one that has nothing to read is reported as ended at once.
    fn add(&mut self, assignment: Assignment) -> Result<Option<Seen>> {
        let Assignment { partition, place, next_offset, end_offset, .. } = assignment;
        let ended = end_offset.is_some_and(|end| next_offset >= end);
        let name = match (&mut self.reader, place) {
            (Reader::Kafka(reader), Place::Kafka(at)) => {
                let name = PartitionName { topic: Arc::clone(&at.topic), number: at.partition };
                let index = reader.add(at, next_offset)?;
                if ended {
                    reader.pause(index)?;
                }
                name
            }
            (Reader::Files(reader), Place::File(path)) => {
                reader.add(&path, next_offset)?;
                let topic = Arc::from(path.to_string_lossy().as_ref());
                PartitionName { topic, number: i32::try_from(partition).unwrap_or(i32::MAX) }
            }
            _ => return Err(Error::internal("a partition of another kind than its table")),
        };
        self.partitions.push(LanePartition { index: partition, next_offset, end_offset, ended });
        self.names.push(name);
        let newest = EventTime::MIN;
        Ok(ended.then_some(Seen { partition, newest, next_offset, at_end: true, ended }))
    }

    /// Takes a batch and returns how many events it had.
    fn poll(
        &mut self,
        wait: Duration,
        watermarks: &[EventTime],
        clock: &Clock,
        reports: &mut Vec<Report>,
    ) -> Result<usize> {
        let batch = self.reader.poll(wait)?;
        let events = batch.events();
        let taken = events.len();
        if taken == 0 {
            return Ok(0);
        }
        let mut records = Vec::with_capacity(taken);
        let mut seen = SeenBy::new(self.partitions.len());
        for event in events {
            match event {
                Event::Record(record) => {
                    let partition = &mut self.partitions[record.partition()];
                    if partition.end_offset.is_some_and(|end| record.offset() >= end) {
                        seen.end(record.partition());
                        continue;
                    }
                    partition.next_offset = record.next_offset();
                    seen.touch(record.partition());
                    records.push(record);
                }
                Event::End { partition: index, next_offset } => {
                    let partition = &mut self.partitions[index];
                    // Records that transactions and compaction leave out have offsets, too.
                    partition.next_offset = partition.next_offset.max(next_offset);
                    seen.at_end(index);
                }
                Event::Lost { partition, reason } => {
                    let partition = self.partitions[partition].index;
                    reports.push(Report::Lost { read: self.read, partition, reason });
                }
                Event::Trouble(text) => reports.push(Report::Trouble(text)),
            }
        }
        let is_file = matches!(batch, crate::source::Batch::Lines(_));
        for (index, partition) in self.partitions.iter_mut().enumerate() {
            let reached = partition.end_offset.is_some_and(|end| partition.next_offset >= end);
            if !partition.ended && (reached || (is_file && seen.is_at_end(index))) {
                seen.end(index);
            }
        }
        let rows = self.intake.take(&records, &self.names, clock.now())?;
        self.counts.records += records.len() as u64;
        self.counts.bytes += records.iter().map(|r| r.payload().map_or(0, <[u8]>::len) as u64).sum::<u64>();
        self.counts.tombstones += rows.tombstones;
        for (row, time) in rows.times.iter().enumerate() {
            seen.newest(records[rows.record_of[row] as usize].partition(), EventTime(*time));
        }
        let taken_in = Taken { rows: &rows, records: &records, names: &self.names, router: &self.router };
        taken_in.reject(&mut self.counts, &mut self.routed)?;
        taken_in.feed(&mut self.feeds, watermarks, &mut self.routed)?;
        drop(records);
        drop(batch);
        self.end_partitions(&seen)?;
        let seen = seen.report(&self.partitions);
        if !seen.is_empty() {
            reports.push(Report::Progress { read: self.read, seen });
        }
        Ok(taken)
    }

    /// Stops fetching what lies beyond the end of a bounded read.
    fn end_partitions(&mut self, seen: &SeenBy) -> Result<()> {
        for (index, partition) in self.partitions.iter_mut().enumerate() {
            if seen.has_ended(index) && !partition.ended {
                partition.ended = true;
                if let Reader::Kafka(reader) = &mut self.reader {
                    reader.pause(index)?;
                }
            }
        }
        Ok(())
    }

    fn cut(&mut self, watermarks: &[EventTime], answer: &mut CutAnswer) -> Result<()> {
        for feed in &mut self.feeds {
            let stage = feed.stage;
            match &mut feed.output {
                Output::Windows(gather) => {
                    let runs = gather.drain(watermarks[stage]).map_err(evaluation_failed)?;
                    answer.runs.push((stage, runs));
                }
                Output::Rows(rows) => answer.rows.push((stage, std::mem::take(rows))),
                Output::Encoded(_, rows) => answer.encoded.push((stage, std::mem::take(rows))),
            }
            if feed.late > 0 {
                answer.late.push((stage, std::mem::take(&mut feed.late)));
            }
        }
        answer.routed.append(&mut self.routed);
        answer.counts.push((self.read, std::mem::take(&mut self.counts)));
        let offsets = self.partitions.iter().map(|p| (self.read, p.index, p.next_offset));
        answer.next_offsets.extend(offsets);
        answer.held_bytes += self.held_bytes();
        Ok(())
    }

    fn held_bytes(&self) -> usize {
        let feeds: usize = self.feeds.iter().map(LaneFeed::held_bytes).sum();
        feeds + self.routed.iter().map(|r| r.value.as_ref().map_or(0, Vec::len)).sum::<usize>()
    }
}

impl LaneFeed {
    fn held_bytes(&self) -> usize {
        match &self.output {
            Output::Windows(gather) => gather.size_bytes(),
            Output::Rows(rows) => rows.iter().map(RecordBatch::get_array_memory_size).sum(),
            Output::Encoded(_, rows) => rows.bytes(),
        }
    }

    fn take(&mut self, batch: &RecordBatch) -> Result<()> {
        let rows = self.chain.run(batch).map_err(evaluation_failed)?;
        if rows.num_rows() == 0 {
            return Ok(());
        }
        match &mut self.output {
            Output::Windows(gather) => gather.add(&rows).map_err(evaluation_failed),
            Output::Rows(batches) => {
                batches.push(rows);
                Ok(())
            }
            Output::Encoded(encoder, out) => encoder.encode(&rows, out),
        }
    }

    /// Takes the rows that are not before `late_before`; counts the others and names their records.
    fn take_on_time(&mut self, rows: &Rows, late_before: EventTime, late: &mut BTreeSet<u32>) -> Result<()> {
        let times = rows.times.iter().map(|at| self.window_time(EventTime(*at)));
        let is_late: Vec<bool> = times.map(|at| at < late_before).collect();
        let failed = |cause| Error::internal("late rows cannot be told apart").caused_by(cause);
        let on_time: BooleanArray = is_late.iter().map(|late| Some(!late)).collect();
        self.take(&filter_record_batch(&rows.batch, &on_time).map_err(failed)?)?;
        for row in (0..is_late.len()).filter(|&row| is_late[row]) {
            // A row that the query leaves out anyway is not late for it.
            let kept = self.chain.run(&rows.batch.slice(row, 1)).map_err(evaluation_failed)?;
            if kept.num_rows() > 0 {
                self.late += kept.num_rows() as u64;
                late.insert(rows.record_of[row]);
            }
        }
        Ok(())
    }

    /// A row's time on the clock that the windows go by.
    fn window_time(&self, at: EventTime) -> EventTime {
        self.zone.as_ref().map_or(at, |zone| EventTime(wall_of(at.0, zone)))
    }

    /// The earliest of those of rows that are not before `oldest`.
    fn earliest_window_time(&self, oldest: EventTime) -> EventTime {
        self.zone.as_ref().map_or(oldest, |zone| earliest_wall_from(oldest, zone))
    }

    /// Rows before this time are late: their window has been closed.
    fn late_before(&self, watermarks: &[EventTime]) -> EventTime {
        match &self.output {
            Output::Windows(gather) => gather.window().start_of(watermarks[self.stage]),
            Output::Rows(_) | Output::Encoded(..) => EventTime::MIN,
        }
    }
}

/// An expression that fails on a row stops the job: the row can neither be counted nor left out.
pub fn evaluation_failed(cause: datafusion::error::DataFusionError) -> Error {
    Error::user("an expression failed on a row")
        .caused_by(cause)
        .fix("guard it, for example with TRY_CAST, NULLIF or CASE WHEN")
}

/// Records of one batch, and the rows that came of them.
struct Taken<'a> {
    rows: &'a Rows,
    records: &'a [Record<'a>],
    names: &'a [PartitionName],
    router: &'a Router,
}

impl Taken<'_> {
    fn name_of(&self, record: &Record<'_>) -> &PartitionName {
        &self.names[record.partition()]
    }

    /// Counts the records that gave no row, and routes them.
    fn reject(&self, counts: &mut ReadCounts, routed: &mut Vec<RoutedRecord>) -> Result<()> {
        for (index, bad) in &self.rows.rejected {
            let record = &self.records[*index as usize];
            counts.add_bad(bad.reason.as_str(), 1);
            routed.extend(self.router.bad(record, self.name_of(record), bad)?);
        }
        Ok(())
    }

    /// Gives the rows to every feed; those that are late for one are counted and routed.
    fn feed(
        &self,
        feeds: &mut [LaneFeed],
        watermarks: &[EventTime],
        routed: &mut Vec<RoutedRecord>,
    ) -> Result<()> {
        let rows = self.rows;
        if rows.batch.num_rows() == 0 {
            return Ok(());
        }
        let oldest = rows.times.iter().min().map_or(EventTime::MAX, |at| EventTime(*at));
        let mut late_records = BTreeSet::new();
        for feed in feeds {
            let late_before = feed.late_before(watermarks);
            if feed.earliest_window_time(oldest) >= late_before {
                feed.take(&rows.batch)?;
            } else {
                feed.take_on_time(rows, late_before, &mut late_records)?;
            }
        }
        for index in late_records {
            let record = &self.records[index as usize];
            routed.extend(self.router.late(record, self.name_of(record)));
        }
        Ok(())
    }
}

/// What one batch has shown of each partition.
struct SeenBy {
    partitions: Vec<SeenOne>,
}

#[derive(Clone, Copy)]
struct SeenOne {
    touched: bool,
    newest: EventTime,
    at_end: bool,
    ended: bool,
}

impl SeenBy {
    fn new(partitions: usize) -> Self {
        let none = SeenOne { touched: false, newest: EventTime::MIN, at_end: false, ended: false };
        SeenBy { partitions: vec![none; partitions] }
    }

    fn touch(&mut self, partition: usize) {
        self.partitions[partition].touched = true;
    }

    fn at_end(&mut self, partition: usize) {
        self.touch(partition);
        self.partitions[partition].at_end = true;
    }

    fn is_at_end(&self, partition: usize) -> bool {
        self.partitions[partition].at_end
    }

    fn has_ended(&self, partition: usize) -> bool {
        self.partitions[partition].ended
    }

    fn end(&mut self, partition: usize) {
        self.touch(partition);
        self.partitions[partition].ended = true;
    }

    fn newest(&mut self, partition: usize, at: EventTime) {
        let seen = &mut self.partitions[partition];
        seen.newest = seen.newest.max(at);
    }

    fn report(&self, partitions: &[LanePartition]) -> Vec<Seen> {
        let touched = self.partitions.iter().zip(partitions).filter(|(seen, _)| seen.touched);
        let report = |(seen, partition): (&SeenOne, &LanePartition)| Seen {
            partition: partition.index,
            newest: seen.newest,
            next_offset: partition.next_offset,
            at_end: seen.at_end,
            ended: seen.ended,
        };
        touched.map(report).collect()
    }
}
