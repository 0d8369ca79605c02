//! One pass over a file's statements: declares its tables and views, plans its queries.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, TableReference};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, TableSource};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::sql::planner::{ParserOptions, PlannerContext, SqlToRel};
use sqlparser::ast::{Query, Statement as SqlStatement};

use crate::catalog::{Catalog, ColumnOrigin, Table, event_time_type_error, is_timestamp};
use crate::error::{Error, Result, SourceText, Span};
use crate::functions::EpochClock;
use crate::plan::casts::FlinkCasts;
use crate::plan::cut::Cutter;
use crate::plan::facts::TimeColumn;
use crate::plan::places::Places;
use crate::plan::provider::{Leaf, LeafSource, Provider, ViewSource};
use crate::plan::refuse::Origin;
use crate::plan::relation::TableFunctions;
use crate::plan::types::type_name;
use crate::plan::{
    JobPlan, Pipeline, SinkTarget, Stage, StageKind, TableRead, insert, rewrite, settings, unnest,
};
use crate::sql::Script;
use crate::sql::options::{Connector, job_settings};
use crate::sql::statement::{CreateView, EmitChanges, Insert, Select, SetOption, Statement};

/// What a job does, from its file's statements.
pub fn plan(script: Script, clock: &Arc<EpochClock>) -> Result<JobPlan> {
    let declared = declared(&script);
    let source = script.source;
    let sets = script.statements.iter().filter_map(|statement| match statement {
        Statement::Set(set) => Some(set.clone()),
        _ => None,
    });
    let sets: Vec<SetOption> = sets.collect();
    let settings = job_settings(&sets, &source)?;
    let state = settings::session(clock, settings.zone_name(), None)
        .map_err(|error| Error::internal(error.to_string()))?;
    let relations = TableFunctions { source: Arc::clone(&source), zone: settings.zone_name().to_owned() };
    let provider = Provider {
        state,
        sources: HashMap::new(),
        relations: vec![Arc::new(relations)],
        declared: declared.clone(),
        sinks_only: HashSet::new(),
    };
    let mut planner = Planner {
        provider,
        source: Arc::clone(&source),
        catalog: Catalog::new(declared),
        computed: HashMap::new(),
        stages: Vec::new(),
        pipelines: Vec::new(),
    };
    for statement in script.statements {
        match statement {
            Statement::CreateTable(table) => planner.create_table(table)?,
            Statement::CreateView(view) => planner.create_view(view)?,
            Statement::Insert(statement) => planner.insert(statement)?,
            Statement::Select(select) => planner.select(select)?,
            Statement::Set(_) => {}
        }
    }
    let reads = planner.reads();
    let Planner { catalog, stages, pipelines, .. } = planner;
    Ok(JobPlan { source, catalog: Arc::new(catalog), settings, reads, stages, pipelines })
}

/// The first declaration of each name.
fn declared(script: &Script) -> BTreeMap<String, Span> {
    let mut declared = BTreeMap::new();
    for statement in &script.statements {
        let name = match statement {
            Statement::CreateTable(table) => &table.name,
            Statement::CreateView(view) => &view.name,
            Statement::Insert(_) | Statement::Select(_) | Statement::Set(_) => continue,
        };
        declared.entry(name.value.clone()).or_insert(name.span);
    }
    declared
}

struct Planner {
    provider: Provider,
    source: Arc<SourceText>,
    catalog: Catalog,
    /// The planned expressions of computed columns, by table and column index.
    computed: HashMap<(String, usize), Expr>,
    stages: Vec<Stage>,
    pipelines: Vec<Pipeline>,
}

impl Planner {
    fn create_table(&mut self, table: crate::sql::statement::CreateTable) -> Result<()> {
        let name = table.name.value.clone();
        self.catalog.add_table(table, &self.source)?;
        let Some(table) = self.catalog.table(&name).cloned() else { return Ok(()) };
        let stored = DFSchema::try_from_qualified_schema(
            TableReference::bare(name.as_str()),
            table.stored_schema().as_ref(),
        );
        let stored = stored.map_err(|error| self.origin(table.span).explain(error))?;
        let mut fields = Vec::new();
        for (index, column) in table.columns.iter().enumerate() {
            let ty = match (&column.origin, &column.ty) {
                (ColumnOrigin::Computed(sql), _) => {
                    let (expr, ty) = self.computed_column(sql.as_ref().clone(), &stored, column.span)?;
                    self.computed.insert((name.clone(), index), expr);
                    ty
                }
                (_, Some(ty)) => ty.arrow(),
                (_, None) => return Err(Error::internal(format!("column `{}` has no type", column.name))),
            };
            fields.push(Field::new(&column.name, ty, !column.not_null));
        }
        let mut time_columns = vec![None; fields.len()];
        if let Some(time) = &table.time {
            let field = &fields[time.column];
            if !is_timestamp(field.data_type()) {
                let ty = type_name(field.data_type());
                return Err(event_time_type_error(field.name(), &ty).at(&self.source, time.span, ""));
            }
            time_columns[time.column] = Some(TimeColumn::Row);
        }
        let schema = Arc::new(Schema::new(fields));
        if matches!(table.options.connector, Connector::Print(_)) {
            self.provider.sinks_only.insert(name.clone());
        }
        let leaf = LeafSource { leaf: Leaf::Table(name.clone()), schema, time_columns };
        self.provider.sources.insert(name, Arc::new(leaf));
        Ok(())
    }

