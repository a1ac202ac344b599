//! A plain Kafka client: it knows nothing of this project but the wire format.

use mesh_kafka::producer::{Delivery, Producer};
use mesh_kafka::{Error, OutgoingRecord, Position, Settings};
use std::collections::VecDeque;

/// How many records may be on their way.
const IN_FLIGHT_MAX: usize = 20_000;

/// Sends many records, a bounded number of them at a time, and sees that each arrives.
pub struct Outbox {
    producer: Producer,
    in_flight: VecDeque<Delivery>,
}

impl Outbox {
    /// An outbox for a cluster.
    ///
    /// # Errors
    /// The settings are not valid.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        Ok(Self { producer: Producer::new(settings)?, in_flight: VecDeque::new() })
    }

    /// Sends a record, once there is room for it.
    ///
    /// # Errors
    /// An earlier one could not be delivered.
    pub async fn send(&mut self, record: OutgoingRecord) -> Result<(), Error> {
        if self.in_flight.len() >= IN_FLIGHT_MAX
            && let Some(oldest) = self.in_flight.pop_front()
        {
            oldest.await?;
        }
        self.in_flight.push_back(self.producer.send(record).await?);
        Ok(())
    }

    /// Sends a record and waits until it has arrived; where it lies.
    ///
    /// # Errors
    /// It could not be delivered.
    pub async fn send_one(&self, record: OutgoingRecord) -> Result<Position, Error> {
        self.producer.send(record).await?.await
    }

    /// Waits until everything has arrived.
    ///
    /// # Errors
    /// Something could not be delivered.
    pub async fn finish(&mut self) -> Result<(), Error> {
        while let Some(delivery) = self.in_flight.pop_front() {
            delivery.await?;
        }
        Ok(())
    }
}
