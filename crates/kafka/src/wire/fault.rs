//! Why a broker cannot be asked, or what it says against what it was asked.

use super::address::Address;
use crate::{Error, ErrorKind};

/// What went wrong, in words without a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: ErrorKind,
    said: String,
}

impl Fault {
    pub(crate) fn new(kind: ErrorKind, said: impl Into<String>) -> Self {
        Fault { kind, said: said.into() }
    }

    pub(super) fn invalid(said: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, said)
    }

    pub(super) fn unauthorised(said: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unauthorised, said)
    }

    pub(super) fn malformed(api: &str) -> Self {
        Self::new(ErrorKind::Other, format!("the broker's answer to {api} is malformed"))
    }

    /// An error of Kafka's protocol, in the broker's own words where it has any.
    pub(super) fn answered(code: i16, said: Option<String>) -> Self {
        let (kind, words) = match code {
            7 => (ErrorKind::Unreachable, "the request timed out"),
            31 => (ErrorKind::Unauthorised, "the cluster does not authorise it"),
            33 => (ErrorKind::Unauthorised, "the SASL mechanism is not enabled"),
            34 => {
                (ErrorKind::Unauthorised, "SASL is not expected now: the listener may have another security.protocol")
            }
            35 => (ErrorKind::Invalid, "the broker does not speak this version"),
            40 | 42 | 44 => (ErrorKind::Invalid, "the request is not valid"),
            41 => (ErrorKind::Unreachable, "the controller is elsewhere"),
            58 => (ErrorKind::Unauthorised, "SASL authentication failed"),
            _ => (ErrorKind::Other, "it failed"),
        };
        match said.filter(|said| !said.is_empty()) {
            Some(said) => Self::new(kind, said),
            None => Self::new(kind, format!("{words} (Kafka's error {code})")),
        }
    }

    /// The same, of this broker.
    pub(super) fn at(mut self, address: &Address) -> Self {
        self.said = format!("{address}: {}", self.said);
        self
    }

    /// As this crate's error; `operation` completes the sentence "cannot …".
    pub(crate) fn error(self, operation: impl Into<String>) -> Error {
        Error::said(operation, self.kind, self.said)
    }
}

#[cfg(test)]
impl Fault {
    pub(super) fn said(&self) -> &str {
        &self.said
    }
}
