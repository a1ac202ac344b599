//! The schemas of the working tree, by path.

use super::files::File;
use super::finding;
use mesh_avro::schema::Schema;
use mesh_contract::Finding;
use std::collections::BTreeMap;

/// What a file ends in that is an Avro schema.
const EXTENSION: &str = ".avsc";

/// A schema and the text it was read from.
#[derive(Debug)]
pub(super) struct SchemaFile<'f> {
    pub(super) text: &'f str,
    pub(super) schema: Schema,
}

/// Every schema of the working tree; none where the file is not valid, which is a finding already.
pub(super) struct Schemas<'f>(BTreeMap<&'f str, Option<SchemaFile<'f>>>);

impl<'f> Schemas<'f> {
    pub(super) fn parse(files: &'f [File], findings: &mut Vec<Finding>) -> Self {
        let schemas = files.iter().filter(|file| file.name.ends_with(EXTENSION));
        Self(schemas.map(|file| (file.name.as_str(), parse(file, findings))).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The schema of that path: none if there is no file, an inner none if it is not valid.
    pub(super) fn get(&self, path: &str) -> Option<Option<&SchemaFile<'f>>> {
        self.0.get(path).map(Option::as_ref)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'f str> {
        self.0.keys().copied()
    }

    pub(super) fn valid(&self) -> impl Iterator<Item = (&'f str, &SchemaFile<'f>)> {
        self.0.iter().filter_map(|(name, file)| file.as_ref().map(|file| (*name, file)))
    }
}

fn parse<'f>(file: &'f File, findings: &mut Vec<Finding>) -> Option<SchemaFile<'f>> {
    let text = match file.text() {
        Ok(text) => text,
        Err(found) => {
            findings.extend(found);
            return None;
        }
    };
    match Schema::parse(text) {
        Ok(schema) => Some(SchemaFile { text, schema }),
        Err(error) => {
            findings.push(finding::schema_invalid(&file.name, &error));
            None
        }
    }
}
