//! Schemas that refer to versions of other subjects, and schemas that are told apart by what they say, however they are divided.

use mesh_avro::schema::Schema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{RegistryClient, RegistryError, url};

/// What a schema uses of another subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// The full name of the type that is used.
    pub name: String,
    /// The subject that it is registered under.
    pub subject: String,
    /// Which of its versions.
    pub version: u32,
}

impl RegistryClient {
    /// Registers a schema that uses types of other subjects and returns its id; the id it has, if it is there already. Always
    /// asks the registry.
    pub async fn register_with(
        &self,
        subject: &str,
        schema: &Value,
        references: &[Reference],
    ) -> Result<u32, RegistryError> {
        let path = format!("subjects/{}/versions", url::segment(subject));
        let what = format!("subject {subject}");
        let answer = self.shared.direct.post(&path, &body(schema, references)).await;
        let answer = answer.map_err(|error| error.into_error(&what, &self.shared.shown))?;
        number(&answer, "id").ok_or_else(|| self.refused(&what, "the answer names no id"))
    }

    /// Which version of a subject a schema is with these references, and its id; none if it is none of them. Always asks the
    /// registry.
    pub async fn look_up(
        &self,
        subject: &str,
        schema: &Value,
        references: &[Reference],
    ) -> Result<Option<(u32, u32)>, RegistryError> {
        let path = format!("subjects/{}", url::segment(subject));
        let what = format!("subject {subject}");
        let answer = match self.shared.direct.post(&path, &body(schema, references)).await {
            Ok(answer) => answer,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into_error(&what, &self.shared.shown)),
        };
        let found = number(&answer, "version").zip(number(&answer, "id"));
        found.map(Some).ok_or_else(|| self.refused(&what, "the answer names no version or no id"))
    }

    /// The id of a schema in a subject, whether it was registered in one document or with references; registers it if it is not
    /// there. [`RegistryError::Incompatible`] if the subject's level does not admit it.
    pub async fn id_of(&self, subject: &str, schema: &Value) -> Result<u32, RegistryError> {
        let known = (subject.to_owned(), schema.to_string());
        if let Some(id) = self.shared.registered.get(&known) {
            return Ok(*id);
        }
        let found = match self.look_up(subject, schema, &[]).await? {
            Some((_, id)) => Some(id),
            None => self.same(subject, schema).await?,
        };
        match found {
            Some(id) => Ok(id),
            None => self.register(subject, schema).await,
        }
    }

    /// The newest version that says the same as a schema, its references in place.
    async fn same(&self, subject: &str, schema: &Value) -> Result<Option<u32>, RegistryError> {
        let whole = |schema: Schema| schema.whole().ok();
        let Some(wanted) = Schema::parse_value(schema).ok().and_then(whole) else { return Ok(None) };
        for id in self.ids_of(subject).await?.into_iter().rev() {
            let registered = self.schema_by_id(id).await?;
            let has_references = !registered.references.is_empty();
            if has_references && registered.parse().ok().and_then(whole).as_ref() == Some(&wanted) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

fn body(schema: &Value, references: &[Reference]) -> Value {
    let mut body = json!({ "schemaType": "AVRO", "schema": schema.to_string() });
    if !references.is_empty() {
        body["references"] = json!(references);
    }
    body
}

fn number(answer: &Value, name: &str) -> Option<u32> {
    answer.get(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok())
}
