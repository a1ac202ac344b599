//! Root secrets from a file that only its owner can use.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use mesh_avro::keys::RootKeys;
use zeroize::Zeroizing;

use super::{KeySource, KeysError, document, random_secret, root_keys};
use crate::private_file::{self, OTHERS};

/// Permission bits of a key file: its owner reads and writes it.
const OWNER_ONLY: u32 = 0o600;
/// No key file is larger: hundreds of roots fit.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Root secrets in a JSON file, readable by its owner only.
#[derive(Clone, Debug)]
pub struct FileKeys {
    pub(super) roots: RootKeys,
    path: PathBuf,
}

impl FileKeys {
    /// Reads the roots from `path`.
    ///
    /// # Errors
    /// The file cannot be read, can be used by others than its owner, or is not in the documented form.
    pub fn open(path: &Path) -> Result<Self, KeysError> {
        let text = read_owned(path)?;
        let origin = path.display().to_string();
        let roots = document::parse(&origin, &text)?;
        Ok(Self { roots: root_keys(&origin, roots)?, path: path.to_owned() })
    }

    /// Writes a new root secret to `path`, which must not exist yet, and opens it.
    ///
    /// # Errors
    /// The file exists or cannot be written, or the system gave no random bytes.
    pub fn generate(path: &Path) -> Result<Self, KeysError> {
        create(path, &document::render(&[(1, random_secret()?)]))?;
        Self::open(path)
    }

    /// Opens `path`, or generates it where it does not exist.
    ///
    /// # Errors
    /// As [`open`](Self::open) and [`generate`](Self::generate).
    pub fn open_or_generate(path: &Path) -> Result<Self, KeysError> {
        if path.exists() { Self::open(path) } else { Self::generate(path) }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The versions of the roots, the newest last.
    pub fn versions(&self) -> impl Iterator<Item = u32> {
        self.roots.versions()
    }

    /// Adds a new root secret to `path`, whose version is the newest; returns that. The file is replaced as a whole, so that nobody
    /// ever reads half of it.
    ///
    /// # Errors
    /// The file cannot be read or replaced, or the system gave no random bytes.
    pub fn rotate(path: &Path) -> Result<u32, KeysError> {
        let text = read_owned(path)?;
        let (version, text) = with_another_root(&path.display().to_string(), &text)?;
        replace(path, &text)?;
        Ok(version)
    }
}

/// The document with another root, whose version is the newest; and that version.
pub(super) fn with_another_root(origin: &str, text: &str) -> Result<(u32, Zeroizing<String>), KeysError> {
    let mut roots = document::parse(origin, text)?;
    let version = roots.iter().map(|(version, _)| *version).max().unwrap_or(0) + 1;
    roots.push((version, random_secret()?));
    Ok((version, document::render(&roots)))
}

/// Writes a key file that is not there yet.
pub(super) fn create(path: &Path, text: &str) -> Result<(), KeysError> {
    write_new(path, text).map_err(|source| KeysError::WriteFile { path: path.to_owned(), source })
}

/// Replaces a key file as a whole, so that nobody ever reads half of it.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), KeysError> {
    let beside = path.with_added_extension("new");
    let replaced = write_new(&beside, text).and_then(|()| fs::rename(&beside, path)).inspect_err(|error| {
        // another's is left alone; what is left of ours is of no use
        if error.kind() != io::ErrorKind::AlreadyExists {
            let _ = fs::remove_file(&beside);
        }
    });
    replaced.map_err(|source| KeysError::WriteFile { path: path.to_owned(), source })
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all())
}

/// A key file that is read again and again, because its roots are rotated by replacing it.
#[derive(Clone, Debug)]
pub struct FileSource(PathBuf);

impl FileSource {
    /// The file.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

impl KeySource for FileSource {
    fn origin(&self) -> String {
        self.0.display().to_string()
    }

    async fn load(&mut self) -> Result<RootKeys, KeysError> {
        FileKeys::open(&self.0).map(|keys| keys.roots)
    }
}

pub(super) fn read_owned(path: &Path) -> Result<Zeroizing<String>, KeysError> {
    private_file::read(path, OTHERS, FILE_BYTES_MAX).map_err(|source| KeysError::ReadFile { source })
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    use mesh_avro::keys::{KeyName, KeyRing};

    use super::*;
    use crate::private_file::PrivateFileError;

    #[test]
    fn generated_once_and_the_same_ever_after() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        let generated = FileKeys::open_or_generate(&path).expect("a new file");
        let reopened = FileKeys::open_or_generate(&path).expect("the same file");
        let name = KeyName::hash("pii.contact");
        let secrets = [generated, reopened].map(|keys| *keys.key(&name).expect("a root").secret());
        assert_eq!(secrets[0], secrets[1]);
        assert_eq!(fs::metadata(&path).expect("the file").permissions().mode() & 0o777, OWNER_ONLY);
        assert!(matches!(FileKeys::generate(&path), Err(KeysError::WriteFile { .. })));
    }

    #[test]
    fn refused_when_others_can_use_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        FileKeys::generate(&path).expect("a new file");
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("the owner's right");
            let error = FileKeys::open(&path).expect_err("open to others");
            assert!(matches!(error, KeysError::ReadFile { source: PrivateFileError::OpenToOthers { .. } }), "{error}");
        }
    }

    #[test]
    fn a_rotation_adds_a_version_and_keeps_the_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        let before = FileKeys::generate(&path).expect("a new file");
        assert_eq!(FileKeys::rotate(&path).expect("it is ours"), 2);
        assert_eq!(FileKeys::rotate(&path).expect("it is ours"), 3);
        let after = FileKeys::open(&path).expect("it is whole");
        assert_eq!(after.versions().collect::<Vec<_>>(), [1, 2, 3]);
        after.roots.succeed(&before.roots).expect("the first is still there");
        assert_eq!(fs::metadata(&path).expect("the file").permissions().mode() & 0o777, OWNER_ONLY);
        assert_eq!(fs::read_dir(folder.path()).expect("ours").count(), 1, "nothing is left beside it");
    }

    #[test]
    fn missing_is_named() {
        let error = FileKeys::open(Path::new("nowhere/keys.json")).expect_err("no such file");
        let cause = std::error::Error::source(&error).expect("what the system said").to_string();
        assert!(cause.contains("nowhere/keys.json"), "{cause}");
    }
}
