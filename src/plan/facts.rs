//! What is known of a plan's columns beyond their types: which of them carry time, and how.
//!
//! Facts are traced by index through the nodes, never by name: the optimizer renames and inlines at will.
//! A window needs no node of its own: `window_start` is the function `__window_start(ts, size, offset)` of an
//! event-time column, and `window_end` is any expression that adds the size to it.
//!
//! Windows over moments (TIMESTAMP_LTZ) go by the job's wall clock: they are windows of `__wall(ts, zone)`,
//! their panes and the watermark of their stage are wall times, and only `window_time` is a moment again.

use arrow::array::timezone::Tz;
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator};

use crate::functions::{wall, window_start};
use crate::plan::provider::LeafSource;
use crate::time::zone::earliest_wall_from;
use crate::time::{EventTime, Window};

/// Flink's `window_time` is the last millisecond of its window.
pub const WINDOW_TIME_BEFORE_END_MICROS: i64 = 1_000;

/// A column that carries time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeColumn {
    /// Event time as it came in a row.
    Row,
    /// The row's event time, a moment, as the job's wall clock shows it.
    Wall,
    /// A bound of the window that the row belongs to.
    Bound(Window, Bound),
    /// `window_time` of a local window, as a moment.
    Moment(Window),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bound {
    Start,
    End,
    /// Flink's `window_time`, a time attribute that a further window can be built on.
    Time,
}

impl Bound {
    /// The bound's distance from the start of its window.
    pub fn after_start_micros(self, size_micros: i64) -> i64 {
        match self {
            Bound::Start => 0,
            Bound::End => size_micros,
            Bound::Time => size_micros - WINDOW_TIME_BEFORE_END_MICROS,
        }
    }
}

impl TimeColumn {
    /// The watermark of this column, given that of the stage that emits it.
    ///
    /// A stage with watermark `W` has emitted every window that ends at or before `W`, so the next one is
    /// the window that holds `W`. `zone` is the job's; None is UTC.
    pub fn watermark(self, stage: EventTime, zone: Option<&Tz>) -> EventTime {
        match self {
            TimeColumn::Row | TimeColumn::Bound(Window::All, _) => stage,
            TimeColumn::Wall => zone.map_or(stage, |zone| earliest_wall_from(stage, zone)),
            TimeColumn::Bound(window @ Window::Tumble { size_micros, .. }, bound) => {
                window.start_of(stage).plus(bound.after_start_micros(size_micros))
            }
            // Only local windows are built on it, so it is wanted as the wall clock shows it.
            TimeColumn::Moment(window) => TimeColumn::Bound(window, Bound::Time).watermark(stage, zone),
        }
    }

    pub fn window(self) -> Option<Window> {
        match self {
            TimeColumn::Row | TimeColumn::Wall => None,
            TimeColumn::Bound(window, _) | TimeColumn::Moment(window) => Some(window),
        }
    }

    /// Whether a window can be built on it.
    pub fn is_time_attribute(self) -> bool {
        match self {
            TimeColumn::Row | TimeColumn::Moment(_) => true,
            TimeColumn::Bound(window, bound) => bound == Bound::Time && !window.is_local(),
            TimeColumn::Wall => false,
        }
    }

    /// The column as the job's wall clock shows it.
    fn on_wall(self) -> Option<TimeColumn> {
        match self {
            TimeColumn::Row => Some(TimeColumn::Wall),
            TimeColumn::Moment(window) => Some(TimeColumn::Bound(window, Bound::Time)),
            TimeColumn::Wall | TimeColumn::Bound(..) => None,
        }
    }
}

