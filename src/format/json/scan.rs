//! The grammar of JSON (RFC 8259), strict, over a byte slice and a position.
//!
//! The position is a plain `usize` that goes in and comes out: measured, a cursor struct costs half as much
//! again. Every read is checked: beyond the end there are zeros, which no rule of the grammar takes, so
//! a truncated payload stops every scan at its end, and an error there means "truncated".

use crate::format::bad::{BadReason, Syntax};

/// Nesting that is still read.
pub(super) const DEPTH_MAX: u32 = 64;

/// Where it went wrong, and why.
pub(super) type Fault = (usize, BadReason);
pub(super) type Scanned<T> = Result<T, Fault>;

#[cold]
pub(super) fn not_json<T>(position: usize, syntax: Syntax) -> Scanned<T> {
    Err((position, BadReason::NotJson(syntax)))
}

/// What a scan of one payload finds out on the way.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Every byte of every string, or-ed: the high bit says that UTF-8 must be checked.
    high: u64,
}

impl Scan {
    pub(super) fn is_ascii(&self) -> bool {
        self.high & 0x8080_8080_8080_8080 == 0
    }

    #[inline(always)]
    fn saw(&mut self, bytes: [u8; 16]) {
        let bytes = u128::from_le_bytes(bytes);
        self.high |= bytes as u64 | (bytes >> 64) as u64;
    }
}

#[inline(always)]
pub(super) fn byte(text: &[u8], position: usize) -> u8 {
    match text.get(position) {
        Some(byte) => *byte,
        None => 0,
    }
}

/// 16 bytes from `position` on, zeros beyond the end.
#[inline(always)]
pub(super) fn load16(text: &[u8], position: usize) -> [u8; 16] {
    match text.get(position..).and_then(|rest| rest.first_chunk::<16>()) {
        Some(bytes) => *bytes,
        None => load_end(text, position),
    }
}

#[cold]
#[inline(never)]
fn load_end(text: &[u8], position: usize) -> [u8; 16] {
    let mut bytes = [0; 16];
    let rest = text.get(position..).unwrap_or_default();
    let length = rest.len().min(16);
    bytes[..length].copy_from_slice(&rest[..length]);
    bytes
}

#[inline(always)]
pub(super) fn skip_space(text: &[u8], mut position: usize) -> usize {
    while byte(text, position) <= b' ' && matches!(byte(text, position), b' ' | b'\n' | b'\r' | b'\t') {
        position += 1;
    }
    position
}

#[inline(always)]
pub(super) fn has_word(text: &[u8], position: usize, word: &[u8]) -> bool {
    text.get(position..).is_some_and(|rest| rest.starts_with(word))
}

/// The end of a string, and whether there are escapes in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct StringEnd {
    /// The position of the closing quote.
    pub(super) end: usize,
    pub(super) escaped: bool,
}

/// From after the opening quote to the closing one.
#[inline(always)]
pub(super) fn string(text: &[u8], start: usize, scan: &mut Scan) -> Scanned<StringEnd> {
    let mut position = start;
    loop {
        let bytes = load16(text, position);
        scan.saw(bytes);
        let plain = plain_bytes(bytes);
        position += plain;
        if plain < 16 {
            break;
        }
    }
    if byte(text, position) == b'"' {
        return Ok(StringEnd { end: position, escaped: false });
    }
    escaped_string(text, position, scan)
}

/// How many of the bytes come before the first quote, backslash or control character.
#[inline(always)]
pub(super) fn plain_bytes(bytes: [u8; 16]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    // The lowest set bit is exact: a borrow can only reach bytes above a true hit.
    let stops = |word: u64| {
        let quote = word ^ (ONES * b'"' as u64);
        let backslash = word ^ (ONES * b'\\' as u64);
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        ((quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash) | control) & HIGHS
    };
    let bytes = u128::from_le_bytes(bytes);
    let low = stops(bytes as u64);
    if low != 0 {
        return low.trailing_zeros() as usize / 8;
    }
    8 + stops((bytes >> 64) as u64).trailing_zeros() as usize / 8
}

