//! How a client is let in: whose certificates it trusts, and who it says it is.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, RequestBuilder};
use schema_registry_converter::async_impl::schema_registry::SrSettingsBuilder;
use serde::Deserialize;

/// Whose certificates a client trusts, and who it says it is. Nothing of it is ever shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Login {
    authority: Option<Arc<str>>,
    credentials: Option<Credentials>,
}

/// Who a client says it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A name and a password, by HTTP's Basic scheme.
    Basic {
        /// The name.
        user: Arc<str>,
        /// The password.
        password: Arc<str>,
    },
    /// A token, by the Bearer scheme.
    Token(Arc<str>),
}

/// A login that cannot be used. Nothing secret is quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The text is not in the documented form.
    #[error("the credentials are neither {{\"user\": …, \"password\": …}} nor {{\"token\": …}} in JSON")]
    Credentials,
    /// The text holds no certificate.
    #[error("the authority to trust is not a certificate in PEM: {said}")]
    Authority {
        /// What the parser said.
        said: String,
    },
    /// The HTTP client cannot be made.
    #[error("cannot prepare the HTTP client: {said}")]
    Client {
        /// Why.
        said: String,
    },
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Document {
    Basic { user: String, password: String },
    Token { token: String },
}

impl Credentials {
    /// A name and a password.
    pub fn basic(user: &str, password: &str) -> Self {
        Self::Basic { user: user.into(), password: password.into() }
    }

    /// A token.
    pub fn token(token: &str) -> Self {
        Self::Token(token.into())
    }

    /// Reads `{"user": …, "password": …}` or `{"token": …}`.
    pub fn parse(text: &str) -> Result<Self, LoginError> {
        // serde_json's message may quote a value, so it is not passed on.
        match serde_json::from_str(text).map_err(|_| LoginError::Credentials)? {
            Document::Basic { user, password } => Ok(Self::basic(&user, &password)),
            Document::Token { token } => Ok(Self::token(&token)),
        }
    }
}

impl Login {
    /// Trusts certificates of this authority alone (PEM, one or several), instead of those that the system trusts.
    pub fn trusting(self, authority: &str) -> Result<Self, LoginError> {
        certificates(authority)?;
        Ok(Self { authority: Some(authority.into()), ..self })
    }

    /// Says who it is.
    pub fn with(self, credentials: Credentials) -> Self {
        Self { credentials: Some(credentials), ..self }
    }

    /// An HTTP client that trusts what this says. What it asks has still to be [signed](Self::sign).
    pub fn client(&self, timeout: Duration) -> Result<Client, LoginError> {
        let client = self.builder()?.timeout(timeout).build();
        client.map_err(|error| LoginError::Client { said: error.to_string() })
    }

    /// A request with these credentials.
    pub fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.credentials {
            None => request,
            Some(Credentials::Basic { user, password }) => request.basic_auth(user, Some(password)),
            Some(Credentials::Token(token)) => request.bearer_auth(token),
        }
    }

    pub(super) fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }

    pub(super) fn builder(&self) -> Result<ClientBuilder, LoginError> {
        match &self.authority {
            None => Ok(Client::builder()),
            Some(authority) => Ok(Client::builder().tls_certs_only(certificates(authority)?)),
        }
    }

    pub(super) fn authorize(&self, settings: &mut SrSettingsBuilder) {
        let _settings = match &self.credentials {
            None => settings,
            Some(Credentials::Basic { user, password }) => settings.set_basic_authorization(user, Some(password)),
            Some(Credentials::Token(token)) => settings.set_token_authorization(token),
        };
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Login");
        shown.field("authority", &self.authority.is_some()).field("credentials", &self.credentials).finish()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Basic { .. } => "Basic",
            Self::Token(_) => "Token",
        })
    }
}

fn certificates(pem: &str) -> Result<Vec<Certificate>, LoginError> {
    let failed = |said: String| LoginError::Authority { said };
    let certificates = Certificate::from_pem_bundle(pem.as_bytes()).map_err(|error| failed(error.to_string()))?;
    if certificates.is_empty() { Err(failed("it holds none".to_owned())) } else { Ok(certificates) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn credentials_are_read_and_never_shown() {
        let basic = Credentials::parse(r#"{"user": "crm", "password": "hunter2"}"#).unwrap();
        assert_eq!(basic, Credentials::basic("crm", "hunter2"));
        let token = Credentials::parse(r#"{"token": "mesh_hunter2"}"#).unwrap();
        assert_eq!(token, Credentials::token("mesh_hunter2"));
        for credentials in [basic, token] {
            let shown = format!("{:?}", Login::default().with(credentials));
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        for wrong in
            ["", "hunter2", r#"{"user": "hunter2"}"#, r#"{"token": "t", "user": "hunter2"}"#, r#"{"token": 2}"#]
        {
            let error = Credentials::parse(wrong).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_not_trusted() {
        for wrong in ["", "hunter2", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"] {
            let login = Login::default().trusting(wrong);
            assert!(login.is_err() || login.unwrap().client(Duration::from_secs(1)).is_err(), "{wrong}");
        }
    }
}
