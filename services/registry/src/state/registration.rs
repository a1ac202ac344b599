//! Registering a schema: who gets which id and version.

use std::sync::Arc;

use serde_json::Value;

use super::{Filter, Plan, Refusal, State, compatibility::chain};
use crate::{
    governance::Governed,
    log::{Mode, Record, Reference, SchemaValue},
    schema::{AVRO, Attachments, Candidate, Content},
    subject::Subject,
};

/// A schema as a client submits it.
#[derive(Clone, Debug)]
pub(crate) struct Submission {
    pub(crate) subject: Subject,
    pub(crate) schema: String,
    pub(crate) schema_type: Option<String>,
    pub(crate) references: Vec<Reference>,
    pub(crate) metadata: Option<Value>,
    pub(crate) rule_set: Option<Value>,
    pub(crate) normalize: bool,
    /// Only where the mode is IMPORT.
    pub(crate) id: Option<u32>,
    /// Checked if given: the version that this registration would get.
    pub(crate) version: Option<u32>,
    /// What a contract asks of it, if the subject is one of a product's.
    pub(crate) governed: Option<Arc<Governed>>,
}

/// What a submitted schema is registered as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Registered {
    pub(crate) id: u32,
    pub(crate) version: u32,
}

impl State {
    /// Plans a registration. The same schema again changes nothing.
    pub(crate) fn plan_registration(&self, submission: &Submission) -> Result<Plan<Registered>, Refusal> {
        let subject = &submission.subject;
        let candidate = self.candidate(submission)?;
        let existing = self.find(subject, &candidate.content, Filter::Live);
        if let Some((version, existing)) = existing.filter(|(_, found)| submission.id.is_none_or(|id| id == found.id)) {
            return Ok(Plan::nothing(Registered { id: existing.id, version }));
        }
        self.require_writable(subject)?;
        if self.mode_in_force(subject) == Mode::Import {
            return self.plan_import(submission, &candidate);
        }
        if let Some(id) = submission.id {
            let reason = format!("Subject '{subject}' is not in import mode, so the id {id} cannot be given");
            return Err(Refusal::NotPermitted { reason });
        }
        self.require_compatible(submission, &candidate)?;
        require_explained(submission, &candidate)?;
        let registered =
            Registered { id: self.id_for(subject, &candidate.content)?, version: self.next_version(subject) };
        let wanted = submission.version.filter(|version| *version != registered.version);
        if let Some(wanted) = wanted {
            let reason = format!("the version given is {wanted}, but the next one is {}", registered.version);
            return Err(Refusal::InvalidSchema { reason });
        }
        let records = self.registration(submission, &candidate, registered);
        Ok(Plan { records, outcome: registered })
    }

    /// The records of a registration: its context goes before its first subject.
    pub(super) fn registration(
        &self,
        submission: &Submission,
        candidate: &Candidate,
        registered: Registered,
    ) -> Vec<Record> {
        let context = submission.subject.context();
        let named = (!self.is_named(context)).then(|| Record::Context { context: context.to_owned() });
        named.into_iter().chain([schema_record(registered, submission, candidate)]).collect()
    }

    /// What a submission is registered as already; nothing also where that cannot be told yet.
    pub(crate) fn registered(&self, submission: &Submission) -> Option<Registered> {
        let candidate = self.candidate(submission).ok()?;
        let (version, existing) = self.find(&submission.subject, &candidate.content, Filter::Live)?;
        submission.id.is_none_or(|id| id == existing.id).then_some(Registered { id: existing.id, version })
    }

    /// Finds the version of a subject that a submitted schema is.
    pub(crate) fn look_up(&self, submission: &Submission, filter: Filter) -> Result<(u32, &super::Version), Refusal> {
        let subject = &submission.subject;
        if !self.has_subject(subject, filter) {
            return Err(Refusal::SubjectNotFound { subject: subject.to_string() });
        }
        let candidate = self.candidate(submission)?;
        self.find(subject, &candidate.content, filter).ok_or(Refusal::SchemaNotFound)
    }

