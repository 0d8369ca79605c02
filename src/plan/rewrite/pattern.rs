//! LIKE and SIMILAR TO with Flink's patterns, said so that Arrow understands them.
//!
//! Arrow's LIKE always escapes by a backslash; Flink's by what ESCAPE names, else by a backslash, too, but in
//! a pattern in quotes only if a `_` is in it. DataFusion takes the pattern of SIMILAR TO for a regular
//! expression, in which `%` is just a percent sign.

use std::iter::Peekable;
use std::str::Chars;
use std::sync::Arc;

use sqlparser::ast::{Expr, Ident, Spanned, UnaryOperator, Value, ValueWithSpan};

use super::at;
use crate::error::{Error, Result, SourceText};
use crate::sql::dialect::call;

/// Rewrites the pattern in place, if `expr` is a LIKE or SIMILAR TO.
pub fn rewrite(expr: &mut Expr, source: &Arc<SourceText>) -> Result<()> {
    match expr {
        Expr::Like { pattern, escape_char, any: false, .. }
        | Expr::ILike { pattern, escape_char, any: false, .. } => {
            let escape = escape_of(escape_char.take().as_ref(), source)?;
            match (literal(pattern), escape) {
                (Some(text), escape) => {
                    // Flink's own rule: without a `_`, it does not even look for escapes.
                    let escape = escape.or(text.contains('_').then_some('\\'));
                    let text = like(text, escape).ok_or_else(|| wrong_escape(pattern, escape, source))?;
                    **pattern = text_at(text, pattern);
                    Ok(())
                }
                // In a pattern that is no constant, Flink, too, escapes by a backslash.
                (None, None) => Ok(()),
                (None, Some(_)) => Err(not_a_literal(pattern, "with ESCAPE", source)),
            }
        }
        Expr::SimilarTo { negated, expr: value, pattern, escape_char } => {
            let escape = escape_of(escape_char.as_ref(), source)?;
            let Some(text) = literal(pattern) else {
                return Err(not_a_literal(pattern, "of SIMILAR TO", source));
            };
            let regex = similar(text, escape).ok_or_else(|| wrong_pattern(pattern, source))?;
            let mut name = Ident::new("regexp");
            name.span = value.span();
            let matches = call(name, vec![value.as_ref().clone(), text_at(regex, pattern)]);
            *expr = match negated {
                true => Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(matches) },
                false => matches,
            };
            Ok(())
        }
        _ => Ok(()),
    }
}

fn literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => Some(text),
        _ => None,
    }
}

fn text_at(text: String, place: &Expr) -> Expr {
    Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), span: place.span() })
}

fn escape_of(given: Option<&ValueWithSpan>, source: &Arc<SourceText>) -> Result<Option<char>> {
    let Some(given) = given else { return Ok(None) };
    let text = match &given.value {
        Value::SingleQuotedString(text) => text.as_str(),
        _ => "",
    };
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(escape), None) => Ok(Some(escape)),
        _ => {
            let error = Error::user("ESCAPE takes one character").fix("write for example ESCAPE '!'");
            Err(at(error, &Expr::Value(given.clone()), "", source))
        }
    }
}

fn not_a_literal(pattern: &Expr, what: &str, source: &Arc<SourceText>) -> Error {
    let error = Error::user(format!("a pattern {what} must be a text in quotes"))
        .fix("write the pattern into the query, or use REGEXP(value, pattern)");
    at(error, pattern, "not known before the rows are", source)
}

fn wrong_escape(pattern: &Expr, escape: Option<char>, source: &Arc<SourceText>) -> Error {
    let escape = escape.map(String::from).unwrap_or_default();
    let error = Error::user(format!("`{escape}` must stand before `%`, `_` or itself"))
        .fix("write it twice where it means itself");
    at(error, pattern, "not an escape", source)
}

fn wrong_pattern(pattern: &Expr, source: &Arc<SourceText>) -> Error {
    let error = Error::user("SIMILAR TO does not understand this pattern")
        .fix("use `%`, `_`, `|`, `*`, `+`, `?`, `{n}`, `( )` and `[a-z]`, or REGEXP(value, pattern)");
    at(error, pattern, "", source)
}

/// The pattern with backslashes as escapes; None if it escapes something else than `%`, `_` or the escape.
fn like(pattern: &str, escape: Option<char>) -> Option<String> {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        let plain = match escape {
            Some(escape) if c == escape => {
                let escaped = chars.next().filter(|next| ['%', '_', escape].contains(next))?;
                out.push('\\');
                out.push(escaped);
                continue;
            }
            _ => c,
        };
        if plain == '\\' {
            out.push('\\');
        }
        out.push(plain);
    }
    Some(out)
}

/// The regular expression of a SIMILAR TO pattern; None if it is none.
fn similar(pattern: &str, escape: Option<char>) -> Option<String> {
    let mut out = String::from("^(?:");
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            _ if Some(c) == escape => out.push_str(&regex::escape(&chars.next()?.to_string())),
            '%' => out.push_str("(?s:.*)"),
            '_' => out.push('.'),
            '[' => set(&mut chars, escape, &mut out)?,
            // A point is any character in Flink, not a point.
            '|' | '*' | '+' | '?' | '(' | ')' | '{' | '}' | '.' => out.push(c),
            '^' | '$' | '\\' => return None,
            _ => out.push_str(&regex::escape(&c.to_string())),
        }
    }
    out.push_str(")$");
    regex::Regex::new(&out).is_ok().then_some(out)
}

/// `a-z]` or `^a-z]`, up to its closing bracket.
fn set(chars: &mut Peekable<Chars<'_>>, escape: Option<char>, out: &mut String) -> Option<()> {
    out.push('[');
    if chars.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    loop {
        match chars.next()? {
            ']' => break,
            // Named classes, and sets within sets.
            '[' => return None,
            c if Some(c) == escape => out.push_str(&regex::escape(&chars.next()?.to_string())),
            '-' => out.push('-'),
            c => out.push_str(&regex::escape(&c.to_string())),
        }
    }
    out.push(']');
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_backslashes_and_backslashes_mean_themselves() {
        assert_eq!(like("100!%_", Some('!')).unwrap(), "100\\%_");
        assert_eq!(like("a!!b", Some('!')).unwrap(), "a\\!b");
        assert_eq!(like("a\\%", None).unwrap(), "a\\\\%");
        assert_eq!(like("a\\%", Some('\\')).unwrap(), "a\\%");
        assert_eq!(like("a!b", Some('!')), None);
        assert_eq!(like("a!", Some('!')), None);
    }

    #[test]
    fn similar_patterns_match_the_whole_text() {
        let matches = |pattern: &str, text: &str| {
            regex::Regex::new(&similar(pattern, Some('!')).unwrap()).unwrap().is_match(text)
        };
        assert!(matches("a%", "abc\ndef") && !matches("a%", "ba"));
        assert!(matches("(a|b)+", "abba") && !matches("(a|b)+", "abc"));
        assert!(matches("[0-9]{2}.", "123") && !matches("[0-9]{2}!.", "123"));
        assert!(matches("[^a-c]_", "xy") && !matches("[^a-c]_", "ay"));
        assert!(matches("50!%", "50%") && !matches("50!%", "500"));
        assert_eq!(similar("[[:alpha:]]", None), None);
        assert_eq!(similar("(a", None), None);
    }
}
