//! Finds, in the background, what records need to be masked: a writer's schema, a program, the ids of the views' schemas.
//!
//! A task asks and goes on; what is not there yet holds the partition that asked. A lookup that meets trouble (registry,
//! keys, outputs) is repeated until it succeeds, is refused with certainty, or nobody waits for it any more.

mod attempt;
mod errand;
mod registry;
mod ticket;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use dashmap::DashMap;
use mesh_avro::{keys::KeyRing, wire::HEADER_BYTES};
use mesh_client::RegistryClient;
use mesh_kafka::admin::Admin;
use tokio::runtime::Handle;

pub(crate) use errand::{Done, Errand, Runner};
pub(crate) use ticket::Ticket;

use crate::{product::Product, treatment::Treatment};

/// Between two attempts; doubled from the first to the last.
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_LAST: Duration = Duration::from_secs(2);

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    /// What every record of the product needs: its outputs, and the program of the contract's own schema (for tombstones).
    Base,
    /// What records written with the schema of this id need.
    Writer(u32),
}

/// A program with everything around it that is the same for every record.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) treatment: Treatment,
    /// The version of the keys that the program masks with; 0 where it needs none.
    pub(crate) key_version: u32,
    pub(crate) ports: Vec<Port>,
    /// The value of the header that lets the keys' holder reverse tokens, if any column is tokenised.
    pub(crate) token_keys: Option<String>,
    /// How many of the writer's fields are in no view.
    pub(crate) dropped_fields: u64,
    /// Whether there is a topic to tell what was masked; of the base alone.
    pub(crate) is_audited: bool,
    /// What the outputs take; of the base alone, and only where the cluster tells.
    pub(crate) sizes: Option<Sizes>,
}

/// The largest record that each output takes, in bytes.
#[derive(Debug)]
pub(crate) struct Sizes {
    /// In the order of the ports.
    pub(crate) ports: Vec<usize>,
    pub(crate) quarantine: usize,
}

/// An output port of a program.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) topic: String,
    /// The view's index in the program.
    pub(crate) view: usize,
    /// What stands before each datum.
    pub(crate) frame: [u8; HEADER_BYTES],
}

/// What is known at once.
pub(crate) enum Answer {
    Ready(Arc<Prepared>),
    Pending(Arc<Ticket>),
}

/// The lookups of one process, shared by its tasks.
#[derive(Clone)]
pub(crate) struct Lookups {
    shared: Arc<Shared>,
}

struct Shared {
    registry: RegistryClient,
    admin: Admin,
    keys: Arc<dyn KeyRing>,
    runtime: Handle,
    ready: DashMap<(u64, Wanted), Arc<Prepared>>,
    pending: Mutex<HashMap<(u64, Wanted), Weak<Ticket>>>,
}

impl Lookups {
    /// Within a Tokio runtime, on which the lookups run.
    pub(crate) fn new(registry: RegistryClient, admin: Admin, keys: Arc<dyn KeyRing>) -> Self {
        let shared = Shared {
            registry,
            admin,
            keys,
            runtime: Handle::current(),
            ready: DashMap::new(),
            pending: Mutex::default(),
        };
        Lookups { shared: Arc::new(shared) }
    }

    /// What is known of `wanted`; starts a lookup if nothing is, and there is none yet.
    pub(crate) fn ask(&self, product: &Arc<Product>, wanted: Wanted) -> Answer {
        let key = (product.identity, wanted);
        if let Some(ready) = self.shared.ready.get(&key) {
            return Answer::Ready(ready.clone());
        }
        let mut pending = self.shared.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ticket) = pending.get(&key).and_then(Weak::upgrade).filter(|ticket| ticket.is_open()) {
            return Answer::Pending(ticket);
        }
        let ticket = Arc::new(Ticket::default());
        pending.retain(|_, ticket| ticket.strong_count() > 0);
        pending.insert(key, Arc::downgrade(&ticket));
        self.shared.runtime.spawn(pursue(self.shared.clone(), product.clone(), wanted, Arc::downgrade(&ticket)));
        Answer::Pending(ticket)
    }

    /// Forgets an answer that proved wrong, such as outputs that are no longer there.
    pub(crate) fn forget(&self, product: &Product, wanted: Wanted) {
        self.shared.ready.remove(&(product.identity, wanted));
    }

    /// Forgets what was found for products that are not served any more.
    pub(crate) fn retain(&self, served: impl Fn(u64) -> bool) {
        self.shared.ready.retain(|(identity, _), _| served(*identity));
    }

    /// The provider of keys.
    pub(crate) fn keys(&self) -> &dyn KeyRing {
        &*self.shared.keys
    }
}

/// Repeats attempts while somebody waits.
async fn pursue(shared: Arc<Shared>, product: Arc<Product>, wanted: Wanted, waiting: Weak<Ticket>) {
    let mut pause = RETRY_FIRST;
    loop {
        let outcome = attempt::attempt(&shared, &product, wanted).await;
        let Some(ticket) = waiting.upgrade() else { return };
        match outcome {
            Ok(prepared) => {
                let prepared = Arc::new(prepared);
                shared.ready.insert((product.identity, wanted), prepared.clone());
                return ticket.close(Ok(prepared));
            }
            Err(attempt::Setback::Refused(reason)) => {
                tracing::warn!(product = %product.name, revision = product.revision, ?wanted, reason = reason.code(), "records are refused: {reason}");
                return ticket.close(Err(reason));
            }
            Err(attempt::Setback::Trouble(trouble, cause)) => {
                tracing::debug!(product = %product.name, ?wanted, reason = trouble.label(), cause, "lookup failed, retrying");
                ticket.trouble(trouble);
            }
        }
        drop(ticket);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(RETRY_LAST);
    }
}
