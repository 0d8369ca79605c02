//! DataFusion's errors in our words: what is wrong with the user's SQL, in SQL's names.
//!
//! Its messages speak of plans, signatures and Arrow's types, and name the planner's functions. The common
//! ones are recognised, by their structure where they have one, else by their text; tests/errors/ holds one
//! file for each. The others are passed on, less what only a programmer could use.

use std::str::FromStr;
use std::sync::LazyLock;

use arrow::datatypes::DataType;
use datafusion::common::{Column, DataFusionError, Diagnostic, SchemaError};
use regex::{Captures, Regex};

use crate::error::{Error, Span, nearest};
use crate::plan::places::only;
use crate::plan::refuse::Origin;
use crate::plan::types::type_name;
use crate::sql::span;
use crate::sql::types::declared::advice;

/// One error of DataFusion's, and what is needed to say it.
struct Theirs<'a> {
    origin: &'a Origin,
    diagnostic: Option<&'a Diagnostic>,
    /// Without its kind in front and the back trace behind.
    message: String,
}

/// The error at the place that it has, or that the query shows.
pub fn reworded(error: &DataFusionError, origin: &Origin) -> Error {
    let diagnostic = error.diagnostic();
    let theirs = Theirs { origin, diagnostic, message: plain(&error.find_root().strip_backtrace()) };
    let known = match error.find_root() {
        DataFusionError::SchemaError(schema, _) => theirs.schema(schema),
        _ => None,
    };
    let known = known.or_else(|| theirs.function()).or_else(|| theirs.aggregate());
    let known = known.or_else(|| theirs.types()).or_else(|| theirs.columns());
    known.unwrap_or_else(|| {
        let message = sentence(&theirs.message);
        let (what, cast) =
            message.split_once("; use CAST").map_or((message.as_str(), false), |(w, _)| (w, true));
        let error = theirs.at(Error::user(what), theirs.place(), "");
        if cast { error.fix("convert it: CAST(… AS …)") } else { error }
    })
}

/// A diagnostic's span as ours.
pub fn span_of(diagnostic: &Diagnostic) -> Option<Span> {
    diagnostic.span.map(ours)
}

