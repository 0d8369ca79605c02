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
}
