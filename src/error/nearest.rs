//! "Did you mean": what a wrong name was probably meant to be, or what there is.

/// How alike two names must be, of 1.
const ALIKE_MIN: f64 = 0.6;
/// How many names a message lists.
const LISTED_MAX: usize = 20;

/// The known name that is most like a wrong one, if one is.
pub fn closest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = wrong.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= ALIKE_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// What to write instead of a wrong name; `what` is the known ones' plural. None if nothing is known.
pub fn fix<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>, what: &str) -> Option<String> {
    let known: Vec<&str> = known.into_iter().collect();
    match closest(wrong, known.iter().copied()) {
        Some(same) if same.eq_ignore_ascii_case(wrong) => {
            Some(format!("did you mean `{same}`? names keep their case"))
        }
        Some(close) => Some(format!("did you mean `{close}`?")),
        None if known.len() == 1 => Some(format!("there is only `{}`", known[0])),
        None => list(&known).map(|names| format!("the {what} are {names}")),
    }
}

/// Names in backquotes, as many as a line can hold.
pub fn list(names: &[&str]) -> Option<String> {
    let shown: Vec<String> = names.iter().take(LISTED_MAX).map(|name| format!("`{name}`")).collect();
    let rest = names.len().saturating_sub(LISTED_MAX);
    match shown.as_slice() {
        [] => None,
        shown if rest == 0 => Some(shown.join(", ")),
        shown => Some(format!("{} and {rest} more", shown.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_name_is_offered_and_else_all_of_them() {
        let known = ["user_id", "amount"];
        assert_eq!(fix("userid", known, "columns").as_deref(), Some("did you mean `user_id`?"));
        assert_eq!(
            fix("AMOUNT", known, "columns").as_deref(),
            Some("did you mean `amount`? names keep their case")
        );
        assert_eq!(fix("price", known, "columns").as_deref(), Some("the columns are `user_id`, `amount`"));
        assert_eq!(fix("price", ["id"], "columns").as_deref(), Some("there is only `id`"));
        assert_eq!(fix("price", [], "columns"), None);
    }
}
