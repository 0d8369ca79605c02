//! What DataFusion's planner asks us for: tables, views and functions by name.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::{DataFusionError, Result, TableReference};
use datafusion::config::ConfigOptions;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner, RelationPlanner, TypePlanner};
use datafusion::logical_expr::{
    AggregateUDF, HigherOrderUDF, LogicalPlan, ScalarUDF, TableSource, WindowUDF,
};

use crate::catalog::unknown_table;
use crate::error::{Error, Span};
use crate::plan::facts::TimeColumn;

/// A leaf of a plan: the rows of a declared table, or what a stage emits.
#[derive(Debug)]
pub struct LeafSource {
    pub leaf: Leaf,
    pub schema: SchemaRef,
    /// Which columns are time columns, by index into `schema`.
    pub time_columns: Vec<Option<TimeColumn>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Leaf {
    Table(String),
    Stage(usize),
}

impl TableSource for LeafSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl LeafSource {
    /// The leaf behind a scan; every scan of ours has one.
    pub fn of(source: &Arc<dyn TableSource>) -> Option<&LeafSource> {
        let source: &dyn std::any::Any = source.as_ref();
        source.downcast_ref()
    }
}

/// A view: planned where it was declared, put in place of its name.
pub struct ViewSource {
    pub plan: LogicalPlan,
}

impl TableSource for ViewSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.plan.schema().inner())
    }

    fn get_logical_plan(&self) -> Option<Cow<'_, LogicalPlan>> {
        Some(Cow::Borrowed(&self.plan))
    }
}

/// Names of one file, functions of one session.
pub struct Provider {
    pub state: SessionState,
    pub sources: HashMap<String, Arc<dyn TableSource>>,
    pub relations: Vec<Arc<dyn RelationPlanner>>,
    /// Where the file declares its tables and views, above and below.
    pub declared: BTreeMap<String, Span>,
    /// Tables that cannot be read.
    pub sinks_only: HashSet<String>,
}

impl Provider {
    fn find(&self, name: &TableReference) -> Result<Arc<dyn TableSource>, Error> {
        let table = name.table();
        if name.schema().is_some() {
            return Err(Error::user("catalogs and databases are not supported: a file has one namespace")
                .fix(format!("write `{table}`")));
        }
        if self.sinks_only.contains(table) {
            return Err(Error::user(format!("table `{table}` can only be written"))
                .note("'connector' = 'print' is a sink")
                .fix("read from a table with 'connector' = 'kafka' or 'filesystem'"));
        }
        let known = self.sources.keys().map(String::as_str).collect::<BTreeSet<_>>();
        let missing = || unknown_table(table, known.into_iter(), self.declared.get(table).copied());
        self.sources.get(table).cloned().ok_or_else(missing)
    }

    /// The planner's name of a function, and whether it is an aggregate.
    pub fn function(&self, name: &str) -> Option<(String, bool)> {
        let scalar = || Some((self.state.scalar_functions().get(name)?.name().to_owned(), false));
        let window = || Some((self.state.window_functions().get(name)?.name().to_owned(), false));
        let aggregate = self.state.aggregate_functions().get(name);
        aggregate.map(|function| (function.name().to_owned(), true)).or_else(scalar).or_else(window)
    }
}

impl ContextProvider for Provider {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        self.find(&name).map_err(|error| DataFusionError::External(Box::new(error)))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.state.expr_planners()
    }

    fn get_relation_planners(&self) -> &[Arc<dyn RelationPlanner>] {
        &self.relations
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::new(crate::plan::types::FlinkTypes))
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.state.scalar_functions().get(name).cloned()
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.state.higher_order_functions().get(name).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.state.aggregate_functions().get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.state.window_functions().get(name).cloned()
    }

    fn get_variable_type(&self, _: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        self.state.scalar_functions().keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        self.state.higher_order_functions().keys().cloned().collect()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.state.aggregate_functions().keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.state.window_functions().keys().cloned().collect()
    }
}
