//! Compiled rules.

use std::fmt;
use std::sync::Arc;

use super::compile::{self, Code};
use super::key::KeyPlan;
use super::subject::SubjectPlan;
use super::{CompileError, MaskError, MaskErrorKind, Rules, Scratch};
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
pub struct Program {
    pub(super) code: Code,
    /// How many outputs are written; views that mask alike share one.
    pub(super) outputs: usize,
    pub(super) view_outputs: Arc<[u16]>,
    pub(super) views: Vec<ViewSchema>,
    pub(super) dropped: Vec<String>,
    pub(super) token_keys: Vec<TokenKey>,
    pub(super) key: Option<KeyPlan>,
    pub(super) subject: Option<SubjectPlan>,
}

impl Program {
    /// Compiles `rules` against a writer's schema.
    pub fn compile(rules: &Rules, writer: &Schema, keys: &dyn KeyRing) -> Result<Program, CompileError> {
        compile::program(rules, writer, keys)
    }

    /// The views, in the order of [`Rules::views`]: their index is what [`Scratch::output`] takes.
    pub fn views(&self) -> &[ViewSchema] {
        &self.views
    }

    /// The writer's fields that the contract's schema does not know, as paths: they are in no view.
    pub fn dropped(&self) -> &[String] {
        &self.dropped
    }

    /// The keys of tokenised columns, for the header that lets their holder reverse them.
    pub fn token_keys(&self) -> &[TokenKey] {
        &self.token_keys
    }

    /// Walks a datum (without the wire format's prefix): validates all of it and makes every view of it.
    ///
    /// Never panics, whatever the bytes; work and memory are bounded (see the limits of this module).
    pub fn run(&self, scratch: &mut Scratch, datum: &[u8]) -> Result<(), MaskError> {
        self.prepare(scratch, datum)?;
        scratch.machine.run(&self.code, datum)?;
        scratch.is_whole = true;
        Ok(())
    }

    /// The same for the datum that `bytes` begin with, as in a container file's block; returns its length. The outputs
    /// are those of `&bytes[..length]`.
    pub fn run_first(&self, scratch: &mut Scratch, bytes: &[u8]) -> Result<usize, MaskError> {
        self.prepare(scratch, bytes)?;
        let length = scratch.machine.run_first(&self.code, bytes)?;
        scratch.is_whole = true;
        Ok(length)
    }

    fn prepare(&self, scratch: &mut Scratch, bytes: &[u8]) -> Result<(), MaskError> {
        scratch.is_whole = false;
        if !Arc::ptr_eq(&scratch.view_outputs, &self.view_outputs) {
            scratch.view_outputs = Arc::clone(&self.view_outputs);
        }
        if let Some(subject) = &self.subject {
            subject.identify(&mut scratch.machine, bytes)?;
        }
        scratch.machine.reset(self.outputs);
        Ok(())
    }

    /// Whether the contract has a key column.
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Whether a record's Kafka key is the key column of the datum that was run last: its text as raw UTF-8, or its
    /// Avro encoding in the wire format. False if the datum has no key.
    pub fn key_matches(&self, scratch: &Scratch, datum: &[u8], key: &[u8]) -> bool {
        let value = scratch.key_range().and_then(|range| datum.get(range));
        self.key.as_ref().zip(value).is_some_and(|(plan, value)| plan.matches(value, key))
    }

    /// Writes a record's Kafka key as a view shows it to `out` (cleared first): masked like the key column, in the form
    /// it came in. For tombstones as well, where there is no datum.
    ///
    /// An error where the key is of neither form, or the contract has no key column: what nobody vouches for is not
    /// let through.
    pub fn mask_key(&self, scratch: &mut Scratch, view: usize, key: &[u8], out: &mut Vec<u8>) -> Result<(), MaskError> {
        match &self.key {
            Some(plan) => plan.write(view, key, &mut scratch.work, out),
            None => {
                out.clear();
                Err(MaskErrorKind::BadKey.at(0))
            }
        }
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let views: Vec<&str> = self.views.iter().map(|view| view.name.as_str()).collect();
        let mut shown = f.debug_struct("Program");
        shown.field("views", &views).field("instructions", &self.code.ops.len()).field("dropped", &self.dropped);
        shown.finish_non_exhaustive()
    }
}

/// The guard alone: validates data of a schema, masks nothing.
pub struct Guard {
    code: Code,
}

impl Guard {
    /// Compiles a schema.
    pub fn new(schema: &Schema) -> Result<Guard, CompileError> {
        Ok(Guard { code: compile::guard(schema)? })
    }

    /// Whether `datum` is exactly one datum of the schema, within the limits.
    pub fn check(&self, scratch: &mut Scratch, datum: &[u8]) -> Result<(), MaskError> {
        scratch.is_whole = false;
        scratch.machine.reset(0);
        scratch.machine.run(&self.code, datum)
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("instructions", &self.code.ops.len()).finish_non_exhaustive()
    }
}
