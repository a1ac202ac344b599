//! From the topics into the graph.

use std::time::Duration;

use mesh_client::lineage::KafkaCluster;
use mesh_contract::topic::{LINEAGE_TOPIC, PRODUCTS_TOPIC};
use mesh_kafka::admin::Admin;
use mesh_kafka::log::LogReader;
use mesh_kafka::{ErrorKind, Record, Settings};
use mesh_runtime::Latch;

use crate::intake::Door;
use crate::{Declarations, Error, State, metrics};

/// How often to look for a topic that is not there yet, or a cluster that is away.
const RETRY: Duration = Duration::from_secs(1);
/// How often the graph's size is told to the metrics.
const MEASURE: Duration = Duration::from_secs(5);

/// Both topics, and what was read of the products.
pub(crate) struct Topics {
    events: LogReader,
    products: LogReader,
    declarations: Declarations,
    door: Door,
    cluster: ClusterName,
}

/// How the cluster's name is found.
struct ClusterName {
    id: String,
    bootstrap_servers: String,
}

impl ClusterName {
    /// As it was written down, or else after the bootstrap servers.
    fn of(&self, declarations: &Declarations) -> KafkaCluster {
        let written = declarations.catalogue().cluster(&self.id).cloned();
        written.unwrap_or_else(|| KafkaCluster::new(&self.bootstrap_servers, &[]))
    }
}

impl Topics {
    /// Opens both, waiting until they are there.
    pub(crate) async fn open(kafka: &Settings, latch: &Latch) -> Result<Self, Error> {
        let products = open(kafka, PRODUCTS_TOPIC, latch).await.map_err(Error::OpenProducts)?;
        let events = open(kafka, LINEAGE_TOPIC, latch).await.map_err(Error::OpenEvents)?;
        let id = cluster_id(kafka, latch).await.map_err(Error::AskCluster)?;
        let cluster = ClusterName { id, bootstrap_servers: kafka.bootstrap().to_owned() };
        Ok(Self { events, products, declarations: Declarations::default(), door: Door::default(), cluster })
    }

    /// Reads both to their present end.
    pub(crate) async fn catch_up(&mut self, state: &State) -> Result<(), Error> {
        let Self { events, products, declarations, door, cluster } = self;
        read_to_end(products, |record| _ = declarations.take(&record)).await.map_err(Error::ReadProducts)?;
        state.declare(&cluster.of(declarations), declarations);
        let mut is_first = true;
        let take = |record: Record| {
            note_beginning(state, &record, std::mem::take(&mut is_first));
            take_event(state, door, &record);
        };
        read_to_end(events, take).await.map_err(Error::ReadEvents)?;
        state.measure();
        Ok(())
    }

    /// Follows both for ever.
    pub(crate) async fn follow(mut self, state: &State) -> Result<(), Error> {
        let mut measure = tokio::time::interval(MEASURE);
        loop {
            tokio::select! {
                record = self.events.next() => take_event(state, &mut self.door, &record.map_err(Error::ReadEvents)?),
                record = self.products.next() => {
                    if self.declarations.take(&record.map_err(Error::ReadProducts)?) {
                        state.declare(&self.cluster.of(&self.declarations), &self.declarations);
                    }
                }
                _ = measure.tick() => state.measure(),
            }
        }
    }
}

/// A log that does not begin at its beginning had more once.
fn note_beginning(state: &State, record: &Record, is_first: bool) {
    if let Some(begins_ms) = record.timestamp_ms.filter(|_| is_first && record.offset > 0) {
        state.begin_at(begins_ms);
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

/// The cluster's id, waiting until it answers.
async fn cluster_id(kafka: &Settings, latch: &Latch) -> Result<String, mesh_kafka::Error> {
    let admin = Admin::new(kafka)?;
    loop {
        match admin.cluster_id().await {
            Err(error) if error.is_retriable() => {
                latch.close("waiting for Kafka");
                tracing::warn!(%error, "lineage cannot reach Kafka, retrying");
                tokio::time::sleep(RETRY).await;
            }
            answer => return answer,
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

fn take_event(state: &State, door: &mut Door, record: &Record) {
    let Some(value) = &record.value else { return };
    match door.accept(value) {
        Ok(event) => state.apply(&event, value.clone()),
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
