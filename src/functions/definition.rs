//! A scalar function as one entry of its family's table: name, parameters, and what one row gives.
//!
//! Everything that is the same for all of them happens here, once: arguments are brought to the type the
//! parameter names, constants stay constants, a NULL argument gives NULL without a call (Flink's rule for
//! nearly every function), and regular expressions and patterns are compiled once per batch.

use std::borrow::Cow;
use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, BooleanArray, Date32Array, Float64Array, Int32Array,
    Int64Array, PrimitiveArray, StringViewArray, StringViewBuilder, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Field, FieldRef, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use regex::Regex;

use super::java_time::Pattern;
use super::json::Path;
use super::zone;
use crate::sql::types::SqlType;

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Param {
    /// STRING.
    Text,
    /// STRING on which the type of the result depends: a cast around it would hide the constant.
    Word,
    /// STRING, or any value without parts as its text.
    Shown,
    /// STRING or BYTES, as bytes.
    Bytes,
    /// A whole number, as BIGINT.
    Integer,
    /// A number, as DOUBLE.
    Number,
    /// DATE, TIME, TIMESTAMP, TIMESTAMP_LTZ or a text of them, as what the session's wall clock shows.
    Wall,
    /// Anything, as it is. Only for functions of whole columns.
    Any,
}

/// The arguments that are the same for all rows.
pub(super) type Constants<'a> = &'a [Option<&'a ScalarValue>];

/// What a function computes: from one row, or from whole columns.
#[derive(Debug, Clone, Copy)]
pub(super) enum Eval {
    Text(for<'a> fn(Row<'a>) -> Result<Option<Cow<'a, str>>>),
    Bytes(for<'a> fn(Row<'a>) -> Result<Option<Vec<u8>>>),
    Int(for<'a> fn(Row<'a>) -> Result<Option<i32>>),
    BigInt(for<'a> fn(Row<'a>) -> Result<Option<i64>>),
    Double(for<'a> fn(Row<'a>) -> Result<Option<f64>>),
    Boolean(for<'a> fn(Row<'a>) -> Result<Option<bool>>),
    /// Days since 1970.
    Date(for<'a> fn(Row<'a>) -> Result<Option<i32>>),
    /// Microseconds of a wall clock.
    Timestamp(for<'a> fn(Row<'a>) -> Result<Option<i64>>),
    Columns {
        returns: fn(&[DataType], Constants<'_>) -> Result<DataType>,
        eval: fn(&Call) -> Result<ArrayRef>,
    },
}

/// See the module's text.
#[derive(Debug)]
pub(super) struct Definition {
    name: &'static str,
    aliases: Vec<String>,
    params: &'static [Param],
    /// How many of `params` must be given.
    required: usize,
    /// The last parameter repeats.
    variadic: bool,
    /// A NULL argument gives NULL.
    strict: bool,
    signature: Signature,
    eval: Eval,
}

impl Definition {
    /// All parameters required, immutable, NULL for NULL.
    pub(super) fn new(name: &'static str, params: &'static [Param], eval: Eval) -> Self {
        Definition {
            name,
            aliases: Vec::new(),
            params,
            required: params.len(),
            variadic: false,
            strict: true,
            signature: Signature::user_defined(Volatility::Immutable),
            eval,
        }
    }

    /// The last `count` parameters may be left out.
    pub(super) fn optional(mut self, count: usize) -> Self {
        self.required = self.params.len() - count;
        self
    }

    pub(super) fn variadic(mut self) -> Self {
        self.variadic = true;
        self
    }

    /// The function is called with NULL arguments too.
    pub(super) fn sees_nulls(mut self) -> Self {
        self.strict = false;
        self
    }

    /// Each call gives another value.
    pub(super) fn volatile(mut self) -> Self {
        self.signature = Signature::user_defined(Volatility::Volatile);
        self
    }

    pub(super) fn alias(mut self, alias: &str) -> Self {
        self.aliases.push(alias.to_owned());
        self
    }

    pub(super) fn udf(self) -> Arc<ScalarUDF> {
        let signature = match (self.required, self.signature.volatility) {
            (0, volatility) => Signature::one_of(
                vec![
                    datafusion::logical_expr::TypeSignature::Nullary,
                    datafusion::logical_expr::TypeSignature::UserDefined,
                ],
                volatility,
            ),
            _ => self.signature.clone(),
        };
        Arc::new(ScalarUDF::new_from_impl(Definition { signature, ..self }))
    }

