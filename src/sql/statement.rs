//! What a script says, as plain data: one [`Statement`] per statement, every name and option with its place.
//!
//! Queries stay in the parser's own form; everything that declares is ours, because `CREATE TABLE` carries
//! things (watermarks, metadata, computed columns) that no other dialect has.

use std::fmt;
use std::sync::Arc;

use sqlparser::ast::{Expr, Query};

use crate::error::{SourceText, Span};
use crate::sql::types::SqlType;

/// A file and its statements, in order.
#[derive(Debug, Clone)]
pub struct Script {
    pub source: Arc<SourceText>,
    pub statements: Vec<Statement>,
}

#[derive(Debug, Clone)]
pub enum Statement {
    CreateTable(CreateTable),
    CreateView(CreateView),
    Insert(Insert),
    Select(Select),
    Set(SetOption),
}

/// An identifier without its quotes; its case is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub value: String,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub struct CreateTable {
    pub name: Name,
    pub temporary: bool,
    pub if_not_exists: bool,
    pub columns: Vec<Column>,
    pub watermark: Option<Watermark>,
    /// Column names, from either the table's or a column's constraint; checked to be declared unless there is
    /// a LIKE.
    pub primary_key: Vec<Name>,
    pub partitioned_by: Vec<Name>,
    pub like: Option<Like>,
    pub options: Vec<RawOption>,
    /// The whole statement.
    pub span: Span,
}

#[derive(Debug, Clone)]
pub struct Column {
    pub name: Name,
    /// None for a computed column: its type follows from its expression.
    pub ty: Option<SqlType>,
    pub not_null: bool,
    pub kind: ColumnKind,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub enum ColumnKind {
    Physical,
    /// Not yet rewritten: see `plan::rewrite::rewrite_expr`.
    Computed(Box<Expr>),
    Metadata {
        key: MetadataKey,
        /// Read only: not part of what an INSERT writes.
        is_virtual: bool,
    },
}

/// What a record carries beside its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataKey {
    Timestamp,
    Partition,
    Offset,
    Key,
    Headers,
    Topic,
}

impl MetadataKey {
    pub const ALL: [(MetadataKey, &'static str); 6] = [
        (MetadataKey::Timestamp, "timestamp"),
        (MetadataKey::Partition, "partition"),
        (MetadataKey::Offset, "offset"),
        (MetadataKey::Key, "key"),
        (MetadataKey::Headers, "headers"),
        (MetadataKey::Topic, "topic"),
    ];

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(key, _)| *key)
    }

    /// The type of its values, before a cast to the column's.
    pub fn ty(self) -> SqlType {
        match self {
            MetadataKey::Timestamp => SqlType::TimestampLtz(3),
            MetadataKey::Partition => SqlType::Int,
            MetadataKey::Offset => SqlType::BigInt,
            MetadataKey::Key => SqlType::Bytes,
            MetadataKey::Headers => SqlType::Map(Box::new(SqlType::String), Box::new(SqlType::Bytes)),
            MetadataKey::Topic => SqlType::String,
        }
    }

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(key, _)| *key == self).map_or("", |(_, name)| name)
    }
}

/// `WATERMARK FOR column AS column [- INTERVAL …]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watermark {
    pub column: Name,
    pub expr_span: Span,
    /// How far the watermark stays behind the newest row, microseconds, not negative.
    pub delay_micros: i64,
}

/// `LIKE table (…)`: what is taken over from another table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Like {
    pub table: Name,
    pub options: LikeOptions,
    pub span: Span,
}

/// What of the other table is taken over. The defaults are Flink's: everything, and for options the new
/// table's win.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LikeOptions {
    pub constraints: bool,
    pub generated: LikeMerge,
    pub metadata: LikeMerge,
    pub options: LikeMerge,
    pub partitions: bool,
    pub watermarks: LikeMerge,
}

impl Default for LikeOptions {
    fn default() -> Self {
        LikeOptions {
            constraints: true,
            generated: LikeMerge::Including,
            metadata: LikeMerge::Including,
            options: LikeMerge::Overwriting,
            partitions: true,
            watermarks: LikeMerge::Including,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LikeMerge {
    /// Taken over; the same thing declared twice is an error.
    Including,
    Excluding,
    /// Taken over; the new table's own declaration wins.
    Overwriting,
}

/// `'key' = 'value'` of a WITH clause.
#[derive(Clone)]
pub struct RawOption {
    pub key: String,
    /// After `${…}` substitution: may be a secret, never to be shown.
    pub value: String,
    pub key_span: Span,
    pub value_span: Span,
}

#[derive(Debug, Clone)]
pub struct CreateView {
    pub name: Name,
    pub columns: Vec<Name>,
    pub query: Box<Query>,
    pub temporary: bool,
    pub if_not_exists: bool,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub struct Insert {
    pub target: Name,
    /// Empty: all columns of the target, by position.
    pub columns: Vec<Name>,
    pub query: Box<Query>,
    pub emit: Option<EmitChanges>,
    pub span: Span,
    /// Which STATEMENT SET it stands in, counted from 0.
    pub statement_set: Option<usize>,
}

/// A query on its own: its result goes to the terminal.
#[derive(Debug, Clone)]
pub struct Select {
    pub query: Box<Query>,
    pub emit: Option<EmitChanges>,
    pub span: Span,
}

/// `EMIT CHANGES [EVERY INTERVAL …]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmitChanges {
    /// Microseconds, positive; None: once per epoch.
    pub every_micros: Option<i64>,
    pub span: Span,
}

/// `SET 'key' = 'value'`.
#[derive(Clone)]
pub struct SetOption {
    pub key: String,
    /// After `${…}` substitution.
    pub value: String,
    pub key_span: Span,
    pub value_span: Span,
    pub span: Span,
}

/// Shows the name, not the value.
impl fmt::Debug for RawOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RawOption").field(&self.key).finish_non_exhaustive()
    }
}

/// Shows the name, not the value.
impl fmt::Debug for SetOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SetOption").field(&self.key).finish_non_exhaustive()
    }
}
