//! The functions that ask what time it is: they all read the epoch's clock.
//!
//! Every call within one epoch gives the same moment, the one the driver set before it ran the epoch, so
//! that a result does not depend on how fast it was computed. The functions are volatile: an optimizer
//! that folded one would freeze the moment of planning into a job that runs for months. DataFusion's own
//! `now()` does exactly that, which is why its names are taken over here.
//!
//! Why the clock is held by the functions and not global: two jobs in one process, and two tests, have
//! clocks of their own.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

use super::zone;
use crate::time::EventTime;

/// The moment that `CURRENT_TIMESTAMP` and its kin give during the current epoch.
///
/// Set by whoever evaluates, before it evaluates; read by the functions of one session. A lane and the
/// driver may share one: a torn read is impossible, and which of two epochs a batch between them saw
/// is not defined.
#[derive(Debug, Default)]
pub struct EpochClock(AtomicI64);

impl EpochClock {
    pub fn new(now: EventTime) -> Self {
        EpochClock(AtomicI64::new(now.0))
    }

    pub fn set(&self, now: EventTime) {
        self.0.store(now.0, Ordering::Relaxed);
    }

    pub fn now(&self) -> EventTime {
        EventTime(self.0.load(Ordering::Relaxed))
    }
}

/// What a function of this file answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Reading {
    /// TIMESTAMP_LTZ(3).
    Instant,
    /// TIMESTAMP(3) on a clock on the wall of the session's time zone.
    Local,
    /// DATE there.
    Date,
    /// TIME(0) there.
    Time,
    /// BIGINT seconds since 1970 in UTC.
    UnixSeconds,
}

impl Reading {
    fn returns(self) -> DataType {
        match self {
            Reading::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))),
            Reading::Local => DataType::Timestamp(TimeUnit::Microsecond, None),
            Reading::Date => DataType::Date32,
            Reading::Time => DataType::Time64(TimeUnit::Nanosecond),
            Reading::UnixSeconds => DataType::Int64,
        }
    }

    fn at(self, now: EventTime, config: &ConfigOptions) -> Result<ScalarValue> {
        let seconds = now.0.div_euclid(1_000_000);
        let millis_us = now.0.div_euclid(1_000) * 1_000;
        match self {
            Reading::Instant => Ok(ScalarValue::TimestampMicrosecond(Some(millis_us), Some("UTC".into()))),
            Reading::UnixSeconds => Ok(ScalarValue::Int64(Some(seconds))),
            Reading::Local => Ok(ScalarValue::TimestampMicrosecond(Some(local(millis_us, config)?), None)),
            Reading::Date => {
                let days = local(millis_us, config)?.div_euclid(86_400_000_000);
                Ok(ScalarValue::Date32(Some(days as i32)))
            }
            Reading::Time => {
                let second_of_day = local(millis_us, config)?.div_euclid(1_000_000).rem_euclid(86_400);
                Ok(ScalarValue::Time64Nanosecond(Some(second_of_day * 1_000_000_000)))
            }
        }
    }
}

fn local(at_us: i64, config: &ConfigOptions) -> Result<i64> {
    Ok(zone::of_session(config)?.map_or(at_us, |zone| zone::wall_of(at_us, &zone)))
}

/// See the module's text.
#[derive(Debug)]
struct ClockFunction {
    name: &'static str,
    aliases: Vec<String>,
    signature: Signature,
    reading: Reading,
    clock: Arc<EpochClock>,
}

/// The same function of another clock is another function.
impl PartialEq for ClockFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && Arc::ptr_eq(&self.clock, &other.clock)
    }
}

impl Eq for ClockFunction {}

impl Hash for ClockFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for ClockFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.reading.returns())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.reading.at(self.clock.now(), &args.config_options).map(ColumnarValue::Scalar)
    }
}

