//! The load: registrations and reads over keep-alive connections.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use reqwest::{Client, header};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::schema::{VERSIONS, text};

const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";

/// Asks a registry over so many connections.
#[derive(Debug)]
pub struct Load {
    url: String,
    clients: Vec<Client>,
}

impl Load {
    pub fn new(url: &str, connections: usize) -> anyhow::Result<Self> {
        let headers = [(header::ACCEPT, header::HeaderValue::from_static(MEDIA_TYPE))];
        let client = || Client::builder().default_headers(headers.clone().into_iter().collect()).http1_only().build();
        let clients = (0..connections).map(|_| client()).collect::<Result<_, _>>()?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), clients })
    }

    /// Whether a path is answered with 200.
    pub async fn answers(&self, path: &str) -> bool {
        let answer = self.clients[0].get(format!("{}{path}", self.url)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Every registry checks each version against the one before.
    pub async fn hold_to_backward(&self) -> anyhow::Result<()> {
        let request = self.clients[0].put(format!("{}/config", self.url));
        let request = request.header(header::CONTENT_TYPE, MEDIA_TYPE);
        request.body(json!({ "compatibility": "BACKWARD" }).to_string()).send().await?.error_for_status()?;
        Ok(())
    }

    /// Registers five versions of each subject, a subject's one after another: the ids, and how long it took.
    pub async fn register(&self, subjects: usize) -> anyhow::Result<(Vec<u64>, Duration)> {
        let started = Instant::now();
        let connections = self.clients.len();
        let mut tasks = JoinSet::new();
        for (number, client) in self.clients.iter().cloned().enumerate() {
            let url = self.url.clone();
            tasks.spawn(async move {
                let mut ids = Vec::new();
                for subject in (number..subjects).step_by(connections) {
                    for version in 0..VERSIONS {
                        ids.push(register(&client, &url, subject, version).await?);
                    }
                }
                anyhow::Ok(ids)
            });
        }
        let mut ids = Vec::new();
        while let Some(task) = tasks.join_next().await {
            ids.extend(task??);
        }
        let took = started.elapsed();
        ids.sort_unstable();
        ids.dedup();
        ensure!(ids.len() == subjects * VERSIONS, "{} ids for {} schemas", ids.len(), subjects * VERSIONS);
        Ok((ids, took))
    }

    /// Reads schemas by id, in an order that looks random, for so long: how many.
    pub async fn read(&self, ids: &[u64], duration: Duration) -> anyhow::Result<usize> {
        let end = Instant::now() + duration;
        let ids: Arc<[u64]> = ids.into();
        let mut tasks = JoinSet::new();
        for (number, client) in self.clients.iter().cloned().enumerate() {
            let (url, ids) = (self.url.clone(), Arc::clone(&ids));
            tasks.spawn(async move {
                let (mut count, mut state) = (0, number as u64 + 1);
                while Instant::now() < end {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let id = ids[(state >> 33) as usize % ids.len()];
                    let answer = client.get(format!("{url}/schemas/ids/{id}")).send().await?.error_for_status()?;
                    ensure!(answer.bytes().await?.starts_with(b"{"), "the schema {id} is no JSON object");
                    count += 1;
                }
                Ok(count)
            });
        }
        let mut count = 0;
        while let Some(task) = tasks.join_next().await {
            count += task??;
        }
        Ok(count)
    }
}

async fn register(client: &Client, url: &str, subject: usize, version: usize) -> anyhow::Result<u64> {
    let request = client.post(format!("{url}/subjects/bench-{subject}-value/versions"));
    let body = json!({ "schema": text(subject, version) }).to_string();
    let answer = request.header(header::CONTENT_TYPE, MEDIA_TYPE).body(body).send().await?;
    let (status, body) = (answer.status(), answer.bytes().await?);
    ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
    let answer: Value = serde_json::from_slice(&body)?;
    answer["id"].as_u64().context("an answer without an id")
}
