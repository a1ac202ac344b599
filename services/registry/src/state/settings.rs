//! Compatibility levels and modes: of a subject, else of its context, else of all.

use mesh_contract::Compatibility;

use super::{Filter, Plan, Refusal, State};
use crate::{
    governance::Governed,
    log::{ConfigValue, Mode, ModeValue, Record},
    subject::{EVERY_CONTEXT, Subject},
};

/// The level where none is configured.
const DEFAULT_LEVEL: Compatibility = Compatibility::Backward;

/// The level that a configuration sets.
pub(crate) fn level_of(config: &ConfigValue) -> Option<Compatibility> {
    config.compatibility_level.as_deref().and_then(|level| level.parse().ok())
}

impl State {
    /// The configuration of exactly this subject, or of all.
    pub(crate) fn config(&self, subject: Option<&Subject>) -> Option<&ConfigValue> {
        self.configs.get(&subject.cloned())
    }

    /// The mode of exactly this subject, or of all.
    pub(crate) fn mode(&self, subject: Option<&Subject>) -> Option<Mode> {
        self.modes.get(&subject.cloned()).copied()
    }

    /// The level that a subject's next registration is held to.
    ///
    /// A contract's level holds whatever is configured; the subject's own, or its context's, can only add to it.
    pub(crate) fn level_in_force(&self, subject: &Subject, governed: Option<&Governed>) -> Compatibility {
        let configured = |scope: Option<Subject>| level_of(self.configs.get(&scope)?);
        match governed {
            Some(governed) => governed.level_with(self.scopes(subject).filter(Option::is_some).find_map(configured)),
            None => self.scopes(subject).find_map(configured).unwrap_or(DEFAULT_LEVEL),
        }
    }

    /// The level for all.
    pub(crate) fn global_level(&self) -> Compatibility {
        self.configs.get(&None).and_then(level_of).unwrap_or(DEFAULT_LEVEL)
    }

    /// Whether submitted schemas of this subject are normalised unasked.
    pub(super) fn normalizes(&self, subject: &Subject) -> bool {
        self.scopes(subject).find_map(|scope| self.configs.get(&scope)?.normalize).unwrap_or(false)
    }

    /// What may be done to a subject.
    pub(crate) fn mode_in_force(&self, subject: &Subject) -> Mode {
        if self.modes.get(&None) == Some(&Mode::ReadOnlyOverride) {
            return Mode::ReadOnlyOverride;
        }
        self.scopes(subject).find_map(|scope| self.modes.get(&scope)).copied().unwrap_or(Mode::ReadWrite)
    }

    /// Refuses changes to a subject that may only be read.
    pub(super) fn require_writable(&self, subject: &Subject) -> Result<(), Refusal> {
        match self.mode_in_force(subject) {
            Mode::ReadWrite | Mode::Import => Ok(()),
            Mode::ReadOnly | Mode::ReadOnlyOverride => {
                Err(Refusal::NotPermitted { reason: format!("Subject '{subject}' is in read-only mode") })
            }
        }
    }

    /// Plans a change of a configuration: what is not given stays.
    pub(crate) fn plan_config(&self, subject: Option<Subject>, change: ConfigValue) -> Result<Plan<()>, Refusal> {
        self.require_scope_writable(subject.as_ref())?;
        let before = self.config(subject.as_ref()).cloned().unwrap_or_default();
        let mut others = before.others.clone();
        others.extend(change.others);
        let value = ConfigValue {
            subject: subject.as_ref().map(Subject::to_string),
            compatibility_level: change.compatibility_level.or(before.compatibility_level.clone()),
            normalize: change.normalize.or(before.normalize),
            others,
        };
        let unchanged = self.config(subject.as_ref()).is_some_and(|before| same_config(before, &value));
        let records = if unchanged { Vec::new() } else { vec![Record::Config { subject, value }] };
        Ok(Plan { records, outcome: () })
    }

