//! The tests that need more than one module: one binary, because each would link DataFusion again.

#[cfg(test)]
mod broker;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod kafka;
#[cfg(test)]
mod kafka_edge;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod tidy;
