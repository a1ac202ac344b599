//! Subjects: levels and schemas; each new schema is held against its subject's history by the contract that is planned.

use super::{Change, Plan, Refusal, Remains};
use crate::apply::observed::{Observed, SubjectState};
use crate::apply::references::WantedSchema;
use crate::apply::schemas::{self, Subject};

pub(super) fn plan(plan: &mut Plan, subjects: &[Subject], observed: &Observed) {
    let mut refused: Vec<&Subject> = Vec::new();
    for subject in subjects {
        let Some(state) = observed.subjects.get(&subject.name) else { continue };
        plan.looked_at += 1;
        if state.level != Some(subject.level) {
            let name = subject.name.clone();
            plan.change(Change::SetLevel { subject: name, from: state.level, to: subject.level });
        }
        if state.wanted.is_none() {
            let violations = violations(plan, subject, state, &refused);
            if !violations.is_empty() {
                refused.push(subject);
                plan.refused.extend(violations);
            }
            let WantedSchema { schema, references } = subject.wanted();
            plan.change(Change::Register { subject: subject.name.clone(), schema, references });
        }
        told(plan, subject, state);
    }
}

/// Why a schema may not follow those before it.
fn violations(plan: &mut Plan, subject: &Subject, state: &SubjectState, refused: &[&Subject]) -> Vec<Refusal> {
    if refused.iter().any(|other| subject.follows_from(other)) {
        return Vec::new();
    }
    match schemas::violations(subject, &state.history) {
        Ok(found) => found.iter().map(|violation| schemas::refusal(subject, violation)).collect(),
        Err(failure) => {
            plan.refuse(schemas::SCHEMA_INCOMPATIBLE, failure.to_string(), "mend the schema file");
            Vec::new()
        }
    }
}

/// What was done by hand, and cannot be undone from here.
fn told(plan: &mut Plan, subject: &Subject, state: &SubjectState) {
    for (version, id) in &state.strangers {
        plan.remains.push(Remains {
            kind: "subject",
            name: subject.name.clone(),
            what: format!("version {version} (id {id}) is newer than the contract's, and no contract ever had it"),
            why: format!(
                "records may be written with it; take it into the contract's schema, or delete that version at the registry \
                 (DELETE /subjects/{}/versions/{version})",
                subject.name
            ),
        });
    }
    if !state.deleted.is_empty() && state.wanted.is_some() {
        let versions: Vec<String> = state.deleted.iter().map(ToString::to_string).collect();
        plan.left.push(format!(
            "subject {}: version {} was deleted: new schemas are not held against it any more",
            subject.name,
            versions.join(", ")
        ));
    }
}
