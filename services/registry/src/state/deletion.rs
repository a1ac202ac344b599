//! Deleting versions and subjects: softly, so that ids still resolve, and then for good.

use super::{Filter, Plan, Refusal, State, Version, VersionSelector};
use crate::{
    log::{Record, SchemaValue},
    subject::Subject,
};

impl State {
    /// Plans the deletion of a subject; the outcome is the versions that go.
    pub(crate) fn plan_subject_deletion(&self, subject: &Subject, permanent: bool) -> Result<Plan<Vec<u32>>, Refusal> {
        if !self.has_subject(subject, Filter::All) {
            return Err(Refusal::SubjectNotFound { subject: subject.to_string() });
        }
        self.require_writable(subject)?;
        if permanent { self.plan_subject_removal(subject) } else { self.plan_soft_subject_deletion(subject) }
    }

    fn plan_soft_subject_deletion(&self, subject: &Subject) -> Result<Plan<Vec<u32>>, Refusal> {
        let live: Vec<u32> = self.versions(subject, Filter::Live).map(|(number, _)| number).collect();
        let Some(newest) = live.last().copied() else {
            return Err(Refusal::SubjectSoftDeleted { subject: subject.to_string() });
        };
        live.iter().try_for_each(|version| self.require_unreferenced(subject, *version))?;
        let mut records = vec![Record::DeleteSubject { subject: subject.clone(), version: newest }];
        records.extend(self.settings_removal(subject));
        Ok(Plan { records, outcome: live })
    }

    fn plan_subject_removal(&self, subject: &Subject) -> Result<Plan<Vec<u32>>, Refusal> {
        if self.has_subject(subject, Filter::Live) {
            return Err(Refusal::SubjectNotSoftDeleted { subject: subject.to_string() });
        }
        let versions: Vec<u32> = self.versions(subject, Filter::All).map(|(number, _)| number).collect();
        let gone = versions.iter().map(|version| Record::SchemaGone { subject: subject.clone(), version: *version });
        let records = [self.id_mark()].into_iter().chain(gone).chain(self.settings_removal(subject)).collect();
        Ok(Plan { records, outcome: versions })
    }

    /// Plans the deletion of one version; the outcome is its number.
    pub(crate) fn plan_version_deletion(
        &self,
        subject: &Subject,
        selector: VersionSelector,
        permanent: bool,
    ) -> Result<Plan<u32>, Refusal> {
        let live_latest = !permanent && selector == VersionSelector::Latest;
        let filter = if live_latest { Filter::Live } else { Filter::All };
        let (number, version) = self.version(subject, selector, filter)?;
        self.require_writable(subject)?;
        let records = match (permanent, version.deleted) {
            (true, true) => {
                let gone = Record::SchemaGone { subject: subject.clone(), version: number };
                vec![self.id_mark(), gone]
            }
            (true, false) => {
                return Err(Refusal::VersionNotSoftDeleted { subject: subject.to_string(), version: number });
            }
            (false, true) => return Err(Refusal::VersionSoftDeleted { subject: subject.to_string(), version: number }),
            (false, false) => {
                self.require_unreferenced(subject, number)?;
                vec![Record::Schema(soft_deleted(subject, number, version))]
            }
        };
        Ok(Plan { records, outcome: number })
    }

    /// What has to be written before a version goes for good, lest its id be given again after a restart.
    fn id_mark(&self) -> Record {
        let max_ids = self.contexts.iter().map(|(context, ids)| (context.clone(), ids.highest)).collect();
        Record::IdMark { max_ids }
    }

    fn require_unreferenced(&self, subject: &Subject, version: u32) -> Result<(), Refusal> {
        match self.referenced_by(subject, version).is_empty() {
            true => Ok(()),
            false => Err(Refusal::ReferenceExists { subject: subject.to_string(), version }),
        }
    }
}

fn soft_deleted(subject: &Subject, number: u32, version: &Version) -> SchemaValue {
    let Version { id, schema, .. } = version;
    // Texts that came from JSON values, so they parse as JSON again.
    let json = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str(text).ok());
    SchemaValue {
        subject: subject.to_string(),
        version: number,
        id: *id,
        schema_type: (!schema.is_avro()).then(|| schema.content.schema_type.to_string()),
        references: schema.content.references.clone(),
        metadata: json(&schema.content.metadata),
        rule_set: json(&schema.content.rule_set),
        schema: schema.text.to_string(),
        deleted: true,
        others: schema.others.clone(),
    }
}
