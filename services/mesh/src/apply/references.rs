//! Schemas as the registry is given them: what they use of other subjects is named by versions, which the registry gives.

use super::registry::Registry;
use crate::failure::Failure;
use mesh_client::registry::Reference;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// A schema that a subject is to have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedSchema {
    /// As it is registered.
    pub(super) schema: Value,
    /// The types that it uses of other subjects, by their full names, which are those subjects' names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) references: Vec<String>,
}

/// The schemas that subjects are to have.
pub(super) type WantedSchemas = BTreeMap<String, WantedSchema>;

/// Which versions of their subjects the wanted schemas are, asked for once.
pub(super) struct Versions<'a> {
    registry: &'a Registry,
    wanted: &'a WantedSchemas,
    /// By subject: the version and its id; none where the schema is not registered.
    known: HashMap<String, Option<(u32, u32)>>,
}

impl<'a> Versions<'a> {
    pub(super) fn new(registry: &'a Registry, wanted: &'a WantedSchemas) -> Self {
        Self { registry, wanted, known: HashMap::new() }
    }

    /// Which version of a subject its wanted schema is, and its id. A schema is not registered unless all that it uses is.
    pub(super) async fn of(&mut self, subject: &str) -> Result<Option<(u32, u32)>, Failure> {
        if let Some(known) = self.known.get(subject) {
            return Ok(*known);
        }
        let Some(wanted) = self.wanted.get(subject) else { return Ok(None) };
        // schemas that use one another end here: a plan from a file may say anything
        self.known.insert(subject.to_owned(), None);
        let found = match self.references(&wanted.references).await? {
            Ok(references) => self.registry.look_up(subject, &wanted.schema, &references).await?,
            Err(_) => None,
        };
        self.known.insert(subject.to_owned(), found);
        Ok(found)
    }

    /// Types by the versions of their subjects that are wanted; an inner error names the first that is not registered.
    pub(super) async fn references(&mut self, names: &[String]) -> Result<Result<Vec<Reference>, String>, Failure> {
        let mut references = Vec::with_capacity(names.len());
        for name in names {
            match Box::pin(self.of(name)).await? {
                Some((version, _)) => {
                    references.push(Reference { name: name.clone(), subject: name.clone(), version });
                }
                None => return Ok(Err(name.clone())),
            }
        }
        Ok(Ok(references))
    }
}
