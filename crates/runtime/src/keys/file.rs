//! Root secrets from a file that only its owner can use.

use std::path::{Path, PathBuf};

use mesh_avro::keys::{RootKeys, SubjectPath};
use zeroize::Zeroizing;

use super::{
    KeysError,
    document::Document,
    held::{self, HeldFile},
};
use crate::private_file::{self, OTHERS};

/// No key file is larger: about 5 KiB a forgotten subject and version.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

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
        Ok(Self { roots: Document::parse(&origin, &text)?.root_keys(&origin)?, path: path.to_owned() })
    }

    /// Writes a new root secret to `path`, which must not exist yet, and opens it.
    ///
    /// # Errors
    /// The file exists or cannot be written, or the system gave no random bytes.
    pub fn generate(path: &Path) -> Result<Self, KeysError> {
        create(path, &Document::fresh()?.render())?;
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

    /// Adds a new root secret to `path`, and keys of subjects, whose version is the newest; returns that. The file is replaced as a
    /// whole, so that nobody ever reads half of it.
    ///
    /// # Errors
    /// The file cannot be read or replaced, or the system gave no random bytes.
    pub fn rotate(path: &Path) -> Result<u32, KeysError> {
        change(path, Document::rotate)
    }

    /// Adds keys of subjects to a file that has none yet; the version that they are of.
    ///
    /// # Errors
    /// As [`rotate`](Self::rotate).
    pub fn add_subjects(path: &Path) -> Result<u32, KeysError> {
        change(path, Document::add_subjects)
    }

    /// Takes a subject's keys out of `path`, for good; the versions that had them until now: none if it was forgotten before.
    ///
    /// # Errors
    /// As [`rotate`](Self::rotate).
    pub fn forget(path: &Path, subject: SubjectPath) -> Result<Vec<u32>, KeysError> {
        change(path, |document| Ok(document.forget(subject)))
    }
}

/// Changes what is in a file, where there is something to change.
fn change<T>(path: &Path, change: impl FnOnce(&mut Document) -> Result<T, KeysError>) -> Result<T, KeysError> {
    let held = HeldFile::of(path)?;
    let before = read_owned(path)?;
    let mut document = Document::parse(&path.display().to_string(), &before)?;
    let outcome = change(&mut document)?;
    let after = document.render();
    if after != before {
        held.replace(&after)?;
    }
    Ok(outcome)
}

/// Writes a key file that is not there yet.
pub(super) fn create(path: &Path, text: &str) -> Result<(), KeysError> {
    held::create(path, text).map_err(|source| KeysError::WriteFile { path: path.to_owned(), source })
}

pub(super) fn read_owned(path: &Path) -> Result<Zeroizing<String>, KeysError> {
    private_file::read(path, OTHERS, FILE_BYTES_MAX).map_err(|source| KeysError::ReadFile { source })
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt,
    };

    use mesh_avro::keys::{KeyName, KeyRing};

    use super::*;
    use crate::{keys::held::OWNER_ONLY, private_file::PrivateFileError};

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
    fn who_is_forgotten_is_in_no_version_and_all_others_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        let before = FileKeys::generate(&path).expect("a new file");
        FileKeys::rotate(&path).expect("it is ours");
        let known = FileKeys::open(&path).expect("it is whole").subjects().expect("there are some");
        let [jane, john] = ["jane", "john"].map(|name| known.path(&[1; 16], name));
        assert_eq!(FileKeys::forget(&path, jane).expect("it is ours"), [1, 2]);
        assert!(FileKeys::forget(&path, jane).expect("it is ours").is_empty(), "it is forgotten already");
        let after = FileKeys::open(&path).expect("it is whole");
        after.roots.succeed(&before.roots).expect("nobody came back");
        let left = after.subjects().expect("there are some");
        assert_eq!((left.versions_of(jane).count(), left.versions_of(john).count()), (0, 2));
        assert_eq!(FileKeys::rotate(&path).expect("it is ours"), 3);
        let rotated = FileKeys::open(&path).expect("it is whole").subjects().expect("there are some");
        assert_eq!((rotated.versions_of(jane).count(), rotated.versions_of(john).count()), (0, 3));
        assert_eq!(fs::read_dir(folder.path()).expect("ours").count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_file_without_keys_of_subjects_is_given_some() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        let document = Document { roots: vec![(3, [3; 32].into())], subjects: None };
        create(&path, &document.render()).expect("a new file");
        assert!(FileKeys::open(&path).expect("it is whole").subjects().is_err());
        assert_eq!(FileKeys::add_subjects(&path).expect("it is ours"), 3);
        let given = FileKeys::open(&path).expect("it is whole");
        assert_eq!(FileKeys::add_subjects(&path).expect("it is ours"), 3);
        let again = FileKeys::open(&path).expect("it is whole");
        assert_eq!(given.subjects().expect("some"), again.subjects().expect("some"));
    }

    #[test]
    fn missing_is_named() {
        let error = FileKeys::open(Path::new("nowhere/keys.json")).expect_err("no such file");
        let cause = std::error::Error::source(&error).expect("what the system said").to_string();
        assert!(cause.contains("nowhere/keys.json"), "{cause}");
    }
}
