//! Where masked records go: standard output, or a file that is there whole or not at all.

use crate::failure::Failure;
use crate::output::{self, Reader};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

const BUFFER_BYTES: usize = 1 << 16;

/// A file that takes its name, and the place of what had it, when it is finished.
pub(super) struct OutFile {
    path: PathBuf,
    written: BufWriter<NamedTempFile>,
}

impl OutFile {
    /// Begins a file that is to be at `path`, which must not be where the records come from.
    pub(super) fn begin(path: &Path, input: &Path) -> Result<OutFile, Failure> {
        let is_input = path.canonicalize().is_ok_and(|path| input.canonicalize().is_ok_and(|input| input == path));
        if is_input {
            return Err(Failure::usage(format!("{} is the file that the records are read from", path.display()))
                .hint("give --out another name: what was written is not to be lost"));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let temporary = NamedTempFile::new_in(folder).map_err(|error| {
            Failure::usage(format!("cannot write {}", path.display()))
                .because(error)
                .hint("give --out a file in a folder that exists and can be written")
        })?;
        Ok(OutFile { path: path.to_owned(), written: BufWriter::with_capacity(BUFFER_BYTES, temporary) })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.written.write_all(bytes);
        written.map_err(|error| Failure::usage(format!("cannot write {}", self.path.display())).because(error))
    }

    /// Gives the file its name.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let OutFile { path, written } = self;
        let failed = || Failure::usage(format!("cannot write {}", path.display()));
        let temporary = written.into_inner().map_err(|error| failed().because(error.into_error()))?;
        temporary.as_file().sync_all().map_err(|error| failed().because(error))?;
        temporary.persist(&path).map_err(|error| failed().because(error.error))?;
        Ok(())
    }
}

/// JSON lines.
pub(super) enum Lines {
    Stdout,
    File(OutFile),
}

impl Lines {
    pub(super) fn to(file: Option<OutFile>) -> Lines {
        file.map_or(Lines::Stdout, Lines::File)
    }

    /// A value on a line of its own.
    pub(super) fn json(&mut self, value: &impl serde::Serialize) -> Result<Reader, Failure> {
        let Lines::File(file) = self else { return output::json(value) };
        let mut line = serde_json::to_vec(value)
            .map_err(|error| Failure::internal("cannot write the result as JSON").because(error))?;
        line.push(b'\n');
        file.write(&line).map(|()| Reader::There)
    }

    pub(super) fn finish(self) -> Result<(), Failure> {
        match self {
            Lines::Stdout => Ok(()),
            Lines::File(file) => file.finish(),
        }
    }
}
