//! A root secret that dies with the process.

use std::sync::Arc;

use mesh_avro::keys::{RootKeys, SubjectKeys};

use super::{KeysError, random_secret};

/// Random secrets, kept nowhere: for previews and tests, where nothing masked has to join later.
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
        let subjects = SubjectKeys::new(1, random_secret()?, random_secret()?);
        Ok(Self { roots: RootKeys::single(random_secret()?).with_subjects(Arc::new(subjects)) })
    }
}
