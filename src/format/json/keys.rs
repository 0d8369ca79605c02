//! Which column a key of an object fills, mostly without reading the key.
//!
//! The messages of a topic are written by few programs, so keys come in few orders. For each key there is
//! its text as written, from the opening quote to the colon, and the key that came after it last time. The
//! expected key is compared in one or two steps of 16 bytes; only when it is another one is it read and
//! looked up. Links between keys, instead of positions, keep that working with optional fields and with
//! several kinds of message in a topic.
//!
//! A message can be refused after its keys were learnt, and may be junk. So keys count as learnt only when
//! the message was accepted, and when there are too many, all are forgotten and learnt anew.

use std::collections::HashMap;

use super::scan::load16;

/// Keys remembered per object; more than that is a map written as an object.
const KEYS_MAX: usize = 512;
/// A longer key, as written, is looked up each time.
const WRITTEN_MAX: usize = 68;
/// Unknown keys at a full memory after which it starts anew.
const MISSES_MAX: usize = 4 * KEYS_MAX;

/// The place in the memory of a key that is not in it.
pub(super) const UNKNOWN: usize = usize::MAX;

/// A key met before.
#[derive(Debug)]
pub(super) struct Key {
    /// The text as written: 16 bytes, 16 more, and the rest.
    head: u128,
    middle: u128,
    head_mask: u128,
    middle_mask: u128,
    tail: Box<[u8]>,
    /// Bytes as written.
    pub(super) length: usize,
    /// The field it fills; None if nobody asked for it.
    pub(super) field: Option<usize>,
    /// The key that came next last time.
    pub(super) next: usize,
}

impl Key {
    fn new(written: &[u8], field: Option<usize>) -> Self {
        let mask = |bytes: usize| if bytes >= 16 { u128::MAX } else { (1 << (8 * bytes)) - 1 };
        Key {
            head: u128::from_le_bytes(load16(written, 0)),
            middle: u128::from_le_bytes(load16(written, 16)),
            head_mask: mask(written.len()),
            middle_mask: mask(written.len().saturating_sub(16)),
            tail: written.get(32..).unwrap_or_default().into(),
            length: written.len(),
            field,
            next: 0,
        }
    }

    /// Whether this very key stands at `position`.
    #[inline(always)]
    pub(super) fn is_at(&self, text: &[u8], position: usize) -> bool {
        let head = u128::from_le_bytes(load16(text, position));
        if (head ^ self.head) & self.head_mask != 0 {
            return false;
        }
        if self.middle_mask == 0 {
            return true;
        }
        let middle = u128::from_le_bytes(load16(text, position + 16));
        (middle ^ self.middle) & self.middle_mask == 0
            && (self.tail.is_empty()
                || text.get(position + 32..).is_some_and(|rest| rest.starts_with(&self.tail)))
    }
}

/// The keys of one kind of object.
#[derive(Debug)]
pub(super) struct Keys {
    met: Vec<Key>,
    /// By the text between the quotes; spacing around the colon may differ.
    by_text: HashMap<Box<[u8]>, usize>,
    /// The texts of `met`, to forget them by.
    texts: Vec<Box<[u8]>>,
    /// The first so many come from accepted messages.
    accepted: usize,
    misses: usize,
    fields: HashMap<Box<[u8]>, usize>,
}

impl Keys {
    pub(super) fn new<'a>(fields: impl Iterator<Item = &'a str>) -> Self {
        Keys {
            met: Vec::new(),
            by_text: HashMap::new(),
            texts: Vec::new(),
            accepted: 0,
            misses: 0,
            fields: fields.enumerate().map(|(field, name)| (name.as_bytes().into(), field)).collect(),
        }
    }

    #[inline(always)]
    pub(super) fn get(&self, key: usize) -> Option<&Key> {
        self.met.get(key)
    }

    /// The place of a key by its text as it stands between the quotes.
    pub(super) fn find(&self, raw: &[u8]) -> usize {
        self.by_text.get(raw).copied().unwrap_or(UNKNOWN)
    }

    /// The field of a name.
    pub(super) fn field(&self, name: &[u8]) -> Option<usize> {
        self.fields.get(name).copied()
    }

    /// Remembers a key that [`Keys::find`] does not know; returns its place.
    pub(super) fn learn(&mut self, raw: &[u8], written: &[u8], field: Option<usize>) -> usize {
        if written.len() > WRITTEN_MAX || self.met.len() >= KEYS_MAX {
            self.misses += 1;
            return UNKNOWN;
        }
        let place = self.met.len();
        self.met.push(Key::new(written, field));
        self.by_text.insert(raw.into(), place);
        self.texts.push(raw.into());
        place
    }

    /// Notes that `next` came after `key`.
    pub(super) fn link(&mut self, key: usize, next: usize) {
        if let (Some(key), true) = (self.met.get_mut(key), next != UNKNOWN) {
            key.next = next;
        }
    }

    /// The message was accepted: what was learnt from it stays.
    pub(super) fn accept(&mut self) {
        self.accepted = self.met.len();
        if self.misses > MISSES_MAX && self.met.len() >= KEYS_MAX {
            self.accepted = 0;
            self.reject();
        }
    }

    /// The message was refused: what was learnt from it is forgotten.
    pub(super) fn reject(&mut self) {
        self.misses = if self.accepted == 0 { 0 } else { self.misses };
        self.met.truncate(self.accepted);
        for text in self.texts.drain(self.accepted..) {
            self.by_text.remove(&text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_recognised_whole_whatever_its_length() {
        for length in [0, 1, 12, 13, 14, 28, 29, 30, 31, 61, 64] {
            let written = format!("\"{}\":", "k".repeat(length));
            let key = Key::new(written.as_bytes(), None);
            assert!(key.is_at(format!("{written}1").as_bytes(), 0), "{length}");
            assert!(key.is_at(written.as_bytes(), 0), "{length}");
            assert!(!key.is_at(&written.as_bytes()[..written.len() - 1], 0), "{length}");
            for place in 0..written.len() {
                let mut other = format!("{written}12345678901234567890").into_bytes();
                other[place] ^= 1;
                assert!(!key.is_at(&other, 0), "{length} {place}");
            }
        }
    }

    #[test]
    fn keys_of_refused_messages_are_forgotten() {
        let mut keys = Keys::new(["a"].into_iter());
        assert_eq!(keys.learn(b"a", b"\"a\":", Some(0)), 0);
        keys.accept();
        keys.learn(b"junk", b"\"junk\":", None);
        keys.reject();
        assert_eq!((keys.find(b"a"), keys.find(b"junk")), (0, UNKNOWN));
        assert!(keys.get(1).is_none());
    }

    #[test]
    fn a_full_memory_starts_anew_when_it_no_longer_helps() {
        let mut keys = Keys::new(["a"].into_iter());
        for i in 0..KEYS_MAX + MISSES_MAX + 1 {
            let raw = format!("key{i}");
            keys.learn(raw.as_bytes(), format!("\"{raw}\":").as_bytes(), None);
            keys.accept();
        }
        assert!(keys.met.len() < KEYS_MAX);
        assert_eq!(keys.learn(b"fresh", b"\"fresh\":", None), keys.met.len() - 1);
    }
}
