//! How a record of the log changes the state.

use std::{collections::BTreeMap, sync::Arc};

use super::{Identified, State, Version};
use crate::{
    log::{Record, SchemaValue},
    schema::Stored,
    subject::Subject,
};

/// A record that contradicts those before it, so that it changes nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("id {id} is given to version {version} of {subject}, but it means another schema already")]
pub(crate) struct Conflict {
    pub(crate) subject: Subject,
    pub(crate) version: u32,
    pub(crate) id: u32,
}

impl State {
    /// Applies the log's next record.
    pub(crate) fn apply(&mut self, record: Record) -> Result<(), Conflict> {
        match record {
            Record::Schema(value) => return self.put_version(&value),
            Record::SchemaGone { subject, version } => self.remove_version(&subject, version),
            Record::Config { subject, value } => drop(self.configs.insert(subject, value)),
            Record::ConfigGone { subject } => drop(self.configs.remove(&subject)),
            Record::Mode { subject, value } => drop(self.modes.insert(subject, value.mode)),
            Record::ModeGone { subject } => drop(self.modes.remove(&subject)),
            Record::DeleteSubject { subject, version } => self.soft_delete(&subject, version),
            Record::ClearSubject { subject } => self.clear(&subject),
            Record::Context { context } => _ = self.named_contexts.insert(context),
            Record::ContextGone { context } => _ = self.named_contexts.remove(&context),
            Record::IdMark { max_ids } => self.raise_highest(max_ids),
            Record::Writer { url } => self.writer = url,
            Record::Noop => {}
        }
        Ok(())
    }

    fn put_version(&mut self, value: &SchemaValue) -> Result<(), Conflict> {
        let subject = Subject::of_log(&value.subject);
        let schema = Stored::of_log(value);
        let schema = self.identify(&subject, value, schema)?;
        let version = Version { id: value.id, schema, deleted: value.deleted };
        let replaced = self.subjects.entry(subject.clone()).or_default().insert(value.version, version);
        if let Some(replaced) = replaced.filter(|replaced| replaced.id != value.id) {
            self.release(&subject, value.version, replaced.id);
        }
        Ok(())
    }

    /// Ties an id to its schema and its use; an id never changes its meaning.
    fn identify(&mut self, subject: &Subject, value: &SchemaValue, schema: Stored) -> Result<Arc<Stored>, Conflict> {
        let ids = self.contexts.entry(subject.context().to_owned()).or_default();
        let known = ids.schemas.get(&value.id);
        if known.is_some_and(|known| known.schema.content != schema.content) {
            return Err(Conflict { subject: subject.clone(), version: value.version, id: value.id });
        }
        // Versions of one id share one schema, as long as it is the same to the byte.
        let shared = known.filter(|known| *known.schema == schema).map(|known| known.schema.clone());
        let schema = shared.unwrap_or_else(|| Arc::new(schema));
        ids.highest = ids.highest.max(value.id);
        ids.by_content.entry(schema.content.clone()).or_insert(value.id);
        ids.by_guid.entry(schema.guid).or_insert(value.id);
        let fresh = || Identified { schema: schema.clone(), uses: Default::default() };
        let identified = ids.schemas.entry(value.id).or_insert_with(fresh);
        identified.uses.insert((subject.clone(), value.version));
        Ok(schema)
    }

    fn remove_version(&mut self, subject: &Subject, version: u32) {
        let Some(versions) = self.subjects.get_mut(subject) else { return };
        let removed = versions.remove(&version);
        if versions.is_empty() {
            self.subjects.remove(subject);
        }
        if let Some(removed) = removed {
            self.release(subject, version, removed.id);
        }
    }

    fn soft_delete(&mut self, subject: &Subject, up_to: u32) {
        let versions = self.subjects.get_mut(subject);
        let deleted = versions.into_iter().flat_map(|versions| versions.range_mut(..=up_to));
        deleted.for_each(|(_, version)| version.deleted = true);
    }

    fn clear(&mut self, subject: &Subject) {
        let versions = self.subjects.remove(subject).unwrap_or_default();
        for (version, removed) in versions {
            self.release(subject, version, removed.id);
        }
    }

    fn raise_highest(&mut self, max_ids: BTreeMap<String, u32>) {
        for (context, max_id) in max_ids {
            let ids = self.contexts.entry(context).or_default();
            ids.highest = ids.highest.max(max_id);
        }
    }

    /// Forgets that a version uses an id, and the schema with its last use.
    fn release(&mut self, subject: &Subject, version: u32, id: u32) {
        let Some(ids) = self.contexts.get_mut(subject.context()) else { return };
        let Some(identified) = ids.schemas.get_mut(&id) else { return };
        identified.uses.remove(&(subject.clone(), version));
        if identified.uses.is_empty() {
            let (content, guid) = (identified.schema.content.clone(), identified.schema.guid);
            ids.schemas.remove(&id);
            if ids.by_guid.get(&guid) == Some(&id) {
                ids.by_guid.remove(&guid);
            }
            if ids.by_content.get(&content) == Some(&id) {
                ids.by_content.remove(&content);
            }
        }
    }
}
