//! Options as given, matched with their declarations: unknown names and wrong values end here.

use std::sync::Arc;
use std::time::Duration;

use super::Ignored;
use super::spec::{Kind, OptionSpec};
use super::tables;
use crate::error::nearest::closest;
use crate::error::{Error, Result, SourceText, Span};
use crate::sql::span;
use crate::sql::statement::{RawOption, SetOption};
use crate::time::parse_duration;

/// An option as given in the file.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    pub key: &'a str,
    pub value: &'a str,
    pub key_span: Span,
    pub value_span: Span,
}

impl<'a> From<&'a RawOption> for Given<'a> {
    fn from(option: &'a RawOption) -> Self {
        let RawOption { key, value, key_span, value_span } = option;
        Given { key, value, key_span: *key_span, value_span: *value_span }
    }
}

impl<'a> From<&'a SetOption> for Given<'a> {
    fn from(option: &'a SetOption) -> Self {
        let SetOption { key, value, key_span, value_span, .. } = option;
        Given { key, value, key_span: *key_span, value_span: *value_span }
    }
}

/// Given options, every one known and of its declared kind.
///
/// The readers take an option's declared name, give its default where it has one, and take an empty value
/// (of `${VAR:-}`) for none.
pub struct Values<'a> {
    pub source: &'a Arc<SourceText>,
    specs: Vec<&'static OptionSpec>,
    found: Vec<(Given<'a>, &'static OptionSpec)>,
}

/// What the options are of, for messages.
pub struct Owner<'a> {
    /// `for table `orders``, say.
    pub phrase: &'a str,
    /// The format of its records; empty if it has none.
    pub format: &'a str,
    /// The group to ask `windrow check --options` for.
    pub group: &'static str,
}

impl Owner<'_> {
    /// The other format that has an option of this name.
    fn other_format(&self, key: &str) -> Option<&'static str> {
        let key = key.strip_prefix("value.").unwrap_or(key);
        let formats = [("json", tables::JSON), ("csv", tables::CSV)];
        let has = |specs: &[OptionSpec]| specs.iter().any(|spec| spec.declares(key));
        let other = formats.into_iter().find(|(name, specs)| *name != self.format && has(specs));
        other.filter(|_| !self.format.is_empty()).map(|(name, _)| name)
    }
}

impl<'a> Values<'a> {
    /// `tables` in order of precedence. An option may have `value.` before its declared name.
    pub fn read(
        given: impl Iterator<Item = Given<'a>>,
        tables: &[&'static [OptionSpec]],
        owner: &Owner,
        source: &'a Arc<SourceText>,
    ) -> Result<Self> {
        let specs: Vec<&'static OptionSpec> = tables.iter().flat_map(|table| table.iter()).collect();
        let mut values = Values { source, specs, found: Vec::new() };
        for option in given {
            let Some(spec) = values.declaration(option.key) else {
                return Err(values.unknown(&option, owner));
            };
            values.check_kind(&option, spec)?;
            values.found.push((option, spec));
        }
        Ok(values)
    }

    fn declaration(&self, key: &str) -> Option<&'static OptionSpec> {
        let find = |key: &str| self.specs.iter().find(|spec| spec.declares(key)).copied();
        find(key).or_else(|| find(key.strip_prefix("value.")?))
    }

    fn unknown(&self, option: &Given, owner: &Owner) -> Error {
        if let Some(other) = owner.other_format(option.key) {
            return Error::user(format!("option `{}` belongs to format `{other}`", option.key))
                .at(self.source, option.key_span, format!("the table's format is `{}`", owner.format))
                .fix(format!("remove it, or write `'format' = '{other}'`"));
        }
        let names = self.specs.iter().filter(|spec| spec.kind != Kind::Prefix).map(|spec| spec.name);
        let close = closest(option.key, names);
        let all = format!("`windrow check --options {}` lists them all", owner.group);
        Error::user(format!("unknown option `{}` {}", option.key, owner.phrase))
            .at(self.source, option.key_span, "")
            .fix(close.map_or(all.clone(), |name| format!("did you mean `{name}`? {all}")))
    }

