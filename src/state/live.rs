//! Live tables: the groups of one window while its rows arrive, on DataFusion's own accumulators.
//!
//! ```text
//! rows ──update──► LiveTable ──drain──► run (keys, state columns) ──merge──► LiveTable ──evaluate──► rows
//!                  in a lane             travels, is stored                  in the driver
//! ```
//! The window's bounds are no part of the hash key: they are the same in all rows of a live table, and put
//! back by `evaluate`. Without other keys there is no hash table at all. Why not DataFusion's Partial and
//! Final plans per batch: they rebuild the hash table for each batch and measured two to five times slower.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array,
};
use arrow::compute::{SortColumn, cast, lexsort_to_indices, take};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_expr::{GroupsAccumulatorAdapter, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;
use datafusion::physical_plan::aggregates::{PhysicalGroupBy, evaluate_group_by};

use crate::plan::GroupSpec;
use crate::plan::cut::{distinct, key_sets};
use crate::plan::facts::Bound;
use crate::plan::lower::Lowering;
use crate::time::{EventTime, Window};

/// A [`GroupSpec`] made ready to run; shared by all live tables of a stage.
pub struct GroupPlan {
    group_by: PhysicalGroupBy,
    /// Which columns of `evaluate_group_by` are in the hash key: all but the window's bounds.
    hashed: Vec<usize>,
    bounds: Vec<Option<Bound>>,
    aggregates: Vec<AggregateCall>,
    /// Schema of the rows, every column of which may be NULL.
    input_schema: SchemaRef,
    key_schema: SchemaRef,
    run_schema: SchemaRef,
    output_schema: SchemaRef,
}

struct AggregateCall {
    function: Arc<AggregateFunctionExpr>,
    /// Arguments, then the ORDER BY expressions if the function wants them.
    args: Vec<Arc<dyn PhysicalExpr>>,
    filter: Option<Arc<dyn PhysicalExpr>>,
    /// Order in which the rows of a batch must be given to it.
    order: Vec<PhysicalSortExpr>,
    state_len: usize,
}

impl GroupPlan {
    pub fn lower(spec: &GroupSpec, lowering: &Lowering) -> Result<GroupPlan> {
        let sets = key_sets(&spec.group_expr)?;
        let keys = distinct(&sets);
        let fields: Vec<FieldRef> = spec.schema.fields().iter().cloned().collect();
        let mut exprs = Vec::new();
        let mut nulls = Vec::new();
        for (i, key) in keys.iter().enumerate() {
            let name = fields[i].name().clone();
            let null = ScalarValue::try_from(fields[i].data_type())?;
            // A bound of the window is not evaluated per row; the literal keeps its place in the grouping id.
            let expr: Arc<dyn PhysicalExpr> = match spec.bounds[i] {
                Some(_) => Arc::new(Literal::new(ScalarValue::Null)),
                None => lowering.expr(key, &spec.input_schema)?,
            };
            exprs.push((expr, name.clone()));
            nulls.push((Arc::new(Literal::new(null)) as Arc<dyn PhysicalExpr>, name));
        }
        let has_sets =
            spec.group_expr.iter().any(|e| matches!(e, datafusion::logical_expr::Expr::GroupingSet(_)));
        let left_out =
            |set: &Vec<datafusion::logical_expr::Expr>| keys.iter().map(|k| !set.contains(k)).collect();
        let groups = sets.iter().map(left_out).collect();
        let group_by = PhysicalGroupBy::new(exprs, nulls, groups, has_sets);
        let mut bounds = spec.bounds.clone();
        bounds.resize(keys.len() + usize::from(has_sets), None);
        let hashed: Vec<usize> = (0..bounds.len()).filter(|&i| bounds[i].is_none()).collect();
        let aggregates: Vec<AggregateCall> =
            spec.aggr_expr.iter().map(|expr| lower_call(expr, spec, lowering)).collect::<Result<_>>()?;
        let key_fields: Vec<FieldRef> = hashed.iter().map(|&i| Arc::clone(&fields[i])).collect();
        let mut run_fields = key_fields.clone();
        for call in &aggregates {
            for state in call.function.state_fields()? {
                let name = format!("s{}", run_fields.len());
                run_fields.push(Arc::new(Field::new(name, state.data_type().clone(), true)));
            }
        }
        Ok(GroupPlan {
            group_by,
            hashed,
            bounds,
            aggregates,
            input_schema: relaxed(spec.input_schema.inner()),
            key_schema: Arc::new(Schema::new(key_fields)),
            run_schema: Arc::new(Schema::new(run_fields)),
            output_schema: Arc::new(Schema::new(fields)),
        })
    }

    /// Group keys without the window's bounds, then the states of the aggregates.
    pub fn run_schema(&self) -> &SchemaRef {
        &self.run_schema
    }

    pub fn output_schema(&self) -> &SchemaRef {
        &self.output_schema
    }

    /// Whether there is a group of all rows, which is present even without rows.
    pub fn has_total(&self) -> bool {
        self.group_by.is_true_no_grouping() || self.group_by.groups().iter().any(|set| is_total(set))
    }

    /// The keys of each grouping set that has none but NULLs and its id, as columns of one row.
    fn totals(&self) -> Result<Vec<Vec<ArrayRef>>> {
        let fields = self.input_schema.fields().iter();
        let nulls = fields.map(|field| new_null_array(field.data_type(), 1)).collect();
        let one_row = RecordBatchOptions::new().with_row_count(Some(1));
        let row = RecordBatch::try_new_with_options(Arc::clone(&self.input_schema), nulls, &one_row)?;
        let sets = evaluate_group_by(&self.group_by, &row)?.into_iter().zip(self.group_by.groups());
        let totals = sets.filter(|(_, set)| is_total(set));
        Ok(totals.map(|(keys, _)| self.hashed.iter().map(|&i| Arc::clone(&keys[i])).collect()).collect())
    }
}

/// Whether a grouping set leaves out every key.
fn is_total(left_out: &[bool]) -> bool {
    left_out.iter().all(|left_out| *left_out)
}

fn lower_call(
    expr: &datafusion::logical_expr::Expr,
    spec: &GroupSpec,
    lowering: &Lowering,
) -> Result<AggregateCall> {
    let lowered = lowering.aggregate(expr, &spec.input_schema)?;
    let function = lowered.aggregate;
    let mut args = function.expressions();
    args.extend(function.order_bys().iter().map(|order| Arc::clone(&order.expr)));
    let order =
        if function.order_sensitivity().hard_requires() { function.order_bys().to_vec() } else { vec![] };
    let state_len = function.state_fields()?.len();
    Ok(AggregateCall { function, args, filter: lowered.filter, order, state_len })
}

/// The groups of one window, or of one lane's share of it.
pub struct LiveTable {
    /// `None` without keys: then every row is of group 0.
    keys: Option<Box<dyn GroupValues>>,
    accumulators: Vec<Box<dyn GroupsAccumulator>>,
    /// Scratch: the group of each row of the batch at hand.
    groups: Vec<usize>,
    rows: usize,
}

impl LiveTable {
    pub fn new(plan: &GroupPlan) -> Result<LiveTable> {
        let keys = match plan.key_schema.fields().is_empty() {
            true => None,
            false => Some(new_group_values(Arc::clone(&plan.key_schema), &GroupOrdering::None)?),
        };
        let accumulators = plan.aggregates.iter().map(|call| accumulator(&call.function));
        Ok(LiveTable {
            keys,
            accumulators: accumulators.collect::<Result<_>>()?,
            groups: Vec::new(),
            rows: 0,
        })
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub fn size_bytes(&self) -> usize {
        let keys = self.keys.as_ref().map_or(0, |keys| keys.size());
        keys + self.accumulators.iter().map(|accumulator| accumulator.size()).sum::<usize>()
    }

    /// Adds rows; all of them belong to this table's window.
    pub fn update(&mut self, plan: &GroupPlan, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows();
        let inputs: Vec<CallInput> =
            plan.aggregates.iter().map(|call| call.evaluate(batch)).collect::<Result<_>>()?;
        if self.keys.is_none() && !plan.group_by.has_grouping_set() {
            self.intern(&[], batch.num_rows())?;
            return self.accumulate(plan, &inputs);
        }
        for set in evaluate_group_by(&plan.group_by, batch)? {
            let keys: Vec<ArrayRef> = plan.hashed.iter().map(|&i| Arc::clone(&set[i])).collect();
            self.intern(&keys, batch.num_rows())?;
            self.accumulate(plan, &inputs)?;
        }
        Ok(())
    }

    fn intern(&mut self, keys: &[ArrayRef], rows: usize) -> Result<()> {
        match &mut self.keys {
            Some(values) => values.intern(keys, &mut self.groups),
            None => {
                self.groups.clear();
                self.groups.resize(rows, 0);
                Ok(())
            }
        }
    }

    fn group_count(&self) -> usize {
        self.keys.as_ref().map_or(1, |keys| keys.len())
    }

    fn accumulate(&mut self, plan: &GroupPlan, inputs: &[CallInput]) -> Result<()> {
        let count = self.group_count();
        for (i, accumulator) in self.accumulators.iter_mut().enumerate() {
            let input = &inputs[i];
            match &input.order {
                None => accumulator.update_batch(&input.args, &self.groups, input.filter.as_ref(), count)?,
                Some(order) => {
                    let groups = order.values().iter().map(|&i| self.groups[i as usize]).collect();
                    let (seen, states) = plan.aggregates[i].in_order(input, groups)?;
                    accumulator.merge_batch(&states, &seen, count)?;
                }
            }
        }
        Ok(())
    }

    /// Adds the groups of a run. Runs are merged oldest first: some aggregates depend on the order.
    pub fn merge(&mut self, plan: &GroupPlan, run: &RecordBatch) -> Result<()> {
        self.rows += run.num_rows();
        let (keys, mut states) = run.columns().split_at(plan.key_schema.fields().len());
        self.intern(keys, run.num_rows())?;
        let count = self.group_count();
        for (accumulator, call) in self.accumulators.iter_mut().zip(&plan.aggregates) {
            let (state, rest) = states.split_at(call.state_len);
            accumulator.merge_batch(state, &self.groups, count)?;
            states = rest;
        }
        Ok(())
    }

    /// Takes everything out as a run; the table is empty afterwards and keeps its memory small.
    pub fn drain(&mut self, plan: &GroupPlan) -> Result<RecordBatch> {
        let mut columns = self.emit_keys()?;
        for accumulator in &mut self.accumulators {
            columns.extend(accumulator.state(EmitTo::All)?);
        }
        self.rows = 0;
        typed(&plan.run_schema, columns)
    }

    /// The result rows of a window that starts at `start`; the table is empty afterwards.
    pub fn evaluate(&mut self, plan: &GroupPlan, window: Window, start: EventTime) -> Result<RecordBatch> {
        let mut totals = 1;
        if self.is_empty() && self.keys.is_some() {
            if !plan.has_total() {
                return Ok(RecordBatch::new_empty(relaxed(&plan.output_schema)));
            }
            let keys = plan.totals()?;
            totals = keys.len();
            keys.iter().try_for_each(|keys| self.intern(keys, 1))?;
        }
        let mut keys = self.emit_keys()?.into_iter();
        let results = match self.is_empty() {
            true => {
                let results = plan.aggregates.iter().map(|call| call.of_no_rows(totals));
                results.collect::<Result<Vec<_>>>()?
            }
            false => {
                let results = self.accumulators.iter_mut();
                results.map(|accumulator| accumulator.evaluate(EmitTo::All)).collect::<Result<_>>()?
            }
        };
        self.rows = 0;
        let rows = match (results.first(), keys.as_slice().first()) {
            (Some(column), _) | (None, Some(column)) => column.len(),
            (None, None) => 1,
        };
        let mut columns = Vec::with_capacity(plan.output_schema.fields().len());
        for (i, bound) in plan.bounds.iter().enumerate() {
            match bound {
                Some(bound) => {
                    let ty = plan.output_schema.field(i).data_type();
                    columns.push(bound_column(window, start, *bound, ty, rows)?);
                }
                None => columns.extend(keys.next()),
            }
        }
        columns.extend(results);
        typed(&plan.output_schema, columns)
    }

    fn emit_keys(&mut self) -> Result<Vec<ArrayRef>> {
        let Some(values) = &mut self.keys else { return Ok(Vec::new()) };
        let keys = values.emit(EmitTo::All)?;
        // With several key columns `emit` leaves the hash map behind; the next `intern` would trip over it.
        values.clear_shrink(0);
        Ok(keys)
    }
}

/// The arrays of one aggregate call for one batch.
struct CallInput {
    args: Vec<ArrayRef>,
    filter: Option<BooleanArray>,
    order: Option<UInt32Array>,
}

impl AggregateCall {
    /// The answer for the one group there is without keys, if it has no row.
    ///
    /// Accumulators of groups take it for granted that every group has one: their `sum` would be 0, not NULL.
    fn of_no_rows(&self, groups: usize) -> Result<ArrayRef> {
        self.function.create_accumulator()?.evaluate()?.to_array_of_size(groups)
    }

    /// The states of the groups that a batch has rows of, and which groups these are.
    ///
    /// A function that requires an order takes all its rows in that order, from batch to batch, too. Rows do
    /// not come so; hence a batch in order is a run of its own, since runs are merged by their order.
    fn in_order(&self, input: &CallInput, groups: Vec<usize>) -> Result<(Vec<usize>, Vec<ArrayRef>)> {
        let mut seen = groups.clone();
        seen.sort_unstable();
        seen.dedup();
        let dense: Vec<usize> = groups.iter().map(|group| seen.partition_point(|at| at < group)).collect();
        let mut batch = accumulator(&self.function)?;
        batch.update_batch(&input.args, &dense, input.filter.as_ref(), seen.len())?;
        Ok((seen, batch.state(EmitTo::All)?))
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<CallInput> {
        let column = |expr: &Arc<dyn PhysicalExpr>| expr.evaluate(batch)?.into_array(batch.num_rows());
        let args: Vec<ArrayRef> = self.args.iter().map(column).collect::<Result<_>>()?;
        let filter = match &self.filter {
            Some(filter) => Some(column(filter)?.as_boolean().clone()),
            None => None,
        };
        if self.order.is_empty() {
            return Ok(CallInput { args, filter, order: None });
        }
        let by = self
            .order
            .iter()
            .map(|order| Ok(SortColumn { values: column(&order.expr)?, options: Some(order.options) }));
        let order = lexsort_to_indices(&by.collect::<Result<Vec<_>>>()?, None)?;
        let args = args.iter().map(|arg| take(arg, &order, None)).collect::<Result<_, _>>()?;
        let filter = match filter {
            Some(filter) => Some(take(&filter, &order, None)?.as_boolean().clone()),
            None => None,
        };
        Ok(CallInput { args, filter, order: Some(order) })
    }
}

fn accumulator(function: &Arc<AggregateFunctionExpr>) -> Result<Box<dyn GroupsAccumulator>> {
    if function.groups_accumulator_supported() {
        return function.create_groups_accumulator();
    }
    let function = Arc::clone(function);
    Ok(Box::new(GroupsAccumulatorAdapter::new(move || function.create_accumulator())))
}

fn bound_column(
    window: Window,
    start: EventTime,
    bound: Bound,
    ty: &DataType,
    rows: usize,
) -> Result<ArrayRef> {
    let Window::Tumble { size_micros, .. } = window else {
        return Ok(arrow::array::new_null_array(ty, rows));
    };
    let at = start.plus(bound.after_start_micros(size_micros));
    let value = ScalarValue::TimestampMicrosecond(Some(at.0), None).cast_to(ty)?;
    value.to_array_of_size(rows)
}

/// Columns under a schema; accumulators may give another encoding of the same type.
fn typed(schema: &SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    let columns = columns.into_iter().zip(schema.fields()).map(|(column, field)| {
        if column.data_type() == field.data_type() { Ok(column) } else { cast(&column, field.data_type()) }
    });
    let columns: Vec<ArrayRef> = columns.collect::<Result<_, _>>()?;
    let rows = columns.first().map_or(1, |column| column.len());
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(relaxed(schema), columns, &options)?)
}

/// All columns nullable: a merge or an outer join may bring NULLs where a plan promised none.
fn relaxed(schema: &SchemaRef) -> SchemaRef {
    if schema.fields().iter().all(|field| field.is_nullable()) {
        return Arc::clone(schema);
    }
    let fields: Vec<Field> = schema.fields().iter().map(|f| f.as_ref().clone().with_nullable(true)).collect();
    Arc::new(Schema::new(fields))
}
