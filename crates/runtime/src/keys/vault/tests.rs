//! Against a local server that answers as Vault's KV engine, version 2, documents it, faults included.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use mesh_avro::keys::{KeyName, KeyRing};
use serde_json::{Value, json};

use super::*;
use crate::keys::{FollowOptions, FollowedKeys};

const TOKEN: &str = "hvs.hunter2";

/// A secret's versions, and how the server behaves.
#[derive(Default)]
struct Shelf {
    /// By version: the fields, or that it was deleted.
    versions: BTreeMap<u32, Option<Value>>,
    token: String,
    is_sealed: bool,
    ttl: u64,
    renewals: u32,
    reads: u32,
    namespace: Option<String>,
}

type Shared = Arc<Mutex<Shelf>>;

struct Server {
    shelf: Shared,
    address: String,
}

impl Server {
    async fn start() -> Self {
        let shelf: Shared = Arc::default();
        let routes = Router::new()
            .route("/v1/secret/metadata/mesh/roots", get(metadata))
            .route("/v1/secret/data/{*path}", get(data))
            .route("/v1/auth/token/lookup-self", get(lookup))
            .route("/v1/auth/token/renew-self", post(renew))
            .with_state(shelf.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("it is bound"));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        shelf.lock().expect("ours").token = TOKEN.to_owned();
        Server { shelf, address }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().expect("nobody panics with it")
    }

    fn put(&self, version: u32) {
        let secret = BASE64_STANDARD.encode([u8::try_from(version).expect("few"); 32]);
        self.shelf().versions.insert(version, Some(json!({ "secret": secret })));
    }

    fn config(&self) -> VaultConfig {
        VaultConfig {
            address: self.address.clone(),
            secret: "secret/mesh/roots".to_owned(),
            token: VaultToken::Text(TOKEN.to_owned().into()),
            namespace: None,
            authority: None,
        }
    }

    fn keys(&self) -> VaultKeys {
        VaultKeys::new(&self.config()).expect("it can be used")
    }
}

type Answer = Result<Json<Value>, (StatusCode, Json<Value>)>;

fn refused(status: u16) -> (StatusCode, Json<Value>) {
    let status = StatusCode::from_u16(status).expect("a status");
    (status, Json(json!({ "errors": ["a word that quotes hunter2"] })))
}

fn enter<'s>(shelf: &'s Shared, headers: &HeaderMap) -> Result<MutexGuard<'s, Shelf>, (StatusCode, Json<Value>)> {
    let shelf = shelf.lock().expect("nobody panics with it");
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    match () {
        () if shelf.is_sealed => Err(refused(503)),
        () if header("x-vault-token").as_deref() != Some(&shelf.token) => Err(refused(403)),
        () if header("x-vault-namespace") != shelf.namespace => Err(refused(403)),
        () => Ok(shelf),
    }
}

async fn metadata(State(shelf): State<Shared>, headers: HeaderMap) -> Answer {
    let shelf = enter(&shelf, &headers)?;
    if shelf.versions.is_empty() {
        return Err(refused(404));
    }
    let state = |fields: &Option<Value>| {
        let deletion_time = if fields.is_some() { "" } else { "2026-01-01T00:00:00Z" };
        json!({ "created_time": "2025-01-01T00:00:00Z", "deletion_time": deletion_time, "destroyed": false })
    };
    let versions: BTreeMap<String, Value> =
        shelf.versions.iter().map(|(version, fields)| (version.to_string(), state(fields))).collect();
    Ok(Json(json!({ "data": { "current_version": versions.len(), "max_versions": 0, "versions": versions } })))
}

async fn data(
    State(shelf): State<Shared>,
    Path(_): Path<String>,
    Query(query): Query<BTreeMap<String, u32>>,
    headers: HeaderMap,
) -> Answer {
    let mut shelf = enter(&shelf, &headers)?;
    shelf.reads += 1;
    let version = query["version"];
    let fields = shelf.versions.get(&version).cloned().flatten().ok_or_else(|| refused(404))?;
    Ok(Json(json!({ "data": { "data": fields, "metadata": { "version": version } } })))
}

async fn lookup(State(shelf): State<Shared>, headers: HeaderMap) -> Answer {
    let shelf = enter(&shelf, &headers)?;
    Ok(Json(json!({ "data": { "ttl": shelf.ttl, "creation_ttl": 7200, "renewable": true, "id": TOKEN } })))
}

async fn renew(State(shelf): State<Shared>, headers: HeaderMap) -> Answer {
    let mut shelf = enter(&shelf, &headers)?;
    shelf.renewals += 1;
    Ok(Json(json!({ "auth": { "client_token": TOKEN, "lease_duration": 7200 } })))
}

