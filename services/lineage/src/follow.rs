//! From the topics into the graph.

use std::time::Duration;

use mesh_client::lineage::KafkaNamespace;
use mesh_contract::AppliedProduct;
use mesh_kafka::log::LogReader;
use mesh_kafka::{ErrorKind, Record, Settings};
use mesh_runtime::Latch;

use crate::{Error, State, intake, metrics};

/// How often to look for a topic that is not there yet, or a cluster that is away.
const RETRY: Duration = Duration::from_secs(1);

/// Opens a topic, waiting until it is there.
pub(crate) async fn open(kafka: &Settings, topic: &str, latch: &Latch) -> Result<LogReader, mesh_kafka::Error> {
    loop {
        match LogReader::open(kafka, topic).await {
            Ok(reader) => return Ok(reader),
            Err(error) if error.kind() == ErrorKind::UnknownTopic => {
                latch.close(&format!("waiting for {topic}: nothing was applied yet"));
            }
            Err(error) if error.is_retriable() => {
                latch.close("waiting for Kafka");
                tracing::warn!(topic, %error, "lineage cannot reach Kafka, retrying");
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Reads both topics to their present end.
pub(crate) async fn catch_up(
    state: &State,
    namespace: &KafkaNamespace,
    events: &mut LogReader,
    products: &mut LogReader,
) -> Result<(), Error> {
    let take = |record: Record| {
        take_product(state, &record);
    };
    read_to_end(products, take).await.map_err(Error::ReadProducts)?;
    state.declare(namespace);
    read_to_end(events, |record| take_event(state, &record)).await.map_err(Error::ReadEvents)
}

/// Follows both topics for ever.
pub(crate) async fn follow(
    state: &State,
    namespace: &KafkaNamespace,
    mut events: LogReader,
    mut products: LogReader,
) -> Result<(), Error> {
    loop {
        tokio::select! {
            record = events.next() => take_event(state, &record.map_err(Error::ReadEvents)?),
            record = products.next() => {
                if take_product(state, &record.map_err(Error::ReadProducts)?) {
                    state.declare(namespace);
                }
            }
        }
    }
}

/// An interrupted reading goes on where it stopped.
async fn read_to_end(log: &mut LogReader, mut each: impl FnMut(Record)) -> Result<(), mesh_kafka::Error> {
    loop {
        match log.read_to_end(&mut each).await {
            Err(error) if error.is_retriable() => {
                tracing::warn!(topic = log.topic(), %error, "lineage cannot reach Kafka, retrying");
                tokio::time::sleep(RETRY).await;
            }
            result => return result,
        }
    }
}

fn take_event(state: &State, record: &Record) {
    let Some(value) = &record.value else { return };
    match intake::accept(value) {
        Ok(event) => state.apply(&event),
        Err(refusal) => {
            metrics::event_refused(&refusal);
            tracing::warn!(
                partition = record.partition,
                offset = record.offset,
                reason = refusal.code(),
                "lineage event refused"
            );
        }
    }
}

/// Whether a product changed.
fn take_product(state: &State, record: &Record) -> bool {
    let Some((key, product)) = newest_product(record) else { return false };
    state.product(&key, product);
    true
}

/// A record of `mesh.products` that says what a product is now, by key; not a superseded revision, and no domain.
pub(crate) fn newest_product(record: &Record) -> Option<(String, Option<AppliedProduct>)> {
    let key = std::str::from_utf8(record.key.as_ref()?).ok()?;
    if key.split('/').count() != 2 || key.starts_with("domain/") {
        return None;
    }
    let product = match &record.value {
        None => None,
        Some(value) => match serde_json::from_slice(value) {
            Ok(product) => Some(product),
            Err(error) => {
                tracing::warn!(offset = record.offset, %error, "product on mesh.products cannot be read, left out of the lineage");
                return None;
            }
        },
    };
    Some((key.to_owned(), product))
}
