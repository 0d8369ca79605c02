//! Java's date patterns (`yyyy-MM-dd HH:mm:ss`): texts to times and back.
//!
//! The letters that make sense without a locale are understood; any other is an error that names it,
//! because a pattern that is silently read otherwise gives plausible wrong dates.

use std::fmt::Write;

use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use datafusion::common::{Result, exec_err};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Literal(String),
    /// A letter and how often it is repeated.
    Field(char, usize),
}

/// A compiled pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Item>);

/// How exactly a text must follow its pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// As DateTimeFormatter: `MM` is two digits, and nothing may follow.
    Strict,
    /// As SimpleDateFormat: fewer digits will do, and what follows is ignored.
    Lenient,
}

/// What a text said: the wall clock, and the offset from UTC in seconds if it named one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) wall_us: i64,
    pub(super) offset_s: Option<i32>,
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut items = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if first == '\'' {
                let (literal, after) = quoted(&rest[1..]);
                push_literal(&mut items, &literal);
                rest = after;
            } else if first.is_ascii_alphabetic() {
                let count = rest.chars().take_while(|c| *c == first).count();
                if !"yuMLdDHhkKmsSaEeQXxZzw".contains(first) {
                    return exec_err!("the letter `{first}` of the date pattern `{text}` is not supported");
                }
                items.push(Item::Field(first, count));
                rest = &rest[count..];
            } else {
                push_literal(&mut items, first.encode_utf8(&mut [0; 4]));
                rest = &rest[first.len_utf8()..];
            }
        }
        Ok(Pattern(items))
    }

    /// Writes a wall clock; `zone` is what the letters of a zone show.
    pub(super) fn format(&self, at: NaiveDateTime, offset_s: i32, zone: &str) -> String {
        let mut out = String::new();
        for item in &self.0 {
            match item {
                Item::Literal(text) => out.push_str(text),
                Item::Field('X' | 'x' | 'Z', count) if offset_s == 0 && self.shows_z(item) && *count > 0 => {
                    out.push('Z');
                }
                Item::Field('X' | 'x' | 'Z', count) => {
                    push_offset(&mut out, offset_s, *count >= 3 && !matches!(item, Item::Field('Z', _)))
                }
                Item::Field('z', _) => out.push_str(zone),
                Item::Field(letter, count) => push_field(&mut out, at, *letter, *count),
            }
        }
        out
    }

    fn shows_z(&self, item: &Item) -> bool {
        matches!(item, Item::Field('X', _))
    }

    /// Reads a text; `None` where it does not follow the pattern or names no date.
    pub(super) fn read(&self, text: &str, reading: Reading) -> Option<Parsed> {
        let mut fields = Fields::default();
        let mut rest = text;
        for (i, item) in self.0.iter().enumerate() {
            rest = match item {
                Item::Literal(literal) => rest.strip_prefix(literal.as_str())?,
                Item::Field(letter, count) => {
                    // A number directly before another one takes exactly its letters: `yyyyMMdd`.
                    let adjacent = matches!(self.0.get(i + 1), Some(Item::Field(..)));
                    let least = if reading == Reading::Strict || adjacent { *count } else { 1 };
                    fields.read(rest, *letter, *count, least)?
                }
            };
        }
        if reading == Reading::Strict && !rest.is_empty() {
            return None;
        }
        fields.finish()
    }
}

fn push_literal(items: &mut Vec<Item>, text: &str) {
    match items.last_mut() {
        Some(Item::Literal(literal)) => literal.push_str(text),
        _ => items.push(Item::Literal(text.to_owned())),
    }
}

/// The text up to the closing quote, `''` being one quote, and what follows.
fn quoted(text: &str) -> (String, &str) {
    if let Some(after) = text.strip_prefix('\'') {
        return ("'".to_owned(), after);
    }
    let mut literal = String::new();
    let mut rest = text;
    loop {
        match rest.split_once('\'') {
            Some((part, after)) if after.starts_with('\'') => {
                literal.push_str(part);
                literal.push('\'');
                rest = &after[1..];
            }
            Some((part, after)) => {
                literal.push_str(part);
                return (literal, after);
            }
            None => {
                literal.push_str(rest);
                return (literal, "");
            }
        }
    }
}

