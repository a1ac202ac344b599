//! The secured profile: everybody says who they are, over TLS, and may do what a rule allows, else nothing.
//!
//! Clients come by SCRAM-SHA-512 over TLS; the broker reaches itself and its controller by mutual TLS. The authority, the broker's
//! certificate and each user's password are made on the spot, in a folder beside the data that is its owner's alone.

mod authority;
mod files;

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::EmbeddedError;
use crate::{Settings, properties};
use authority::Authority;

/// The one user that no rule binds.
pub(super) const OPERATOR: &str = "mesh-operator";
/// The broker's own name, towards itself.
const BROKER: &str = "mesh-broker";
const FOLDER: &str = "secure";

/// The files of a secured Kafka.
#[derive(Debug, Clone)]
pub(super) struct Secure {
    folder: PathBuf,
}

/// A user of a secured Kafka: how to reach it as this user, and the files that say so to other clients.
#[derive(Clone)]
pub struct User {
    /// The name; the principal is `User:` and this.
    pub name: String,
    /// How to reach Kafka as this user.
    pub settings: Settings,
    /// Client settings as librdkafka's clients read them; readable by its owner alone.
    pub file: PathBuf,
    /// The same as Java's clients read them.
    pub java_file: PathBuf,
    pub(super) password: String,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).field("file", &self.file).finish_non_exhaustive()
    }
}

impl Secure {
    /// Whether the Kafka of this folder was started secured before.
    pub(super) fn was_here(root: &Path) -> bool {
        root.join(FOLDER).exists()
    }

    /// Makes what is not there yet, and the broker's certificate anew.
    pub(super) fn prepare(root: &Path) -> Result<Self, EmbeddedError> {
        let secure = Secure { folder: root.join(FOLDER) };
        files::folder(&secure.folder)?;
        files::folder(&secure.clients())?;
        let authority = Authority::open(&secure.authority(), &secure.folder.join("ca.key"))?;
        files::write(&secure.certificate(), &authority.issue(BROKER)?)?;
        Ok(secure)
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
            self.certificate().display(),
            self.authority().display(),
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
        let certificate = self.certificate().display().to_string();
        Settings::new(internal)
            .with("security.protocol", "SSL")
            .with("ssl.ca.location", self.authority().display().to_string())
            .with("ssl.certificate.location", certificate.as_str())
            .with("ssl.key.location", certificate)
    }

    /// A user, with the password of before or a new one; its files are written. Kafka is still to be told.
    pub(super) fn user(&self, name: &str, bootstrap: &str) -> Result<User, EmbeddedError> {
        let file = self.clients().join(format!("{name}.properties"));
        let java_file = self.clients().join(format!("{name}.java.properties"));
        let known = files::read(&file)?.and_then(|text| properties::parse(&text).ok()?.remove("sasl.password"));
        // 122 random bits
        let password = known.unwrap_or_else(|| Uuid::new_v4().simple().to_string());
        let authority = self.authority().display().to_string();
        let common = format!("bootstrap.servers={bootstrap}\nsecurity.protocol=SASL_SSL\n");
        let librdkafka = format!(
            "# User:{name}, for clients on librdkafka: kcat -F, confluent-kafka, mesh --kafka-config\n{common}\
             ssl.ca.location={authority}\nsasl.mechanisms=SCRAM-SHA-512\nsasl.username={name}\nsasl.password={password}\n"
        );
        let java = format!(
            "# User:{name}, for Java's clients: kafka-console-consumer.sh --consumer.config\n{common}\
             ssl.truststore.type=PEM\nssl.truststore.location={authority}\nsasl.mechanism=SCRAM-SHA-512\n\
             sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=\"{name}\" \
             password=\"{password}\";\n"
        );
        files::write(&file, &librdkafka)?;
        files::write(&java_file, &java)?;
        let settings = Settings::new(bootstrap)
            .with("security.protocol", "SASL_SSL")
            .with("ssl.ca.location", authority)
            .with("sasl.mechanisms", "SCRAM-SHA-512")
            .with("sasl.username", name)
            .with("sasl.password", password.as_str());
        Ok(User { name: name.to_owned(), settings, file, java_file, password })
    }

    fn clients(&self) -> PathBuf {
        self.folder.join("clients")
    }

    fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    fn certificate(&self) -> PathBuf {
        self.folder.join("broker.pem")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn all_files_are_their_owners_alone_and_passwords_stay() {
        let root = tempfile::tempdir().unwrap();
        assert!(!Secure::was_here(root.path()));
        let secure = Secure::prepare(root.path()).unwrap();
        let user = secure.user("crm-service", "127.0.0.1:9092").unwrap();
        let authority = fs::read(secure.authority()).unwrap();
        for folder in [&secure.folder, &secure.clients()] {
            assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
            let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap());
            assert!(files.filter(fs::Metadata::is_file).all(|file| file.permissions().mode() & 0o777 == 0o600));
        }

        let again = Secure::prepare(root.path()).unwrap();
        assert!(Secure::was_here(root.path()));
        assert_eq!(fs::read(again.authority()).unwrap(), authority, "clients would trust it no more");
        let later = again.user("crm-service", "127.0.0.1:9093").unwrap();
        assert_eq!(later.password, user.password);
        assert_ne!(again.user("web-tracker", "127.0.0.1:9093").unwrap().password, user.password);
        assert!(!format!("{later:?}").contains(&later.password));
    }

    #[test]
    fn both_spellings_say_the_same() {
        let root = tempfile::tempdir().unwrap();
        let user = Secure::prepare(root.path()).unwrap().user("ana", "127.0.0.1:9092").unwrap();
        let read = |file: &Path| properties::parse(&fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!(read(&user.file), read(&user.java_file));
        let settings = Settings::new("127.0.0.1:9092").with_all(read(&user.file));
        assert_eq!(settings, user.settings);
    }
}