#[cold]
#[inline(never)]
fn escaped_string(text: &[u8], mut position: usize, scan: &mut Scan) -> Scanned<StringEnd> {
    let mut escaped = false;
    loop {
        match byte(text, position) {
            b'"' => return Ok(StringEnd { end: position, escaped }),
            b'\\' => {
                escaped = true;
                position = escape(text, position)?.1;
            }
            0..0x20 => return not_json(position, Syntax::NoControl),
            other => {
                scan.high |= u64::from(other);
                position += 1;
            }
        }
    }
}

/// The character an escape stands for, and the position behind it.
fn escape(text: &[u8], position: usize) -> Scanned<(char, usize)> {
    let character = match byte(text, position + 1) {
        quoted @ (b'"' | b'\\' | b'/') => char::from(quoted),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode_escape(text, position),
        _ => return not_json(position + 1, Syntax::Escape),
    };
    Ok((character, position + 2))
}

fn unicode_escape(text: &[u8], position: usize) -> Scanned<(char, usize)> {
    let first = hex4(text, position + 2)?;
    if let Some(character) = char::from_u32(first) {
        return Ok((character, position + 6));
    }
    // A surrogate: only a high one followed by a low one makes a character.
    if first < 0xdc00 && has_word(text, position + 6, b"\\u") {
        let second = hex4(text, position + 8)?;
        if (0xdc00..0xe000).contains(&second) {
            let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            return match char::from_u32(code) {
                Some(character) => Ok((character, position + 12)),
                None => not_json(position, Syntax::Escape),
            };
        }
    }
    not_json(position.max((position + 6).min(text.len())), Syntax::Escape)
}

fn hex4(text: &[u8], position: usize) -> Scanned<u32> {
    let mut value = 0;
    for at in position..position + 4 {
        match char::from(byte(text, at)).to_digit(16) {
            Some(digit) => value = value << 4 | digit,
            None => return not_json(at, Syntax::Escape),
        }
    }
    Ok(value)
}

/// Appends what `text`, the checked inside of a string, stands for.
#[cold]
#[inline(never)]
pub(super) fn unescape(text: &[u8], start: usize, end: usize, out: &mut Vec<u8>) -> Scanned<()> {
    let mut position = start;
    while position < end {
        let rest = &text[position..end];
        let plain = rest.iter().position(|c| *c == b'\\').unwrap_or(rest.len());
        out.extend_from_slice(&rest[..plain]);
        position += plain;
        if position < end {
            let (character, next) = escape(text, position)?;
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            position = next;
        }
    }
    Ok(())
}

/// The position behind a number.
#[inline(always)]
pub(super) fn number(text: &[u8], start: usize) -> Scanned<usize> {
    let mut position = start + usize::from(byte(text, start) == b'-');
    if byte(text, position) == b'0' && !byte(text, position + 1).is_ascii_digit() {
        position += 1;
    } else if byte(text, position) == b'0' {
        return not_json(position, Syntax::Digit);
    } else {
        position = digits(text, position)?;
    }
    if byte(text, position) == b'.' {
        position = digits(text, position + 1)?;
    }
    if byte(text, position) | 0x20 == b'e' {
        position += 1;
        position += usize::from(matches!(byte(text, position), b'+' | b'-'));
        position = digits(text, position)?;
    }
    Ok(position)
}

/// At least one digit.
#[inline(always)]
fn digits(text: &[u8], start: usize) -> Scanned<usize> {
    let mut position = start;
    while byte(text, position).is_ascii_digit() {
        position += 1;
    }
    if position == start { not_json(position, Syntax::Digit) } else { Ok(position) }
}

/// An integer that fits 18 digits, and the position behind it; None if it is anything else.
#[inline(always)]
pub(super) fn short_integer(text: &[u8], start: usize) -> Option<(i64, usize)> {
    let negative = byte(text, start) == b'-';
    let first = start + usize::from(negative);
    let mut position = first;
    let mut value = 0u64;
    loop {
        let digit = byte(text, position).wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        position += 1;
    }
    let length = position - first;
    let more = matches!(byte(text, position), b'.' | b'e' | b'E');
    if length == 0 || length > 18 || more || (length > 1 && byte(text, first) == b'0') {
        return None;
    }
    Some((if negative { -(value as i64) } else { value as i64 }, position))
}

