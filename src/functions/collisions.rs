//! Names that both Flink and DataFusion have, and mean differently: the whole list, each decided once.
//!
//! A test holds it to the registry: every function that we replace is listed here, and every one listed as
//! Flink's is replaced.

/// Whose meaning a name has, and where that is made so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Flink's, by a function of ours in the named module.
    Flink(&'static str),
    /// Flink's, by defaults that the planner fills in.
    FlinkDefaults,
    /// DataFusion's: what Flink does surprises everyone.
    DataFusion,
}

/// One name and its two meanings.
#[derive(Debug, Clone, Copy)]
pub struct Collision {
    pub name: &'static str,
    pub flink: &'static str,
    pub datafusion: &'static str,
    pub decision: Decision,
}

const fn collision(
    name: &'static str,
    flink: &'static str,
    datafusion: &'static str,
    decision: Decision,
) -> Collision {
    Collision { name, flink, datafusion, decision }
}

/// See the module's text. By name.
pub const COLLISIONS: &[Collision] = {
    use Decision::{DataFusion, Flink, FlinkDefaults};
    &[
        collision("array_concat", "NULL if an argument is", "skips NULLs", Flink("conditional")),
        collision("array_except", "NULL if an argument is", "skips NULLs", Flink("conditional")),
        collision("array_intersect", "NULL if an argument is", "skips NULLs", Flink("conditional")),
        collision(
            "array_position",
            "INT, 0 if not found",
            "unsigned, NULL if not found",
            Flink("conditional"),
        ),
        collision("array_remove", "removes every match", "removes the first match", Flink("mod")),
        collision("array_union", "NULL if an argument is", "skips NULLs", Flink("conditional")),
        collision("ascii", "the first byte", "the first code point", Flink("text")),
        collision("avg", "of integers an integer", "of integers a DOUBLE", DataFusion),
        collision("cardinality", "INT", "unsigned BIGINT", Flink("conditional")),
        collision("ceil", "keeps the type of integers and decimals", "gives DOUBLE", Flink("math")),
        collision("chr", "modulo 256", "any code point, an error otherwise", Flink("text")),
        collision("concat", "NULL if an argument is", "skips NULLs", Flink("text")),
        collision("current_date", "the clock's, session zone", "the time of planning", Flink("clock")),
        collision("current_time", "the clock's, TIME(0)", "the time of planning", Flink("clock")),
        collision(
            "current_timestamp",
            "the clock's, TIMESTAMP_LTZ(3)",
            "the time of planning",
            Flink("clock"),
        ),
        collision("date_format", "Java's patterns", "an alias of to_char: strftime's", Flink("date")),
        collision("decode", "bytes to text by character set", "base64 or hex to bytes", Flink("text")),
        collision("encode", "text to bytes by character set", "bytes to base64 or hex", Flink("text")),
        collision("extract", "DOW counts from 1, BIGINT", "DOW counts from 0, INT", FlinkDefaults),
        collision("first_value", "skips NULLs", "keeps NULLs", FlinkDefaults),
        collision("floor", "keeps the type of integers and decimals", "gives DOUBLE", Flink("math")),
        collision("from_unixtime", "a text, by pattern", "a timestamp", Flink("date")),
        collision("greatest", "NULL if an argument is", "skips NULLs", Flink("conditional")),
        collision("last_value", "skips NULLs", "keeps NULLs", FlinkDefaults),
        collision("least", "NULL if an argument is", "skips NULLs", Flink("conditional")),
        collision("left", "nothing for a negative length", "all but the last n", Flink("text")),
        collision("log", "natural with one argument", "to base 10 with one argument", Flink("math")),
        collision("lpad", "NULL for a negative length", "an empty text", Flink("text")),
        collision("now", "the clock's, TIMESTAMP_LTZ(3)", "the time of planning", Flink("clock")),
        collision(
            "overlay",
            "a length of 0 cuts the rest, no part outside",
            "a length of 0 inserts, a position outside too",
            Flink("text"),
        ),
        collision("pow", "gives DOUBLE", "an integer of integers", Flink("math")),
        collision("power", "gives DOUBLE", "an integer of integers", Flink("math")),
        collision(
            "regexp_replace",
            "every match, literally",
            "the first match, `\\1` is a group",
            Flink("text"),
        ),
        collision("right", "nothing for a negative length", "all but the first n", Flink("text")),
        collision("rpad", "NULL for a negative length", "an empty text", Flink("text")),
        collision("sha224", "hexadecimal text", "bytes", Flink("encoding")),
        collision("sha256", "hexadecimal text", "bytes", Flink("encoding")),
        collision("sha384", "hexadecimal text", "bytes", Flink("encoding")),
        collision("sha512", "hexadecimal text", "bytes", Flink("encoding")),
        collision("substr", "negative positions count from the end", "before the start", Flink("text")),
        collision("substring", "negative positions count from the end", "before the start", Flink("text")),
        collision("sum", "of INT an INT that wraps", "of INT a BIGINT", DataFusion),
        collision("to_date", "Java's patterns, NULL if unreadable", "strftime's, an error", Flink("date")),
        collision("to_timestamp", "texts only, Java's patterns", "numbers too, strftime's", Flink("date")),
        collision("today", "the clock's, session zone", "the time of planning", Flink("clock")),
    ]
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use datafusion::execution::session_state::SessionStateBuilder;
    use datafusion::logical_expr::ScalarUDF;

    use super::*;
    use crate::functions::ALIASES;
    use crate::functions::tests::Session;

    #[test]
    fn every_replaced_name_is_listed_and_every_listed_name_is_replaced() {
        let theirs = SessionStateBuilder::new().with_default_features().build();
        let ours = Session::new();
        let replaced: BTreeSet<&str> = theirs
            .scalar_functions()
            .iter()
            .filter(|(name, theirs)| {
                let aliased = ALIASES.iter().any(|(aliased, _)| *aliased == theirs.name());
                let same =
                    |ours: &Arc<ScalarUDF>| ours == *theirs || (aliased && ours.name() == theirs.name());
                !ours.scalar(name).is_some_and(same)
            })
            .map(|(name, _)| name.as_str())
            .collect();
        let flink = COLLISIONS.iter().filter(|c| matches!(c.decision, Decision::Flink(_)));
        let listed: BTreeSet<&str> = flink.map(|collision| collision.name).collect();
        assert_eq!(replaced, listed);
        assert!(COLLISIONS.is_sorted_by_key(|collision| collision.name));
    }
}
