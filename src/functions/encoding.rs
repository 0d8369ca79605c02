//! Texts and bytes as hexadecimal digits, base64, percent codes and hashes; all give texts, as in Flink.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::common::{Result, exec_err};
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use url::Url;

use super::definition::Param::{Any, Bytes, Integer, Text};
use super::definition::{Call, Definition, Eval, Row};

pub(super) fn functions() -> Vec<Definition> {
    vec![
        Definition::new("hex", &[Any], Eval::Columns { returns: |_, _| Ok(DataType::Utf8View), eval: hex }),
        Definition::new("unhex", &[Text], Eval::Bytes(unhex)),
        Definition::new("to_base64", &[Bytes], Eval::Text(|row| owned(STANDARD.encode(row.bytes(0))))),
        Definition::new("from_base64", &[Text], Eval::Text(from_base64)),
        Definition::new("url_encode", &[Text], Eval::Text(url_encode)),
        Definition::new("url_decode", &[Text], Eval::Text(url_decode)),
        Definition::new("parse_url", &[Text, Text, Text], Eval::Text(parse_url)).optional(1),
        Definition::new("sha1", &[Bytes], Eval::Text(|row| owned(digest::<Sha1>(row.bytes(0))))),
        Definition::new("sha224", &[Bytes], Eval::Text(|row| owned(digest::<Sha224>(row.bytes(0))))),
        Definition::new("sha256", &[Bytes], Eval::Text(|row| owned(digest::<Sha256>(row.bytes(0))))),
        Definition::new("sha384", &[Bytes], Eval::Text(|row| owned(digest::<Sha384>(row.bytes(0))))),
        Definition::new("sha512", &[Bytes], Eval::Text(|row| owned(digest::<Sha512>(row.bytes(0))))),
        Definition::new("sha2", &[Bytes, Integer], Eval::Text(sha2)),
    ]
}

fn owned<'a>(text: String) -> Result<Option<Cow<'a, str>>> {
    Ok(Some(Cow::Owned(text)))
}

fn digits(bytes: &[u8], upper: bool) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        if upper { write!(text, "{byte:02X}") } else { write!(text, "{byte:02x}") }.unwrap_or_default();
        text
    })
}

fn digest<D: Digest>(bytes: &[u8]) -> String {
    digits(&D::digest(bytes), false)
}

fn sha2(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    let bytes = row.bytes(0);
    owned(match row.integer(1) {
        224 => digest::<Sha224>(bytes),
        256 => digest::<Sha256>(bytes),
        384 => digest::<Sha384>(bytes),
        512 => digest::<Sha512>(bytes),
        other => return exec_err!("SHA2 knows 224, 256, 384 and 512 bits, and not `{other}`"),
    })
}

/// Of a whole number its digits to base 16, of a text or of bytes those of each byte.
fn hex(call: &Call) -> Result<ArrayRef> {
    let values = call.column(0)?;
    let shown: StringViewArray = if values.data_type().is_integer() {
        let values = cast(&values, &DataType::Int64)?;
        let shown = values.as_primitive::<Int64Type>().iter();
        shown.map(|value| value.map(|value| format!("{value:X}"))).collect()
    } else {
        let values = cast(
            &cast(&values, &DataType::Utf8View).or_else(|_| cast(&values, &DataType::BinaryView))?,
            &DataType::BinaryView,
        )?;
        values.as_binary_view().iter().map(|value| value.map(|value| digits(value, true))).collect()
    };
    Ok(Arc::new(shown))
}

/// NULL where a character is no hexadecimal digit.
fn unhex(row: Row<'_>) -> Result<Option<Vec<u8>>> {
    let padded =
        if row.text(0).len() % 2 == 1 { format!("0{}", row.text(0)) } else { row.text(0).to_owned() };
    let byte = |pair: &[u8]| {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8)
    };
    Ok(padded.as_bytes().chunks(2).map(byte).collect())
}

/// NULL where the text is no base64.
fn from_base64(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    let bytes = STANDARD.decode(row.text(0)).ok();
    Ok(bytes.map(|bytes| Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())))
}

fn url_encode(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    owned(url::form_urlencoded::byte_serialize(row.text(0).as_bytes()).collect())
}

