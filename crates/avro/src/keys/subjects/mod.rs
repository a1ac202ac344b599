//! A key for each subject, of which any can be forgotten: destroyed, so that nobody can ever make it again.
//!
//! A subject is whom a product's records are about. Its *path* is a keyed hash of the product's id and its name, and its key is
//! a leaf of a [tree](tree) of secrets, at that path. The trees' roots are secrets of their own, which follow from no root
//! secret: what was destroyed would else be derived anew. The key of the paths is the same for all versions, so that who was
//! forgotten under one version stays forgotten under the next.

mod step;
mod tree;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hkdf::hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{RotationError, SECRET_BYTES};
use tree::{Node, Tree};

/// The highest version that a subject's key may have: one bit of what stands on each value tells it from other keys.
pub const SUBJECT_VERSION_MAX: u32 = i32::MAX as u32;

/// As many subjects as can be forgotten: what is read of a damaged file is bounded.
const FORGOTTEN_MAX: u128 = 1 << 20;
/// Bytes of a node as it is written: its first path, its depth, its secret.
const NODE_BYTES: usize = 8 + 1 + SECRET_BYTES;
/// Behind the depths of a tree.
const LEAF_LEVEL: u8 = 64;

type Secret = Zeroizing<[u8; SECRET_BYTES]>;

/// Where a subject of a product is in the trees. Says nothing about it to who has no keys; whoever has them can tell whether it is
/// the one of a subject whose name they know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectPath(pub u64);

impl fmt::Display for SubjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The keys of all subjects but those that were forgotten, by version.
#[derive(Clone)]
pub struct SubjectKeys {
    paths: Secret,
    trees: BTreeMap<u32, Arc<Tree>>,
    newest: u32,
}

/// What a subject's values are encrypted with.
pub(crate) struct SubjectSecrets {
    pub(crate) values: Secret,
    pub(crate) nonces: Secret,
}

/// Keys of subjects as they are written down, without a word about their form.
pub struct SubjectParts {
    /// The key of the paths.
    pub paths: Zeroizing<[u8; SECRET_BYTES]>,
    /// Each version, with what is left of its tree.
    pub trees: Vec<(u32, Zeroizing<Vec<u8>>)>,
}

impl SubjectKeys {
    /// The keys of all subjects, from two secrets that nothing else is derived from.
    #[must_use]
    pub fn new(version: u32, paths: Zeroizing<[u8; SECRET_BYTES]>, root: Zeroizing<[u8; SECRET_BYTES]>) -> SubjectKeys {
        let trees = BTreeMap::from([(version, Arc::new(Tree::whole(root)))]);
        SubjectKeys { paths, trees, newest: version }
    }

    /// Keys of a further version, which is the newest; without those of the subjects that were forgotten.
    #[must_use]
    pub fn rotated(&self, version: u32, root: Zeroizing<[u8; SECRET_BYTES]>) -> SubjectKeys {
        let gone = self.trees[&self.newest].holes();
        let whole = Tree::whole(root);
        let tree = gone.into_iter().fold(whole, |tree, path| tree.without(path).unwrap_or(tree));
        let mut rotated = self.clone();
        rotated.trees.insert(version, Arc::new(tree));
        rotated.newest = version.max(self.newest);
        rotated
    }

    /// The newest version.
    #[must_use]
    pub fn newest_version(&self) -> u32 {
        self.newest
    }

    /// The versions, the newest last.
    pub fn versions(&self) -> impl Iterator<Item = u32> {
        self.trees.keys().copied()
    }

