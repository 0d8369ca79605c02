//! Turns rows into windows, and windows into results once time has passed them.
//!
//! Invariant: a window is emitted exactly once, when the watermark reaches its end. A row that comes later is
//! counted and routed as late; it never reopens the window, because the result may already be in a sink that
//! cannot take it back.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use datafusion::common::Result;

use crate::stage::map::Chain;
use crate::stage::{Delta, Piece};
use crate::state::panes::{Gather, KeepPlan, PaneRun, PaneStore};
use crate::time::{EventTime, Window};

/// The state of a `window` stage, in the driver.
pub struct WindowState {
    /// Rows of other stages are gathered here; those of tables come as runs from the lanes.
    gather: Gather,
    store: PaneStore,
}

impl WindowState {
    pub fn new(plan: KeepPlan) -> WindowState {
        WindowState { gather: Gather::new(plan.clone()), store: PaneStore::new(plan) }
    }

    pub fn store(&self) -> &PaneStore {
        &self.store
    }

    pub fn size_bytes(&self) -> usize {
        self.gather.size_bytes() + self.store.size_bytes()
    }

    /// Takes what came in an epoch.
    pub fn take(&mut self, runs: Vec<PaneRun>, rows: &[RecordBatch]) -> Result<()> {
        for run in runs {
            self.store.add(run)?;
        }
        for batch in rows {
            self.gather.add(batch)?;
        }
        Ok(())
    }

    /// Emits the windows that end at or before `watermark`.
    pub fn step(&mut self, watermark: EventTime) -> Result<Delta> {
        for run in self.gather.drain(watermark)? {
            self.store.add(run)?;
        }
        let pieces = self.store.close(watermark)?;
        let pieces = pieces.into_iter().map(|run| Piece { start: run.start, batch: run.batch });
        Ok(Delta { pieces: pieces.collect() })
    }
}

/// The state of a `close` stage: windows that one input has closed and another not yet.
pub struct CloseState {
    window: Window,
    pending: BTreeMap<EventTime, Vec<Vec<RecordBatch>>>,
    inputs: usize,
    /// Set if the plan is a chain over one input; else DataFusion plans it anew for each window.
    pub chain: Option<Chain>,
}

/// A plan to run over one window's rows: `inputs[i]` are those of the stage's i-th input.
#[derive(Debug)]
pub struct ClosedWindow {
    pub start: EventTime,
    pub inputs: Vec<Vec<RecordBatch>>,
}

impl CloseState {
    pub fn new(window: Window, inputs: usize, chain: Option<Chain>) -> CloseState {
        CloseState { window, pending: BTreeMap::new(), inputs, chain }
    }

    pub fn take(&mut self, input: usize, delta: &Delta) {
        for piece in &delta.pieces {
            let inputs = self.pending.entry(piece.start).or_insert_with(|| vec![Vec::new(); self.inputs]);
            inputs[input].push(piece.batch.clone());
        }
    }

    /// The windows that every input has closed, oldest first.
    pub fn closed(&mut self, watermark: EventTime) -> Vec<ClosedWindow> {
        if self.inputs == 0 && watermark == EventTime::MAX {
            // Constant rows: emitted once, when the input, which is empty, has ended.
            self.pending.entry(EventTime::MIN).or_default();
        }
        let mut closed = Vec::new();
        while let Some(entry) = self.pending.first_entry() {
            if self.window.end_of(*entry.key()) > watermark {
                break;
            }
            closed.push(ClosedWindow { start: *entry.key(), inputs: entry.remove() });
        }
        closed
    }

    pub fn size_bytes(&self) -> usize {
        self.pending.values().flatten().flatten().map(RecordBatch::get_array_memory_size).sum()
    }
}
