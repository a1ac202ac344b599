//! The form in which root secrets are written down: JSON, base64.
//!
//! ```json
//! {"roots":[{"version":1,"secret":"<base64 of 32 bytes>"}]}
//! ```

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::KeysError;

/// Bytes of a root secret.
pub(super) const SECRET_BYTES: usize = 32;

/// A versioned root secret.
pub(super) type Root = (u32, Zeroizing<[u8; SECRET_BYTES]>);

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Document {
    roots: Vec<Entry>,
}

#[derive(Deserialize, Serialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Entry {
    version: u32,
    secret: String,
}

/// Reads the roots; `origin` names where `text` came from. No error quotes any part of `text`.
pub(super) fn parse(origin: &str, text: &str) -> Result<Vec<Root>, KeysError> {
    let malformed = |why: String| KeysError::Malformed { origin: origin.to_owned(), why };
    // serde_json's message may quote a value, so only the position is passed on.
    let located = |error: serde_json::Error| {
        malformed(format!("not the expected JSON at line {}, column {}", error.line(), error.column()))
    };
    let document: Document = serde_json::from_str(text).map_err(located)?;
    if document.roots.is_empty() {
        return Err(malformed("`roots` is empty".to_owned()));
    }
    let mut versions = BTreeSet::new();
    document
        .roots
        .iter()
        .map(|entry| {
            if entry.version == 0 || !versions.insert(entry.version) {
                return Err(malformed(format!("version {} is zero or there twice", entry.version)));
            }
            let secret = decode(&entry.secret).ok_or_else(|| {
                malformed(format!("the secret of version {} is not base64 of 32 bytes", entry.version))
            })?;
            Ok((entry.version, secret))
        })
        .collect()
}

pub(super) fn decode(secret: &str) -> Option<Zeroizing<[u8; SECRET_BYTES]>> {
    let bytes = Zeroizing::new(BASE64_STANDARD.decode(secret).ok()?);
    let bytes: &[u8; SECRET_BYTES] = bytes.as_slice().try_into().ok()?;
    Some(Zeroizing::new(*bytes))
}

/// Writes roots.
pub(super) fn render(roots: &[Root]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(32 + roots.len() * 96));
    text.push_str("{\"roots\":[");
    for (index, (version, secret)) in roots.iter().enumerate() {
        let encoded = Zeroizing::new(BASE64_STANDARD.encode(secret.as_slice()));
        let comma = if index == 0 { "" } else { "," };
        text.push_str(&Zeroizing::new(format!("{comma}{{\"version\":{version},\"secret\":\"{}\"}}", encoded.as_str())));
    }
    text.push_str("]}\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rendered_parses() {
        let roots: Vec<Root> = vec![(1, [7; 32].into()), (4, [9; 32].into())];
        assert_eq!(parse("test", &render(&roots)).expect("a document"), roots);
    }

    #[test]
    fn malformed_documents_are_refused_without_quoting_them() {
        let secret = BASE64_STANDARD.encode([1; 32]);
        let twice = format!(r#"{{"roots":[{{"version":1,"secret":"{secret}"}},{{"version":1,"secret":"{secret}"}}]}}"#);
        let zero = format!(r#"{{"roots":[{{"version":0,"secret":"{secret}"}}]}}"#);
        let short = r#"{"roots":[{"version":1,"secret":"c2VjcmV0"}]}"#;
        let unknown = format!(r#"{{"roots":[{{"version":1,"secret":"{secret}","note":"hunter2"}}]}}"#);
        let misplaced = format!(r#"{{"roots":[{{"version":"{secret}","secret":1}}]}}"#);
        let cases = ["", "{}", r#"{"roots":[]}"#, &twice, &zero, short, &unknown, &misplaced];
        for text in cases {
            let error = parse("keys.json", text).expect_err(text).to_string();
            assert!(error.contains("keys.json"), "{error}");
            for quoted in [secret.as_str(), "c2VjcmV0", "hunter2"] {
                assert!(!error.contains(quoted), "{error}");
            }
        }
    }
}
