//! Cuts an optimized plan into stages, from its leaves up.
//!
//! While it climbs, a sub-plan is a [`Fragment`]: *open* while its rows flow (filters, projections, UNNEST,
//! UNION ALL over leaves), *bound* once all its rows belong to one window at a time. A node continues its
//! child's fragment if it can be answered within it: a filter always, an aggregate or a join if it is keyed
//! by the same window. Else the child becomes a stage, and the node starts on what that stage emits. What
//! would need rows of all time is refused, unless the whole input is bounded: then all of it is one window.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, DFSchema, DFSchemaRef, ExprSchema, TableReference};
use datafusion::logical_expr::expr::{GroupingSet, WindowFunction};
use datafusion::logical_expr::utils::enumerate_grouping_sets;
use datafusion::logical_expr::{Aggregate, Expr, Join, LogicalPlan, LogicalPlanBuilder, Union};

use crate::error::Result;
use crate::plan::facts::{Bound, TimeColumn, time_column, time_columns};
use crate::plan::provider::{Leaf, LeafSource};
use crate::plan::refuse::{Origin, Refusal};
use crate::plan::{Feed, GroupSpec, Keep, PaneColumn, Stage, StageId, StageKind};
use crate::time::Window;

/// Adds the stages of one query to those of a job.
pub struct Cutter<'a> {
    pub origin: &'a Origin,
    pub stages: &'a mut Vec<Stage>,
    /// Names of the tables that end.
    pub bounded: &'a HashSet<String>,
}

enum Fragment {
    Open(Vec<Feed>),
    Bound { window: Window, inputs: Vec<StageId>, plan: LogicalPlan },
}

