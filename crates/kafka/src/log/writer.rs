//! Appends to control topics.

use crate::producer::Producer;
use crate::{Error, OutgoingRecord, Position, Settings};

/// Appends records to control topics, beside other writers. Cheap to clone.
#[derive(Clone)]
pub struct LogWriter {
    producer: Producer,
}

impl LogWriter {
    /// Prepares to write; nothing is sent yet.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        // one record at a time: waiting for company would only delay it
        let producer = Producer::with_defaults(settings, &[("linger.ms", "0")])?;
        Ok(LogWriter { producer })
    }

    /// Appends one record and waits until all in-sync replicas have it.
    pub async fn append(&self, record: OutgoingRecord) -> Result<Position, Error> {
        self.producer.send(record).await?.await
    }

    /// Appends records, all of them on their way at once, and waits until all in-sync replicas have them. After an error
    /// some may have been appended.
    pub async fn append_all(&self, records: impl IntoIterator<Item = OutgoingRecord>) -> Result<(), Error> {
        let mut deliveries = Vec::new();
        for record in records {
            deliveries.push(self.producer.send(record).await?);
        }
        for delivery in deliveries {
            delivery.await?;
        }
        Ok(())
    }
}
