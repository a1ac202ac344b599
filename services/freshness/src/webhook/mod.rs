//! Tells receivers over HTTP what changed: CloudEvents in structured JSON, signed as Standard Webhooks says.
//!
//! ```text
//! mesh.freshness --> Ledger (what changed, who was told) --> Outbox per target --> POST
//!        ^----------------- webhook/<target>/<product>: told ----------------------+
//! ```
//!
//! The changes are read from `mesh.freshness` itself, and so is what each target was told: a process that was killed leaves
//! nothing behind that another cannot make out. A change is told at least once, in order for each target; its id is the same
//! however often it is told, so that a receiver knows it again. A target that was never told of a product starts with how it
//! stands, and only if that is stale.
//!
//! Specs: <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>,
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.

mod event;
mod ledger;
mod metrics;
mod outbox;
mod post;
mod progress;
mod signature;
mod target;

use std::sync::Arc;
use std::time::Duration;

use mesh_client::catalogue::{CatalogueError, Follower};
use mesh_contract::topic::{FRESHNESS_TOPIC, PRODUCTS_TOPIC};
use mesh_kafka::admin::Admin;
use mesh_kafka::log::{LogReader, LogWriter};
use mesh_kafka::{ErrorKind, Settings};
use tokio::task::JoinSet;

use crate::Error;
use event::Event;
use ledger::{Change, Ledger};
use outbox::Outbox;
pub(crate) use progress::is_progress;
pub use target::{Target, TargetsError, read};

/// How long to wait before trying again what Kafka did not let us do.
const RETRY: Duration = Duration::from_secs(1);

/// How often a delivery is tried, and how long apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// The pause after the first failure; each further one is twice as long.
    pub first: Duration,
    /// No pause is longer, unless the receiver asks for it.
    pub longest: Duration,
    /// After so many attempts a change is given up.
    pub attempts: u32,
}

impl Default for Retries {
    /// From a second to five minutes, for about an hour.
    fn default() -> Self {
        Self { first: Duration::from_secs(1), longest: Duration::from_secs(300), attempts: 20 }
    }
}

/// Tells for ever. A cluster that is away is waited for.
///
/// # Errors
/// What waiting does not mend.
pub async fn tell(targets: Vec<Target>, kafka: Settings, retries: Retries) -> Result<(), Error> {
    if targets.is_empty() {
        return std::future::pending().await;
    }
    let targets: Vec<Arc<Target>> = targets.into_iter().map(Arc::new).collect();
    loop {
        match tell_until_error(&targets, &kafka, retries).await {
            Err(error) if is_early(&error) => {}
            Err(error) if error.is_retriable() => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "webhooks cannot follow mesh.freshness, retrying"
                );
            }
            result => return result,
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn tell_until_error(targets: &[Arc<Target>], kafka: &Settings, retries: Retries) -> Result<(), Error> {
    let mut sight = Sight::open(kafka).await?;
    let writer = LogWriter::new(kafka).map_err(Error::SetUp)?;
    let mut ledger = Ledger::default();
    sight.log.read_to_end(|record| drop(ledger.take(&record))).await.map_err(unreadable)?;
    let mut works = JoinSet::new();
    let mut outboxes = Vec::new();
    for target in targets {
        let (outbox, work) = Outbox::open(Arc::clone(target), retries, writer.clone())?;
        works.spawn(work);
        for change in ledger.untold(target) {
            outbox.put(sight.event(&change).await?);
        }
        outboxes.push(outbox);
    }
    loop {
        let record = tokio::select! {
            record = sight.log.next() => record.map_err(unreadable)?,
            Some(ended) = works.join_next() => {
                return ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
            }
        };
        let Some(change) = ledger.take(&record) else { continue };
        let event = sight.event(&change).await?;
        for outbox in &outboxes {
            if ledger.concerns(outbox.target(), &change) {
                outbox.put(event.clone());
            }
        }
    }
}

/// What is followed: the states, and whose products they are.
struct Sight {
    source: String,
    log: LogReader,
    catalogue: Follower,
}

impl Sight {
    async fn open(kafka: &Settings) -> Result<Self, Error> {
        let cluster = Admin::new(kafka).map_err(Error::SetUp)?.cluster_id().await.map_err(Error::SetUp)?;
        Ok(Self {
            source: format!("kafka://{cluster}/{FRESHNESS_TOPIC}"),
            log: LogReader::open(kafka, FRESHNESS_TOPIC).await.map_err(unreadable)?,
            catalogue: Follower::open(kafka).await.map_err(uncatalogued)?,
        })
    }

    async fn event(&mut self, change: &Change) -> Result<Event, Error> {
        self.catalogue.catch_up().await.map_err(uncatalogued)?;
        Ok(event::of(change, &self.source, self.catalogue.catalogue().domain(&change.owner).map(|domain| &domain.team)))
    }
}

/// Nothing was applied to this cluster yet.
fn is_early(error: &Error) -> bool {
    match error {
        Error::ReadCatalogue(CatalogueError::NotThere) => true,
        Error::ReadLog { source, .. } => source.kind() == ErrorKind::UnknownTopic,
        _ => false,
    }
}

fn unreadable(source: mesh_kafka::Error) -> Error {
    Error::ReadLog { topic: FRESHNESS_TOPIC, source }
}

fn uncatalogued(error: CatalogueError) -> Error {
    match error {
        CatalogueError::Read(source) => Error::ReadLog { topic: PRODUCTS_TOPIC, source },
        other => Error::ReadCatalogue(other),
    }
}