    fn param(&self, i: usize) -> Param {
        self.params[i.min(self.params.len() - 1)]
    }
}

/// Names are unique within a session, and a definition is a constant of this program.
impl PartialEq for Definition {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Definition {}

impl Hash for Definition {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Definition {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let max = if self.variadic { usize::MAX } else { self.params.len() };
        if given.len() < self.required || given.len() > max {
            let takes = match (self.required, max) {
                (1, usize::MAX) => "at least 1 argument".to_owned(),
                (required, usize::MAX) => format!("at least {required} arguments"),
                (1, 1) => "1 argument".to_owned(),
                (required, max) if required == max => format!("{max} arguments"),
                (required, max) => format!("{required} to {max} arguments"),
            };
            let name = self.name.to_uppercase();
            return plan_err!("`{name}` takes {takes}, not {}", given.len());
        }
        given.iter().enumerate().map(|(i, ty)| self.coerced(i, ty)).collect()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.returns(arg_types, &[])
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let returns = self.returns(&types, args.scalar_arguments)?;
        Ok(Arc::new(Field::new(self.name, returns, true)))
    }

    fn is_strict(&self) -> bool {
        self.strict
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = self.signature.volatility != Volatility::Volatile
            && args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let zone = zone::of_session(&args.config_options)?;
        let given = args
            .args
            .iter()
            .enumerate()
            .map(|(i, arg)| Arg::read(arg, self.param(i), zone.as_ref()))
            .collect::<Result<Vec<_>>>()?;
        let call = Call {
            args: given,
            rows,
            strict: self.strict,
            returns: args.return_field.data_type().clone(),
            zone,
            regex: Memo::default(),
            pattern: Memo::default(),
            path: Memo::default(),
        };
        let result = call.evaluate(self.eval)?;
        Ok(match constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?),
            false => ColumnarValue::Array(result),
        })
    }
}

impl Definition {
    fn returns(&self, types: &[DataType], constants: Constants<'_>) -> Result<DataType> {
        Ok(match self.eval {
            Eval::Text(_) => DataType::Utf8View,
            Eval::Bytes(_) => DataType::BinaryView,
            Eval::Int(_) => DataType::Int32,
            Eval::BigInt(_) => DataType::Int64,
            Eval::Double(_) => DataType::Float64,
            Eval::Boolean(_) => DataType::Boolean,
            Eval::Date(_) => DataType::Date32,
            Eval::Timestamp(_) => DataType::Timestamp(TimeUnit::Microsecond, None),
            Eval::Columns { returns, .. } => returns(types, constants)?,
        })
    }

    fn coerced(&self, i: usize, given: &DataType) -> Result<DataType> {
        let text =
            matches!(given, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null);
        let bytes = matches!(given, DataType::Binary | DataType::LargeBinary | DataType::BinaryView);
        let wall = match given {
            DataType::Timestamp(_, zone) => Some(zone.clone()),
            DataType::Date32 | DataType::Date64 => Some(None),
            _ if text => Some(None),
            _ => None,
        };
        let (coerced, expected) = match self.param(i) {
            Param::Any => return Ok(given.clone()),
            Param::Word => (text.then(|| given.clone()), "a STRING"),
            Param::Text => (text.then_some(DataType::Utf8View), "a STRING"),
            Param::Shown => {
                let shown = given.is_primitive() || text || matches!(given, DataType::Boolean);
                (shown.then_some(DataType::Utf8View), "a STRING")
            }
            Param::Bytes => ((text || bytes).then_some(DataType::BinaryView), "a STRING or BYTES"),
            Param::Integer => {
                let whole = given.is_integer() || given.is_null();
                (whole.then_some(DataType::Int64), "a whole number")
            }
            Param::Number => {
                let number = given.is_numeric() || given.is_null();
                (number.then_some(DataType::Float64), "a number")
            }
            Param::Wall if matches!(given, DataType::Time32(_) | DataType::Time64(_)) => {
                return Ok(DataType::Time64(TimeUnit::Microsecond));
            }
            Param::Wall => {
                let ty = wall.map(|zone| DataType::Timestamp(TimeUnit::Microsecond, zone));
                (ty, "a DATE, a TIME or a TIMESTAMP")
            }
        };
        match coerced {
            Some(ty) => Ok(ty),
            None => {
                let name = self.name.to_uppercase();
                let given = SqlType::from_arrow(given);
                plan_err!("argument {} of `{name}` must be {expected}, and is {given}; use CAST", i + 1)
            }
        }
    }
}

