//! What must be true before a process takes traffic, by name.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::watch;

/// Why a latch is closed; open latches have no reason.
type Latches = BTreeMap<String, Option<String>>;

/// The process's readiness: the conjunction of its named latches. Clones share them.
///
/// Without any latch a process is ready.
#[derive(Clone, Debug)]
pub struct Readiness {
    latches: Arc<watch::Sender<Latches>>,
}

impl Default for Readiness {
    fn default() -> Self {
        Self { latches: Arc::new(watch::Sender::new(Latches::new())) }
    }
}

impl Readiness {
    /// Adds a closed latch. The same name twice is the same latch, closed again.
    #[must_use]
    pub fn latch(&self, name: impl Into<String>) -> Latch {
        let latch = Latch { readiness: self.clone(), name: name.into() };
        latch.close("starting");
        latch
    }

    /// The closed latches and why each is closed, by name.
    #[must_use]
    pub fn missing(&self) -> BTreeMap<String, String> {
        let latches = self.latches.borrow();
        latches.iter().filter_map(|(name, reason)| Some((name.clone(), reason.clone()?))).collect()
    }

    /// Whether every latch is open.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        all_open(&self.latches.borrow())
    }

    /// Resolves once every latch is open.
    pub async fn ready(&self) {
        // The channel cannot close while `self` holds its sender.
        let _ = self.latches.subscribe().wait_for(all_open).await;
    }

    fn set(&self, name: &str, reason: Option<&str>) {
        self.latches.send_if_modified(|latches| {
            let changed = latches.get(name).is_none_or(|current| current.as_deref() != reason);
            if changed {
                latches.insert(name.to_owned(), reason.map(str::to_owned));
            }
            changed
        });
    }
}

fn all_open(latches: &Latches) -> bool {
    latches.values().all(Option::is_none)
}

/// One named condition of a process's [`Readiness`]. Clones are the same latch.
#[derive(Clone, Debug)]
pub struct Latch {
    readiness: Readiness,
    name: String,
}

impl Latch {
    /// The condition holds.
    pub fn open(&self) {
        self.readiness.set(&self.name, None);
    }

    /// The condition does not hold, for this reason; `/readyz` shows it.
    pub fn close(&self, reason: &str) {
        self.readiness.set(&self.name, Some(reason));
    }

    /// Whether the condition holds.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.readiness.latches.borrow().get(&self.name).is_some_and(Option::is_none)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ready_when_every_latch_is_open() {
        let readiness = Readiness::default();
        assert!(readiness.is_ready());
        let registry = readiness.latch("registry");
        let masking = readiness.latch("masking");
        registry.close("reading _schemas");
        masking.open();
        assert_eq!(readiness.missing(), BTreeMap::from([("registry".to_owned(), "reading _schemas".to_owned())]));

        let waiting = tokio::spawn({
            let readiness = readiness.clone();
            async move { readiness.ready().await }
        });
        registry.open();
        waiting.await.expect("the waiting task ends");
        assert!(readiness.is_ready() && registry.is_open());
        masking.close("rebalancing");
        assert!(!readiness.is_ready() && !masking.is_open());
    }
}
