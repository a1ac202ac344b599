//! The secured profile: everybody says who they are, over TLS, and may do what a rule allows, else nothing.
//!
//! Clients come by SCRAM-SHA-512 over TLS; the broker reaches itself and its controller by mutual TLS. Its files lie in a folder
//! beside the data.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::EmbeddedError;
use crate::Settings;
use crate::secure::{BROKER, OPERATOR, Purpose, SecureFolder, User};

const FOLDER: &str = "secure";
const CERTIFICATE: &str = "broker.pem";

/// A secured Kafka's files.
pub(super) struct Secured {
    path: PathBuf,
    folder: SecureFolder,
}

impl Secured {
    /// Whether the Kafka of this folder was started secured before.
    pub(super) fn was_here(root: &Path) -> bool {
        root.join(FOLDER).exists()
    }

    /// Makes what is not there yet, and the broker's certificate anew.
    pub(super) fn prepare(root: &Path) -> Result<Self, EmbeddedError> {
        let path = root.join(FOLDER);
        let folder = SecureFolder::open(&path)?;
        let hosts = ["127.0.0.1", "localhost"].map(str::to_owned);
        folder.write(CERTIFICATE, &folder.issue(BROKER, &hosts, Purpose::Both)?.store())?;
        Ok(Secured { path, folder })
    }

    /// What Kafka is told of it, besides its listeners.
    pub(super) fn properties(&self) -> String {
        let mut properties = format!(
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:{BROKER};User:{OPERATOR}
sasl.enabled.mechanisms=SCRAM-SHA-512
ssl.keystore.type=PEM
ssl.keystore.location={}
ssl.truststore.type=PEM
ssl.truststore.location={}
ssl.principal.mapping.rules=RULE:^CN=([A-Za-z0-9._-]+)(,.*)?$/$1/,DEFAULT
listener.name.internal.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
",
            self.folder.file(CERTIFICATE).display(),
            self.folder.authority().display(),
        );
        for listener in ["secured", "proxied"] {
            let module = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
            // a String takes what it is given
            let _ = writeln!(properties, "listener.name.{listener}.scram-sha-512.sasl.jaas.config={module}");
        }
        properties
    }

    /// How the broker itself reaches the broker.
    pub(super) fn broker(&self, internal: &str) -> Settings {
        SecureFolder::by_certificate(&self.path, CERTIFICATE, internal)
    }

    /// A user, with the password of before or a new one; its files are written. Kafka is still to be told.
    pub(super) fn user(&self, name: &str, bootstrap: &str) -> Result<User, EmbeddedError> {
        Ok(self.folder.user(name, bootstrap)?)
    }
}
