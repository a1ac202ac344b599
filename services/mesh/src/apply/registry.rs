//! What an apply asks of the registry, with failures as a command ends with them.

use crate::failure::Failure;
use mesh_avro::schema::Schema;
use mesh_client::registry::{Endpoint, Reference};
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

    /// The level that a subject has of its own.
    pub(super) async fn level(&self, subject: &str) -> Result<Option<Compatibility>, Failure> {
        self.0.own_compatibility(subject).await.map_err(refused)
    }

    /// The numbers of a subject's versions, oldest first, with or without deleted ones.
    pub(super) async fn versions(&self, subject: &str, deleted: bool) -> Result<Vec<u32>, Failure> {
        self.0.version_numbers(subject, deleted).await.map_err(refused)
    }

    /// The id of a version, and its schema; none if that cannot be read.
    pub(super) async fn version(&self, subject: &str, number: u32) -> Result<(u32, Option<Schema>), Failure> {
        let version = self.0.version(subject, number).await.map_err(refused)?;
        Ok((version.schema.id, version.schema.parse().ok()))
    }

    /// Which version of a subject a schema is, and its id.
    pub(super) async fn look_up(
        &self,
        subject: &str,
        schema: &Value,
        references: &[Reference],
    ) -> Result<Option<(u32, u32)>, Failure> {
        self.0.look_up(subject, schema, references).await.map_err(refused)
    }

    /// Registers a schema, if it is not registered yet.
    pub(super) async fn register(
        &self,
        subject: &str,
        schema: &Value,
        references: &[Reference],
    ) -> Result<(), Failure> {
        self.0.register_with(subject, schema, references).await.map(drop).map_err(refused)
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
