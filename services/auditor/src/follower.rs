//! Follows a log file from line to line, through rotations and restarts.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

/// A longer line is passed over.
const LINE_MAX: usize = 64 * 1024;
/// So much of the first line tells files apart: it begins with the time.
const FIRST_LINE_MAX: usize = 4 * 1024;

/// Follows a log file.
pub(crate) struct Follower {
    path: PathBuf,
    open: Option<Open>,
}

/// The file that is read now, under whichever name.
struct Open {
    reader: BufReader<File>,
    inode: u64,
    first_line: Option<String>,
    /// After the last whole line.
    offset: u64,
    /// A line that is not whole yet.
    partial: Vec<u8>,
    /// Whether the line is too long: the rest of it is passed over.
    is_overlong: bool,
}

impl Follower {
    /// Goes on where it was; a file that is gone by now, or none, is begun with the oldest that is there.
    pub(crate) fn resume(path: &Path, at: Option<(&str, u64)>) -> io::Result<Follower> {
        let mut follower = Follower { path: path.to_owned(), open: None };
        let Some((first_line, offset)) = at else { return Ok(follower) };
        for file in follower.files()? {
            let mut open = Open::file(&file)?;
            let size = open.reader.get_ref().metadata()?.len();
            if first_line_of(&file)?.as_deref() == Some(first_line) && size >= offset {
                open.reader.seek(SeekFrom::Start(offset))?;
                (open.first_line, open.offset) = (Some(first_line.to_owned()), offset);
                follower.open = Some(open);
                return Ok(follower);
            }
        }
        tracing::warn!(file = %path.display(), "the log was rotated away since it was told of last: what was in it is not told");
        Ok(follower)
    }

    /// The next whole line, if there is one now.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<String>> {
        loop {
            if self.open.is_none() {
                let Some(file) = self.files()?.into_iter().next() else { return Ok(None) };
                self.open = Some(Open::file(&file)?);
            }
            if let Some(open) = &mut self.open
                && let Some(line) = open.next_line()?
            {
                return Ok(Some(line));
            }
            let Some(next) = self.successor()? else { return Ok(None) };
            self.open = Some(next);
        }
    }

    /// The file by its first line, and how far it was read; none if no line was.
    pub(crate) fn position(&self) -> Option<(&str, u64)> {
        let open = self.open.as_ref()?;
        Some((open.first_line.as_deref()?, open.offset))
    }

    /// What comes after the file that was read to its end.
    fn successor(&self) -> io::Result<Option<Open>> {
        let Some(open) = &self.open else { return Ok(None) };
        // emptied in its place: as logrotate's copytruncate does
        if open.reader.get_ref().metadata()?.len() < open.offset {
            return Open::file(&self.path).map(Some);
        }
        let files = self.files()?;
        let inodes = files.iter().map(|file| Ok(fs::metadata(file)?.ino())).collect::<io::Result<Vec<u64>>>();
        // rotated just now: they are looked at again
        let Ok(inodes) = inodes else { return Ok(None) };
        let next = match inodes.iter().position(|inode| *inode == open.inode) {
            Some(at) => files.get(at + 1),
            None => files.last(),
        };
        // what came to the old file after it was read, and before it was renamed, is read first
        match next {
            Some(_) if open.has_more()? => Ok(None),
            Some(next) => Open::file(next).map(Some),
            None => Ok(None),
        }
    }

    /// The log and what was rotated away of it, the oldest first.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut files: Vec<(SystemTime, bool, PathBuf)> = Vec::new();
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            let own = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_rotated =
                own.strip_prefix(&name).is_some_and(|rest| rest.starts_with(['.', '-']) && !rest.ends_with(".gz"));
            if own != name && !is_rotated {
                continue;
            }
            // one that goes away meanwhile was rotated away
            if let Ok(metadata) =
                fs::metadata(&path).and_then(|metadata| Ok((metadata.modified()?, metadata.is_file())))
                && metadata.1
            {
                files.push((metadata.0, own == name, path));
            }
        }
        files.sort_by(|a, b| (a.1, a.0, &a.2).cmp(&(b.1, b.0, &b.2)));
        Ok(files.into_iter().map(|(_, _, path)| path).collect())
    }
}

impl Open {
    fn file(path: &Path) -> io::Result<Open> {
        let file = File::open(path)?;
        let inode = file.metadata()?.ino();
        let reader = BufReader::new(file);
        Ok(Open { reader, inode, first_line: None, offset: 0, partial: Vec::new(), is_overlong: false })
    }

    fn has_more(&self) -> io::Result<bool> {
        let read = self.offset + self.partial.len() as u64;
        Ok(!self.is_overlong && self.reader.get_ref().metadata()?.len() > read)
    }

    fn next_line(&mut self) -> io::Result<Option<String>> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let (taken, is_whole) = match buffer.iter().position(|byte| *byte == b'\n') {
                Some(end) => (end + 1, true),
                None => (buffer.len(), false),
            };
            if self.partial.len() + taken <= LINE_MAX && !self.is_overlong {
                self.partial.extend_from_slice(&buffer[..taken]);
            } else {
                // its length counts, its content does not
                self.offset += (self.partial.len() + taken) as u64;
                self.partial.clear();
                self.is_overlong = true;
            }
            self.reader.consume(taken);
            if is_whole && let Some(line) = self.finish_line() {
                return Ok(Some(line));
            }
        }
    }

    /// The line that is whole now; none if it was passed over.
    fn finish_line(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.partial);
        self.offset += line.len() as u64;
        if std::mem::take(&mut self.is_overlong) {
            // a file whose first line is overlong is known by nothing
            self.first_line.get_or_insert_with(|| digest(b""));
            return None;
        }
        self.first_line.get_or_insert_with(|| digest(&line));
        Some(String::from_utf8_lossy(&line).trim_end().to_owned())
    }
}

/// What tells a file from others: none while its first line is not whole.
fn first_line_of(path: &Path) -> io::Result<Option<String>> {
    let mut open = Open::file(path)?;
    open.next_line()?;
    Ok(open.first_line)
}

fn digest(line: &[u8]) -> String {
    let begin = &line[..line.len().min(FIRST_LINE_MAX)];
    Sha256::digest(begin).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "follower_tests.rs"]
mod tests;
