//! The schemas of the working tree, by path.

use super::files::{self, File};
use super::finding;
use super::library::{Library, TreeSchema};
use mesh_avro::schema::{Schema, SchemaError};
use mesh_contract::Finding;
use std::collections::BTreeMap;
use std::path::Path;

/// What a file ends in that is an Avro schema.
pub(super) const EXTENSION: &str = ".avsc";

/// The files of schemas.
pub(super) const SCHEMAS: &str = "schemas";

/// Reads a schema's text that may use types which files of the tree under `root` define, as one document.
///
/// # Errors
/// It is not a valid schema, also with those files.
pub fn parse_schema(root: &Path, text: &str) -> Result<Schema, SchemaError> {
    /// No file of a tree has this path.
    const GIVEN: &str = "";
    let alone = match Schema::parse(text) {
        Ok(schema) => return Ok(schema),
        Err(error) => error,
    };
    // what cannot be read from the disk defines nothing
    let files = files::below(root, SCHEMAS).unwrap_or_default();
    let schemas = files.iter().filter(|file| file.name.ends_with(EXTENSION));
    let texts = schemas.filter_map(|file| Some((file.name.as_str(), file.text().ok()?)));
    let joined = Library::of(texts.chain([(GIVEN, text)])).schema(GIVEN);
    joined.map(|schema| schema.whole().clone()).ok_or(alone)
}

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
