//! The driver: one thread that makes epochs.
//!
//! ```text
//! wait ► fix watermarks ► ask for the cut ► step the stages ► outbox ► commit ► publish
//! ```
//! The watermarks are fixed before the cut, from what lanes have already seen, and go out with it: so a
//! closed window is complete and no lane waits for another. A cut once sent is finished, or the process ends.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::error::{Error, Result};
use crate::functions::EpochClock;
use crate::job::batch::BatchRunner;
use crate::job::dag::{Dag, StageInput, stage_watermarks};
use crate::job::message::{Assignment, CutAnswer, Order, Place, ReadCounts, ReadId, Report, Seen};
use crate::job::status::{Status, Warnings};
use crate::plan::{JobPlan, StageId};
use crate::sink::encode::Encoder;
use crate::sink::publish::Sinks;
use crate::sink::{Outbox, TargetId};
use crate::source::kafka::TopicPartition;
use crate::stage::Delta;
use crate::time::{Clock, EventTime};
use crate::watermark::TableClock;

/// See the module's text.
pub struct Driver {
    pub plan: Arc<JobPlan>,
    pub dag: Dag,
    pub runner: BatchRunner,
    pub reads: Vec<ReadState>,
    pub pipelines: Vec<PipelineState>,
    pub sinks: Sinks,
    pub lanes: Vec<Sender<Order>>,
    pub reports: Receiver<Report>,
    pub clock: Clock,
    pub epoch_clock: Arc<EpochClock>,
    pub epoch_interval: Duration,
    pub status: Status,
    pub warnings: Warnings,
    pub stopping: bool,
    pub wants_cut: bool,
}

/// A table as the driver knows it.
pub struct ReadState {
    pub clock: TableClock,
    pub partitions: Vec<Place>,
    pub kafka: HashMap<TopicPartition, usize>,
    /// The stages that its rows reach.
    pub stages: Vec<StageId>,
    pub bounded: bool,
}

/// The end of a pipeline.
pub struct PipelineState {
    pub stage: StageId,
    pub target: TargetId,
    pub encoder: Encoder,
    /// Lanes encode its rows, too.
    pub encoded_in_lanes: bool,
}

impl Driver {
    /// Makes epochs until the input ends or a stop is asked for.
    pub fn run(&mut self, on_epoch: &mut dyn FnMut(&Status)) -> Result<()> {
        let mut next = self.clock.elapsed() + self.epoch_interval;
        loop {
            self.listen_until(next)?;
            let is_last = self.stopping || self.has_ended();
            self.epoch()?;
            on_epoch(&self.status);
            if is_last {
                return self.sinks.finish();
            }
            let now = self.clock.elapsed();
            next = (next + self.epoch_interval).max(now);
        }
    }

    fn has_ended(&self) -> bool {
        self.reads.iter().all(|read| read.clock.has_ended())
    }

