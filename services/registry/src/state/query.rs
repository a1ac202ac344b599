//! What can be asked of the state.

use std::{collections::BTreeSet, sync::Arc};

use uuid::Uuid;

use super::{Identified, Refusal, State, Version};
use crate::{
    schema::{Content, Stored},
    subject::{DEFAULT_CONTEXT, EVERY_CONTEXT, Subject},
};

/// Which versions count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Filter {
    /// Those that are not deleted.
    #[default]
    Live,
    /// Soft-deleted ones as well.
    All,
    /// Soft-deleted ones alone.
    DeletedOnly,
}

impl Filter {
    /// The filter of the query parameters `deleted` and `deletedOnly`.
    pub(crate) fn of(deleted: bool, deleted_only: bool) -> Self {
        match (deleted_only, deleted) {
            (true, _) => Self::DeletedOnly,
            (false, true) => Self::All,
            (false, false) => Self::Live,
        }
    }

    fn admits(self, version: &Version) -> bool {
        match self {
            Self::Live => !version.deleted,
            Self::All => true,
            Self::DeletedOnly => version.deleted,
        }
    }
}

/// A version as a client names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VersionSelector {
    Latest,
    Number(u32),
}

impl VersionSelector {
    /// Reads `latest`, `-1` or a positive number.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        if matches!(text, "latest" | "-1") {
            return Ok(Self::Latest);
        }
        let number = text.parse::<i32>().ok().filter(|number| *number > 0);
        number
            .map(|number| Self::Number(number.unsigned_abs()))
            .ok_or_else(|| Refusal::InvalidVersion { version: text.to_owned() })
    }

    fn as_number(self) -> i64 {
        match self {
            Self::Latest => -1,
            Self::Number(number) => number.into(),
        }
    }
}

impl State {
    /// Whether a context was used before, which the log says once.
    pub(super) fn is_named(&self, context: &str) -> bool {
        context == DEFAULT_CONTEXT || self.named_contexts.contains(context)
    }

    /// The versions of a subject, oldest first; none if there is no such subject.
    pub(crate) fn versions(
        &self,
        subject: &Subject,
        filter: Filter,
    ) -> impl DoubleEndedIterator<Item = (u32, &Version)> {
        let versions = self.subjects.get(subject).into_iter().flatten();
        versions.filter(move |(_, version)| filter.admits(version)).map(|(number, version)| (*number, version))
    }

    /// Whether a subject has any such version.
    pub(crate) fn has_subject(&self, subject: &Subject, filter: Filter) -> bool {
        self.versions(subject, filter).next().is_some()
    }

    /// One version of a subject.
    pub(crate) fn version(
        &self,
        subject: &Subject,
        selector: VersionSelector,
        filter: Filter,
    ) -> Result<(u32, &Version), Refusal> {
        let found = match selector {
            VersionSelector::Latest => self.versions(subject, filter).next_back(),
            VersionSelector::Number(wanted) => self.versions(subject, filter).find(|(number, _)| *number == wanted),
        };
        found.ok_or_else(|| self.no_version(subject, selector, filter))
    }

    fn no_version(&self, subject: &Subject, selector: VersionSelector, filter: Filter) -> Refusal {
        match self.has_subject(subject, filter) {
            true => Refusal::VersionNotFound { version: selector.as_number() },
            false => Refusal::SubjectNotFound { subject: subject.to_string() },
        }
    }

    /// Subjects in order whose name begins with `prefix`; an unqualified prefix means the default context.
    pub(crate) fn subjects<'a>(&'a self, prefix: &'a str, filter: Filter) -> impl Iterator<Item = &'a Subject> {
        let named = self.subjects.iter().filter(move |(subject, _)| has_prefix(subject, prefix));
        let with_versions = named.filter(move |(_, versions)| versions.values().any(|version| filter.admits(version)));
        with_versions.map(|(subject, _)| subject)
    }

    /// The version of a subject that has this content, the newest first.
    pub(crate) fn find(&self, subject: &Subject, content: &Content, filter: Filter) -> Option<(u32, &Version)> {
        self.versions(subject, filter).rev().find(|(_, version)| *version.schema.content == *content)
    }

    /// The schema behind an id, in a context.
    pub(crate) fn schema(&self, context: &str, id: u32) -> Result<&Arc<Stored>, Refusal> {
        Ok(&self.identified(context, id)?.schema)
    }