impl Theirs<'_> {
    fn place(&self) -> Option<Span> {
        self.diagnostic.and_then(span_of)
    }

    fn at(&self, error: Error, place: Option<Span>, label: &str) -> Error {
        error.at(&self.origin.source, place.unwrap_or(self.origin.statement), label)
    }

    /// The parts of the message that a pattern catches.
    fn parts(&self, pattern: &str) -> Option<Vec<String>> {
        let found = Regex::new(pattern).ok()?.captures(&self.message)?;
        Some(
            found
                .iter()
                .skip(1)
                .map(|part| part.map_or(String::new(), |part| part.as_str().into()))
                .collect(),
        )
    }

    fn schema(&self, error: &SchemaError) -> Option<Error> {
        match error {
            SchemaError::FieldNotFound { field, valid_fields } => {
                Some(self.unknown_column(field, valid_fields))
            }
            SchemaError::AmbiguousReference { field } => {
                let notes = self.diagnostic.iter().flat_map(|diagnostic| &diagnostic.notes);
                let columns = notes.filter_map(|note| note.message.strip_prefix("possible column "));
                let same = columns.filter(|name| name.ends_with(&format!(".{}", field.name)));
                let same: Vec<String> = same.map(|name| format!("`{name}`")).collect();
                let error = Error::user(format!("`{}` is a column of several tables", field.name));
                let fix = (!same.is_empty()).then(|| format!("write {}", same.join(" or ")));
                let place = self.place().or_else(|| first_span(field));
                Some(self.at(error, place, "of which one?").fix_if(fix))
            }
            SchemaError::DuplicateQualifiedField { name, .. }
            | SchemaError::DuplicateUnqualifiedField { name } => {
                let error = Error::user(format!("two columns are called `{name}`"));
                Some(self.at(error, self.place(), "").fix("give one of them another name with AS"))
            }
        }
    }

    fn unknown_column(&self, field: &Column, known: &[Column]) -> Error {
        let place = self.place().or_else(|| first_span(field));
        let tables: Vec<&str> =
            distinct(known.iter().filter_map(|column| Some(column.relation.as_ref()?.table())));
        let Some(relation) = field.relation.as_ref().map(|relation| relation.table()) else {
            let names = distinct(known.iter().map(|column| column.name.as_str()));
            let error = Error::user(format!("unknown column `{}`", field.name));
            let written = place.map_or("", |place| span::text(&self.origin.source, place));
            let fix = match field.name.as_str() {
                name if written.starts_with('"') => Some(format!("a text is in single quotes: '{name}'")),
                _ if known.is_empty() => Some("name a table after FROM".to_owned()),
                "window_start" | "window_end" | "window_time" => Some(
                    "read from a window: FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))"
                        .to_owned(),
                ),
                name => nearest::fix(name, names, "columns"),
            };
            return self.at(error, place, "").fix_if(fix);
        };
        if !tables.contains(&relation) {
            let error =
                Error::user(format!("there is no `{relation}` here to have a column `{}`", field.name));
            return self.at(error, place, "").fix_if(nearest::fix(relation, tables, "tables"));
        }
        let of_it =
            known.iter().filter(|column| column.relation.as_ref().is_some_and(|r| r.table() == relation));
        let names = distinct(of_it.map(|column| column.name.as_str()));
        let error = Error::user(format!("`{relation}` has no column `{}`", field.name));
        self.at(error, place, "").fix_if(nearest::fix(&field.name, names, "columns"))
    }

    /// Unknown functions, and arguments that a function does not take.
    fn function(&self) -> Option<Error> {
        if let Some([name, close]) =
            self.parts(r"^Invalid function '(\S+)'\.?(?s:\s*Did you mean '(\S+)'\?)?").as_deref()
        {
            // An OVER function is known, but not as a function of a row.
            if let Some(call) = self.origin.places.call(name, None) {
                let error = Error::user(format!("`{}` needs OVER", call.written));
                let fix = format!("write {}(…) OVER (PARTITION BY … ORDER BY …)", call.written);
                return Some(self.at(error, Some(call.span), "").fix(fix));
            }
            let error = Error::user(format!("unknown function `{}`", name.to_uppercase()));
            let close = nearest::closest(name, [close.as_str()]).map(str::to_uppercase);
            return Some(
                self.at(error, self.place(), "").fix_if(close.map(|name| format!("did you mean `{name}`?"))),
            );
        }
        let name = self.parts(r"[Ff]unction '([a-z0-9_]+)'")?.remove(0);
        let ours =
            r"coercion failed with: (?:Error during planning: )?([^`]*`.*?)(?:\. No function matches|$)";
        if let Some([ours]) = self.parts(ours).as_deref() {
            let (what, fix) = match ours.split_once("; use CAST") {
                Some((what, _)) => (what, Some("convert it with CAST(… AS …)".to_owned())),
                None => (ours.as_str(), None),
            };
            return Some(self.at_call(&name, None, |_| Error::user(what)).fix_if(fix));
        }
        let counts = self.all(r"expects (\d+) arguments? but received (\d+)");
        let types = self.all(
            r"(?:requires|expects) ([A-Za-z0-9]+),? but received ([A-Za-z0-9]+(?: \(DataType: [^,]*\))?)",
        );
        match (types.first(), counts.first()) {
            (Some(first), _) => Some(self.wrong_types(&name, &first[1], &types)),
            (None, Some(first)) => {
                let takes = distinct(counts.iter().map(|count| count[0].as_str()));
                let given: usize = first[1].parse().ok()?;
                let words = |call: &str| {
                    let plural = if takes == ["1"] { "argument" } else { "arguments" };
                    Error::user(format!("`{call}` takes {} {plural}, not {given}", takes.join(" or ")))
                };
                Some(self.at_call(&name, Some(given), words))
            }
            _ => {
                let words = |call: &str| Error::user(format!("`{call}` does not take these arguments"));
                let error = self.at_call(&name, None, words);
                Some(error.fix("convert them to types that go together: CAST(… AS …)"))
            }
        }
    }

    fn wrong_types(&self, name: &str, given: &str, types: &[Vec<String>]) -> Error {
        let given = sql_type(given);
        let wanted = distinct(types.iter().map(|pair| kind_of(&pair[0])));
        let wanted = wanted.join(" or ");
        let fix = match wanted.split(' ').nth(1) {
            Some("number") => "convert it: CAST(… AS DOUBLE)",
            Some("STRING") => "convert it: CAST(… AS STRING)",
            _ => "convert it with CAST(… AS …)",
        };
        let words = |call: &str| Error::user(format!("`{call}` takes {wanted}, not {given}"));
        self.at_call(name, None, words).fix(fix)
    }

    /// An error of a call: at the only one that the query has, under the name that it has there.
    fn at_call(&self, name: &str, args: Option<usize>, words: impl Fn(&str) -> Error) -> Error {
        let places = &self.origin.places;
        let call = places.call(name, args).or_else(|| places.call(name, None));
        let shown = match call {
            Some(call) => call.written.clone(),
            None if name == "make_array" => "ARRAY".to_owned(),
            None => name.trim_start_matches("__").trim_end_matches("_to").to_uppercase(),
        };
        self.at(words(&shown), call.map(|call| call.span), "")
    }

    fn all(&self, pattern: &str) -> Vec<Vec<String>> {
        let Ok(pattern) = Regex::new(pattern) else { return Vec::new() };
        let parts = |found: Captures| {
            found.iter().skip(1).flatten().map(|part| part.as_str().to_owned()).collect::<Vec<_>>()
        };
        pattern.captures_iter(&self.message).map(parts).collect()
    }

    /// Aggregates where there can be none, and columns that are no keys.
    fn aggregate(&self) -> Option<Error> {
        let places = &self.origin.places;
        if self.message.starts_with("Aggregate functions are not allowed in the WHERE clause") {
            let place = only(places.aggregates_in_where.iter()).copied();
            let error = Error::user("WHERE cannot use an aggregate")
                .note("it chooses rows before they are aggregated");
            return Some(self.at(error, place, "").fix("put the condition into HAVING, after GROUP BY"));
        }
        if let Some([column]) = self.parts(r#"column "([^"]+)" must appear in the GROUP BY"#).as_deref() {
            let name = column.rsplit('.').next().unwrap_or(column);
            let error = Error::user(format!("`{name}` is neither grouped nor aggregated"))
                .note("a group has many rows, and each could have another value of it");
            let fix = format!("add it to GROUP BY, or take one value of each group: MAX({name})");
            return Some(self.at(error, self.place(), "").fix(fix));
        }
        let nested =
            self.message.contains(" cannot be nested") || self.message.contains(" cannot contain window");
        if !nested {
            return None;
        }
        let call = self.place().and_then(|place| places.aggregate_around(place));
        let what = match self.message.starts_with("Aggregate") {
            true => "an aggregate cannot take the result of another",
            false => "an OVER function cannot take the result of another",
        };
        let inner =
            call.map(|call| span::text(&self.origin.source, call.span)).filter(|text| !text.is_empty());
        let fix =
            format!("compute `{}` in a subquery, and aggregate its result", inner.unwrap_or("the inner one"));
        Some(self.at(Error::user(what), call.map(|call| call.span).or_else(|| self.place()), "").fix(fix))
    }

    /// The places and messages of the diagnostic's notes.
    fn notes(&self) -> Vec<(Option<Span>, &str)> {
        let notes = self.diagnostic.iter().flat_map(|diagnostic| &diagnostic.notes);
        notes.map(|note| (note.span.map(ours), note.message.as_str())).collect()
    }

    /// Values of types that an operator, a condition, a cast or a path does not take.
    fn types(&self) -> Option<Error> {
        let places = &self.origin.places;
        let convert = "convert it: CAST(… AS …)";
        let unary =
            self.diagnostic.and_then(|diagnostic| diagnostic.message.split_once(" cannot be used with "));
        if let Some((operator, ty)) = unary {
            let error = Error::user(format!("`{operator}` does not go with {}", sql_type(ty)));
            return Some(self.at(error, self.place(), "").fix(convert));
        }
        if let Some([ty]) = self.parts(r"non-boolean predicate .* returning (.+)$").as_deref() {
            let ty = sql_type(ty);
            let place = only(places.doubtful_conditions.iter()).copied();
            let error = self.at(Error::user(format!("a condition is BOOLEAN, not {ty}")), place, &ty);
            return Some(error.fix("compare it with something, for example `… = 'x'` or `… IS NOT NULL`"));
        }
        if let Some([ty]) = self.parts(r"^Cannot access field at argument \d+: type (.+) is not").as_deref() {
            let ty = sql_type(ty);
            let place = places.path(3).or_else(|| places.path(2));
            let error = Error::user(format!("{ty} has no fields")).note("values of type ROW and MAP have");
            if ty.starts_with("ARRAY") {
                return Some(self.at(error, place, "").fix("an element is read by its number: column[1]"));
            }
            return Some(self.at(error, place, "").fix("for JSON in a text: JSON_VALUE(column, '$.name')"));
        }
        if let Some([ty]) = self.parts(r"^Unsupported SQL type (?:\([^)]*\) )?(.+)$").as_deref() {
            let place =
                only(places.cast_types.iter().filter(|(name, _)| name == ty)).map(|(_, place)| *place);
            let (why, fix) = advice(&ty.to_uppercase());
            return Some(self.at(Error::user(format!("unknown type `{ty}`")), place, why).fix(fix));
        }
        if let Some([field]) = self.parts(r"^Field (\S+) not found in struct").as_deref() {
            let place = places.path(3).or_else(|| places.path(2));
            return Some(self.at(Error::user(format!("the ROW has no field `{field}`")), place, ""));
        }
        self.constants().or_else(|| self.operands())
    }

    /// Texts that are no values of the type they are compared with or cast to.
    fn constants(&self) -> Option<Error> {
        let cast = self.parts(r"^Cannot cast string '(.*)' to value of (\w+) type");
        let parsed = || {
            let mut parts = self.parts(r"^(?:Parser error: )?Error parsing (\w+) from '(.*)':")?;
            parts.reverse();
            Some(parts)
        };
        let found = cast.or_else(parsed)?;
        let [text, ty] = found.as_slice() else { return None };
        let place = only(self.origin.places.texts.iter().filter(|(known, _)| known == text));
        let ty = sql_type(ty);
        let error = self.at(Error::user(format!("this text is no {ty}")), place.map(|(_, place)| *place), "");
        Some(match ty.as_str() {
            "TIMESTAMP" => error.fix("write it as '2026-01-31 12:30:00'"),
            "DATE" => error.fix("write it as '2026-01-31'"),
            _ => error,
        })
    }

    /// Two values that do not go together.
    fn operands(&self) -> Option<Error> {
        let like = self.parts(r"common type to coerce (.+) and (.+) in (.+) expression");
        if let Some([left, right, operator]) = like.as_deref() {
            let (left, right) = (sql_type(left), sql_type(right));
            let error = Error::user(format!("{operator} does not go with {left} and {right}"));
            return Some(self.at(error, self.place(), "").fix("convert one of them: CAST(… AS …)"));
        }
        let notes = self.notes();
        let types =
            notes.iter().filter_map(|(span, note)| Some((*span, sql_type(note.strip_prefix("has type ")?))));
        let [(left_span, left), (right_span, right)] = <[_; 2]>::try_from(types.collect::<Vec<_>>()).ok()?;
        let places = &self.origin.places;
        let operator = self.parts(r"(?:operation|expression) .* (\S+) \S+(?: to valid types)?$");
        let named =
            |parts: Vec<String>| only(places.binaries.iter().filter(|binary| binary.operator == parts[0]));
        let binary = places.binary(left_span, right_span).or_else(|| operator.and_then(named));
        let what = match binary {
            Some(binary) => format!("`{}` does not go with {left} and {right}", binary.operator),
            None => format!("{left} and {right} do not go together"),
        };
        let place = binary.map(|binary| binary.whole).or_else(|| self.place());
        let error = self.at(Error::user(what), place, &format!("{left}, {right}"));
        Some(error.fix("convert one of them: CAST(… AS …)"))
    }

    /// Queries whose columns cannot be the result's.
    fn columns(&self) -> Option<Error> {
        if let Some([set]) = self.parts(r"^(\S+) queries have different number of columns").as_deref() {
            let notes = self.notes();
            let counts: Vec<&str> = notes.iter().filter_map(|(_, note)| note.split(' ').nth(3)).collect();
            let error = Error::user(format!("the queries of {set} have different numbers of columns"));
            let error = match counts.as_slice() {
                [left, right] => error.note(format!("the first gives {left}, the second {right}")),
                _ => error,
            };
            let second = notes.get(1).and_then(|(span, _)| *span);
            return Some(
                self.at(error, second.or_else(|| self.place()), "").fix("select the same columns in both"),
            );
        }
        if let Some([at, count]) =
            self.parts(r"^Order by column out of bounds, specified: (\d+), max: (\d+)").as_deref()
        {
            let error = Error::user(format!("ORDER BY {at} means a column that the result does not have"));
            let error = error.note(format!("its columns are numbered from 1 to {count}"));
            return Some(
                self.at(error, self.origin.places.clauses.order_by, "").fix("order by a column's name"),
            );
        }
        let twice =
            self.parts(r#"^Projections require unique expression names but the expression "([^"]+)" at"#)?;
        // An expression without a name goes by its text as the planner would write it.
        let name = twice[0].rsplit('.').next().unwrap_or_default();
        let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
        let (what, fix) = match is_name {
            true => (format!("two columns of the result are called `{name}`"), format!("{name} AS …")),
            false => ("two columns of the result have no name of their own".to_owned(), "… AS …".to_owned()),
        };
        let error = Error::user(what).fix(format!("give one of them another name: {fix}"));
        Some(self.at(error, self.place(), ""))
    }
}

