//! What producers and consumers link: registry access, typed producer, subscriber.

pub mod heartbeat;
pub mod lineage;
