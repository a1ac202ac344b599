//! The form in which keys are written down: JSON, base64.
//!
//! ```json
//! {"roots":[{"version":1,"secret":"<base64 of 32 bytes>"}],
//!  "subjects":{"paths":"<base64 of 32 bytes>","trees":[{"version":1,"nodes":"<base64>"}]}}
//! ```
//! `subjects` are the [keys of subjects](SubjectKeys), with what is left of their trees: each node is 41 bytes, a path's first 8, its
//! depth and a secret. Older files have none.

use std::{collections::BTreeSet, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use mesh_avro::keys::{RootKeys, SubjectKeys, SubjectParts, SubjectPath};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{KeysError, random_secret};

/// Bytes of a root secret.
pub(super) const SECRET_BYTES: usize = 32;

/// A versioned root secret.
pub(super) type Root = (u32, Zeroizing<[u8; SECRET_BYTES]>);

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    roots: Vec<Entry>,
    #[serde(default)]
    subjects: Option<WrittenSubjects>,
}

#[derive(Deserialize, Serialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Entry {
    version: u32,
    secret: String,
}

#[derive(Deserialize, Serialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct WrittenSubjects {
    paths: String,
    trees: Vec<WrittenTree>,
}

#[derive(Deserialize, Serialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct WrittenTree {
    version: u32,
    nodes: String,
}

/// All keys of a provider.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) roots: Vec<Root>,
    pub(super) subjects: Option<SubjectKeys>,
}

impl Document {
    /// A root and keys of subjects, of version 1.
    pub(super) fn fresh() -> Result<Document, KeysError> {
        let subjects = SubjectKeys::new(1, random_secret()?, random_secret()?);
        Ok(Document { roots: vec![(1, random_secret()?)], subjects: Some(subjects) })
    }

    /// Reads keys; `origin` names where `text` came from. No error quotes any part of `text`.
    pub(super) fn parse(origin: &str, text: &str) -> Result<Document, KeysError> {
        let malformed = |why: String| KeysError::Malformed { origin: origin.to_owned(), why };
        let written: Written = serde_json::from_str(text).map_err(|error| not_json(origin, &error))?;
        if written.roots.is_empty() {
            return Err(malformed("`roots` is empty".to_owned()));
        }
        let mut versions = BTreeSet::new();
        let roots = written.roots.iter().map(|entry| {
            if entry.version == 0 || !versions.insert(entry.version) {
                return Err(malformed(format!("version {} is zero or there twice", entry.version)));
            }
            let secret = decode(&entry.secret).ok_or_else(|| {
                malformed(format!("the secret of version {} is not base64 of 32 bytes", entry.version))
            })?;
            Ok((entry.version, secret))
        });
        let roots = roots.collect::<Result<Vec<Root>, KeysError>>()?;
        let subjects = written.subjects.as_ref().map(|written| read(origin, written)).transpose()?;
        Ok(Document { roots, subjects })
    }

    /// Writes them.
    pub(super) fn render(&self) -> Zeroizing<String> {
        let subjects = self.subjects.as_ref().map(render_subjects);
        let bytes = subjects.as_ref().map_or(0, |subjects| subjects.len());
        let mut text = Zeroizing::new(String::with_capacity(64 + self.roots.len() * 96 + bytes));
        text.push_str("{\"roots\":[");
        for (index, (version, secret)) in self.roots.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let secret = encode(secret.as_slice());
            let entry = Zeroizing::new(format!("{comma}{{\"version\":{version},\"secret\":\"{}\"}}", secret.as_str()));
            text.push_str(&entry);
        }
        text.push(']');
        if let Some(subjects) = subjects {
            text.push_str(",\"subjects\":");
            text.push_str(&subjects);
        }
        text.push_str("}\n");
        text
    }

    /// With another root and other keys of subjects, whose version is the newest; returns that.
    pub(super) fn rotate(&mut self) -> Result<u32, KeysError> {
        let newest = self.roots.iter().map(|(version, _)| *version).max().unwrap_or(0);
        let version = newest.max(self.subjects.as_ref().map_or(0, SubjectKeys::newest_version)) + 1;
        self.roots.push((version, random_secret()?));
        self.subjects = Some(another(self.subjects.as_ref(), version)?);
        Ok(version)
    }

    /// With keys of subjects, where there are none yet; the version that they are of.
    pub(super) fn add_subjects(&mut self) -> Result<u32, KeysError> {
        let newest = self.roots.iter().map(|(version, _)| *version).max().unwrap_or(1);
        let added = match self.subjects.take() {
            Some(subjects) => subjects,
            None => another(None, newest)?,
        };
        Ok(self.subjects.insert(added).newest_version())
    }

    /// Without a subject's keys; the versions that had them until now.
    pub(super) fn forget(&mut self, subject: SubjectPath) -> Vec<u32> {
        let Some((left, versions)) = self.subjects.as_ref().map(|subjects| subjects.without(subject)) else {
            return Vec::new();
        };
        self.subjects = Some(left);
        versions
    }

    /// The keys, to be used.
    pub(super) fn root_keys(self, origin: &str) -> Result<RootKeys, KeysError> {
        let keys = super::root_keys(origin, self.roots)?;
        Ok(match self.subjects {
            Some(subjects) => keys.with_subjects(Arc::new(subjects)),
            None => keys,
        })
    }
}

/// Keys of subjects of a version, beside those that there are.
pub(super) fn another(subjects: Option<&SubjectKeys>, version: u32) -> Result<SubjectKeys, KeysError> {
    Ok(match subjects {
        Some(subjects) => subjects.rotated(version, random_secret()?),
        None => SubjectKeys::new(version, random_secret()?, random_secret()?),
    })
}