/// A decimal number that a double holds exactly before the point is set, and the position behind it.
///
/// Up to 2^53 the digits are exact, and so are powers of ten up to 10^22: one division then rounds once,
/// correctly (Clinger, "How to read floating point numbers accurately", 1990). None if it is anything else.
#[inline(always)]
pub(super) fn short_double(text: &[u8], start: usize) -> Option<(f64, usize)> {
    let negative = byte(text, start) == b'-';
    let first = start + usize::from(negative);
    let mut position = first;
    let mut value = 0u64;
    let mut read_digits = |mut position: usize| {
        loop {
            let digit = byte(text, position).wrapping_sub(b'0');
            if digit > 9 {
                return position;
            }
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            position += 1;
        }
    };
    position = read_digits(position);
    let whole = position - first;
    let mut decimals = 0;
    if byte(text, position) == b'.' {
        let point = position + 1;
        position = read_digits(point);
        decimals = position - point;
        if decimals == 0 {
            return None;
        }
    }
    let leading_zero = whole > 1 && byte(text, first) == b'0';
    let exponent = byte(text, position) | 0x20 == b'e';
    if whole == 0 || leading_zero || exponent || whole + decimals > 19 || value > 1 << 53 {
        return None;
    }
    let value = value as f64 / POWERS_OF_TEN.get(decimals)?;
    Some((if negative { -value } else { value }, position))
}

const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// The position behind any value, checked to the last byte.
#[inline(always)]
pub(super) fn value(text: &[u8], position: usize, depth: u32, scan: &mut Scan) -> Scanned<usize> {
    match byte(text, position) {
        b'"' => Ok(string(text, position + 1, scan)?.end + 1),
        b'{' | b'[' => container(text, position, depth + 1, scan),
        b'-' | b'0'..=b'9' => number(text, position),
        _ => word(text, position),
    }
}

/// The position behind `true`, `false` or `null`.
#[inline(always)]
pub(super) fn word(text: &[u8], position: usize) -> Scanned<usize> {
    let word: &[u8] = match byte(text, position) {
        b't' => b"true",
        b'f' => b"false",
        b'n' => b"null",
        _ => return not_json(position, Syntax::Value),
    };
    if has_word(text, position, word) {
        return Ok(position + word.len());
    }
    let same = word.iter().enumerate().take_while(|(i, c)| byte(text, position + i) == **c).count();
    not_json(position + same, Syntax::Value)
}

/// The position behind an object or an array that is the `depth`-th one around its content.
#[inline(never)]
fn container(text: &[u8], start: usize, depth: u32, scan: &mut Scan) -> Scanned<usize> {
    if depth > DEPTH_MAX {
        return Err((start, BadReason::TooDeep));
    }
    let is_object = byte(text, start) == b'{';
    let close = byte(text, start) + 2;
    let mut position = skip_space(text, start + 1);
    if byte(text, position) == close {
        return Ok(position + 1);
    }
    loop {
        if is_object {
            position = key(text, position, scan)?.1;
        }
        position = skip_space(text, value(text, position, depth, scan)?);
        match byte(text, position) {
            b',' => position = skip_space(text, position + 1),
            end if end == close => return Ok(position + 1),
            _ if is_object => return not_json(position, Syntax::CommaOrBrace),
            _ => return not_json(position, Syntax::CommaOrBracket),
        }
    }
}

/// A key and its colon: where the key's text ends, and the position of the value.
#[inline(always)]
pub(super) fn key(text: &[u8], position: usize, scan: &mut Scan) -> Scanned<(StringEnd, usize)> {
    if byte(text, position) != b'"' {
        return not_json(position, Syntax::Key);
    }
    let key = string(text, position + 1, scan)?;
    let colon = skip_space(text, key.end + 1);
    if byte(text, colon) != b':' {
        return not_json(colon, Syntax::Colon);
    }
    Ok((key, skip_space(text, colon + 1)))
}

/// Appends a checked value's text without the white space between its parts.
pub(super) fn compact(text: &[u8], out: &mut Vec<u8>) {
    let mut in_string = false;
    let mut escaped = false;
    for &c in text {
        if in_string || !matches!(c, b' ' | b'\n' | b'\r' | b'\t') {
            out.push(c);
        }
        if c == b'"' && !escaped {
            in_string = !in_string;
        }
        escaped = c == b'\\' && !escaped;
    }
}
