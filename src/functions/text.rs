//! Functions of texts, with Flink's rules for positions, lengths and NULL.
//!
//! Positions count characters from 1; a negative one counts from the end. DataFusion's functions of the
//! same names follow PostgreSQL instead, where they would answer differently without an error.

use std::borrow::Cow;

use datafusion::common::{Result, plan_err};
use regex::NoExpand;

use super::definition::Param::{Bytes, Integer, Shown, Text};
use super::definition::{Definition, Eval, Row};

pub(super) fn functions() -> Vec<Definition> {
    vec![
        Definition::new("concat", &[Shown], Eval::Text(concat)).variadic(),
        Definition::new("substr", &[Text, Integer, Integer], Eval::Text(substring))
            .optional(1)
            .alias("substring"),
        Definition::new("left", &[Text, Integer], Eval::Text(left)),
        Definition::new("right", &[Text, Integer], Eval::Text(right)),
        Definition::new("lpad", &[Text, Integer, Text], Eval::Text(lpad)).optional(1),
        Definition::new("rpad", &[Text, Integer, Text], Eval::Text(rpad)).optional(1),
        Definition::new("overlay", &[Text, Text, Integer, Integer], Eval::Text(overlay)).optional(1),
        Definition::new("locate", &[Text, Text, Integer], Eval::Int(locate)).optional(1),
        Definition::new("ascii", &[Text], Eval::Int(ascii)),
        Definition::new("chr", &[Integer], Eval::Text(chr)),
        Definition::new("elt", &[Integer, Text], Eval::Text(elt)).variadic().sees_nulls(),
        Definition::new("split_index", &[Text, Text, Integer], Eval::Text(split_index)),
        Definition::new("is_alpha", &[Text], Eval::Boolean(is_alpha)).sees_nulls(),
        Definition::new("is_digit", &[Text], Eval::Boolean(is_digit)).sees_nulls(),
        Definition::new("is_decimal", &[Text], Eval::Boolean(is_decimal)).sees_nulls(),
        Definition::new("regexp", &[Text, Text], Eval::Boolean(regexp)),
        Definition::new("regexp_replace", &[Text, Text, Text], Eval::Text(regexp_replace)),
        Definition::new("regexp_extract", &[Text, Text, Integer], Eval::Text(regexp_extract)).optional(1),
        Definition::new("regexp_substr", &[Text, Text], Eval::Text(regexp_extract)),
        Definition::new("encode", &[Text, Text], Eval::Bytes(encode)),
        Definition::new("decode", &[Bytes, Text], Eval::Text(decode)),
    ]
}

/// The byte at which character `chars` begins, or the end.
fn byte_of(text: &str, chars: usize) -> usize {
    text.char_indices().nth(chars).map_or(text.len(), |(byte, _)| byte)
}

fn size(count: i64) -> usize {
    usize::try_from(count).unwrap_or(if count < 0 { 0 } else { usize::MAX })
}

fn concat(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    Ok(Some(Cow::Owned((0..row.len()).map(|i| row.text(i)).collect())))
}

fn substring(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    let (text, position, length) = (row.text(0), row.integer(1), row.integer_or(2, i64::MAX));
    let start = match position {
        1.. => byte_of(text, size(position - 1)),
        0 => 0,
        _ => match text.char_indices().rev().nth(size(position.saturating_neg() - 1)) {
            Some((byte, _)) => byte,
            None => return Ok(Some(Cow::Borrowed(""))),
        },
    };
    let rest = &text[start..];
    Ok(Some(Cow::Borrowed(&rest[..byte_of(rest, size(length))])))
}

fn left(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    let text = row.text(0);
    Ok(Some(Cow::Borrowed(&text[..byte_of(text, size(row.integer(1)))])))
}

fn right(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    let text = row.text(0);
    let skipped = text.chars().count().saturating_sub(size(row.integer(1)));
    Ok(Some(Cow::Borrowed(&text[byte_of(text, skipped)..])))
}

/// The characters that bring `text` to the wanted length, or `None` where none can.
fn padding<'a>(row: Row<'a>) -> Option<Result<String, &'a str>> {
    /// Longer texts than this are a mistake in a length column, not a wish.
    const CHARS_MAX: usize = 1 << 20;
    let (text, pad) = (row.text(0), row.text_or(2, " "));
    let wanted = usize::try_from(row.integer(1)).ok().filter(|wanted| *wanted <= CHARS_MAX)?;
    let missing = match wanted.checked_sub(text.chars().count()) {
        Some(missing) if missing > 0 => missing,
        _ => return Some(Err(&text[..byte_of(text, wanted)])),
    };
    (!pad.is_empty()).then(|| Ok(pad.chars().cycle().take(missing).collect()))
}

fn lpad(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    Ok(padding(row).map(|padding| match padding {
        Ok(padding) => Cow::Owned(padding + row.text(0)),
        Err(cut) => Cow::Borrowed(cut),
    }))
}

fn rpad(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    Ok(padding(row).map(|padding| match padding {
        Ok(padding) => Cow::Owned(row.text(0).to_owned() + &padding),
        Err(cut) => Cow::Borrowed(cut),
    }))
}

