//! Files that a command makes in the working tree: all of them or none, and none over another.

use crate::failure::Failure;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

/// A file to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its path from the root, with `/` between.
    pub name: String,
    /// What is to be in it.
    pub text: String,
}

/// Makes all of them; where one cannot be made, none is left. `hint` says what to do where one is there already.
///
/// # Errors
/// One is there already, or the disk refuses.
pub fn write_all(root: &Path, files: &[NewFile], hint: &str) -> Result<(), Failure> {
    if let Some(file) = files.iter().find(|file| root.join(&file.name).exists()) {
        return Err(taken(&file.name).hint(hint));
    }
    for (index, file) in files.iter().enumerate() {
        if let Err(failure) = write(root, file) {
            files[..index].iter().for_each(|written| discard(&root.join(&written.name)));
            return Err(failure);
        }
    }
    Ok(())
}

fn write(root: &Path, file: &NewFile) -> Result<(), Failure> {
    let path = root.join(&file.name);
    let failed = |error: std::io::Error| match error.kind() {
        // whoever wrote it meanwhile wins
        ErrorKind::AlreadyExists => taken(&file.name).hint("nothing was written; somebody else writes here, too"),
        ErrorKind::PermissionDenied => Failure::usage(format!("may not write {}", file.name)).because(error),
        _ => Failure::internal(format!("cannot write {}", file.name)).because(error),
    };
    fs::create_dir_all(path.parent().unwrap_or(root)).map_err(failed)?;
    let mut open = OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed)?;
    open.write_all(file.text.as_bytes()).map_err(|error| {
        discard(&path);
        failed(error)
    })
}

/// What was begun is taken away again; that it cannot be is told by the failure that it follows.
fn discard(path: &Path) {
    let _ = fs::remove_file(path);
}

fn taken(name: &str) -> Failure {
    Failure::usage(format!("there is {name} already"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn where_one_cannot_be_made_none_is_left() {
        let root = tempfile::tempdir().unwrap();
        let file = |name: &str| NewFile { name: name.to_owned(), text: "text".to_owned() };
        write_all(root.path(), &[file("a/first"), file("a/second")], "").unwrap();
        assert!(write_all(root.path(), &[file("a/third"), file("a/first")], "").is_err());
        assert!(!root.path().join("a/third").exists());
        // a file stands where a folder is needed, which shows only when it is written
        assert!(write_all(root.path(), &[file("a/third"), file("a/first/below")], "").is_err());
        assert!(!root.path().join("a/third").exists(), "it is taken away again");
        assert_eq!(fs::read_to_string(root.path().join("a/first")).unwrap(), "text");
    }
}
