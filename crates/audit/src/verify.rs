//! Reads all of the audit and tells whether it is there, as it was written.

use std::sync::Arc;

use mesh_avro::keys::KeyRing;
use mesh_contract::topic::AUDIT_TOPIC;
use mesh_kafka::admin::Admin;
use mesh_kafka::log::LogReader;
use mesh_kafka::{Error, Settings};

use crate::digest::Digest;
use crate::inspector::{Inspector, Report};

/// What an audit is held to.
#[derive(Clone, Default)]
pub struct VerifyOptions {
    /// The keys that seals are checked with; none: they are counted.
    pub keys: Option<Arc<dyn KeyRing>>,
    /// Whether an entry in a chain that has no seal, or none that can be checked, is a fault.
    pub require_seals: bool,
    /// What was seen of it earlier and kept elsewhere: the audit has to have been so at some time.
    pub head: Option<Digest>,
}

/// Reads all of `mesh.audit`, or of a copy of it.
///
/// # Errors
/// It cannot be read.
pub async fn verify(kafka: &Settings, topic: Option<&str>, options: VerifyOptions) -> Result<Report, Error> {
    let topic = topic.unwrap_or(AUDIT_TOPIC);
    let is_truncated = is_truncated(kafka, topic).await?;
    let mut inspector = Inspector::new(options, is_truncated);
    let mut log = LogReader::open(kafka, topic).await?;
    log.read_to_end(|record| inspector.take(&record)).await?;
    Ok(inspector.finish())
}

/// Whether entries from before the first are gone.
pub(crate) async fn is_truncated(kafka: &Settings, topic: &str) -> Result<bool, Error> {
    let starts = Admin::new(kafka)?.start_offsets(&[topic]).await?;
    Ok(starts.values().any(|start| *start > 0))
}
