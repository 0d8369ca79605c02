//! Files as a bounded source: every line a record, every file a partition, its byte position the offset.
//!
//! A lane reads its files in turn, a batch of each, so that none runs far ahead of the others in event time.
//! Lines end in `\n` or `\r\n`; empty lines are no records.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::{Event, Record};
use crate::error::{Error, Result};

/// See the module's text.
pub struct Reader {
    files: Vec<OpenFile>,
    /// The file whose turn it is.
    turn: usize,
    /// Lines of one batch.
    lines_max: usize,
    /// State of the generator that picks the next file instead of taking turns, for tests.
    seed: Option<u64>,
    buffer: Vec<u8>,
    lines: Vec<Line>,
    ended: Option<(usize, i64)>,
}

struct OpenFile {
    path: PathBuf,
    reader: BufReader<File>,
    next_offset: i64,
    ended: bool,
}

struct Line {
    partition: usize,
    offset: i64,
    start: usize,
    end: usize,
}

/// Lines of one file; see [`super::Batch`].
pub struct Batch<'a> {
    reader: &'a Reader,
}

impl Reader {
    /// With a `seed`, files are not read in turn but as a generator picks them.
    pub fn new(lines_max: usize, seed: Option<u64>) -> Reader {
        Reader { files: vec![], turn: 0, lines_max, seed, buffer: vec![], lines: vec![], ended: None }
    }

    /// Opens a file to be read from a byte position; returns its index in events.
    pub fn add(&mut self, path: &Path, next_offset: i64) -> Result<usize> {
        let failed = |cause| Error::external(format!("cannot read `{}`", path.display())).caused_by(cause);
        let mut file = File::open(path).map_err(failed)?;
        file.seek(SeekFrom::Start(next_offset.max(0) as u64)).map_err(failed)?;
        let reader = BufReader::with_capacity(1 << 18, file);
        self.files.push(OpenFile { path: path.to_path_buf(), reader, next_offset, ended: false });
        Ok(self.files.len() - 1)
    }

    /// The next lines of the file whose turn it is; at its end, an `End` event.
    pub fn poll(&mut self) -> Result<Batch<'_>> {
        self.buffer.clear();
        self.lines.clear();
        self.ended = None;
        let count = self.files.len();
        if let Some(seed) = &mut self.seed {
            *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            self.turn = (*seed >> 33) as usize;
        }
        let next = (0..count).map(|i| (self.turn + i) % count).find(|&i| !self.files[i].ended);
        let Some(partition) = next else { return Ok(Batch { reader: self }) };
        self.turn = partition + 1;
        let file = &mut self.files[partition];
        while self.lines.len() < self.lines_max {
            let start = self.buffer.len();
            let read = file.reader.read_until(b'\n', &mut self.buffer).map_err(|cause| {
                Error::external(format!("cannot read `{}`", file.path.display())).caused_by(cause)
            })?;
            if read == 0 {
                file.ended = true;
                self.ended = Some((partition, file.next_offset));
                break;
            }
            let offset = file.next_offset;
            file.next_offset += read as i64;
            let line = &self.buffer[start..];
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() {
                self.lines.push(Line { partition, offset, start, end: start + line.len() });
            }
        }
        Ok(Batch { reader: self })
    }
}

impl<'a> Batch<'a> {
    pub fn events(&self) -> Vec<Event<'a>> {
        let reader = self.reader;
        let record = |line: &Line| {
            let Line { partition, offset, start, end } = *line;
            Event::Record(Record::Line { partition, offset, line: &reader.buffer[start..end] })
        };
        let mut events: Vec<Event<'a>> = reader.lines.iter().map(record).collect();
        events.extend(reader.ended.map(|(partition, next_offset)| Event::End { partition, next_offset }));
        events
    }
}

/// The files of a table: the path itself, or the files of a folder by name; hidden files are left out.
pub fn files_of(path: &Path) -> Result<Vec<PathBuf>> {
    let failed = |cause: std::io::Error| {
        let error = Error::external(format!("cannot read `{}`", path.display())).caused_by(cause);
        error.fix("check 'path' of the table")
    };
    if path.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let hidden = name.to_string_lossy().starts_with(['.', '_']);
        let path = entry.path();
        if !hidden && path.is_dir() {
            files.extend(files_of(&path)?);
        } else if !hidden && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_records_and_the_end_is_told_once() {
        let folder = std::env::temp_dir().join(format!("windrow-file-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a.jsonl");
        std::fs::write(&path, "{\"a\":1}\r\n\n{\"a\":2}").unwrap();
        assert_eq!(files_of(&folder).unwrap(), std::slice::from_ref(&path));
        let mut reader = Reader::new(10, None);
        reader.add(&path, 0).unwrap();
        let batch = reader.poll().unwrap();
        let mut seen = Vec::new();
        for event in batch.events() {
            match event {
                Event::Record(record) => seen.push((record.offset(), record.payload().unwrap().to_vec())),
                Event::End { next_offset, .. } => seen.push((next_offset, b"end".to_vec())),
                _ => panic!("unexpected event"),
            }
        }
        assert_eq!(seen, [(0, b"{\"a\":1}".to_vec()), (10, b"{\"a\":2}".to_vec()), (17, b"end".to_vec())]);
        assert!(reader.poll().unwrap().events().is_empty());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