fn push_offset(out: &mut String, offset_s: i32, colon: bool) {
    let sign = if offset_s < 0 { '-' } else { '+' };
    let minutes = offset_s.abs() / 60;
    let separator = if colon { ":" } else { "" };
    // Writing to a String cannot fail.
    write!(out, "{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60).unwrap_or_default();
}

fn push_field(out: &mut String, at: NaiveDateTime, letter: char, count: usize) {
    let name = |names: &[&str], index: usize| {
        let name = names[index];
        if count >= 4 { name.to_owned() } else { name[..3].to_owned() }
    };
    let hour = at.hour();
    let number = match letter {
        'y' | 'u' if count == 2 => at.year().rem_euclid(100),
        'y' | 'u' => at.year(),
        'M' | 'L' if count >= 3 => return out.push_str(&name(&MONTHS, at.month0() as usize)),
        'M' | 'L' => at.month() as i32,
        'd' => at.day() as i32,
        'D' => at.ordinal() as i32,
        'H' => hour as i32,
        'k' => {
            if hour == 0 {
                24
            } else {
                hour as i32
            }
        }
        'K' => (hour % 12) as i32,
        'h' => at.hour12().1 as i32,
        'm' => at.minute() as i32,
        's' => at.second() as i32,
        'S' => {
            let digits = format!("{:09}", at.nanosecond() % 1_000_000_000);
            return out.extend(digits.chars().chain(std::iter::repeat('0')).take(count));
        }
        'a' => return out.push_str(if hour < 12 { "AM" } else { "PM" }),
        'E' => return out.push_str(&name(&WEEKDAYS, at.weekday().num_days_from_monday() as usize)),
        'e' => at.weekday().number_from_sunday() as i32,
        'w' => at.iso_week().week() as i32,
        _ => at.month0() as i32 / 3 + 1,
    };
    write!(out, "{number:0count$}").unwrap_or_default();
}

/// The numbers of a text that was read; what is not said is the start of 1970.
struct Fields {
    year: i32,
    month: u32,
    day: u32,
    day_of_year: Option<u32>,
    hour: u32,
    afternoon: Option<bool>,
    minute: u32,
    second: u32,
    micros: u32,
    offset_s: Option<i32>,
}

impl Default for Fields {
    fn default() -> Self {
        Fields {
            year: 1970,
            month: 1,
            day: 1,
            day_of_year: None,
            hour: 0,
            afternoon: None,
            minute: 0,
            second: 0,
            micros: 0,
            offset_s: None,
        }
    }
}

impl Fields {
    /// Takes one field from the front of `text` and gives the rest.
    fn read<'a>(&mut self, text: &'a str, letter: char, count: usize, least: usize) -> Option<&'a str> {
        let number = |widest: usize| digits(text, least, widest.max(count));
        match letter {
            'M' | 'L' if count >= 3 => {
                let (month, rest) = name_of(text, &MONTHS, count)?;
                self.month = month as u32 + 1;
                return Some(rest);
            }
            'E' => return Some(name_of(text, &WEEKDAYS, count)?.1),
            'a' => {
                let half = text.get(..2)?;
                self.afternoon = Some(half.eq_ignore_ascii_case("PM"));
                let known = half.eq_ignore_ascii_case("AM") || half.eq_ignore_ascii_case("PM");
                return known.then(|| &text[2..]);
            }
            'X' | 'x' | 'Z' | 'z' => {
                let (offset_s, rest) = offset(text)?;
                self.offset_s = Some(offset_s);
                return Some(rest);
            }
            'S' => {
                let (value, rest) = number(count)?;
                let written = text.len() - rest.len();
                self.micros = match written {
                    0..=6 => value * 10_u32.pow(6 - written as u32),
                    _ => value / 10_u32.pow(written as u32 - 6),
                };
                return Some(rest);
            }
            _ => {}
        }
        let (value, rest) = number(if matches!(letter, 'y' | 'u') && count != 2 { count.max(4) } else { 2 })?;
        match letter {
            'y' | 'u' if count == 2 => self.year = 2000 + value as i32,
            'y' | 'u' => self.year = value as i32,
            'M' | 'L' => self.month = value,
            'd' => self.day = value,
            'D' => self.day_of_year = Some(value),
            'H' => self.hour = value,
            'k' => self.hour = value % 24,
            'h' => {
                self.hour = value % 12;
                self.afternoon.get_or_insert(false);
            }
            'K' => {
                self.hour = value;
                self.afternoon.get_or_insert(false);
            }
            'm' => self.minute = value,
            's' => self.second = value,
            _ => return None,
        }
        Some(rest)
    }

    fn finish(self) -> Option<Parsed> {
        let date = match self.day_of_year {
            Some(day) => NaiveDate::from_yo_opt(self.year, day)?,
            None => NaiveDate::from_ymd_opt(self.year, self.month, self.day)?,
        };
        let hour = if self.afternoon == Some(true) { self.hour + 12 } else { self.hour };
        let time = NaiveTime::from_hms_micro_opt(hour, self.minute, self.second, self.micros)?;
        Some(Parsed { wall_us: date.and_time(time).and_utc().timestamp_micros(), offset_s: self.offset_s })
    }
}

fn digits(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if count < least.max(1) {
        return None;
    }
    Some((text[..count].parse().ok()?, &text[count..]))
}

