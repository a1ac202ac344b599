//! What can go wrong when asking a registry.

use schema_registry_converter::error::SRCError;
use schema_registry_converter::schema_registry_common::RawError;

/// A question that a registry did not answer as hoped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The address is not one.
    #[error("\"{url}\" is not a registry's address: {said}")]
    Url {
        /// The address, without credentials.
        url: String,
        /// Why.
        said: String,
    },
    /// It cannot be asked at all as it was said to be.
    #[error("cannot ask the registry at {url}")]
    Login {
        /// The registry's address.
        url: String,
        /// Why.
        source: super::LoginError,
    },
    /// There is no such schema, subject or version; the registry is certain.
    #[error("the registry at {url} does not have {what}")]
    NotFound {
        /// What was asked for.
        what: String,
        /// The registry's address.
        url: String,
    },
    /// The registry cannot be reached, or cannot answer yet.
    #[error("the registry at {url} does not answer ({said}), asked for {what}")]
    Unavailable {
        /// What was asked for.
        what: String,
        /// The registry's address.
        url: String,
        /// What happened instead.
        said: String,
    },
    /// The subject's compatibility level does not admit the schema.
    #[error("the registry refuses an incompatible schema for {what}: {said}")]
    Incompatible {
        /// The subject.
        what: String,
        /// Why, as the registry words it.
        said: String,
    },
    /// The schema is not a valid one.
    #[error("the registry refuses the schema for {what} as not valid: {said}")]
    InvalidSchema {
        /// The subject.
        what: String,
        /// Why, as the registry words it.
        said: String,
    },
    /// The registry asks for other credentials, or does not permit this to them.
    #[error("the registry at {url} does not permit access to {what}")]
    Unauthorised {
        /// What was asked for.
        what: String,
        /// The registry's address.
        url: String,
    },
    /// Any other refusal, or an answer that makes no sense.
    #[error("the registry at {url} refuses, asked for {what}: {said}")]
    Refused {
        /// What was asked for.
        what: String,
        /// The registry's address.
        url: String,
        /// The HTTP status, if there was one.
        status: Option<u16>,
        /// What it said.
        said: String,
    },
}

impl RegistryError {
    /// Whether the same question may be answered later.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, RegistryError::Unavailable { .. })
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            RegistryError::Url { .. } => Some("give http://host:port or https://host:port"),
            RegistryError::Unavailable { said, .. } if said.contains("CaUsedAsEndEntity") => Some(
                "the registry serves an authority's own certificate: issue it one of a server, with basicConstraints CA:FALSE",
            ),
            RegistryError::Unavailable { said, .. } if said.contains("certificate") => {
                Some("name the authority that signed the registry's certificate with --registry-ca")
            }
            RegistryError::Unavailable { .. } => Some("start the registry (`mesh up`), or check --registry-url"),
            RegistryError::Incompatible { .. } => Some(
                "change the schema so that earlier readers can read it, or publish a new major version of the product",
            ),
            RegistryError::Unauthorised { .. } => Some(
                "give credentials that may do this: --registry-credentials FILE, or MESH_REGISTRY_TOKEN, or MESH_REGISTRY_USER and MESH_REGISTRY_PASSWORD",
            ),
            _ => None,
        }
    }

    /// From the library's error.
    pub(super) fn of(what: &str, url: &str, error: SRCError) -> Self {
        let status = status_in(&error.error);
        let raw = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<RawError>());
        let code = raw.map(|raw| raw.error_code);
        let said = match raw {
            Some(raw) => raw.message.clone(),
            None => error.cause.clone().unwrap_or_else(|| error.error.clone()),
        };
        if status.is_none() && error.retriable {
            return RegistryError::Unavailable { what: what.to_owned(), url: url.to_owned(), said: root_cause(&error) };
        }
        RegistryError::answered(what, url, status, code, said)
    }

    /// From an HTTP status, the registry's own code and its message.
    pub(super) fn answered(what: &str, url: &str, status: Option<u16>, code: Option<u32>, said: String) -> Self {
        let (what, url) = (what.to_owned(), url.to_owned());
        match (status, code) {
            (Some(404), _) => RegistryError::NotFound { what, url },
            (Some(401 | 403), _) => RegistryError::Unauthorised { what, url },
            (Some(409), _) => RegistryError::Incompatible { what, said },
            (Some(422), Some(42201 | 0) | None) => RegistryError::InvalidSchema { what, said },
            (Some(408 | 429 | 500 | 502..=504), _) => RegistryError::Unavailable { what, url, said },
            (status, _) => RegistryError::Refused { what, url, status, said },
        }
    }
}

/// The library keeps the status in its text only: "… failed with status 404 Not Found".
fn status_in(text: &str) -> Option<u16> {
    text.split_once("failed with status ")?.1.get(..3)?.parse().ok()
}

/// The last cause: "connection refused" says more than "error sending request".
fn root_cause(error: &SRCError) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_become_kinds() {
        let of = |status, code| RegistryError::answered("subject s", "http://r", Some(status), code, "why".into());
        assert!(matches!(of(404, Some(40403)), RegistryError::NotFound { .. }));
        assert!(matches!(of(409, Some(409)), RegistryError::Incompatible { .. }));
        assert!(matches!(of(422, Some(42201)), RegistryError::InvalidSchema { .. }));
        assert!(matches!(of(422, Some(42203)), RegistryError::Refused { status: Some(422), .. }));
        assert!(matches!(of(401, None), RegistryError::Unauthorised { .. }));
        assert!(of(503, None).is_unavailable() && of(500, Some(50002)).is_unavailable());
    }

    #[test]
    fn the_librarys_text_holds_the_status() {
        assert_eq!(status_in("HTTP request to schema registry failed with status 404 Not Found"), Some(404));
        assert_eq!(status_in("http call to schema registry failed"), None);
    }
}
