//! Files that hold secrets: refused where others could use them.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

/// Permission bits that no file of secrets has: the group's and everybody's.
pub const OTHERS: u32 = 0o077;
/// Permission bits that a file of secrets does not have where a group may read it.
pub const OTHERS_THAN_GROUP: u32 = 0o027;

/// A file of secrets that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFileError {
    /// It cannot be read, or is not text.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others could use it.
    #[error("{} has mode {mode:04o}, so others than its owner can use it: chmod 600 it", path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is larger than any such file.
    #[error("{} is larger than {bytes_max} bytes, which no such file is", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        bytes_max: u64,
    },
}

/// Reads a file of at most `bytes_max` bytes that has none of the `forbidden` permission bits, such as [`OTHERS`].
///
/// # Errors
/// See [`PrivateFileError`].
pub fn read(path: &Path, forbidden: u32, bytes_max: u64) -> Result<Zeroizing<String>, PrivateFileError> {
    let failed = |source| PrivateFileError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    // Of the opened file, not of the path: what is checked is what is read.
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
    if mode & forbidden != 0 {
        return Err(PrivateFileError::OpenToOthers { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(bytes_max + 1).read_to_string(&mut text).map_err(failed)?;
    match text.len() as u64 > bytes_max {
        true => Err(PrivateFileError::TooLarge { path: path.to_owned(), bytes_max }),
        false => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    #[test]
    fn only_the_owners_file_of_the_usual_size_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        fs::write(&path, "12345678").expect("the folder is ours");
        let with_mode = |mode| {
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("the file is ours");
            read(&path, OTHERS, 8)
        };
        assert_eq!(with_mode(0o600).expect("the owner's").as_str(), "12345678");
        for mode in [0o640, 0o604, 0o620, 0o666] {
            let error = with_mode(mode).expect_err("open to others").to_string();
            assert!(error.contains(&format!("{mode:04o}")), "{error}");
        }
        fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("the file is ours");
        assert!(read(&path, OTHERS_THAN_GROUP, 8).is_ok());
        assert!(matches!(read(&path, OTHERS_THAN_GROUP, 7), Err(PrivateFileError::TooLarge { .. })));
        let missing = read(&folder.path().join("none"), OTHERS, 8).expect_err("no such file");
        assert!(missing.to_string().ends_with("none"), "{missing}");
    }
}
