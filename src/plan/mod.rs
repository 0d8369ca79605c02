//! Statements → [`JobPlan`]: what a job does, as plain data.
//!
//! ```text
//! query ► rewrite (AST) ► DataFusion's planner ► optimizer ► cut into stages
//!                          │ provider: tables, views, functions
//!                          │ relation, unnest: TUMBLE and UNNEST as projections
//! ```
//! A plan names no broker, thread or file. Stages refer to each other by index, always to smaller ones, so
//! that the order of [`JobPlan::stages`] is an order in which they can be stepped.

pub mod casts;
pub mod cut;
pub mod explain;
pub mod facts;
pub mod insert;
pub mod lower;
pub mod places;
pub mod planner;
pub mod provider;
pub mod refuse;
pub mod relation;
pub mod rewrite;
pub mod settings;
pub mod types;
pub mod unnest;
pub mod wording;

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::datatypes::SchemaRef;
use datafusion::common::DFSchemaRef;
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::catalog::{Catalog, Table};
use crate::error::SourceText;
use crate::plan::facts::{Bound, TimeColumn};
use crate::plan::provider::Leaf;
use crate::sql::options::JobSettings;
use crate::time::{Window, zone};

/// Index into [`JobPlan::stages`].
pub type StageId = usize;

/// Everything a job does.
#[derive(Debug)]
pub struct JobPlan {
    pub source: Arc<SourceText>,
    pub catalog: Arc<Catalog>,
    pub settings: JobSettings,
    /// The tables that are read, with the columns that are needed.
    pub reads: Vec<TableRead>,
    pub stages: Vec<Stage>,
    pub pipelines: Vec<Pipeline>,
}

/// One reader serves every feed of a table: the union of the columns they need.
#[derive(Debug, Clone)]
pub struct TableRead {
    pub table: Arc<Table>,
    /// Needed columns as indices into [`Table::columns`], ascending; the event-time column is always one.
    pub columns: Vec<usize>,
    /// The columns taken from records for that, ascending: the needed ones and what computed ones are made
    /// of.
    pub stored: Vec<usize>,
    /// Expressions of the needed computed columns over the stored ones, by column index.
    pub computed: Vec<(usize, Expr)>,
    /// All of the table's columns.
    pub schema: SchemaRef,
}

/// One path from sources to a sink.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// The sink's name, or `result` followed by a number for a bare SELECT.
    pub name: String,
    pub stage: StageId,
    pub sink: SinkTarget,
}

#[derive(Debug, Clone)]
pub enum SinkTarget {
    Table(Arc<Table>),
    /// A bare SELECT, printed to the terminal.
    Terminal,
}

/// A step of the job; see DESIGN 2.2.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    pub kind: StageKind,
    pub schema: DFSchemaRef,
}

#[derive(Debug, Clone, PartialEq)]
pub enum StageKind {
    /// Emits at once what its feeds give.
    Map { feeds: Vec<Feed> },
    /// Keeps what its feeds give per window, and emits it when the window closes.
    Window { pane: PaneColumn, keep: Keep, feeds: Vec<Feed> },
    /// Runs a plan over each closed window of its inputs.
    Close { window: Window, inputs: Vec<StageId>, plan: LogicalPlan },
}

/// A chain of filters, projections and UNNESTs over one leaf.
#[derive(Debug, Clone, PartialEq)]
pub struct Feed {
    pub leaf: Leaf,
    /// A plan whose only scan is that of `leaf`.
    pub plan: LogicalPlan,
    /// In a window stage: the leaf's column whose watermark says when a window is complete.
    pub time: Option<TimeColumn>,
}

/// What a window stage keeps of a window's rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Keep {
    /// The rows themselves.
    Rows,
    /// Partial aggregates.
    Groups(GroupSpec),
}

/// An aggregate over the rows of one window.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupSpec {
    /// As in DataFusion's `Aggregate`: plain keys, or one `GroupingSet`.
    pub group_expr: Vec<Expr>,
    /// Which of the keys (after a grouping set is flattened) are bounds of the window, the same in every row
    /// of it.
    pub bounds: Vec<Option<Bound>>,
    pub aggr_expr: Vec<Expr>,
    pub input_schema: DFSchemaRef,
    /// Keys, then the grouping id if there are several sets, then one column per aggregate.
    pub schema: DFSchemaRef,
}

/// How a row tells its window.
#[derive(Debug, Clone, PartialEq)]
pub enum PaneColumn {
    /// By an expression over the feed's output that gives one bound of its window.
    Expr { window: Window, expr: Expr, bound: Bound },
    /// There is one window.
    All,
}

impl PaneColumn {
    pub fn window(&self) -> Window {
        match self {
            PaneColumn::Expr { window, .. } => *window,
            PaneColumn::All => Window::All,
        }
    }
}

impl JobPlan {
    /// The job's time zone; None is UTC, whose wall clocks show moments.
    pub fn zone(&self) -> Option<Tz> {
        let name = self.settings.zone_name();
        if zone::is_utc(name) { None } else { zone::parse(name) }
    }

    /// The names of the tables whose rows reach a stage.
    pub fn tables_of(&self, stage: StageId) -> Vec<&str> {
        let leaf = |leaf: &'_ Leaf| match leaf {
            Leaf::Table(name) => {
                self.reads.iter().map(|r| r.table.name.as_str()).filter(|n| n == name).collect()
            }
            Leaf::Stage(stage) => self.tables_of(*stage),
        };
        let mut tables: Vec<&str> = match &self.stages[stage].kind {
            StageKind::Map { feeds } | StageKind::Window { feeds, .. } => {
                feeds.iter().flat_map(|feed| leaf(&feed.leaf)).collect()
            }
            StageKind::Close { inputs, .. } => inputs.iter().flat_map(|&i| self.tables_of(i)).collect(),
        };
        tables.sort_unstable();
        tables.dedup();
        tables
    }
}
