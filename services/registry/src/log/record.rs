//! One record of the log, decoded.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};

use super::{
    key::{self, ReadKey, WrittenKey},
    value::{
        ClearSubjectValue, ConfigValue, ContextValue, DeleteSubjectValue, IdMarkValue, ModeValue, SchemaValue,
        WriterValue,
    },
};
use crate::subject::Subject;

/// A change of the registry's state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Record {
    /// A version of a subject, live or soft-deleted.
    Schema(SchemaValue),
    /// A version is gone for good.
    SchemaGone { subject: Subject, version: u32 },
    /// The configuration of a subject, or of all (`None`).
    Config { subject: Option<Subject>, value: ConfigValue },
    /// A configuration is gone.
    ConfigGone { subject: Option<Subject> },
    /// The mode of a subject, or of all (`None`).
    Mode { subject: Option<Subject>, value: ModeValue },
    /// A mode is gone.
    ModeGone { subject: Option<Subject> },
    /// All versions up to this one are soft-deleted.
    DeleteSubject { subject: Subject, version: u32 },
    /// All versions are gone.
    ClearSubject { subject: Subject },
    /// A context has been used.
    Context { context: String },
    /// A context is gone.
    ContextGone { context: String },
    /// The highest id ever given, by context: none is given again when its schema is gone for good.
    IdMark { max_ids: BTreeMap<String, u32> },
    /// Who writes the log from here on, and where it takes changes for others, if it does.
    Writer { url: Option<String> },
    /// Nothing: marks an offset, or is a kind that this registry does not know.
    Noop,
}

/// A record that is not of the log's form.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("cannot decode the record: it has no key")]
    NoKey,
    #[error("cannot decode the record's key")]
    DecodeKey { source: serde_json::Error },
    #[error("cannot decode the record's key: a {keytype} key needs a {property}")]
    IncompleteKey { keytype: String, property: &'static str },
    #[error("cannot decode the value of a {keytype} record")]
    DecodeValue { keytype: String, source: serde_json::Error },
}

impl Record {
    /// Decodes a record as it stands in the log.
    pub(crate) fn decode(key_bytes: Option<&[u8]>, value: Option<&[u8]>) -> Result<Self, RecordError> {
        let key_bytes = key_bytes.ok_or(RecordError::NoKey)?;
        // Karapace's tombstones are empty values.
        let value = value.filter(|value| !value.is_empty());
        let ReadKey { keytype, subject, version, context } =
            serde_json::from_slice(key_bytes).map_err(|source| RecordError::DecodeKey { source })?;
        let incomplete = |property| RecordError::IncompleteKey { keytype: keytype.clone(), property };
        let optional = || subject.as_deref().filter(|subject| !subject.is_empty()).map(Subject::of_log);
        let required = || optional().ok_or_else(|| incomplete("subject"));
        let record = match (keytype.as_str(), value) {
            (key::SCHEMA, Some(value)) => Self::Schema(decode_value(&keytype, value)?),
            (key::SCHEMA, None) => {
                Self::SchemaGone { subject: required()?, version: version.ok_or_else(|| incomplete("version"))? }
            }
            (key::CONFIG, Some(value)) => Self::Config { subject: optional(), value: decode_value(&keytype, value)? },
            (key::CONFIG, None) => Self::ConfigGone { subject: optional() },
            (key::MODE, Some(value)) => Self::Mode { subject: optional(), value: decode_value(&keytype, value)? },
            (key::MODE, None) => Self::ModeGone { subject: optional() },
            (key::DELETE_SUBJECT, Some(value)) => {
                let value: DeleteSubjectValue = decode_value(&keytype, value)?;
                Self::DeleteSubject { subject: Subject::of_log(&value.subject), version: value.version }
            }
            (key::CLEAR_SUBJECT, Some(value)) => {
                let value: ClearSubjectValue = decode_value(&keytype, value)?;
                Self::ClearSubject { subject: Subject::of_log(&value.subject) }
            }
            (key::CONTEXT, value) => {
                let context = context.clone().ok_or_else(|| incomplete("context"))?;
                if value.is_some() { Self::Context { context } } else { Self::ContextGone { context } }
            }
            (key::NOOP, Some(value)) if key_bytes == key::ID_MARK => {
                let value: IdMarkValue = decode_value(&keytype, value)?;
                Self::IdMark { max_ids: value.max_ids }
            }
            (key::NOOP, Some(value)) if key_bytes == key::WRITER => {
                let value: WriterValue = decode_value(&keytype, value)?;
                Self::Writer { url: value.url }
            }
            _ => Self::Noop,
        };
        Ok(record)
    }

    /// The record as it is written: key and value.
    pub(crate) fn encode(&self) -> (Vec<u8>, Option<Vec<u8>>) {
        match self {
            Self::Schema(value) => {
                let subject = Subject::of_log(&value.subject);
                (schema_key(&subject, value.version), Some(json(value)))
            }
            Self::SchemaGone { subject, version } => (schema_key(subject, *version), None),
            Self::Config { subject, value } => (subject_key(key::CONFIG, subject.as_ref()), Some(json(value))),
            Self::ConfigGone { subject } => (subject_key(key::CONFIG, subject.as_ref()), None),
            Self::Mode { subject, value } => (subject_key(key::MODE, subject.as_ref()), Some(json(value))),
            Self::ModeGone { subject } => (subject_key(key::MODE, subject.as_ref()), None),
            Self::DeleteSubject { subject, version } => {
                let value = DeleteSubjectValue { subject: subject.to_string(), version: *version };
                (subject_key(key::DELETE_SUBJECT, Some(subject)), Some(json(&value)))
            }
            Self::ClearSubject { subject } => {
                let value = ClearSubjectValue { subject: subject.to_string() };
                (subject_key(key::CLEAR_SUBJECT, Some(subject)), Some(json(&value)))
            }
            Self::Context { context } => {
                let value = ContextValue { tenant: key::TENANT.to_owned(), context: context.clone() };
                (context_key(context), Some(json(&value)))
            }
            Self::ContextGone { context } => (context_key(context), None),
            Self::IdMark { max_ids } => (key::ID_MARK.to_vec(), Some(json(&IdMarkValue { max_ids: max_ids.clone() }))),
            Self::Writer { url } => (key::WRITER.to_vec(), Some(json(&WriterValue { url: url.clone() }))),
            Self::Noop => (subject_key(key::NOOP, None), None),
        }
    }
}

fn decode_value<T: DeserializeOwned>(keytype: &str, value: &[u8]) -> Result<T, RecordError> {
    serde_json::from_slice(value).map_err(|source| RecordError::DecodeValue { keytype: keytype.to_owned(), source })
}

fn schema_key(subject: &Subject, version: u32) -> Vec<u8> {
    let (keytype, subject) = (key::SCHEMA, Some(subject.as_str()));
    json(&WrittenKey { keytype, subject, version: Some(version), magic: 1, ..WrittenKey::default() })
}

fn subject_key(keytype: &'static str, subject: Option<&Subject>) -> Vec<u8> {
    json(&WrittenKey { keytype, subject: subject.map(Subject::as_str), ..WrittenKey::default() })
}

fn context_key(context: &str) -> Vec<u8> {
    let (tenant, context) = (Some(key::TENANT), Some(context));
    json(&WrittenKey { keytype: key::CONTEXT, tenant, context, ..WrittenKey::default() })
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("strings, numbers and JSON values have a JSON form, and a vector takes any length")
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
