//! Follows `mesh.products`, on demand.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mesh_client::catalogue::{CatalogueError, Follower};
use mesh_contract::topic::PRODUCTS_TOPIC;
use mesh_kafka::{Settings, admin::Admin};
use tokio::sync::Mutex;

use super::{Governance, Rules};

/// The contracts in force are not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProductsError {
    #[error(
        "cannot read the contracts in force from Kafka: {reason}; reads go on, and schemas are registered when Kafka answers"
    )]
    Read { reason: String },
    #[error("the contracts in force could not be read in time: try again shortly")]
    TimedOut,
}

/// The contracts in force.
#[derive(Debug)]
pub(crate) struct Products {
    source: Source,
    /// As of the last time they were read.
    known: RwLock<Option<Arc<Governance>>>,
    timeout: Duration,
}

enum Source {
    Kafka {
        settings: Settings,
        rules: Rules,
        /// How many readings have begun.
        begun: AtomicU64,
        reading: Box<Mutex<Reading>>,
    },
    /// What is known is all there is.
    #[cfg(any(test, feature = "memory"))]
    Fixed,
}

/// Whoever holds it reads; the others wait.
#[derive(Default)]
struct Reading {
    follower: Option<Follower>,
    /// Tells whether there is a topic to follow, as long as nobody follows it.
    admin: Option<Admin>,
    /// The number of the last reading that came to its end.
    done: u64,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Source")
    }
}

impl Products {
    /// Nothing is read before the first question.
    pub(crate) fn new(settings: Settings, rules: Rules, timeout: Duration) -> Self {
        let source = Source::Kafka { settings, rules, begun: AtomicU64::new(0), reading: Box::default() };
        Self { source, known: RwLock::default(), timeout }
    }

    /// Products that never change.
    #[cfg(any(test, feature = "memory"))]
    pub(crate) fn fixed(governance: Governance) -> Self {
        let known = RwLock::new(Some(Arc::new(governance)));
        Self { source: Source::Fixed, known, timeout: Duration::ZERO }
    }

    /// The contracts that are in force now: everything is seen that was applied before this is asked.
    pub(crate) async fn newest(&self) -> Result<Arc<Governance>, ProductsError> {
        match &self.source {
            #[cfg(any(test, feature = "memory"))]
            Source::Fixed => Ok(self.known().unwrap_or_default()),
            Source::Kafka { settings, rules, begun, reading } => {
                let read = self.read(settings, rules, begun, reading);
                tokio::time::timeout(self.timeout, read).await.unwrap_or(Err(ProductsError::TimedOut))
            }
        }
    }

    /// As [`newest`](Self::newest), or what was in force when it was last known: for questions that change nothing.
    pub(crate) async fn newest_or_known(&self) -> Result<Arc<Governance>, ProductsError> {
        match self.newest().await {
            Ok(governance) => Ok(governance),
            Err(error) => self.known().ok_or(error),
        }
    }

    /// Reads to the end, for all who asked before this reading began.
    async fn read(
        &self,
        settings: &Settings,
        rules: &Rules,
        begun: &AtomicU64,
        reading: &Mutex<Reading>,
    ) -> Result<Arc<Governance>, ProductsError> {
        let asked_during = begun.load(Ordering::SeqCst);
        let mut reading = reading.lock().await;
        if let Some(known) = self.known().filter(|_| reading.done > asked_during) {
            return Ok(known);
        }
        let number = begun.fetch_add(1, Ordering::SeqCst) + 1;
        let before = reading.follower.as_ref().map_or(0, Follower::taken);
        let known = match reading.follow(settings).await {
            Ok(None) => Arc::new(Governance::default()),
            Ok(Some(follower)) => match self.known().filter(|_| before > 0 && before == follower.taken()) {
                Some(known) => known,
                None => Arc::new(Governance::of(follower.catalogue(), rules)),
            },
            Err(reason) => {
                // Whatever state the reader is in: the next question reads anew.
                reading.follower = None;
                return Err(ProductsError::Read { reason });
            }
        };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
        reading.done = number;
        Ok(known)
    }

    fn known(&self) -> Option<Arc<Governance>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Reading {
    /// Reads to the end of `mesh.products`; nothing if no contract was ever applied.
    async fn follow(&mut self, settings: &Settings) -> Result<Option<&Follower>, String> {
        if self.follower.is_none() && self.is_there(settings).await.map_err(|error| chain(&error))? {
            self.follower = match Follower::open(settings).await {
                Ok(opened) => Some(opened),
                Err(CatalogueError::NotThere) => None,
                Err(error) => return Err(chain(&error)),
            };
            self.admin = None;
        }
        let Some(follower) = &mut self.follower else { return Ok(None) };
        follower.catch_up().await.map_err(|error| chain(&error))?;
        Ok(Some(follower))
    }

    /// Whether there is a topic to follow: a client of its own is too much to find that out by, each time.
    async fn is_there(&mut self, settings: &Settings) -> Result<bool, mesh_kafka::Error> {
        let admin = match &self.admin {
            Some(admin) => admin,
            None => self.admin.insert(Admin::new(settings)?),
        };
        Ok(admin.partitions(PRODUCTS_TOPIC).await?.is_some())
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
