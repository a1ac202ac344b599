//! A schema's text as JSON, or what is wrong with it.

use super::json::Json;
use super::{MAX_TEXT_BYTES, SchemaError, SchemaFault, locate};

/// Reads a text that is JSON, without a key twice in one object.
pub(super) fn read_json(text: &str) -> Result<Json<'_>, SchemaError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(SchemaError::at("", SchemaFault::TooLarge { limit: MAX_TEXT_BYTES, unit: "bytes" }));
    }
    serde_json::from_str(text).map_err(|error| unreadable(text, &error))
}

/// What is wrong with a text: it has a key twice, or it is no JSON at all.
fn unreadable(text: &str, error: &serde_json::Error) -> SchemaError {
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        return not_json(text, &error);
    }
    match locate::duplicate_key(text) {
        Some((key, position)) => {
            SchemaError { position: Some(position), ..SchemaError::at("", SchemaFault::DuplicateKey { key }) }
        }
        None => not_json(text, error),
    }
}

fn not_json(text: &str, error: &serde_json::Error) -> SchemaError {
    let whole = error.to_string();
    let message = whole.split(" at line ").next().unwrap_or(&whole).to_owned();
    let line_start = text.split('\n').take(error.line().saturating_sub(1)).map(|line| line.len() + 1).sum::<usize>();
    let at = floor_char_boundary(text, line_start + error.column().saturating_sub(1));
    SchemaError { position: Some(locate::position(text, at)), ..SchemaError::at("", SchemaFault::Json { message }) }
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
