//! The folder that a Kafka owns while it runs.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::EmbeddedError;

const PREFIX: &str = "mesh-kafka-";
const LOCK: &str = "owner.lock";
/// A temporary folder without a lock, and older than this, was left by a process killed while making it.
const UNLOCKED_MAX_AGE: Duration = Duration::from_secs(600);

/// A folder with a lock that its owner holds: the system frees it when the owner ends, in whatever way.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Removes a temporary folder.
    temporary: Option<TempDir>,
    _lock: File,
}

impl Folder {
    /// Takes a folder that is kept.
    pub(super) fn take(path: &Path) -> Result<Self, EmbeddedError> {
        fs::create_dir_all(path).map_err(|error| EmbeddedError::folder(path, error))?;
        // Kafka wants an absolute path
        let path = fs::canonicalize(path).map_err(|error| EmbeddedError::folder(path, error))?;
        let lock_path = path.join(LOCK);
        let opened = File::options().create(true).truncate(false).write(true).open(&lock_path);
        let lock = opened.map_err(|error| EmbeddedError::folder(&lock_path, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Folder { path, temporary: None, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(EmbeddedError::DataInUse { path }),
            Err(TryLockError::Error(error)) => Err(EmbeddedError::folder(&lock_path, error)),
        }
    }

    /// Makes a folder that is removed at the end, and removes those whose owners were killed.
    pub(super) fn make_temporary(parent: &Path) -> Result<Self, EmbeddedError> {
        sweep(parent);
        let made = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent);
        let temporary = made.map_err(|error| EmbeddedError::folder(parent, error))?;
        let path = temporary.path().to_owned();
        let failed = |error| EmbeddedError::folder(&path, error);
        // locked under another name: nobody ever sees it there unlocked
        let (new, lock_path) = (path.join("owner.lock.new"), path.join(LOCK));
        let lock = File::create(&new).map_err(failed)?;
        lock.lock().map_err(failed)?;
        fs::rename(&new, &lock_path).map_err(failed)?;
        Ok(Folder { path, temporary: Some(temporary), _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }
}

/// Removes the temporary folders of owners that are gone.
fn sweep(parent: &Path) {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        if is_abandoned(&entry.path()) {
            tracing::debug!(path = %entry.path().display(), "removing what a killed process left");
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_abandoned(folder: &Path) -> bool {
    match File::options().write(true).open(folder.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => is_old(folder),
        // somebody else's
        Err(_) => false,
    }
}

fn is_old(folder: &Path) -> bool {
    let modified = fs::metadata(folder).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > UNLOCKED_MAX_AGE))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_folder_has_one_owner() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let first = Folder::take(&path).unwrap();
        assert!(matches!(Folder::take(&path), Err(EmbeddedError::DataInUse { .. })));
        drop(first);
        Folder::take(&path).unwrap();
    }

    #[test]
    fn a_sweep_removes_the_folders_of_dead_owners_only() {
        let parent = tempfile::tempdir().unwrap();
        let alive = Folder::make_temporary(parent.path()).unwrap();
        let dead = parent.path().join("mesh-kafka-dead");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        let (being_made, strange) = (parent.path().join("mesh-kafka-new"), parent.path().join("other"));
        fs::create_dir(&being_made).unwrap();
        fs::create_dir(&strange).unwrap();
        fs::write(strange.join(LOCK), "").unwrap();

        let next = Folder::make_temporary(parent.path()).unwrap();
        assert!(!dead.exists());
        assert!(alive.path().exists() && next.path().exists() && being_made.exists() && strange.exists());
        let path = next.path().to_owned();
        drop(next);
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Folder::take(&file.join("data")).unwrap_err();
        assert!(matches!(&error, EmbeddedError::Folder { path, .. } if path.ends_with("data")), "{error}");
    }
}
