//! Publishes a product's change events to its input port.

mod error;
mod key;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use mesh_avro::schema::Schema;
use mesh_avro::wire;
use mesh_contract::{AppliedProduct, Contract, value_subject};
use mesh_kafka::producer::{Delivery, Producer};
use mesh_kafka::{Header, OutgoingRecord, Settings};
use serde::Serialize;
use serde_json::Value;

use crate::RegistryClient;
use crate::json;
use crate::lineage::Reporter;
use key::KeyForm;

pub use error::ProduceError;

/// How many records may be on their way at once; beyond, sending waits for the oldest.
const IN_FLIGHT_MAX: usize = 20_000;

/// Publishes change events of one product: checked against the schema, keyed by the contract's key column, delivered in
/// order within each key, and accounted for: [`ProductProducer::flush`] tells how many arrived.
pub struct ProductProducer {
    producer: Producer,
    contract: Contract,
    topic: Arc<str>,
    schema: Arc<Schema>,
    frame: [u8; wire::HEADER_BYTES],
    key: KeyForm,
    /// What is on its way, and how many bytes it has.
    in_flight: VecDeque<(Delivery, usize)>,
    reporter: Option<Reporter>,
    delivered: u64,
    failed: u64,
    first_failure: Option<mesh_kafka::Error>,
}

/// What goes with an event besides its value.
#[derive(Debug, Clone, Default)]
pub struct Meta {
    /// Headers, such as `traceparent` and `ce_id`. The sidecar passes the standard ones on, and those the contract lists.
    pub headers: Vec<Header>,
    /// The record's timestamp in milliseconds since 1970; unset: now.
    pub timestamp_ms: Option<i64>,
}

impl ProductProducer {
    /// Prepares to publish events written with the contract's own schema.
    pub async fn open(
        settings: &Settings,
        registry: &RegistryClient,
        product: &AppliedProduct,
    ) -> Result<Self, ProduceError> {
        ProductProducer::with_schema(settings, registry, product, &product.schema).await
    }

    /// Prepares to publish events written with another schema; the registry refuses one that is not compatible.
    pub async fn with_schema(
        settings: &Settings,
        registry: &RegistryClient,
        product: &AppliedProduct,
        schema: &Value,
    ) -> Result<Self, ProduceError> {
        let contract = product.contract.clone();
        let topic = contract.topics().input;
        let parsed = Schema::parse_value(schema)
            .map_err(|source| ProduceError::Schema { topic: topic.clone(), source: Box::new(source) })?;
        let registered = registry.id_of(&value_subject(&topic), schema).await;
        let frame = wire::header(registered.map_err(ProduceError::Registry)?);
        let key = KeyForm::of(&contract, &topic, &parsed, registry).await?;
        let producer = Producer::new(settings).map_err(ProduceError::Setup)?;
        Ok(ProductProducer {
            producer,
            contract,
            topic: topic.into(),
            schema: Arc::new(parsed),
            frame,
            key,
            in_flight: VecDeque::new(),
            reporter: None,
            delivered: 0,
            failed: 0,
            first_failure: None,
        })
    }

    /// Counts every event that arrives in a run's lineage.
    pub fn report_to(&mut self, reporter: &Reporter) {
        self.reporter = Some(reporter.clone());
    }

    /// The product's contract.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// The input port's topic.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The schema that events are written with.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Hands over an event: anything that serialises to the schema's record. Human forms of dates, decimals and so on are
    /// taken (see [`crate::json`]). Waits while too much is on its way.
    pub async fn send(&mut self, event: &impl Serialize, meta: Meta) -> Result<(), ProduceError> {
        let value = serde_json::to_value(event).map_err(|_| ProduceError::NotSerialisable)?;
        self.send_json(&value, meta).await
    }

    /// As [`ProductProducer::send`], of JSON.
    pub async fn send_json(&mut self, event: &Value, meta: Meta) -> Result<(), ProduceError> {
        let mut value = self.frame.to_vec();
        json::encode(&self.schema, event, &mut value).map_err(ProduceError::Fit)?;
        self.send_framed(value, meta).await
    }

    /// Hands over an event that is Avro binary of the schema already, without the wire format's frame.
    pub async fn send_datum(&mut self, datum: &[u8], meta: Meta) -> Result<(), ProduceError> {
        self.send_framed([&self.frame[..], datum].concat(), meta).await
    }

    /// Hands over a tombstone for the entity of an event: deletes what that event is about.
    pub async fn delete_as_in(&mut self, event: &Value, meta: Meta) -> Result<(), ProduceError> {
        let mut datum = Vec::new();
        json::encode(&self.schema, event, &mut datum).map_err(ProduceError::Fit)?;
        let key = self.key.of_datum(&self.schema, &datum)?.ok_or(ProduceError::Keyless)?;
        let record = self.record(Some(key), meta);
        self.hand_over(record).await
    }

    /// Hands over a tombstone: the entity of this key is deleted. The key is given as the key column's value in JSON.
    pub async fn delete(&mut self, key: &Value, meta: Meta) -> Result<(), ProduceError> {
        let key = self.key.of_value(key)?;
        let record = self.record(Some(key), meta);
        self.hand_over(record).await
    }

    /// Waits until everything is delivered. How many events were, since the producer was opened; an error if any was not.
    pub async fn flush(&mut self) -> Result<u64, ProduceError> {
        while !self.in_flight.is_empty() {
            self.settle_oldest().await;
        }
        match self.first_failure.take() {
            None => Ok(self.delivered),
            Some(source) => {
                let (topic, failed, delivered) = (self.topic.to_string(), self.failed, self.delivered);
                Err(ProduceError::Deliver { topic, failed, delivered, source })
            }
        }
    }

    async fn send_framed(&mut self, value: Vec<u8>, meta: Meta) -> Result<(), ProduceError> {
        let key = self.key.of_datum(&self.schema, &value[wire::HEADER_BYTES..])?;
        let record = self.record(key, meta).value(value);
        self.hand_over(record).await
    }

    fn record(&self, key: Option<Bytes>, meta: Meta) -> OutgoingRecord {
        let record = OutgoingRecord::to(Arc::clone(&self.topic));
        OutgoingRecord { key, headers: meta.headers, timestamp_ms: meta.timestamp_ms, ..record }
    }

    async fn hand_over(&mut self, record: OutgoingRecord) -> Result<(), ProduceError> {
        while self.in_flight.len() >= IN_FLIGHT_MAX {
            self.settle_oldest().await;
        }
        let bytes = [&record.key, &record.value].into_iter().flatten().map(Bytes::len).sum();
        let delivery = self.producer.send(record).await;
        let failed = |source| ProduceError::Send { topic: self.topic.to_string(), source };
        self.in_flight.push_back((delivery.map_err(failed)?, bytes));
        Ok(())
    }

    async fn settle_oldest(&mut self) {
        // stays in the queue while it is waited for: a caller that goes away loses no count
        let Some((oldest, bytes)) = self.in_flight.front_mut() else { return };
        match oldest.await {
            Ok(position) => {
                self.delivered += 1;
                if let Some(reporter) = &self.reporter {
                    reporter.wrote(&self.topic, position.partition, position.offset, *bytes);
                }
            }
            Err(error) => {
                self.failed += 1;
                self.first_failure.get_or_insert(error);
            }
        }
        self.in_flight.pop_front();
    }
}
