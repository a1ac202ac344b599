//! librdkafka's blocking calls, where they hold nobody up.

use std::ops::Deref;
use std::sync::{Arc, Weak};

use crate::{Error, ErrorKind};

/// Runs a blocking call on one of tokio's blocking threads. It runs to its end even if the caller goes away.
pub(crate) async fn run<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(call).await {
        Ok(result) => result,
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::said("ask Kafka", ErrorKind::Other, "the runtime is shutting down")),
        },
    }
}

/// A shared client whose last reference is dropped on a thread of its own: librdkafka waits there for its threads, and
/// for the group to be left.
pub(crate) struct Shared<T: Send + Sync + 'static>(Option<Arc<T>>);

impl<T: Send + Sync + 'static> Shared<T> {
    pub(crate) fn new(client: T) -> Self {
        Shared(Some(Arc::new(client)))
    }

    pub(crate) fn observe(&self) -> Observer<T> {
        Observer(self.0.as_ref().map_or_else(Weak::new, Arc::downgrade))
    }

    /// Drops this reference in the calling thread, which waits if it is the last one.
    pub(crate) fn drop_here(mut self) {
        drop(self.0.take());
    }
}

/// Knows a shared client without keeping it.
pub(crate) struct Observer<T: Send + Sync + 'static>(Weak<T>);

impl<T: Send + Sync + 'static> Observer<T> {
    /// The client, if anybody still uses it.
    pub(crate) fn get(&self) -> Option<Shared<T>> {
        self.0.upgrade().map(|client| Shared(Some(client)))
    }
}

impl<T: Send + Sync + 'static> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Shared(self.0.clone())
    }
}

impl<T: Send + Sync + 'static> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("emptied by its drop only")
    }
}

impl<T: Send + Sync + 'static> Drop for Shared<T> {
    fn drop(&mut self) {
        if let Some(client) = self.0.take().and_then(Arc::into_inner) {
            drop_elsewhere(client);
        }
    }
}

fn drop_elsewhere<T: Send + 'static>(client: T) {
    let spawned = std::thread::Builder::new().name("kafka-drop".into()).spawn(move || drop(client));
    if let Err(error) = spawned {
        tracing::debug!(%error, "dropped a client in place");
    }
}
