//! Root secrets from the environment, for containers.

use std::env;

use mesh_avro::keys::RootKeys;
use zeroize::Zeroizing;

use super::{KeysError, document::Document};

/// Root secrets in the variable [`EnvKeys::VARIABLE`], in the key file's JSON form.
#[derive(Clone, Debug)]
pub struct EnvKeys {
    pub(super) roots: RootKeys,
}

impl EnvKeys {
    /// The variable's name.
    pub const VARIABLE: &'static str = "MESH_KEYS";

    /// Whether the variable is set at all.
    #[must_use]
    pub fn present() -> bool {
        env::var_os(Self::VARIABLE).is_some()
    }

    /// Reads the roots from the variable.
    ///
    /// # Errors
    /// The variable is not set or not in the documented form.
    pub fn read() -> Result<Self, KeysError> {
        let text = env::var(Self::VARIABLE).map_err(|_| KeysError::ReadEnvironment { name: Self::VARIABLE })?;
        Self::parse(&Zeroizing::new(text))
    }

    fn parse(text: &str) -> Result<Self, KeysError> {
        Ok(Self { roots: Document::parse(Self::VARIABLE, text)?.root_keys(Self::VARIABLE)? })
    }
}

#[cfg(test)]
mod tests {
    use mesh_avro::keys::{KeyName, KeyRing};

    use super::*;

    #[test]
    fn derives_from_what_the_variable_holds() {
        let keys = EnvKeys::parse(&Document { roots: vec![(1, [3; 32].into())], subjects: None }.render())
            .expect("the documented form");
        let name = KeyName::hash("pii");
        let expected = RootKeys::single(Zeroizing::new([3; 32])).key(&name).expect("a root");
        assert_eq!(keys.key(&name).expect("a root").secret(), expected.secret());
        let error = EnvKeys::parse("nonsense").expect_err("not JSON");
        assert!(error.to_string().contains("MESH_KEYS"), "{error}");
    }
}
