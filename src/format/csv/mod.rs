//! CSV: one line per record, columns by position.

mod decode;

pub use decode::{Decoder, Options};
