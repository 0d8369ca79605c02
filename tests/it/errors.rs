//! Every message about a wrong file, whole, as its author sees it.
//!
//! `tests/errors/<fault>.sql` has one fault each, and `<fault>.txt` beside it what `windrow check --offline`
//! says. `WINDROW_REWRITE=1 cargo test --test it errors` writes all the messages anew; then read the diff.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use windrow::error::{Domain, Error, SourceText};
use windrow::functions::EpochClock;
use windrow::plan::planner;
use windrow::sql;
use windrow::time::EventTime;

/// Secrets that the files hold; no message may show one.
const SECRETS: &[&str] = &["hunter2", "s3cret"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors")
}

/// The names of the files with this extension, without it.
fn names(extension: &str) -> BTreeSet<String> {
    let paths = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let matching = paths.filter(|path| path.extension().is_some_and(|found| found == extension));
    matching.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

/// What is wrong with a file; the environment is empty.
fn error_of(name: &str) -> Option<Error> {
    let text = fs::read_to_string(folder().join(format!("{name}.sql"))).unwrap();
    let source = Arc::new(SourceText { name: format!("tests/errors/{name}.sql"), text });
    let plan = sql::parse(&source, &|_| Ok(None))
        .and_then(|script| planner::plan(script, &Arc::new(EpochClock::new(EventTime(0)))));
    plan.err()
}

#[test]
fn every_wrong_file_is_explained_as_its_neighbour_says() {
    let rewrite = std::env::var("WINDROW_REWRITE").is_ok_and(|value| value == "1");
    let mut complaints = Vec::new();
    for name in names("sql") {
        let Some(error) = error_of(&name) else {
            complaints.push(format!("{name}.sql: nothing is wrong with it"));
            continue;
        };
        if error.domain() != Domain::User {
            complaints.push(format!("{name}.sql: its author is not blamed:\n{error}"));
        }
        let rendered = format!("{error}\n");
        if let Some(secret) = SECRETS.iter().find(|secret| rendered.contains(**secret)) {
            complaints.push(format!("{name}.sql: its message shows `{secret}`"));
        }
        let neighbour = folder().join(format!("{name}.txt"));
        if rewrite {
            fs::write(&neighbour, rendered).unwrap();
            continue;
        }
        let expected = fs::read_to_string(&neighbour).unwrap_or_default();
        if rendered != expected {
            complaints.push(format!("{name}.sql: expected\n{expected}but it says\n{rendered}"));
        }
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn every_message_belongs_to_a_wrong_file() {
    let (files, messages) = (names("sql"), names("txt"));
    assert!(files.len() >= 140, "{} files", files.len());
    assert_eq!(messages, files);
}
