//! The file's line under a message, with its place marked and its secrets starred.
//!
//! A message quotes the file as it was read, so `${…}` shows no value by itself. But a password can stand in
//! the file, on the line of somebody else's mistake. Secrets are therefore looked for in the text, not in the
//! statement: most messages are about text that could not be read as one. Stars too many are better than too
//! few.

use std::fmt;
use std::ops::Range;

use super::{Place, Position, SourceText};

pub(super) fn write(f: &mut fmt::Formatter<'_>, place: &Place) -> fmt::Result {
    let Position { line, column } = place.span.start;
    write!(f, "\n  --> {}:{line}:{column}", place.source.name)?;
    let shown = place.source.starred();
    let Some(text) = shown.lines().nth(line.saturating_sub(1) as usize) else {
        return Ok(());
    };
    let width = line.to_string().len().max(2);
    let end = if place.span.end.line == line { place.span.end.column } else { u64::MAX };
    let line_end = text.trim_end().chars().count() as u64 + 1;
    let marks = end.min(line_end).saturating_sub(column).max(1) as usize;
    // Tabs are kept in the margin so that the marks stand below the text whatever the tab width.
    let margin: String =
        text.chars().take(column as usize - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let label = if place.label.is_empty() { String::new() } else { format!(" {}", place.label) };
    write!(f, "\n{:width$} |", "")?;
    write!(f, "\n{line:>width$} | {}", text.trim_end())?;
    write!(f, "\n{:width$} | {margin}{}{label}", "", "^".repeat(marks))
}

impl SourceText {
    /// The text with a star for each character of a secret: lines and columns are the same.
    pub fn starred(&self) -> String {
        let mut shown = String::with_capacity(self.text.len());
        let mut copied = 0;
        for secret in secrets(&self.text) {
            shown.push_str(&self.text[copied..secret.start]);
            star(&self.text[secret.clone()], &mut shown);
            copied = secret.end;
        }
        shown.push_str(&self.text[copied..]);
        shown
    }
}

/// Stars a value, but for the names in its `${NAME:-default}`.
fn star(value: &str, out: &mut String) {
    let mut rest = value;
    while let Some(next) = rest.chars().next() {
        let variable =
            rest.strip_prefix("${").and_then(|inside| inside.find('}')).map(|end| &rest[..end + 3]);
        if let Some(variable) = variable {
            let kept = variable.find(":-").map_or(variable.len(), |at| at + 2);
            out.push_str(&rest[..kept]);
            rest = &rest[kept..];
        } else {
            out.push(if "\n}".contains(next) { next } else { '*' });
            rest = &rest[next.len_utf8()..];
        }
    }
}

/// Where secret values stand, in bytes, ascending.
fn secrets(text: &str) -> Vec<Range<usize>> {
    let is_part = |c: char| c.is_alphanumeric() || "._-".contains(c);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(is_part).map(|next| at + next) {
        let end = text[start..].find(|c| !is_part(c)).map_or(text.len(), |length| start + length);
        let quoted = text[..start].ends_with(['\'', '"']);
        let value = names_secret(&text[start..end], quoted).then(|| value_after(text, end, quoted)).flatten();
        at = value.as_ref().map_or(end, |value| value.end.max(end));
        found.extend(value);
    }
    found
}

/// Whether an option of this name, perhaps misspelt, holds a secret.
///
/// Words that columns are called, too, count only in quotes.
fn names_secret(name: &str, quoted: bool) -> bool {
    const SECRET: &[&str] =
        &["password", "passwd", "passphrase", "secret", "jaas", "credential", "private.key"];
    const SECRET_IF_QUOTED: &[&str] =
        &["token", "api.key", "apikey", "key.pem", "keystore.key", "assertion", "oauthbearer.config", "pwd"];
    let name = name.to_lowercase();
    let misspelt = |part: &str| {
        (part.len() > 5 && strsim::damerau_levenshtein(part, "password") <= 2)
            || strsim::damerau_levenshtein(part, "secret") == 1
    };
    SECRET.iter().any(|word| name.contains(word))
        || name.split(['.', '_', '-']).any(misspelt)
        || (quoted && SECRET_IF_QUOTED.iter().any(|word| name.contains(word)))
}

/// The value that follows a name: in quotes, or bare after `=` if the name is in quotes.
fn value_after(text: &str, name_end: usize, name_quoted: bool) -> Option<Range<usize>> {
    let rest = text[name_end..].trim_start_matches(['\'', '"', '`']).trim_start();
    let bare = rest.trim_start_matches(['=', ':', '>', ',']);
    let separated = bare.len() < rest.len();
    let value = bare.trim_start();
    // `N'…'`, `E'…'`, `U&'…'`.
    let prefix = value.find(['\'', '"']).filter(|&length| {
        length <= 2 && value[..length].chars().all(|c| c.is_ascii_alphabetic() || c == '&')
    });
    let start_of = |part: &str| text.len() - part.len();
    match prefix {
        Some(length) => {
            let quote = &value[length..=length];
            let inside = &value[length + 1..];
            Some(start_of(inside)..start_of(inside) + quoted_length(inside, quote))
        }
        None if separated && name_quoted => {
            let length = value.find([' ', '\t', '\n', '\r', ',', ';', ')']).unwrap_or(value.len());
            Some(start_of(value)..start_of(value) + length)
        }
        None => None,
    }
}

/// Up to the closing quote, past doubled ones; all of the text if there is none.
fn quoted_length(text: &str, quote: &str) -> usize {
    let mut from = 0;
    while let Some(at) = text[from..].find(quote).map(|at| from + at) {
        match text[at + 1..].starts_with(quote) {
            true => from = at + 2,
            false => return at,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starred(text: &str) -> String {
        SourceText { name: String::new(), text: text.to_owned() }.starred()
    }

    #[test]
    fn secrets_are_starred_at_their_width_however_the_option_is_written() {
        for (text, expected) in [
            (
                "'topics' = 'a', 'properties.sasl.password' = 'hü2'",
                "'topics' = 'a', 'properties.sasl.password' = '***'",
            ),
            ("'sasl.password'='it''s',\n  'topic' = 'a'", "'sasl.password'='*****',\n  'topic' = 'a'"),
            ("\"sasl.password\" = \"hunter2\"", "\"sasl.password\" = \"*******\""),
            ("'x.pasword' 'hunter2'", "'x.pasword' '*******'"),
            ("'sasl.client.secret' : hunter2)", "'sasl.client.secret' : *******)"),
            ("-- don't\n'ssl.key.pem' = E'a\nb', 'c' = 'd", "-- don't\n'ssl.key.pem' = E'*\n*', 'c' = 'd"),
            ("'topic' = 'a', 'sasl.password' = 'hunter2\n", "'topic' = 'a', 'sasl.password' = '*******"),
            ("'jaas.config' = 'a=\"b\" c'", "'jaas.config' = '*******'"),
            (
                "'config' = 'Login required password=\"b c\";'",
                "'config' = 'Login required password=\"***\";'",
            ),
            (
                "'a.secret' = '${SECRET}', 'b.secret' = '${SECRET:-hunter2}'",
                "'a.secret' = '${SECRET}', 'b.secret' = '${SECRET:-*******}'",
            ),
            ("'a.password' = '${file:/run/a}x'", "'a.password' = '${file:/run/a}*'"),
            ("SELECT password FROM t WHERE token = 'a'", "SELECT password FROM t WHERE token = 'a'"),
            ("'key.fields' = 'a', 'key.format' = 'raw'", "'key.fields' = 'a', 'key.format' = 'raw'"),
        ] {
            let got = starred(text);
            assert_eq!(got.trim_end(), expected);
        }
    }

    #[test]
    fn every_property_that_holds_a_secret_is_known() {
        for name in [
            "properties.sasl.password",
            "properties.sasl.jaas.config",
            "properties.ssl.key.password",
            "properties.ssl.key.pem",
            "properties.ssl.keystore.key",
            "properties.sasl.oauthbearer.client.secret",
            "properties.sasl.oauthbearer.config",
            "properties.sasl.oauthbearer.assertion.private.key.pem",
        ] {
            assert!(names_secret(name, true), "{name}");
        }
        for name in ["properties.bootstrap.servers", "properties.sasl.username", "key.fields", "passenger"] {
            assert!(!names_secret(name, true), "{name}");
        }
    }
}
