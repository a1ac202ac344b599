//! Compiled rules.

use super::{CompileError, MaskError, Rules, Scratch};
use crate::keys::KeyRing;
use crate::schema::Schema;

/// A view as it comes out of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewSchema {
    /// The view's name.
    pub name: String,
    /// The schema of its records, derived from the writer's.
    pub schema: serde_json::Value,
}

/// A tokenised column's key: what a reader of the `mesh-token-keys` header needs to ask for to reverse a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenKey {
    /// The column.
    pub column: String,
    /// Its class.
    pub class: String,
    /// The key's version.
    pub version: u32,
}

/// A contract's rules compiled against one writer schema, for all views at once.
///
/// The writer's fields are mapped to the contract's by name, then by aliases of either side. Fields that the contract's
/// schema does not know are [dropped](Program::dropped) from every view; columns that the writer lacks are no error.
#[derive(Debug)]
pub struct Program {}

impl Program {
    /// Compiles `rules` against a writer's schema.
    pub fn compile(rules: &Rules, writer: &Schema, keys: &dyn KeyRing) -> Result<Program, CompileError> {
        let _ = (rules, writer, keys);
        unimplemented!()
    }

    /// The views, in the order of [`Rules::views`]: their index is what [`Scratch::output`] takes.
    pub fn views(&self) -> &[ViewSchema] {
        &[]
    }

    /// The writer's fields that the contract's schema does not know, as paths: they are in no view.
    pub fn dropped(&self) -> &[String] {
        &[]
    }

    /// The keys of tokenised columns, for the header that lets their holder reverse them.
    pub fn token_keys(&self) -> &[TokenKey] {
        &[]
    }

    /// Walks a datum (without the wire format's prefix): validates all of it and makes every view of it.
    ///
    /// Never panics, whatever the bytes; work and memory are bounded (see the limits of this module).
    pub fn run(&self, scratch: &mut Scratch, datum: &[u8]) -> Result<(), MaskError> {
        let _ = (scratch, datum);
        Ok(())
    }

    /// Whether a record's Kafka key is the key column of the datum that was run last: its text as raw UTF-8, or its
    /// Avro encoding in the wire format. False if the datum has no key.
    pub fn key_matches(&self, scratch: &Scratch, datum: &[u8], key: &[u8]) -> bool {
        let _ = (scratch, datum, key);
        false
    }

    /// Writes a record's Kafka key as a view shows it to `out` (cleared first): masked like the key column, in the form
    /// it came in. For tombstones as well, where there is no datum.
    pub fn mask_key(&self, scratch: &mut Scratch, view: usize, key: &[u8], out: &mut Vec<u8>) -> Result<(), MaskError> {
        let _ = (scratch, view);
        out.clear();
        out.extend_from_slice(key);
        Ok(())
    }
}

/// The guard alone: whether `datum` is exactly one datum of `schema`, within the limits.
pub fn validate(schema: &Schema, datum: &[u8]) -> Result<(), MaskError> {
    let _ = (schema, datum);
    Ok(())
}
