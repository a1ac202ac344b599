//! A key file that is held for a change: one at a time, as a whole, and without a trace of what was.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::KeysError;

/// Permission bits of a key file: its owner reads and writes it.
pub(super) const OWNER_ONLY: u32 = 0o600;
const ZEROS: [u8; 8 * 1024] = [0; 8 * 1024];

/// A key file that nobody else changes meanwhile.
pub(super) struct HeldFile {
    path: PathBuf,
    /// The file as it is, locked.
    file: File,
}

impl HeldFile {
    /// Waits until nobody else holds the file, and sweeps away what somebody left who was killed in the middle.
    pub(super) fn of(path: &Path) -> Result<HeldFile, KeysError> {
        let failed = |source| KeysError::HoldFile { path: path.to_owned(), source };
        let file = locked(path).map_err(failed)?;
        let held = HeldFile { path: path.to_owned(), file };
        for left in [held.beside("new"), held.beside("old")] {
            overwrite_and_remove(&left).map_err(failed)?;
        }
        Ok(held)
    }

    /// Replaces the file: whoever reads it finds the one or the other, and after this nobody finds what was, as far as the file system
    /// overwrites what it is told to.
    pub(super) fn replace(mut self, text: &str) -> Result<(), KeysError> {
        let failed = |path: &Path, source| KeysError::ReplaceFile { path: path.to_owned(), source };
        let (new, old) = (self.beside("new"), self.beside("old"));
        let replaced = write_new(&new, text)
            // so that it is found and swept away by the next one, should we be killed behind the rename
            .and_then(|()| fs::hard_link(&self.path, &old))
            .and_then(|()| fs::rename(&new, &self.path));
        if let Err(source) = replaced {
            let _ = overwrite_and_remove(&new).and_then(|()| remove(&old));
            return Err(failed(&self.path, source));
        }
        let swept = sync_folder(&self.path).and_then(|()| overwrite(&mut self.file)).and_then(|()| remove(&old));
        swept.map_err(|source| KeysError::SweepFile { path: old, source })
    }

    fn beside(&self, extension: &str) -> PathBuf {
        self.path.with_added_extension(extension)
    }
}

/// Opens and locks the file that is at a path, not one that somebody has just replaced.
fn locked(path: &Path) -> io::Result<File> {
    loop {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        file.lock()?;
        let (held, there) = (file.metadata()?, fs::metadata(path)?);
        if (held.dev(), held.ino()) == (there.dev(), there.ino()) {
            return Ok(file);
        }
    }
}

/// Writes a key file that is not there yet, as a whole: nobody finds half of one, whoever is killed.
pub(super) fn create(path: &Path, text: &str) -> io::Result<()> {
    // beside it, and for its owner alone, as temporary files are
    let mut file = tempfile::NamedTempFile::new_in(folder_of(path))?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all())?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    sync_folder(path)
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all())
}

fn overwrite_and_remove(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).open(path) {
        Ok(mut file) => overwrite(&mut file).and_then(|()| remove(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn overwrite(file: &mut File) -> io::Result<()> {
    let mut left = file.metadata()?.len();
    file.seek(SeekFrom::Start(0))?;
    while left > 0 {
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(ZEROS.len());
        file.write_all(&ZEROS[..count])?;
        left -= count as u64;
    }
    file.sync_all()
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => sync_folder(path),
    }
}

/// Has the folder's entries reach the disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::{io::Read, sync::mpsc, thread, time::Duration};

    use super::*;

    fn file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        write_new(&path, "before").expect("a new file");
        (folder, path)
    }

    #[test]
    fn a_new_file_is_there_as_a_whole_or_not_at_all_and_replaces_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        create(&path, "first").expect("there is none yet");
        assert_eq!(create(&path, "second").expect_err("there is one").kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).expect("the file"), "first");
        assert_eq!(fs::metadata(&path).expect("the file").mode() & 0o777, OWNER_ONLY);
        assert_eq!(fs::read_dir(folder.path()).expect("ours").count(), 1);
    }

    #[test]
    fn what_was_is_overwritten_and_nothing_is_left() {
        let (folder, path) = file();
        let mut before = File::open(&path).expect("the file");
        HeldFile::of(&path).expect("held").replace("after").expect("replaced");
        assert_eq!(fs::read_to_string(&path).expect("the file"), "after");
        let mut was = Vec::new();
        before.read_to_end(&mut was).expect("what was");
        assert_eq!(was, [0; 6]);
        assert_eq!(fs::read_dir(folder.path()).expect("ours").count(), 1);
        assert_eq!(fs::metadata(&path).expect("the file").mode() & 0o777, OWNER_ONLY);
    }

    #[test]
    fn what_somebody_left_who_was_killed_is_swept_away() {
        let (folder, path) = file();
        let old = path.with_added_extension("old");
        for left in [&old, &path.with_added_extension("new")] {
            fs::write(left, "a key").expect("the folder is ours");
        }
        let mut seen = File::open(&old).expect("what was left");
        drop(HeldFile::of(&path).expect("held"));
        let mut was = Vec::new();
        seen.read_to_end(&mut was).expect("what was");
        assert_eq!(was, [0; 5]);
        assert_eq!(fs::read_dir(folder.path()).expect("ours").count(), 1);
    }

    #[test]
    fn one_at_a_time_and_each_sees_what_the_other_did() {
        let (_folder, path) = file();
        let held = HeldFile::of(&path).expect("held");
        let (told, waiting) = mpsc::channel();
        let second = {
            let path = path.clone();
            thread::spawn(move || {
                let held = HeldFile::of(&path).expect("held");
                told.send(fs::read_to_string(&path).expect("the file")).expect("somebody waits");
                held.replace("second").expect("replaced");
            })
        };
        assert!(waiting.recv_timeout(Duration::from_millis(50)).is_err(), "it waits");
        held.replace("first").expect("replaced");
        assert_eq!(waiting.recv().expect("it goes on"), "first");
        second.join().expect("it does not panic");
        assert_eq!(fs::read_to_string(&path).expect("the file"), "second");
    }
}