/// One argument, read to the type its parameter names.
enum Values {
    Text(StringViewArray),
    Bytes(BinaryViewArray),
    Integer(Int64Array),
    Number(Float64Array),
    Wall(TimestampMicrosecondArray),
    Any(ArrayRef),
}

struct Arg {
    values: Values,
    /// One value for all rows.
    constant: bool,
}

impl Arg {
    fn read(arg: &ColumnarValue, param: Param, zone: Option<&Tz>) -> Result<Self> {
        let (array, constant) = match arg {
            ColumnarValue::Array(array) => (Arc::clone(array), false),
            ColumnarValue::Scalar(value) => (value.to_array()?, true),
        };
        let values = match param {
            Param::Text | Param::Shown | Param::Word => {
                Values::Text(cast(&array, &DataType::Utf8View)?.as_string_view().clone())
            }
            Param::Bytes => Values::Bytes(cast(&array, &DataType::BinaryView)?.as_binary_view().clone()),
            Param::Integer => {
                Values::Integer(cast(&array, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
            }
            Param::Number => {
                Values::Number(cast(&array, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
            }
            Param::Wall => Values::Wall(walls(&array, zone)?),
            Param::Any => Values::Any(array),
        };
        Ok(Arg { values, constant })
    }

    fn array(&self) -> &dyn Array {
        match &self.values {
            Values::Text(array) => array,
            Values::Bytes(array) => array,
            Values::Integer(array) => array,
            Values::Number(array) => array,
            Values::Wall(array) => array,
            Values::Any(array) => array.as_ref(),
        }
    }
}

/// A time column as the session's wall clock shows it.
fn walls(array: &ArrayRef, zone: Option<&Tz>) -> Result<TimestampMicrosecondArray> {
    let has_zone = matches!(array.data_type(), DataType::Timestamp(_, Some(_)));
    let array = match array.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, _) => Arc::clone(array),
        // A time of day is one of the first day.
        DataType::Time64(_) => {
            let micros = cast(&cast(array, &DataType::Time64(TimeUnit::Microsecond))?, &DataType::Int64)?;
            cast(&micros, &DataType::Timestamp(TimeUnit::Microsecond, None))?
        }
        DataType::Timestamp(_, zone) => {
            cast(array, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?
        }
        _ => cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None))?,
    };
    let times = array.as_primitive::<TimestampMicrosecondType>();
    Ok(match zone {
        Some(zone) if has_zone => times.unary(|at_us| zone::wall_of(at_us, zone)),
        _ => times.clone(),
    })
}

/// One evaluation over a batch.
pub(super) struct Call {
    args: Vec<Arg>,
    pub(super) rows: usize,
    strict: bool,
    /// The type of the result.
    pub(super) returns: DataType,
    /// The session's; `None` is UTC.
    pub(super) zone: Option<Tz>,
    regex: Memo<Regex>,
    pattern: Memo<Pattern>,
    path: Memo<Path>,
}

impl Call {
    /// Whether a function that is NULL for a NULL argument is NULL in a row.
    pub(super) fn is_null(&self, index: usize) -> bool {
        (0..self.args.len()).any(|i| self.row(index).is_null(i))
    }

    /// An argument as a column of [`Call::rows`] rows.
    pub(super) fn column(&self, i: usize) -> Result<ArrayRef> {
        let arg = &self.args[i];
        match (&arg.values, arg.constant) {
            (Values::Any(array), false) => Ok(Arc::clone(array)),
            (_, true) => Ok(ScalarValue::try_from_array(arg.array(), 0)?.to_array_of_size(self.rows)?),
            (_, false) => Ok(arg.array().slice(0, self.rows)),
        }
    }

    pub(super) fn arity(&self) -> usize {
        self.args.len()
    }

    pub(super) fn row(&self, index: usize) -> Row<'_> {
        Row { call: self, index }
    }

    fn evaluate(&self, eval: Eval) -> Result<ArrayRef> {
        Ok(match eval {
            Eval::Text(f) => {
                let mut out = StringViewBuilder::with_capacity(self.rows);
                for row in 0..self.rows {
                    out.append_option(self.at(row, f)?);
                }
                Arc::new(out.finish())
            }
            Eval::Bytes(f) => Arc::new(self.collect::<_, BinaryViewArray>(f)?),
            Eval::Int(f) => Arc::new(self.collect::<_, Int32Array>(f)?),
            Eval::BigInt(f) => Arc::new(self.collect::<_, Int64Array>(f)?),
            Eval::Double(f) => Arc::new(self.collect::<_, Float64Array>(f)?),
            Eval::Boolean(f) => Arc::new(self.collect::<_, BooleanArray>(f)?),
            Eval::Date(f) => Arc::new(self.collect::<_, Date32Array>(f)?),
            Eval::Timestamp(f) => Arc::new(self.collect::<_, TimestampMicrosecondArray>(f)?),
            Eval::Columns { eval, .. } => eval(self)?,
        })
    }