/// The time columns of a plan's output, by index.
pub fn time_columns(plan: &LogicalPlan) -> Vec<Option<TimeColumn>> {
    let of_input = |input: &LogicalPlan| (time_columns(input), input.schema().clone());
    match plan {
        LogicalPlan::TableScan(scan) => {
            let Some(leaf) = LeafSource::of(&scan.source) else {
                return vec![None; plan.schema().fields().len()];
            };
            match &scan.projection {
                Some(columns) => columns.iter().map(|&i| leaf.time_columns[i]).collect(),
                None => leaf.time_columns.clone(),
            }
        }
        LogicalPlan::Projection(node) => {
            let (facts, schema) = of_input(&node.input);
            node.expr.iter().map(|expr| time_column(expr, &facts, &schema)).collect()
        }
        LogicalPlan::Aggregate(node) => {
            let (facts, schema) = of_input(&node.input);
            let keys: Vec<Expr> = match node.group_expr.as_slice() {
                [Expr::GroupingSet(sets)] => sets.distinct_expr().into_iter().cloned().collect(),
                keys => keys.to_vec(),
            };
            let keys = keys
                .iter()
                .map(|expr| time_column(expr, &facts, &schema).filter(|fact| fact.window().is_some()));
            padded(keys.collect(), plan.schema())
        }
        LogicalPlan::Union(node) => {
            let branches: Vec<_> = node.inputs.iter().map(|input| time_columns(input)).collect();
            let agreed = |i: usize| {
                let first = branches.first().and_then(|branch| branch[i]);
                first.filter(|_| branches.iter().all(|branch| branch[i] == first))
            };
            (0..plan.schema().fields().len()).map(agreed).collect()
        }
        LogicalPlan::Join(node) => {
            let mut facts = time_columns(&node.left);
            facts.extend(time_columns(&node.right));
            // A semi or anti join has the columns of one side only, and that side's facts.
            match plan.schema().fields().len() {
                n if n == facts.len() => facts,
                n if n == node.right.schema().fields().len()
                    && plan.schema().fields() == node.right.schema().fields() =>
                {
                    time_columns(&node.right)
                }
                n => facts.into_iter().take(n).collect(),
            }
        }
        LogicalPlan::Unnest(node) => {
            let facts = time_columns(&node.input);
            node.dependency_indices.iter().map(|&i| facts[i]).collect()
        }
        LogicalPlan::Window(node) => padded(time_columns(&node.input), plan.schema()),
        LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::Repartition(_) => {
            plan.inputs().first().map(|input| time_columns(input)).unwrap_or_default()
        }
        _ => vec![None; plan.schema().fields().len()],
    }
}

fn padded(mut facts: Vec<Option<TimeColumn>>, schema: &DFSchema) -> Vec<Option<TimeColumn>> {
    facts.resize(schema.fields().len(), None);
    facts
}

/// What an expression over columns with `facts` says of time.
pub fn time_column(expr: &Expr, facts: &[Option<TimeColumn>], schema: &DFSchema) -> Option<TimeColumn> {
    match expr {
        Expr::Column(column) => facts.get(index_of(column, schema)?).copied().flatten(),
        Expr::Alias(alias) => time_column(&alias.expr, facts, schema),
        Expr::Cast(cast) if is_exact(cast.expr.get_type(schema).ok()?, cast.field.data_type()) => {
            time_column(&cast.expr, facts, schema)
        }
        Expr::ScalarFunction(call) if call.name() == wall::WALL => {
            time_column(call.args.first()?, facts, schema)?.on_wall()
        }
        Expr::ScalarFunction(call) if call.name() == wall::MOMENT => {
            match time_column(call.args.first()?, facts, schema)? {
                TimeColumn::Bound(window, Bound::Time) => Some(TimeColumn::Moment(window)),
                _ => None,
            }
        }
        Expr::ScalarFunction(call) => {
            let window = window_of(call.name(), &call.args, facts, schema)?;
            Some(TimeColumn::Bound(window, Bound::Start))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Plus, right }) => {
            let (TimeColumn::Bound(window, Bound::Start), Expr::Literal(added, _)) =
                (time_column(left, facts, schema)?, right.as_ref())
            else {
                return None;
            };
            bound_at(window, micros(added)?)
        }
        _ => None,
    }
}

fn bound_at(window: Window, after_start_micros: i64) -> Option<TimeColumn> {
    let Window::Tumble { size_micros, .. } = window else { return None };
    let bounds = [Bound::Start, Bound::End, Bound::Time];
    let bound = bounds.into_iter().find(|b| b.after_start_micros(size_micros) == after_start_micros)?;
    Some(TimeColumn::Bound(window, bound))
}

/// A cast to microseconds changes no value, if it does not cross between moments and wall clocks.
fn is_exact(from: DataType, to: &DataType) -> bool {
    use arrow::datatypes::TimeUnit::Microsecond;
    match (from, to) {
        (DataType::Timestamp(_, from), DataType::Timestamp(Microsecond, to)) => {
            from.is_some() == to.is_some()
        }
        _ => false,
    }
}

pub fn index_of(column: &Column, schema: &DFSchema) -> Option<usize> {
    schema.maybe_index_of_column(column)
}