    /// Parses a submitted schema with all that it refers to.
    pub(super) fn candidate(&self, submission: &Submission) -> Result<Candidate, Refusal> {
        let schema_type = submission.schema_type.as_deref().unwrap_or(AVRO);
        if !schema_type.eq_ignore_ascii_case(AVRO) {
            return Err(Refusal::InvalidSchema {
                reason: format!("the type {schema_type:?} is not served, only AVRO"),
            });
        }
        let texts = self.referenced(&submission.subject, &submission.references)?;
        let texts: Vec<&str> = texts.iter().map(|text| &**text).collect();
        let attachments = Attachments {
            references: self.pinned(&submission.subject, &submission.references),
            metadata: submission.metadata.clone(),
            rule_set: submission.rule_set.clone(),
        };
        let normalize = submission.normalize || self.normalizes(&submission.subject);
        Candidate::parse(&submission.schema, &texts, normalize, attachments)
            .map_err(|error| Refusal::InvalidSchema { reason: explain(&error) })
    }

    /// References with `latest` replaced by the version it means now: what is registered never changes.
    fn pinned(&self, referrer: &Subject, references: &[Reference]) -> Vec<Reference> {
        let pin = |reference: &Reference| {
            let subject = referrer.beside(&reference.subject);
            let newest =
                || self.versions(&subject, Filter::All).next_back().map_or(-1, |(number, _)| i64::from(number));
            let version = if reference.version > 0 { reference.version } else { newest() };
            Reference { version, ..reference.clone() }
        };
        references.iter().map(pin).collect()
    }

    fn require_compatible(&self, submission: &Submission, candidate: &Candidate) -> Result<(), Refusal> {
        let (subject, governed) = (&submission.subject, submission.governed.as_deref());
        let level = self.level_in_force(subject, governed);
        let earlier: Vec<_> = self.versions(subject, Filter::Live).collect();
        let details = self.violations(submission, candidate, level, &earlier)?;
        match details.is_empty() {
            true => Ok(()),
            false => Err(Refusal::Incompatible { subject: subject.to_string(), level: level.to_string(), details }),
        }
    }

    /// The id that the same content has in the context already, or the next one.
    fn id_for(&self, subject: &Subject, content: &Content) -> Result<u32, Refusal> {
        let context = subject.context();
        let existing = self.contexts.get(context).and_then(|ids| ids.by_content.get(content)).copied();
        // Ids are Java's signed integers to every client.
        let next = || self.highest_id(context).checked_add(1).filter(|id| i32::try_from(*id).is_ok());
        existing.or_else(next).ok_or(Refusal::NoIdsLeft)
    }

    /// The version after all that the subject has, deleted ones included.
    pub(super) fn next_version(&self, subject: &Subject) -> u32 {
        self.versions(subject, Filter::All).next_back().map_or(1, |(newest, _)| newest.saturating_add(1))
    }
}

/// Refuses a schema that a contract does not let pass, whatever came before it.
fn require_explained(submission: &Submission, candidate: &Candidate) -> Result<(), Refusal> {
    let unexplained = submission.governed.iter().flat_map(|governed| governed.unexplained(&candidate.parsed));
    let unexplained: Vec<String> = unexplained.collect();
    match unexplained.is_empty() {
        true => Ok(()),
        false => Err(Refusal::InvalidSchema { reason: unexplained.join(", ") }),
    }
}

fn schema_record(registered: Registered, submission: &Submission, candidate: &Candidate) -> Record {
    Record::Schema(SchemaValue {
        subject: submission.subject.to_string(),
        version: registered.version,
        id: registered.id,
        schema_type: None,
        references: candidate.content.references.clone(),
        metadata: submission.metadata.clone(),
        rule_set: submission.rule_set.clone(),
        schema: candidate.content.canonical.to_string(),
        deleted: false,
        others: serde_json::Map::new(),
    })
}

fn explain(error: &mesh_avro::schema::SchemaError) -> String {
    let hint = error.hint().map(|hint| format!("; hint: {hint}")).unwrap_or_default();
    format!("{}{hint}", chain(error))
}
