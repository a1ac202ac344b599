//! The registry on a real Kafka: what it keeps, what it never gives twice, and clients that know Confluent's.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, time::Duration};

use mesh_client::{
    RegistryClient, RegistryError,
    registry::{Credentials, Endpoint, Login},
};

use mesh_kafka::{
    Settings,
    admin::{Admin, TopicSpec},
    embedded::{EmbeddedKafka, Options},
    log::LogReader,
};
use mesh_registry::{Config, Error, Registry};
use mesh_runtime::{
    Shutdown, Tls, TlsFiles,
    access::{Access, hashed_token},
};
use schema_registry_converter::{
    async_impl::{
        avro::{AvroDecoder, AvroEncoder},
        schema_registry::{SrSettings, get_schema_by_id, get_schema_by_subject, post_schema},
    },
    schema_registry_common::{SchemaType, SubjectNameStrategy, SuppliedReference, SuppliedSchema},
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

const DEADLINE: Duration = Duration::from_secs(30);

/// A NOOP to every other registry.
const WRITER_KEY: &str = r#"{"keytype":"NOOP", "magic":0}"#;

/// A running registry.
struct Replica {
    url: String,
    shutdown: Shutdown,
    task: JoinHandle<Result<(), Error>>,
    client: reqwest::Client,
}

impl Replica {
    async fn start(settings: &Settings, topic: &str) -> Self {
        Self::run(Config { topic: topic.to_owned(), ..Config::new("127.0.0.1:0", settings.clone()) }).await
    }

    async fn run(config: Config) -> Self {
        let readiness = config.readiness.clone();
        let registry = Registry::bind(config).await.unwrap();
        let url = registry.url();
        let shutdown = Shutdown::new(Duration::from_secs(5));
        let task = tokio::spawn(registry.serve(shutdown.clone()));
        tokio::time::timeout(DEADLINE, readiness.ready()).await.unwrap();
        Self { url, shutdown, task, client: reqwest::Client::new() }
    }

    async fn register(&self, subject: &str, schema: &str) -> Result<u64, (u16, Value)> {
        let url = format!("{}/subjects/{subject}/versions", self.url);
        let answer = self.client.post(url).json(&json!({ "schema": schema })).send().await.unwrap();
        let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap());
        if status.is_success() { Ok(body["id"].as_u64().unwrap()) } else { Err((status.as_u16(), body)) }
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn stop(self) {
        self.shutdown.trigger();
        tokio::time::timeout(DEADLINE, self.task).await.unwrap().unwrap().unwrap();
    }
}

fn record(name: &str) -> String {
    format!(r#"{{"type":"record","name":"{name}","fields":[{{"name":"id","type":"string"}}]}}"#)
}

/// One Kafka for all of these; each has a topic of its own.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_real_kafka() {
    let kafka = EmbeddedKafka::start(Options::default()).await.unwrap();
    let settings = kafka.settings();
    what_was_registered_is_there_after_a_restart(&settings).await;
    concurrent_registrations_share_no_id(&settings).await;
    two_replicas_share_no_id(&settings).await;
    replicas_ask_each_other_over_https_as_themselves(&settings).await;
    known_clients_register_and_look_up(&settings).await;
    a_client_encodes_and_decodes_what_refers_to_others(&settings).await;
    the_log_has_confluents_form(&settings).await;
    an_unfit_topic_is_refused(&settings).await;
    reads_go_on_without_kafka(kafka, &settings).await;
}

async fn what_was_registered_is_there_after_a_restart(settings: &Settings) {
    let replica = Replica::start(settings, "restart").await;
    assert_eq!(replica.register("a", &record("A")).await, Ok(1));
    assert_eq!(replica.register("b", &record("B")).await, Ok(2));
    replica.client.delete(format!("{}/subjects/b", replica.url)).send().await.unwrap();
    replica.client.delete(format!("{}/subjects/b?permanent=true", replica.url)).send().await.unwrap();
    replica.stop().await;

    let replica = Replica::start(settings, "restart").await;
    assert_eq!(replica.get("/subjects").await, (200, json!(["a"])));
    assert_eq!(replica.get("/schemas/ids/1").await.1["schema"], record("A"));
    assert_eq!(replica.get("/schemas/ids/2").await.0, 404);
    assert_eq!(replica.register("a", &record("A")).await, Ok(1));
    assert_eq!(replica.register("b", &record("B")).await, Ok(3), "an id is not given again");
    replica.stop().await;
}

async fn concurrent_registrations_share_no_id(settings: &Settings) {
    let replica = Replica::start(settings, "concurrent").await;
    let names: Vec<String> = (0..20).map(|number| format!("R{number}")).collect();
    let same = std::iter::repeat_n(record("Same"), 5);
    let schemas: Vec<String> = names.iter().map(|name| record(name)).chain(same).collect();
    let registrations = schemas.iter().enumerate().map(|(at, schema)| {
        let (client, url) = (replica.client.clone(), format!("{}/subjects/s{at}/versions", replica.url));
        let body = json!({ "schema": schema });
        tokio::spawn(async move {
            let answer = client.post(url).json(&body).send().await.unwrap().json::<Value>().await.unwrap();
            answer["id"].as_u64().unwrap()
        })
    });
    let mut ids = Vec::new();
    for registration in registrations.collect::<Vec<_>>() {
        ids.push(registration.await.unwrap());
    }
    assert_eq!(ids[..20].iter().collect::<BTreeSet<_>>().len(), 20, "{ids:?}");
    assert_eq!(ids[20..].iter().collect::<BTreeSet<_>>().len(), 1, "{ids:?}");
    replica.stop().await;
}

/// Both take changes at once, and each sees what the other one was told, at once.
async fn two_replicas_share_no_id(settings: &Settings) {
    let replicas = [Replica::start(settings, "replicas").await, Replica::start(settings, "replicas").await];
    let registrations = (0..40).map(|number| {
        let (client, url) = (replicas[number % 2].client.clone(), replicas[number % 2].url.clone());
        let body = json!({ "schema": record(&format!("R{number}")) });
        tokio::spawn(async move {
            let answer = client.post(format!("{url}/subjects/s{number}/versions")).json(&body).send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        })
    });
    let mut ids = BTreeSet::new();
    for registration in registrations.collect::<Vec<_>>() {
        let (status, body) = registration.await.unwrap();
        assert_eq!(status, 200, "{body}");
        assert!(ids.insert(body["id"].as_u64().unwrap()), "given twice: {body}");
    }
    let elections = claims(settings, "replicas").await;
    assert!(elections <= 2, "{elections} elections, though both were there all the time");
    for number in 40..60 {
        let (one, other) = (&replicas[number % 2], &replicas[(number + 1) % 2]);
        let id = one.register(&format!("s{number}"), &record(&format!("R{number}"))).await.unwrap();
        assert_eq!(other.get(&format!("/schemas/ids/{id}")).await.0, 200);
        assert_eq!(other.get(&format!("/subjects/s{number}/versions/latest")).await.1["id"], id);
    }
    assert_eq!(claims(settings, "replicas").await, elections, "a writer that is there stays the writer");
    let [one, other] = replicas;
    one.stop().await;
    assert_eq!(other.register("s60", &record("R60")).await, Ok(61), "the other one takes over");
    other.stop().await;
}

/// Each decides what a client may do; the other one lets in the replica, not the client.
async fn replicas_ask_each_other_over_https_as_themselves(settings: &Settings) {
    let folder = tempfile::tempdir().unwrap();
    let secret = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    let issued = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let files = TlsFiles {
        certificate: secret("tls.crt", &issued.cert.pem()),
        key: secret("tls.key", &issued.signing_key.serialize_pem()),
    };
    // What a client may do differs, so that it shows who decides.
    let users = |client: &str| {
        let (replica, own) = (hashed_token("mesh_replica"), hashed_token("mesh_client"));
        let users = json!([
            { "name": "replica", "token": replica, "write": ["*"] },
            { "name": "client", "token": own, "write": [client], "read": ["*"] },
        ]);
        secret(&format!("{client}json"), &json!({ "users": users }).to_string())
    };
    let config = |client: &str, token: &str| Config {
        topic: "https".to_owned(),
        tls: Some(Tls::open(files.clone()).unwrap()),
        access: Access::open(&users(client)).unwrap(),
        peers: Login::default().trusting(&issued.cert.pem()).unwrap().with(Credentials::token(token)),
        ..Config::new("127.0.0.1:0", settings.clone())
    };
    let client = async |replica: &Replica, subject: &str| {
        let login = Login::default().trusting(&issued.cert.pem()).unwrap().with(Credentials::token("mesh_client"));
        let registry = RegistryClient::new(Endpoint::new(&*replica.url).with_login(login)).unwrap();
        registry.register(subject, &serde_json::from_str(&record(&subject.replace('.', "_"))).unwrap()).await
    };
    let writer = Replica::run(config("crm.", "mesh_replica")).await;
    assert_eq!(client(&writer, "crm.a").await, Ok(1));
    let other = Replica::run(config("web.", "mesh_replica")).await;
    assert_eq!(client(&other, "web.a").await, Ok(2), "handed to the writer, which would not have let the client");
    let refused = client(&other, "crm.b").await.unwrap_err();
    assert!(matches!(refused, RegistryError::Unauthorised { .. }), "{refused:?}");
    let stranger = Replica::run(config("web.", "mesh_stranger")).await;
    let refused = client(&stranger, "web.b").await.unwrap_err();
    assert!(refused.to_string().contains("does not let this replica in"), "{refused}");
    for replica in [other, stranger] {
        replica.stop().await;
    }
    assert_eq!(client(&writer, "crm.c").await, Ok(3), "the writer was not taken over from");
    assert_eq!(claims(settings, "https").await, 1);
    writer.stop().await;
}

/// How often a replica became the log's writer.
async fn claims(settings: &Settings, topic: &str) -> usize {
    let mut claims = 0;
    let mut reader = LogReader::open(settings, topic).await.unwrap();
    let is_claim = |key: Option<&[u8]>| key == Some(WRITER_KEY.as_bytes());
    reader.read_to_end(|record| claims += usize::from(is_claim(record.key.as_deref()))).await.unwrap();
    claims
}

async fn known_clients_register_and_look_up(settings: &Settings) {
    let replica = Replica::start(settings, "clients").await;
    let client = SrSettings::new(replica.url.clone());
    let supplied = SuppliedSchema::new(Some("Order".to_owned()), SchemaType::Avro, record("Order"));
    let registered = post_schema(&client, "orders-value".to_owned(), supplied).await.unwrap();
    assert_eq!(registered.id, 1);
    let by_id = get_schema_by_id(1, &SrSettings::new(replica.url.clone())).await.unwrap();
    assert_eq!(by_id.schema, record("Order"));
    let strategy = SubjectNameStrategy::TopicNameStrategy("orders".to_owned(), false);
    let latest = get_schema_by_subject(&client, &strategy).await.unwrap();
    assert_eq!((latest.id, latest.schema), (1, record("Order")));
    replica.stop().await;
}

/// Registers a schema with what it refers to, and what that refers to, while encoding.
async fn a_client_encodes_and_decodes_what_refers_to_others(settings: &Settings) {
    let replica = Replica::start(settings, "references").await;
    let field = |name: &str, kind: &str| json!({ "name": name, "type": kind });
    let record = |name: &str, fields: Value| {
        json!({ "type": "record", "name": name, "namespace": "shop", "fields": fields }).to_string()
    };
    let country = record("Country", json!([field("code", "string")]));
    let address = record("Address", json!([field("city", "string"), field("country", "Country")]));
    let order = record("Order", json!([field("id", "string"), field("to", "Address")]));
    let country = SuppliedReference::new("shop.Country".to_owned(), "shop.country".to_owned(), country);
    let address = SuppliedReference::new("shop.Address".to_owned(), "shop.address".to_owned(), address)
        .with_references(vec![country]);
    let order = SuppliedSchema::new(Some("shop.Order".to_owned()), SchemaType::Avro, order);
    let order = order.with_references(vec![address]);
    let strategy = SubjectNameStrategy::TopicNameStrategyWithSchema("placed".to_owned(), false, order);

    let value = json!({ "id": "O-1", "to": { "city": "Salem", "country": { "code": "US" } } });
    let encoder = AvroEncoder::new(SrSettings::new(replica.url.clone()));
    let bytes = encoder.encode_struct(&value, &strategy).await.unwrap();
    let decoder = AvroDecoder::new(SrSettings::new(replica.url.clone()));
    let decoded = decoder.decode(Some(&bytes)).await.unwrap();
    assert_eq!(decoded.name.unwrap().fullname(None), "shop.Order");
    assert_eq!(Value::try_from(decoded.value).unwrap(), value);

    let subjects = ["placed-value", "shop.address", "shop.country"];
    assert_eq!(replica.get("/subjects").await, (200, json!(subjects)));
    let reference = json!([{ "name": "shop.Address", "subject": "shop.address", "version": 1 }]);
    assert_eq!(replica.get("/subjects/placed-value/versions/1").await.1["references"], reference);
    let id = u32::from_be_bytes(bytes[1..5].try_into().unwrap());
    assert_eq!(replica.get("/subjects/shop.address/versions/1/referencedby").await, (200, json!([id])));
    replica.stop().await;
}

async fn the_log_has_confluents_form(settings: &Settings) {
    let mut records = Vec::new();
    let mut reader = LogReader::open(settings, "clients").await.unwrap();
    reader.read_to_end(|record| records.push((record.key.unwrap(), record.value))).await.unwrap();
    let keys: Vec<&str> = records.iter().map(|(key, _)| std::str::from_utf8(key).unwrap()).collect();
    let schema_key = r#"{"keytype":"SCHEMA","subject":"orders-value","version":1,"magic":1}"#;
    // The last one lets registries know the end that wait until they were given what stands last.
    assert_eq!(keys, [WRITER_KEY, schema_key, r#"{"keytype":"NOOP","magic":0}"#]);
    assert_eq!(records[2].1, None);
    let value: Value = serde_json::from_slice(records[1].1.as_ref().unwrap()).unwrap();
    let expected =
        json!({ "subject": "orders-value", "version": 1, "id": 1, "schema": record("Order"), "deleted": false });
    assert_eq!(value, expected);
}

async fn an_unfit_topic_is_refused(settings: &Settings) {
    let admin = Admin::new(settings).unwrap();
    let forgetful = TopicSpec::new("forgetful").partitions(1).config("cleanup.policy", "delete");
    admin.create_topics(&[forgetful, TopicSpec::new("unordered").partitions(2)]).await.unwrap();
    for (topic, reason) in [("forgetful", "cleanup.policy=delete"), ("unordered", "2 partitions")] {
        let config = Config { topic: topic.to_owned(), ..Config::new("127.0.0.1:0", settings.clone()) };
        let running = mesh_registry::run(config, Shutdown::new(Duration::ZERO));
        let error = tokio::time::timeout(DEADLINE, running).await.unwrap().unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
}

async fn reads_go_on_without_kafka(kafka: EmbeddedKafka, settings: &Settings) {
    let replica = Replica::start(settings, "outage").await;
    assert_eq!(replica.register("a", &record("A")).await, Ok(1));
    kafka.stop().await;
    let (status, body) = replica.register("b", &record("B")).await.unwrap_err();
    assert_eq!(status, 500);
    assert!([50001, 50002].contains(&body["error_code"].as_u64().unwrap()), "{body}");
    assert_eq!(replica.get("/schemas/ids/1").await.1["schema"], record("A"));
    assert_eq!(replica.register("a", &record("A")).await, Ok(1), "nothing has to be written");
    replica.stop().await;
}
