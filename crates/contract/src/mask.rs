//! Sensitive columns and the rules that mask them.

use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::column::ColumnPath;

/// A column that must not be seen in clear, its class and how it is masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensitiveColumn {
    /// Where it is.
    pub column: ColumnPath,
    /// What it is: `pii.contact`; `pii` unless said.
    pub class: String,
    /// How it is masked; by the column's type if none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub mask: Option<MaskRule>,
}

/// A rule that is there is a rule: JSON's null is not silently "by type".
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<MaskRule>, D::Error> {
    MaskRule::deserialize(deserializer).map(Some)
}

/// How a sensitive column is masked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MaskRule {
    /// A constant; the text, if given.
    Redact(Option<String>),
    /// Null, where the type admits it.
    Null,
    /// The type's zero.
    Zero,
    /// Keyed HMAC-SHA-256; in a string the first so many hex digits, 64 if none.
    Hash(Option<u8>),
    /// All but the first so many characters replaced by `*`.
    KeepFirst(u32),
    /// All but the last so many characters replaced by `*`.
    KeepLast(u32),
    /// The first so many characters or bytes.
    Truncate(u32),
    /// Rounded down.
    Generalise(Generalisation),
    /// Format-preserving encryption, reversible by the key holder.
    Tokenise,
    /// Authenticated encryption, reversible by the key holder.
    Encrypt,
    /// The field is not in the view's schema.
    Drop,
}

/// What a value is rounded down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generalisation {
    /// The year's beginning.
    Year,
    /// The month's beginning.
    Month,
    /// The day's beginning.
    Day,
    /// The hour's beginning.
    Hour,
    /// A multiple of this number.
    Multiple(u64),
}

impl Generalisation {
    /// The unit of that name.
    pub(crate) fn unit(name: &str) -> Option<Generalisation> {
        Some(match name {
            "year" => Generalisation::Year,
            "month" => Generalisation::Month,
            "day" => Generalisation::Day,
            "hour" => Generalisation::Hour,
            _ => return None,
        })
    }
}

impl fmt::Display for Generalisation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Generalisation::Year => f.write_str("year"),
            Generalisation::Month => f.write_str("month"),
            Generalisation::Day => f.write_str("day"),
            Generalisation::Hour => f.write_str("hour"),
            Generalisation::Multiple(number) => write!(f, "{number}"),
        }
    }
}

/// A hash of fewer digits would let entities merge.
pub(crate) const HASH_DIGITS_MIN: u64 = 16;
/// SHA-256 has no more.
pub(crate) const HASH_DIGITS_MAX: u64 = 64;

/// The value that a rule is given: `keep_last: 4`.
pub(crate) enum Argument<'a> {
    Text(&'a str),
    Number(u64),
}

/// Why a rule is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MaskRuleError {
    #[error("{0:?} is not a masking rule")]
    Unknown(String),
    #[error("the masking rule `{0}` takes no value")]
    Takes(&'static str),
    #[error("the masking rule `{rule}` takes {wanted}")]
    Argument { rule: &'static str, wanted: &'static str },
}

impl MaskRule {
    /// Every rule's name, as contracts write it.
    pub const NAMES: [&str; 11] = [
        "redact",
        "null",
        "zero",
        "hash",
        "keep_first",
        "keep_last",
        "truncate",
        "generalise",
        "tokenise",
        "encrypt",
        "drop",
    ];