    /// A computed column's expression over the stored columns, with its types coerced, and its own type.
    fn computed_column(
        &self,
        mut sql: sqlparser::ast::Expr,
        stored: &DFSchema,
        span: Span,
    ) -> Result<(Expr, arrow::datatypes::DataType)> {
        rewrite::rewrite_expr(&mut sql, &self.source)?;
        let mut origin = self.origin(span);
        origin.places = Places::of_expr(&sql, &self.source, &|name| self.provider.function(name));
        let plan = || {
            let expr = self.sql_to_rel().sql_to_expr(sql, stored, &mut PlannerContext::new())?;
            let context = SimplifyContext::builder().with_schema(Arc::new(stored.clone())).build();
            let expr = ExprSimplifier::new(context).coerce(expr, stored)?;
            let expr = FlinkCasts::new(&self.provider.state)?.rewrite(expr, stored)?.data;
            let ty = expr.get_type(stored)?;
            Ok((expr, ty))
        };
        plan().map_err(|error| origin.explain(error))
    }

    fn create_view(&mut self, view: CreateView) -> Result<()> {
        let mut origin = self.origin(view.span);
        let mut plan = self.query(view.query.as_ref().clone(), &mut origin)?;
        if !view.columns.is_empty() {
            let columns = plan.schema().columns();
            if columns.len() != view.columns.len() {
                let what = format!(
                    "view `{}` names {} columns, but its query gives {}",
                    view.name.value,
                    view.columns.len(),
                    columns.len()
                );
                return Err(Error::user(what).at(&self.source, view.name.span, ""));
            }
            let named = columns.into_iter().zip(&view.columns);
            let named = named.map(|(column, name)| Expr::Column(column).alias(name.value.as_str()));
            let named: Vec<Expr> = named.collect();
            plan = LogicalPlanBuilder::from(plan)
                .project(named)
                .and_then(LogicalPlanBuilder::build)
                .map_err(|error| origin.explain(error))?;
        }
        let name = view.name.value.clone();
        self.catalog.add_view(view, &self.source)?;
        let source: Arc<dyn TableSource> = Arc::new(ViewSource { plan });
        self.provider.sources.entry(name).or_insert(source);
        Ok(())
    }

    fn insert(&mut self, statement: Insert) -> Result<()> {
        let mut origin = self.origin(statement.span);
        self.refuse_emit(statement.emit.as_ref())?;
        let target = &statement.target;
        let table = self.catalog.table(&target.value).cloned();
        let table = table.ok_or_else(|| self.catalog.not_a_table(target, &self.source))?;
        insert::check_listed(&statement.columns, &self.source)?;
        let query = self.query(*statement.query, &mut origin)?;
        let plan = insert::into_sink(query, &table, &statement.columns, &origin)?;
        self.add_pipeline(&table.name.clone(), plan, SinkTarget::Table(table), &origin)
    }

    fn select(&mut self, select: Select) -> Result<()> {
        let mut origin = self.origin(select.span);
        self.refuse_emit(select.emit.as_ref())?;
        // Texts of expressions say more on a terminal than `EXPR$1`, but they may be the same twice.
        let plan = self.named_query(select.query.as_ref().clone(), false, &mut origin);
        let plan = match plan {
            Ok(plan) => plan,
            Err(error) => self.query(*select.query, &mut origin).map_err(|_| error)?,
        };
        let name = format!("result{}", self.pipelines.len() + 1);
        self.add_pipeline(&name, plan, SinkTarget::Terminal, &origin)
    }

