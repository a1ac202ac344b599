//! A writer's chain: what an entry is written with. Pure.

use std::sync::Arc;

use mesh_avro::keys::{KeyError, KeyRing};
use mesh_contract::topic::AUDIT_TOPIC;
use mesh_kafka::OutgoingRecord;
use uuid::Uuid;

use crate::digest::Digest;
use crate::event::Event;
use crate::link::{HASH_HEADER, LINK_HEADER, Link, SEAL_HEADER};
use crate::seal;

/// A writer's chain, and how far it has come.
#[derive(Clone)]
pub struct Chain {
    keys: Option<Arc<dyn KeyRing>>,
    id: Uuid,
    next_seq: u64,
    prev: Option<Digest>,
    /// The newest entry of any chain that the writer knows of, unless an entry names it already.
    seen: Option<Digest>,
}

impl Chain {
    /// Begins after the newest entry there is. With keys, entries are sealed.
    pub fn begin(keys: Option<Arc<dyn KeyRing>>, seen: Option<Digest>) -> Chain {
        Chain { keys, id: Uuid::new_v4(), next_seq: 0, prev: None, seen }
    }

    /// The next entry, and its hash. The chain goes on once it [is written](Chain::written).
    ///
    /// # Errors
    /// The key is not to be had.
    pub fn entry(&self, event: &Event, last: bool) -> Result<(OutgoingRecord, Digest), KeyError> {
        let key = self.keys.as_ref().map(seal::newest).transpose()?;
        let link = Link { chain: self.id, seq: self.next_seq, prev: self.prev, seen: self.seen, key, last };
        let (link, value) = (link.to_bytes(), event.to_bytes());
        let hash = Digest::of_entry(&link, &value);
        // a key of its own: where somebody has made the topic compacted, nothing is taken for an older version of it
        let key_bytes = format!("{}/{}", self.id.simple(), self.next_seq);
        let record = OutgoingRecord::to(AUDIT_TOPIC).partition(0).key(key_bytes).value(value);
        let record = record.header(LINK_HEADER, link).header(HASH_HEADER, hash.to_string());
        let seal = self.keys.as_ref().zip(key).map(|(keys, version)| seal::seal(keys, version, hash)).transpose()?;
        Ok((seal.into_iter().fold(record, |record, seal| record.header(SEAL_HEADER, seal)), hash))
    }

    /// The next entry is written, and had this hash.
    pub fn written(&mut self, hash: Digest) {
        (self.next_seq, self.prev, self.seen) = (self.next_seq + 1, Some(hash), None);
    }

    /// It is not known whether the next entry is written: nobody can go on after it, and another chain begins.
    pub fn lost(&mut self) {
        (self.id, self.next_seq, self.seen, self.prev) = (Uuid::new_v4(), 0, self.seen.or(self.prev), None);
    }

    /// Whether the next entry names the newest one of whatever chain: it is the first, or its writer has learnt of one.
    pub(crate) fn names_another(&self) -> bool {
        self.next_seq == 0 || self.seen.is_some()
    }

    /// Learns of a newer entry of any chain.
    pub fn saw(&mut self, hash: Digest) {
        self.seen = Some(hash);
    }
}
