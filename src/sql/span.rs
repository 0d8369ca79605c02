//! Places in the file: the tokenizer's spans as ours, and the file's text at a span.

use sqlparser::tokenizer::Location;

use crate::error::{Position, SourceText, Span};

/// The tokenizer's span as ours. None for the empty span of a node that was made, not read.
pub fn of(span: sqlparser::tokenizer::Span) -> Option<Span> {
    let at = |place: Location| Position { line: place.line, column: place.column };
    (span.start.line > 0).then(|| Span { start: at(span.start), end: at(span.end) })
}

/// Our span as the tokenizer's, for nodes that a rewrite makes.
pub fn back(span: Span) -> sqlparser::tokenizer::Span {
    let at = |place: Position| Location { line: place.line, column: place.column };
    sqlparser::tokenizer::Span { start: at(span.start), end: at(span.end) }
}

/// The file's own text at a span; empty if it lies outside.
pub fn text(source: &SourceText, span: Span) -> &str {
    let (start, end) = (byte_at(&source.text, span.start), byte_at(&source.text, span.end));
    source.text.get(start..end).unwrap_or("")
}

/// Where a position is, in bytes; the text's length if it lies beyond.
pub fn byte_at(text: &str, position: Position) -> usize {
    let lines = position.line.saturating_sub(1) as usize;
    let line = match lines {
        0 => 0,
        _ => text.match_indices('\n').nth(lines - 1).map_or(text.len(), |(at, _)| at + 1),
    };
    let columns = position.column.saturating_sub(1) as usize;
    text[line..].char_indices().nth(columns).map_or(text.len(), |(at, _)| line + at)
}

/// The position of a byte.
pub fn position_of(text: &str, byte: usize) -> Position {
    let before = &text[..byte.min(text.len())];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Position {
        line: before.matches('\n').count() as u64 + 1,
        column: before[line_start..].chars().count() as u64 + 1,
    }
}

/// The span with the parentheses closed that its text opens: the parser's spans of calls lack them.
pub fn closed(source: &SourceText, span: Span) -> Span {
    let inside = text(source, span);
    let start = byte_at(&source.text, span.start);
    match open_parentheses(inside) {
        depth if depth > 0 => {
            let end = end_of_parentheses(&source.text, start + inside.len(), depth);
            Span { start: span.start, end: position_of(&source.text, end) }
        }
        _ => span,
    }
}

/// From a function's name to the parenthesis that closes its arguments.
pub fn call(source: &SourceText, name: Span) -> Span {
    let end = byte_at(&source.text, name.end);
    let rest = source.text.get(end..).unwrap_or("");
    let gap = rest.len() - rest.trim_start().len();
    if !rest[gap..].starts_with('(') {
        return name;
    }
    let end = end_of_parentheses(&source.text, end + gap + 1, 1);
    Span { start: name.start, end: position_of(&source.text, end) }
}

/// A literal `INTERVAL '5' MINUTE`, from the place of its value; `units` words follow that.
pub fn interval(source: &SourceText, value: Span, units: usize) -> Span {
    const KEYWORD: &str = "INTERVAL";
    let (start, mut end) = (byte_at(&source.text, value.start), byte_at(&source.text, value.end));
    let before = source.text[..start].trim_end();
    let keyword = before.len().saturating_sub(KEYWORD.len());
    let is_keyword = before.get(keyword..).is_some_and(|word| word.eq_ignore_ascii_case(KEYWORD));
    for _ in 0..units {
        let rest = &source.text[end..];
        let word = rest.trim_start();
        let length = word.find(|c: char| !c.is_alphabetic()).unwrap_or(word.len());
        end += rest.len() - word.len() + length;
    }
    let start = if is_keyword { position_of(&source.text, keyword) } else { value.start };
    Span { start, end: position_of(&source.text, end) }
}

/// How many parentheses a text leaves open; those in quotes do not count.
fn open_parentheses(text: &str) -> usize {
    let mut quoted = false;
    text.chars().fold(0, |depth: usize, c| match c {
        '\'' => {
            quoted = !quoted;
            depth
        }
        '(' if !quoted => depth + 1,
        ')' if !quoted => depth.saturating_sub(1),
        _ => depth,
    })
}

/// The byte after the parenthesis that closes `depth` of them; `from` if none does.
fn end_of_parentheses(text: &str, from: usize, mut depth: usize) -> usize {
    let mut quoted = false;
    for (at, c) in text[from..].char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth == 1 => return from + at + 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_and_bytes_are_inverse_also_past_multibyte_characters() {
        let text = "é1\n\n  'ü' x";
        for (byte, _) in text.char_indices() {
            assert_eq!(byte_at(text, position_of(text, byte)), byte);
        }
        let source = SourceText { name: "q.sql".into(), text: text.into() };
        assert_eq!(super::text(&source, Span::new((3, 3), (3, 6))), "'ü'");
    }

    #[test]
    fn places_grow_to_what_a_person_would_underline() {
        let text = "SELECT F(')', G(x)) + interval '5'  MINUTE FROM t";
        let source = SourceText { name: "q.sql".into(), text: text.into() };
        let place = |part: &str| {
            let at = text.find(part).unwrap() as u64 + 1;
            Span::new((1, at), (1, at + part.len() as u64))
        };
        let shown = |span| super::text(&source, span);
        assert_eq!(shown(closed(&source, place("F(')', G(x"))), "F(')', G(x))");
        assert_eq!(shown(call(&source, place("F"))), "F(')', G(x))");
        assert_eq!(shown(call(&source, place("t"))), "t");
        assert_eq!(shown(interval(&source, place("'5'"), 1)), "interval '5'  MINUTE");
        assert_eq!(shown(interval(&source, place("x"), 0)), "x");
    }
}
