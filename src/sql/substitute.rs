//! Replaces `${VAR}`, `${VAR:-default}` and `${file:path}` in the quoted strings of a file.
//!
//! Runs on tokens, so that a value can contain quotes, needs no escaping, and moves no place. The values come
//! from a function: it is asked for `VAR` or `file:path`, and whoever calls knows environments and files.

use std::sync::Arc;

use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Result, SourceText, Span};
use crate::sql::span;

/// Values for `${…}`, asked with what stands between the braces, less the default.
///
/// `Ok(None)`: there is no such variable or file. `Err`: there is, but it cannot be read: why.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Result<Option<String>, String>;

/// Replaces the variables of a string token; other tokens are left alone.
pub fn substitute(source: &Arc<SourceText>, token: &mut TokenWithSpan, values: Lookup) -> Result<()> {
    let Some(place) = span::of(token.span) else { return Ok(()) };
    match &mut token.token {
        Token::SingleQuotedString(text)
        | Token::NationalStringLiteral(text)
        | Token::EscapedStringLiteral(text)
        | Token::UnicodeStringLiteral(text)
            if text.contains("${") =>
        {
            *text = expand(text, values).map_err(|problem| problem.at(source, place))?;
        }
        _ => {}
    }
    Ok(())
}

/// What is wrong with a `${…}`; `variable` is its text from `${` on, as far as it is needed to find it.
struct Problem {
    what: String,
    variable: String,
    label: String,
    fix: String,
}

impl Problem {
    /// Underlines the variable inside the string, or the string if a quote was escaped before it.
    fn at(self, source: &Arc<SourceText>, string: Span) -> Error {
        let start = span::byte_at(&source.text, string.start);
        let found = span::text(source, string).find(&self.variable);
        let place = found.map_or(string, |at| Span {
            start: span::position_of(&source.text, start + at),
            end: span::position_of(&source.text, start + at + self.variable.len()),
        });
        Error::user(self.what).at(source, place, self.label).fix(self.fix)
    }
}

fn expand(text: &str, values: Lookup) -> Result<String, Problem> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        out.push_str(&rest[..at]);
        let from = &rest[at..];
        let Some(end) = closing_brace(from) else {
            return Err(Problem {
                what: "`${` without a closing brace".into(),
                variable: from.lines().next().unwrap_or(from).to_owned(),
                label: "opened here".into(),
                fix: "write `${NAME}` or `${NAME:-default}`".into(),
            });
        };
        out.push_str(&value_of(&from[..=end], values)?);
        rest = &from[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

/// The brace that closes the `${` at the text's start: a default may contain variables itself.
fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' if text[..at].ends_with('$') => depth += 1,
            '}' if depth == 1 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `variable`: from `${` to its brace.
fn value_of(variable: &str, values: Lookup) -> Result<String, Problem> {
    let inside = &variable[2..variable.len() - 1];
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let is_file = name.strip_prefix("file:").is_some_and(|path| !path.is_empty());
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_file && !is_name {
        return Err(Problem {
            what: format!("`{name}` is not the name of a variable"),
            variable: variable.to_owned(),
            label: "not a variable".into(),
            fix: "write `${NAME}`, `${NAME:-default}` or `${file:path}`".into(),
        });
    }
    let found = values(name).map_err(|why| Problem {
        what: match name.strip_prefix("file:") {
            Some(path) => format!("file `{path}` cannot be read"),
            None => format!("environment variable `{name}` cannot be read"),
        },
        variable: variable.to_owned(),
        label: why,
        fix: "let the user that runs Windrow read it; its content must be UTF-8".into(),
    })?;
    // Like a shell's `:-`: an empty value counts as unset.
    match (found, default) {
        (Some(value), _) if !value.is_empty() => Ok(value),
        (_, Some(default)) => expand(default, values),
        (Some(empty), None) => Ok(empty),
        (None, None) if is_file => Err(Problem {
            what: format!("there is no file `{}`", &name[5..]),
            variable: variable.to_owned(),
            label: "no such file".into(),
            fix: "create it, or give a default: `${file:path:-default}`".into(),
        }),
        (None, None) => Err(Problem {
            what: format!("environment variable `{name}` is not set"),
            variable: variable.to_owned(),
            label: "has no value and no default".into(),
            fix: format!("set it (`export {name}=…`), or give a default: `${{{name}:-default}}`"),
        }),
    }
}
