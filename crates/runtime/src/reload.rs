//! Files that are taken anew when they change, without a restart.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::Shutdown;

/// How often files are looked at.
const INTERVAL: Duration = Duration::from_secs(2);

/// What changes when a file is replaced or rewritten: when, and how long it is. A file that cannot be looked at is `None`.
type Stamp = Option<(SystemTime, u64)>;

/// Files as they were when they were read.
#[derive(Clone, Debug)]
pub(crate) struct Watch(Vec<(PathBuf, Stamp)>);

impl Watch {
    /// To be made before the files are read, lest a change in between be overlooked.
    pub(crate) fn new<const N: usize>(files: [&Path; N]) -> Self {
        Self(files.into_iter().map(|file| (file.to_owned(), stamp(file))).collect())
    }

    /// Calls `reload` after any of the files has changed, until the shutdown.
    pub(crate) async fn follow(mut self, shutdown: &Shutdown, mut reload: impl FnMut()) {
        while shutdown.abandon(tokio::time::sleep(INTERVAL)).await.is_some() {
            let before: Vec<Stamp> = self.0.iter().map(|(_, stamp)| *stamp).collect();
            self.0.iter_mut().for_each(|(file, known)| *known = stamp(file));
            if self.0.iter().map(|(_, stamp)| *stamp).ne(before) {
                reload();
            }
        }
    }
}

/// Follows links: secrets that are mounted into containers change by a link's change.
fn stamp(file: &Path) -> Stamp {
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
