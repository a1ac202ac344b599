use std::fmt;

use mesh_contract::{Finding, Place, Severity};

use super::name::MAX_NAME_BYTES;
use super::{Position, locate};

/// The rule that an invalid schema breaks; `docs/rules/schema-invalid.md` explains it.
const RULE: &str = "schema-invalid";

/// Why a text is not a valid Avro schema: what is wrong, and where.
#[derive(Debug, thiserror::Error)]
pub struct SchemaError {
    /// What is wrong.
    #[source]
    pub fault: SchemaFault,
    /// The JSON pointer of what is wrong; empty for the whole document.
    pub pointer: String,
    /// Which document: 0 is the schema itself, n the n-th reference it was parsed with.
    pub document: usize,
    /// Line and column of the pointer, where there is a text.
    pub position: Option<Position>,
}

impl SchemaError {
    /// What to do about it, where that can be said.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        self.fault.hint()
    }

    /// The error as `mesh check` reports it, in that file.
    #[must_use]
    pub fn finding(&self, file: &str) -> Finding {
        let place = match self.position {
            Some(position) => Place::new(file, position.line, position.column),
            None => Place::start_of(file),
        };
        let pointer = if self.pointer.is_empty() { String::new() } else { format!(" at {}", self.pointer) };
        let message = format!("the schema is not valid Avro{pointer}: {}", self.fault);
        Finding { rule: RULE, severity: Severity::Error, place, message, hint: self.hint() }
    }

    pub(super) fn at(pointer: &str, fault: SchemaFault) -> SchemaError {
        SchemaError { fault, pointer: pointer.to_owned(), document: 0, position: None }
    }

    pub(super) fn in_text(mut self, text: &str) -> SchemaError {
        self.position = self.position.or_else(|| locate(text, &self.pointer));
        self
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.document {
            0 => formatter.write_str("the schema is not valid Avro")?,
            reference => write!(formatter, "reference {reference} of the schema is not valid Avro")?,
        }
        match self.pointer.as_str() {
            "" => Ok(()),
            pointer => write!(formatter, " at {pointer}"),
        }
    }
}

/// What is wrong with a schema.
#[derive(Debug, thiserror::Error)]
pub enum SchemaFault {
    /// The text is not JSON.
    #[error("not JSON: {message}")]
    Json {
        /// What the JSON parser says, without its place.
        message: String,
    },
    /// One object has a key twice, so that its meaning depends on the parser.
    #[error("the key {key:?} stands twice in one object")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// The schema is larger than what is read.
    #[error("the schema has more than {limit} {unit}")]
    TooLarge {
        /// How many are read.
        limit: usize,
        /// Of what.
        unit: &'static str,
    },
    /// Something other than what Avro expects stands here.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What Avro expects.
        expected: &'static str,
        /// What is there, shortened.
        found: String,
    },
    /// An attribute that the type needs is not there.
    #[error("{kind} needs the attribute {attribute:?}")]
    Missing {
        /// The type.
        kind: &'static str,
        /// The attribute.
        attribute: &'static str,
    },
    /// A name outside Avro's grammar, or longer than what is read.
    #[error(
        "{name:?} is not a name: names are letters, digits and underscores, at most {MAX_NAME_BYTES} with their namespace, \
         and do not begin with a digit"
    )]
    InvalidName {
        /// The name, shortened.
        name: String,
    },
    /// A named type called like a primitive type.
    #[error("{name:?} cannot be defined: it is called like a primitive type")]
    PrimitiveName {
        /// The name.
        name: String,
    },
    /// A type that is not defined before it is used.
    #[error("the type {name:?} is not defined")]
    UnknownType {
        /// The full name that was looked for.
        name: String,
        /// Known names that resemble it, the closest first.
        similar: Vec<String>,
    },
    /// A full name defined twice.
    #[error("the type {name:?} is defined twice, first at {first:?}")]
    Redefined {
        /// The full name.
        name: String,
        /// The JSON pointer of the first definition.
        first: String,
    },
    /// A field, symbol or alias given twice.
    #[error("the {what} {name:?} is given twice")]
    Duplicate {
        /// A field or a symbol.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A union with two branches that a datum could not be told apart by.
    #[error("the union has two branches of type {branch}")]
    AmbiguousUnion {
        /// The branches' type or full name.
        branch: String,
    },
    /// A union directly inside a union.
    #[error("a union cannot directly hold a union")]
    NestedUnion,
    /// A default that is not of its field's type.
    #[error("the default {value} is not of the type: expected {expected}")]
    Default {
        /// The default, shortened.
        value: String,
        /// What would be.
        expected: String,
    },
}

impl SchemaFault {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            SchemaFault::Json { .. } => "check the text with a JSON parser, e.g. `jq . FILE`".to_owned(),
            SchemaFault::DuplicateKey { key } => format!("keep one {key:?}, remove the other"),
            SchemaFault::UnknownType { similar, .. } => match similar.first() {
                Some(closest) => format!("did you mean {closest:?}?"),
                None => "define it before its first use, or add the schema that defines it as a reference".to_owned(),
            },
            SchemaFault::Redefined { name, .. } => format!("refer to the first definition by its name, {name:?}"),
            SchemaFault::AmbiguousUnion { .. } => "keep one branch, or wrap each in a record of its own".to_owned(),
            SchemaFault::NestedUnion => "list the inner union's branches in the outer one".to_owned(),
            SchemaFault::Missing { attribute, .. } => format!("add {attribute:?}"),
            SchemaFault::Default { expected, .. } => format!("write {expected}, or remove the default"),
            _ => return None,
        };
        Some(hint)
    }
}

/// A JSON value as it is quoted in a message: whole where it is short.
pub(crate) fn quoted(value: &serde_json::Value) -> String {
    const SHOWN_CHARS: usize = 60;
    match value {
        serde_json::Value::Object(members) if members.len() > 3 => format!("an object of {} members", members.len()),
        serde_json::Value::Array(items) if items.len() > 8 => format!("an array of {} items", items.len()),
        other => shortened(&other.to_string(), SHOWN_CHARS),
    }
}

/// A text cut to a number of characters.
pub(crate) fn shortened(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
