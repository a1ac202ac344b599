//! Schemas in files, with those that they refer to.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use mesh_avro::schema::{Position, Schema, SchemaError, locate};
use serde::Serialize;

use crate::failure::Failure;

/// A schema's file and text.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) file: String,
    pub(super) text: String,
}

/// A schema, and those that define types which it refers to, each before those that refer to it.
#[derive(Debug)]
pub(super) struct Referring {
    pub(super) schema: Source,
    pub(super) references: Rc<[Source]>,
}

/// A place in a schema's file: lines and columns from 1, and what stands there as a JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Place {
    file: String,
    line: u32,
    column: u32,
    pointer: String,
}

impl Source {
    pub(super) fn read(file: &Path) -> Result<Source, Failure> {
        let text = fs::read_to_string(file).map_err(|error| {
            Failure::usage(format!("cannot read the schema {}", file.display()))
                .because(error)
                .hint("name a file that holds one Avro schema as JSON")
        })?;
        Ok(Source { file: file.display().to_string(), text })
    }

    pub(super) fn read_all(files: &[PathBuf]) -> Result<Rc<[Source]>, Failure> {
        files.iter().map(|file| Source::read(file)).collect()
    }
}

impl Referring {
    pub(super) fn parse(&self) -> Result<Schema, SchemaError> {
        let references: Vec<&str> = self.references.iter().map(|reference| reference.text.as_str()).collect();
        Schema::parse_with(&self.schema.text, &references)
    }

    /// The place of a JSON pointer in the schema, which is document 0, or in its n-th reference.
    pub(super) fn place(&self, document: usize, pointer: &str) -> Place {
        let source = self.source(document);
        Place::new(source, locate(&source.text, pointer), pointer)
    }

    /// The place of what is not valid Avro.
    pub(super) fn place_of(&self, error: &SchemaError) -> Place {
        Place::new(self.source(error.document), error.position, &error.pointer)
    }

    fn source(&self, document: usize) -> &Source {
        document.checked_sub(1).and_then(|reference| self.references.get(reference)).unwrap_or(&self.schema)
    }
}

impl Place {
    fn new(source: &Source, position: Option<Position>, pointer: &str) -> Place {
        let Position { line, column } = position.unwrap_or(Position { line: 1, column: 1 });
        Place { file: source.file.clone(), line, column, pointer: pointer.to_owned() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
