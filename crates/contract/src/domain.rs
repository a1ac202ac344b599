//! A domain: a bounded context, the team that owns it, and its part of the unified language.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::maintenance::Maintenance;
use crate::name;
use crate::quota::Quota;
use crate::text::serde_as_text;

/// A bounded context. Its JSON is what `mesh.products` carries at `domain/<name>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// Its name, which is its folder's.
    pub domain: String,
    /// What it is about, in a sentence or two.
    pub description: String,
    /// Who owns it.
    pub team: Team,
    /// The principals that may write its input ports: `User:crm-service`.
    pub producers: Vec<String>,
    /// The people and systems that act in it.
    pub actors: Vec<String>,
    /// The words it uses, its own and those of other domains.
    pub terms: BTreeMap<String, Term>,
    /// The classes of sensitive columns that it owns, and who else may use them. A class that no domain declares is
    /// free for all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub classes: BTreeMap<String, ClassGrants>,
    /// When its products need not be fresh.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maintenance: Vec<Maintenance>,
    /// What principals may take of each broker of the cluster, by principal: `User:crm-service`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub quotas: BTreeMap<String, Quota>,
}

/// The team that owns a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Its name.
    pub name: String,
    /// Whom to write to.
    pub contact: String,
    /// Where to go when that does not help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
}

/// What a word means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// The domain owns the word and says what it means.
    Defined(String),
    /// The word means what another domain says.
    Refers(TermRef),
}

/// Another domain's word: `crm.customer`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TermRef {
    /// The domain that owns it.
    pub domain: String,
    /// The word, as that domain writes it.
    pub term: String,
}

/// Who besides its owner may use a class of sensitive columns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassGrants {
    /// Domains.
    pub grants: Vec<String>,
}

/// Not a reference to a term.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a reference to a term: write `<domain>.<term>`, such as `crm.customer`")]
pub struct TermRefError(String);

/// Whether `word` may be a term: a few plain words, such as `account manager`.
pub(crate) fn is_term(word: &str) -> bool {
    let plain = word.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-'));
    plain && word.chars().count() <= name::NAME_LENGTH_MAX && word.trim() == word && !word.is_empty()
}

/// As a term is compared: what differs only in case, or in `_` and `-` for a space, is the same word.
pub(crate) fn term_form(word: &str) -> String {
    word.to_lowercase().replace(['_', '-'], " ")
}

impl FromStr for TermRef {
    type Err = TermRefError;

    fn from_str(text: &str) -> Result<TermRef, TermRefError> {
        let parts = text.split_once('.').filter(|(domain, term)| name::check(domain).is_ok() && is_term(term));
        let (domain, term) = parts.ok_or_else(|| TermRefError(text.chars().take(80).collect()))?;
        Ok(TermRef { domain: domain.to_owned(), term: term.to_owned() })
    }
}

impl fmt::Display for TermRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.domain, self.term)
    }
}

serde_as_text!(TermRef);