    /// The contexts and ids that a GUID stands for.
    pub(crate) fn ids_of(&self, guid: Uuid) -> impl Iterator<Item = (&str, u32)> {
        self.contexts.iter().filter_map(move |(context, ids)| Some((context.as_str(), *ids.by_guid.get(&guid)?)))
    }

    /// The context in which an id is meant: that of the subject it is asked for with, unless the id is of no use there.
    /// Then it is the first one where a subject of this name has versions and the id is known, as Confluent's does.
    pub(crate) fn context_of(&self, asked: Option<&Subject>, id: u32, context: &str) -> String {
        let known = |context: &str| self.identified(context, id).is_ok();
        let unqualified = asked.filter(|asked| !asked.name().is_empty() && context == DEFAULT_CONTEXT);
        let elsewhere = unqualified.filter(|_| !known(context)).and_then(|asked| {
            let mut contexts = self.contexts.keys();
            contexts.find(|other| known(other) && self.has_subject(&asked.within(other), Filter::All))
        });
        elsewhere.map_or_else(|| context.to_owned(), Clone::clone)
    }

    /// Where an id is used, in order.
    pub(crate) fn uses<'a>(
        &'a self,
        context: &str,
        id: u32,
        filter: Filter,
    ) -> Result<impl Iterator<Item = (&'a Subject, u32)> + use<'a>, Refusal> {
        let uses = self.identified(context, id)?.uses.iter();
        let admitted = move |(subject, version): &&(Subject, u32)| {
            let used = self.subjects.get(subject).and_then(|versions| versions.get(version));
            used.is_some_and(|version| filter.admits(version))
        };
        Ok(uses.filter(admitted).map(|(subject, version)| (subject, *version)))
    }

    /// The ids of the schemas that refer to a version of a subject.
    pub(crate) fn referenced_by(&self, subject: &Subject, version: u32) -> BTreeSet<u32> {
        let versions =
            self.subjects.iter().flat_map(|(user, versions)| versions.values().map(move |used| (user, used)));
        let refers = |(user, used): &(&Subject, &Version)| {
            let mut references = used.schema.content.references.iter();
            references
                .any(|reference| reference.version == i64::from(version) && user.beside(&reference.subject) == *subject)
        };
        versions.filter(|(_, used)| !used.deleted).filter(refers).map(|(_, used)| used.id).collect()
    }

    /// The names of the contexts that have subjects that count, or count as a whole; the default one is always there.
    pub(crate) fn contexts(&self, counts: impl Fn(&Subject) -> bool) -> BTreeSet<&str> {
        let used = self.subjects.keys().filter(|subject| counts(subject)).map(Subject::context);
        let named = self.named_contexts.iter().filter(|context| counts(&Subject::of_context(context)));
        used.chain(named.map(String::as_str)).chain([DEFAULT_CONTEXT]).collect()
    }

    /// The highest id ever given in a context.
    pub(crate) fn highest_id(&self, context: &str) -> u32 {
        self.contexts.get(context).map_or(0, |ids| ids.highest)
    }

    /// Where the log's writer takes changes for others, if that is known.
    pub(crate) fn writer(&self) -> Option<&str> {
        self.writer.as_deref()
    }

    /// How many schemas have an id.
    pub(crate) fn schema_count(&self) -> usize {
        self.contexts.values().map(|ids| ids.schemas.len()).sum()
    }

    /// How many subjects have a version, deleted or not.
    pub(crate) fn subject_count(&self) -> usize {
        self.subjects.len()
    }

    fn identified(&self, context: &str, id: u32) -> Result<&Identified, Refusal> {
        let ids = self.contexts.get(context);
        ids.and_then(|ids| ids.schemas.get(&id)).ok_or(Refusal::IdNotFound { id })
    }
}

fn has_prefix(subject: &Subject, prefix: &str) -> bool {
    match prefix.strip_prefix(EVERY_CONTEXT) {
        Some("") => true,
        Some(name) => subject.as_str().rsplit(':').next().is_some_and(|own| own.starts_with(name)),
        None => {
            let prefix = prefix.strip_prefix(":.:").unwrap_or(prefix);
            let same_context = prefix.starts_with(":.") || subject.context() == DEFAULT_CONTEXT;
            same_context && subject.as_str().starts_with(prefix)
        }
    }
}
