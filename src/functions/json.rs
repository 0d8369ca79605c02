//! Functions of JSON texts: values by path, as in Flink.
//!
//! A path is strict unless it says `lax`: what is missing is then an error, not empty. Both give NULL
//! unless a default is given. The clauses that follow a path in SQL (`DEFAULT … ON EMPTY`, `RETURNING`) are
//! the planner's to turn into further arguments and a cast.

use std::borrow::Cow;

use datafusion::common::{Result, exec_datafusion_err};
use serde_json::Value;

use super::definition::Param::{Shown, Text};
use super::definition::{Definition, Eval, Row};

pub(super) fn functions() -> Vec<Definition> {
    vec![
        Definition::new("json_value", &[Text, Text, Shown, Shown], Eval::Text(json_value))
            .optional(2)
            .sees_nulls(),
        Definition::new("json_query", &[Text, Text, Text], Eval::Text(json_query)).optional(1),
        Definition::new("json_exists", &[Text, Text], Eval::Boolean(json_exists)),
        Definition::new("is_json", &[Text, Text], Eval::Boolean(is_json)).optional(1).sees_nulls(),
    ]
}

/// One step of a path.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
    /// `[*]` or `.*`.
    Every,
}

/// A compiled path.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path {
    lax: bool,
    steps: Vec<Step>,
}

impl Path {
    /// Understands `$`, `.name`, `['name']`, `["name"]`, `[0]`, `[*]` and `.*`, after `lax` or `strict`.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            exec_datafusion_err!("`{text}` is not a JSON path that is supported: write it like `$.a.b[0]`")
        };
        let trimmed = text.trim();
        let lax = trimmed.strip_prefix("lax ");
        let path = lax.or_else(|| trimmed.strip_prefix("strict ")).unwrap_or(trimmed).trim_start();
        let mut rest = path.strip_prefix('$').ok_or_else(wrong)?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = step(rest).ok_or_else(wrong)?;
            steps.push(step);
            rest = after;
        }
        Ok(Path { lax: lax.is_some(), steps })
    }

    /// What the path leads to; of several values, all of them.
    fn find<'a>(&self, root: &'a Value) -> Option<Found<'a>> {
        let mut found = vec![root];
        let mut many = false;
        for step in &self.steps {
            let next = |value: &'a Value| match (step, value) {
                (Step::Member(name), Value::Object(members)) => members.get(name).into_iter().collect(),
                (Step::Element(index), Value::Array(elements)) => elements.get(*index).into_iter().collect(),
                (Step::Every, Value::Array(elements)) => elements.iter().collect(),
                (Step::Every, Value::Object(members)) => members.values().collect(),
                _ => Vec::new(),
            };
            found = found.into_iter().flat_map(next).collect();
            many |= *step == Step::Every;
        }
        match (many, found.first()) {
            (true, _) => Some(Found::Many(found)),
            (false, Some(value)) => Some(Found::One(value)),
            (false, None) => None,
        }
    }
}

/// Takes one step from the front of a path.
fn step(text: &str) -> Option<(Step, &str)> {
    if let Some(rest) = text.strip_prefix('.').filter(|rest| !rest.starts_with('[')) {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        return match name {
            "" => None,
            "*" => Some((Step::Every, rest)),
            _ => Some((Step::Member(name.to_owned()), rest)),
        };
    }
    let inner = text.strip_prefix('.').unwrap_or(text).strip_prefix('[')?.trim_start();
    if let Some(quote) = inner.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        let (name, rest) = inner[1..].split_once(quote)?;
        return Some((Step::Member(name.to_owned()), rest.trim_start().strip_prefix(']')?));
    }
    let (index, rest) = inner.split_once(']')?;
    match index.trim() {
        "*" => Some((Step::Every, rest)),
        number => Some((Step::Element(number.parse().ok()?), rest)),
    }
}