fn ours(span: datafusion::common::Span) -> Span {
    Span::new((span.start.line, span.start.column), (span.end.line, span.end.column))
}

fn first_span(column: &Column) -> Option<Span> {
    column.spans.first().map(ours)
}

/// Each once, in order; not those that only the planner writes.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct = Vec::new();
    for name in names.filter(|name| !name.starts_with("__")) {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}

/// The message without the kinds of error in front of it.
fn plain(message: &str) -> String {
    const KINDS: [&str; 9] = [
        "Error during planning: ",
        "Schema error: ",
        "This feature is not implemented: ",
        "SQL error: ",
        "Internal error: ",
        "Execution error: ",
        "Arrow error: ",
        "Cast error: ",
        "Parser error: ",
    ];
    let mut message = message.trim();
    while let Some(rest) = KINDS.iter().find_map(|kind| message.strip_prefix(kind)) {
        message = rest;
    }
    message.to_owned()
}

/// A message that nobody foresaw: its first line, with SQL's types and backquotes.
fn sentence(message: &str) -> String {
    static QUOTED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"'([^'\s]+)'|"([^"\s]+)""#).ok());
    static TYPE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let plain =
            r"Utf8View|LargeUtf8|Utf8|BinaryView|Binary|U?Int(?:8|16|32|64)|Float(?:16|32|64)|Date(?:32|64)";
        let with_parts = r"(?:List|LargeList|Timestamp|Decimal128|Time64|Interval|Duration)\([^()]*\)";
        Regex::new(&format!(r"\b(?:{with_parts}|(?:{plain})\b)")).ok()
    });
    let first = message.lines().next().unwrap_or_default();
    let first = first.split(". No function matches").next().unwrap_or(first).trim_end_matches('.');
    // The tree of an expression says nothing to a person.
    let first =
        if first.contains("Span(Location(") { first.split(':').next().unwrap_or(first) } else { first };
    let mut text = first.to_owned();
    if let Some(quoted) = QUOTED.as_ref() {
        text = quoted.replace_all(&text, "`$1$2`").into_owned();
    }
    if let Some(ty) = TYPE.as_ref() {
        text = ty.replace_all(&text, |found: &Captures| sql_type(&found[0])).into_owned();
    }
    let mut chars = text.chars();
    let second_is_small = text.chars().nth(1).is_some_and(|c| c.is_lowercase() || c == ' ');
    match chars.next() {
        Some(first) if second_is_small => first.to_lowercase().chain(chars).collect(),
        _ => text,
    }
}

