//! Who to be at Vault.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    keys::KeysError,
    private_file::{self, OTHERS, PrivateFileError},
};

/// No token, secret id or JWT is longer.
const FILE_BYTES_MAX: u64 = 16 * 1024;
/// Where Kubernetes puts a pod's own token, which it renews.
const SERVICE_ACCOUNT_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// Who to be.
#[derive(Clone)]
pub enum VaultLogin {
    /// A file that holds a token, readable by its owner alone: read anew each time, for an agent that replaces it.
    TokenFile(PathBuf),
    /// The token itself.
    Token(Zeroizing<String>),
    /// A role, which is proved by what a file holds: read anew at each login.
    Role {
        /// Which role, of which auth method.
        method: LoginMethod,
        /// The file that holds the secret id, readable by its owner alone, or the service account's token.
        proof: PathBuf,
    },
}

/// A role of one of Vault's auth methods: `kubernetes:ROLE` or `approle:ROLE_ID`, and `kubernetes@MOUNT:ROLE` where the method is not
/// mounted under its own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginMethod {
    kind: Kind,
    mount: String,
    role: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    AppRole,
    Kubernetes,
}

/// A login file that cannot be used.
pub(super) type LoginFileError = PrivateFileError;

impl From<LoginFileError> for KeysError {
    fn from(source: LoginFileError) -> Self {
        KeysError::ReadFile { source }
    }
}

impl VaultLogin {
    /// The token itself.
    #[must_use]
    pub fn token(token: String) -> Self {
        VaultLogin::Token(Zeroizing::new(token))
    }

    /// A role. Without `proof` it is the pod's own token.
    ///
    /// # Errors
    /// The method wants a file that has no usual place: an AppRole's secret id.
    pub fn role(method: LoginMethod, proof: Option<PathBuf>) -> Result<Self, &'static str> {
        let proof = match (method.kind, proof) {
            (_, Some(proof)) => proof,
            (Kind::Kubernetes, None) => SERVICE_ACCOUNT_TOKEN.into(),
            (Kind::AppRole, None) => return Err("an AppRole needs the file of its secret id"),
        };
        Ok(VaultLogin::Role { method, proof })
    }

    /// The token, where there is one without logging in.
    pub(super) fn given(&self) -> Result<Option<Zeroizing<String>>, LoginFileError> {
        match self {
            VaultLogin::Token(text) => Ok(Some(text.clone())),
            VaultLogin::TokenFile(path) => read(path, OTHERS).map(Some),
            VaultLogin::Role { .. } => Ok(None),
        }
    }
}

impl LoginMethod {
    /// Where to log in, and with what.
    pub(super) fn request(&self, proof: &Path) -> Result<(String, Value), LoginFileError> {
        let path = format!("auth/{}/login", self.mount);
        let body = match self.kind {
            Kind::AppRole => json!({ "role_id": self.role, "secret_id": read(proof, OTHERS)?.as_str() }),
            // Kubernetes mounts it for everybody in the container to read
            Kind::Kubernetes => json!({ "role": self.role, "jwt": read(proof, 0)?.as_str() }),
        };
        Ok((path, body))
    }
}

fn read(path: &Path, forbidden: u32) -> Result<Zeroizing<String>, LoginFileError> {
    let text = private_file::read(path, forbidden, FILE_BYTES_MAX)?;
    Ok(Zeroizing::new(text.trim().to_owned()))
}

impl FromStr for LoginMethod {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            || "expected kubernetes:ROLE or approle:ROLE_ID, with @MOUNT behind the method's name".to_owned();
        let (method, role) = text.split_once(':').filter(|(_, role)| !role.is_empty()).ok_or_else(expected)?;
        let (name, mount) = method.split_once('@').unwrap_or((method, method));
        let kind = match name {
            "approle" => Kind::AppRole,
            "kubernetes" => Kind::Kubernetes,
            _ => return Err(expected()),
        };
        let mount = mount.trim_matches('/');
        if !mount.split('/').all(super::is_name) {
            return Err(expected());
        }
        Ok(LoginMethod { kind, mount: mount.to_owned(), role: role.to_owned() })
    }
}

impl fmt::Debug for VaultLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VaultLogin::TokenFile(path) => f.debug_tuple("TokenFile").field(path).finish(),
            VaultLogin::Token(_) => f.write_str("Token"),
            VaultLogin::Role { method, proof } => {
                f.debug_struct("Role").field("method", method).field("proof", proof).finish()
            }
        }
    }
}
