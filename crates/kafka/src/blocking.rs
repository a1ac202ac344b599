//! librdkafka's blocking calls, where they hold nobody up.

use std::sync::Arc;

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

/// Drops a client on a thread of its own: librdkafka waits there for its threads, and for the group to be left.
pub(crate) fn drop_elsewhere<T: Send + Sync + 'static>(client: Arc<T>) {
    let spawned = std::thread::Builder::new().name("kafka-drop".into()).spawn(move || drop(client));
    if let Err(error) = spawned {
        tracing::debug!(%error, "dropped a client in place");
    }
}
