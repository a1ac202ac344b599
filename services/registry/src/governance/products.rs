//! Follows `mesh.products`, on demand.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use mesh_client::catalogue::{CatalogueError, Follower};
use mesh_kafka::Settings;
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
        follower: Box<Mutex<Option<Follower>>>,
    },
    /// What is known is all there is.
    #[cfg(any(test, feature = "memory"))]
    Fixed,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Source")
    }
}

impl Products {
    /// Nothing is read before the first question.
    pub(crate) fn new(settings: Settings, rules: Rules, timeout: Duration) -> Self {
        let source = Source::Kafka { settings, rules, follower: Box::default() };
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
            Source::Kafka { settings, rules, follower } => {
                let read = self.read(settings, rules, follower);
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

    async fn read(
        &self,
        settings: &Settings,
        rules: &Rules,
        follower: &Mutex<Option<Follower>>,
    ) -> Result<Arc<Governance>, ProductsError> {
        let mut follower = follower.lock().await;
        let before = follower.as_ref().map_or(0, Follower::taken);
        let known = match follow(&mut follower, settings).await {
            Ok(None) => Governance::default(),
            Ok(Some(follower)) => match self.known().filter(|_| before > 0 && before == follower.taken()) {
                Some(known) => return Ok(known),
                None => Governance::of(follower.catalogue(), rules),
            },
            Err(error) => {
                // Whatever state the reader is in: the next question reads anew.
                *follower = None;
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
                return Err(ProductsError::Read { reason: format!("{error}{cause}") });
            }
        };
        let known = Arc::new(known);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
        Ok(known)
    }

    fn known(&self) -> Option<Arc<Governance>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads to the end of `mesh.products`; nothing if no contract was ever applied.
async fn follow<'f>(
    follower: &'f mut Option<Follower>,
    settings: &Settings,
) -> Result<Option<&'f Follower>, CatalogueError> {
    if follower.is_none() {
        *follower = match Follower::open(settings).await {
            Ok(opened) => Some(opened),
            Err(CatalogueError::NotThere) => return Ok(None),
            Err(error) => return Err(error),
        };
    }
    let Some(follower) = follower else { return Ok(None) };
    follower.catch_up().await?;
    Ok(Some(follower))
}
