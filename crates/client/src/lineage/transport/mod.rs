//! Where events go: the topic `mesh.lineage`, and any OpenLineage back end by HTTP.

mod http;
mod kafka;

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::event::{Event, EventType};

pub use http::{HttpOptions, HttpTransport, HttpTransportError};
pub use kafka::KafkaTransport;

/// An event, ready to be sent. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Parcel {
    /// The record key, as the specification's Kafka transport has it.
    pub key: Arc<str>,
    /// The event, as JSON.
    pub body: Bytes,
    /// The run, if the event is a snapshot of one, which every later event of the run makes stale.
    pub(super) snapshot_of: Option<Uuid>,
    /// The run that the event is of.
    pub(super) run: Option<Uuid>,
}

impl Parcel {
    pub(super) fn of(event: &Event) -> Result<Self, serde_json::Error> {
        let run = match event {
            Event::Run(event) => Some(event),
            Event::Job(_) | Event::Dataset(_) => None,
        };
        let snapshot = run.filter(|event| event.event_type == Some(EventType::Running));
        Ok(Self {
            key: event.key().into(),
            body: serde_json::to_vec(event)?.into(),
            snapshot_of: snapshot.map(|event| event.run.run_id),
            run: run.map(|event| event.run.run_id),
        })
    }

    /// Whether a later event makes this one stale.
    pub(super) fn is_stale_beside(&self, later: &Self) -> bool {
        self.snapshot_of.is_some() && self.snapshot_of == later.run
    }
}

/// Shows which event it is and how large, never what it holds.
impl std::fmt::Debug for Parcel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parcel").field("key", &self.key).field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// Where events go.
pub trait Transport: Send + 'static {
    /// What it is called in logs.
    fn name(&self) -> &'static str;

    /// Delivers one event, or says why not. It may take its time, but must end.
    fn deliver(&mut self, parcel: &Parcel) -> impl Future<Output = Result<(), DeliverEventError>> + Send;
}

/// An event did not arrive.
#[derive(Debug, thiserror::Error)]
#[error("cannot deliver a lineage event")]
pub struct DeliverEventError {
    /// Why.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
    /// Whether it may arrive if it is sent again.
    pub is_retriable: bool,
}
