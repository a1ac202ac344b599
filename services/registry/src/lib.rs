//! A Confluent-compatible schema registry on a compacted Kafka topic; refuses incompatible schemas.
//!
//! ```text
//! HTTP (http/) ── reads ──────────────▶ State (state/), in memory
//!      └── changes ─▶ Writer (writer/) ─▶ log (_schemas) ─▶ Follower ─▶ State
//! ```
//!
//! The state is a pure function of the log, and only the follower changes it. A change is planned on the newest state by
//! the log's single writer, which is fenced by a transactional id; it is answered once it has been read back. The log has
//! Confluent's own record format (`log/`). Until the log has been read to its end every request is answered 503: nothing
//! is ever said to be absent that only has not been read yet.

mod config;
mod error;
mod follower;
mod governance;
mod http;
mod log;
#[cfg(any(test, feature = "memory"))]
pub mod memory;
mod metrics;
mod refusals;
mod schema;
mod state;
mod store;
mod subject;
mod topic;
mod writer;

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use mesh_kafka::admin::Admin;
use mesh_runtime::{HttpListener, Latch, Shutdown, access::Access};
use tokio::{
    sync::mpsc,
    task::{JoinError, JoinSet},
};

pub use config::{Config, DEFAULT_TOPIC};
pub use error::Error;
pub use governance::Rules;

use crate::{
    governance::Products,
    http::{App, Peers},
    refusals::{Record, Refusals},
    store::Store,
    writer::{Command, KafkaLog, LogEnd, Writer, WriterTask},
};

/// How long to wait before trying to prepare the topic again.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// How long a registry that ends tries to put on record what it refused last.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Runs a registry until the shutdown.
///
/// # Errors
/// What a restart alone does not mend: see [`Error`].
pub async fn run(config: Config, shutdown: Shutdown) -> Result<(), Error> {
    Registry::bind(config).await?.serve(shutdown).await
}

/// A registry that listens, but does not answer yet.
#[derive(Debug)]
pub struct Registry {
    config: Config,
    listener: HttpListener,
    latch: Latch,
}

impl Registry {
    /// Binds the registry's address, so that its port is known before it serves.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn bind(config: Config) -> Result<Self, Error> {
        let listener = HttpListener::bind(&config.listen).await?.with_tls(config.tls.clone());
        let latch = config.readiness.latch("registry");
        Ok(Self { config, listener, latch })
    }

    /// The address that is really listened on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Where clients on this machine reach it.
    #[must_use]
    pub fn url(&self) -> String {
        self.listener.url()
    }

    /// Serves until the shutdown; 503 until the log has been read to its end.
    ///
    /// # Errors
    /// As [`run`].
    pub async fn serve(self, shutdown: Shutdown) -> Result<(), Error> {
        metrics::describe();
        let Self { config, listener, latch } = self;
        let store = Arc::new(Store::default());
        let (writer, queue) = Writer::new(config.write_timeout);
        let products = Products::new(config.kafka.clone(), config.rules.clone(), config.write_timeout);
        let url = advertised(&config, &listener);
        let peers = Peers::new(url.clone(), config.peers.clone(), config.write_timeout)?;
        let access = config.access.clone();
        let app = App::new(store.clone(), writer, Arc::new(products), config.body_bytes_max, peers);
        let app = app.with(access.clone());
        let log = KafkaLog::new(config.kafka.clone(), &config.topic);
        let end = LogEnd::new(&config);
        let refusals = app.refusals();
        let record = |refusals: Refusals| Record::new(config.kafka.clone(), config.seals.clone(), refusals);
        let (recorded, last_words) = (record(refusals.clone()), record(refusals));

        let mut tasks = JoinSet::new();
        tasks.spawn(write(WriterTask::new(log, store.clone(), url.clone(), config.write_timeout), queue));
        tasks.spawn(keep_state(config, store.clone(), latch, app.clone()));
        tasks.spawn(async move { Ok(recorded.keep().await) });
        announce(&listener, &access);
        tasks.spawn(follow(access, shutdown.clone()));
        let outcome = tokio::select! {
            served = listener.serve(http::router(app), shutdown) => served.map_err(Error::from),
            ended = tasks.join_next() => Err(failure(ended)),
        };
        tasks.shutdown().await;
        tell_last(last_words).await;
        let was_writer = url.is_some() && store.read().is_ok_and(|state| state.writer() == url.as_deref());
        if was_writer {
            end.mark().await;
        }
        tracing::info!("registry stopped");
        outcome
    }
}

/// Puts on record what was refused just now.
async fn tell_last(mut record: Record) {
    match tokio::time::timeout(LAST_WORDS, record.tell()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the last refusals are not on record");
        }
        Err(_) => tracing::error!("the last refusals are not on record: the audit does not answer"),
    }
}

/// Says where the registry is, and whether anybody may use it who gets there.
fn announce(listener: &HttpListener, access: &Access) {
    tracing::info!(url = listener.url(), "registry listens");
    if !access.is_restricted() && !listener.address().ip().is_loopback() {
        tracing::warn!(
            "anybody who reaches the registry may change it: give an access file, or keep others from its port"
        );
    }
}

/// Follows the access file. It never ends: after the shutdown the listener has the last word.
async fn follow(access: Access, shutdown: Shutdown) -> Result<Infallible, Error> {
    access.follow(&shutdown).await;
    std::future::pending().await
}

/// Where other replicas reach this one: as told, or where it listens, if that is an address of its own.
fn advertised(config: &Config, listener: &HttpListener) -> Option<String> {
    let told = config.advertise.as_deref().map(|url| url.trim_end_matches('/').to_owned());
    told.or_else(|| (!listener.address().ip().is_unspecified()).then(|| listener.url()))
}

/// Serves the queue of changes. It never ends while anybody can ask.
async fn write(task: WriterTask<KafkaLog>, queue: mpsc::Receiver<Command>) -> Result<Infallible, Error> {
    task.run(queue).await;
    Err(Error::TaskEnded { task: "writer", source: None })
}

/// Prepares the topic, then follows it.
async fn keep_state(config: Config, store: Arc<Store>, latch: Latch, app: App) -> Result<Infallible, Error> {
    latch.close("reading the registry's log");
    while let Err(error) = prepare(&config, &app).await {
        if !topic::is_temporary(&error) {
            return Err(error);
        }
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::warn!(%error, cause, "registry waits for kafka");
        tokio::time::sleep(RETRY_INTERVAL).await;
    }
    follower::follow(config.kafka, config.topic, &store, latch).await
}

async fn prepare(config: &Config, app: &App) -> Result<(), Error> {
    topic::prepare(config).await?;
    let failed = |source| Error::PrepareTopic { topic: config.topic.clone(), source };
    let admin = Admin::new(&config.kafka).map_err(failed)?;
    app.set_cluster_id(admin.cluster_id().await.map_err(failed)?);
    Ok(())
}

fn failure(ended: Option<Result<Result<Infallible, Error>, JoinError>>) -> Error {
    match ended {
        Some(Ok(Err(error))) => error,
        Some(Ok(Ok(never))) => match never {},
        Some(Err(source)) => Error::TaskEnded { task: "background task", source: Some(source) },
        None => Error::TaskEnded { task: "background task", source: None },
    }
}

#[cfg(test)]
mod tests;
