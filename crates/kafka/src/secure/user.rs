//! Users of a secured Kafka, and the files that let their clients in.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::{SecureError, files};
use crate::{Settings, properties};

const FILE: &str = ".properties";
const JAVA_FILE: &str = ".java.properties";

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
    password: String,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).field("file", &self.file).finish_non_exhaustive()
    }
}

impl User {
    /// The user's password, which Kafka is to be told.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// A user, with the password of before or a new one; writes the files.
    pub(super) fn make(folder: &Path, name: &str, bootstrap: &str, authority: &Path) -> Result<Self, SecureError> {
        let (file, java_file) = paths(folder, name);
        let known = files::read(&file)?.and_then(|text| properties::parse(&text).ok()?.remove("sasl.password"));
        // 122 random bits
        let password = known.unwrap_or_else(|| Uuid::new_v4().simple().to_string());
        let authority = authority.display();
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
            .with("ssl.ca.location", authority.to_string())
            .with("sasl.mechanisms", "SCRAM-SHA-512")
            .with("sasl.username", name)
            .with("sasl.password", password.as_str());
        Ok(User { name: name.to_owned(), settings, file, java_file, password })
    }

    /// All whose files lie in a folder, sorted by name.
    pub(super) fn all(folder: &Path) -> Result<Vec<Self>, SecureError> {
        let failed = |error| SecureError::folder(folder, error);
        let entries: Result<Vec<_>, _> = fs::read_dir(folder).map_err(failed)?.collect();
        let names = entries.map_err(failed)?.into_iter().filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names
            .filter(|name| !name.ends_with(JAVA_FILE))
            .filter_map(|name| name.strip_suffix(FILE).map(str::to_owned))
            .collect();
        names.sort();
        names.into_iter().map(|name| Self::read(folder, name)).collect()
    }

    fn read(folder: &Path, name: String) -> Result<Self, SecureError> {
        let (file, java_file) = paths(folder, &name);
        let not_one = |why: String| SecureError::folder(&file, io::Error::new(io::ErrorKind::InvalidData, why));
        let text = files::read(&file)?.unwrap_or_default();
        let given: BTreeMap<String, String> = properties::parse(&text).map_err(|error| not_one(error.to_string()))?;
        let said =
            |setting: &str| given.get(setting).cloned().ok_or_else(|| not_one(format!("it does not say {setting}")));
        let (bootstrap, password) = (said("bootstrap.servers")?, said("sasl.password")?);
        let settings = Settings::new(bootstrap.as_str()).with_all(given);
        Ok(User { name, settings, file, java_file, password })
    }
}

fn paths(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    (folder.join(format!("{name}{FILE}")), folder.join(format!("{name}{JAVA_FILE}")))
}
