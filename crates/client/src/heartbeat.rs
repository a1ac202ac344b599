//! A producer's word that it is alive and has nothing new: idle is not stale.
//!
//! A heartbeat names the input port's end offsets. It counts once the sidecar's committed offsets have reached them, so
//! that it proves the whole path and not only the producer. Any client can write one: `schema/heartbeat.schema.json` says
//! what it looks like.
//!
//! ```no_run
//! # async fn idle(kafka: &mesh_kafka::Settings, product: &mesh_contract::AppliedProduct) -> Result<(), Box<dyn std::error::Error>> {
//! let heart = mesh_client::heartbeat::Heart::new(kafka, &product.contract, "crm-service")?;
//! // now and then, once everything that was sent is delivered
//! heart.beat().await?;
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;

use jiff::Timestamp;
use mesh_contract::Contract;
use mesh_contract::topic::HEARTBEATS_TOPIC;
use mesh_kafka::admin::Admin;
use mesh_kafka::log::LogWriter;
use mesh_kafka::{ErrorKind, Offsets, OutgoingRecord, Settings};
use serde::{Deserialize, Serialize};

/// What `mesh.heartbeats` carries, as JSON, keyed by `<unique_id>/<major>/<producer>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The product: `crm.customers`.
    pub product: String,
    /// Its major version.
    pub version: u32,
    /// Who is alive.
    pub producer: String,
    /// As of when the producer had nothing new: before the offsets were asked for.
    pub at_ms: i64,
    /// The input port's end offsets, by partition.
    pub offsets: BTreeMap<i32, i64>,
}

/// A heartbeat could not be written.
#[derive(Debug, thiserror::Error)]
pub enum HeartbeatError {
    /// A client of the cluster.
    #[error("cannot set up a client for heartbeats of {product}")]
    SetUp {
        /// Of what.
        product: String,
        /// Why.
        #[source]
        source: mesh_kafka::Error,
    },
    /// Where the input port ends.
    #[error("cannot ask where {topic} ends, for a heartbeat")]
    AskEnds {
        /// The input port.
        topic: String,
        /// Why.
        #[source]
        source: mesh_kafka::Error,
    },
    /// The heartbeat itself.
    #[error("cannot write a heartbeat of {product}")]
    Write {
        /// Of what.
        product: String,
        /// Why.
        #[source]
        source: mesh_kafka::Error,
    },
}

impl HeartbeatError {
    /// What the failure means to the one who has to deal with it.
    pub fn kind(&self) -> ErrorKind {
        let (Self::SetUp { source, .. } | Self::AskEnds { source, .. } | Self::Write { source, .. }) = self;
        source.kind()
    }
}

/// Says again and again that a producer is alive; keeps its connections between two heartbeats.
pub struct Heart {
    admin: Admin,
    log: LogWriter,
    contract: Contract,
    producer: String,
}

impl Heart {
    /// The heart of `producer`, for one product; nothing is sent yet.
    pub fn new(kafka: &Settings, contract: &Contract, producer: &str) -> Result<Self, HeartbeatError> {
        let failed = |source| HeartbeatError::SetUp { product: contract.product().to_string(), source };
        Ok(Self {
            admin: Admin::new(kafka).map_err(failed)?,
            log: LogWriter::new(kafka).map_err(failed)?,
            contract: contract.clone(),
            producer: producer.to_owned(),
        })
    }

    /// Says that the producer is alive and has nothing new. Call it only once everything that was sent is delivered: flush
    /// first.
    pub async fn beat(&self) -> Result<Heartbeat, HeartbeatError> {
        beat(&self.admin, &self.log, &self.contract, &self.producer).await
    }
}

impl Heartbeat {
    /// Whether a sidecar that has committed these offsets of the input port has passed on all that was there when the
    /// producer said it had nothing new. A partition without records needs no commit.
    pub fn is_reached(&self, committed: &Offsets, input: &str) -> bool {
        let reached = |partition: i32| {
            let found = committed.iter().find(|(at, _)| at.partition == partition && at.topic == input);
            found.map_or(0, |(_, offset)| *offset)
        };
        self.offsets.iter().all(|(partition, end)| reached(*partition) >= *end)
    }
}