#[tokio::test]
async fn every_live_version_is_a_root_and_is_read_once() {
    let server = Server::start().await;
    (1..=3).for_each(|version| server.put(version));
    server.shelf().versions.insert(2, None);
    let mut keys = server.keys();
    let roots = keys.load().await.expect("it answers");
    assert_eq!(roots.newest_version(), 3);
    let name = KeyName::hash("pii.contact");
    let expected = RootKeys::new([(3, [3; 32].into())]).expect("one").key(&name).expect("a root");
    assert_eq!(roots.key(&name).expect("a root").secret(), expected.secret());
    assert!(roots.key_version(&name, 1).is_ok() && roots.key_version(&name, 2).is_err());
    keys.load().await.expect("it answers");
    assert_eq!(server.shelf().reads, 2, "a version never changes");
}

#[tokio::test]
async fn what_it_refuses_is_told_without_a_word_of_its_answers() {
    let server = Server::start().await;
    let said = async |config: &VaultConfig| {
        let error = VaultKeys::new(config).expect("it can be used").load().await.expect_err("refused").to_string();
        assert!(!error.contains("hunter2") && error.contains("secret/mesh/roots"), "{error}");
        error
    };
    assert!(said(&server.config()).await.contains("no such secret"));
    server.put(1);
    let wrong = VaultConfig { token: VaultToken::Text("hvs.wrong".to_owned().into()), ..server.config() };
    assert!(said(&wrong).await.contains("refuses the token"));
    let namespaced = VaultConfig { namespace: Some("team".to_owned()), ..server.config() };
    assert!(said(&namespaced).await.contains("refuses the token"));
    server.shelf().is_sealed = true;
    assert!(said(&server.config()).await.contains("sealed"));
    server.shelf().is_sealed = false;
    for fields in [json!({}), json!({ "secret": "hunter2" }), json!({ "secret": 2 })] {
        server.shelf().versions.insert(1, Some(fields));
        let error = said(&server.config()).await;
        assert!(error.contains("version 1") || error.contains("KV engine"), "{error}");
    }
    let gone = VaultConfig { address: "http://127.0.0.1:1".to_owned(), ..server.config() };
    assert!(said(&gone).await.contains("error sending request"));
}

#[test]
fn secrets_are_not_sent_in_clear() {
    let config = |address: &str, secret: &str| VaultConfig {
        address: address.to_owned(),
        secret: secret.to_owned(),
        token: VaultToken::Text(TOKEN.to_owned().into()),
        namespace: None,
        authority: None,
    };
    for address in ["https://vault:8200", "http://localhost:8200", "http://127.0.0.1:8200", "http://[::1]:8200"] {
        assert!(VaultKeys::new(&config(address, "secret/mesh/roots")).is_ok(), "{address}");
    }
    for address in ["http://vault:8200", "http://10.0.0.1:8200", "vault", "http://localhost.example.org"] {
        assert!(VaultKeys::new(&config(address, "secret/mesh/roots")).is_err(), "{address}");
    }
    assert!(VaultKeys::new(&config("https://vault:8200", "roots")).is_err());
    let shown = format!("{:?}", config("https://vault:8200", "secret/mesh/roots"));
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn a_token_comes_from_a_file_of_its_owners_and_is_renewed_in_time() {
    let server = Server::start().await;
    server.put(1);
    server.shelf().ttl = 3_000;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    fs::write(&file, format!("{TOKEN}\n")).expect("the folder is ours");
    let config = VaultConfig { token: VaultToken::File(file.clone()), ..server.config() };
    let mode = |mode| fs::set_permissions(&file, Permissions::from_mode(mode)).expect("the file is ours");
    mode(0o644);
    let mut keys = VaultKeys::new(&config).expect("it can be used");
    let error = keys.load().await.expect_err("open to others").to_string();
    assert!(!error.contains("hunter2"), "{error}");
    mode(0o600);
    keys.load().await.expect("it answers");
    assert_eq!(server.shelf().renewals, 1, "less than half of its time is left");
    keys.load().await.expect("it answers");
    assert_eq!(server.shelf().renewals, 1, "it was looked at a moment ago");
    // an agent has replaced it
    server.shelf().token = "hvs.next".to_owned();
    fs::write(&file, "hvs.next").expect("the folder is ours");
    server.put(2);
    assert_eq!(keys.load().await.expect("it answers").newest_version(), 2);
}

#[tokio::test]
async fn a_rotation_is_followed_and_an_outage_waited_for() {
    let server = Server::start().await;
    server.put(1);
    server.shelf().is_sealed = true;
    let options = FollowOptions { interval: Duration::from_millis(5), ..FollowOptions::default() };
    let keys = FollowedKeys::start(server.keys(), options);
    let name = KeyName::quarantine("crm");
    let version = || keys.key(&name).map(|key| key.version());
    let until = async |what: &str, wanted: u32| {
        let deadline = Instant::now() + Duration::from_secs(20);
        while version() != Ok(wanted) {
            assert!(Instant::now() < deadline, "{what}: {:?}", version());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(version().is_err());
    server.shelf().is_sealed = false;
    until("it is unsealed", 1).await;
    server.put(2);
    until("it is rotated", 2).await;
    server.shelf().is_sealed = true;
    assert_eq!(version(), Ok(2), "what is in force stays through an outage");
    assert_eq!(keys.key_version(&name, 1).expect("the overlap").version(), 1);
}
