//! Windrow: streaming SQL over Kafka, on Arrow and DataFusion, in one binary.
//!
//! ```text
//!             ┌────────────── lane 0..n (one thread each, no async, no locks) ──────────────┐
//! Kafka ──►   │ poll ► decode ► track watermark ► filter/project ► assign window ► aggregate │──┐
//! partitions  └─────────────────────────────────────────────────────────────────────────────┘  │ cut
//!                                                                                               ▼
//!             ┌────────────── driver, once per epoch ────────────────────────────────────────────┐
//!             │ fix watermarks ► ask for the cut ► step the other stages, in order ► outbox       │
//!             │            ► publish to targets                                                  │
//!             └───────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! The modules below stand in the order in which a query and then a record meets them; each may use only
//! those above it. Start reading at [`job::run`].

pub mod config;
pub mod error;
pub mod time;

pub mod sql;

pub mod functions;

pub mod catalog;

pub mod plan;

pub mod format;

pub mod watermark;

pub mod state;

pub mod stage;

pub mod source;

pub mod sink;

pub mod job;

pub mod cli;