    fn refuse_emit(&self, emit: Option<&EmitChanges>) -> Result<()> {
        let Some(emit) = emit else { return Ok(()) };
        let error = Error::user("EMIT CHANGES is not supported yet")
            .note("results are emitted once, when their window closes")
            .fix("leave it out");
        Err(error.at(&self.source, emit.span, ""))
    }

    fn add_pipeline(
        &mut self,
        name: &str,
        plan: LogicalPlan,
        sink: SinkTarget,
        origin: &Origin,
    ) -> Result<()> {
        let plan = self.provider.state.optimize(&plan).map_err(|error| origin.explain(error))?;
        let tables = self.catalog.tables().filter(|table| table.is_bounded());
        let bounded: HashSet<String> = tables.map(|table| table.name.clone()).collect();
        let mut cutter = Cutter { origin, stages: &mut self.stages, bounded: &bounded };
        let stage = cutter.cut(&plan)?;
        let same_name = self.pipelines.iter().filter(|pipeline| pipeline.name == name).count();
        let name =
            if same_name == 0 { name.to_string() } else { format!("{name}_{}", self.pipelines.len() + 1) };
        self.pipelines.push(Pipeline { name, stage, sink });
        Ok(())
    }

    /// A query as DataFusion plans it, not yet optimized. Its places become the origin's.
    fn query(&self, query: Query, origin: &mut Origin) -> Result<LogicalPlan> {
        self.named_query(query, true, origin)
    }

    /// See [`rewrite::rewrite`].
    fn named_query(&self, mut query: Query, names_items: bool, origin: &mut Origin) -> Result<LogicalPlan> {
        rewrite::rewrite(&mut query, names_items, &self.source)?;
        origin.places = Places::of_query(&query, &self.source, &|name| self.provider.function(name));
        unnest::nest(&mut query);
        let statement = SqlStatement::Query(Box::new(query));
        self.sql_to_rel().sql_statement_to_plan(statement).map_err(|error| origin.explain(error))
    }

    fn sql_to_rel(&self) -> SqlToRel<'_, Provider> {
        let options = ParserOptions::from(&self.provider.state.config_options().sql_parser);
        SqlToRel::new_with_options(&self.provider, options)
    }

    fn origin(&self, statement: Span) -> Origin {
        Origin { source: Arc::clone(&self.source), statement, places: Places::default() }
    }

    /// Which columns of which tables the stages scan.
    fn reads(&self) -> Vec<TableRead> {
        let mut needed: Vec<(String, BTreeSet<usize>)> = Vec::new();
        for feed in self.stages.iter().flat_map(feeds_of) {
            let Leaf::Table(name) = &feed.leaf else { continue };
            let at = needed.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
                needed.push((name.clone(), BTreeSet::new()));
                needed.len() - 1
            });
            needed[at].1.extend(scanned_columns(&feed.plan));
        }
        needed.into_iter().filter_map(|(name, columns)| self.read(&name, columns)).collect()
    }

    fn read(&self, name: &str, mut columns: BTreeSet<usize>) -> Option<TableRead> {
        let table: &Arc<Table> = self.catalog.table(name)?;
        columns.extend(table.time.as_ref().map(|time| time.column));
        let computed: Vec<(usize, Expr)> = columns
            .iter()
            .filter_map(|&i| Some((i, self.computed.get(&(name.to_string(), i))?.clone())))
            .collect();
        let is_stored = |i: &usize| !matches!(table.columns[*i].origin, ColumnOrigin::Computed(_));
        let mut stored: BTreeSet<usize> = columns.iter().copied().filter(is_stored).collect();
        for (_, expr) in &computed {
            for column in expr.column_refs() {
                stored.extend(table.columns.iter().position(|other| other.name == column.name));
            }
        }
        let schema = self.provider.sources.get(name)?.schema();
        Some(TableRead {
            table: Arc::clone(table),
            columns: columns.into_iter().collect(),
            stored: stored.into_iter().collect(),
            computed,
            schema,
        })
    }
}

fn feeds_of(stage: &Stage) -> &[crate::plan::Feed] {
    match &stage.kind {
        StageKind::Map { feeds } | StageKind::Window { feeds, .. } => feeds,
        StageKind::Close { .. } => &[],
    }
}

/// Indices into the table's columns that a feed's scan asks for.
pub fn scanned_columns(plan: &LogicalPlan) -> Vec<usize> {
    let mut columns = Vec::new();
    let visited = plan.apply(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            match &scan.projection {
                Some(projection) => columns.clone_from(projection),
                None => columns = (0..scan.source.schema().fields().len()).collect(),
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(visited.is_ok(), "the visitor never fails");
    columns
}
