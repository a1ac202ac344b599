//! Access to a schema registry that speaks Confluent's REST interface: this project's own, Confluent's, Karapace, Apicurio.

mod call;
mod endpoint;
mod error;
mod login;
mod references;
mod subjects;
mod url;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use mesh_avro::schema::{Schema, SchemaError};
use mesh_contract::Compatibility;
use schema_registry_converter::async_impl::schema_registry::{self as converter, SrSettings};
use schema_registry_converter::schema_registry_common::{RawRegisteredSchema, SchemaType, SrCall, SuppliedSchema};
use serde_json::{Value, json};

use call::Call;
pub use endpoint::Endpoint;
pub use error::RegistryError;
pub use login::{Credentials, Login, LoginError};
pub use references::Reference;

/// How long one attempt may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// Ids are few; a topic full of made-up ones must not fill the memory.
const CACHED_MAX: usize = 10_000;
/// A schema refers to others, which refer to others; longer chains are refused.
const REFERENCES_MAX: usize = 256;

/// A schema as the registry holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredSchema {
    /// Its id, which frames what is written with it.
    pub id: u32,
    /// Its text.
    pub text: String,
    /// The texts of the schemas that it refers to, each before those that refer to it.
    pub references: Vec<String>,
}

/// A version of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number within the subject.
    pub version: u32,
    /// Its schema.
    pub schema: Arc<RegisteredSchema>,
}

/// Whether a schema may be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the subject's compatibility level admits it.
    pub compatible: bool,
    /// Why not, as the registry words it.
    pub messages: Vec<String>,
}

/// A client of one registry, or of several replicas of one. Cheap to clone; clones share the cache.
///
/// What cannot be reached is tried again a few times within seconds; then it is [`RegistryError::Unavailable`], and it is
/// for the caller to wait. Schemas never change: they are asked for once.
#[derive(Clone)]
pub struct RegistryClient {
    shared: Arc<Shared>,
}

struct Shared {
    /// Without credentials, for messages.
    shown: String,
    settings: SrSettings,
    direct: Call,
    by_id: DashMap<u32, Arc<RegisteredSchema>>,
    registered: DashMap<(String, String), u32>,
}

impl RegisteredSchema {
    /// The schema, parsed.
    pub fn parse(&self) -> Result<Schema, SchemaError> {
        let references: Vec<&str> = self.references.iter().map(String::as_str).collect();
        Schema::parse_with(&self.text, &references)
    }
}

impl RegistryClient {
    /// A client of the registry at an [`Endpoint`], such as `"http://user:password@registry:8081"`. Nothing is sent yet.
    pub fn new(endpoint: impl Into<Endpoint>) -> Result<Self, RegistryError> {
        let (urls, login) = endpoint.into().split()?;
        let shown = url::shown(&urls);
        let mut settings = SrSettings::new_builder(urls[0].clone());
        for further in &urls[1..] {
            settings.add_url(further.clone());
        }
        login.authorize(&mut settings);
        let unusable = |source| RegistryError::Login { url: shown.clone(), source };
        let settings = settings.set_timeout(ATTEMPT_TIMEOUT).build_with(login.builder().map_err(unusable)?);
        let settings = settings.map_err(|error| RegistryError::Url { url: shown.clone(), said: error.error })?;
        let direct = Call::new(urls, login, ATTEMPT_TIMEOUT).map_err(unusable)?;
        let (by_id, registered) = (DashMap::new(), DashMap::new());
        Ok(RegistryClient { shared: Arc::new(Shared { shown, settings, direct, by_id, registered }) })
    }

    /// The registry's address, without credentials.
    pub fn url(&self) -> &str {
        &self.shared.shown
    }

