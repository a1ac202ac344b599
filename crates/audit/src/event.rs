//! What is told: who did what, when, and why.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use mesh_kafka::Settings;
use serde::Serialize;
use serde_json::{Map, Value};

/// Who does something, as far as the one who writes it down can say. Kafka does not stamp records with principals: this is the
/// writer's own word, and its seal says that it holds the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Who {
    /// As whom it is known to Kafka: `User:mesh-apply`; none where Kafka asks nobody, or knows a certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The user of the operating system, or whoever was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// What it does it with: `mesh apply`.
    pub with: String,
}

impl Who {
    /// This process, that speaks to Kafka by these settings, doing something with a command: `mesh apply`.
    pub fn here(kafka: &Settings, with: impl Into<String>) -> Who {
        let names = ["sasl.username"].into_iter().find_map(|setting| kafka.get(setting));
        let user = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
        Who {
            principal: names.map(|name| format!("User:{name}")),
            user: user.filter(|user| !user.is_empty()),
            host: host(),
            with: with.into(),
        }
    }

    /// Somebody of whom nothing else is known yet, doing something with this.
    pub fn acting_with(with: impl Into<String>) -> Who {
        Who { with: with.into(), ..Who::default() }
    }

    /// The same, on behalf of somebody who was named; none: of the user.
    #[must_use]
    pub fn on_behalf_of(self, user: Option<String>) -> Who {
        Who { user: user.or(self.user), ..self }
    }
}

/// The machine's name, where the system tells.
fn host() -> Option<String> {
    let told = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    told.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// One thing that was done: a JSON object that begins with what and when. It holds no payload, no key and no secret.
#[derive(Clone, Debug, PartialEq)]
pub struct Event(Map<String, Value>);

impl Event {
    /// Something of this kind (`access-granted`), done now.
    pub fn new(kind: &str, who: &Who) -> Event {
        Event::at(kind, who, now_ms())
    }

    /// Something of this kind, done then: in milliseconds since 1970.
    pub fn at(kind: &str, who: &Who, at_ms: i64) -> Event {
        let mut fields = Map::new();
        fields.insert("event".to_owned(), kind.into());
        fields.insert("at_ms".to_owned(), at_ms.into());
        fields.insert("who".to_owned(), json(who));
        Event(fields)
    }

    /// The same, with a fact about it; a fact that is null says nothing and is left out.
    #[must_use]
    pub fn with(mut self, name: &str, fact: impl Serialize) -> Event {
        let value = json(&fact);
        if !value.is_null() {
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    /// The same, with all members of an object.
    #[must_use]
    pub fn with_all(mut self, facts: Value) -> Event {
        if let Value::Object(facts) = facts {
            self.0.extend(facts);
        }
        self
    }

    /// What kind it is.
    pub fn kind(&self) -> &str {
        self.0.get("event").and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&self.0).expect("JSON is written as JSON")
    }
}

/// As it is written.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}

/// What has no JSON form (a map whose keys are no texts) says nothing.
fn json(fact: &impl Serialize) -> Value {
    serde_json::to_value(fact).unwrap_or_default()
}

/// The time as Kafka has it: milliseconds since 1970.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_event_is_what_when_who_and_its_facts() {
        let who =
            Who { principal: Some("User:mesh-apply".to_owned()), with: "mesh apply".to_owned(), ..Who::default() };
        let event =
            Event::at("access-granted", &who, 7).with("rule", "User:ann may Read topic a").with("why", None::<u8>);
        let text = String::from_utf8(event.to_bytes()).unwrap();
        insta::assert_snapshot!(text, @r#"{"event":"access-granted","at_ms":7,"who":{"principal":"User:mesh-apply","with":"mesh apply"},"rule":"User:ann may Read topic a"}"#);
    }

    #[test]
    fn who_one_is_at_kafka_is_told() {
        let kafka = Settings::new("broker:9092").with("sasl.username", "mesh-apply").with("sasl.password", "hunter2");
        let who = Who::here(&kafka, "mesh apply").on_behalf_of(Some("ann".to_owned()));
        assert_eq!((who.principal.as_deref(), who.user.as_deref()), (Some("User:mesh-apply"), Some("ann")));
        assert!(!format!("{who:?}").contains("hunter2"));
    }
}