/// The window that a call of `__window_start`, `date_bin` or `date_trunc` on a time attribute stands for.
fn window_of(name: &str, args: &[Expr], facts: &[Option<TimeColumn>], schema: &DFSchema) -> Option<Window> {
    let literal = |expr: &Expr| match expr {
        Expr::Literal(value, _) => Some(value.clone()),
        _ => None,
    };
    let time = match name {
        window_start::NAME => args.first()?,
        "date_bin" | "date_trunc" => args.get(1)?,
        _ => return None,
    };
    let is_local = match time_column(time, facts, schema)? {
        TimeColumn::Row => false,
        TimeColumn::Wall => true,
        TimeColumn::Bound(window, Bound::Time) => window.is_local(),
        TimeColumn::Bound(..) | TimeColumn::Moment(_) => return None,
    };
    let (size_micros, offset_micros) = match (name, args) {
        (window_start::NAME, [_, size, offset]) => (integer(&literal(size)?)?, integer(&literal(offset)?)?),
        ("date_bin", [stride, _]) => (positive(micros(&literal(stride)?)?)?, 0),
        ("date_bin", [stride, _, origin]) => {
            let size_micros = positive(micros(&literal(stride)?)?)?;
            (size_micros, timestamp_micros(&literal(origin)?)?.rem_euclid(size_micros))
        }
        ("date_trunc", [unit, _]) => trunc_window(&literal(unit)?)?,
        _ => return None,
    };
    Some(Window::Tumble { size_micros, offset_micros, is_local })
}

/// Size and offset of a unit of a fixed length; months and longer ones are no tumbling windows.
fn trunc_window(unit: &ScalarValue) -> Option<(i64, i64)> {
    let (size_seconds, offset_seconds) = match unit.try_as_str()??.to_lowercase().as_str() {
        "second" => (1, 0),
        "minute" => (60, 0),
        "hour" => (3_600, 0),
        "day" => (86_400, 0),
        // Weeks begin on Monday; 1970-01-05 was one.
        "week" => (7 * 86_400, 4 * 86_400),
        _ => return None,
    };
    Some((size_seconds * 1_000_000, offset_seconds * 1_000_000))
}

fn integer(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int64(value) => *value,
        _ => None,
    }
}

fn positive(value: i64) -> Option<i64> {
    (value > 0).then_some(value)
}

/// The length of an interval or duration without months.
pub fn micros(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::DurationMicrosecond(Some(micros)) => Some(*micros),
        ScalarValue::DurationMillisecond(Some(millis)) => millis.checked_mul(1_000),
        ScalarValue::DurationSecond(Some(seconds)) => seconds.checked_mul(1_000_000),
        ScalarValue::DurationNanosecond(Some(nanos)) if nanos % 1_000 == 0 => Some(nanos / 1_000),
        ScalarValue::IntervalMonthDayNano(Some(i)) if i.months == 0 && i.nanoseconds % 1_000 == 0 => {
            i64::from(i.days).checked_mul(86_400_000_000)?.checked_add(i.nanoseconds / 1_000)
        }
        ScalarValue::IntervalDayTime(Some(i)) => i64::from(i.days)
            .checked_mul(86_400_000_000)?
            .checked_add(i64::from(i.milliseconds).checked_mul(1_000)?),
        _ => None,
    }
}

fn timestamp_micros(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::TimestampSecond(Some(at), _) => at.checked_mul(1_000_000),
        ScalarValue::TimestampMillisecond(Some(at), _) => at.checked_mul(1_000),
        ScalarValue::TimestampMicrosecond(Some(at), _) => Some(*at),
        ScalarValue::TimestampNanosecond(Some(at), _) => Some(at.div_euclid(1_000)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_window_is_the_one_that_holds_the_watermark() {
        let window = Window::Tumble { size_micros: 60_000_000, offset_micros: 0, is_local: false };
        let at = |bound| TimeColumn::Bound(window, bound).watermark(EventTime(60_000_000), None);
        assert_eq!(at(Bound::Start), EventTime(60_000_000));
        assert_eq!(at(Bound::End), EventTime(120_000_000));
        assert_eq!(at(Bound::Time), EventTime(119_999_000));
        assert_eq!(TimeColumn::Bound(window, Bound::Start).watermark(EventTime::MAX, None), EventTime::MAX);
    }
}