/// NULL where a percent sign is not followed by two digits, or the bytes are no text.
fn url_decode(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    let mut bytes = Vec::with_capacity(row.text(0).len());
    let mut rest = row.text(0).as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => {
                let digit = |digit: &u8| char::from(*digit).to_digit(16);
                let (Some(high), Some(low)) = (digit(high), digit(low)) else {
                    return Ok(None);
                };
                bytes.push((high * 16 + low) as u8);
                rest = after;
            }
            (b'%', _) => return Ok(None),
            (other, _) => bytes.push(*other),
        }
    }
    Ok(String::from_utf8(bytes).ok().map(Cow::Owned))
}

/// A part of a URL; NULL where it has none, or is none.
fn parse_url(row: Row<'_>) -> Result<Option<Cow<'_, str>>> {
    let Ok(url) = Url::parse(row.text(0)) else {
        return Ok(None);
    };
    if row.len() > 2 {
        let wanted = row.text(2);
        let found = url.query().filter(|_| row.text(1) == "QUERY").and_then(|query| {
            query.split('&').find_map(|pair| pair.strip_prefix(wanted)?.strip_prefix('=').map(str::to_owned))
        });
        return Ok(found.map(Cow::Owned));
    }
    let path = match (url.path(), row.text(0).ends_with('/')) {
        ("/", false) if url.query().is_none() && url.fragment().is_none() => "",
        (path, _) => path,
    };
    let host = url.host_str().map(str::to_owned);
    let part = match row.text(1) {
        "HOST" => host,
        "PATH" => Some(path.to_owned()),
        "QUERY" => url.query().map(str::to_owned),
        "REF" => url.fragment().map(str::to_owned),
        "PROTOCOL" => Some(url.scheme().to_owned()),
        "FILE" => Some(url.query().map_or(path.to_owned(), |query| format!("{path}?{query}"))),
        "AUTHORITY" => Some(url.authority().to_owned()),
        "USERINFO" => url.authority().rsplit_once('@').map(|(user, _)| user.to_owned()),
        _ => None,
    };
    Ok(part.map(Cow::Owned))
}

#[cfg(test)]
mod tests {
    use crate::functions::tests::check;

    #[test]
    fn encodings_are_texts_as_in_flink() {
        check(&[
            ("HEX(20)", "14"),
            ("HEX(-1)", "FFFFFFFFFFFFFFFF"),
            ("HEX('hello,world')", "68656C6C6F2C776F726C64"),
            ("HEX(NULL)", "NULL"),
            ("DECODE(UNHEX('466C696E6B'), 'UTF-8')", "Flink"),
            ("UNHEX('xx')", "NULL"),
            ("TO_BASE64('hello world')", "aGVsbG8gd29ybGQ="),
            ("FROM_BASE64('aGVsbG8gd29ybGQ=')", "hello world"),
            ("FROM_BASE64('?')", "NULL"),
            ("URL_ENCODE('a b/ü')", "a+b%2F%C3%BC"),
            ("URL_DECODE('a+b%2F%C3%BC')", "a b/ü"),
            ("URL_DECODE('%g')", "NULL"),
            ("PARSE_URL('http://facebook.com/path1/p.php?k1=v1&k2=v2#Ref1', 'HOST')", "facebook.com"),
            ("PARSE_URL('http://facebook.com/path1/p.php?k1=v1&k2=v2#Ref1', 'QUERY', 'k1')", "v1"),
            (
                "PARSE_URL('http://facebook.com/path1/p.php?k1=v1&k2=v2#Ref1', 'FILE')",
                "/path1/p.php?k1=v1&k2=v2",
            ),
            ("PARSE_URL('http://u:p@h:80/a', 'USERINFO')", "u:p"),
            ("PARSE_URL('nonsense', 'HOST')", "NULL"),
        ]);
    }

    #[test]
    fn hashes_are_hexadecimal_digits() {
        check(&[
            ("MD5('abc')", "900150983cd24fb0d6963f7d28e17f72"),
            ("SHA1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("SHA224('abc')", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
            ("SHA256('abc')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("SHA2('abc', 256)", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("SHA2(NULL, 256)", "NULL"),
        ]);
    }
}
