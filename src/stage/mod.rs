//! The steps of a job. Stages are pure: what they emit depends on their state, their input and the watermark.
//!
//! | kind | file | state | emits |
//! |---|---|---|---|
//! | `map` | [`map`] | none | at once |
//! | `window` | [`window`] | runs per window | when the window closes |
//! | `close` | [`window`] | closed windows that wait for another | once all inputs have closed it |

pub mod map;
pub mod window;

use arrow::array::RecordBatch;

use crate::time::EventTime;

/// What a stage emits in one epoch.
#[derive(Debug, Default)]
pub struct Delta {
    pub pieces: Vec<Piece>,
}

/// Rows of one window, or rows without one, whose `start` is then [`EventTime::MIN`].
#[derive(Debug, Clone)]
pub struct Piece {
    pub start: EventTime,
    pub batch: RecordBatch,
}

impl Delta {
    pub fn rows(&self) -> usize {
        self.pieces.iter().map(|piece| piece.batch.num_rows()).sum()
    }
}