    /// The schema of an id, with all that it refers to. [`RegistryError::NotFound`] is certain: the registry has read its
    /// whole log and has no such id.
    pub async fn schema_by_id(&self, id: u32) -> Result<Arc<RegisteredSchema>, RegistryError> {
        if let Some(known) = self.shared.by_id.get(&id) {
            return Ok(Arc::clone(&known));
        }
        let what = format!("schema id {id}");
        let raw = self.ask(&what, SrCall::GetById(id)).await?;
        let schema = Arc::new(self.complete(&what, id, raw).await?);
        if self.shared.by_id.len() >= CACHED_MAX {
            self.shared.by_id.clear();
        }
        self.shared.by_id.insert(id, Arc::clone(&schema));
        Ok(schema)
    }

    /// Registers a schema that stands for itself under a subject and returns its id; the id it has, if it is there already.
    /// [`RegistryError::Incompatible`] if the subject's level does not admit it.
    pub async fn register(&self, subject: &str, schema: &Value) -> Result<u32, RegistryError> {
        let text = schema.to_string();
        let known = (subject.to_owned(), text.clone());
        if let Some(id) = self.shared.registered.get(&known) {
            return Ok(*id);
        }
        let what = format!("subject {subject}");
        let id = self.post(&what, subject, &text).await?;
        if self.shared.registered.len() >= CACHED_MAX {
            self.shared.registered.clear();
        }
        self.shared.registered.insert(known, id);
        Ok(id)
    }

    /// The newest version of a subject.
    pub async fn latest(&self, subject: &str) -> Result<Version, RegistryError> {
        let what = format!("subject {subject}");
        let raw = self.ask(&what, SrCall::GetLatest(subject)).await?;
        let (Some(id), Some(version)) = (raw.id, raw.version) else {
            return Err(self.refused(&what, "the answer names no id or no version"));
        };
        Ok(Version { version, schema: Arc::new(self.complete(&what, id, raw).await?) })
    }

    /// All subjects that are not deleted, sorted.
    pub async fn subjects(&self) -> Result<Vec<String>, RegistryError> {
        let mut subjects = call::retry(|| converter::get_all_subjects(&self.shared.settings)).await;
        if let Ok(subjects) = &mut subjects {
            subjects.sort();
        }
        subjects.map_err(|error| RegistryError::of("the list of subjects", &self.shared.shown, error))
    }

    /// Whether a subject's compatibility level admits a schema; any does if there is no such subject.
    pub async fn check(&self, subject: &str, schema: &Value) -> Result<Verdict, RegistryError> {
        let path = format!("compatibility/subjects/{}/versions?verbose=true", url::segment(subject));
        let body = json!({ "schemaType": "AVRO", "schema": schema.to_string() });
        let what = format!("subject {subject}");
        match self.shared.direct.post(&path, &body).await {
            Ok(answer) => Ok(verdict(&answer)),
            Err(error) if error.is_not_found() => Ok(Verdict { compatible: true, messages: Vec::new() }),
            Err(error) => Err(error.into_error(&what, &self.shared.shown)),
        }
    }

    /// Sets a subject's compatibility level, or the global one.
    pub async fn set_compatibility(&self, subject: Option<&str>, level: Compatibility) -> Result<(), RegistryError> {
        let path = subject.map_or_else(|| "config".to_owned(), |subject| format!("config/{}", url::segment(subject)));
        let what = subject.map_or_else(|| "the global level".to_owned(), |subject| format!("the level of {subject}"));
        let body = json!({ "compatibility": level.to_string() });
        let answer = self.shared.direct.put(&path, &body).await;
        answer.map(|_| ()).map_err(|error| error.into_error(&what, &self.shared.shown))
    }

    /// The compatibility level that is in force for a subject.
    pub async fn compatibility(&self, subject: &str) -> Result<Compatibility, RegistryError> {
        let path = format!("config/{}?defaultToGlobal=true", url::segment(subject));
        let what = format!("the level of {subject}");
        let answer = self.shared.direct.get(&path).await;
        let answer = answer.map_err(|error| error.into_error(&what, &self.shared.shown))?;
        let level = answer.get("compatibilityLevel").or_else(|| answer.get("compatibility")).and_then(Value::as_str);
        let level = level.and_then(|level| level.parse().ok());
        level.ok_or_else(|| self.refused(&what, "the answer names no level"))
    }

