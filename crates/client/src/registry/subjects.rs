//! What a subject holds: its versions, its level, which version a schema is, and whose schema an id is.

use std::sync::Arc;

use mesh_contract::Compatibility;
use schema_registry_converter::schema_registry_common::SrCall;
use serde_json::Value;

use super::{RegistryClient, RegistryError, Version};

impl RegistryClient {
    /// The subjects that a schema is registered under, deleted versions included: what was written with one is still read.
    /// [`RegistryError::NotFound`] is certain, as for [`schema_by_id`](Self::schema_by_id).
    ///
    /// Always asks the registry: another subject may have registered the schema since.
    pub async fn subjects_of(&self, id: u32) -> Result<Vec<String>, RegistryError> {
        let what = format!("schema id {id}");
        let answer = self.shared.direct.get(&format!("schemas/ids/{id}/subjects?deleted=true")).await;
        let answer = answer.map_err(|error| error.into_error(&what, &self.shared.shown))?;
        let names = answer.as_array().ok_or_else(|| self.refused(&what, "the answer is no list of subjects"))?;
        Ok(names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
    }

    /// The schema ids of a subject's versions, oldest first; none if there is no such subject.
    pub async fn ids_of(&self, subject: &str) -> Result<Vec<u32>, RegistryError> {
        let what = format!("subject {subject}");
        let path = format!("subjects/{}/versions", super::url::segment(subject));
        let versions = match self.shared.direct.get(&path).await {
            Ok(answer) => answer,
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error.into_error(&what, &self.shared.shown)),
        };
        let versions = versions.as_array().ok_or_else(|| self.refused(&what, "the answer is no list of versions"))?;
        let mut ids = Vec::with_capacity(versions.len());
        for version in versions.iter().filter_map(Value::as_u64) {
            let answer = self.shared.direct.get(&format!("{path}/{version}")).await;
            let answer = answer.map_err(|error| error.into_error(&what, &self.shared.shown))?;
            let id = answer.get("id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
            ids.push(id.ok_or_else(|| self.refused(&what, "the answer names no id"))?);
        }
        Ok(ids)
    }

    /// The numbers of a subject's versions, oldest first; none if there is no such subject. With `deleted`, those that were
    /// deleted but can still be read are among them.
    pub async fn version_numbers(&self, subject: &str, deleted: bool) -> Result<Vec<u32>, RegistryError> {
        let path = format!("subjects/{}/versions?deleted={deleted}", super::url::segment(subject));
        let what = format!("subject {subject}");
        let numbers = match self.shared.direct.get(&path).await {
            Ok(answer) => answer,
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error.into_error(&what, &self.shared.shown)),
        };
        let numbers = numbers.as_array().ok_or_else(|| self.refused(&what, "the answer is no list of versions"))?;
        let numbers = numbers.iter().map(|number| number.as_u64().and_then(|number| u32::try_from(number).ok()));
        numbers
            .collect::<Option<_>>()
            .ok_or_else(|| self.refused(&what, "the answer names something else than versions"))
    }

    /// A version of a subject.
    pub async fn version(&self, subject: &str, number: u32) -> Result<Version, RegistryError> {
        let what = format!("version {number} of subject {subject}");
        let raw = self.ask(&what, SrCall::GetBySubjectAndVersion(subject, number)).await?;
        let id = raw.id.ok_or_else(|| self.refused(&what, "the answer names no id"))?;
        Ok(Version { version: number, schema: Arc::new(self.complete(&what, id, raw).await?) })
    }

    /// The compatibility level that is set for a subject itself; none if another's is in force for it.
    pub async fn own_compatibility(&self, subject: &str) -> Result<Option<Compatibility>, RegistryError> {
        let path = format!("config/{}", super::url::segment(subject));
        let what = format!("the level of {subject}");
        let answer = match self.shared.direct.get(&path).await {
            Ok(answer) => answer,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into_error(&what, &self.shared.shown)),
        };
        let level = answer.get("compatibilityLevel").or_else(|| answer.get("compatibility")).and_then(Value::as_str);
        match level.map(str::parse) {
            None => Ok(None),
            Some(level) => level.map(Some).map_err(|_| self.refused(&what, "the answer names no level")),
        }
    }
}