    fn check_kind(&self, option: &Given, spec: &OptionSpec) -> Result<()> {
        if option.value.is_empty() {
            return Ok(());
        }
        let (fits, wanted) = match spec.kind {
            Kind::Bool => (parse_bool(option.value).is_some(), "`true` or `false`".to_owned()),
            Kind::Duration => (
                parse_duration(option.value).is_some(),
                "a duration like `500 ms`, `30 s` or `1 h`".to_owned(),
            ),
            Kind::Integer => (option.value.trim().parse::<u64>().is_ok(), "a whole number".to_owned()),
            Kind::Choice(words) => {
                let fits = words.iter().any(|word| word.eq_ignore_ascii_case(option.value.trim()));
                (fits, words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "))
            }
            Kind::Text | Kind::List | Kind::Prefix => return Ok(()),
        };
        if fits {
            return Ok(());
        }
        let expected = if matches!(spec.kind, Kind::Choice(_)) { "one of " } else { "" };
        Err(Error::user(format!("option `{}` has a wrong value", option.key)).at(
            self.source,
            option.value_span,
            format!("expected {expected}{wanted}"),
        ))
    }

    /// The option as given, if it is there and not empty.
    pub fn given(&self, name: &str) -> Option<Given<'a>> {
        self.given_or_empty(name).filter(|given| !given.value.is_empty())
    }

    /// The option as given, for those where an empty value means something. The last one counts.
    pub fn given_or_empty(&self, name: &str) -> Option<Given<'a>> {
        self.found.iter().rev().find(|(_, spec)| spec.name == name).map(|(given, _)| *given)
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        let default = || self.specs.iter().find(|spec| spec.name == name)?.default;
        self.given(name).map(|given| given.value).or_else(default)
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.value(name).map(str::to_owned)
    }

    pub fn bool(&self, name: &str) -> bool {
        self.value(name).and_then(parse_bool).unwrap_or(false)
    }

    pub fn duration(&self, name: &str) -> Option<Duration> {
        self.value(name).and_then(parse_duration)
    }

    /// A duration where zero means none.
    pub fn duration_or_off(&self, name: &str) -> Option<Duration> {
        self.duration(name).filter(|duration| !duration.is_zero())
    }

    pub fn integer(&self, name: &str) -> Option<u64> {
        self.value(name).and_then(|value| value.trim().parse().ok())
    }

    /// The word as it is declared.
    pub fn choice(&self, name: &str) -> Option<&'static str> {
        let spec = self.specs.iter().find(|spec| spec.name == name)?;
        let Kind::Choice(words) = spec.kind else { return None };
        let value = self.value(name)?.trim();
        words.iter().find(|word| word.eq_ignore_ascii_case(value)).copied()
    }

    pub fn list(&self, name: &str) -> Vec<String> {
        let items = self.value(name).unwrap_or("").split(';').map(str::trim);
        items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    /// The options of a family, with the rest of their names.
    pub fn family(&self, prefix: &'static str) -> impl Iterator<Item = (&'a str, Given<'a>)> {
        self.found
            .iter()
            .filter(move |(_, spec)| spec.name == prefix)
            .filter_map(move |(given, _)| Some((given.key.strip_prefix(prefix)?, *given)))
    }

    /// The given options that are declared to have no effect.
    pub fn ignored(&self) -> Vec<Ignored> {
        let ignored = |(given, spec): &(Given, &'static OptionSpec)| {
            Some(Ignored { option: given.key.to_owned(), reason: spec.ignored?, span: given.key_span })
        };
        self.found.iter().filter_map(ignored).collect()
    }

    /// An error at an option's value, which is not shown.
    pub fn refuse(&self, given: &Given, what: impl Into<String>, label: impl Into<String>) -> Error {
        Error::user(what).at(self.source, given.value_span, label)
    }
}

fn parse_bool(text: &str) -> Option<bool> {
    text.trim().to_ascii_lowercase().parse().ok()
}

/// What the file says for a value, without its quotes: a substituted value is not shown.
pub fn shown<'a>(source: &'a SourceText, given: &Given) -> &'a str {
    span::text(source, given.value_span).trim_matches('\'')
}
