//! A root secret that dies with the process.

use mesh_avro::keys::RootKeys;

use super::{KeysError, random_secret};

/// A random root secret, kept nowhere: for previews and tests, where nothing masked has to join later.
#[derive(Clone, Debug)]
pub struct ThrowAwayKeys {
    pub(super) roots: RootKeys,
}

impl ThrowAwayKeys {
    /// Draws a new secret.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub fn generate() -> Result<Self, KeysError> {
        Ok(Self { roots: RootKeys::single(random_secret()?) })
    }
}
