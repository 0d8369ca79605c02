//! Reads JSON values into the columns of a schema tree.

use super::keys::UNKNOWN;
use super::node::{List, Map, Node, Row};
use super::scan::{
    self, DEPTH_MAX, Scan, Scanned, byte, compact, not_json, short_double, short_integer, skip_space,
};
use crate::format::bad::{BadReason, Syntax};
use crate::format::column::{Column, Strings, narrow};

/// The reading of one payload.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) scan: Scan,
    /// Containers around the current position.
    depth: u32,
    ignore_parse_errors: bool,
    fail_on_missing_field: bool,
    /// A key was met that is to be settled when the payload has been read.
    pub(super) learnt: bool,
    /// The top-level column a fault came up through.
    pub(super) blamed: Option<usize>,
}

impl Reader {
    pub(super) fn new(ignore_parse_errors: bool, fail_on_missing_field: bool) -> Self {
        Reader {
            scan: Scan::default(),
            depth: 0,
            ignore_parse_errors,
            fail_on_missing_field,
            learnt: false,
            blamed: None,
        }
    }

    /// Reads the object at `start` as one more row; the position behind it.
    ///
    /// After a fault the row's columns are uneven, and whoever began the row has to truncate them.
    #[inline(never)]
    pub(super) fn row(&mut self, text: &[u8], start: usize, row: &mut Row) -> Scanned<usize> {
        self.enter(start)?;
        let mut position = skip_space(text, start + 1);
        let mut filled = 0;
        if byte(text, position) == b'}' {
            position += 1;
        } else {
            let (mut expected, mut previous) = (0, UNKNOWN);
            loop {
                let field = match row.keys.get(expected) {
                    Some(key) if key.is_at(text, position) => {
                        position += key.length;
                        previous = expected;
                        expected = key.next;
                        key.field
                    }
                    _ => {
                        let (field, place, value) = self.other_key(text, position, row, previous)?;
                        position = value;
                        previous = place;
                        expected = row.keys.get(place).map_or(UNKNOWN, |key| key.next);
                        field
                    }
                };
                position = skip_space(text, position);
                position = match field {
                    None => scan::value(text, position, self.depth, &mut self.scan)?,
                    Some(field) => {
                        let column = &mut row.columns[field];
                        if column.rows() > row.rows {
                            // The last of several fields of one name counts.
                            column.truncate(row.rows);
                        } else {
                            filled += 1;
                        }
                        self.field(text, position, column, row.rows)
                            .inspect_err(|_| self.blamed = Some(field))?
                    }
                };
                position = skip_space(text, position);
                match byte(text, position) {
                    b',' => position = skip_space(text, position + 1),
                    b'}' => break,
                    _ => return not_json(position, Syntax::CommaOrBrace),
                }
            }
            position += 1;
        }
        if filled < row.columns.len() {
            self.fill(position, row)?;
        }
        row.rows += 1;
        self.depth -= 1;
        Ok(position)
    }

