//! Functions of numbers where DataFusion lacks the name or means something else by it.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Datum};
use arrow::compute::kernels::numeric::rem;
use arrow::compute::{cast, unary};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::Operator;
use datafusion::logical_expr::type_coercion::binary::BinaryTypeCoercer;

use super::definition::Param::{Any, Integer, Number};
use super::definition::{Call, Definition, Eval, Row};

pub(super) fn functions() -> Vec<Definition> {
    vec![
        Definition::new("log", &[Number, Number], Eval::Double(log)).optional(1),
        Definition::new("power", &[Number, Number], Eval::Double(power)).alias("pow"),
        Definition::new(
            "mod",
            &[Any, Any],
            Eval::Columns { returns: |given, _| remainder_type(given), eval: remainder },
        ),
        Definition::new(
            "floor",
            &[Any],
            Eval::Columns { returns: |given, _| like_first(given), eval: |call| whole(call, f64::floor) },
        ),
        Definition::new(
            "ceil",
            &[Any],
            Eval::Columns { returns: |given, _| like_first(given), eval: |call| whole(call, f64::ceil) },
        )
        .alias("ceiling"),
        Definition::new("bin", &[Integer], Eval::Text(bin)),
        Definition::new("rand_integer", &[Integer], Eval::Int(rand_integer)).volatile(),
        Definition::new("e", &[], Eval::Double(|_| Ok(Some(std::f64::consts::E)))),
    ]
}

/// One argument: the natural logarithm. Two: that of the second to the base of the first.
fn log(row: Row<'_>) -> Result<Option<f64>> {
    Ok(Some(match row.len() {
        1 => row.number(0).ln(),
        _ => row.number(1).ln() / row.number(0).ln(),
    }))
}

fn power(row: Row<'_>) -> Result<Option<f64>> {
    Ok(Some(row.number(0).powf(row.number(1))))
}

fn remainder_types(given: &[DataType]) -> Result<(DataType, DataType, DataType)> {
    let coercer = BinaryTypeCoercer::new(&given[0], &Operator::Modulo, &given[1]);
    let (left, right) = coercer.get_input_types()?;
    Ok((left, right, coercer.get_result_type()?))
}

fn remainder_type(given: &[DataType]) -> Result<DataType> {
    Ok(remainder_types(given)?.2)
}

/// As `%`: negative only if the first is.
fn remainder(call: &Call) -> Result<ArrayRef> {
    let (left, right) = (call.column(0)?, call.column(1)?);
    let (left_type, right_type, _) = remainder_types(&[left.data_type().clone(), right.data_type().clone()])?;
    let (left, right) = (cast(&left, &left_type)?, cast(&right, &right_type)?);
    Ok(rem(&left as &dyn Datum, &right as &dyn Datum)?)
}

/// The type of the argument; DOUBLE for NULL.
fn like_first(given: &[DataType]) -> Result<DataType> {
    match &given[0] {
        DataType::Null => Ok(DataType::Float64),
        DataType::Decimal128(precision, scale) if *scale > 0 => {
            Ok(DataType::Decimal128((precision - *scale as u8 + 1).max(1), 0))
        }
        number if number.is_numeric() => Ok(number.clone()),
        other => exec_err!("FLOOR and CEIL take a number, and this is `{other}`; use CAST"),
    }
}

/// Whole numbers stay as they are and keep their type, decimals lose their fraction exactly.
fn whole(call: &Call, round: fn(f64) -> f64) -> Result<ArrayRef> {
    let values = call.column(0)?;
    Ok(match values.data_type() {
        DataType::Float64 => {
            Arc::new(unary::<_, _, Float64Type>(values.as_primitive::<Float64Type>(), round))
        }
        DataType::Float32 => {
            Arc::new(unary::<_, _, Float32Type>(values.as_primitive::<Float32Type>(), |value| {
                round(f64::from(value)) as f32
            }))
        }
        DataType::Decimal128(_, scale) if *scale > 0 => {
            let unit = 10_i128.pow(*scale as u32);
            let up = round(0.5) > 0.0;
            let decimals = values.as_primitive::<arrow::datatypes::Decimal128Type>();
            let rounded: arrow::array::Decimal128Array = decimals
                .unary(|value| value.div_euclid(unit) + i128::from(up && value.rem_euclid(unit) != 0));
            Arc::new(rounded.with_data_type(like_first(&[values.data_type().clone()])?))
        }
        ty => cast(&values, &like_first(std::slice::from_ref(ty))?)?,
    })
}

/// Two's complement, without leading zeros.
fn bin(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    Ok(Some(Cow::Owned(format!("{:b}", row.integer(0)))))
}

fn rand_integer(row: Row<'_>) -> Result<Option<i32>> {
    match i32::try_from(row.integer(0)) {
        Ok(bound) if bound > 0 => Ok(Some(rand::random_range(0..bound))),
        _ => exec_err!("RAND_INTEGER takes a positive INT, and not `{}`", row.integer(0)),
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::tests::{Session, check};

    #[test]
    fn numbers_are_computed_as_in_flink() {
        check(&[
            ("LOG(E())", "1.0"),
            ("LOG(2, 8)", "3.0"),
            ("LOG10(100)", "2.0"),
            ("LOG2(8)", "3.0"),
            ("LN(1)", "0.0"),
            ("POWER(2, 3)", "8.0"),
            ("POWER(NULL, 3)", "NULL"),
            ("MOD(-7, 3)", "-1"),
            ("MOD(7.5, 2)", "1.5"),
            ("-7 / 2", "-3"),
            ("FLOOR(5)", "5"),
            ("FLOOR(-1.5)", "-2.0"),
            ("CEIL(-1.5)", "-1.0"),
            ("CEILING(CAST('1.01' AS DECIMAL(10, 2)))", "2"),
            ("FLOOR(CAST('-1.01' AS DECIMAL(10, 2)))", "-2"),
            ("ROUND(2.5)", "3.0"),
            ("ROUND(-2.5)", "-3.0"),
            ("ROUND(CAST('1.255' AS DECIMAL(10, 3)), 2)", "1.26"),
            ("CAST(2.9 AS INT)", "2"),
            ("TRUNCATE(42.324, 2)", "42.32"),
            ("TRUNCATE(42.324)", "42.0"),
            ("TRUNCATE(CAST('-1.255' AS DECIMAL(10, 3)), 1)", "-1.200"),
            ("SIGN(-3.5)", "-1.0"),
            ("SIGN(0.0)", "0.0"),
            ("SQRT(ABS(-9))", "3.0"),
            ("BIN(12)", "1100"),
            ("ABS(-3)", "3"),
        ]);
    }

    #[test]
    fn random_numbers_differ_by_row_and_stay_in_their_range() {
        let session = Session::new();
        let row = session
            .row(
                "SELECT COUNT(DISTINCT r) > 1, MIN(r) >= 0, MAX(r) < 1000, MAX(f) < 1.0 FROM \
                 (SELECT RAND_INTEGER(1000) AS r, RAND() AS f FROM (VALUES (1), (2), (3), (4), (5), (6)))",
            )
            .unwrap();
        assert_eq!(row, ["true"; 4]);
        assert!(session.row("SELECT RAND_INTEGER(0)").unwrap_err().to_string().contains("positive"));
    }
}
