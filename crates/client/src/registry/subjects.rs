//! Whose schema an id is.

use serde_json::Value;

use super::{RegistryClient, RegistryError};

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
}