/// `UNIX_TIMESTAMP()` reads the clock; `UNIX_TIMESTAMP(text[, pattern])` reads its arguments only.
///
/// One name can have one volatility, so the second form is replaced by a function of its own while a plan
/// is simplified; until then it answers the same.
#[derive(Debug, PartialEq, Eq, Hash)]
struct UnixTimestamp {
    signature: Signature,
    now: Arc<ScalarUDF>,
    of: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for UnixTimestamp {
    fn name(&self) -> &str {
        "unix_timestamp"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.of.coerce_types(arg_types)
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn simplify(&self, args: Vec<Expr>, _info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        if args.is_empty() {
            return Ok(ExprSimplifyResult::Original(args));
        }
        Ok(ExprSimplifyResult::Simplified(self.of.call(args)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let function = if args.args.is_empty() { &self.now } else { &self.of };
        function.invoke_with_args(args)
    }
}

/// `UNIX_TIMESTAMP`; `of` is its form with arguments.
pub(super) fn unix_timestamp(clock: &Arc<EpochClock>, of: Arc<ScalarUDF>) -> Arc<ScalarUDF> {
    let kinds = vec![TypeSignature::Nullary, TypeSignature::UserDefined];
    Arc::new(ScalarUDF::new_from_impl(UnixTimestamp {
        signature: Signature::one_of(kinds, Volatility::Volatile),
        now: function("__unix_now", &[], Reading::UnixSeconds, clock),
        of,
    }))
}

fn function(
    name: &'static str,
    aliases: &[&str],
    reading: Reading,
    clock: &Arc<EpochClock>,
) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(ClockFunction {
        name,
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        signature: Signature::nullary(Volatility::Volatile),
        reading,
        clock: Arc::clone(clock),
    }))
}

/// Every function of this file, reading `clock`.
pub(super) fn functions(clock: &Arc<EpochClock>) -> Vec<Arc<ScalarUDF>> {
    vec![
        function("now", &[], Reading::Instant, clock),
        function("current_timestamp", &[], Reading::Instant, clock),
        function("current_row_timestamp", &[], Reading::Instant, clock),
        function("proctime", &[], Reading::Instant, clock),
        function("localtimestamp", &[], Reading::Local, clock),
        function("current_date", &["today"], Reading::Date, clock),
        function("current_time", &[], Reading::Time, clock),
        function("localtime", &[], Reading::Time, clock),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::tests::{Session, shown};

    /// 2024-02-28 23:30:15.123456 in UTC.
    const NOW: EventTime = EventTime(1_709_163_015_123_456);

    #[test]
    fn the_clock_is_read_when_rows_are_made_and_not_when_they_are_planned() {
        let session = Session::new();
        session.clock.set(NOW);
        let plan =
            session.plan("SELECT CURRENT_TIMESTAMP, UNIX_TIMESTAMP(), now() = PROCTIME() AS same").unwrap();
        assert_eq!(shown(&session.run(&plan).unwrap()), ["2024-02-28T23:30:15.123Z", "1709163015", "true"]);
        session.clock.set(EventTime(NOW.0 + 1_000_000));
        assert_eq!(shown(&session.run(&plan).unwrap()), ["2024-02-28T23:30:16.123Z", "1709163016", "true"]);
    }

    #[test]
    fn local_functions_follow_the_session_time_zone() {
        let session = Session::with_time_zone("Asia/Shanghai");
        session.clock.set(NOW);
        let row = session
            .row("SELECT CURRENT_DATE, LOCALTIMESTAMP, CURRENT_TIME, LOCALTIME, CURRENT_TIMESTAMP")
            .unwrap();
        let local = ["2024-02-29", "2024-02-29T07:30:15.123", "07:30:15", "07:30:15"];
        assert_eq!(row[..4], local);
        assert_eq!(row[4], "2024-02-28T23:30:15.123Z");
    }

    #[test]
    fn a_clock_function_stays_a_function_in_the_optimized_plan() {
        let session = Session::new();
        for name in ["now()", "current_timestamp", "current_date", "localtime", "proctime()", "today()"] {
            let plan = session.plan(&format!("SELECT {name}")).unwrap();
            let called = name.trim_end_matches("()").replace("today", "current_date");
            assert!(plan.to_string().contains(&format!("{called}()")), "{plan}");
        }
    }
}