enum Found<'a> {
    One(&'a Value),
    Many(Vec<&'a Value>),
}

fn parsed(row: Row<'_>) -> Option<Value> {
    serde_json::from_str(row.text(0)).ok()
}

/// A scalar as its text. Arguments 3 and 4 are the answers on empty and on error.
fn json_value(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    const ON_EMPTY: usize = 2;
    const ON_ERROR: usize = 3;
    if row.is_null(0) || row.is_null(1) {
        return Ok(None);
    }
    let path = row.path(1)?;
    let otherwise = |i: usize| Ok((i < row.len() && !row.is_null(i)).then(|| Cow::Borrowed(row.text(i))));
    let Some(root) = parsed(row) else {
        return otherwise(ON_ERROR);
    };
    match path.find(&root) {
        Some(Found::One(Value::String(text))) => Ok(Some(Cow::Owned(text.clone()))),
        Some(Found::One(value @ (Value::Bool(_) | Value::Number(_)))) => {
            Ok(Some(Cow::Owned(value.to_string())))
        }
        Some(Found::One(Value::Null)) => otherwise(ON_EMPTY),
        _ if path.lax => otherwise(ON_EMPTY),
        _ => otherwise(ON_ERROR),
    }
}

/// An object or an array as JSON. Argument 3 is `CONDITIONAL` or `UNCONDITIONAL` for an array around it.
fn json_query(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    let path = row.path(1)?;
    let Some(root) = parsed(row) else {
        return Ok(None);
    };
    let found = match path.find(&root) {
        Some(Found::One(value)) => value.clone(),
        Some(Found::Many(values)) => Value::Array(values.into_iter().cloned().collect()),
        None => return Ok(None),
    };
    let has_parts = matches!(found, Value::Array(_) | Value::Object(_));
    let wrapped = match row.text_or(2, "") {
        "UNCONDITIONAL" => Value::Array(vec![found]),
        "CONDITIONAL" if !matches!(found, Value::Array(_)) => Value::Array(vec![found]),
        _ if has_parts => found,
        _ => return Ok(None),
    };
    Ok(Some(Cow::Owned(wrapped.to_string())))
}

/// FALSE for a text that is not JSON, and for a null.
fn json_exists(row: Row<'_>) -> Result<Option<bool>> {
    let path = row.path(1)?;
    let exists = parsed(row).is_some_and(|root| match path.find(&root) {
        Some(Found::One(value)) => !value.is_null(),
        Some(Found::Many(values)) => !values.is_empty(),
        None => false,
    });
    Ok(Some(exists))
}

/// `IS JSON [VALUE | SCALAR | ARRAY | OBJECT]`; FALSE for NULL.
fn is_json(row: Row<'_>) -> Result<Option<bool>> {
    let value = if row.is_null(0) { None } else { parsed(row) };
    Ok(Some(match (value, row.text_or(1, "VALUE")) {
        (None, _) => false,
        (Some(value), "ARRAY") => value.is_array(),
        (Some(value), "OBJECT") => value.is_object(),
        (Some(value), "SCALAR") => !value.is_array() && !value.is_object(),
        _ => true,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::tests::check;

    #[test]
    fn a_path_is_read_step_by_step() {
        let steps = Path::parse("lax $.a['b c'][0][*].*").unwrap();
        let member = |name: &str| Step::Member(name.into());
        let expected = vec![member("a"), member("b c"), Step::Element(0), Step::Every, Step::Every];
        assert_eq!(steps, Path { lax: true, steps: expected });
        for wrong in ["a", "$a", "$.", "$[x]", "$['a]", "$..a"] {
            assert!(Path::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn values_are_found_by_path_as_in_flink() {
        check(&[
            (r#"JSON_VALUE('{"a": true}', '$.a')"#, "true"),
            (r#"JSON_VALUE('{"a": {"b": [1, "x"]}}', '$.a.b[1]')"#, "x"),
            (r#"JSON_VALUE('{"a": 3.50}', '$.a')"#, "3.50"),
            (r#"JSON_VALUE('{"a": {}}', '$.a')"#, "NULL"),
            (r#"JSON_VALUE('{"a": null}', '$.a')"#, "NULL"),
            ("JSON_VALUE('no', '$.a')", "NULL"),
            ("JSON_VALUE('no', '$.a', NULL, 'wrong')", "wrong"),
            ("JSON_VALUE('{}', '$.a', 'empty', 'wrong')", "wrong"),
            ("JSON_VALUE('{}', 'lax $.a', 'empty', 'wrong')", "empty"),
            (r#"JSON_VALUE('{"a b": "right"}', '$.["a b"]')"#, "right"),
            (r#"JSON_EXISTS('{"a": true}', '$.a')"#, "true"),
            (r#"JSON_EXISTS('{"a": true}', '$.b')"#, "false"),
            (r#"JSON_EXISTS('{"a": null}', '$.a')"#, "false"),
            ("JSON_EXISTS(NULL, '$.b')", "NULL"),
            (r#"JSON_QUERY('{ "a": { "b": 1 } }', '$.a')"#, r#"{"b":1}"#),
            (r#"JSON_QUERY('{"a":[{"c":"c1"},{"c":"c2"}]}', 'lax $.a[*].c')"#, r#"["c1","c2"]"#),
            ("JSON_QUERY('1', '$')", "NULL"),
            ("JSON_QUERY('1', '$', 'CONDITIONAL')", "[1]"),
            ("JSON_QUERY('[1]', '$', 'UNCONDITIONAL')", "[[1]]"),
            ("IS_JSON('{}')", "true"),
            ("IS_JSON('{}', 'ARRAY')", "false"),
            ("IS_JSON(NULL)", "false"),
        ]);
    }
}
