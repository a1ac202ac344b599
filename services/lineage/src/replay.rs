//! The graph from the topics as they are now, for those who want it once: the command line and the demo.

use mesh_client::catalogue::Catalogue;
use mesh_client::lineage::{Event, KafkaNamespace};
use mesh_contract::topic::{LINEAGE_TOPIC, PRODUCTS_TOPIC};
use mesh_kafka::log::LogReader;
use mesh_kafka::{ErrorKind, Record, Settings};

use crate::graph::{Graph, Limits};
use crate::{Error, intake};

/// What was in the topics.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The graph.
    pub graph: Graph,
    /// The products and domains.
    pub catalogue: Catalogue,
    /// The accepted events as they were written, if asked for.
    pub events: Vec<String>,
    /// How many events were refused.
    pub refused: u64,
}

/// Reads both topics to their end. A topic that does not exist is empty.
pub async fn replay(kafka: &Settings, keep_events: bool) -> Result<Replay, Error> {
    let mut found = Replay {
        graph: Graph::new(Limits::default()),
        catalogue: Catalogue::default(),
        events: Vec::new(),
        refused: 0,
    };
    if let Some(mut products) = open(kafka, PRODUCTS_TOPIC).await.map_err(Error::OpenProducts)? {
        let read = products.read_to_end(|record| _ = found.catalogue.take(&record)).await;
        read.map_err(Error::ReadProducts)?;
    }
    if let Some(mut events) = open(kafka, LINEAGE_TOPIC).await.map_err(Error::OpenEvents)? {
        let read = events.read_to_end(|record| found.event(&record, keep_events)).await;
        read.map_err(Error::ReadEvents)?;
    }
    let products: Vec<_> = found.catalogue.products().into_iter().cloned().collect();
    // what there is no room for is left out, as in the service
    let _ = found.graph.declare(&KafkaNamespace::of(kafka.bootstrap()), &products);
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
    fn event(&mut self, record: &Record, keep: bool) {
        let Some(value) = &record.value else { return };
        let Ok(event) = intake::accept(value) else {
            self.refused += 1;
            return;
        };
        self.take(&event);
        if keep {
            self.events.extend(String::from_utf8(value.to_vec()));
        }
    }

    fn take(&mut self, event: &Event) {
        // what there is no room for is left out, as in the service
        let _ = self.graph.apply(event);
    }
}
