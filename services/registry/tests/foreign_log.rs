//! Logs handed over: what Confluent's registry and Karapace write is taken over, and what is written is theirs to read.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use mesh_kafka::{
    OutgoingRecord, Settings,
    admin::{Admin, TopicSpec},
    embedded::{EmbeddedKafka, Options},
    log::{LogReader, LogWriter},
};
use mesh_registry::{Config, Registry};
use mesh_runtime::Shutdown;
use reqwest::Method;
use serde_json::{Value, json};

const DEADLINE: Duration = Duration::from_secs(30);

/// A record's key and value as text.
type Line = (&'static str, Option<&'static str>);

/// As Confluent's registry 7 and 8 write: two versions and a reference, one deleted softly and one for good, settings.
const CONFLUENT: [Line; 14] = [
    (r#"{"keytype":"NOOP","magic":0}"#, None),
    (r#"{"keytype":"CONFIG","magic":0}"#, Some(r#"{"compatibilityLevel":"FULL"}"#)),
    (
        r#"{"keytype":"SCHEMA","subject":"a-value","version":1,"magic":1}"#,
        Some(
            r#"{"subject":"a-value","version":1,"id":1,"schema":"{\"type\":\"record\",\"name\":\"A\",\"fields\":[]}","deleted":false}"#,
        ),
    ),
    (
        r#"{"keytype":"SCHEMA","subject":"a-value","version":2,"magic":1}"#,
        Some(
            r#"{"subject":"a-value","version":2,"id":2,"md5":"MUV0mJ2Mu+pmZ3oVs9Sx3A==","schema":"{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"n\",\"type\":\"long\",\"default\":0}]}","deleted":false,"guid":"8b0e1f56-3b0a-4a57-8c02-6b14e8ad8fdc","ts":1760000000000}"#,
        ),
    ),
    (
        r#"{"keytype":"SCHEMA","subject":"b-value","version":1,"magic":1}"#,
        Some(
            r#"{"subject":"b-value","version":1,"id":3,"references":[{"name":"A","subject":"a-value","version":1}],"schema":"{\"type\":\"record\",\"name\":\"B\",\"fields\":[{\"name\":\"a\",\"type\":\"A\"}]}","deleted":false}"#,
        ),
    ),
    (
        r#"{"keytype":"SCHEMA","subject":"c-value","version":1,"magic":1}"#,
        Some(r#"{"subject":"c-value","version":1,"id":4,"schema":"\"bytes\"","deleted":false}"#),
    ),
    (r#"{"keytype":"DELETE_SUBJECT","subject":"c-value","magic":0}"#, Some(r#"{"subject":"c-value","version":1}"#)),
    (
        r#"{"keytype":"SCHEMA","subject":"d-value","version":1,"magic":1}"#,
        Some(r#"{"subject":"d-value","version":1,"id":5,"schema":"\"double\"","deleted":true}"#),
    ),
    (r#"{"keytype":"SCHEMA","subject":"d-value","version":1,"magic":1}"#, None),
    (
        r#"{"keytype":"CONFIG","subject":"a-value","magic":0}"#,
        Some(r#"{"subject":"a-value","compatibilityLevel":"NONE","normalize":true}"#),
    ),
    (r#"{"keytype":"MODE","subject":"b-value","magic":0}"#, Some(r#"{"subject":"b-value","mode":"READONLY"}"#)),
    (
        r#"{"keytype":"CONTEXT","tenant":"default","context":".staging","magic":0}"#,
        Some(r#"{"tenant":"default","context":".staging"}"#),
    ),
    (
        r#"{"keytype":"SCHEMA","subject":":.staging:a-value","version":1,"magic":1}"#,
        Some(r#"{"subject":":.staging:a-value","version":1,"id":1,"schema":"\"int\"","deleted":false}"#),
    ),
    (r#"{"keytype":"NOOP","magic":0}"#, None),
];

/// As Karapace writes: a global level spelled its way, keys of its first releases, blanks in schemas, empty tombstones.
const KARAPACE: [Line; 7] = [
    (r#"{"keytype":"CONFIG","subject":null,"magic":0}"#, Some(r#"{"compatibilityLevel":"FORWARD"}"#)),
    (
        r#"{"keytype":"SCHEMA","subject":"a","version":1,"magic":1}"#,
        Some(
            r#"{"deleted":false,"id":1,"schema":"{\"fields\": [], \"name\": \"A\", \"type\": \"record\"}","subject":"a","version":1}"#,
        ),
    ),
    (
        r#"{"subject":"b","version":1,"magic":1,"keytype":"SCHEMA"}"#,
        Some(
            r#"{"subject": "b", "version": 1, "id": 2, "schema": "\"long\"", "deleted": false, "schemaType": "AVRO"}"#,
        ),
    ),
    (
        r#"{"keytype":"SCHEMA","subject":"gone","version":1,"magic":1}"#,
        Some(r#"{"deleted":true,"id":3,"schema":"\"string\"","subject":"gone","version":1}"#),
    ),
    (r#"{"keytype":"SCHEMA","subject":"gone","version":1,"magic":1}"#, Some("")),
    (r#"{"keytype":"CONFIG","subject":"a","magic":0}"#, Some(r#"{"compatibilityLevel":"FULL"}"#)),
    (r#"{"keytype":"CONFIG","subject":"a","magic":0}"#, Some("")),
];

/// A registry on a log.
struct Server {
    url: String,
    shutdown: Shutdown,
    task: tokio::task::JoinHandle<Result<(), mesh_registry::Error>>,
}

impl Server {
    async fn start(settings: &Settings, topic: &str) -> Self {
        let config = Config { topic: topic.to_owned(), ..Config::new("127.0.0.1:0", settings.clone()) };
        let readiness = config.readiness.clone();
        let registry = Registry::bind(config).await.unwrap();
        let (url, shutdown) = (registry.url(), Shutdown::new(Duration::from_secs(5)));
        let task = tokio::spawn(registry.serve(shutdown.clone()));
        tokio::time::timeout(DEADLINE, readiness.ready()).await.unwrap();
        Self { url, shutdown, task }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = reqwest::Client::new().request(method, format!("{}{path}", self.url));
        let answer = request.body(body.unwrap_or_default().to_string()).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        self.ask(Method::GET, path, None).await.1
    }

    async fn stop(self) {
        self.shutdown.trigger();
        tokio::time::timeout(DEADLINE, self.task).await.unwrap().unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_of_other_registries_are_taken_over_and_handed_back() {
    let kafka = EmbeddedKafka::start(Options::default()).await.unwrap();
    let settings = kafka.settings();
    write(&settings, "confluent", &CONFLUENT).await;
    write(&settings, "karapace", &KARAPACE).await;
    what_confluent_wrote_is_served(&settings).await;
    what_karapace_wrote_is_served(&settings).await;
    what_is_written_is_theirs_to_read(&settings).await;
    kafka.stop().await;
}

async fn write(settings: &Settings, topic: &str, lines: &[Line]) {
    let spec = TopicSpec::new(topic).partitions(1).config("cleanup.policy", "compact");
    Admin::new(settings).unwrap().create_topics(&[spec]).await.unwrap();
    let writer = LogWriter::new(settings).unwrap();
    for (key, value) in lines {
        let record = OutgoingRecord {
            topic: topic.into(),
            partition: Some(0),
            timestamp_ms: None,
            key: Some(key.as_bytes().into()),
            value: value.map(|value| value.as_bytes().into()),
            headers: Vec::new(),
        };
        writer.append(record).await.unwrap();
    }
}

async fn what_confluent_wrote_is_served(settings: &Settings) {
    let server = Server::start(settings, "confluent").await;
    assert_eq!(server.get("/subjects").await, json!([":.staging:a-value", "a-value", "b-value"]));
    assert_eq!(server.get("/subjects?deletedOnly=true").await, json!(["c-value"]));
    assert_eq!(server.get("/subjects/a-value/versions").await, json!([1, 2]));
    assert_eq!(server.get("/schemas/ids/1").await["schema"], r#"{"type":"record","name":"A","fields":[]}"#);
    assert_eq!(server.get("/schemas/ids/1?subject=:.staging:a-value").await["schema"], "\"int\"");
    assert_eq!(server.get("/schemas/ids/4").await["schema"], "\"bytes\"", "deleted softly, so that it can be read");
    assert_eq!(server.get("/schemas/ids/5").await["error_code"], 40403);
    assert_eq!(server.get("/subjects/a-value/versions/1/referencedby").await, json!([3]));
    assert_eq!(server.get("/config").await["compatibilityLevel"], "FULL");
    let own = json!({ "compatibilityLevel": "NONE", "normalize": true });
    assert_eq!(server.get("/config/a-value").await, own);
    assert_eq!(server.get("/mode/b-value").await["mode"], "READONLY");
    let again = json!({ "schema": r#"{"type": "record", "name": "A", "fields": []}"# });
    assert_eq!(server.ask(Method::POST, "/subjects/e-value/versions", Some(again)).await.1["id"], 1);
    let fresh = json!({ "schema": "\"float\"" });
    assert_eq!(
        server.ask(Method::POST, "/subjects/f-value/versions", Some(fresh)).await.1["id"],
        6,
        "5 was given once"
    );
    server.stop().await;
}

async fn what_karapace_wrote_is_served(settings: &Settings) {
    let server = Server::start(settings, "karapace").await;
    assert_eq!(server.get("/subjects?deleted=true").await, json!(["a", "b"]));
    assert_eq!(server.get("/config").await["compatibilityLevel"], "FORWARD");
    assert_eq!(server.get("/config/a").await["error_code"], 40408);
    let schema = json!({ "schema": r#"{"type":"record","name":"A","fields":[]}"# });
    let found = server.ask(Method::POST, "/subjects/a", Some(schema)).await.1;
    assert_eq!(
        (&found["id"], &found["version"]),
        (&json!(1), &json!(1)),
        "the spelling of a schema is not its meaning"
    );
    server.stop().await;
}

/// Every record that was added has one of Confluent's keys to the byte, and no property in its value that it lacks.
async fn what_is_written_is_theirs_to_read(settings: &Settings) {
    let server = Server::start(settings, "confluent").await;
    let referring = json!({
        "schema": r#"{"type":"record","name":"G","fields":[{"name":"a","type":"A"}]}"#,
        "references": [{ "name": "A", "subject": "a-value", "version": 1 }]
    });
    for (method, path, body) in [
        (Method::POST, "/subjects/g-value/versions", Some(referring)),
        (Method::PUT, "/config/g-value", Some(json!({ "compatibility": "FORWARD" }))),
        (Method::PUT, "/config", Some(json!({ "compatibility": "BACKWARD" }))),
        (Method::PUT, "/mode/a-value", Some(json!({ "mode": "READWRITE" }))),
        (Method::DELETE, "/config/g-value", None),
        (Method::DELETE, "/subjects/g-value/versions/1", None),
        (Method::DELETE, "/subjects/g-value/versions/1?permanent=true", None),
        (Method::DELETE, "/subjects/f-value", None),
    ] {
        let answer = server.ask(method.clone(), path, body).await;
        assert_eq!(answer.0, 200, "{method} {path}: {}", answer.1);
    }
    server.stop().await;

    let mut reader = LogReader::open(settings, "confluent").await.unwrap();
    let mut records = Vec::new();
    reader.read_to_end(|record| records.push((record.key.unwrap(), record.value))).await.unwrap();
    assert!(records.len() > CONFLUENT.len() + 8);
    for (key, value) in records.drain(CONFLUENT.len()..) {
        let key = std::str::from_utf8(&key).unwrap();
        let parsed: Value = serde_json::from_str(key).unwrap();
        let keytype = parsed["keytype"].as_str().unwrap();
        if keytype == "NOOP" {
            continue; // whatever its value is, nobody looks at it
        }
        assert_eq!(key, parsed.to_string(), "no blanks, and the properties in this order");
        let (names, properties) = form_of(keytype, key);
        assert!(parsed.as_object().unwrap().keys().eq(names), "{key}");
        let value = value.map(|value| serde_json::from_slice::<Value>(&value).unwrap());
        let unknown = value.iter().flat_map(|value| value.as_object().unwrap().keys());
        assert_eq!(unknown.filter(|name| !properties.contains(&name.as_str())).count(), 0, "{key}: {value:?}");
    }
}

/// The properties of a key, in order, and those that its value may have.
fn form_of(keytype: &str, key: &str) -> (Vec<&'static str>, &'static [&'static str]) {
    let of_all = !key.contains("subject");
    let settings = if of_all { vec!["keytype", "magic"] } else { vec!["keytype", "subject", "magic"] };
    match keytype {
        "SCHEMA" => (
            vec!["keytype", "subject", "version", "magic"],
            &["subject", "version", "id", "guid", "md5", "references", "schema", "schemaType", "deleted", "ts"],
        ),
        "CONFIG" => (settings, &["subject", "compatibilityLevel", "normalize"]),
        "MODE" => (settings, &["subject", "mode"]),
        "DELETE_SUBJECT" => (vec!["keytype", "subject", "magic"], &["subject", "version"]),
        _ => panic!("no other registry knows the key {key}"),
    }
}
