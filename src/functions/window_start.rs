//! `__window_start(ts, size_us, offset_us)`: the start of the tumbling window that holds a time.
//!
//! The planner writes it for TUMBLE and for each pane of HOP and CUMULATE. It runs once per row, so it
//! remembers the last window and divides only when a row leaves it: neighbouring rows nearly always share
//! one, and then a row costs one subtraction and one comparison. `date_bin` goes through calendar
//! arithmetic instead and costs some 50 times more.
//!
//! Invariants: the result is microseconds in the time zone of the input; NULL stays NULL; windows are
//! half-open, also before 1970; the start of a window never falls when the time rises.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

/// The name the planner calls; no SQL file can mean it by accident.
pub const NAME: &str = "__window_start";

/// Start of the window of `size_us` microseconds that holds `ts_us`; `offset_us` moves every boundary.
///
/// `size_us` is positive. Saturates at the ends of time.
pub fn window_start_of(ts_us: i64, size_us: i64, offset_us: i64) -> i64 {
    window_of(ts_us, size_us, offset_us).0
}

/// Start and end of the window; both saturate.
fn window_of(ts_us: i64, size_us: i64, offset_us: i64) -> (i64, i64) {
    let into_window = (i128::from(ts_us) - i128::from(offset_us)).rem_euclid(i128::from(size_us)) as i64;
    (ts_us.saturating_sub(into_window), ts_us.saturating_add(size_us - into_window))
}

/// [`window_start_of`] for a column.
pub fn window_starts(ts_us: &[i64], size_us: i64, offset_us: i64) -> Vec<i64> {
    let first = ts_us.first().copied().unwrap_or_default();
    let (mut start, mut end) = window_of(first, size_us, offset_us);
    ts_us
        .iter()
        .map(|&ts| {
            if ts < start || ts >= end {
                (start, end) = window_of(ts, size_us, offset_us);
            }
            start
        })
        .collect()
}

/// See the module's text.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct WindowStart {
    signature: Signature,
}

