//! From the topics into the graph.

use std::time::Duration;

use mesh_client::catalogue::{Catalogue, Change};
use mesh_client::lineage::KafkaNamespace;
use mesh_contract::topic::{LINEAGE_TOPIC, PRODUCTS_TOPIC};
use mesh_kafka::log::LogReader;
use mesh_kafka::{ErrorKind, Record, Settings};
use mesh_runtime::Latch;

use crate::{Error, State, intake, metrics};

/// How often to look for a topic that is not there yet, or a cluster that is away.
const RETRY: Duration = Duration::from_secs(1);

/// Both topics, and what was read of the products.
pub(crate) struct Topics {
    events: LogReader,
    products: LogReader,
    catalogue: Catalogue,
}

impl Topics {
    /// Opens both, waiting until they are there.
    pub(crate) async fn open(kafka: &Settings, latch: &Latch) -> Result<Self, Error> {
        let products = open(kafka, PRODUCTS_TOPIC, latch).await.map_err(Error::OpenProducts)?;
        let events = open(kafka, LINEAGE_TOPIC, latch).await.map_err(Error::OpenEvents)?;
        Ok(Self { events, products, catalogue: Catalogue::default() })
    }

    /// Reads both to their present end.
    pub(crate) async fn catch_up(&mut self, state: &State, namespace: &KafkaNamespace) -> Result<(), Error> {
        let catalogue = &mut self.catalogue;
        let read = read_to_end(&mut self.products, |record| _ = catalogue.take(&record)).await;
        read.map_err(Error::ReadProducts)?;
        state.declare(namespace, &self.catalogue);
        read_to_end(&mut self.events, |record| take_event(state, &record)).await.map_err(Error::ReadEvents)
    }

    /// Follows both for ever.
    pub(crate) async fn follow(mut self, state: &State, namespace: &KafkaNamespace) -> Result<(), Error> {
        loop {
            tokio::select! {
                record = self.events.next() => take_event(state, &record.map_err(Error::ReadEvents)?),
                record = self.products.next() => {
                    let change = self.catalogue.take(&record.map_err(Error::ReadProducts)?);
                    if matches!(change, Change::Product(_) | Change::ProductGone(_)) {
                        state.declare(namespace, &self.catalogue);
                    }
                }
            }
        }
    }
}

/// Opens a topic, waiting until it is there.
async fn open(kafka: &Settings, topic: &str, latch: &Latch) -> Result<LogReader, mesh_kafka::Error> {
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