/// SQL's name of a type that DataFusion or Arrow shows: `Utf8View`, or `String (DataType: Utf8View)`.
fn sql_type(shown: &str) -> String {
    let inner = shown.split_once("(DataType: ").map_or(shown, |(_, ty)| ty.trim_end_matches(['.', ')']));
    // A closing parenthesis of the type itself may be gone with the others.
    let open = inner.matches('(').count().saturating_sub(inner.matches(')').count());
    let ty = DataType::from_str(&format!("{inner}{}", ")".repeat(open)));
    ty.map_or_else(|_| inner.to_uppercase(), |ty| type_name(&ty))
}

/// What a class of DataFusion's types is for a person.
fn kind_of(class: &str) -> &'static str {
    match class {
        "Decimal" | "UInt64" | "Int64" | "Int32" | "Float32" | "Float64" | "Integer" | "Numeric"
        | "Float" => "a number",
        "Duration" | "Interval" => "an interval",
        "String" => "a STRING",
        "Binary" => "BYTES",
        "Boolean" => "a BOOLEAN",
        "Timestamp" | "Date" => "a timestamp",
        "Time" => "a TIME",
        _ => "another type",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_as_sql_names_them() {
        assert_eq!(sql_type("Utf8View"), "STRING");
        assert_eq!(sql_type("String (DataType: Utf8View)."), "STRING");
        assert_eq!(sql_type("List(Utf8View)"), "ARRAY<STRING>");
        assert_eq!(sql_type("Interval(MonthDayNano)"), "INTERVAL");
    }

    #[test]
    fn what_nobody_foresaw_is_at_least_in_our_form() {
        assert_eq!(
            sentence("Order by column 'a' of Utf8View is out of bounds. No function matches x\nCandidates"),
            "order by column `a` of STRING is out of bounds"
        );
        assert_eq!(plain("Execution error: Internal error: x"), "x");
    }
}