impl Cutter<'_> {
    /// The stage that emits the plan's rows.
    pub fn cut(&mut self, plan: &LogicalPlan) -> Result<StageId> {
        let fragment = self.fragment(plan)?;
        Ok(self.close(fragment, plan.schema()))
    }

    fn fragment(&mut self, node: &LogicalPlan) -> Result<Fragment> {
        self.check_subqueries(node)?;
        match node {
            LogicalPlan::TableScan(_) => self.leaf(node),
            LogicalPlan::Projection(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Unnest(_)
            | LogicalPlan::Repartition(_) => {
                let child = self.fragment(node.inputs()[0])?;
                self.extend(node, child)
            }
            LogicalPlan::Union(union) => self.union(union),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(node, aggregate),
            LogicalPlan::Window(over) => self.over(node, &over.window_expr),
            LogicalPlan::Join(join) => self.join(node, join),
            LogicalPlan::Sort(_) | LogicalPlan::Limit(_) => self.ordered(node),
            LogicalPlan::Values(_) | LogicalPlan::EmptyRelation(_) => {
                Ok(Fragment::Bound { window: Window::All, inputs: vec![], plan: node.clone() })
            }
            other => Err(self.origin.refuse(
                other,
                None,
                Refusal {
                    what: format!("`{}` cannot run as a stream", other.display()),
                    why: "Windrow has no stage for it".into(),
                    fix: "rewrite the query without it".into(),
                },
            )),
        }
    }

    fn leaf(&self, node: &LogicalPlan) -> Result<Fragment> {
        let LogicalPlan::TableScan(scan) = node else { return Ok(Fragment::Open(vec![])) };
        let Some(source) = LeafSource::of(&scan.source) else {
            return Err(crate::error::Error::internal(format!(
                "scan of an unknown table `{}`",
                scan.table_name
            )));
        };
        let mut scan = scan.clone();
        // The limit above is what counts; a scan of ours never stops by itself.
        scan.fetch = None;
        let plan = LogicalPlan::TableScan(scan);
        Ok(Fragment::Open(vec![Feed { leaf: source.leaf.clone(), plan, time: None }]))
    }

    /// Puts a node of one input on top of what its child became.
    fn extend(&self, node: &LogicalPlan, child: Fragment) -> Result<Fragment> {
        match child {
            Fragment::Open(feeds) => {
                let feeds = feeds.into_iter().map(|feed| {
                    let plan = self.rebuild(node, vec![feed.plan])?;
                    Ok(Feed { plan, ..feed })
                });
                Ok(Fragment::Open(feeds.collect::<Result<_>>()?))
            }
            Fragment::Bound { window, inputs, plan } => {
                Ok(Fragment::Bound { window, inputs, plan: self.rebuild(node, vec![plan])? })
            }
        }
    }

    fn rebuild(&self, node: &LogicalPlan, inputs: Vec<LogicalPlan>) -> Result<LogicalPlan> {
        node.with_new_exprs(node.expressions(), inputs).map_err(|error| self.origin.explain(error))
    }

    fn union(&mut self, union: &Union) -> Result<Fragment> {
        let mut all = Vec::new();
        for input in &union.inputs {
            let fragment = self.fragment(input)?;
            let feeds = self.open(fragment, input.schema())?;
            for feed in feeds {
                let plan = renamed(feed.plan, &union.schema).map_err(|error| self.origin.explain(error))?;
                all.push(Feed { plan, ..feed });
            }
        }
        Ok(Fragment::Open(all))
    }

    fn aggregate(&mut self, node: &LogicalPlan, aggregate: &Aggregate) -> Result<Fragment> {
        self.check_calls(node, aggregate)?;
        let child = self.fragment(&aggregate.input)?;
        let sets = key_sets(&aggregate.group_expr).map_err(|error| self.origin.explain(error))?;
        let in_all_sets = |key: &Expr| sets.iter().all(|set| set.contains(key));
        let keys: Vec<Expr> = distinct(&sets);
        let bounds_over = |facts: &[Option<TimeColumn>]| -> Vec<Option<(Window, Bound)>> {
            let bound = |key: &Expr| match time_column(key, facts, aggregate.input.schema()) {
                Some(TimeColumn::Bound(window, bound)) if in_all_sets(key) => Some((window, bound)),
                _ => None,
            };
            keys.iter().map(bound).collect()
        };
        let bounds = bounds_over(&facts_of(&child));
        if let Fragment::Bound { window, .. } = &child
            && (*window == Window::All || bounds.iter().flatten().any(|(w, _)| w == window))
        {
            return self.extend(node, child);
        }
        let feeds = self.open(child, aggregate.input.schema())?;
        let bounds = bounds_over(&facts_of_feeds(&feeds));
        let Some(shortest) = bounds.iter().flatten().map(|(window, _)| *window).min() else {
            self.require_bounded(&feeds, node)?;
            return self.group(aggregate, feeds, PaneColumn::All, vec![None; keys.len()]);
        };
        let within = |found: &Option<(Window, Bound)>| found.filter(|(w, _)| *w == shortest).map(|(_, b)| b);
        let bounds: Vec<Option<Bound>> = bounds.iter().map(within).collect();
        let key = bounds.iter().position(Option::is_some).unwrap_or_default();
        let bound = bounds[key].unwrap_or(Bound::Start);
        let pane = PaneColumn::Expr { window: shortest, expr: keys[key].clone(), bound };
        self.group(aggregate, feeds, pane, bounds)
    }

    fn group(
        &mut self,
        aggregate: &Aggregate,
        feeds: Vec<Feed>,
        pane: PaneColumn,
        bounds: Vec<Option<Bound>>,
    ) -> Result<Fragment> {
        let keep = Keep::Groups(GroupSpec {
            group_expr: aggregate.group_expr.clone(),
            bounds,
            aggr_expr: aggregate.aggr_expr.clone(),
            input_schema: Arc::clone(aggregate.input.schema()),
            schema: Arc::clone(&aggregate.schema),
        });
        self.window_stage(feeds, pane, keep, &aggregate.schema)
    }

    /// A stage that keeps what the feeds give per window, and a fragment bound to it.
    fn window_stage(
        &mut self,
        feeds: Vec<Feed>,
        pane: PaneColumn,
        keep: Keep,
        schema: &DFSchemaRef,
    ) -> Result<Fragment> {
        let window = pane.window();
        let feeds = feeds.into_iter().map(|feed| Feed { time: Some(self.time_of(&feed, window)), ..feed });
        let kind = StageKind::Window { pane, keep, feeds: feeds.collect() };
        let stage = self.add(kind, schema);
        let plan = self.scan(stage, schema)?;
        Ok(Fragment::Bound { window, inputs: vec![stage], plan })
    }

    /// The column of a feed's leaf that says when its windows are complete.
    fn time_of(&self, feed: &Feed, window: Window) -> TimeColumn {
        let row = if window.is_local() { TimeColumn::Wall } else { TimeColumn::Row };
        let Leaf::Stage(stage) = &feed.leaf else { return row };
        let columns: Vec<TimeColumn> = self.time_columns_of(*stage).into_iter().flatten().collect();
        if columns.iter().any(|column| column.window() == Some(window)) {
            return TimeColumn::Bound(window, Bound::Start);
        }
        match columns.into_iter().find(|column| column.is_time_attribute()) {
            Some(TimeColumn::Row) | None => row,
            Some(other) => other,
        }
    }

    fn over(&mut self, node: &LogicalPlan, window_expr: &[Expr]) -> Result<Fragment> {
        let input = node.inputs()[0];
        let child = self.fragment(input)?;
        let partitions: Vec<&[Expr]> = window_expr.iter().map(partition_of).collect();
        let shared = |facts: &[Option<TimeColumn>], window: Option<Window>| {
            let first = partitions.first()?.iter().find_map(|expr| {
                let fact = time_column(expr, facts, input.schema())?;
                let wanted = fact.window().filter(|w| window.is_none_or(|want| want == *w))?;
                let TimeColumn::Bound(_, bound) = fact else { return None };
                Some((wanted, bound, expr.clone()))
            })?;
            let in_all = partitions.iter().all(|partition| partition.contains(&first.2));
            in_all.then_some(first)
        };
        if let Fragment::Bound { window, .. } = &child
            && (*window == Window::All || shared(&facts_of(&child), Some(*window)).is_some())
        {
            return self.extend(node, child);
        }
        let feeds = self.open(child, input.schema())?;
        let pane = match shared(&facts_of_feeds(&feeds), None) {
            Some((window, bound, expr)) => PaneColumn::Expr { window, expr, bound },
            None => {
                self.require_bounded(&feeds, node)?;
                PaneColumn::All
            }
        };
        let rows = self.window_stage(feeds, pane, Keep::Rows, input.schema())?;
        self.extend(node, rows)
    }

    fn join(&mut self, node: &LogicalPlan, join: &Join) -> Result<Fragment> {
        let left = self.fragment(&join.left)?;
        let right = self.fragment(&join.right)?;
        let (left_facts, right_facts) = (facts_of(&left), facts_of(&right));
        let pair = join.on.iter().find_map(|(l, r)| {
            let left_fact = time_column(l, &left_facts, join.left.schema())?;
            let right_fact = time_column(r, &right_facts, join.right.schema())?;
            let TimeColumn::Bound(window, bound) = left_fact else { return None };
            (left_fact == right_fact).then(|| (window, bound, l.clone(), r.clone()))
        });
        let (left, right) = match pair {
            Some((window, bound, l, r)) => {
                let pane = |expr| PaneColumn::Expr { window, expr, bound };
                (
                    self.bind(left, join.left.schema(), pane(l))?,
                    self.bind(right, join.right.schema(), pane(r))?,
                )
            }
            None => {
                for fragment in [&left, &right] {
                    self.require_bounded_fragment(fragment, node)?;
                }
                let all = PaneColumn::All;
                (
                    self.bind(left, join.left.schema(), all.clone())?,
                    self.bind(right, join.right.schema(), all)?,
                )
            }
        };
        let window = left.0;
        let inputs = left.1.into_iter().chain(right.1).collect();
        let plan = self.rebuild(node, vec![left.2, right.2])?;
        Ok(Fragment::Bound { window, inputs, plan })
    }

    /// Makes a fragment one of the pane's window, keeping its rows until the window closes if need be.
    fn bind(
        &mut self,
        fragment: Fragment,
        schema: &DFSchemaRef,
        pane: PaneColumn,
    ) -> Result<(Window, Vec<StageId>, LogicalPlan)> {
        let fragment = match fragment {
            Fragment::Bound { window, .. } if window == pane.window() => fragment,
            other => {
                let feeds = self.open(other, schema)?;
                self.window_stage(feeds, pane, Keep::Rows, schema)?
            }
        };
        match fragment {
            Fragment::Bound { window, inputs, plan } => Ok((window, inputs, plan)),
            Fragment::Open(_) => Err(crate::error::Error::internal("a window stage gave an open fragment")),
        }
    }

    /// ORDER BY and LIMIT hold within a window: there a result is complete.
    fn ordered(&mut self, node: &LogicalPlan) -> Result<Fragment> {
        let input = node.inputs()[0];
        let child = self.fragment(input)?;
        let child = match child {
            Fragment::Bound { .. } => child,
            Fragment::Open(feeds) => {
                self.require_bounded(&feeds, node)?;
                self.window_stage(feeds, PaneColumn::All, Keep::Rows, input.schema())?
            }
        };
        self.extend(node, child)
    }

    fn require_bounded_fragment(&self, fragment: &Fragment, node: &LogicalPlan) -> Result<()> {
        match fragment {
            Fragment::Open(feeds) => self.require_bounded(feeds, node),
            Fragment::Bound { inputs, .. } => {
                self.require_bounded_leaves(inputs.iter().map(|&stage| Leaf::Stage(stage)), node)
            }
        }
    }

    fn require_bounded(&self, feeds: &[Feed], node: &LogicalPlan) -> Result<()> {
        self.require_bounded_leaves(feeds.iter().map(|feed| feed.leaf.clone()), node)
    }

    fn require_bounded_leaves(
        &self,
        mut leaves: impl Iterator<Item = Leaf>,
        node: &LogicalPlan,
    ) -> Result<()> {
        if leaves.all(|leaf| self.is_bounded(&leaf)) {
            Ok(())
        } else {
            Err(self.origin.refuse_unbounded(node))
        }
    }

    fn is_bounded(&self, leaf: &Leaf) -> bool {
        match leaf {
            Leaf::Table(name) => self.bounded.contains(name),
            Leaf::Stage(stage) => match &self.stages[*stage].kind {
                StageKind::Map { feeds } | StageKind::Window { feeds, .. } => {
                    feeds.iter().all(|feed| self.is_bounded(&feed.leaf))
                }
                StageKind::Close { inputs, .. } => inputs.iter().all(|&i| self.is_bounded(&Leaf::Stage(i))),
            },
        }
    }

    /// The feeds of a fragment whose rows flow on; a bound one becomes a stage first.
    fn open(&mut self, fragment: Fragment, schema: &DFSchemaRef) -> Result<Vec<Feed>> {
        match fragment {
            Fragment::Open(feeds) => Ok(feeds),
            bound @ Fragment::Bound { .. } => {
                let stage = self.close(bound, schema);
                let plan = self.scan(stage, schema)?;
                Ok(vec![Feed { leaf: Leaf::Stage(stage), plan, time: None }])
            }
        }
    }

    fn close(&mut self, fragment: Fragment, schema: &DFSchemaRef) -> StageId {
        match fragment {
            Fragment::Open(feeds) => self.add(StageKind::Map { feeds }, schema),
            Fragment::Bound { window, inputs, plan } => {
                self.add(StageKind::Close { window, inputs, plan }, schema)
            }
        }
    }

    /// Equal stages are one: a view used twice, or by two INSERTs, is computed once.
    fn add(&mut self, kind: StageKind, schema: &DFSchemaRef) -> StageId {
        let stage = Stage { kind, schema: Arc::clone(schema) };
        if let Some(equal) = self.stages.iter().position(|other| *other == stage) {
            return equal;
        }
        self.stages.push(stage);
        self.stages.len() - 1
    }

    /// A scan of what a stage emits, under the names the nodes above know its columns by.
    fn scan(&self, stage: StageId, schema: &DFSchemaRef) -> Result<LogicalPlan> {
        let fields: Vec<Field> = schema
            .fields()
            .iter()
            .enumerate()
            .map(|(i, field)| Field::new(format!("c{i}"), field.data_type().clone(), true))
            .collect();
        let source = LeafSource {
            leaf: Leaf::Stage(stage),
            schema: Arc::new(Schema::new(fields)),
            time_columns: self.time_columns_of(stage),
        };
        let table = TableReference::bare(format!("__stage_{stage}"));
        let scan =
            LogicalPlanBuilder::scan(table, Arc::new(source), None).and_then(LogicalPlanBuilder::build);
        scan.and_then(|scan| renamed(scan, schema)).map_err(|error| self.origin.explain(error))
    }

    /// The time columns of what a stage emits.
    ///
    /// A stage of windows emits a window's rows once all of it is over: its watermark then says nothing of
    /// other times in them, such as those of the rows themselves.
    fn time_columns_of(&self, stage: StageId) -> Vec<Option<TimeColumn>> {
        let Stage { kind, schema } = &self.stages[stage];
        let (window, facts) = match kind {
            StageKind::Map { feeds } => return facts_of_feeds(feeds),
            StageKind::Close { plan, window, .. } => (*window, time_columns(plan)),
            StageKind::Window { keep: Keep::Rows, pane, feeds } => (pane.window(), facts_of_feeds(feeds)),
            StageKind::Window { keep: Keep::Groups(groups), pane, feeds } => {
                let sets = key_sets(&groups.group_expr).unwrap_or_default();
                let inputs = facts_of_feeds(feeds);
                let fact = |(key, bound): (&Expr, &Option<Bound>)| match bound {
                    Some(bound) => Some(TimeColumn::Bound(pane.window(), *bound)),
                    None => time_column(key, &inputs, &groups.input_schema)
                        .filter(|_| sets.iter().all(|set| set.contains(key))),
                };
                let mut facts: Vec<_> = distinct(&sets).iter().zip(&groups.bounds).map(fact).collect();
                facts.resize(schema.fields().len(), None);
                (pane.window(), facts)
            }
        };
        let is_known = |fact: &TimeColumn| window == Window::All || fact.window() == Some(window);
        facts.into_iter().map(|fact| fact.filter(is_known)).collect()
    }

    /// Refuses the one aggregate that DataFusion plans and then answers wrongly.
    fn check_calls(&self, node: &LogicalPlan, aggregate: &Aggregate) -> Result<()> {
        for expr in &aggregate.aggr_expr {
            if let Expr::AggregateFunction(call) = expr.clone().unalias()
                && call.func.name() == "bit_xor"
                && call.params.distinct
            {
                let refusal = Refusal {
                    what: "`bit_xor(DISTINCT …)` is not supported".into(),
                    why: "DataFusion's `bit_xor` counts every value, not each value once".into(),
                    fix: "take `bit_xor` of a subquery's rows: SELECT bit_xor(x) FROM (SELECT DISTINCT x …)"
                        .into(),
                };
                return Err(self.origin.refuse(node, None, refusal));
            }
        }
        Ok(())
    }

    fn check_subqueries(&self, node: &LogicalPlan) -> Result<()> {
        let is_subquery = |expr: &Expr| {
            matches!(
                expr,
                Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_)
            )
        };
        for expr in node.expressions() {
            let found =
                expr.exists(|expr| Ok(is_subquery(expr))).map_err(|error| self.origin.explain(error))?;
            if found {
                let refusal = Refusal {
                    what: "a subquery inside an expression cannot run as a stream".into(),
                    why: "its value would change with every row".into(),
                    fix: "join with it on the window instead: … JOIN (SELECT …) AS s \
                          ON t.window_start = s.window_start"
                        .into(),
                };
                return Err(self.origin.refuse(node, None, refusal));
            }
        }
        Ok(())
    }
}

