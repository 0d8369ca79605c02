//! How an option is declared, and the text that `windrow check --options` makes of the declarations.

use super::tables::{self, Group};
use crate::error::{Error, Result};

/// One option: everything that parsing, messages and documentation need to know of it.
#[derive(Debug, Clone, Copy)]
pub struct OptionSpec {
    pub name: &'static str,
    /// Other names for the same thing.
    pub aliases: &'static [&'static str],
    pub kind: Kind,
    /// As a user would write it.
    pub default: Option<&'static str>,
    /// Its value is never shown.
    pub secret: bool,
    pub applies: Applies,
    /// Understood, of no effect: why.
    pub ignored: Option<&'static str>,
    /// What it does, in a sentence or two.
    pub text: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Bool,
    Duration,
    /// A whole number, not negative.
    Integer,
    /// One of these words, whatever its case.
    Choice(&'static [&'static str]),
    /// Separated by `;`.
    List,
    /// Every option whose name begins with this one's.
    Prefix,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applies {
    Source,
    Sink,
    Both,
    Job,
}

impl OptionSpec {
    pub const fn new(name: &'static str, kind: Kind, text: &'static str) -> Self {
        OptionSpec {
            name,
            aliases: &[],
            kind,
            default: None,
            secret: false,
            applies: Applies::Both,
            ignored: None,
            text,
        }
    }

    pub const fn source(mut self) -> Self {
        self.applies = Applies::Source;
        self
    }

    pub const fn sink(mut self) -> Self {
        self.applies = Applies::Sink;
        self
    }

    pub const fn job(mut self) -> Self {
        self.applies = Applies::Job;
        self
    }

    pub const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// An option that is accepted because a Flink file may have it.
    pub const fn ignored(name: &'static str, reason: &'static str) -> Self {
        let mut spec = Self::new(name, Kind::Text, "Accepted, without effect.");
        spec.ignored = Some(reason);
        spec
    }

    /// Whether it is the declaration of `key`.
    pub fn declares(&self, key: &str) -> bool {
        match self.kind {
            Kind::Prefix => key.strip_prefix(self.name).is_some_and(|rest| !rest.is_empty()),
            _ => self.name == key || self.aliases.contains(&key),
        }
    }

    fn describe(&self, out: &mut String) {
        let kind = match self.kind {
            Kind::Text => "text".to_owned(),
            Kind::Bool => "true or false".to_owned(),
            Kind::Duration => "a duration like `30 s`".to_owned(),
            Kind::Integer => "a whole number".to_owned(),
            Kind::Choice(words) => words.join(" | "),
            Kind::List => "a list separated by `;`".to_owned(),
            Kind::Prefix => "a family of options".to_owned(),
        };
        let applies = match self.applies {
            Applies::Source => ", when read",
            Applies::Sink => ", when written",
            Applies::Both | Applies::Job => "",
        };
        let star = if self.kind == Kind::Prefix { "*" } else { "" };
        let secret = if self.secret { ", secret" } else { "" };
        let default = self.default.map_or(String::new(), |value| format!(", default `{value}`"));
        let text = self.ignored.map_or(self.text.to_owned(), |why| format!("{} {why}.", self.text));
        out.push_str(&format!("'{}{star}'\n    {kind}{default}{applies}{secret}\n    {text}\n", self.name));
        if !self.aliases.is_empty() {
            out.push_str(&format!("    also written '{}'\n", self.aliases.join("', '")));
        }
    }
}

/// Every option of a connector, a format, or `set`, for a person.
pub fn describe(group: &str) -> Result<String> {
    let Some(known) = Group::ALL.iter().find(|known| known.name() == group) else {
        let names = Group::ALL.map(|known| format!("`{}`", known.name())).join(", ");
        return Err(Error::user(format!("`{group}` has no options"))
            .fix(format!("the groups of options are {names}")));
    };
    let mut out = String::new();
    for table in tables::of_group(*known) {
        table.iter().for_each(|spec| spec.describe(&mut out));
    }
    Ok(out)
}