    async fn ask(&self, what: &str, call: SrCall<'_>) -> Result<RawRegisteredSchema, RegistryError> {
        let answer = call::retry(|| converter::perform_sr_call(&self.shared.settings, call)).await;
        answer.map_err(|error| RegistryError::of(what, &self.shared.shown, error))
    }

    async fn post(&self, what: &str, subject: &str, text: &str) -> Result<u32, RegistryError> {
        let supplied = || SuppliedSchema::new(None, SchemaType::Avro, text.to_owned());
        let post = || converter::post_schema(&self.shared.settings, subject.to_owned(), supplied());
        let posted = call::retry(post).await;
        posted.map(|posted| posted.id).map_err(|error| RegistryError::of(what, &self.shared.shown, error))
    }

    /// A schema with the texts of all that it refers to.
    async fn complete(&self, what: &str, id: u32, raw: RawRegisteredSchema) -> Result<RegisteredSchema, RegistryError> {
        if let Some(other) = raw.schema_type.as_deref().filter(|schema_type| *schema_type != "AVRO") {
            return Err(self.refused(what, &format!("it is a {other} schema, and only Avro is read")));
        }
        let text = raw.schema.ok_or_else(|| self.refused(what, "the answer holds no schema"))?;
        let references = self.referenced(what, named(raw.references)).await?;
        Ok(RegisteredSchema { id, text, references })
    }

    /// The texts of all that a schema refers to, each before those that refer to it, each once.
    async fn referenced(&self, what: &str, direct: Vec<Named>) -> Result<Vec<String>, RegistryError> {
        let mut found: Vec<String> = Vec::new();
        let mut seen: HashSet<Named> = HashSet::new();
        // what is still to be done, the next last: a name to ask for, or a text whose own references are all there
        let mut open: Vec<Step> = direct.into_iter().rev().map(Step::Ask).collect();
        while let Some(step) = open.pop() {
            let (subject, version) = match step {
                Step::Keep(text) => {
                    // a type may be registered under two subjects
                    if !found.contains(&text) {
                        found.push(text);
                    }
                    continue;
                }
                Step::Ask(named) if !seen.insert(named.clone()) => continue,
                Step::Ask(named) => named,
            };
            if seen.len() > REFERENCES_MAX {
                return Err(self.refused(what, "it refers to too many other schemas"));
            }
            let call = SrCall::GetBySubjectAndVersion(&subject, version);
            let answer = self.ask(&format!("{subject} version {version}, which {what} refers to"), call).await?;
            let text = answer.schema.ok_or_else(|| self.refused(what, "the answer holds no schema"))?;
            open.push(Step::Keep(text));
            open.extend(named(answer.references).into_iter().rev().map(Step::Ask));
        }
        Ok(found)
    }

    fn refused(&self, what: &str, said: &str) -> RegistryError {
        let (what, url, said) = (what.to_owned(), self.shared.shown.clone(), said.to_owned());
        RegistryError::Refused { what, url, status: None, said }
    }
}

/// A version of a subject.
type Named = (String, u32);

/// A step on the way through references.
enum Step {
    Ask(Named),
    Keep(String),
}

fn named(
    references: Option<Vec<schema_registry_converter::schema_registry_common::RegisteredReference>>,
) -> Vec<Named> {
    references.unwrap_or_default().into_iter().map(|reference| (reference.subject, reference.version)).collect()
}

fn verdict(answer: &Value) -> Verdict {
    let messages = answer.get("messages").and_then(Value::as_array).into_iter().flatten();
    Verdict {
        compatible: answer.get("is_compatible").and_then(Value::as_bool).unwrap_or(false),
        messages: messages.filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}
