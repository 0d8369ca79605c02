//! `__cast(value)`: casts that Flink and Arrow do differently; the target type is part of the function.
//!
//! Fields of rows go by position; Arrow's go by name, and DataFusion refuses a `ROW(a, b)`, whose fields have
//! no names of their own. Text becomes a whole number without its fraction, and a decimal also from an
//! exponent (`text_number`).

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::text_number;

const NAME: &str = "__cast";

/// The value of `expr` as a `target`. A part that cannot be converted is an error, or NULL if `is_try`.
pub fn flink_cast(expr: Expr, target: DataType, is_try: bool) -> Expr {
    let signature = Signature::any(1, Volatility::Immutable);
    ScalarUDF::new_from_impl(FlinkCast { target, is_try, signature }).call(vec![expr])
}

/// Whether Arrow's cast between these types is another than Flink's.
pub fn is_needed(from: &DataType, to: &DataType) -> bool {
    use DataType::{LargeList, List, Map, Struct};
    match (from, to) {
        (from, to) if is_text(from) => text_number::reads(to),
        (Struct(_), Struct(_)) => from != to,
        (List(from) | LargeList(from), List(to) | LargeList(to)) => {
            is_needed(from.data_type(), to.data_type())
        }
        (Map(from, _), Map(to, _)) => match (from.data_type(), to.data_type()) {
            // The entries are a struct themselves, of a key and a value.
            (Struct(from), Struct(to)) => {
                from.iter().zip(to).any(|(from, to)| is_needed(from.data_type(), to.data_type()))
            }
            _ => false,
        },
        _ => false,
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct FlinkCast {
    target: DataType,
    is_try: bool,
    signature: Signature,
}

impl ScalarUDFImpl for FlinkCast {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.target.clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let given = &args.arg_fields[0];
        if !can_match(given.data_type(), &self.target) {
            return plan_err!("a `{}` cannot become a `{}`", given.data_type(), self.target);
        }
        Ok(Arc::new(Field::new(NAME, self.target.clone(), true)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match &args.args[0] {
            ColumnarValue::Array(array) => self.cast(array, &self.target).map(ColumnarValue::Array),
            ColumnarValue::Scalar(value) => {
                let array = self.cast(&value.to_array()?, &self.target)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?))
            }
        }
    }
}

fn is_text(ty: &DataType) -> bool {
    matches!(ty, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn can_match(from: &DataType, to: &DataType) -> bool {
    use DataType::{List, Map, Struct};
    match (from, to) {
        (Struct(from), Struct(to)) => {
            let fields = from.iter().zip(to);
            from.len() == to.len() && { fields }.all(|(f, t)| can_match(f.data_type(), t.data_type()))
        }
        (List(from), List(to)) | (Map(from, _), Map(to, _)) => can_match(from.data_type(), to.data_type()),
        (from, to) => arrow::compute::can_cast_types(from, to),
    }
}

impl FlinkCast {
    fn cast(&self, array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
        let nulls = array.nulls().cloned();
        Ok(match (array.data_type(), to) {
            (from, to) if from == to => Arc::clone(array),
            (DataType::Null, to) => new_null_array(to, array.len()),
            (DataType::Struct(_), DataType::Struct(fields)) => {
                let columns = array.as_struct().columns().iter().zip(fields);
                let columns = columns.map(|(column, field)| self.cast(column, field.data_type()));
                let columns = columns.collect::<Result<Vec<_>>>()?;
                Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, array.len())?)
            }
            (DataType::List(_), DataType::List(item)) => {
                let list = array.as_list::<i32>();
                let values = self.cast(list.values(), item.data_type())?;
                Arc::new(ListArray::try_new(Arc::clone(item), list.offsets().clone(), values, nulls)?)
            }
            (DataType::Map(_, _), DataType::Map(entry, ordered)) => {
                let map = array.as_map();
                let entries: ArrayRef = Arc::new(map.entries().clone());
                let entries = self.cast(&entries, entry.data_type())?;
                let entries = entries.as_struct().clone();
                Arc::new(MapArray::try_new(
                    Arc::clone(entry),
                    map.offsets().clone(),
                    entries,
                    nulls,
                    *ordered,
                )?)
            }
            (from, to) if is_text(from) && text_number::reads(to) => {
                text_number::read(array, to, self.is_try)?
            }
            (from, to) if arrow::compute::can_cast_types(from, to) => {
                let options = CastOptions { safe: self.is_try, ..CastOptions::default() };
                cast_with_options(array, to, &options)?
            }
            (from, to) => return exec_err!("a `{from}` cannot become a `{to}`"),
        })
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Array, Int64Array, StringArray};
    use arrow::datatypes::Fields;

    use super::*;

    fn row(fields: &[(&str, DataType)]) -> Fields {
        fields.iter().map(|(name, ty)| Field::new(*name, ty.clone(), true)).collect()
    }

    #[test]
    fn fields_go_by_position_and_a_row_that_is_null_stays_null() {
        let from = row(&[("c0", DataType::Utf8), ("c1", DataType::Int32)]);
        let (texts, numbers) = (StringArray::from(vec!["a", "b"]), Int32Array::from(vec![Some(1), None]));
        let nulls = Some(vec![true, false].into());
        let rows = StructArray::new(from, vec![Arc::new(texts), Arc::new(numbers)], nulls);
        let to = DataType::Struct(row(&[("name", DataType::Utf8View), ("count", DataType::Int64)]));
        let cast =
            FlinkCast { target: to.clone(), is_try: false, signature: Signature::any(1, Volatility::Stable) };
        let rows: ArrayRef = Arc::new(rows);
        let done = cast.cast(&rows, &to).unwrap();
        assert_eq!(done.data_type(), &to);
        assert!(done.is_null(1) && done.is_valid(0));
        assert_eq!(done.as_struct().column(1).as_ref(), &Int64Array::from(vec![Some(1), None]));
        let list = |ty| DataType::List(Arc::new(Field::new("item", ty, true)));
        assert!(can_match(&list(rows.data_type().clone()), &list(to.clone())));
        assert!(is_needed(&list(rows.data_type().clone()), &list(to.clone())));
        assert!(!can_match(rows.data_type(), &DataType::Struct(row(&[("name", DataType::Utf8View)]))));
    }
}
