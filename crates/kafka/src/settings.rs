//! How to reach a cluster.

use std::collections::BTreeMap;
use std::fmt;

use rdkafka::ClientConfig;

use crate::oauth::{self, Tokens};
use crate::{Error, ErrorKind};

/// What a reader of partitions rests on that belongs to no group's members: it sees what is committed, is told where a partition
/// ends, and commits nothing.
pub(crate) const READS_TO_THE_END: [(&str, &str); 5] = [
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "earliest"),
    ("isolation.level", "read_committed"),
    ("enable.partition.eof", "true"),
];

/// How to reach a cluster: its bootstrap servers and any of librdkafka's configuration properties.
///
/// What is given here wins over what a part of this crate sets by itself, except for what its promises rest on
/// (idempotence, isolation level, manual commits).
#[derive(Clone)]
pub struct Settings {
    bootstrap: String,
    properties: BTreeMap<String, String>,
    /// Shared by clones: one token lets all of their clients in.
    tokens: Tokens,
}

impl PartialEq for Settings {
    fn eq(&self, other: &Self) -> bool {
        (&self.bootstrap, &self.properties) == (&other.bootstrap, &other.properties)
    }
}

impl Eq for Settings {}

/// Parts of property names whose values are never shown.
const SECRET_PARTS: [&str; 6] = ["password", "secret", "token", "sasl.jaas", "key.pem", "keystore.key"];
/// What has such a name though it says only where something is.
const NO_SECRETS: [&str; 2] = [".url", ".location"];

impl Settings {
    /// The cluster behind these bootstrap servers (`host:port`, separated by commas).
    pub fn new(bootstrap: impl Into<String>) -> Self {
        Settings { bootstrap: bootstrap.into(), properties: BTreeMap::new(), tokens: Tokens::default() }
    }

    /// Adds one of librdkafka's configuration properties, such as `security.protocol`.
    pub fn with(mut self, property: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(property.into(), value.into());
        self.tokens = Tokens::default();
        self
    }

    /// Takes over librdkafka's settings from `properties`, such as [`parse`](crate::properties::parse) reads from a file.
    /// `bootstrap.servers` among them is left out.
    #[must_use]
    pub fn with_all(mut self, properties: BTreeMap<String, String>) -> Self {
        self.properties.extend(properties.into_iter().filter(|(property, _)| property != "bootstrap.servers"));
        self.tokens = Tokens::default();
        self
    }

    /// Looks at what can be judged before any client is made: what OAUTHBEARER needs.
    ///
    /// # Errors
    /// Something is missing, or not of its form.
    pub fn check(&self) -> Result<(), Error> {
        let failed = |said| Error::said("use the client settings", ErrorKind::Invalid, said);
        oauth::of(&self.properties).map(drop).map_err(failed)
    }

    /// Whether a setting's value is a secret, which belongs into no log and on no command line.
    #[must_use]
    pub fn is_secret(property: &str) -> bool {
        let is_place = NO_SECRETS.iter().any(|end| property.ends_with(end));
        !is_place && SECRET_PARTS.iter().any(|part| property.contains(part))
    }

    /// A setting that was given.
    #[must_use]
    pub fn get(&self, property: &str) -> Option<&str> {
        self.properties.get(property).map(String::as_str)
    }

    /// The bootstrap servers.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    pub(crate) fn properties(&self) -> &BTreeMap<String, String> {
        &self.properties
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// A client's configuration: the defaults of its role, then these settings, then what its promises rest on.
    pub(crate) fn client(&self, defaults: &[(&str, &str)], fixed: &[(&str, &str)]) -> ClientConfig {
        // Before librdkafka's first use of OpenSSL, so that this does not register to take itself apart at the process's end: clients
        // are dropped on threads of their own, and one of librdkafka's that is in a handshake right then would crash the process.
        openssl_sys::init();
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap);
        config.set("client.id", "mesh");
        // a broker that restarts is found again soon, not after librdkafka's 10 s
        config.set("reconnect.backoff.max.ms", "2000");
        config.set("allow.auto.create.topics", "false");
        let own = self.properties.iter().map(|(property, value)| (property.as_str(), value.as_str()));
        let own = own.filter(|(property, _)| !oauth::is_own(property));
        for (property, value) in defaults.iter().copied().chain(own).chain(fixed.iter().copied()) {
            config.set(property, value);
        }
        config
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.properties.iter().map(|(property, value)| {
            (property.as_str(), if Settings::is_secret(property) { "<redacted>" } else { value.as_str() })
        });
        f.debug_struct("Settings")
            .field("bootstrap", &self.bootstrap)
            .field("properties", &shown.collect::<BTreeMap<_, _>>())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let settings = Settings::new("broker:9092")
            .with("sasl.username", "crm")
            .with("sasl.password", "hunter2")
            .with("ssl.key.pem", "-----BEGIN")
            .with("ssl.keystore.password", "hunter3")
            .with("sasl.oauthbearer.client.secret", "hunter4")
            .with("sasl.oauthbearer.token.endpoint.url", "https://idp/token");
        let shown = format!("{settings:?}");
        assert!(
            shown.contains("broker:9092") && shown.contains("crm") && shown.contains("https://idp/token"),
            "{shown}"
        );
        assert!(!shown.contains("hunter") && !shown.contains("BEGIN"), "{shown}");
    }

    #[test]
    fn own_settings_win_over_defaults_but_not_over_promises() {
        let settings = Settings::new("broker:9092").with("linger.ms", "50").with("acks", "1");
        let config = settings.client(&[("linger.ms", "5"), ("batch.size", "100")], &[("acks", "all")]);
        assert_eq!(config.get("linger.ms"), Some("50"));
        assert_eq!(config.get("batch.size"), Some("100"));
        assert_eq!(config.get("acks"), Some("all"));
        assert_eq!(config.get("bootstrap.servers"), Some("broker:9092"));
    }
}
