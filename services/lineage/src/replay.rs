//! The graph from the topics as they are now, for those who want it once: the command line and the demo.

use mesh_client::Catalogue;
use mesh_client::lineage::KafkaCluster;
use mesh_contract::topic::{LINEAGE_TOPIC, PRODUCTS_TOPIC};
use mesh_kafka::log::LogReader;
use mesh_kafka::{ErrorKind, Record, Settings};

use crate::graph::{Graph, Limits};
use crate::intake::Door;
use crate::{Declarations, Error};

/// What was in the topics.
#[derive(Debug)]
pub struct Replay {
    /// The graph.
    pub graph: Graph,
    /// The products and domains, and what the products were before.
    pub declarations: Declarations,
    /// The accepted events as they were written, if asked for.
    pub events: Vec<String>,
    /// How many events were refused.
    pub refused: u64,
    door: Door,
}

/// Reads both topics to their end. A topic that does not exist is empty.
pub async fn replay(kafka: &Settings, keep_events: bool) -> Result<Replay, Error> {
    let mut found = Replay {
        graph: Graph::new(Limits::default()),
        declarations: Declarations::default(),
        events: Vec::new(),
        refused: 0,
        door: Door::default(),
    };
    if let Some(mut products) = open(kafka, PRODUCTS_TOPIC).await.map_err(Error::OpenProducts)? {
        let read = products.read_to_end(|record| _ = found.declarations.take(&record)).await;
        read.map_err(Error::ReadProducts)?;
    }
    let cluster = KafkaCluster::named_in(found.catalogue(), kafka).await.map_err(Error::AskCluster)?;
    // what there is no room for is left out, as in the service
    let _ = found.graph.declare(&cluster, &found.declarations.all());
    if let Some(mut events) = open(kafka, LINEAGE_TOPIC).await.map_err(Error::OpenEvents)? {
        let read = events.read_to_end(|record| found.event(&record, keep_events)).await;
        read.map_err(Error::ReadEvents)?;
    }
    Ok(found)
}

async fn open(kafka: &Settings, topic: &str) -> Result<Option<LogReader>, mesh_kafka::Error> {
    match LogReader::open(kafka, topic).await {
        Ok(reader) => Ok(Some(reader)),
        Err(error) if error.kind() == ErrorKind::UnknownTopic => Ok(None),
        Err(error) => Err(error),
    }
}

impl Replay {
    /// The products and domains as they are.
    pub fn catalogue(&self) -> &Catalogue {
        self.declarations.catalogue()
    }

    fn event(&mut self, record: &Record, keep: bool) {
        let Some(value) = &record.value else { return };
        let is_first = self.refused == 0 && self.graph.job_count() + self.graph.dataset_count() == 0;
        if let Some(begins_ms) = record.timestamp_ms.filter(|_| is_first && record.offset > 0) {
            self.graph.begin_at(begins_ms);
        }
        let Ok(event) = self.door.accept(value) else {
            self.refused += 1;
            return;
        };
        // what there is no room for is left out, as in the service
        let _ = self.graph.apply(&event);
        if keep {
            self.events.extend(String::from_utf8(value.to_vec()));
        }
    }
}
