//! The rules that findings name, each explained on its page `docs/rules/<id>.md`.

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleKind {
    /// Avro's schema resolution: broken, a datum cannot be read.
    Resolution,
    /// A change of meaning that Avro's resolution lets pass.
    Meaning,
}

/// A rule of the compatibility checker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The kebab-case id.
    pub id: &'static str,
    /// What it is about.
    pub kind: RuleKind,
    /// Whether it says the same of two schemas whichever of them reads.
    pub symmetric: bool,
}

pub(super) const SCHEMA_INVALID: &Rule = &resolution("schema-invalid");
pub(super) const SCHEMA_TOO_COMPLEX: &Rule = &resolution("schema-too-complex");
pub(super) const TYPE_MISMATCH: &Rule = &resolution("type-mismatch");
pub(super) const NAME_MISMATCH: &Rule = &resolution("name-mismatch");
pub(super) const FIXED_SIZE_MISMATCH: &Rule = &resolution("fixed-size-mismatch");
pub(super) const ENUM_SYMBOL_MISSING: &Rule = &resolution("enum-symbol-missing");
pub(super) const UNION_BRANCH_MISSING: &Rule = &resolution("union-branch-missing");
pub(super) const FIELD_WITHOUT_DEFAULT: &Rule = &resolution("field-without-default");
pub(super) const FIELD_ALIAS_AMBIGUOUS: &Rule = &resolution("field-alias-ambiguous");
pub(super) const DECIMAL_CHANGED: &Rule = &meaning("decimal-changed", true);
pub(super) const TIME_UNIT_CHANGED: &Rule = &meaning("time-unit-changed", true);
pub(super) const LOGICAL_TYPE_CHANGED: &Rule = &meaning("logical-type-changed", true);
pub(super) const DEFAULT_CHANGED: &Rule = &meaning("default-changed", true);
pub(super) const ENUM_DEFAULT_CHANGED: &Rule = &meaning("enum-default-changed", true);
pub(super) const ENUM_SYMBOL_DEFAULTED: &Rule = &meaning("enum-symbol-defaulted", false);
pub(super) const SENSITIVE_CLASS_LOST: &Rule = &meaning("sensitive-class-lost", true);
pub(super) const SENSITIVE_CLASS_CHANGED: &Rule = &meaning("sensitive-class-changed", true);
pub(super) const SENSITIVE_COLUMN_RENAMED: &Rule = &meaning("sensitive-column-renamed", true);
pub(super) const ALIAS_REUSED: &Rule = &meaning("alias-reused", false);
pub(super) const FIELD_ALIAS_OVERLOOKED: &Rule = &meaning("field-alias-overlooked", false);
pub(super) const UNION_BRANCH_AMBIGUOUS: &Rule = &meaning("union-branch-ambiguous", false);
pub(super) const PROMOTION_LOSSY: &Rule = &meaning("promotion-lossy", false);
pub(super) const BYTES_AS_TEXT: &Rule = &meaning("bytes-as-text", false);

/// Every rule, those of resolution first.
pub const RULES: &[&Rule] = &[
    SCHEMA_INVALID,
    SCHEMA_TOO_COMPLEX,
    TYPE_MISMATCH,
    NAME_MISMATCH,
    FIXED_SIZE_MISMATCH,
    ENUM_SYMBOL_MISSING,
    UNION_BRANCH_MISSING,
    FIELD_WITHOUT_DEFAULT,
    FIELD_ALIAS_AMBIGUOUS,
    DECIMAL_CHANGED,
    TIME_UNIT_CHANGED,
    LOGICAL_TYPE_CHANGED,
    DEFAULT_CHANGED,
    ENUM_DEFAULT_CHANGED,
    ENUM_SYMBOL_DEFAULTED,
    SENSITIVE_CLASS_LOST,
    SENSITIVE_CLASS_CHANGED,
    SENSITIVE_COLUMN_RENAMED,
    ALIAS_REUSED,
    FIELD_ALIAS_OVERLOOKED,
    UNION_BRANCH_AMBIGUOUS,
    PROMOTION_LOSSY,
    BYTES_AS_TEXT,
];

/// The rule with that id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id).copied()
}

const fn resolution(id: &'static str) -> Rule {
    Rule { id, kind: RuleKind::Resolution, symmetric: false }
}

const fn meaning(id: &'static str, symmetric: bool) -> Rule {
    Rule { id, kind: RuleKind::Meaning, symmetric }
}