    fn at<'a, T>(&'a self, index: usize, f: fn(Row<'a>) -> Result<Option<T>>) -> Result<Option<T>> {
        if self.strict && self.is_null(index) { Ok(None) } else { f(self.row(index)) }
    }

    fn collect<'a, T, A: FromIterator<Option<T>>>(
        &'a self,
        f: fn(Row<'a>) -> Result<Option<T>>,
    ) -> Result<A> {
        (0..self.rows).map(|row| self.at(row, f)).collect()
    }
}

/// The arguments of one row. Asking for another type than the parameter's is a bug and gives a zero.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) call: &'a Call,
    index: usize,
}

impl<'a> Row<'a> {
    /// How many arguments are given.
    pub(super) fn len(self) -> usize {
        self.call.args.len()
    }

    fn position(self, i: usize) -> usize {
        if self.call.args[i].constant { 0 } else { self.index }
    }

    pub(super) fn is_null(self, i: usize) -> bool {
        self.call.args[i].array().is_null(self.position(i))
    }

    pub(super) fn text(self, i: usize) -> &'a str {
        match &self.call.args[i].values {
            Values::Text(values) => values.value(self.position(i)),
            _ => "",
        }
    }

    pub(super) fn bytes(self, i: usize) -> &'a [u8] {
        match &self.call.args[i].values {
            Values::Bytes(values) => values.value(self.position(i)),
            _ => &[],
        }
    }

    pub(super) fn integer(self, i: usize) -> i64 {
        match &self.call.args[i].values {
            Values::Integer(values) => primitive(values, self.position(i)),
            _ => 0,
        }
    }

    pub(super) fn number(self, i: usize) -> f64 {
        match &self.call.args[i].values {
            Values::Number(values) => primitive(values, self.position(i)),
            _ => 0.0,
        }
    }

    /// Microseconds of the wall clock.
    pub(super) fn wall(self, i: usize) -> i64 {
        match &self.call.args[i].values {
            Values::Wall(values) => primitive(values, self.position(i)),
            _ => 0,
        }
    }

    /// The text of argument `i`, or `default` where it is not given.
    pub(super) fn text_or(self, i: usize, default: &'a str) -> &'a str {
        if i < self.len() { self.text(i) } else { default }
    }

    pub(super) fn integer_or(self, i: usize, default: i64) -> i64 {
        if i < self.len() { self.integer(i) } else { default }
    }

    /// Argument `i` as a regular expression.
    pub(super) fn regex(self, i: usize) -> Result<Rc<Regex>> {
        self.regex_of(self.text(i))
    }

    pub(super) fn regex_of(self, text: &str) -> Result<Rc<Regex>> {
        self.call.regex.get(text, |text| {
            Regex::new(text).map_err(|e| exec_datafusion_err!("`{text}` is not a regular expression: {e}"))
        })
    }

    /// Argument `i` as a JSON path.
    pub(super) fn path(self, i: usize) -> Result<Rc<Path>> {
        self.call.path.get(self.text(i), Path::parse)
    }

    /// A Java date pattern.
    pub(super) fn pattern(self, text: &str) -> Result<Rc<Pattern>> {
        self.call.pattern.get(text, Pattern::parse)
    }
}

fn primitive<T: ArrowPrimitiveType>(values: &PrimitiveArray<T>, position: usize) -> T::Native {
    values.value(position)
}

/// The last two things compiled from a text, newest first: nearly always constants of the query.
struct Memo<T>(RefCell<Vec<(String, Rc<T>)>>);

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Memo(RefCell::new(Vec::with_capacity(2)))
    }
}

impl<T> Memo<T> {
    fn get(&self, text: &str, compile: fn(&str) -> Result<T>) -> Result<Rc<T>> {
        let mut known = self.0.borrow_mut();
        if let Some((_, value)) = known.iter().find(|(key, _)| key == text) {
            return Ok(Rc::clone(value));
        }
        let value = Rc::new(compile(text)?);
        known.truncate(1);
        known.insert(0, (text.to_owned(), Rc::clone(&value)));
        Ok(value)
    }
}
