//! Every option that the code declares or reads is described by `windrow check --options`.

use std::collections::BTreeSet;

use windrow::sql::options::describe;

use super::source::files_in;

const GROUPS: &[&str] = &["kafka", "filesystem", "print", "json", "csv", "set"];

/// The quoted text right behind each `before` in `text`.
fn quoted_after(text: &str, before: &str) -> Vec<String> {
    let found = text.match_indices(before).filter_map(|(at, _)| {
        let rest = text[at + before.len()..].trim_start().strip_prefix('"')?;
        Some(rest[..rest.find('"')?].to_owned())
    });
    found.collect()
}

/// The options of a group's description, and what is wrong with it.
fn described(group: &str) -> (BTreeSet<String>, Vec<String>) {
    let text = describe(group).unwrap();
    let mut complaints = Vec::new();
    let mut names = BTreeSet::new();
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = line.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) else { continue };
        if !names.insert(name.trim_end_matches('*').to_owned()) {
            complaints.push(format!("{group}: `{name}` is described twice"));
        }
        let sentence = lines.get(at + 2).copied().unwrap_or_default().trim();
        if sentence.len() < 12 || !sentence.ends_with('.') {
            complaints.push(format!("{group}: the text of `{name}` is no sentence: `{sentence}`"));
        }
    }
    (names, complaints)
}

#[test]
fn every_option_is_described_in_a_sentence() {
    let mut all = BTreeSet::new();
    for group in GROUPS {
        let (names, complaints) = described(group);
        assert!(!names.is_empty(), "`{group}` describes nothing");
        assert!(complaints.is_empty(), "{complaints:#?}");
        all.extend(names);
    }
    let refusal = describe("no such group").unwrap_err().to_string();
    for group in refusal.split('`').skip(3).step_by(2) {
        assert!(GROUPS.contains(&group), "the group `{group}` is not checked here");
    }
    let readers = ["choice", "text", "bool", "duration", "duration_or_off", "integer", "list", "given"];
    for file in files_in(super::root(), "src/sql/options", &[".rs"]) {
        if file.path.ends_with("tests.rs") {
            continue;
        }
        let mut named = quoted_after(&file.text, "OptionSpec::new(");
        named.extend(quoted_after(&file.text, "OptionSpec::ignored("));
        for reader in readers {
            named.extend(quoted_after(&file.text, &format!("values.{reader}(")));
        }
        for name in named {
            assert!(all.contains(&name), "{}: option `{name}` is described nowhere", file.path);
        }
    }
}