impl WindowStart {
    pub(super) fn new() -> Self {
        WindowStart { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for WindowStart {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [ts, _, _] = arg_types else {
            return plan_err!("`{NAME}` takes a time, a size and an offset");
        };
        Ok(vec![microseconds_like(ts)?, DataType::Int64, DataType::Int64])
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        microseconds_like(&arg_types[0])
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        match args.scalar_arguments.get(1) {
            Some(Some(ScalarValue::Int64(Some(size)))) if *size > 0 => {}
            _ => return plan_err!("the size of a window must be a positive constant"),
        }
        let ts = &args.arg_fields[0];
        Ok(Arc::new(Field::new(NAME, microseconds_like(ts.data_type())?, ts.is_nullable())))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [ts, ColumnarValue::Scalar(size), ColumnarValue::Scalar(offset)] = args.args.as_slice() else {
            return exec_err!("the size and the offset of a window must be constants");
        };
        let (ScalarValue::Int64(Some(size_us)), ScalarValue::Int64(Some(offset_us))) = (size, offset) else {
            return exec_err!("the size and the offset of a window must be microseconds");
        };
        let starts = |ts: &dyn Array| window_start_array(ts, args.return_type(), *size_us, *offset_us);
        Ok(match ts {
            ColumnarValue::Array(ts) => ColumnarValue::Array(starts(ts)?),
            ColumnarValue::Scalar(ts) => {
                ColumnarValue::Scalar(ScalarValue::try_from_array(&starts(&ts.to_array()?)?, 0)?)
            }
        })
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        Ok(inputs.first().map_or(SortProperties::Unordered, |ts| ts.sort_properties))
    }
}

fn window_start_array(ts: &dyn Array, target: &DataType, size_us: i64, offset_us: i64) -> Result<ArrayRef> {
    if size_us <= 0 {
        return exec_err!("the size of a window must be positive, got `{size_us}` us");
    }
    let cast_ts = if ts.data_type() == target { None } else { Some(cast(ts, target)?) };
    let ts = cast_ts.as_deref().unwrap_or(ts).as_primitive::<TimestampMicrosecondType>();
    let starts = window_starts(ts.values(), size_us, offset_us);
    let starts = TimestampMicrosecondArray::new(starts.into(), ts.nulls().cloned());
    Ok(Arc::new(starts.with_data_type(target.clone())))
}

fn microseconds_like(ts: &DataType) -> Result<DataType> {
    match ts {
        DataType::Timestamp(_, zone) => Ok(DataType::Timestamp(TimeUnit::Microsecond, zone.clone())),
        DataType::Null => Ok(DataType::Timestamp(TimeUnit::Microsecond, None)),
        other => plan_err!("a window needs a time column, and this one is `{other}`"),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::config::ConfigOptions;
    use datafusion::logical_expr::ScalarUDF;

    use super::*;

    #[test]
    fn a_window_holds_its_time_also_before_1970_and_with_an_offset() {
        for (ts, size, offset, start) in [
            (0, 60, 0, 0),
            (59, 60, 0, 0),
            (60, 60, 0, 60),
            (-1, 60, 0, -60),
            (-60, 60, 0, -60),
            (5, 60, 10, -50),
            (10, 60, 10, 10),
            (10, 60, -10, -10),
            (10, 60, 130, 10),
        ] {
            assert_eq!(window_start_of(ts, size, offset), start, "{ts} {size} {offset}");
        }
        assert_eq!(window_start_of(i64::MIN, 60, 5), i64::MIN);
        assert!(window_start_of(i64::MAX, 60, -5) > i64::MAX - 60);
    }

    #[test]
    fn a_column_gives_what_each_of_its_rows_gives() {
        let mut ts = vec![3, 59, 60, 61, -1, -61, 1_000_000, 0, i64::MAX, i64::MIN, 7];
        ts.extend((0..1000).map(|i: i64| i.wrapping_mul(7_919) % 977 - 400));
        for (size, offset) in [(60, 0), (60, 7), (7, -3), (1, 0), (i64::MAX, 0)] {
            let each: Vec<i64> = ts.iter().map(|&t| window_start_of(t, size, offset)).collect();
            assert_eq!(window_starts(&ts, size, offset), each, "size {size}, offset {offset}");
        }
        assert!(window_starts(&[], 60, 0).is_empty());
    }

    fn invoke(ts: ColumnarValue, size_us: i64) -> Result<ColumnarValue> {
        let udf = ScalarUDF::new_from_impl(WindowStart::new());
        let fields: Vec<FieldRef> = [ts.data_type(), DataType::Int64, DataType::Int64]
            .into_iter()
            .map(|ty| Arc::new(Field::new("x", ty, true)))
            .collect();
        let (size, offset) = (ScalarValue::from(size_us), ScalarValue::from(0_i64));
        let return_field = udf.return_field_from_args(ReturnFieldArgs {
            arg_fields: &fields,
            scalar_arguments: &[None, Some(&size), Some(&offset)],
        })?;
        udf.invoke_with_args(ScalarFunctionArgs {
            args: vec![ts, ColumnarValue::Scalar(size), ColumnarValue::Scalar(offset)],
            arg_fields: fields,
            number_rows: 3,
            return_field,
            config_options: Arc::new(ConfigOptions::new()),
        })
    }

    #[test]
    fn every_unit_becomes_microseconds_and_keeps_its_zone_and_nulls() {
        let millis = arrow::array::TimestampMillisecondArray::from(vec![Some(61), None, Some(-1)])
            .with_timezone("Europe/Berlin");
        let ColumnarValue::Array(starts) = invoke(ColumnarValue::Array(Arc::new(millis)), 60_000).unwrap()
        else {
            panic!("an array in, an array out");
        };
        let expected = TimestampMicrosecondArray::from(vec![Some(60_000), None, Some(-60_000)])
            .with_timezone("Europe/Berlin");
        assert_eq!(starts.as_primitive::<TimestampMicrosecondType>(), &expected);
    }

    #[test]
    fn a_constant_stays_a_constant_and_a_size_of_zero_is_refused() {
        let ts = ColumnarValue::Scalar(ScalarValue::TimestampSecond(Some(61), None));
        match invoke(ts.clone(), 60_000_000).unwrap() {
            ColumnarValue::Scalar(start) => {
                assert_eq!(start, ScalarValue::TimestampMicrosecond(Some(60_000_000), None));
            }
            ColumnarValue::Array(_) => panic!("a constant in, a constant out"),
        }
        assert!(invoke(ts, 0).unwrap_err().to_string().contains("positive constant"));
    }
}
