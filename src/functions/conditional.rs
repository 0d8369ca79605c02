//! IF, and DataFusion's functions whose NULL rules or result types are not Flink's.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{cast, is_null, nullif, or};
use arrow::datatypes::{DataType, Field, FieldRef, UInt64Type};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::type_coercion::binary::type_union_resolution;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, when,
};

/// `IF(condition, a, b)`: a CASE, so that only the chosen side is evaluated.
#[derive(Debug, PartialEq, Eq, Hash)]
struct If {
    signature: Signature,
}

impl ScalarUDFImpl for If {
    fn name(&self) -> &str {
        "if"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [_, yes, no] = given else {
            return plan_err!("`IF` takes 3 arguments, not {}", given.len());
        };
        let Some(common) = type_union_resolution(&[yes.clone(), no.clone()]) else {
            return plan_err!("the results of `IF` are `{yes}` and `{no}`, which have no type in common");
        };
        Ok(vec![DataType::Boolean, common.clone(), common])
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        Ok(arg_types[1].clone())
    }

    fn simplify(&self, mut args: Vec<Expr>, _info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        match (args.pop(), args.pop(), args.pop()) {
            (Some(no), Some(yes), Some(condition)) => {
                Ok(ExprSimplifyResult::Simplified(when(condition, yes).otherwise(no)?))
            }
            _ => plan_err!("`IF` takes 3 arguments"),
        }
    }

    fn short_circuits(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let chosen = cast(&columns[0], &DataType::Boolean)?;
        // A condition that is NULL is not met.
        let chosen: BooleanArray = chosen.as_boolean().iter().map(|c| Some(c == Some(true))).collect();
        Ok(ColumnarValue::Array(zip(&chosen, &columns[1], &columns[2])?))
    }
}

/// What is changed about a function's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Change {
    /// NULL if any argument is.
    NullIfAnyIs,
    /// INT in place of an unsigned BIGINT.
    Int,
    /// INT, and 0 in place of a NULL that no argument is the reason for.
    IntOrZero,
}

/// One of DataFusion's functions with another result; its aliases stay DataFusion's.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Changed {
    inner: Arc<ScalarUDF>,
    change: Change,
}

impl ScalarUDFImpl for Changed {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(given)
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match self.change {
            Change::NullIfAnyIs => self.inner.return_type(arg_types),
            Change::Int | Change::IntOrZero => Ok(DataType::Int32),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        match self.change {
            Change::NullIfAnyIs => {
                let field = self.inner.return_field_from_args(args)?;
                Ok(Arc::new(field.as_ref().clone().with_nullable(true)))
            }
            Change::Int | Change::IntOrZero => Ok(Arc::new(Field::new(self.name(), DataType::Int32, true))),
        }
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (rows, given) = (args.number_rows, args.args.clone());
        let constant = given.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { rows };
        args.return_field = self.inner.return_field_from_args(ReturnFieldArgs {
            arg_fields: &args.arg_fields,
            scalar_arguments: &vec![None; args.arg_fields.len()],
        })?;
        args.number_rows = rows;
        let result = self.inner.invoke_with_args(args)?.into_array(rows)?;
        let result = match self.change {
            Change::NullIfAnyIs => nullif(&result, &any_null(&given, rows)?)?,
            Change::Int => cast(&result, &DataType::Int32)?,
            Change::IntOrZero => {
                let nulls = any_null(&given, rows)?;
                let found = result.as_primitive::<UInt64Type>().iter().zip(&nulls);
                let found = found.map(|(at, null)| (null != Some(true)).then(|| at.unwrap_or(0) as i32));
                Arc::new(found.collect::<arrow::array::Int32Array>())
            }
        };
        Ok(match constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?),
            false => ColumnarValue::Array(result),
        })
    }
}

fn any_null(args: &[ColumnarValue], rows: usize) -> Result<BooleanArray> {
    args.iter().try_fold(BooleanArray::from(vec![false; rows]), |any, arg| {
        Ok(or(&any, &is_null(&arg.to_array(rows)?)?)?)
    })
}

/// Ours, made from DataFusion's.
pub(super) fn functions(theirs: &[Arc<ScalarUDF>]) -> Vec<Arc<ScalarUDF>> {
    let changes = [
        ("array_concat", Change::NullIfAnyIs),
        ("array_except", Change::NullIfAnyIs),
        ("array_intersect", Change::NullIfAnyIs),
        ("array_union", Change::NullIfAnyIs),
        ("greatest", Change::NullIfAnyIs),
        ("least", Change::NullIfAnyIs),
        ("cardinality", Change::Int),
        ("array_position", Change::IntOrZero),
    ];
    let named = |name: &str| theirs.iter().find(|function| function.name() == name).cloned();
    let changed =
        changes.into_iter().filter_map(|(name, change)| Some(Changed { inner: named(name)?, change }));
    let mut functions: Vec<_> = changed.map(|changed| Arc::new(ScalarUDF::new_from_impl(changed))).collect();
    functions.push(Arc::new(ScalarUDF::new_from_impl(If {
        signature: Signature::user_defined(Volatility::Immutable),
    })));
    functions
}

#[cfg(test)]
mod tests {
    use crate::functions::tests::check;

    #[test]
    fn nulls_and_choices_follow_flink() {
        check(&[
            ("GREATEST(1, 3, 2)", "3"),
            ("GREATEST(1, NULL, 2)", "NULL"),
            ("LEAST('b', 'a')", "a"),
            ("LEAST('b', NULL)", "NULL"),
            ("IF(5 > 3, 5, 3)", "5"),
            ("IF(NULL, 5, 3)", "3"),
            ("IF(true, 'a', NULL)", "a"),
            ("IF(1 = 1, 0, 1 / 0)", "0"),
            ("IFNULL(NULL, 5)", "5"),
            ("IFNULL('a', 'b')", "a"),
            ("NULLIF(5, 5)", "NULL"),
            ("COALESCE(NULL, 'default')", "default"),
            ("CARDINALITY(ARRAY[1, 2, 3])", "3"),
            ("ARRAY_POSITION(ARRAY['a', 'b'], 'b')", "2"),
            ("ARRAY_POSITION(ARRAY['a', 'b'], 'c')", "0"),
            ("ARRAY_POSITION(ARRAY['a', 'b'], NULL)", "NULL"),
        ]);
    }
}
