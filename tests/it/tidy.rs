//! What a machine can check of the source: who may use whom, lengths, names, dead files, undescribed options.
//!
//! Each rule turns files into complaints, so that the rules themselves are tested, on files that break them.

mod options;
mod source;

use std::collections::BTreeSet;
use std::path::Path;

use self::source::{SourceFile, files_in};

/// The modules in the order in which a query and then a record meets them. A module may use its own row and
/// those above it.
const ROWS: &[&[&str]] = &[
    &["config", "error", "time"],
    &["sql"],
    &["functions"],
    &["catalog"],
    &["plan"],
    &["format"],
    &["watermark"],
    &["state"],
    &["stage"],
    &["source"],
    &["sink"],
    &["job"],
    &["cli"],
];

/// Modules without files, network, clock or runtime: what they do depends on their arguments alone.
const PURE: &[&str] = &["sql", "functions", "catalog", "plan", "format", "watermark", "state", "stage"];

const IMPURE_PATHS: &[&str] = &[
    "tokio",
    "rdkafka",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::SystemTime",
    "std::time::Instant",
    "crate::time::Clock",
];

/// Modules that talk to the outside; none names another.
const EDGES: &[&str] = &["source", "sink"];

/// Uses that break a rule above, each with its reason: the start of a file's path, then of the path it names.
const EXCEPTIONS: &[(&str, &str, &str)] = &[(
    "src/sink/kafka/",
    "crate::source::kafka",
    "one client, with one way to set its properties and to word its errors, reads and writes",
)];

const LINES_MAX: usize = 600;
const COLUMNS_MAX: usize = 110;

const BANNED_NAMES: &[&str] =
    &["utils", "util", "common", "helpers", "helper", "types", "context", "manager", "misc"];

/// Where a banned name says exactly what is inside: SQL's types, and the types of a plan.
const NAMED_SO: &[&str] = &["src/sql/types.rs", "src/sql/types", "src/plan/types.rs"];

/// Spelt in halves, so that this file does not break its own rule.
const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];

const UNSAFE_FILE: &str = "src/source/kafka/batch.rs";

const TOP_LEVEL: &[&str] =
    &["Cargo.toml", "Cargo.lock", "src", "queries", "tests", "benches", "docker", "README.md", "target"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_of(folders: &[&str]) -> Vec<SourceFile> {
    folders.iter().flat_map(|folder| files_in(root(), folder, &[".rs"])).collect()
}

fn everything() -> Vec<SourceFile> {
    let mut files = rust_of(&["src", "tests", "benches"]);
    files.extend(files_in(root(), "queries", &[".sql"]));
    files.extend(files_in(root(), "tests", &[".sql", ".sh", ".java"]));
    files.extend(files_in(root(), "docker", &["compose.yaml", "Dockerfile"]));
    files
}

#[track_caller]
fn assert_none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "{} complaints:\n  {}", complaints.len(), complaints.join("\n  "));
}

/// The row of a module of the crate.
fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

fn starts_with(path: &[String], prefix: &str) -> bool {
    let prefix: Vec<&str> = prefix.split("::").collect();
    path.len() >= prefix.len() && prefix.iter().zip(path).all(|(a, b)| a == b)
}

/// Why a file of module `own` may not name `path`.
fn refused(own: &str, path: &[String]) -> Option<String> {
    if PURE.contains(&own)
        && let Some(impure) = IMPURE_PATHS.iter().find(|impure| starts_with(path, impure))
    {
        return Some(format!("`{own}` is pure and may not use `{impure}`"));
    }
    let [first, target, ..] = path else { return None };
    if first == "super" && target == "super" {
        return Some("name the module from the crate's root instead".into());
    }
    if first != "crate" || own == target {
        return None;
    }
    match (row(own), row(target)) {
        (_, None) => Some(format!("`{target}` is not a module of the crate's table")),
        (Some(own), Some(used)) if used > own => Some(format!("`{target}` is a row below")),
        _ if EDGES.contains(&own) && EDGES.contains(&target.as_str()) => {
            Some("edges do not name each other".into())
        }
        _ => None,
    }
}

/// Complaints about imports, and the exceptions that were used.
fn import_complaints(files: &[SourceFile]) -> (Vec<String>, BTreeSet<&'static str>) {
    let (mut complaints, mut used) = (Vec::new(), BTreeSet::new());
    for file in files {
        let Some(own) = file.modules().first().copied() else { continue };
        for (line, path) in file.paths() {
            let Some(why) = refused(own, &path) else { continue };
            let except = |(from, to, _): &&(&'static str, &str, &str)| {
                file.path.starts_with(from) && starts_with(&path, to)
            };
            match EXCEPTIONS.iter().find(except) {
                Some((from, _, _)) => drop(used.insert(*from)),
                None => complaints.push(format!("{}:{line}: `{}`: {why}", file.path, path.join("::"))),
            }
        }
    }
    (complaints, used)
}

