//! Whether a schema fits those before it.

use mesh_avro::{compat, schema::Schema};
use mesh_contract::Compatibility;

use super::{Filter, Refusal, State, Submission, Version, VersionSelector};
use crate::{governance::Governed, schema::Candidate, subject::Subject};

/// The answer to a compatibility check.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Verdict {
    /// What is incompatible; nothing if compatible.
    pub(crate) violations: Vec<String>,
}

impl State {
    /// Checks a submitted schema against one version, or against as many as the level in force says.
    pub(crate) fn check(&self, submission: &Submission, against: Option<VersionSelector>) -> Result<Verdict, Refusal> {
        let subject = &submission.subject;
        let candidate = self.candidate(submission)?;
        let governed = submission.governed.as_deref();
        let level = self.level_in_force(subject, governed);
        let earlier = match against {
            None => self.versions(subject, Filter::Live).collect(),
            Some(selector) => match (self.version(subject, selector, Filter::Live), selector) {
                (Ok(found), _) => vec![found],
                (Err(_), VersionSelector::Latest) => Vec::new(),
                // Confluent's says so whether or not there is such a subject.
                (Err(_), VersionSelector::Number(number)) => {
                    return Err(Refusal::VersionNotFound { version: number.into() });
                }
            },
        };
        let mut violations = self.violations(submission, &candidate, level, &earlier)?;
        violations.extend(governed.into_iter().flat_map(|governed| governed.unexplained(&candidate.parsed)));
        Ok(Verdict { violations })
    }

    /// What makes a candidate incompatible with earlier versions (oldest first) under a level.
    pub(super) fn violations(
        &self,
        submission: &Submission,
        candidate: &Candidate,
        level: Compatibility,
        earlier: &[(u32, &Version)],
    ) -> Result<Vec<String>, Refusal> {
        let (subject, governed) = (&submission.subject, submission.governed.as_deref());
        let severities = governed.map(Governed::meaning).unwrap_or_default();
        let mut violations = Vec::new();
        for (number, version) in compared(level, earlier) {
            let Some(schema) = self.parsed(subject, version)? else {
                violations.push(format!("version {number} is of type {}", version.schema.content.schema_type));
                continue;
            };
            let report = compat::check_level_with(level, &candidate.parsed, &[&schema], &severities);
            let errors = report.errors().filter(|finding| !governed.is_some_and(|governed| governed.decides(finding)));
            violations.extend(errors.map(|finding| describe(*number, finding)));
        }
        Ok(violations)
    }

    fn parsed(&self, subject: &Subject, version: &Version) -> Result<Option<Schema>, Refusal> {
        if !version.schema.is_avro() {
            return Ok(None);
        }
        let texts = self.referenced(subject, &version.schema.content.references)?;
        let texts: Vec<&str> = texts.iter().map(|text| &**text).collect();
        Schema::parse_with(&version.schema.text, &texts).map(Some).map_err(|error| Refusal::InvalidSchema {
            reason: format!("an earlier version of {subject} cannot be parsed to compare with: {}", chain(&error)),
        })
    }
}

/// The versions that a level compares with, newest first.
fn compared<'a>(
    level: Compatibility,
    earlier: &'a [(u32, &'a Version)],
) -> impl Iterator<Item = &'a (u32, &'a Version)> {
    let count = match level {
        Compatibility::None => 0,
        Compatibility::Backward | Compatibility::Forward | Compatibility::Full => 1,
        Compatibility::BackwardTransitive | Compatibility::ForwardTransitive | Compatibility::FullTransitive => {
            earlier.len()
        }
    };
    earlier.iter().rev().take(count)
}

fn describe(version: u32, finding: &compat::CompatFinding) -> String {
    let place = if finding.path.is_empty() { "the whole schema" } else { &finding.path };
    let direction = match finding.direction {
        compat::Direction::Backward => "cannot read what the earlier one wrote",
        compat::Direction::Forward => "cannot be read by the earlier one",
    };
    let hint = finding.hint.as_ref().map(|hint| format!("; hint: {hint}")).unwrap_or_default();
    format!("{{rule: {}, path: {place}, version: {version}, {direction}: {}{hint}}}", finding.rule, finding.message)
}

/// An error with all its causes, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
