//! JSON: one object per record, read strictly and written as Flink writes it.

mod decode;
mod encode;
mod keys;
mod node;
mod read;
mod scan;
mod write;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use decode::Decoder;
pub use encode::Encoder;