#[test]
fn modules_use_only_those_above_them() {
    let (complaints, used) = import_complaints(&rust_of(&["src"]));
    assert_none(complaints);
    for (from, to, reason) in EXCEPTIONS {
        assert!(used.contains(from), "an exception nobody needs: {from} using {to} ({reason})");
    }
}

#[test]
fn the_crate_declares_the_tables_modules_in_the_tables_order() {
    let lib = files_in(root(), "src", &["lib.rs"]).remove(0);
    let declared: Vec<&str> = lib.code.lines().filter_map(declared_module).collect();
    assert_eq!(declared, ROWS.concat(), "`src/lib.rs` and the table of this test must agree");
}

/// `name` of a line `pub mod name;`.
fn declared_module(line: &str) -> Option<&str> {
    let words = line.trim().strip_suffix(';')?;
    let (before, name) = words.rsplit_once("mod ")?;
    let is_module = before.is_empty() || before.starts_with("pub");
    is_module.then_some(name)
}

fn length_complaints(files: &[SourceFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let lines = file.text.lines().count();
        if lines > LINES_MAX {
            complaints.push(format!("{}: {lines} lines; split it where its nouns split", file.path));
        }
        for (at, line) in file.text.lines().enumerate() {
            let columns = line.chars().count();
            if columns > COLUMNS_MAX {
                complaints.push(format!("{}:{}: {columns} characters", file.path, at + 1));
            }
        }
    }
    complaints
}

#[test]
fn files_and_lines_are_short() {
    assert_none(length_complaints(&everything()));
}

fn name_complaints(files: &[SourceFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".rs")) {
        let mut folder = String::new();
        for part in file.path.split('/') {
            folder = if folder.is_empty() { part.to_owned() } else { format!("{folder}/{part}") };
            let stem = part.strip_suffix(".rs").unwrap_or(part);
            if BANNED_NAMES.contains(&stem) && !NAMED_SO.contains(&folder.as_str()) {
                complaints.push(format!("{}: `{stem}` says nothing", file.path));
            }
        }
        for (at, line) in file.code.lines().enumerate() {
            let mut words = line.trim_start().trim_start_matches("pub ").split_whitespace();
            let (keyword, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let name = name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            let empty_suffix = ["struct", "enum", "trait"].contains(&keyword)
                && ["Func", "Impl", "Holder", "Manager", "Helper"].iter().any(|end| name.ends_with(end));
            let inline_module = keyword == "mod" && line.contains('{') && BANNED_NAMES.contains(&name);
            if empty_suffix || inline_module {
                complaints.push(format!("{}:{}: `{name}` says nothing", file.path, at + 1));
            }
        }
    }
    complaints
}

#[test]
fn names_say_what_is_inside() {
    assert_none(name_complaints(&rust_of(&["src", "tests", "benches"])));
}

fn leftover_complaints(files: &[SourceFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    let is_word = |text: &str, at: usize, word: &str| {
        let alone = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        alone(text[..at].chars().next_back()) && alone(text[at + word.len()..].chars().next())
    };
    for file in files {
        for (at, line) in file.text.lines().enumerate() {
            let unfinished =
                UNFINISHED.iter().find(|word| line.match_indices(**word).any(|(at, w)| is_word(line, at, w)));
            if let Some(word) = unfinished {
                complaints.push(format!("{}:{}: `{word}`: do it, or open an issue", file.path, at + 1));
            }
        }
        for (at, line) in file.code.lines().enumerate() {
            if line.contains("[allow(") {
                complaints.push(format!("{}:{}: `expect` tells when it is stale", file.path, at + 1));
            }
        }
    }
    complaints
}

#[test]
fn nothing_is_left_for_later() {
    assert_none(leftover_complaints(&everything()));
}

fn unsafe_complaints(files: &[SourceFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let lines: Vec<&str> = file.text.lines().collect();
        for (line, path) in file.paths() {
            if path != ["unsafe"] {
                continue;
            }
            if file.path != UNSAFE_FILE {
                complaints.push(format!("{}:{line}: `unsafe` belongs into {UNSAFE_FILE}", file.path));
            } else if !lines[line.saturating_sub(5)..line].iter().any(|line| line.contains("SAFETY:")) {
                complaints.push(format!("{}:{line}: no `// SAFETY:` sentence above", file.path));
            }
        }
    }
    complaints
}

#[test]
fn unsafe_code_stays_in_one_file_and_says_why_it_is_safe() {
    assert_none(unsafe_complaints(&rust_of(&["src", "tests", "benches"])));
}

fn header_complaints(files: &[SourceFile]) -> Vec<String> {
    let has_header = |file: &&SourceFile| {
        // What the tests beside a file are for, the file says.
        if file.path.ends_with("/tests.rs") {
            return true;
        }
        let before = file.text.lines().take_while(|line| !line.starts_with("//!"));
        let found = file.text.lines().any(|line| line.starts_with("//! "));
        found && before.count() <= 6
    };
    let without = files.iter().filter(|file| !has_header(file));
    without.map(|file| format!("{}: no `//!` text says what it is for", file.path)).collect()
}

#[test]
fn every_file_says_what_it_is_for() {
    assert_none(header_complaints(&rust_of(&["src", "tests", "benches"])));
}

/// The files that could declare the module of `path`.
fn parents(path: &str) -> Vec<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder =
        if name == "mod.rs" { folder.rsplit_once('/').map_or("", |(above, _)| above) } else { folder };
    vec![
        format!("{folder}.rs"),
        format!("{folder}/mod.rs"),
        format!("{folder}/lib.rs"),
        format!("{folder}/main.rs"),
    ]
}

