//! How severe the findings of the semantic rules are: a choice, where resolution's are none.

use std::fmt;
use std::str::FromStr;

use mesh_contract::{Severity, did_you_mean};

use super::rule::{RULES, Rule, RuleKind, rule};

/// What becomes of a semantic rule's findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strictness {
    /// They are not reported.
    Off,
    /// They are reported as warnings.
    #[default]
    Warn,
    /// They are reported as errors: whoever asked does not accept the change. The verdict stays Avro's.
    Error,
}

/// The severities of all rules: of resolution's always error, of the semantic ones warning unless set otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Severities {
    settings: Vec<Setting>,
}

/// One semantic rule's strictness; from a text `default-changed=error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    rule: &'static Rule,
    strictness: Strictness,
}

/// Why a text is no [`Setting`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// It has no `=`.
    #[error("expected ID=LEVEL, such as default-changed=error")]
    Form,
    /// No rule of the checker has that id.
    #[error("there is no rule {id:?}{}", suggested(.similar))]
    UnknownRule {
        /// What was given.
        id: String,
        /// The semantic rule that may have been meant.
        similar: Option<&'static str>,
    },
    /// The rule is one of resolution's.
    #[error("the rule {id:?} is Avro's own and always an error: what breaks it cannot be read")]
    NotSemantic {
        /// The rule.
        id: &'static str,
    },
    /// The level is none.
    #[error("there is no level {level:?}{}; levels are off, warn and error", suggested(.similar))]
    UnknownLevel {
        /// What was given.
        level: String,
        /// The level that may have been meant.
        similar: Option<&'static str>,
    },
}

impl Setting {
    /// Sets a rule's strictness.
    ///
    /// # Errors
    /// [`SettingError`] where no semantic rule has that id.
    pub fn new(id: &str, strictness: Strictness) -> Result<Setting, SettingError> {
        let unknown = || SettingError::UnknownRule { id: id.to_owned(), similar: did_you_mean(id, semantic_ids()) };
        let rule = rule(id).ok_or_else(unknown)?;
        match rule.kind {
            RuleKind::Meaning => Ok(Setting { rule, strictness }),
            RuleKind::Resolution => Err(SettingError::NotSemantic { id: rule.id }),
        }
    }
}

impl FromStr for Setting {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Setting, SettingError> {
        let (id, level) = text.split_once('=').ok_or(SettingError::Form)?;
        Setting::new(id.trim(), level.trim().parse()?)
    }
}

impl FromStr for Strictness {
    type Err = SettingError;

    fn from_str(level: &str) -> Result<Strictness, SettingError> {
        match level {
            "off" => Ok(Strictness::Off),
            "warn" => Ok(Strictness::Warn),
            "error" => Ok(Strictness::Error),
            _ => Err(SettingError::UnknownLevel {
                level: level.to_owned(),
                similar: did_you_mean(level, ["off", "warn", "error"]),
            }),
        }
    }
}

impl fmt::Display for Strictness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Strictness::Off => "off",
            Strictness::Warn => "warn",
            Strictness::Error => "error",
        })
    }
}

/// Of several settings of one rule the last counts.
impl FromIterator<Setting> for Severities {
    fn from_iter<I: IntoIterator<Item = Setting>>(settings: I) -> Severities {
        Severities { settings: settings.into_iter().collect() }
    }
}

impl Severities {
    /// Every semantic rule is an error.
    #[must_use]
    pub fn strict() -> Severities {
        let semantic = RULES.iter().copied().filter(|rule| rule.kind == RuleKind::Meaning);
        semantic.map(|rule| Setting { rule, strictness: Strictness::Error }).collect()
    }

    /// The same with further settings, which win over earlier ones.
    #[must_use]
    pub fn with(mut self, settings: impl IntoIterator<Item = Setting>) -> Severities {
        self.settings.extend(settings);
        self
    }

    /// The severity of a rule's findings; none where they are not reported.
    pub(super) fn of(&self, rule: &Rule) -> Option<Severity> {
        if rule.kind == RuleKind::Resolution {
            return Some(Severity::Error);
        }
        let set = self.settings.iter().rev().find(|setting| setting.rule.id == rule.id);
        match set.map(|setting| setting.strictness).unwrap_or_default() {
            Strictness::Off => None,
            Strictness::Warn => Some(Severity::Warning),
            Strictness::Error => Some(Severity::Error),
        }
    }
}

fn semantic_ids() -> impl Iterator<Item = &'static str> {
    RULES.iter().filter(|rule| rule.kind == RuleKind::Meaning).map(|rule| rule.id)
}

fn suggested(similar: &Option<&str>) -> String {
    similar.map(|similar| format!(", did you mean {similar:?}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn refusal(text: &str) -> String {
        text.parse::<Setting>().unwrap_err().to_string()
    }

    #[test]
    fn a_semantic_rule_warns_unless_it_is_set_otherwise_and_the_last_setting_counts() {
        let rule = rule("default-changed").unwrap();
        let of = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Severities>().of(rule);
        assert_eq!(of(&[]), Some(Severity::Warning));
        assert_eq!(of(&["default-changed=off"]), None);
        assert_eq!(of(&["default-changed=off", "default-changed = error"]), Some(Severity::Error));
        assert_eq!(of(&["time-unit-changed=off"]), Some(Severity::Warning));
    }

    #[test]
    fn resolution_is_an_error_and_cannot_be_set() {
        assert!(RULES.iter().filter(|rule| rule.kind == RuleKind::Resolution).all(|rule| {
            Severities::default().of(rule) == Some(Severity::Error)
                && Setting::new(rule.id, Strictness::Warn) == Err(SettingError::NotSemantic { id: rule.id })
        }));
    }

    #[test]
    fn what_is_misspelt_is_refused_with_what_may_have_been_meant() {
        assert_eq!(refusal("default-changed"), "expected ID=LEVEL, such as default-changed=error");
        assert_eq!(
            refusal("defaults-changed=off"),
            "there is no rule \"defaults-changed\", did you mean \"default-changed\"?"
        );
        assert_eq!(refusal("xyz=off"), "there is no rule \"xyz\"");
        assert!(refusal("type-mismatch=off").contains("always an error"));
        assert_eq!(refusal("default-changed=warning"), "there is no level \"warning\"; levels are off, warn and error");
        assert!(refusal("default-changed=eror").contains("did you mean \"error\"?"));
    }
}