    #[inline(always)]
    fn enter(&mut self, position: usize) -> Scanned<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err((position, BadReason::TooDeep)) } else { Ok(()) }
    }

    /// A key that is not the expected one: its field, its place in the memory, and the position of its value.
    #[cold]
    #[inline(never)]
    fn other_key(
        &mut self,
        text: &[u8],
        start: usize,
        row: &mut Row,
        previous: usize,
    ) -> Scanned<(Option<usize>, usize, usize)> {
        let (key, value) = scan::key(text, start, &mut self.scan)?;
        let raw = &text[start + 1..key.end];
        let mut place = row.keys.find(raw);
        let field = match row.keys.get(place) {
            Some(known) => known.field,
            None => {
                let field = if key.escaped {
                    let mut name = Vec::new();
                    scan::unescape(text, start + 1, key.end, &mut name)?;
                    row.keys.field(&name)
                } else {
                    row.keys.field(raw)
                };
                let colon = skip_space(text, key.end + 1);
                place = row.keys.learn(raw, &text[start..=colon], field);
                self.learnt = true;
                field
            }
        };
        row.keys.link(previous, place);
        Ok((field, place, value))
    }

    /// Fields that are not there are NULL, or a reason to refuse the record.
    #[inline(never)]
    fn fill(&mut self, position: usize, row: &mut Row) -> Scanned<()> {
        for (field, column) in row.columns.iter_mut().enumerate() {
            if column.rows() == row.rows {
                if self.fail_on_missing_field {
                    self.blamed = Some(field);
                    return Err((position, BadReason::MissingField));
                }
                column.push_null();
            }
        }
        Ok(())
    }

    /// Reads a value as the row after `rows` rows of `node`.
    #[inline(always)]
    fn field(&mut self, text: &[u8], position: usize, node: &mut Node, rows: usize) -> Scanned<usize> {
        let depth = self.depth;
        match self.value(text, position, node) {
            Err((_, reason)) if self.ignore_parse_errors && reason.blames_field() => {
                self.depth = depth;
                node.truncate(rows);
                node.push_null();
                scan::value(text, position, depth, &mut self.scan)
            }
            read => read,
        }
    }

    #[inline(always)]
    fn value(&mut self, text: &[u8], position: usize, node: &mut Node) -> Scanned<usize> {
        let first = byte(text, position);
        if first == b'n' {
            let end = scan::word(text, position)?;
            node.push_null();
            return Ok(end);
        }
        match node {
            Node::Leaf(column) => self.scalar(text, position, column),
            Node::Row(row) if first == b'{' => self.row(text, position, row),
            Node::List(list) if first == b'[' => self.list(text, position, list),
            Node::Map(map) if first == b'{' => self.map(text, position, map),
            _ => self.mismatch(text, position),
        }
    }

    /// A value that does not suit its column, or none at all.
    #[cold]
    fn mismatch<T>(&mut self, text: &[u8], position: usize) -> Scanned<T> {
        scan::value(text, position, self.depth, &mut self.scan)?;
        Err((position, BadReason::TypeMismatch))
    }

    /// The common cases of scalar values; the others are read as text.
    #[inline(always)]
    fn scalar(&mut self, text: &[u8], position: usize, column: &mut Column) -> Scanned<usize> {
        match column {
            Column::Text(strings) if byte(text, position) == b'"' => {
                return self.string(text, position + 1, strings);
            }
            Column::Double(values) => {
                if let Some((value, end)) = short_double(text, position) {
                    values.push(value);
                    return Ok(end);
                }
            }
            Column::BigInt(values) => {
                if let Some((value, end)) = short_integer(text, position) {
                    values.push(value);
                    return Ok(end);
                }
            }
            Column::Int(values) => {
                if let Some((value, end)) = short_integer(text, position) {
                    values.push(narrow(value).map_err(|reason| (position, reason))?);
                    return Ok(end);
                }
            }
            Column::Timestamp(timestamps, _) if byte(text, position) == b'"' => {
                let string = scan::string(text, position + 1, &mut self.scan)?;
                if !string.escaped {
                    let read = timestamps.push_text(&text[position + 1..string.end]);
                    return read.map(|()| string.end + 1).map_err(|reason| (position, reason));
                }
            }
            _ => {}
        }
        self.uncommon_scalar(text, position, column)
    }

    #[inline(always)]
    fn string(&mut self, text: &[u8], start: usize, strings: &mut Strings) -> Scanned<usize> {
        let string = scan::string(text, start, &mut self.scan)?;
        if string.escaped {
            strings.push_with(|out| scan::unescape(text, start, string.end, out))?;
        } else {
            strings.push(&text[start..string.end]);
        }
        Ok(string.end + 1)
    }

    #[inline(never)]
    fn uncommon_scalar(&mut self, text: &[u8], position: usize, column: &mut Column) -> Scanned<usize> {
        let first = byte(text, position);
        let (end, read) = match (first, &mut *column) {
            (b'"', _) => return self.quoted_scalar(text, position, column),
            (_, Column::Text(strings)) => {
                let end = scan::value(text, position, self.depth, &mut self.scan)?;
                let text = &text[position..end];
                let whole = strings.push_with(|out| {
                    compact(text, out);
                    Ok(())
                });
                (end, whole)
            }
            (b'-' | b'0'..=b'9', _) => {
                let end = scan::number(text, position)?;
                (end, column.push_number(&text[position..end]))
            }
            (b't' | b'f', Column::Boolean(values)) => {
                let end = scan::word(text, position)?;
                values.push(first == b't');
                (end, Ok(()))
            }
            _ => return self.mismatch(text, position),
        };
        read.map(|()| end).map_err(|reason| (position, reason))
    }

    fn quoted_scalar(&mut self, text: &[u8], position: usize, column: &mut Column) -> Scanned<usize> {
        let string = scan::string(text, position + 1, &mut self.scan)?;
        let read = if string.escaped {
            let mut inside = Vec::new();
            scan::unescape(text, position + 1, string.end, &mut inside)?;
            column.push_text(&inside)
        } else {
            column.push_text(&text[position + 1..string.end])
        };
        read.map(|()| string.end + 1).map_err(|reason| (position, reason))
    }

    #[inline(never)]
    fn list(&mut self, text: &[u8], start: usize, list: &mut List) -> Scanned<usize> {
        self.enter(start)?;
        let mut items = list.lists.items();
        let mut position = skip_space(text, start + 1);
        if byte(text, position) != b']' {
            loop {
                position = skip_space(text, self.field(text, position, &mut list.items, items)?);
                items += 1;
                match byte(text, position) {
                    b',' => position = skip_space(text, position + 1),
                    b']' => break,
                    _ => return not_json(position, Syntax::CommaOrBracket),
                }
            }
        }
        list.lists.push(items);
        self.depth -= 1;
        Ok(position + 1)
    }

    #[inline(never)]
    fn map(&mut self, text: &[u8], start: usize, map: &mut Map) -> Scanned<usize> {
        self.enter(start)?;
        let before = map.maps.items();
        let mut end = self.entries(text, start, map, &[])?;
        let dropped = superseded(&map.keys, before);
        if !dropped.is_empty() {
            map.keys.truncate(before);
            map.values.truncate(before);
            end = self.entries(text, start, map, &dropped)?;
        }
        map.maps.push(map.keys.rows());
        self.depth -= 1;
        Ok(end)
    }

    /// Reads the entries of a map but those that `dropped` marks; the position behind the map.
    fn entries(&mut self, text: &[u8], start: usize, map: &mut Map, dropped: &[bool]) -> Scanned<usize> {
        let mut position = skip_space(text, start + 1);
        if byte(text, position) == b'}' {
            return Ok(position + 1);
        }
        for entry in 0.. {
            let (_, value) = scan::key(text, position, &mut self.scan)?;
            position = if dropped.get(entry) == Some(&true) {
                scan::value(text, value, self.depth, &mut self.scan)?
            } else {
                self.quoted_scalar(text, position, &mut map.keys)?;
                self.field(text, value, &mut map.values, map.keys.rows() - 1)?
            };
            position = skip_space(text, position);
            match byte(text, position) {
                b',' => position = skip_space(text, position + 1),
                b'}' => break,
                _ => return not_json(position, Syntax::CommaOrBrace),
            }
        }
        Ok(position + 1)
    }
}

/// Marks the entries from `start` on whose key comes again later; empty if there is none.
fn superseded(keys: &Column, start: usize) -> Vec<bool> {
    let count = keys.rows() - start;
    if count < 2 {
        return Vec::new();
    }
    let mut order: Vec<usize> = (start..keys.rows()).collect();
    order.sort_by(|a, b| keys.compare(*a, *b));
    let mut dropped = Vec::new();
    for pair in order.windows(2) {
        // The sort is stable: of two equal keys the first one stands first.
        if keys.compare(pair[0], pair[1]).is_eq() {
            dropped.resize(count, false);
            dropped[pair[0] - start] = true;
        }
    }
    dropped
}