fn dead_file_complaints(files: &[SourceFile], roots: &[&str]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| !roots.contains(&file.path.as_str())) {
        let stem = file.path.strip_suffix("/mod.rs").or(file.path.strip_suffix(".rs")).unwrap_or(&file.path);
        let name = stem.rsplit('/').next().unwrap_or(stem);
        let parents = parents(&file.path);
        let declares = |other: &&SourceFile| {
            parents.contains(&other.path) && other.code.lines().filter_map(declared_module).any(|m| m == name)
        };
        if !files.iter().any(|other| declares(&other)) {
            complaints.push(format!("{}: no `mod {name};` brings it in", file.path));
        }
    }
    complaints
}

#[test]
fn every_file_is_part_of_a_crate() {
    assert_none(dead_file_complaints(&rust_of(&["src"]), &["src/lib.rs", "src/main.rs"]));
    assert_none(dead_file_complaints(&rust_of(&["tests/it"]), &["tests/it/main.rs"]));
}

#[test]
fn the_top_level_holds_what_its_reader_expects() {
    let entries = std::fs::read_dir(root()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let strangers = names.filter(|name| !name.starts_with('.') && !TOP_LEVEL.contains(&name.as_str()));
    assert_none(strangers.map(|name| format!("`{name}` does not belong at the top level")).collect());
}

#[test]
fn every_rule_finds_the_file_that_breaks_it() {
    let file = SourceFile::new;
    let imports = |path, text| import_complaints(&[file(path, text)]).0.len();
    assert_eq!(imports("src/plan/cut.rs", "use crate::{sql, plan::x, format::{self, Row}};"), 2);
    assert_eq!(imports("src/sql/ddl.rs", "use std::{fs, sync::Arc};\n// use tokio::x;\nuse rdkafka::y;"), 2);
    assert_eq!(imports("src/source/file.rs", "crate::sink::file::write(); crate::elsewhere::f();"), 2);
    assert_eq!(imports("src/sink/kafka/mod.rs", "use crate::source::kafka::Cluster;"), 0);
    assert_eq!(imports("src/sink/file.rs", "use crate::source::kafka::Cluster;"), 1);
    assert_eq!(imports("src/cli/run.rs", "use super::super::job;\nuse super::check; use crate::job;"), 1);

    let long = format!("{}\n{}", "x".repeat(111), "y\n".repeat(600));
    assert_eq!(length_complaints(&[file("src/a.rs", &long)]).len(), 2);
    let names = [
        file("src/utils.rs", ""),
        file("src/plan/types.rs", ""),
        file("src/job/types.rs", "pub struct RowImpl;\nstruct Row;\nmod helpers {\n}"),
    ];
    assert_eq!(name_complaints(&names).len(), 4);
    let late = format!("// {}: later\n#[allow(dead_code)]\n\"[allow(x)]\"", UNFINISHED[0]);
    assert_eq!(leftover_complaints(&[file("src/a.rs", &late)]).len(), 2);
    let untidy = [
        file("src/a.rs", "unsafe {}"),
        file(UNSAFE_FILE, "// SAFETY: it is.\nunsafe {}\n\n\n\n\n\nunsafe {}"),
    ];
    assert_eq!(unsafe_complaints(&untidy).len(), 2);
    assert_eq!(header_complaints(&[file("src/a.rs", "use b;"), file("src/b.rs", "//! B.")]).len(), 1);
    let tree = [
        file("src/lib.rs", "pub mod a;\n// mod b;"),
        file("src/a/mod.rs", "#[cfg(test)]\nmod c;"),
        file("src/b.rs", ""),
        file("src/a/c.rs", ""),
    ];
    assert_eq!(dead_file_complaints(&tree, &["src/lib.rs"]).len(), 1);
}
