//! Lines into files: JSON or CSV, one new file per run of a job.
//!
//! At least once: what a crash leaves half written is a file of its own, which the next run does not
//! continue.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::format::EncodedRows;

/// The file a target writes to; it is created with the first row.
pub struct LineFile {
    folder: PathBuf,
    extension: &'static str,
    open: Option<(PathBuf, BufWriter<File>)>,
}

impl LineFile {
    /// Rows will go to a file in `folder`, whose name ends in `extension`.
    pub fn new(folder: &Path, extension: &'static str) -> LineFile {
        LineFile { folder: folder.to_path_buf(), extension, open: None }
    }

    /// Appends rows and gives them to the operating system.
    pub fn write(&mut self, rows: &EncodedRows) -> Result<()> {
        let (path, file) = match &mut self.open {
            Some(open) => open,
            None => self.open.insert(create(&self.folder, self.extension)?),
        };
        let mut write = || {
            for (_, value) in rows.iter() {
                file.write_all(value)?;
                file.write_all(b"\n")?;
            }
            file.flush()
        };
        write().map_err(|cause| {
            Error::external(format!("cannot write to `{}`", path.display()))
                .caused_by(cause)
                .fix("make room or give another 'path', then start the job again")
        })
    }
}

/// A file that was not there before: `part-0.jsonl`, `part-1.jsonl`, …
fn create(folder: &Path, extension: &str) -> Result<(PathBuf, BufWriter<File>)> {
    let failed = |path: &Path, cause: std::io::Error| {
        Error::external(format!("cannot create `{}`", path.display())).caused_by(cause).fix("check 'path'")
    };
    std::fs::create_dir_all(folder).map_err(|cause| failed(folder, cause))?;
    let mut number = 0_u64;
    loop {
        let path = folder.join(format!("part-{number}.{extension}"));
        match File::create_new(&path) {
            Ok(file) => return Ok((path, BufWriter::new(file))),
            Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            Err(cause) => return Err(failed(&path, cause)),
        }
    }
}
