//! Keys derived from root secrets.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Key, KeyError, KeyName, KeyRing, SECRET_BYTES, SubjectKeys};

/// Separates these keys from whatever else the same root may be used for.
const SALT: &[u8] = b"mesh/keys/v1";

/// Versioned root secrets; every named key is HKDF-SHA-256 of one of them.
#[derive(Clone)]
pub struct RootKeys {
    roots: BTreeMap<u32, Zeroizing<[u8; SECRET_BYTES]>>,
    newest: u32,
    subjects: Option<Arc<SubjectKeys>>,
}

impl RootKeys {
    /// The roots with their versions; the highest version is the newest.
    pub fn new(roots: impl IntoIterator<Item = (u32, Zeroizing<[u8; SECRET_BYTES]>)>) -> Result<RootKeys, KeyError> {
        let mut by_version = BTreeMap::new();
        for (version, secret) in roots {
            if by_version.insert(version, secret).is_some() {
                return Err(KeyError::DuplicateVersion { version });
            }
        }
        let newest = *by_version.keys().next_back().ok_or(KeyError::NoRoot)?;
        Ok(RootKeys { roots: by_version, newest, subjects: None })
    }

    /// One root of version 1.
    pub fn single(secret: Zeroizing<[u8; SECRET_BYTES]>) -> RootKeys {
        RootKeys { roots: BTreeMap::from([(1, secret)]), newest: 1, subjects: None }
    }

    /// The same, with keys of subjects beside them.
    #[must_use]
    pub fn with_subjects(self, subjects: Arc<SubjectKeys>) -> RootKeys {
        RootKeys { subjects: Some(subjects), ..self }
    }

    /// Whether both have the same keys of subjects, or none.
    pub fn has_same_subjects(&self, other: &RootKeys) -> bool {
        self.subjects == other.subjects
    }

    /// The newest version.
    pub fn newest_version(&self) -> u32 {
        self.newest
    }

    /// The versions, the newest last.
    pub fn versions(&self) -> impl Iterator<Item = u32> {
        self.roots.keys().copied()
    }

    /// Whether these roots may take the place of `before`: no version that both have is another secret, and the newest of
    /// `before` is still there, so that two versions overlap and what was made with it can be reversed.
    pub fn succeed(&self, before: &RootKeys) -> Result<(), RotationError> {
        let changed =
            before.roots.iter().find(|(version, root)| self.roots.get(version).is_some_and(|own| own != *root));
        if let Some((version, _)) = changed {
            return Err(RotationError::Changed { version: *version });
        }
        if !self.roots.contains_key(&before.newest) || self.newest < before.newest {
            return Err(RotationError::Gone { version: before.newest });
        }
        match (&self.subjects, &before.subjects) {
            (Some(own), Some(before)) => own.succeed(before),
            (None, Some(before)) => Err(RotationError::SubjectsGone { version: before.newest_version() }),
            (_, None) => Ok(()),
        }
    }
}

/// Roots that may not take the place of those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// A version is another secret now: values made with it would be told apart, or not be reversed.
    #[error("version {version} is another secret than before; a new secret needs a version of its own")]
    Changed {
        /// The version.
        version: u32,
    },
    /// The keys of subjects are found under other paths now: whoever is forgotten would not be found.
    #[error("the key of the subjects' paths is another one than before; it never changes")]
    Paths,
    /// Keys of subjects that values are made with are gone, all of them at once.
    #[error(
        "the subjects' keys of version {version}, which were the newest, are gone; keep them beside their successors"
    )]
    SubjectsGone {
        /// The version.
        version: u32,
    },
    /// Subjects that were forgotten have keys again, or all of them have other ones.
    #[error("the subjects' keys of version {version} are not what was left of them: was an older copy put back?")]
    Remembered {
        /// The version.
        version: u32,
    },
    /// The version that values are made with is gone.
    #[error("version {version}, which was the newest, is gone; keep it beside its successor")]
    Gone {
        /// The version.
        version: u32,
    },
}

impl KeyRing for RootKeys {
    fn key(&self, name: &KeyName) -> Result<Key, KeyError> {
        self.key_version(name, self.newest)
    }

