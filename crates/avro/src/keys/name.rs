//! What a key is for.

use std::fmt;
use std::sync::Arc;

/// A key's name: its purpose and whom it is for, such as `hash/pii.contact` or `quarantine/crm`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(Arc<str>);

impl KeyName {
    /// The key that hashes a class of columns: mesh-wide, so that one class joins across products.
    pub fn hash(class: &str) -> KeyName {
        KeyName(format!("hash/{class}").into())
    }

    /// The key that tokenises a class of columns.
    pub fn tokenise(class: &str) -> KeyName {
        KeyName(format!("tokenise/{class}").into())
    }

    /// The key that encrypts a class of columns.
    pub fn encrypt(class: &str) -> KeyName {
        KeyName(format!("encrypt/{class}").into())
    }

    /// The key that seals a domain's quarantined records.
    pub fn quarantine(domain: &str) -> KeyName {
        KeyName(format!("quarantine/{domain}").into())
    }

    /// The key that seals entries of the audit.
    pub fn audit() -> KeyName {
        KeyName("audit".into())
    }

    /// What all keys of subjects are called together: none of them is derived by name.
    pub fn subjects() -> KeyName {
        KeyName("subjects".into())
    }

    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyName({})", self.0)
    }
}
