//! The repository's files as the rules see them: their text, their code without comments and literals, and
//! the paths that the code names.
//!
//! A small reader of Rust's tokens, not a parser: enough for `a::{b, c::d}`, blind to macros' output.

use std::fs;
use std::path::Path;

/// A file, by its path from the top of the repository.
pub struct SourceFile {
    pub path: String,
    pub text: String,
    /// The text with comments, strings and characters blanked out; lines and columns stay.
    pub code: String,
}

impl SourceFile {
    pub fn new(path: &str, text: &str) -> Self {
        let code = if path.ends_with(".rs") { blank(text) } else { text.to_owned() };
        SourceFile { path: path.to_owned(), text: text.to_owned(), code }
    }

    /// `[sql, options, kafka]` for `src/sql/options/kafka.rs`; empty for the crate's roots and other folders.
    pub fn modules(&self) -> Vec<&str> {
        let Some(inside) = self.path.strip_prefix("src/").and_then(|path| path.strip_suffix(".rs")) else {
            return Vec::new();
        };
        let mut modules: Vec<&str> = inside.split('/').collect();
        if ["lib", "main", "mod"].contains(modules.last().unwrap()) {
            modules.pop();
        }
        modules
    }

    /// Every path that the code names, with the number of its line; `use` groups are taken apart.
    pub fn paths(&self) -> Vec<(usize, Vec<String>)> {
        let tokens = tokens(&self.code);
        let mut found = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            at = if is_word(&tokens, at) { read_path(&tokens, at, &[], &mut found) } else { at + 1 };
        }
        found
    }
}

/// All text files below `folder`, in the order of their names.
pub fn files_in(root: &Path, folder: &str, extensions: &[&str]) -> Vec<SourceFile> {
    let mut files = Vec::new();
    let Ok(entries) = fs::read_dir(root.join(folder)) else { return files };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    for name in names {
        let path = format!("{folder}/{name}");
        if root.join(&path).is_dir() {
            files.extend(files_in(root, &path, extensions));
        } else if extensions.iter().any(|extension| name.ends_with(extension)) {
            files.push(SourceFile::new(&path, &fs::read_to_string(root.join(&path)).unwrap()));
        }
    }
    files
}

fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        }
        while at < end {
            out.push(if chars[at] == '\n' { '\n' } else { ' ' });
            at += 1;
        }
    }
    out
}

/// Where the comment, string or character that begins at `at` ends; `at` itself if none does.
fn literal_end(chars: &[char], at: usize) -> usize {
    let rest = &chars[at..];
    let in_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    let length = match rest {
        ['/', '/', ..] => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => block_comment(rest),
        ['"', ..] => quoted(rest),
        ['r', '"' | '#', ..] if !in_word => raw_string(&rest[1..]).map_or(0, |length| length + 1),
        ['b' | 'c', 'r', '"' | '#', ..] if !in_word => raw_string(&rest[2..]).map_or(0, |length| length + 2),
        ['\'', '\\', ..] => rest.iter().skip(3).position(|c| *c == '\'').map_or(0, |after| after + 4),
        ['\'', _, '\'', ..] => 3,
        _ => 0,
    };
    at + length
}

fn block_comment(chars: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < chars.len() {
        match chars[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] if depth == 1 => return at + 2,
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

fn quoted(chars: &[char]) -> usize {
    let mut at = 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// The length of `#"…"#`; None for a raw identifier.
fn raw_string(chars: &[char]) -> Option<usize> {
    let hashes = chars.iter().take_while(|c| **c == '#').count();
    if chars.get(hashes) != Some(&'"') {
        return None;
    }
    let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let body = &chars[hashes + 1..];
    let end = body.windows(close.len()).position(|window| window == close)?;
    Some(hashes + 1 + end + close.len())
}

struct Token {
    line: usize,
    text: String,
}

/// Words, `::` and single other characters.
fn tokens(code: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    for (line, text) in code.lines().enumerate() {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let length = match word {
                0 if rest.starts_with("::") => 2,
                0 => first.len_utf8(),
                word => word,
            };
            tokens.push(Token { line: line + 1, text: rest[..length].to_owned() });
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

fn is_word(tokens: &[Token], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| token.text.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// Reads the path at `at`, which follows `before::`, and gives the index behind it.
fn read_path(
    tokens: &[Token],
    mut at: usize,
    before: &[String],
    found: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let mut path = before.to_vec();
    let line = tokens[at].line;
    loop {
        path.push(tokens[at].text.clone());
        let is = |at: usize, text: &str| tokens.get(at).is_some_and(|token| token.text == text);
        if is(at + 1, "::") && is_word(tokens, at + 2) {
            at += 2;
            continue;
        }
        if !(is(at + 1, "::") && is(at + 2, "{")) {
            found.push((line, path));
            return at + 1;
        }
        at += 3;
        while at < tokens.len() && !is(at, "}") {
            at = if is_word(tokens, at) { read_path(tokens, at, &path, found) } else { at + 1 };
        }
        return at + 1;
    }
}

#[test]
fn comments_and_literals_are_not_code() {
    let text = "a(\"b // \\\" c\", 'd', '\\'', r#\"e \" f\"#); // g\n/* h /* i */ */ let k: &'l str;";
    assert_eq!(
        blank(text).split_whitespace().collect::<Vec<_>>(),
        ["a(", ",", ",", ",", ");", "let", "k:", "&'l", "str;"]
    );
    assert_eq!(blank(text).len(), text.len());
}

#[test]
fn groups_are_taken_apart_into_paths() {
    let file =
        SourceFile::new("src/a/b.rs", "use crate::{c::d,\n e::{self, f as g}};\nlet x = std::fs::read(h);");
    let paths: Vec<(usize, String)> =
        file.paths().into_iter().map(|(line, path)| (line, path.join("::"))).collect();
    for expected in [(1, "crate::c::d"), (2, "crate::e::self"), (2, "crate::e::f"), (3, "std::fs::read")] {
        assert!(paths.contains(&(expected.0, expected.1.to_owned())), "{expected:?} in {paths:?}");
    }
    assert_eq!(file.modules(), ["a", "b"]);
}
