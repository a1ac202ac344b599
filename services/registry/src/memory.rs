//! A registry without Kafka: its log is in memory. For tests, and for what fuzzes the registry from outside.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::Router;
use mesh_client::registry::Login;
use mesh_contract::AppliedProduct;

use crate::{
    governance::{Governance, Products},
    http::{self, App, Peers},
    log::Record,
    state::State,
    store::Store,
    writer::{Log, LogError, Writer, WriterTask},
};

/// A log in memory that applies what is written to the store, as a follower would.
#[derive(Debug)]
pub(crate) struct MemoryLog {
    store: Arc<Store>,
    next: AtomicI64,
}

impl MemoryLog {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store, next: AtomicI64::new(0) }
    }
}

impl Log for MemoryLog {
    async fn claim(&mut self) -> Result<(), LogError> {
        Ok(())
    }

    async fn append(&mut self, record: &Record) -> Result<i64, LogError> {
        // As in a log of transactions, whose markers take offsets of their own.
        let offset = self.next.fetch_add(2, Ordering::Relaxed);
        let (key, value) = record.encode();
        self.store.apply(offset, Some(&key), value.as_deref());
        Ok(offset)
    }
}

/// A registry in memory: the REST API, the writer and the state are those of the real one.
#[derive(Debug)]
pub struct MemoryRegistry {
    store: Arc<Store>,
    router: Router,
}

impl MemoryRegistry {
    /// Starts an empty registry that holds the subjects of `products` to their contracts. Within a Tokio runtime.
    #[must_use]
    pub fn start(products: &[AppliedProduct], body_bytes_max: usize) -> Self {
        let patience = Duration::from_secs(10);
        let store = Arc::new(Store::default());
        let (writer, queue) = Writer::new(patience);
        tokio::spawn(WriterTask::new(MemoryLog::new(store.clone()), store.clone(), None, patience).run(queue));
        let products = Arc::new(Products::fixed(Governance::by(products)));
        let app = App::new(
            store.clone(),
            writer,
            products,
            body_bytes_max,
            Peers::new(None, Login::default(), patience).expect("no authority has to be read"),
        );
        let registry = Self { store, router: http::router(app) };
        registry.forget();
        registry
    }

    /// All routes.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Forgets everything, as if nothing had ever been registered.
    pub fn forget(&self) {
        self.store.replace(State::default(), 0);
    }

    /// Takes a record as the log's next; what cannot be understood changes nothing.
    pub fn follow(&self, offset: i64, key: Option<&[u8]>, value: Option<&[u8]>) {
        self.store.apply(offset, key, value);
    }
}

/// A record of the log, key and value, as this registry would write it; nothing if it cannot be understood.
#[must_use]
pub fn rewritten(key: Option<&[u8]>, value: Option<&[u8]>) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    Record::decode(key, value).ok().map(|record| record.encode())
}
