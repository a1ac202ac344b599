//! The schemas of the working tree, by path.

use super::files::File;
use super::finding;
use super::library::{Library, TreeSchema};
use mesh_contract::Finding;
use std::collections::BTreeMap;

/// What a file ends in that is an Avro schema.
pub(super) const EXTENSION: &str = ".avsc";

/// Every schema of the working tree; none where the file is not valid, which is a finding already.
pub(super) struct Schemas<'f>(BTreeMap<&'f str, Option<TreeSchema>>);

impl<'f> Schemas<'f> {
    pub(super) fn parse(files: &'f [File], findings: &mut Vec<Finding>) -> Self {
        let files = files.iter().filter(|file| file.name.ends_with(EXTENSION));
        let mut schemas = BTreeMap::new();
        let mut texts = Vec::new();
        for file in files {
            schemas.insert(file.name.as_str(), None);
            match file.text() {
                Ok(text) => texts.push((file.name.as_str(), text)),
                Err(found) => findings.extend(found),
            }
        }
        let library = Library::of(texts.iter().copied());
        for (path, _) in texts {
            match library.read(path) {
                Some(Ok(schema)) => drop(schemas.insert(path, Some(schema))),
                Some(Err(fault)) => findings.extend(finding::unusable(&fault, path, &library)),
                None => {}
            }
        }
        Self(schemas)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The schema of that path: none if there is no file, an inner none if it is not valid.
    pub(super) fn get(&self, path: &str) -> Option<Option<&TreeSchema>> {
        self.0.get(path).map(Option::as_ref)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'f str> {
        self.0.keys().copied()
    }

    pub(super) fn valid(&self) -> impl Iterator<Item = &TreeSchema> {
        self.0.values().flatten()
    }
}