    /// Where a subject of a product is. `subject` is its canonical form: text as it is, a UUID in lower case, a number in decimal,
    /// bytes as lower-case hex.
    #[must_use]
    pub fn path(&self, product: &[u8; 16], subject: &str) -> SubjectPath {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.paths.as_slice()).expect("HMAC takes keys of any length");
        mac.update(product);
        mac.update(subject.as_bytes());
        let hash: [u8; SECRET_BYTES] = mac.finalize().into_bytes().into();
        path_of(&hash)
    }

    /// The keys without a subject's, and the versions that it was in until now: none if it was forgotten before.
    #[must_use]
    pub fn without(&self, path: SubjectPath) -> (SubjectKeys, Vec<u32>) {
        let mut left = self.clone();
        let mut versions = Vec::new();
        for (version, tree) in &mut left.trees {
            if let Some(punctured) = tree.without(path) {
                *tree = Arc::new(punctured);
                versions.push(*version);
            }
        }
        (left, versions)
    }

    /// The versions that still have a subject's key.
    pub fn versions_of(&self, path: SubjectPath) -> impl Iterator<Item = u32> {
        self.trees.iter().filter(move |(_, tree)| tree.leaf(path).is_some()).map(|(version, _)| *version)
    }

    /// How many subjects the newest version has forgotten.
    #[must_use]
    pub fn forgotten(&self) -> usize {
        usize::try_from(self.trees[&self.newest].holes_count()).unwrap_or(usize::MAX)
    }

    /// Whether these may take the place of `before`: the newest version of those is there, and every version that both have is what
    /// is left of it. Nobody who was forgotten ever comes back.
    pub(super) fn succeed(&self, before: &SubjectKeys) -> Result<(), RotationError> {
        if self.paths != before.paths {
            return Err(RotationError::Paths);
        }
        if !self.trees.contains_key(&before.newest) || self.newest < before.newest {
            return Err(RotationError::SubjectsGone { version: before.newest });
        }
        let is_other = |(version, tree): (&u32, &Arc<Tree>)| {
            let known = before.trees.get(version)?;
            (!Arc::ptr_eq(tree, known) && tree.nodes() != known.nodes() && !tree.is_left_of(known)).then_some(*version)
        };
        match self.trees.iter().find_map(is_other) {
            Some(version) => Err(RotationError::Remembered { version }),
            None => Ok(()),
        }
    }

    /// What a subject's values are encrypted with; none if it was forgotten, or there is no such version.
    pub(crate) fn secrets(&self, version: u32, path: SubjectPath) -> Option<SubjectSecrets> {
        let leaf = self.trees.get(&version)?.leaf(path)?;
        let part = |index| step::step(&leaf, LEAF_LEVEL, index);
        Some(SubjectSecrets { values: part(0), nonces: part(1) })
    }

    /// The key of the paths.
    pub(crate) fn path_key(&self) -> &[u8; SECRET_BYTES] {
        &self.paths
    }

    /// The key that hides a path where it stands beside a value.
    pub(crate) fn cover_key(&self) -> Zeroizing<[u8; SECRET_BYTES]> {
        step::step(&self.paths, LEAF_LEVEL, 0)
    }

    /// As they are written down.
    #[must_use]
    pub fn to_parts(&self) -> SubjectParts {
        let written = |tree: &Tree| {
            let mut bytes = Zeroizing::new(Vec::with_capacity(tree.nodes().len() * NODE_BYTES));
            for node in tree.nodes() {
                bytes.extend_from_slice(&node.start.to_be_bytes());
                bytes.push(node.depth);
                bytes.extend_from_slice(node.secret.as_slice());
            }
            bytes
        };
        let trees = self.trees.iter().map(|(version, tree)| (*version, written(tree)));
        SubjectParts { paths: self.paths.clone(), trees: trees.collect() }
    }

    /// As they were written down; none where that is not what [`SubjectKeys::to_parts`] gives.
    #[must_use]
    pub fn from_parts(parts: &SubjectParts) -> Option<SubjectKeys> {
        let mut trees = BTreeMap::new();
        for (version, bytes) in &parts.trees {
            let tree = read(bytes).filter(|tree| tree.holes_count() <= FORGOTTEN_MAX)?;
            let is_sound = (1..=SUBJECT_VERSION_MAX).contains(version);
            if !is_sound || trees.insert(*version, Arc::new(tree)).is_some() {
                return None;
            }
        }
        let newest = *trees.keys().next_back()?;
        Some(SubjectKeys { paths: parts.paths.clone(), trees, newest })
    }
}

fn read(bytes: &[u8]) -> Option<Tree> {
    let (nodes, []) = bytes.as_chunks::<NODE_BYTES>() else { return None };
    let node = |bytes: &[u8; NODE_BYTES]| {
        let (start, rest) = bytes.split_first_chunk::<8>()?;
        let (depth, secret) = rest.split_first()?;
        let secret = Zeroizing::new(*secret.first_chunk::<SECRET_BYTES>()?);
        Some(Node { start: u64::from_be_bytes(*start), depth: *depth, secret })
    };
    Tree::from_nodes(nodes.iter().map(node).collect::<Option<Vec<Node>>>()?)
}