    /// Plans the removal of a configuration; the outcome is the level that it set.
    pub(crate) fn plan_config_removal(&self, subject: Option<Subject>) -> Result<Plan<Compatibility>, Refusal> {
        self.require_scope_writable(subject.as_ref())?;
        let outcome = self.config(subject.as_ref()).and_then(level_of).unwrap_or(DEFAULT_LEVEL);
        match (self.config(subject.as_ref()), &subject) {
            (Some(_), _) => Ok(Plan { records: vec![Record::ConfigGone { subject }], outcome }),
            (None, None) => Ok(Plan::nothing(outcome)),
            (None, Some(subject)) => Err(Refusal::SubjectNotFound { subject: subject.to_string() }),
        }
    }

    /// Plans a change of a mode. Where schemas exist, only `force` lets other ids in.
    pub(crate) fn plan_mode(&self, subject: Option<Subject>, mode: Mode, force: bool) -> Result<Plan<()>, Refusal> {
        let populated = match &subject {
            Some(context) if context.name().is_empty() => {
                self.subjects(context.as_str(), Filter::Live).next().is_some()
            }
            Some(subject) => self.has_subject(subject, Filter::Live),
            None => self.subjects(EVERY_CONTEXT, Filter::Live).next().is_some(),
        };
        if mode == Mode::Import && !force && populated && self.mode(subject.as_ref()) != Some(Mode::Import) {
            let reason = "Cannot import since found existing subjects; use force=true to do so all the same".to_owned();
            return Err(Refusal::NotPermitted { reason });
        }
        if self.mode(subject.as_ref()) == Some(mode) {
            return Ok(Plan::nothing(()));
        }
        let value = ModeValue { subject: subject.as_ref().map(Subject::to_string), mode };
        Ok(Plan { records: vec![Record::Mode { subject, value }], outcome: () })
    }

    /// Plans the removal of a mode; the outcome is that mode.
    pub(crate) fn plan_mode_removal(&self, subject: Option<Subject>) -> Result<Plan<Mode>, Refusal> {
        match (self.mode(subject.as_ref()), &subject) {
            (Some(mode), _) => Ok(Plan { records: vec![Record::ModeGone { subject }], outcome: mode }),
            (None, None) => Ok(Plan::nothing(Mode::ReadWrite)),
            (None, Some(subject)) => Err(Refusal::SubjectNotFound { subject: subject.to_string() }),
        }
    }

    /// A deleted subject's settings go with it.
    pub(super) fn settings_removal(&self, subject: &Subject) -> Vec<Record> {
        let scope = Some(subject.clone());
        let config = self.configs.contains_key(&scope).then(|| Record::ConfigGone { subject: scope.clone() });
        let mode = self.modes.contains_key(&scope).then(|| Record::ModeGone { subject: scope.clone() });
        config.into_iter().chain(mode).collect()
    }

    fn require_scope_writable(&self, subject: Option<&Subject>) -> Result<(), Refusal> {
        let global = self.modes.get(&None).copied().unwrap_or(Mode::ReadWrite);
        match subject {
            Some(subject) => self.require_writable(subject),
            None if matches!(global, Mode::ReadOnly | Mode::ReadOnlyOverride) => {
                Err(Refusal::NotPermitted { reason: "The registry is in read-only mode".to_owned() })
            }
            None => Ok(()),
        }
    }

    /// Where a subject's settings may stand, the nearest first.
    fn scopes(&self, subject: &Subject) -> impl Iterator<Item = Option<Subject>> {
        [Some(subject.clone())].into_iter().chain(subject.whole_context().map(Some)).chain([None])
    }
}

/// Whether two configurations mean the same; `subject` is a repetition of the key.
fn same_config(one: &ConfigValue, other: &ConfigValue) -> bool {
    level_of(one) == level_of(other) && one.normalize == other.normalize && one.others == other.others
}
