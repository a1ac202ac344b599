//! Who asks, and what they may.

use std::sync::Arc;

use super::scope::Scope;

/// What somebody may read and write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rights {
    pub(super) read: Vec<Scope>,
    pub(super) write: Vec<Scope>,
}

/// Somebody whose credentials were found right, or anybody where none are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    name: Arc<str>,
    rights: Arc<Rights>,
}

impl Principal {
    pub(super) fn new(name: &str, rights: Rights) -> Self {
        Self { name: name.into(), rights: Arc::new(rights) }
    }

    /// Their name, for logs and messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether they may read what is called so. Whoever may write it may read it.
    #[must_use]
    pub fn may_read(&self, name: &str) -> bool {
        self.rights.read.iter().any(|scope| scope.covers(name)) || self.may_write(name)
    }

    /// Whether they may change what is called so.
    #[must_use]
    pub fn may_write(&self, name: &str) -> bool {
        self.rights.write.iter().any(|scope| scope.covers(name))
    }

    /// Whether they may change what concerns everything, such as a setting for all.
    #[must_use]
    pub fn may_write_all(&self) -> bool {
        self.rights.write.contains(&Scope::All)
    }

    /// Whether there is anything that they may read.
    #[must_use]
    pub fn may_read_any(&self) -> bool {
        !self.rights.read.is_empty() || self.may_write_any()
    }

    /// Whether there is anything that they may change.
    #[must_use]
    pub fn may_write_any(&self) -> bool {
        !self.rights.write.is_empty()
    }
}
