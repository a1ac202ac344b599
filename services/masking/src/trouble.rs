//! What holds partitions back, told to operators: a gauge, the log, and `/readyz`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use mesh_kafka::source::Slot;
use mesh_runtime::{Latch, Readiness};

use crate::{Duty, metrics};

/// Why a partition is held. It goes on by itself once that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Trouble {
    /// The schema registry does not answer.
    Registry,
    /// The key provider does not give a key.
    Keys,
    /// The cluster does not say whether the outputs are there.
    Cluster,
    /// An output topic is not there, or has fewer partitions than the input.
    OutputMissing,
    /// The cluster does not let us write an output topic.
    OutputRefused,
    /// The quarantine topic does not take a record that has to go there.
    QuarantineTooSmall,
    /// The cluster does not let us delete what an output holds, so that it cannot be made anew.
    RemaskRefused,
    /// The contract as applied cannot be enforced.
    Contract,
    /// A newer revision was in force than this process has heard of.
    ContractBehind,
    /// Newer keys were in force than this process has been given, or it has been given them just now, and makes its programs anew.
    KeysBehind,
}

impl Trouble {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Trouble::Registry => "registry-unreachable",
            Trouble::Keys => "keys-unavailable",
            Trouble::Cluster => "cluster-unreachable",
            Trouble::OutputMissing => "output-missing",
            Trouble::OutputRefused => "output-refused",
            Trouble::QuarantineTooSmall => "quarantine-too-small",
            Trouble::RemaskRefused => "remask-refused",
            Trouble::Contract => "contract-unusable",
            Trouble::ContractBehind => "contract-behind",
            Trouble::KeysBehind => "keys-behind",
        }
    }

    /// Whether it is over without anybody's doing, as far as we can tell.
    fn passes(self) -> bool {
        use Trouble::{Cluster, ContractBehind, Keys, KeysBehind, Registry};
        matches!(self, Registry | Keys | Cluster | ContractBehind | KeysBehind)
    }
}

/// One held partition: the task that holds it and its holding there.
type Held = (usize, Slot);

/// What holds it: the product's name, and why.
type Why = (Arc<str>, Trouble);

/// All held partitions of the process. Written when a partition is held or released, which is rare.
#[derive(Clone)]
pub(crate) struct Troubles {
    duty: Duty,
    state: Arc<Mutex<BTreeMap<Held, Why>>>,
    latch: Latch,
}

impl Troubles {
    pub(crate) fn new(duty: Duty, readiness: &Readiness) -> Self {
        let latch = readiness.latch(format!("{} partitions", duty.name()));
        latch.open();
        Troubles { duty, state: Arc::default(), latch }
    }

    /// Says that this partition is held because of `trouble`, or (with `None`) not any more.
    pub(crate) fn set(&self, task: usize, slot: Slot, product: &Arc<str>, trouble: Option<Trouble>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match trouble {
            Some(trouble) => state.insert((task, slot), (product.clone(), trouble)),
            None => state.remove(&(task, slot)),
        };
        let after = trouble.map(|trouble| (product.clone(), trouble));
        if before == after {
            return;
        }
        let count = |what: &Why| state.values().filter(|held| *held == what).count();
        if let Some(over) = &before {
            self.tell_over(over, count(over));
        }
        if let Some(begun) = &after {
            self.tell_begun(begun, count(begun));
        }
        self.update_latch(&state);
    }

    /// Forgets what a task held: it starts anew.
    pub(crate) fn clear(&self, task: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let gone: Vec<Held> = state.keys().filter(|(of, _)| *of == task).copied().collect();
        for held in gone {
            let Some(over) = state.remove(&held) else { continue };
            let left = state.values().filter(|held| **held == over).count();
            self.tell_over(&over, left);
        }
        self.update_latch(&state);
    }

    fn tell_begun(&self, (product, trouble): &Why, held: usize) {
        metrics::paused_partitions(self.duty, product, trouble.label(), held);
        if held != 1 {
            return;
        }
        let (product, reason) = (&**product, trouble.label());
        if trouble.passes() {
            tracing::warn!(product, reason, "partitions are held; they go on by themselves once this is over");
        } else {
            tracing::error!(product, reason, "partitions are held until somebody mends this; nothing is lost");
        }
    }

    fn tell_over(&self, (product, trouble): &Why, held: usize) {
        metrics::paused_partitions(self.duty, product, trouble.label(), held);
        if held == 0 {
            tracing::info!(product = &**product, reason = trouble.label(), "partitions are no longer held by this");
        }
    }

    fn update_latch(&self, state: &BTreeMap<Held, Why>) {
        match state.values().min_by_key(|(_, trouble)| *trouble) {
            None => self.latch.open(),
            Some((product, trouble)) => {
                self.latch.close(&format!("{} partition(s) held, of {product} by {}", state.len(), trouble.label()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_follows_what_is_held() {
        let readiness = Readiness::default();
        let troubles = Troubles::new(Duty::Mask, &readiness);
        let product: Arc<str> = "crm.customers".into();
        troubles.set(0, Slot(1), &product, Some(Trouble::Registry));
        troubles.set(0, Slot(2), &product, Some(Trouble::Registry));
        assert!(readiness.missing()["masking partitions"].contains("registry-unreachable"));
        troubles.set(0, Slot(1), &product, None);
        assert!(!readiness.is_ready());
        troubles.set(0, Slot(2), &product, None);
        assert!(readiness.is_ready());
        troubles.set(1, Slot(0), &product, Some(Trouble::OutputMissing));
        troubles.clear(1);
        assert!(readiness.is_ready());
    }
}
