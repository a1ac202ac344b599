//! Whose schema an id is.

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
}
