//! Encoded rows on their way to a sink: contiguous bytes, and where each row ends in them.

/// Values, each with an optional key, in the order they were pushed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EncodedRows {
    values: Vec<u8>,
    value_ends: Vec<usize>,
    keys: Vec<u8>,
    /// One per value once any row has a key, none before; the flag says whether the row has one.
    key_ends: Vec<(usize, bool)>,
}

impl EncodedRows {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn push_value(&mut self, value: &[u8]) {
        self.push(None, value);
    }

    pub fn push(&mut self, key: Option<&[u8]>, value: &[u8]) {
        self.values.extend_from_slice(value);
        self.keys.extend_from_slice(key.unwrap_or_default());
        self.end_row(key.is_some());
    }

    /// Lets `write` append one value in place, without a copy.
    pub(super) fn write_value(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.values);
        self.end_row(false);
    }

    /// Lets `write` append one key and one value in place, without a copy.
    pub(super) fn write_keyed(&mut self, write: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>)) {
        write(&mut self.keys, &mut self.values);
        self.end_row(true);
    }

    fn end_row(&mut self, has_key: bool) {
        if has_key && self.key_ends.is_empty() {
            self.key_ends.resize(self.value_ends.len(), (0, false));
        }
        self.value_ends.push(self.values.len());
        if has_key || !self.key_ends.is_empty() {
            self.key_ends.push((self.keys.len(), has_key));
        }
    }

    pub fn len(&self) -> usize {
        self.value_ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.value_ends.is_empty()
    }

    /// Bytes of all keys and values.
    pub fn bytes(&self) -> usize {
        self.values.len() + self.keys.len()
    }

    /// Moves all rows of `other` behind the own ones; `other` is empty afterwards.
    pub fn append(&mut self, other: &mut EncodedRows) {
        if self.is_empty() {
            std::mem::swap(self, other);
            return;
        }
        if !self.key_ends.is_empty() || !other.key_ends.is_empty() {
            self.key_ends.resize(self.len(), (0, false));
            let base = self.keys.len();
            self.key_ends.extend(other.key_ends.iter().map(|(end, has_key)| (base + end, *has_key)));
            self.key_ends.resize(self.len() + other.len(), (self.keys.len(), false));
        }
        let base = self.values.len();
        self.value_ends.extend(other.value_ends.iter().map(|end| base + end));
        self.values.extend_from_slice(&other.values);
        self.keys.extend_from_slice(&other.keys);
        other.clear();
    }

    pub fn clear(&mut self) {
        self.values.clear();
        self.value_ends.clear();
        self.keys.clear();
        self.key_ends.clear();
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Option<&[u8]>, &[u8])> {
        (0..self.len()).map(|row| {
            let start = if row == 0 { 0 } else { self.value_ends[row - 1] };
            (self.key(row), &self.values[start..self.value_ends[row]])
        })
    }

    fn key(&self, row: usize) -> Option<&[u8]> {
        let (end, has_key) = *self.key_ends.get(row)?;
        let start = if row == 0 { 0 } else { self.key_ends[row - 1].0 };
        has_key.then(|| &self.keys[start..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (Option<&'static [u8]>, &'static [u8]);

    fn rows(rows: &[Row]) -> EncodedRows {
        let mut encoded = EncodedRows::new();
        rows.iter().for_each(|(key, value)| encoded.push(*key, value));
        encoded
    }

    #[test]
    fn rows_keep_their_keys_and_order_when_appended() {
        let plain: &[Row] = &[(None, b"a"), (None, b""), (None, b"bc")];
        let keyed: &[Row] = &[(Some(b"k"), b"v"), (None, b"w"), (Some(b""), b"x"), (Some(b"kk"), b"")];
        for (first, second) in [(plain, keyed), (keyed, plain), (plain, plain), (keyed, keyed), (&[], keyed)]
        {
            let (mut one, mut other) = (rows(first), rows(second));
            let bytes = one.bytes() + other.bytes();
            one.append(&mut other);
            assert_eq!(one.iter().collect::<Vec<_>>(), [first, second].concat());
            assert_eq!((one.len(), one.bytes()), (first.len() + second.len(), bytes));
            assert!(other.is_empty());
        }
    }

    #[test]
    fn a_key_that_comes_late_leaves_the_rows_before_without() {
        let mut encoded = rows(&[(None, b"a"), (Some(b"k"), b"b")]);
        encoded.push_value(b"c");
        let expected: Vec<Row> = vec![(None, b"a"), (Some(b"k"), b"b"), (None, b"c")];
        assert_eq!(encoded.iter().collect::<Vec<_>>(), expected);
    }
}
