//! What went wrong, where, why, and how to fix it: the one error that reaches a person.
//!
//! Modules below `job` and `cli` have `thiserror` enums of their own where a caller tells cases apart;
//! what is shown to a person is always an [`Error`]. Its [`Domain`] decides the exit code, the wording
//! and whether a retry makes sense. An error carries no secret:
//! values of options are not put into messages, and excerpts of the file are starred (`excerpt`).

mod excerpt;
pub mod nearest;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whose fault it is: decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// The SQL, an option or an argument is wrong. Exit code 2, never retried.
    User,
    /// A broker, a disk or a network is. Exit code 1; the only domain worth a retry.
    External,
    /// We are. Exit code 70.
    Internal,
}

/// A file as it was read, kept for underlining.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceText {
    /// The name to show: a path as the user gave it.
    pub name: String,
    pub text: String,
}

/// A half-open range of a source text; lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub start: Position,
    pub end: Position,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub line: u64,
    pub column: u64,
}

impl Span {
    pub fn new(start: (u64, u64), end: (u64, u64)) -> Self {
        let at = |(line, column)| Position { line, column };
        Span { start: at(start), end: at(end) }
    }

    /// The smallest span that covers both.
    pub fn union(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// Where in which file, and what to write under the marked text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub source: Arc<SourceText>,
    pub span: Span,
    pub label: String,
}

/// See the module's text. Rendered by [`fmt::Display`] over several lines, without a final newline.
#[derive(Debug)]
pub struct Error(Box<Body>);

#[derive(Debug)]
struct Body {
    domain: Domain,
    what: String,
    place: Option<Place>,
    notes: Vec<String>,
    fix: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub fn user(what: impl Into<String>) -> Self {
        Self::new(Domain::User, what.into())
    }

    pub fn external(what: impl Into<String>) -> Self {
        Self::new(Domain::External, what.into())
    }

    pub fn internal(what: impl Into<String>) -> Self {
        Self::new(Domain::Internal, what.into())
    }

    fn new(domain: Domain, what: String) -> Self {
        Error(Box::new(Body { domain, what, place: None, notes: Vec::new(), fix: None, source: None }))
    }

    /// Underlines `span` and writes `label` (may be empty) beneath it. The innermost place wins.
    pub fn at(mut self, source: &Arc<SourceText>, span: Span, label: impl Into<String>) -> Self {
        if self.0.place.is_none() {
            self.0.place = Some(Place { source: Arc::clone(source), span, label: label.into() });
        }
        self
    }

    /// Adds a fact on a line of its own.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.0.notes.push(note.into());
        self
    }

    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.0.fix = Some(fix.into());
        self
    }

    /// A fix, where one is known.
    pub fn fix_if(mut self, fix: Option<String>) -> Self {
        self.0.fix = fix.or(self.0.fix);
        self
    }

    /// Keeps the cause; its text is shown as a note.
    pub fn caused_by(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    pub fn domain(&self) -> Domain {
        self.0.domain
    }

    pub fn what(&self) -> &str {
        &self.0.what
    }

    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    pub fn exit_code(&self) -> u8 {
        match self.0.domain {
            Domain::User => 2,
            Domain::External => 1,
            Domain::Internal => 70,
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|s| s as &(dyn StdError + 'static))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = &self.0;
        let kind = if body.domain == Domain::Internal { "error (a bug in Windrow)" } else { "error" };
        write!(f, "{kind}: {}", body.what)?;
        if let Some(place) = &body.place {
            excerpt::write(f, place)?;
        }
        for note in &body.notes {
            write_indented(f, "   = ", note)?;
        }
        if let Some(source) = &body.source {
            write_indented(f, "   = cause: ", &source.to_string())?;
        }
        if let Some(fix) = &body.fix {
            write_indented(f, "   = fix: ", fix)?;
        }
        if body.domain == Domain::Internal {
            f.write_str("\n   = please report it with the SQL file and this whole message")?;
        }
        Ok(())
    }
}

fn write_indented(f: &mut fmt::Formatter<'_>, head: &str, text: &str) -> fmt::Result {
    for (i, line) in text.lines().enumerate() {
        let head = if i == 0 { head } else { "     " };
        write!(f, "\n{head}{line}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_underlines_its_place_and_ends_with_the_fix() {
        let source = Arc::new(SourceText {
            name: "queries/clicks.sql".into(),
            text: "SELECT 1\nFROM\tHOP(t, 7, 60)\n".into(),
        });
        let error = Error::user("slide does not divide the window size")
            .at(&source, Span::new((2, 13), (2, 14)), "the slide is 7 s, the size is 60 s")
            .fix("use 5 s, 6 s or 10 s");
        assert_eq!(
            error.to_string(),
            "error: slide does not divide the window size
  --> queries/clicks.sql:2:13
   |
 2 | FROM\tHOP(t, 7, 60)
   |     \t       ^ the slide is 7 s, the size is 60 s
   = fix: use 5 s, 6 s or 10 s"
        );
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn a_span_over_several_lines_marks_the_first_to_its_end() {
        let source = Arc::new(SourceText { name: "q.sql".into(), text: "SELECT a,\n b".into() });
        let error = Error::user("no").at(&source, Span::new((1, 8), (2, 3)), "");
        assert!(error.to_string().ends_with(" 1 | SELECT a,\n   |        ^^"), "{error}");
    }
}