/// What stands behind the replaced part is kept only if the part has a length, as in Flink.
fn overlay(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    let (text, new, position) = (row.text(0), row.text(1), row.integer(2));
    let length = if row.len() > 3 { row.integer(3) } else { new.chars().count() as i64 };
    let start = size(position.saturating_sub(1));
    if position < 1 || byte_of(text, start) == text.len() {
        return Ok(Some(Cow::Borrowed(text)));
    }
    let (head, replaced) = text.split_at(byte_of(text, start));
    let tail = if length > 0 { &replaced[byte_of(replaced, size(length))..] } else { "" };
    Ok(Some(Cow::Owned([head, new, tail].concat())))
}

fn locate(row: Row<'_>) -> Result<Option<i32>> {
    let (wanted, text, from) = (row.text(0), row.text(1), row.integer_or(2, 1));
    if from < 1 {
        return Ok(Some(0));
    }
    let start = byte_of(text, size(from - 1));
    Ok(Some(text[start..].find(wanted).map_or(0, |byte| text[..start + byte].chars().count() as i32 + 1)))
}

/// The first byte, signed as Java's are.
fn ascii(row: Row<'_>) -> Result<Option<i32>> {
    Ok(Some(row.text(0).bytes().next().map_or(0, |byte| i32::from(byte as i8))))
}

fn chr(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    let code = row.integer(0);
    if code < 0 {
        return Ok(Some(Cow::Borrowed("")));
    }
    Ok(Some(Cow::Owned(char::from((code & 0xff) as u8).to_string())))
}

fn elt(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    let chosen = (!row.is_null(0)).then(|| size(row.integer(0))).filter(|i| (1..row.len()).contains(i));
    Ok(chosen.filter(|i| !row.is_null(*i)).map(|i| Cow::Borrowed(row.text(i))))
}

fn split_index(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    let (text, separator, index) = (row.text(0), row.text(1), row.integer(2));
    if index < 0 || text.is_empty() {
        return Ok(None);
    }
    let part = match separator {
        // As Apache Commons, which Flink calls: no separator splits at white space.
        "" => text.split_whitespace().nth(size(index)),
        _ => text.split(separator).nth(size(index)),
    };
    Ok(part.map(Cow::Borrowed))
}

fn all_chars(row: Row<'_>, holds: fn(char) -> bool) -> Result<Option<bool>> {
    Ok(Some(!row.is_null(0) && !row.text(0).is_empty() && row.text(0).chars().all(holds)))
}

fn is_alpha(row: Row<'_>) -> Result<Option<bool>> {
    all_chars(row, char::is_alphabetic)
}

fn is_digit(row: Row<'_>) -> Result<Option<bool>> {
    all_chars(row, char::is_numeric)
}

fn is_decimal(row: Row<'_>) -> Result<Option<bool>> {
    let number = |text: &str| text.parse::<f64>().is_ok_and(f64::is_finite);
    Ok(Some(!row.is_null(0) && number(row.text(0))))
}

fn regexp(row: Row<'_>) -> Result<Option<bool>> {
    Ok(Some(row.regex(1)?.is_match(row.text(0))))
}

/// Replaces every match; the replacement is taken as it is, `$1` too.
fn regexp_replace(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    Ok(Some(row.regex(1)?.replace_all(row.text(0), NoExpand(row.text(2)))))
}

fn regexp_extract(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    let group = row.integer_or(2, 0);
    let regex = row.regex(1)?;
    let found = usize::try_from(group).ok().and_then(|group| regex.captures(row.text(0))?.get(group));
    Ok(found.map(|found| Cow::Borrowed(found.as_str())))
}