/// Reads keys of subjects that are written down alone.
pub(super) fn parse_subjects(origin: &str, text: &str) -> Result<SubjectKeys, KeysError> {
    let written: WrittenSubjects = serde_json::from_str(text).map_err(|error| not_json(origin, &error))?;
    read(origin, &written)
}

/// Writes keys of subjects.
pub(super) fn render_subjects(subjects: &SubjectKeys) -> Zeroizing<String> {
    let parts = subjects.to_parts();
    let bytes: usize = parts.trees.iter().map(|(_, nodes)| 64 + nodes.len().div_ceil(3) * 4).sum();
    let mut text = Zeroizing::new(String::with_capacity(128 + bytes));
    text.push_str("{\"paths\":\"");
    text.push_str(&encode(parts.paths.as_slice()));
    text.push_str("\",\"trees\":[");
    for (index, (version, nodes)) in parts.trees.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        text.push_str(&format!("{comma}{{\"version\":{version},\"nodes\":\""));
        text.push_str(&encode(nodes));
        text.push_str("\"}");
    }
    text.push_str("]}");
    text
}

fn read(origin: &str, written: &WrittenSubjects) -> Result<SubjectKeys, KeysError> {
    let malformed = |why: &str| KeysError::Malformed { origin: origin.to_owned(), why: why.to_owned() };
    let paths = decode(&written.paths).ok_or_else(|| malformed("`subjects.paths` is not base64 of 32 bytes"))?;
    let tree = |tree: &WrittenTree| Some((tree.version, Zeroizing::new(BASE64_STANDARD.decode(&tree.nodes).ok()?)));
    let trees = written.trees.iter().map(tree).collect::<Option<Vec<_>>>();
    let parts = trees.map(|trees| SubjectParts { paths, trees });
    parts
        .and_then(|parts| SubjectKeys::from_parts(&parts))
        .ok_or_else(|| malformed("`subjects.trees` are no trees of secrets: was the file changed by hand?"))
}

/// serde_json's message may quote a value, so only the position is passed on.
fn not_json(origin: &str, error: &serde_json::Error) -> KeysError {
    let why = format!("not the expected JSON at line {}, column {}", error.line(), error.column());
    KeysError::Malformed { origin: origin.to_owned(), why }
}

pub(super) fn decode(secret: &str) -> Option<Zeroizing<[u8; SECRET_BYTES]>> {
    let bytes = Zeroizing::new(BASE64_STANDARD.decode(secret).ok()?);
    let bytes: &[u8; SECRET_BYTES] = bytes.as_slice().try_into().ok()?;
    Some(Zeroizing::new(*bytes))
}

fn encode(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(BASE64_STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots() -> Vec<Root> {
        vec![(1, [7; 32].into()), (4, [9; 32].into())]
    }

    #[test]
    fn what_is_rendered_parses() {
        let keys = SubjectKeys::new(1, [1; 32].into(), [2; 32].into());
        let left = keys.without(SubjectPath(77)).0.rotated(4, [3; 32].into());
        for subjects in [None, Some(keys), Some(left)] {
            let document = Document { roots: roots(), subjects };
            assert_eq!(Document::parse("test", &document.render()).expect("a document"), document);
        }
    }

    #[test]
    fn a_rotation_gives_both_the_same_version_and_forgets_nobody_anew() {
        let mut document = Document { roots: roots(), subjects: None };
        assert!(document.forget(SubjectPath(77)).is_empty(), "there are no keys of subjects");
        assert_eq!(document.rotate().expect("random bytes"), 5);
        assert_eq!(document.forget(SubjectPath(77)), [5]);
        assert_eq!(document.rotate().expect("random bytes"), 6);
        assert!(document.forget(SubjectPath(77)).is_empty(), "it stays forgotten");
        assert_eq!(document.forget(SubjectPath(78)), [5, 6]);
    }

    #[test]
    fn malformed_documents_are_refused_without_quoting_them() {
        let secret = BASE64_STANDARD.encode([1; 32]);
        let twice = format!(r#"{{"roots":[{{"version":1,"secret":"{secret}"}},{{"version":1,"secret":"{secret}"}}]}}"#);
        let zero = format!(r#"{{"roots":[{{"version":0,"secret":"{secret}"}}]}}"#);
        let short = r#"{"roots":[{"version":1,"secret":"c2VjcmV0"}]}"#;
        let unknown = format!(r#"{{"roots":[{{"version":1,"secret":"{secret}","note":"hunter2"}}]}}"#);
        let misplaced = format!(r#"{{"roots":[{{"version":"{secret}","secret":1}}]}}"#);
        let subjects = |inner: &str| {
            format!(
                r#"{{"roots":[{{"version":1,"secret":"{secret}"}}],"subjects":{{"paths":"{secret}","trees":[{inner}]}}}}"#
            )
        };
        let (none, cut) = (subjects(""), subjects(r#"{"version":1,"nodes":"c2VjcmV0"}"#));
        let all_gone = subjects(r#"{"version":1,"nodes":""}"#);
        let cases = ["", "{}", r#"{"roots":[]}"#, &twice, &zero, short, &unknown, &misplaced, &none, &cut, &all_gone];
        for text in cases {
            let error = Document::parse("keys.json", text).expect_err(text).to_string();
            assert!(error.contains("keys.json"), "{error}");
            for quoted in [secret.as_str(), "c2VjcmV0", "hunter2"] {
                assert!(!error.contains(quoted), "{error}");
            }
        }
    }
}
