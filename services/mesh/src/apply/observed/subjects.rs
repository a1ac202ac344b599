//! Subjects as the registry has them.

use super::Published;
use crate::apply::registry::Registry;
use crate::apply::schemas;
use crate::apply::scope::Scope;
use crate::failure::Failure;
use mesh_avro::schema::Schema;
use mesh_contract::Compatibility;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A subject as the registry has it.
#[derive(Debug, Clone, Default)]
pub(in crate::apply) struct SubjectState {
    /// Its own level; none if the registry's is in force.
    pub(in crate::apply) level: Option<Compatibility>,
    /// Its versions, oldest first.
    pub(in crate::apply) versions: Vec<u32>,
    /// Versions that were deleted but can still be read.
    pub(in crate::apply) deleted: Vec<u32>,
    /// The version that the wanted schema is, and its id.
    pub(in crate::apply) wanted: Option<(u32, u32)>,
    /// The schemas that a new one is held against, where one is to be registered.
    pub(in crate::apply) history: Vec<Schema>,
    /// Versions after the wanted one that no revision of the contract had, and their ids.
    pub(in crate::apply) strangers: Vec<(u32, u32)>,
}

/// Looks at all subjects in scope.
pub(super) async fn look(
    registry: &Registry,
    scope: &Scope,
    published: &Published,
) -> Result<BTreeMap<String, SubjectState>, Failure> {
    let known = known(published);
    let mut found = BTreeMap::new();
    for (name, schema) in &scope.subjects {
        let none = BTreeSet::new();
        found.insert(name.clone(), look_at(registry, name, schema, known.get(name).unwrap_or(&none)).await?);
    }
    Ok(found)
}

async fn look_at(
    registry: &Registry,
    name: &str,
    schema: &Value,
    known: &BTreeSet<String>,
) -> Result<SubjectState, Failure> {
    let all = registry.versions(name, true).await?;
    let mut state = SubjectState { level: registry.level(name).await?, ..SubjectState::default() };
    if all.is_empty() {
        return Ok(state);
    }
    state.versions = registry.versions(name, false).await?;
    state.deleted = all.into_iter().filter(|number| !state.versions.contains(number)).collect();
    if state.versions.is_empty() {
        return Ok(state);
    }
    state.wanted = registry.look_up(name, schema).await?;
    match state.wanted {
        None => state.history = registry.history(name).await?,
        Some((wanted, _)) => {
            for number in state.versions.iter().filter(|number| **number > wanted) {
                let (id, text) = registry.version(name, *number).await?;
                let is_known = serde_json::from_str::<Value>(&text).is_ok_and(|text| known.contains(&text.to_string()));
                if !is_known {
                    state.strangers.push((*number, id));
                }
            }
        }
    }
    Ok(state)
}

/// The schemas that revisions of contracts had, by subject.
fn known(published: &Published) -> BTreeMap<String, BTreeSet<String>> {
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let products: Vec<String> = published.products().map(|(key, _)| key.to_owned()).collect();
    for applied in products.iter().flat_map(|product| published.revisions(product)) {
        for (subject, schema) in schemas::of_applied(&applied) {
            known.entry(subject).or_default().insert(schema.to_string());
        }
    }
    known
}