/// The path that a keyed hash of a product and a subject says.
pub(crate) fn path_of(hash: &[u8; SECRET_BYTES]) -> SubjectPath {
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    SubjectPath(u64::from_be_bytes(first))
}

impl PartialEq for SubjectKeys {
    fn eq(&self, other: &SubjectKeys) -> bool {
        let is_same = |(one, two): (&Arc<Tree>, &Arc<Tree>)| Arc::ptr_eq(one, two) || one.nodes() == two.nodes();
        self.paths == other.paths
            && self.trees.keys().eq(other.trees.keys())
            && self.trees.values().zip(other.trees.values()).all(is_same)
    }
}

impl Eq for SubjectKeys {}

impl fmt::Debug for SubjectKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions: Vec<u32> = self.versions().collect();
        f.debug_struct("SubjectKeys").field("versions", &versions).finish_non_exhaustive()
    }
}

impl fmt::Debug for SubjectParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubjectParts").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PRODUCT: [u8; 16] = [4; 16];

    fn secret(byte: u8) -> Secret {
        Zeroizing::new([byte; SECRET_BYTES])
    }

    fn keys() -> SubjectKeys {
        SubjectKeys::new(1, secret(1), secret(2))
    }

    fn has(keys: &SubjectKeys, version: u32, subject: &str) -> bool {
        keys.secrets(version, keys.path(&PRODUCT, subject)).is_some()
    }

    #[test]
    fn who_is_forgotten_stays_so_under_the_next_version() {
        let (left, versions) = keys().without(keys().path(&PRODUCT, "jane"));
        assert_eq!((versions, left.forgotten()), (vec![1], 1));
        let rotated = left.rotated(2, secret(3));
        assert!(!has(&rotated, 1, "jane") && !has(&rotated, 2, "jane"));
        assert!(has(&rotated, 1, "john") && has(&rotated, 2, "john"));
        let (again, versions) = rotated.without(rotated.path(&PRODUCT, "jane"));
        assert!(versions.is_empty() && again == rotated, "it is forgotten already");
        let (both, versions) = rotated.without(rotated.path(&PRODUCT, "john"));
        assert_eq!((versions, both.forgotten()), (vec![1, 2], 2));
    }

    #[test]
    fn a_subject_is_one_of_its_product_only() {
        let path = keys().path(&PRODUCT, "jane");
        assert_ne!(path, keys().path(&[5; 16], "jane"));
        assert_ne!(path, keys().path(&PRODUCT, "jane "));
        // Computed with Python's hmac.
        assert_eq!(path.to_string(), "ccc09ebb5194013e");
    }

    #[test]
    fn what_is_written_down_is_read_again() {
        let (left, _) = keys().rotated(7, secret(3)).without(keys().path(&PRODUCT, "jane"));
        assert_eq!(SubjectKeys::from_parts(&left.to_parts()).unwrap(), left);
        let mut cut = left.to_parts();
        cut.trees[0].1.pop();
        assert!(SubjectKeys::from_parts(&cut).is_none());
        let mut gone = left.to_parts();
        gone.trees[0].1.truncate(NODE_BYTES * 3);
        assert!(SubjectKeys::from_parts(&gone).is_none(), "so many nobody has forgotten");
        for version in [0, SUBJECT_VERSION_MAX + 1, 7] {
            let mut wrong = left.to_parts();
            wrong.trees[0].0 = version;
            assert!(SubjectKeys::from_parts(&wrong).is_none(), "{version}");
        }
        let none = SubjectParts { paths: secret(1), trees: Vec::new() };
        assert!(SubjectKeys::from_parts(&none).is_none());
    }

    #[test]
    fn only_what_is_left_may_take_their_place() {
        let before = keys();
        let (left, _) = before.without(before.path(&PRODUCT, "jane"));
        assert_eq!(left.succeed(&before), Ok(()));
        assert_eq!(left.rotated(2, secret(3)).succeed(&left), Ok(()));
        assert_eq!(before.succeed(&left), Err(RotationError::Remembered { version: 1 }));
        assert_eq!(SubjectKeys::new(1, secret(9), secret(2)).succeed(&before), Err(RotationError::Paths));
        let other = SubjectKeys::new(2, secret(1), secret(3));
        assert_eq!(other.succeed(&before), Err(RotationError::SubjectsGone { version: 1 }));
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(
            format!("{:?} {:?}", keys(), keys().to_parts()),
            "SubjectKeys { versions: [1], .. } SubjectParts { .. }"
        );
    }
}