fn encode(row: Row<'_>) -> Result<Option<Vec<u8>>> {
    let text = row.text(0);
    let one_byte = |max: u32| -> Vec<u8> {
        text.chars()
            .map(|c| u8::try_from(u32::from(c)).ok().filter(|b| u32::from(*b) <= max).unwrap_or(b'?'))
            .collect()
    };
    Ok(Some(match row.text(1).to_uppercase().as_str() {
        "UTF-8" => text.as_bytes().to_vec(),
        "US-ASCII" => one_byte(0x7f),
        "ISO-8859-1" => one_byte(0xff),
        "UTF-16BE" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        "UTF-16LE" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "UTF-16" => [0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect(),
        _ => return unknown_charset(row.text(1)),
    }))
}

fn decode(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    let bytes = row.bytes(0);
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    };
    Ok(Some(match row.text(1).to_uppercase().as_str() {
        "UTF-8" => String::from_utf8_lossy(bytes),
        "US-ASCII" => bytes.iter().map(|b| if b.is_ascii() { char::from(*b) } else { '\u{fffd}' }).collect(),
        "ISO-8859-1" => bytes.iter().map(|b| char::from(*b)).collect(),
        "UTF-16LE" => wide(bytes, u16::from_le_bytes),
        "UTF-16BE" => wide(bytes, u16::from_be_bytes),
        "UTF-16" => match bytes {
            [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
            [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
            _ => wide(bytes, u16::from_be_bytes),
        },
        _ => return unknown_charset(row.text(1)),
    }))
}

fn unknown_charset<T>(name: &str) -> Result<T> {
    match name.to_lowercase().as_str() {
        "base64" | "hex" => plan_err!(
            "`{name}` is not a character set; use TO_BASE64 and FROM_BASE64, or HEX and UNHEX, for texts"
        ),
        _ => plan_err!("`{name}` is not a character set: use UTF-8, US-ASCII, ISO-8859-1 or UTF-16[BE|LE]"),
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::tests::check;

    #[test]
    fn texts_are_cut_and_padded_as_in_flink() {
        check(&[
            ("CONCAT('AA', 'BB', 'CC')", "AABBCC"),
            ("CONCAT('AA', NULL, 'CC')", "NULL"),
            ("CONCAT('n', 1, true)", "n1true"),
            ("'a' || NULL", "NULL"),
            ("CONCAT_WS('~', 'AA', NULL, 'BB', '', 'CC')", "AA~BB~~CC"),
            ("SUBSTRING('flink', -3)", "ink"),
            ("SUBSTRING('flink', 0)", "flink"),
            ("SUBSTRING('flink' FROM 2 FOR 3)", "lin"),
            ("SUBSTRING('flink' FROM -3 FOR 2)", "in"),
            ("SUBSTR('äöü', 2, 1)", "ö"),
            ("SUBSTR('abc', -5)", ""),
            ("SUBSTR('abc', 9)", ""),
            ("SUBSTR('abc', 1, -1)", ""),
            ("SUBSTR(NULL, 1)", "NULL"),
            ("LEFT('abc', 2)", "ab"),
            ("LEFT('abc', -1)", ""),
            ("RIGHT('abc', 2)", "bc"),
            ("RIGHT('abc', -1)", ""),
            ("LPAD('hi', 4, '??')", "??hi"),
            ("LPAD('hi', 1, '??')", "h"),
            ("RPAD('hi', 4, '??')", "hi??"),
            ("RPAD('hi', -1, '??')", "NULL"),
            ("RPAD('hi', 5, '')", "NULL"),
            ("TRIM('  a ')", "a"),
            ("TRIM(BOTH 'x' FROM 'xax')", "a"),
            ("REPEAT('ab', 2)", "abab"),
            ("OVERLAY('xxxxxtest' PLACING 'xxxx' FROM 6)", "xxxxxxxxx"),
            ("OVERLAY('xxxxxtest' PLACING 'xxxx' FROM 6 FOR 2)", "xxxxxxxxxst"),
            ("INITCAP('hello world')", "Hello World"),
            ("TRANSLATE('hello', 'el', 'ip')", "hippo"),
            ("REVERSE('abc')", "cba"),
        ]);
    }

    #[test]
    fn texts_are_searched_as_in_flink() {
        check(&[
            ("LOCATE('bar', 'foobarbar')", "4"),
            ("LOCATE('bar', 'foobarbar', 5)", "7"),
            ("LOCATE('x', 'foobarbar')", "0"),
            ("INSTR('foobar', 'bar')", "4"),
            ("POSITION('bar' IN 'foobar')", "4"),
            ("SPLIT_INDEX('a,b,c', ',', 1)", "b"),
            ("SPLIT_INDEX('a,b,c', ',', 3)", "NULL"),
            ("SPLIT_INDEX('a,b,c', ',', -1)", "NULL"),
            ("ELT(2, 'a', 'b')", "b"),
            ("ELT(3, 'a', 'b')", "NULL"),
            ("STARTSWITH('flink', 'fl')", "true"),
            ("ENDSWITH('flink', 'fl')", "false"),
            ("ASCII('abc')", "97"),
            ("ASCII('')", "0"),
            ("CHR(97)", "a"),
            ("CHR(353)", "a"),
            ("IS_ALPHA('abc')", "true"),
            ("IS_ALPHA(NULL)", "false"),
            ("IS_DIGIT('1a')", "false"),
            ("IS_DECIMAL('-1.5')", "true"),
            ("CHAR_LENGTH('äö')", "2"),
            ("DECODE(ENCODE('hé', 'UTF-16LE'), 'UTF-16LE')", "hé"),
        ]);
    }

    #[test]
    fn regular_expressions_replace_all_matches_and_extract_groups() {
        check(&[
            ("REGEXP_REPLACE('foobar', 'oo|ar', '')", "fb"),
            ("REGEXP_REPLACE('a1b2', '([a-z])([0-9])', '$2$1x')", "$2$1x$2$1x"),
            ("REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 2)", "bar"),
            ("REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)')", "foothebar"),
            ("REGEXP_EXTRACT('foothebar', 'x(.*)', 1)", "NULL"),
            ("REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 3)", "NULL"),
            ("REGEXP('foobar', 'o+b')", "true"),
            ("REGEXP(NULL, 'o+b')", "NULL"),
        ]);
    }
}