    /// Takes reports until the epoch is due, the input has ended, or a lane can hold no more.
    fn listen_until(&mut self, due: Duration) -> Result<()> {
        loop {
            let left = due.saturating_sub(self.clock.elapsed());
            if self.stopping || self.wants_cut || self.has_ended() {
                return Ok(());
            }
            match self.reports.recv_timeout(left) {
                Ok(report) => self.take_report(report)?,
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::internal("all lanes have gone without a word"));
                }
            }
        }
    }

    fn take_report(&mut self, report: Report) -> Result<()> {
        match report {
            Report::Progress { read, seen } => self.progress(read, &seen),
            Report::Full => self.wants_cut = true,
            Report::Lost { read, partition, reason } => return Err(self.lost(read, partition, &reason)),
            Report::Discovered { read, partitions, ends } => self.discovered(read, partitions, &ends)?,
            Report::Trouble(text) => self.warnings.trouble(&text),
            Report::Failed(error) => return Err(error),
            Report::Stop => self.stopping = true,
            Report::Cut(_) => return Err(Error::internal("a lane has answered a cut that nobody asked for")),
        }
        Ok(())
    }

    fn progress(&mut self, read: ReadId, seen: &[Seen]) {
        let now = self.clock.elapsed();
        let state = &mut self.reads[read];
        for seen in seen {
            state.clock.observe(seen.partition, seen.newest, seen.next_offset);
            if seen.at_end && !state.bounded {
                state.clock.confirm_end(now, seen.partition, seen.next_offset);
            }
            if seen.ended {
                state.clock.end(seen.partition);
            }
        }
    }

    fn lost(&self, read: ReadId, partition: usize, reason: &str) -> Error {
        let table = &self.plan.reads[read].table.name;
        let place = match &self.reads[read].partitions[partition] {
            Place::Kafka(at) => at.to_string(),
            Place::File(path) => path.display().to_string(),
        };
        Error::external(format!("table `{table}`: {place} cannot be read any more"))
            .note(reason)
            .note(format!("read up to offset {}", self.reads[read].clock.next_offset(partition)))
            .fix("check that the topic exists and keeps its records long enough, then start the job again")
    }

    /// New partitions go to the lanes in turn, from their beginning; ends renew what is known of idleness.
    fn discovered(
        &mut self,
        read: ReadId,
        partitions: Vec<(TopicPartition, i64)>,
        ends: &[(TopicPartition, i64)],
    ) -> Result<()> {
        for (at, next_offset) in partitions {
            if self.reads[read].kafka.contains_key(&at) {
                continue;
            }
            let table = &self.plan.reads[read].table.name;
            tracing::info!(table, partition = %at, "found a new partition");
            self.assign(read, Place::Kafka(at), next_offset, None)?;
        }
        let now = self.clock.elapsed();
        let state = &mut self.reads[read];
        for (at, end_offset) in ends {
            if let Some(&partition) = state.kafka.get(at)
                && !state.bounded
            {
                state.clock.confirm_end(now, partition, *end_offset);
            }
        }
        self.status.end_offsets(read, ends);
        Ok(())
    }

    /// Gives a partition to the lane whose turn it is.
    pub fn assign(
        &mut self,
        read: ReadId,
        place: Place,
        next_offset: i64,
        end_offset: Option<i64>,
    ) -> Result<()> {
        let state = &mut self.reads[read];
        let partition = state.clock.add_partition(next_offset);
        if let Place::Kafka(at) = &place {
            state.kafka.insert(at.clone(), partition);
        }
        state.partitions.push(place.clone());
        let turn = self.reads.iter().map(|read| read.partitions.len()).sum::<usize>() - 1;
        let lane = &self.lanes[turn % self.lanes.len()];
        let assignment = Assignment { read, partition, place, next_offset, end_offset };
        lane.send(Order::Add(assignment)).map_err(|_| Error::internal("a lane has gone without a word"))
    }

    /// One epoch; see the module's text.
    fn epoch(&mut self) -> Result<()> {
        self.epoch_clock.set(self.clock.now());
        let watermarks = self.fix_watermarks();
        let answers = self.cut(&watermarks)?;
        let mut outbox = Outbox::default();
        let inputs = self.collect(answers, &mut outbox)?;
        let deltas = self.dag.step(inputs, &watermarks, &self.runner)?;
        self.encode(&deltas, &mut outbox)?;
        self.sinks.publish(&outbox)?;
        self.finish_epoch(&outbox);
        Ok(())
    }

    fn fix_watermarks(&mut self) -> Arc<[EventTime]> {
        let now = self.clock.elapsed();
        let dag = &self.dag;
        let fixed: Vec<EventTime> = self
            .reads
            .iter_mut()
            .map(|read| read.clock.fix(now, dag.last_window_end(&read.stages)))
            .collect();
        stage_watermarks(&self.plan, &fixed).into()
    }

    /// Asks every lane for the cut and waits for the answers; other reports are taken meanwhile.
    fn cut(&mut self, watermarks: &Arc<[EventTime]>) -> Result<Vec<CutAnswer>> {
        // Before the orders: a lane that answers first may be full again while others are waited for.
        self.wants_cut = false;
        for lane in &self.lanes {
            let order = Order::Cut { watermarks: Arc::clone(watermarks) };
            if lane.send(order).is_err() {
                // The lane has failed; its report says why.
                continue;
            }
        }
        let mut answers = Vec::with_capacity(self.lanes.len());
        while answers.len() < self.lanes.len() {
            match self.reports.recv() {
                Ok(Report::Cut(answer)) => answers.push(*answer),
                Ok(other) => self.take_report(other)?,
                Err(_) => return Err(Error::internal("all lanes have gone without a word")),
            }
        }
        Ok(answers)
    }

    /// Sorts the lanes' answers by stage; what is for publishing as it is goes to the outbox.
    fn collect(&mut self, answers: Vec<CutAnswer>, outbox: &mut Outbox) -> Result<Vec<StageInput>> {
        let mut inputs: Vec<StageInput> = Vec::new();
        inputs.resize_with(self.plan.stages.len(), StageInput::default);
        self.status.held_bytes = 0;
        for mut answer in answers {
            for (stage, runs) in answer.runs {
                inputs[stage].runs.extend(runs);
            }
            for (stage, rows) in answer.rows {
                inputs[stage].rows.extend(rows);
            }
            for (stage, mut rows) in answer.encoded {
                let pipeline = self.pipelines.iter().find(|p| p.stage == stage && p.encoded_in_lanes);
                let pipeline =
                    pipeline.ok_or_else(|| Error::internal("encoded rows that no sink asked for"))?;
                self.status.rows_out += rows.len() as u64;
                outbox.add(pipeline.target, &mut rows);
            }
            outbox.routed.append(&mut answer.routed);
            for (read, counts) in answer.counts {
                self.count(read, &counts);
            }
            for (stage, late) in answer.late {
                self.status.late += late;
                self.warnings.late(&self.plan, stage, late);
            }
            self.status.held_bytes += answer.held_bytes;
        }
        Ok(inputs)
    }

    fn count(&mut self, read: ReadId, counts: &ReadCounts) {
        self.status.counts[read].add(counts);
        if !counts.bad.is_empty() {
            let total = self.status.counts[read].bad_total();
            self.warnings.bad(&self.plan.reads[read].table, &counts.bad, total);
        }
    }

    fn encode(&mut self, deltas: &[Delta], outbox: &mut Outbox) -> Result<()> {
        for pipeline in &mut self.pipelines {
            let mut rows = crate::format::EncodedRows::new();
            for piece in &deltas[pipeline.stage].pieces {
                pipeline.encoder.encode(&piece.batch, &mut rows)?;
                self.status.rows_out += piece.batch.num_rows() as u64;
            }
            outbox.add(pipeline.target, &mut rows);
        }
        Ok(())
    }

    fn finish_epoch(&mut self, outbox: &Outbox) {
        self.status.epoch += 1;
        self.status.open_windows = self.dag.open_windows();
        self.status.state_bytes = self.dag.state_bytes();
        let of_tables = self.reads.iter().filter(|read| read.clock.has_time());
        self.status.watermark = of_tables.map(|read| read.clock.watermark()).min().unwrap_or(EventTime::MIN);
        self.status.elapsed = self.clock.elapsed();
        self.status.now = self.clock.now();
        self.status.positions(&self.reads);
        tracing::debug!(
            epoch = self.status.epoch,
            rows = outbox.rows_len(),
            watermark = %self.status.watermark,
            open_windows = self.status.open_windows,
            "finished an epoch"
        );
    }
}
