//! What an apply asks of the registry, with failures as a command ends with them.

use super::report::Change;
use crate::failure::Failure;
use mesh_avro::schema::Schema;
use mesh_client::registry::{Endpoint, Version};
use mesh_client::{RegistryClient, RegistryError};
use mesh_contract::Compatibility;
use serde_json::Value;

/// The registry that is applied to.
pub(super) struct Registry(RegistryClient);

impl Registry {
    pub(super) fn new(endpoint: impl Into<Endpoint>) -> Result<Self, Failure> {
        RegistryClient::new(endpoint).map(Self).map_err(refused)
    }

    /// Holds a subject to a level from now on.
    pub(super) async fn set_level(&self, subject: &str, level: Compatibility) -> Result<(), Failure> {
        self.0.set_compatibility(Some(subject), level).await.map_err(refused)
    }

    /// The versions of a subject, oldest first.
    pub(super) async fn history(&self, subject: &str) -> Result<Vec<Schema>, Failure> {
        let mut history = Vec::new();
        for id in self.0.ids_of(subject).await.map_err(refused)? {
            let registered = self.0.schema_by_id(id).await.map_err(refused)?;
            let unreadable = |error| {
                Failure::usage(format!("cannot compare with schema id {id}, a version of {subject}")).because(error)
            };
            history.push(registered.parse().map_err(unreadable)?);
        }
        Ok(history)
    }

    /// Registers a schema, if it is not registered yet; its id.
    pub(super) async fn register(&self, subject: &str, schema: &Value) -> Result<(u32, Change), Failure> {
        let before = self.latest(subject).await?;
        let id = self.0.register(subject, schema).await.map_err(refused)?;
        if before.as_ref().is_some_and(|before| before.schema.id == id) {
            return Ok((id, Change::Unchanged));
        }
        // An earlier version comes back with its id, and nothing is new.
        let after = self.latest(subject).await?;
        let is_new = before.map(|before| before.version) != after.map(|after| after.version);
        Ok((id, if is_new { Change::Registered } else { Change::Unchanged }))
    }

    async fn latest(&self, subject: &str) -> Result<Option<Version>, Failure> {
        match self.0.latest(subject).await {
            Ok(version) => Ok(Some(version)),
            Err(RegistryError::NotFound { .. }) => Ok(None),
            Err(error) => Err(refused(error)),
        }
    }
}

fn refused(error: RegistryError) -> Failure {
    let hint = error.hint();
    let failure = match &error {
        RegistryError::Unavailable { .. } => Failure::unreachable("cannot reach the schema registry"),
        RegistryError::Incompatible { .. } | RegistryError::InvalidSchema { .. } => {
            Failure::findings("the schema registry refuses a schema")
        }
        _ => Failure::usage("the schema registry refuses"),
    };
    let failure = failure.because(error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
