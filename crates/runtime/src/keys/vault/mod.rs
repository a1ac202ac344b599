//! HashiCorp Vault, or OpenBao, by its HTTP API: roots that a KV engine holds ([`VaultKeys`]), and key files that a transit engine seals
//! ([`SealedFile`](super::SealedFile)).
//!
//! Whatever Vault says is told in the words of who has to mend it, and no part of an answer is ever in an error. A Vault that is sealed, a
//! standby or silent is not worse than one that is gone: services go on with the keys they have, for an hour, and ask again.

mod answer;
mod kv;
mod login;
mod server;
mod session;
mod subjects;
mod transit;

pub use kv::VaultKeys;
pub use login::{LoginMethod, VaultLogin};
pub use server::VaultAccess;
pub use transit::TransitKey;
pub(super) use transit::VaultTransit;

/// Whether this is one part of a mount point, or a key's name: nothing that could lead a request elsewhere.
fn is_name(part: &str) -> bool {
    let is_plain = part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    is_plain && part.chars().any(|c| c != '.')
}

#[cfg(test)]
mod tests;