/// The consumer group of the sidecar that masks a domain's products: whose committed offsets prove a heartbeat.
pub fn sidecar_group(domain: &str) -> String {
    format!("mesh.masking.{domain}")
}

/// Says that `producer` is alive and has nothing new of this product. Call it only once everything that was sent is
/// delivered: flush first.
pub async fn beat(
    admin: &Admin,
    log: &LogWriter,
    contract: &Contract,
    producer: &str,
) -> Result<Heartbeat, HeartbeatError> {
    let at_ms = Timestamp::now().as_millisecond();
    let topic = contract.topics().input;
    let ends = admin.end_offsets(&[&topic]).await;
    let ends = ends.map_err(|source| HeartbeatError::AskEnds { topic, source })?;
    let heartbeat = Heartbeat {
        product: contract.product().to_string(),
        version: contract.version,
        producer: producer.to_owned(),
        at_ms,
        offsets: ends.into_iter().map(|(at, offset)| (at.partition, offset)).collect(),
    };
    let failed = |source| HeartbeatError::Write { product: heartbeat.product.clone(), source };
    log.append(record(&heartbeat, contract)).await.map_err(failed)?;
    Ok(heartbeat)
}

fn record(heartbeat: &Heartbeat, contract: &Contract) -> OutgoingRecord {
    let key = format!("{}/{}/{}", contract.unique_id, contract.version, heartbeat.producer);
    let value = serde_json::to_vec(heartbeat).expect("a heartbeat is strings and numbers, with partitions as keys");
    OutgoingRecord::to(HEARTBEATS_TOPIC).key(key).value(value)
}

#[cfg(test)]
mod tests {
    use mesh_kafka::TopicPartition;

    use super::*;

    fn heartbeat() -> Heartbeat {
        Heartbeat {
            product: "a.b".to_owned(),
            version: 1,
            producer: "p".to_owned(),
            at_ms: 5,
            offsets: BTreeMap::from([(0, 10), (1, 0)]),
        }
    }

    fn committed(topic: &str, offset: i64) -> Offsets {
        Offsets::from([(TopicPartition::new(topic, 0), offset)])
    }

    #[test]
    fn it_counts_once_the_sidecar_is_there() {
        assert!(heartbeat().is_reached(&committed("a.b.v1.in", 10), "a.b.v1.in"));
        assert!(!heartbeat().is_reached(&committed("a.b.v1.in", 9), "a.b.v1.in"));
        assert!(!heartbeat().is_reached(&committed("a.c.v1.in", 10), "a.b.v1.in"));
        assert!(!heartbeat().is_reached(&Offsets::new(), "a.b.v1.in"));
    }

    #[test]
    fn it_is_as_its_schema_says() {
        let schema = serde_json::from_str(include_str!("../schema/heartbeat.schema.json")).expect("JSON");
        let schema = jsonschema::validator_for(&schema).expect("a schema");
        let json = serde_json::to_value(heartbeat()).expect("JSON");
        assert_eq!(schema.iter_errors(&json).map(|error| error.to_string()).collect::<Vec<_>>(), [""; 0]);
        assert!(!schema.is_valid(&serde_json::json!({"product": "a.b", "version": 1, "producer": "p", "at_ms": 5})));
    }

    #[test]
    fn it_reads_back_as_it_was_written() {
        let json = serde_json::to_string(&heartbeat()).expect("JSON");
        assert_eq!(json, r#"{"product":"a.b","version":1,"producer":"p","at_ms":5,"offsets":{"0":10,"1":0}}"#);
        assert_eq!(serde_json::from_str::<Heartbeat>(&json).expect("a heartbeat"), heartbeat());
    }
}
