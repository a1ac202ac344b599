//! The server.

use std::{
    collections::{BTreeMap, BTreeSet},
    future,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    extract::{Path, Query, Request, State},
    http::{HeaderMap, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::CANARY;
use crate::keys::{VaultAccess, VaultKeys, VaultLogin};

pub(super) const TOKEN: &str = "hvs.hunter2";
pub(super) const ROLE_ID: &str = "role-47";
pub(super) const SECRET: &str = "secret/mesh/roots";

/// What it holds, and how it behaves.
#[derive(Default)]
pub(super) struct Shelf {
    /// The KV secret's versions: the fields, or that it was deleted.
    pub(super) versions: BTreeMap<u32, Option<Value>>,
    pub(super) reads: u32,
    /// The same of the secret that holds keys of subjects; none: destroyed.
    pub(super) subjects: BTreeMap<u32, Option<Value>>,
    /// Whether somebody else writes that secret just before whoever writes it next.
    pub(super) is_overtaken: bool,
    /// The tokens that are let in.
    pub(super) tokens: BTreeSet<String>,
    pub(super) namespace: Option<String>,
    /// What it answers to everything, if it is in trouble.
    pub(super) trouble: Option<u16>,
    /// Whether it answers nothing at all.
    pub(super) hangs: bool,
    /// Of every token.
    pub(super) ttl: u64,
    pub(super) is_renewable: bool,
    pub(super) renewals: u32,
    pub(super) logins: u32,
    /// What a login is proved by, of either method.
    pub(super) proof: String,
    /// The transit key's data keys: in clear, by what they are wrapped as.
    pub(super) data_keys: BTreeMap<String, String>,
    /// The version of the transit key.
    pub(super) transit_version: u32,
}

type Shared = Arc<Mutex<Shelf>>;

pub(super) struct Server {
    shelf: Shared,
    pub(super) address: String,
}

impl Server {
    /// Serves HTTP on a free port, for as long as the test runs.
    pub(super) async fn start() -> Self {
        let (shelf, routes) = Self::routes();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("it is bound"));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Server { shelf, address }
    }

    /// What to serve, for a listener of one's own.
    pub(super) fn routes() -> (Shared, Router) {
        let shelf = Shelf {
            tokens: [TOKEN.to_owned()].into(),
            proof: format!("proof-{CANARY}"),
            is_renewable: true,
            transit_version: 1,
            ..Shelf::default()
        };
        let shelf: Shared = Arc::new(Mutex::new(shelf));
        let routes = Router::new()
            .route("/v1/secret/metadata/mesh/roots", get(metadata))
            .route("/v1/secret/metadata/mesh/roots/subjects", get(subjects_metadata))
            .route("/v1/secret/data/mesh/roots/subjects", get(subjects).post(put_subjects))
            .route("/v1/secret/destroy/mesh/roots/subjects", post(destroy_subjects))
            .route("/v1/secret/data/{*path}", get(data))
            .route("/v1/auth/token/lookup-self", get(lookup))
            .route("/v1/auth/token/renew-self", post(renew))
            .route("/v1/transit/datakey/plaintext/roots", post(data_key))
            .route("/v1/transit/decrypt/roots", post(decrypt))
            .route("/v1/transit/rewrap/roots", post(rewrap))
            .layer(middleware::from_fn_with_state(shelf.clone(), enter))
            .route("/v1/auth/{mount}/login", post(log_in))
            .layer(middleware::from_fn_with_state(shelf.clone(), suffer))
            .with_state(shelf.clone());
        (shelf, routes)
    }

    pub(super) fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().expect("nobody panics with it")
    }

    /// Another version of the roots: so many times the version.
    pub(super) fn put(&self, version: u32) {
        self.shelf().versions.insert(version, Some(json!({ "secret": root(version) })));
    }

    pub(super) fn access(&self) -> VaultAccess {
        VaultAccess {
            address: self.address.clone(),
            login: VaultLogin::token(TOKEN.to_owned()),
            namespace: None,
            authority: None,
        }
    }

    pub(super) fn keys(&self) -> VaultKeys {
        VaultKeys::new(&self.access(), SECRET).expect("it can be used")
    }
}