fn partition_of(expr: &Expr) -> &[Expr] {
    match expr {
        Expr::WindowFunction(function) => {
            let WindowFunction { params, .. } = function.as_ref();
            &params.partition_by
        }
        Expr::Alias(alias) => partition_of(&alias.expr),
        _ => &[],
    }
}

fn facts_of(fragment: &Fragment) -> Vec<Option<TimeColumn>> {
    match fragment {
        Fragment::Open(feeds) => facts_of_feeds(feeds),
        Fragment::Bound { plan, .. } => time_columns(plan),
    }
}

/// What all feeds agree on.
fn facts_of_feeds(feeds: &[Feed]) -> Vec<Option<TimeColumn>> {
    let mut facts = feeds.iter().map(|feed| time_columns(&feed.plan));
    let first = facts.next().unwrap_or_default();
    facts.fold(first, |agreed, other| {
        agreed.into_iter().zip(other).map(|(a, b)| if a == b { a } else { None }).collect()
    })
}

/// The grouping sets of a GROUP BY; a plain one is one set.
pub fn key_sets(group_expr: &[Expr]) -> datafusion::common::Result<Vec<Vec<Expr>>> {
    match enumerate_grouping_sets(group_expr.to_vec())?.as_slice() {
        [Expr::GroupingSet(GroupingSet::GroupingSets(sets))] => Ok(sets.clone()),
        [Expr::GroupingSet(GroupingSet::Rollup(keys))] => {
            Ok((0..=keys.len()).rev().map(|n| keys[..n].to_vec()).collect())
        }
        [Expr::GroupingSet(GroupingSet::Cube(keys))] => {
            let chosen = |mask: usize| (0..keys.len()).filter(move |i| mask & (1 << i) != 0);
            let sets = (0..1_usize << keys.len()).rev();
            Ok(sets.map(|mask| chosen(mask).map(|i| keys[i].clone()).collect()).collect())
        }
        keys => Ok(vec![keys.to_vec()]),
    }
}

/// The keys of all sets in the order of the aggregate's output.
pub fn distinct(sets: &[Vec<Expr>]) -> Vec<Expr> {
    let mut keys: Vec<Expr> = Vec::new();
    for key in sets.iter().flatten() {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    keys
}

/// The plan's columns, by position, under the names and types of `schema`.
fn renamed(plan: LogicalPlan, schema: &DFSchema) -> datafusion::common::Result<LogicalPlan> {
    let columns = plan.schema().columns();
    let exprs = columns.into_iter().zip(schema.iter()).map(|(column, (qualifier, field))| {
        let same: bool = plan_type(&plan, &column) == Some(field.data_type());
        let expr = Expr::Column(Column { spans: Default::default(), ..column });
        let expr = if same { expr } else { datafusion::logical_expr::cast(expr, field.data_type().clone()) };
        expr.alias_qualified(qualifier.cloned(), field.name())
    });
    let exprs: Vec<Expr> = exprs.collect();
    LogicalPlanBuilder::from(plan).project(exprs)?.build()
}

fn plan_type<'a>(plan: &'a LogicalPlan, column: &Column) -> Option<&'a DataType> {
    plan.schema().field_from_column(column).ok().map(|field| field.data_type())
}
