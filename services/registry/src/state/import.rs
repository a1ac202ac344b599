//! Registering schemas with the ids they had elsewhere.

use super::{Plan, Refusal, Registered, State, Submission};
use crate::schema::Candidate;

impl State {
    /// Plans a registration under the id that it brings: nothing is checked but that no id changes its meaning.
    pub(super) fn plan_import(
        &self,
        submission: &Submission,
        candidate: &Candidate,
    ) -> Result<Plan<Registered>, Refusal> {
        let subject = &submission.subject;
        let Some(id) = submission.id.filter(|id| *id > 0) else {
            let reason = format!("Subject '{subject}' is in import mode, so the schema needs an id");
            return Err(Refusal::NotPermitted { reason });
        };
        let taken = self.schema(subject.context(), id).ok().filter(|known| *known.content != candidate.content);
        if taken.is_some() {
            return Err(Refusal::NotPermitted {
                reason: format!("Overwrite new schema with id {id} is not permitted."),
            });
        }
        let version = submission.version.filter(|version| *version > 0).unwrap_or_else(|| self.next_version(subject));
        let occupied = self.subjects.get(subject).and_then(|versions| versions.get(&version));
        if let Some(occupied) = occupied.filter(|occupied| occupied.id != id) {
            return Err(Refusal::IdDoesNotMatch { existing: occupied.id, given: id });
        }
        let registered = Registered { id, version };
        Ok(Plan { records: self.registration(submission, candidate, registered), outcome: registered })
    }
}
