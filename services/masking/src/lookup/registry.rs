//! What a lookup asks the registry for, and what its answers mean for records.

use mesh_avro::schema::Schema;
use mesh_client::{RegistryClient, RegistryError};
use mesh_contract::value_subject;
use serde_json::Value;

use super::attempt::Setback;
use crate::{product::Product, quarantine::Reason, trouble::Trouble};

/// How many versions before a record's own are looked at; those before them are told apart by the registry.
const EARLIER_MAX: usize = 100;

/// The ids of the versions before the one that stands on a record of the product's input, oldest first.
///
/// The id must be registered under the input's own subject: with a schema that passed no check of this product, a record
/// might decode to something else than its producer wrote.
pub(super) async fn earlier(registry: &RegistryClient, product: &Product, id: u32) -> Result<Vec<u32>, Setback> {
    let subject = value_subject(&product.topics.input);
    let subjects = registry.subjects_of(id).await.map_err(unanswered)?;
    if !subjects.contains(&subject) {
        return Err(Setback::Refused(Reason::ForeignSchema { subject }));
    }
    let versions = registry.ids_of(&subject).await.map_err(trouble)?;
    // a version that was deleted since is not among them, and has none before it that matter
    let at = versions.iter().position(|version| *version == id).unwrap_or(0);
    Ok(versions[at.saturating_sub(EARLIER_MAX)..at].to_vec())
}

/// The schema of an id.
pub(super) async fn schema(registry: &RegistryClient, id: u32) -> Result<Schema, Setback> {
    let unusable = |why: String| Setback::Refused(Reason::SchemaUnusable { why });
    let schema = registry.schema_by_id(id).await.map_err(|error| match error {
        // the client's own verdict on a schema that is there: not Avro, too many references
        RegistryError::Refused { status: None, said, .. } => unusable(said),
        error => unanswered(error),
    })?;
    schema.parse().map_err(|error| unusable(error.to_string()))
}

/// Registers the schema that a view has when it is derived from a writer's schema.
pub(super) async fn register_view(
    registry: &RegistryClient,
    view: &str,
    subject: &str,
    schema: &Value,
) -> Result<u32, Setback> {
    registry.register(subject, schema).await.map_err(|error| match error {
        RegistryError::Incompatible { .. } | RegistryError::InvalidSchema { .. } => {
            tracing::warn!(subject, %error, "the registry refuses a view's schema");
            Setback::Refused(Reason::ViewSchemaRefused { view: view.to_owned() })
        }
        error => trouble(error),
    })
}

/// Only a registry that is certain says "not found"; everything else is waited for.
fn unanswered(error: RegistryError) -> Setback {
    match error {
        RegistryError::NotFound { .. } => Setback::Refused(Reason::UnknownSchemaId),
        error => trouble(error),
    }
}

fn trouble(error: RegistryError) -> Setback {
    Setback::Trouble(Trouble::Registry, error.to_string())
}
