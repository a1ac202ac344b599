//! The path to a column: `address.street`, `contacts[].email`, `attributes{}.ssn`, `tags[]`.

use std::fmt;
use std::str::FromStr;

use crate::text::serde_as_text;

/// A path goes at most this deep.
const STEPS_MAX: usize = 64;

/// One step from a schema's node to the next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A record's field.
    Field(String),
    /// An array's items: `[]`.
    Items,
    /// A map's values: `{}`.
    Values,
}

/// The path from a record to one of its columns. Begins with a field; never empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnPath(Vec<Step>);

/// What is wrong with a column's path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnPathError {
    /// Not of the form that paths have.
    #[error(
        "{text:?} is not a column: write field names with `.` between, `[]` for an array's items, `{{}}` for a map's values"
    )]
    Form {
        /// What was given.
        text: String,
    },
    /// Deeper than a path may be.
    #[error("the column has more than {STEPS_MAX} steps")]
    Depth,
}

impl ColumnPath {
    /// The path to a field of the record itself.
    pub fn field(name: impl Into<String>) -> ColumnPath {
        ColumnPath(vec![Step::Field(name.into())])
    }

    /// The steps, from the record inwards.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether it leads to one value: no `[]` and no `{}` in it.
    pub fn is_single(&self) -> bool {
        self.0.iter().all(|step| matches!(step, Step::Field(_)))
    }

    /// Whether `other` is this column or lies within it.
    pub fn covers(&self, other: &ColumnPath) -> bool {
        other.0.starts_with(&self.0)
    }
}

impl FromStr for ColumnPath {
    type Err = ColumnPathError;

    fn from_str(text: &str) -> Result<ColumnPath, ColumnPathError> {
        let malformed = || ColumnPathError::Form { text: text.chars().take(160).collect() };
        let mut steps = Vec::new();
        for part in text.split('.') {
            let name_end = part.find(['[', '{']).unwrap_or(part.len());
            let (name, mut rest) = part.split_at(name_end);
            if !is_field_name(name) {
                return Err(malformed());
            }
            steps.push(Step::Field(name.to_owned()));
            while !rest.is_empty() {
                let (step, after) = match (rest.strip_prefix("[]"), rest.strip_prefix("{}")) {
                    (Some(after), _) => (Step::Items, after),
                    (_, Some(after)) => (Step::Values, after),
                    _ => return Err(malformed()),
                };
                steps.push(step);
                rest = after;
            }
            if steps.len() > STEPS_MAX {
                return Err(ColumnPathError::Depth);
            }
        }
        Ok(ColumnPath(steps))
    }
}

/// Avro's names: a letter or `_`, then letters, digits and `_`.
fn is_field_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl fmt::Display for ColumnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if index == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Items => f.write_str("[]")?,
                Step::Values => f.write_str("{}")?,
            }
        }
        Ok(())
    }
}

serde_as_text!(ColumnPath);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn paths_read_and_print_alike() {
        for text in ["email", "address.street", "contacts[].email", "attributes{}.ssn", "tags[]", "a[]{}[].b.c{}"] {
            assert_eq!(text.parse::<ColumnPath>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", ".", "a.", ".a", "a..b", "[]", "a[", "a[]b", "a[0]", "{}", "a b", "a.[]", "é"] {
            assert!(text.parse::<ColumnPath>().is_err(), "{text}");
        }
        assert_eq!(format!("a{}", "[]".repeat(64)).parse::<ColumnPath>(), Err(ColumnPathError::Depth));
    }

    #[test]
    fn a_column_covers_what_lies_within_it() {
        let path = |text: &str| text.parse::<ColumnPath>().unwrap();
        assert!(path("address").covers(&path("address.street")));
        assert!(!path("address.street").covers(&path("address")));
        assert!(!path("tags").is_single() || path("tags").covers(&path("tags[]")));
    }
}
