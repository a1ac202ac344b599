//! To the topic `mesh.lineage`.

use mesh_kafka::log::LogWriter;
use mesh_kafka::{OutgoingRecord, Settings};

use super::{DeliverEventError, Parcel, Transport};

/// Appends events to `mesh.lineage`, keyed as the specification's Kafka transport keys them.
pub struct KafkaTransport {
    log: LogWriter,
}

impl KafkaTransport {
    /// Prepares to write; nothing is sent yet.
    pub fn new(settings: &Settings) -> Result<Self, mesh_kafka::Error> {
        Ok(Self { log: LogWriter::new(settings)? })
    }
}

impl Transport for KafkaTransport {
    fn name(&self) -> &'static str {
        "mesh.lineage"
    }

    async fn deliver(&mut self, parcel: &Parcel) -> Result<(), DeliverEventError> {
        let record = OutgoingRecord::to(mesh_contract::topic::LINEAGE_TOPIC);
        let record = record.key(parcel.key.as_bytes().to_vec()).value(parcel.body.clone());
        self.log
            .append(record)
            .await
            .map(drop)
            .map_err(|error| DeliverEventError { is_retriable: error.is_retriable(), source: Box::new(error) })
    }
}
