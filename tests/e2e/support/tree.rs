//! A working tree of one's own: the example domains' contracts and schemas, copied.

use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A copy of the example tree in a temporary folder.
pub struct Tree {
    folder: TempDir,
}

impl Tree {
    /// Copies `topics/` and `schemas/`.
    pub fn examples() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for part in ["topics", "schemas"] {
            copy(&repository().join(part), &folder.path().join(part));
        }
        Self { folder }
    }

    /// Its root.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A file's text.
    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.root().join(file)).expect("the file is there")
    }

    /// Writes a file.
    pub fn write(&self, file: &str, text: &str) {
        fs::write(self.root().join(file), text).expect("the folder is ours");
    }

    /// Replaces `old`, which must be there, in a file.
    pub fn replace(&self, file: &str, old: &str, new: &str) {
        let text = self.read(file);
        assert!(text.contains(old), "{file} does not hold {old:?}");
        self.write(file, &text.replace(old, new));
    }
}

/// The project's own root.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("services/mesh lies two folders down").to_owned()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder is ours");
    for entry in fs::read_dir(from).expect("the examples are there") {
        let entry = entry.expect("the examples can be read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("the folder is ours");
        }
    }
}