fn name_of<'a>(text: &'a str, names: &[&str], count: usize) -> Option<(usize, &'a str)> {
    names.iter().enumerate().find_map(|(i, name)| {
        let name = if count >= 4 { name } else { &name[..3] };
        let head = text.get(..name.len())?;
        head.eq_ignore_ascii_case(name).then(|| (i, &text[name.len()..]))
    })
}

/// `Z`, `+08`, `+0800`, `+08:00` or `UTC`.
fn offset(text: &str) -> Option<(i32, &str)> {
    if let Some(rest) =
        text.strip_prefix("UTC").or_else(|| text.strip_prefix("GMT")).or_else(|| text.strip_prefix('Z'))
    {
        return Some((0, rest));
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let (hours, rest) = digits(&text[1..], 2, 2)?;
    let minutes = rest.strip_prefix(':').unwrap_or(rest);
    let (minutes, rest) = digits(minutes, 2, 2).unwrap_or((0, rest));
    Some((sign * (hours as i32 * 3600 + minutes as i32 * 60), rest))
}

/// A wall clock moved by whole months; the day is cut to the month's last.
pub(super) fn plus_months(at: NaiveDateTime, months: i64) -> Option<NaiveDateTime> {
    let month = i64::from(at.year()) * 12 + i64::from(at.month0()) + months;
    let (year, month) = (i32::try_from(month.div_euclid(12)).ok()?, month.rem_euclid(12) as u32 + 1);
    let first = NaiveDate::from_ymd_opt(year, month, 1)?;
    let next =
        if month == 12 { NaiveDate::from_ymd_opt(year + 1, 1, 1) } else { first.with_month(month + 1) }?;
    let last_day = (next - Duration::days(1)).day();
    Some(first.with_day(at.day().min(last_day))?.and_time(at.time()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn patterns_write_what_java_writes() {
        let time = at("2024-02-05T15:04:09.012345");
        for (pattern, written) in [
            ("yyyy-MM-dd HH:mm:ss.SSS", "2024-02-05 15:04:09.012"),
            ("yyyyMMdd", "20240205"),
            ("d.M.yy h:mm a", "5.2.24 3:04 PM"),
            ("EEE, dd MMM yyyy", "Mon, 05 Feb 2024"),
            ("EEEE MMMM", "Monday February"),
            ("yyyy-MM-dd'T'HH:mm:ssXXX", "2024-02-05T15:04:09+01:00"),
            ("DDD 'o''clock'", "036 o'clock"),
            ("SSSSSS", "012345"),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().format(time, 3600, "CET"), written, "{pattern}");
        }
        assert_eq!(Pattern::parse("HHX").unwrap().format(time, 0, "UTC"), "15Z");
        let error = Pattern::parse("GG").unwrap_err().to_string();
        assert!(error.contains("the letter `G` of the date pattern `GG`"), "{error}");
    }

    #[test]
    fn texts_are_read_as_strictly_as_java_reads_them() {
        let read = |pattern: &str, text: &str, reading| {
            let parsed = Pattern::parse(pattern).unwrap().read(text, reading)?;
            Some(crate::functions::zone::naive(parsed.wall_us)?.to_string())
        };
        for (pattern, text, strict, lenient) in [
            ("yyyy-MM-dd", "2024-02-05", Some("2024-02-05 00:00:00"), Some("2024-02-05 00:00:00")),
            ("yyyy-MM-dd", "2024-2-5", None, Some("2024-02-05 00:00:00")),
            ("yyyy-MM-dd", "2024-02-05 x", None, Some("2024-02-05 00:00:00")),
            ("yyyyMMddHHmmss", "20240205150409", Some("2024-02-05 15:04:09"), Some("2024-02-05 15:04:09")),
            (
                "d/M/yyyy hh:mm a",
                "5/2/2024 03:04 PM",
                Some("2024-02-05 15:04:00"),
                Some("2024-02-05 15:04:00"),
            ),
            ("HH:mm:ss.SSS", "01:02:03.45", None, Some("1970-01-01 01:02:03.450")),
            ("yyyy-MM-dd", "2024-02-30", None, None),
            ("yyyy-MM-dd", "", None, None),
        ] {
            assert_eq!(read(pattern, text, Reading::Strict).as_deref(), strict, "{pattern} {text}");
            assert_eq!(read(pattern, text, Reading::Lenient).as_deref(), lenient, "{pattern} {text}");
        }
        let zoned = Pattern::parse("HH:mm X").unwrap().read("08:00 +0800", Reading::Strict).unwrap();
        assert_eq!(zoned.offset_s, Some(8 * 3600));
    }

    #[test]
    fn months_are_added_as_far_as_the_last_day() {
        assert_eq!(plus_months(at("2024-01-31T01:00:00"), 1), Some(at("2024-02-29T01:00:00")));
        assert_eq!(plus_months(at("2024-01-31T01:00:00"), -2), Some(at("2023-11-30T01:00:00")));
    }
}
