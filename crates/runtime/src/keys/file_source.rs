//! A key file that is looked at again and again, and read where it was touched.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use mesh_avro::keys::RootKeys;

use super::{FileKeys, KeySource, KeysError};

/// A file that was touched since is read again, even if it looks the same: its clock may be as coarse as this, and it may be
/// another machine's.
const CLOCK_COARSENESS: Duration = Duration::from_secs(10);

/// A key file that is loaded again and again, because its roots are rotated by replacing it. It can be large, 5 KiB for each forgotten
/// subject, so it is only read if it may be another one than the last time.
#[derive(Clone, Debug)]
pub struct FileSource {
    path: PathBuf,
    last: Option<(Stamp, RootKeys)>,
}

/// What differs once a file was written, replaced, or opened to others: any of it changes the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    /// When content or rights were last changed, in seconds and nanoseconds since 1970.
    changed: (i64, i64),
}

impl Stamp {
    fn of(file: &Metadata) -> Self {
        Stamp { device: file.dev(), inode: file.ino(), bytes: file.len(), changed: (file.ctime(), file.ctime_nsec()) }
    }

    /// Whether a change from now on shows.
    fn is_settled(&self) -> bool {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let changed = Duration::from_secs(u64::try_from(self.changed.0).unwrap_or(u64::MAX));
        changed.saturating_add(CLOCK_COARSENESS) < now
    }
}

impl FileSource {
    /// The file.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        FileSource { path: path.to_owned(), last: None }
    }

    /// As the file is now. One that is not there has no stamp: reading it says why.
    fn stamp(&self) -> Option<Stamp> {
        fs::metadata(&self.path).ok().map(|file| Stamp::of(&file))
    }
}

impl KeySource for FileSource {
    fn origin(&self) -> String {
        self.path.display().to_string()
    }

    async fn load(&mut self) -> Result<RootKeys, KeysError> {
        // taken before the file is read: what is written meanwhile is read the next time
        let stamp = self.stamp();
        if let Some((_, roots)) = self.last.as_ref().filter(|(last, _)| Some(*last) == stamp) {
            return Ok(roots.clone());
        }
        self.last = None;
        let roots = FileKeys::open(&self.path)?.roots;
        self.last = stamp.filter(Stamp::is_settled).map(|stamp| (stamp, roots.clone()));
        Ok(roots)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    use super::*;

    fn file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        FileKeys::generate(&path).expect("a new file");
        (folder, path)
    }

    /// What is remembered of the file as it is now, as if it had lain there for long.
    async fn settled(path: &Path) -> FileSource {
        let mut source = FileSource::new(path);
        let roots = source.load().await.expect("it is whole");
        source.last = Some((source.stamp().expect("it is there"), roots));
        source
    }

    #[tokio::test]
    async fn a_file_that_nobody_touched_is_not_read_again() {
        let (_folder, path) = file();
        let mut source = settled(&path).await;
        let (stamp, _) = source.last.clone().expect("remembered");
        // other roots than the file's: what comes is what is remembered
        let (_other_folder, other) = file();
        source.last = Some((stamp, FileKeys::open(&other).expect("it is whole").roots));
        let other = source.load().await.expect("remembered");
        assert!(other.succeed(&FileKeys::open(&path).expect("it is whole").roots).is_err());
    }

    #[tokio::test]
    async fn whatever_is_done_to_the_file_has_it_read_again() {
        let (_folder, path) = file();
        let mut source = settled(&path).await;
        FileKeys::rotate(&path).expect("it is ours");
        assert_eq!(source.load().await.expect("replaced").newest_version(), 2);

        let mut source = settled(&path).await;
        fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("it is ours");
        assert!(matches!(source.load().await, Err(KeysError::ReadFile { .. })), "opened to others");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("it is ours");

        let mut source = settled(&path).await;
        let garbled = fs::read_to_string(&path).expect("it is ours").replace('"', "!");
        fs::write(&path, garbled).expect("it is ours");
        assert!(matches!(source.load().await, Err(KeysError::Malformed { .. })), "written in place, as long as before");

        let (_folder, path) = file();
        let mut source = settled(&path).await;
        fs::remove_file(&path).expect("it is ours");
        assert!(matches!(source.load().await, Err(KeysError::ReadFile { .. })), "gone");
    }

    #[test]
    fn only_what_was_left_alone_for_a_while_is_remembered() {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs() as i64;
        let changed = |seconds| Stamp { device: 1, inode: 1, bytes: 1, changed: (seconds, 0) };
        assert!(changed(now - 60).is_settled());
        assert!(!changed(now).is_settled() && !changed(now + 60).is_settled() && !changed(-1).is_settled());
    }
}