    /// The rule's name.
    pub fn name(&self) -> &'static str {
        match self {
            MaskRule::Redact(_) => "redact",
            MaskRule::Null => "null",
            MaskRule::Zero => "zero",
            MaskRule::Hash(_) => "hash",
            MaskRule::KeepFirst(_) => "keep_first",
            MaskRule::KeepLast(_) => "keep_last",
            MaskRule::Truncate(_) => "truncate",
            MaskRule::Generalise(_) => "generalise",
            MaskRule::Tokenise => "tokenise",
            MaskRule::Encrypt => "encrypt",
            MaskRule::Drop => "drop",
        }
    }

    /// The rule of that name, with the value it was given.
    pub(crate) fn of(name: &str, argument: Option<Argument<'_>>) -> Result<MaskRule, MaskRuleError> {
        use Argument::{Number, Text};
        let known = MaskRule::NAMES.into_iter().find(|known| *known == name);
        let rule = known.ok_or_else(|| MaskRuleError::Unknown(name.chars().take(80).collect()))?;
        let wants = |wanted| MaskRuleError::Argument { rule, wanted };
        let count = |number: u64| u32::try_from(number).ok().filter(|number| *number > 0);
        Ok(match (rule, argument) {
            ("redact", None) => MaskRule::Redact(None),
            ("redact", Some(Text(text))) => MaskRule::Redact(Some(text.to_owned())),
            ("redact", _) => return Err(wants("a text, or nothing")),
            ("hash", None) => MaskRule::Hash(None),
            ("hash", Some(Number(digits @ HASH_DIGITS_MIN..=HASH_DIGITS_MAX))) => MaskRule::Hash(Some(digits as u8)),
            ("hash", _) => return Err(wants("a number of hex digits from 16 to 64, or nothing")),
            ("generalise", Some(Text(unit))) => {
                let unit = Generalisation::unit(unit);
                MaskRule::Generalise(unit.ok_or_else(|| wants("year, month, day, hour, or a whole number from 1"))?)
            }
            ("generalise", Some(Number(multiple @ 1..))) => MaskRule::Generalise(Generalisation::Multiple(multiple)),
            ("generalise", _) => return Err(wants("year, month, day, hour, or a whole number from 1")),
            ("keep_first" | "keep_last" | "truncate", argument) => {
                let number = match argument {
                    Some(Number(number)) => count(number),
                    _ => None,
                };
                let number = number.ok_or_else(|| wants("a whole number from 1"))?;
                match rule {
                    "keep_first" => MaskRule::KeepFirst(number),
                    "keep_last" => MaskRule::KeepLast(number),
                    _ => MaskRule::Truncate(number),
                }
            }
            (_, Some(_)) => return Err(MaskRuleError::Takes(rule)),
            ("null", None) => MaskRule::Null,
            ("zero", None) => MaskRule::Zero,
            ("tokenise", None) => MaskRule::Tokenise,
            ("encrypt", None) => MaskRule::Encrypt,
            _ => MaskRule::Drop,
        })
    }
}

/// As a contract writes it: `hash`, `keep_last: 4`, `generalise: year`.
impl fmt::Display for MaskRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            MaskRule::Redact(Some(text)) => write!(f, ": {text:?}"),
            MaskRule::Hash(Some(digits)) => write!(f, ": {digits}"),
            MaskRule::KeepFirst(count) | MaskRule::KeepLast(count) | MaskRule::Truncate(count) => {
                write!(f, ": {count}")
            }
            MaskRule::Generalise(to) => write!(f, ": {to}"),
            _ => Ok(()),
        }
    }
}

impl Serialize for MaskRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = self.name();
        let mut map = match self {
            MaskRule::Redact(Some(_)) | MaskRule::Hash(Some(_)) => serializer.serialize_map(Some(1))?,
            MaskRule::KeepFirst(_) | MaskRule::KeepLast(_) | MaskRule::Truncate(_) | MaskRule::Generalise(_) => {
                serializer.serialize_map(Some(1))?
            }
            _ => return serializer.serialize_str(name),
        };
        match self {
            MaskRule::Redact(text) => map.serialize_entry(name, text)?,
            MaskRule::Hash(digits) => map.serialize_entry(name, digits)?,
            MaskRule::KeepFirst(count) | MaskRule::KeepLast(count) | MaskRule::Truncate(count) => {
                map.serialize_entry(name, count)?;
            }
            MaskRule::Generalise(Generalisation::Multiple(number)) => map.serialize_entry(name, number)?,
            MaskRule::Generalise(unit) => map.serialize_entry(name, &unit.to_string())?,
            _ => {}
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for MaskRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<MaskRule, D::Error> {
        deserializer.deserialize_any(MaskRuleVisitor)
    }
}

struct MaskRuleVisitor;

impl<'de> Visitor<'de> for MaskRuleVisitor {
    type Value = MaskRule;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a masking rule, such as \"hash\" or {\"keep_last\": 4}")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<MaskRule, E> {
        MaskRule::of(name, None).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<MaskRule, A::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Value {
            Number(u64),
            Text(String),
        }
        let entry: Option<(String, Value)> = map.next_entry()?;
        let (name, value) = entry.ok_or_else(|| de::Error::invalid_length(0, &self))?;
        if map.next_key::<String>()?.is_some() {
            return Err(de::Error::invalid_length(2, &self));
        }
        let argument = match &value {
            Value::Number(number) => Argument::Number(*number),
            Value::Text(text) => Argument::Text(text),
        };
        MaskRule::of(&name, Some(argument)).map_err(de::Error::custom)
    }
}