/// The root of a version, as it is written down.
pub(super) fn root(version: u32) -> String {
    BASE64_STANDARD.encode([u8::try_from(version).expect("few"); 32])
}

type Answer = Result<Json<Value>, (StatusCode, Json<Value>)>;

fn refused(status: u16) -> (StatusCode, Json<Value>) {
    let status = StatusCode::from_u16(status).expect("a status");
    (status, Json(json!({ "errors": [format!("a word that quotes {CANARY}")] })))
}

fn lock(shelf: &Shared) -> MutexGuard<'_, Shelf> {
    shelf.lock().expect("nobody panics with it")
}

/// What befalls every request.
async fn suffer(State(shelf): State<Shared>, request: Request, next: Next) -> Response {
    let (hangs, trouble) = {
        let shelf = lock(&shelf);
        (shelf.hangs, shelf.trouble)
    };
    if hangs {
        future::pending::<()>().await;
    }
    match trouble {
        Some(status) => refused(status).into_response(),
        None => next.run(request).await,
    }
}

/// Lets in whoever has a token.
async fn enter(State(shelf): State<Shared>, headers: HeaderMap, request: Request, next: Next) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let is_let_in = {
        let shelf = lock(&shelf);
        let is_known = header("x-vault-token").is_some_and(|token| shelf.tokens.contains(&token));
        is_known && header("x-vault-namespace") == shelf.namespace && header("x-vault-request").is_some()
    };
    if is_let_in { next.run(request).await } else { refused(403).into_response() }
}

async fn metadata(State(shelf): State<Shared>) -> Answer {
    let shelf = lock(&shelf);
    if shelf.versions.is_empty() {
        return Err(refused(404));
    }
    let deleted = |is_gone| (if is_gone { "2026-01-01T00:00:00Z" } else { "" }, false);
    Ok(states(&shelf.versions, deleted))
}

