//! What clients in other languages need, made once in the target folder from what the project pins.

use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder of its own in the target folder; while this lives no other test binary touches it.
pub struct Environment {
    folder: PathBuf,
    _lock: File,
}

impl Environment {
    /// The folder, once nobody else is at it: test binaries run side by side.
    pub fn lock(name: &str) -> Self {
        let folder = target().join(name);
        fs::create_dir_all(&folder).expect("the target folder is ours");
        let lock = File::create(folder.join("lock")).expect("the target folder is ours");
        flock(&lock, FlockOperation::LockExclusive).expect("locks work here");
        Self { folder, _lock: lock }
    }

    /// Its path.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs `install` unless it was run to its end for the same list of what is wanted.
    pub fn install(&self, wanted: &Path, install: impl FnOnce()) {
        let wanted = fs::read_to_string(wanted).expect("it is in the project");
        let installed = self.folder.join("installed.txt");
        if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
            return;
        }
        install();
        fs::write(&installed, wanted).expect("the target folder is ours");
    }
}

/// Runs a command to a good end.
///
/// # Panics
/// It cannot be run, `needed` being what has to be installed for it, or it fails.
pub fn succeed(command: &mut Command, needed: &str) {
    let output = command.output().unwrap_or_else(|error| panic!("{needed} is needed: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed, {needed} is needed: {said}");
}

/// The folder that cargo builds into.
fn target() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_mesh"));
    binary.ancestors().nth(2).expect("target/<profile>/mesh").to_owned()
}
