//! Subjects as the registry has them.

use super::Published;
use crate::apply::references::Versions;
use crate::apply::registry::Registry;
use crate::apply::schemas;
use crate::apply::scope::Scope;
use crate::failure::Failure;
use mesh_avro::schema::Schema;
use mesh_contract::Compatibility;
use serde_json::Value;
use std::collections::BTreeMap;

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
    let known = known(published, scope);
    let mut versions = Versions::new(registry, &scope.subjects);
    let mut found = BTreeMap::new();
    for name in scope.subjects.keys() {
        let none = Vec::new();
        let state = look_at(registry, &mut versions, name, known.get(name.as_str()).unwrap_or(&none)).await?;
        found.insert(name.clone(), state);
    }
    Ok(found)
}

async fn look_at(
    registry: &Registry,
    wanted: &mut Versions<'_>,
    name: &str,
    known: &[Value],
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
    state.wanted = wanted.of(name).await?;
    match state.wanted {
        None => state.history = registry.history(name).await?,
        Some((wanted, _)) => {
            for number in state.versions.iter().filter(|number| **number > wanted) {
                let (id, schema) = registry.version(name, *number).await?;
                if !schema.and_then(|schema| schema.whole().ok()).is_some_and(|schema| known.contains(&schema)) {
                    state.strangers.push((*number, id));
                }
            }
        }
    }
    Ok(state)
}

/// The schemas that revisions of contracts had, by subject, each in one document.
fn known<'s>(published: &Published, scope: &'s Scope) -> BTreeMap<&'s str, Vec<Value>> {
    let mut known: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let products: Vec<String> = published.products().map(|(key, _)| key.to_owned()).collect();
    for applied in products.iter().flat_map(|product| published.revisions(product)) {
        for (subject, schema) in schemas::of_applied(&applied, &scope.subjects) {
            let Some((subject, _)) = scope.subjects.get_key_value(&subject) else { continue };
            let schemas = known.entry(subject).or_default();
            if !schemas.contains(&schema) {
                schemas.push(schema);
            }
        }
    }
    known
}