/// What is told of a secret's versions: for those without fields, when they were deleted, and whether they were destroyed.
fn states(versions: &BTreeMap<u32, Option<Value>>, gone: impl Fn(bool) -> (&'static str, bool)) -> Json<Value> {
    let state = |fields: &Option<Value>| {
        let (deletion_time, destroyed) = gone(fields.is_none());
        json!({ "created_time": "2025-01-01T00:00:00Z", "deletion_time": deletion_time, "destroyed": destroyed })
    };
    let states: BTreeMap<String, Value> =
        versions.iter().map(|(version, fields)| (version.to_string(), state(fields))).collect();
    Json(json!({ "data": { "current_version": states.len(), "max_versions": 0, "versions": states } }))
}

async fn subjects_metadata(State(shelf): State<Shared>) -> Answer {
    let shelf = lock(&shelf);
    if shelf.subjects.is_empty() { Err(refused(404)) } else { Ok(states(&shelf.subjects, |is_gone| ("", is_gone))) }
}

async fn subjects(State(shelf): State<Shared>, Query(query): Query<BTreeMap<String, u32>>) -> Answer {
    let fields = lock(&shelf).subjects.get(&query["version"]).cloned().flatten().ok_or_else(|| refused(404))?;
    Ok(Json(json!({ "data": { "data": fields, "metadata": {} } })))
}

async fn put_subjects(State(shelf): State<Shared>, Json(given): Json<Value>) -> Answer {
    let mut shelf = lock(&shelf);
    if std::mem::take(&mut shelf.is_overtaken) {
        let (version, fields) =
            shelf.subjects.last_key_value().map(|(version, fields)| (*version, fields.clone())).expect("one");
        shelf.subjects.insert(version + 1, fields);
    }
    let newest = shelf.subjects.keys().next_back().copied().unwrap_or(0);
    if given["options"]["cas"] != newest {
        return Err(refused(400));
    }
    shelf.subjects.insert(newest + 1, Some(given["data"].clone()));
    Ok(Json(json!({ "data": { "version": newest + 1 } })))
}

async fn destroy_subjects(State(shelf): State<Shared>, Json(given): Json<Value>) -> StatusCode {
    let mut shelf = lock(&shelf);
    let versions: Vec<u32> = serde_json::from_value(given["versions"].clone()).expect("a list of versions");
    versions.into_iter().for_each(|version| _ = shelf.subjects.insert(version, None));
    StatusCode::NO_CONTENT
}

async fn data(
    State(shelf): State<Shared>,
    Path(_): Path<String>,
    Query(query): Query<BTreeMap<String, u32>>,
) -> Answer {
    let mut shelf = lock(&shelf);
    shelf.reads += 1;
    let version = query["version"];
    let fields = shelf.versions.get(&version).cloned().flatten().ok_or_else(|| refused(404))?;
    Ok(Json(json!({ "data": { "data": fields, "metadata": { "version": version } } })))
}

async fn lookup(State(shelf): State<Shared>) -> Answer {
    let shelf = lock(&shelf);
    let (ttl, renewable) = (shelf.ttl, shelf.is_renewable);
    Ok(Json(json!({ "data": { "ttl": ttl, "creation_ttl": 7200, "renewable": renewable, "id": TOKEN } })))
}

async fn renew(State(shelf): State<Shared>) -> Answer {
    lock(&shelf).renewals += 1;
    Ok(Json(json!({ "auth": { "client_token": TOKEN, "lease_duration": 7200 } })))
}

async fn log_in(State(shelf): State<Shared>, Path(mount): Path<String>, Json(given): Json<Value>) -> Answer {
    let mut shelf = lock(&shelf);
    let (role, proof) = match mount.as_str() {
        "approle" => (&given["role_id"], &given["secret_id"]),
        "k8s-west" => (&given["role"], &given["jwt"]),
        _ => return Err(refused(404)),
    };
    if role != ROLE_ID || *proof != shelf.proof {
        return Err(refused(400));
    }
    shelf.logins += 1;
    let token = format!("hvs.{CANARY}-{}", shelf.logins);
    shelf.tokens.insert(token.clone());
    Ok(Json(json!({ "auth": { "client_token": token, "lease_duration": shelf.ttl, "renewable": true } })))
}

async fn data_key(State(shelf): State<Shared>, Json(asked): Json<Value>) -> Answer {
    let mut shelf = lock(&shelf);
    assert_eq!(asked["bits"], 256);
    let number = shelf.data_keys.len() + 1;
    let plaintext = root(u32::try_from(number).expect("few"));
    let ciphertext = format!("vault:v{}:{number}", shelf.transit_version);
    shelf.data_keys.insert(ciphertext.clone(), plaintext.clone());
    Ok(Json(json!({ "data": { "plaintext": plaintext, "ciphertext": ciphertext } })))
}

async fn decrypt(State(shelf): State<Shared>, Json(asked): Json<Value>) -> Answer {
    let shelf = lock(&shelf);
    let wrapped = asked["ciphertext"].as_str().unwrap_or_default();
    let plaintext = shelf.data_keys.get(wrapped).ok_or_else(|| refused(400))?;
    Ok(Json(json!({ "data": { "plaintext": plaintext } })))
}

async fn rewrap(State(shelf): State<Shared>, Json(asked): Json<Value>) -> Answer {
    let mut shelf = lock(&shelf);
    let wrapped = asked["ciphertext"].as_str().unwrap_or_default();
    let plaintext = shelf.data_keys.get(wrapped).cloned().ok_or_else(|| refused(400))?;
    let rewrapped = format!("vault:v{}:rewrapped", shelf.transit_version);
    shelf.data_keys.insert(rewrapped.clone(), plaintext);
    Ok(Json(json!({ "data": { "ciphertext": rewrapped } })))
}
