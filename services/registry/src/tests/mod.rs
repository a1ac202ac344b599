//! The REST API over a log in memory, which can be made to fail.
#![allow(clippy::unwrap_used)]

mod access;
mod api;
mod faults;
mod products;
mod refusals;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use mesh_client::registry::Login;
use mesh_contract::AppliedProduct;
use mesh_runtime::{HttpListener, Shutdown, access::Access};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::{
    governance::{Governance, Products},
    http::{self, App, Peers},
    log::Record,
    memory::MemoryLog,
    refusals::Refusals,
    state::State,
    store::Store,
    writer::{Log, LogError, LogFault, Writer, WriterTask},
};

/// What the log does with the next write.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Behaviour {
    #[default]
    Works,
    Fails(LogFault),
    /// Writes, and loses the answer.
    WritesAndFails,
    Hangs,
}

/// A log in memory that can be made to fail.
#[derive(Debug)]
struct FaultyLog {
    log: MemoryLog,
    behaviour: Arc<Mutex<Behaviour>>,
}

impl Log for FaultyLog {
    async fn claim(&mut self) -> Result<(), LogError> {
        self.log.claim().await
    }

    async fn append(&mut self, record: &Record) -> Result<i64, LogError> {
        let behaviour = *self.behaviour.lock().unwrap();
        match behaviour {
            Behaviour::Fails(fault) => return Err(failure(fault)),
            Behaviour::Hangs => std::future::pending().await,
            Behaviour::Works | Behaviour::WritesAndFails => {}
        }
        let offset = self.log.append(record).await?;
        if behaviour == Behaviour::WritesAndFails { Err(failure(LogFault::Unavailable)) } else { Ok(offset) }
    }
}

fn failure(fault: LogFault) -> LogError {
    LogError { fault, source: "staged".into() }
}

/// A registry on loopback.
struct Server {
    url: String,
    store: Arc<Store>,
    refusals: Refusals,
    behaviour: Arc<Mutex<Behaviour>>,
    shutdown: Shutdown,
    client: reqwest::Client,
}

impl Server {
    async fn start() -> Self {
        Self::start_governed(&[]).await
    }

    /// A registry in a mesh that has products.
    async fn start_governed(products: &[AppliedProduct]) -> Self {
        let server = Self::start_with(Governance::by(products), Access::unrestricted()).await;
        server.store.replace(State::default(), 0);
        server
    }

    /// A registry that asks who one is.
    async fn start_asking(access: Access) -> Self {
        let server = Self::start_with(Governance::default(), access).await;
        server.store.replace(State::default(), 0);
        server
    }

    /// A registry that has not read its log yet.
    async fn start_behind() -> Self {
        Self::start_with(Governance::default(), Access::unrestricted()).await
    }

    async fn start_with(governance: Governance, access: Access) -> Self {
        let store = Arc::new(Store::default());
        let behaviour = Arc::default();
        let patience = Duration::from_millis(300);
        let (writer, queue) = Writer::new(patience);
        let log = FaultyLog { log: MemoryLog::new(store.clone()), behaviour: Arc::clone(&behaviour) };
        tokio::spawn(WriterTask::new(log, store.clone(), None, patience).run(queue));
        let listener = HttpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.address());
        let shutdown = Shutdown::new(Duration::from_secs(1));
        let peers = Peers::new(None, Login::default(), Duration::from_secs(1)).unwrap();
        let app = App::new(store.clone(), writer, Arc::new(Products::fixed(governance)), 4096, peers).with(access);
        let refusals = app.refusals();
        tokio::spawn(listener.serve(http::router(app), shutdown.clone()));
        Self { url, store, refusals, behaviour, shutdown, client: reqwest::Client::new() }
    }

    fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let request = self.client.request(method, format!("{}{path}", self.url));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        request.send().await.unwrap()
    }

    /// Status and body of an answer.
    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let response = self.send(method, path, body).await;
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask(Method::POST, path, Some(body)).await
    }

    async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask(Method::PUT, path, Some(body)).await
    }

    async fn delete(&self, path: &str) -> (u16, Value) {
        self.ask(Method::DELETE, path, None).await
    }

    /// Status and id, or the refusal.
    async fn register(&self, subject: &str, schema: &str) -> (u16, Value) {
        let answer = self.post(&format!("/subjects/{subject}/versions"), json!({ "schema": schema })).await;
        if answer.0 == 200 { (200, json!({ "id": answer.1["id"] })) } else { answer }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.trigger();
    }
}
