//! Against a local server that answers as Vault's KV (version 2) and transit engines and its auth methods document it, faults included.

mod kv;
mod login;
mod server;
mod subjects;
mod tls;
mod transit;

/// Whoever sees this sees what nobody may.
const CANARY: &str = "hunter2";

/// What an error says, of which no part is a secret.
fn said(error: &impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    assert!(!text.contains(CANARY), "{text}");
    text
}
