//! Turns the text of a `.sql` file into statements: plain data, every part with its place in the file.
//!
//! Text → tokens (`dialect`) → tokens with `${…}` replaced (`substitute`) → one token list per statement
//! (`script`) → a [`Statement`] (`script`, `ddl`, `types`). Options are read afterwards, from the statement
//! (`options`). Nothing here touches a file, a clock or the network.
//!
//! Invariant: spans are those of the file as it was read. Substitution happens on tokens, so that a replaced
//! value neither moves a place nor appears in a message: messages quote the file's own text.

mod cursor;
mod ddl;
pub mod dialect;
pub mod interval;
pub mod like;
pub mod options;
mod script;
pub mod span;
pub mod statement;
mod substitute;
pub mod types;

#[cfg(test)]
pub(crate) mod tests;

pub use script::parse;
pub use statement::{Script, Statement};
pub use substitute::Lookup;