    fn key_version(&self, name: &KeyName, version: u32) -> Result<Key, KeyError> {
        let unknown = || KeyError::UnknownVersion { name: name.clone(), version, newest: self.newest };
        let root = self.roots.get(&version).ok_or_else(unknown)?;
        Ok(Key::new(version, derive(root, name)))
    }

    fn subjects(&self) -> Result<Arc<SubjectKeys>, KeyError> {
        self.subjects.clone().ok_or(KeyError::NoSubjects)
    }
}

impl fmt::Debug for RootKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootKeys").field("versions", &self.roots.keys().collect::<Vec<_>>()).finish_non_exhaustive()
    }
}

fn derive(root: &[u8; SECRET_BYTES], name: &KeyName) -> Zeroizing<[u8; SECRET_BYTES]> {
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    Hkdf::<Sha256>::new(Some(SALT), root)
        .expand(name.as_str().as_bytes(), secret.as_mut_slice())
        .expect("32 bytes are less than the 8,160 that HKDF-SHA-256 can give");
    secret
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ring() -> RootKeys {
        RootKeys::new([(1, Zeroizing::new([1; 32])), (3, Zeroizing::new([3; 32]))]).unwrap()
    }

    #[test]
    fn the_highest_version_is_the_newest() {
        let name = KeyName::hash("pii");
        assert_eq!(ring().key(&name).unwrap().version(), 3);
        assert_eq!(ring().key_version(&name, 1).unwrap().version(), 1);
        assert_ne!(ring().key(&name).unwrap().secret(), ring().key_version(&name, 1).unwrap().secret());
    }

    #[test]
    fn names_separate_keys() {
        let names =
            [KeyName::hash("pii"), KeyName::tokenise("pii"), KeyName::encrypt("pii"), KeyName::hash("pii.name")];
        let secrets: std::collections::BTreeSet<[u8; 32]> =
            names.iter().map(|name| *ring().key(name).unwrap().secret()).collect();
        assert_eq!(secrets.len(), names.len());
    }

    #[test]
    fn a_derived_key_never_changes() {
        // Computed with Python's hmac. Another value here would mean that every hash in the mesh changed.
        let key = RootKeys::single(Zeroizing::new([7; 32])).key(&KeyName::hash("pii.contact")).unwrap();
        let hex: String = key.secret().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "49c3e443b399b2d42fea4e6ce21d482893460ea53751952b6058edfad505b046");
    }

    #[test]
    fn what_is_missing_is_an_error() {
        assert_eq!(RootKeys::new([]).unwrap_err(), KeyError::NoRoot);
        let twice = [(1, Zeroizing::new([1; 32])), (1, Zeroizing::new([2; 32]))];
        assert_eq!(RootKeys::new(twice).unwrap_err(), KeyError::DuplicateVersion { version: 1 });
        let error = ring().key_version(&KeyName::hash("pii"), 2).unwrap_err();
        assert_eq!(error.to_string(), "key hash/pii has no version 2; the provider's newest is 3");
    }

    #[test]
    fn a_rotation_keeps_what_was_newest_and_changes_no_secret() {
        let roots = |pairs: &[(u32, u8)]| {
            RootKeys::new(pairs.iter().map(|(version, byte)| (*version, Zeroizing::new([*byte; 32])))).unwrap()
        };
        let before = roots(&[(1, 1), (2, 2)]);
        for fine in [&[(1, 1), (2, 2)][..], &[(1, 1), (2, 2), (3, 3)], &[(2, 2), (3, 3)], &[(2, 2)]] {
            assert_eq!(roots(fine).succeed(&before), Ok(()), "{fine:?}");
        }
        for gone in [&[(1, 1)][..], &[(3, 3)], &[(1, 1), (3, 3)]] {
            assert_eq!(roots(gone).succeed(&before), Err(RotationError::Gone { version: 2 }), "{gone:?}");
        }
        assert_eq!(roots(&[(1, 9), (2, 2), (3, 3)]).succeed(&before), Err(RotationError::Changed { version: 1 }));
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?} {:?}", ring(), ring().key(&KeyName::hash("pii")).unwrap());
        assert_eq!(shown, "RootKeys { versions: [1, 3], .. } Key { version: 3, .. }");
    }
}
