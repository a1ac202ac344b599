//! What is seen of one product: its input port, its output ports, its producers' heartbeats. Pure: offsets, times and the
//! clock are handed in.

mod input;
mod marks;
mod output;

use std::collections::BTreeMap;

use mesh_client::heartbeat::Heartbeat;
use mesh_contract::Contract;
use mesh_kafka::Offsets;

use crate::seen::Seen;

pub(crate) use input::{Gap, InputPort};
pub(crate) use marks::Asked;
pub(crate) use output::{Found, OutputPort, Unseen};

/// How many heartbeats may wait for the sidecar to catch up.
const HEARTBEATS_WAITING_MAX: usize = 8;

/// What is seen of a product.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    pub(crate) input: InputPort,
    pub(crate) views: Vec<OutputPort>,
    /// Whether `mesh-event-time` says when a fact happened.
    pub(crate) has_event_time: bool,
    /// When all of it was last looked at with success.
    pub(crate) looked_at_ms: Option<i64>,
    heartbeats: Vec<Heartbeat>,
    heartbeat_ms: Option<i64>,
}

impl Sight {
    /// A product's, with what the last process saw of it.
    pub(crate) fn new(contract: &Contract, last: &Seen) -> Self {
        let topics = contract.topics();
        let known = |topic: &str| last.views.iter().find(|view| view.topic == topic);
        let view = |(name, topic): (String, String)| {
            let partitions = known(&topic).map(|view| view.partitions.as_slice()).unwrap_or_default();
            OutputPort::new(name, topic.clone(), partitions)
        };
        Self {
            input: InputPort::new(topics.input, &last.input),
            views: topics.views.into_iter().map(view).collect(),
            has_event_time: contract.refresh_rate.event_time.is_some(),
            looked_at_ms: last.looked_at_ms,
            heartbeats: Vec::new(),
            heartbeat_ms: last.heartbeat_ms,
        }
    }

    /// The same product under a newer revision of its contract: what was seen of the ports that stay is kept.
    pub(crate) fn renew(&mut self, contract: &Contract) {
        let topics = contract.topics();
        let views = topics.views.into_iter().map(|(name, topic)| {
            let known = self.views.iter().find(|view| view.topic == topic).cloned();
            known.unwrap_or_else(|| OutputPort::new(name, topic, &[]))
        });
        self.views = views.collect();
        self.has_event_time = contract.refresh_rate.event_time.is_some();
    }

    /// A producer's heartbeat; it waits until it is proven.
    pub(crate) fn hear(&mut self, heartbeat: Heartbeat) {
        if self.heartbeats.len() >= HEARTBEATS_WAITING_MAX {
            // the older ones are nearer to their proof, but may never come to it where a port was made anew: the newer
            // half goes on with the newest
            self.heartbeats.remove(HEARTBEATS_WAITING_MAX / 2);
        }
        self.heartbeats.push(heartbeat);
    }

    /// Whether how far the sidecar has come is worth a question.
    pub(crate) fn wants_committed(&self) -> bool {
        !self.heartbeats.is_empty() || self.input.is_behind()
    }

    /// Takes in how far the sidecar has come.
    pub(crate) fn see_committed(&mut self, committed: &Offsets, now_ms: i64) {
        self.input.see_committed(committed);
        self.prove(committed, now_ms);
    }

    /// Whether a heartbeat waits.
    pub(crate) fn has_unproven(&self) -> bool {
        !self.heartbeats.is_empty()
    }

    /// What of the input port lies between these offsets and those that heartbeats wait for, as far as it is not known
    /// whether a record stands there.
    pub(crate) fn gaps(&self, committed: &Offsets) -> Vec<Gap> {
        let mut ends: BTreeMap<i32, i64> = BTreeMap::new();
        for (partition, end) in self.heartbeats.iter().flat_map(|heartbeat| &heartbeat.offsets) {
            let known = ends.entry(*partition).or_default();
            *known = (*known).max(*end);
        }
        ends.into_iter().filter_map(|(partition, end)| self.input.gap(partition, end, committed)).collect()
    }

    /// Counts the heartbeats that a sidecar which has committed these offsets has caught up with.
    pub(crate) fn prove(&mut self, committed: &Offsets, now_ms: i64) {
        let reached = self.input.reached(committed);
        let (input, proven_ms) = (&self.input, &mut self.heartbeat_ms);
        self.heartbeats.retain(|heartbeat| {
            let is_proven = heartbeat.is_reached(&reached, &input.topic);
            if is_proven {
                *proven_ms = (*proven_ms).max(Some(heartbeat.at_ms.min(now_ms)));
            }
            !is_proven
        });
    }

    /// The topics of all its ports.
    pub(crate) fn topics(&self) -> impl Iterator<Item = &str> {
        let outputs = self.views.iter().map(|view| view.topic.as_str());
        outputs.chain([self.input.topic.as_str()])
    }

    /// The newest event time or proven heartbeat of each output port.
    pub(crate) fn newest_ms(&self) -> impl Iterator<Item = Option<i64>> {
        self.views.iter().map(|view| view.newest_ms().max(self.heartbeat_ms))
    }

    /// Since when the oldest record of the input port has been waiting for the sidecar; none if nothing waits.
    pub(crate) fn waiting_since_ms(&self) -> Option<i64> {
        self.input.waiting_since_ms()
    }

    /// All that is seen.
    pub(crate) fn seen(&self) -> Seen {
        Seen {
            looked_at_ms: self.looked_at_ms,
            heartbeat_ms: self.heartbeat_ms,
            input: self.input.seen(),
            views: self.views.iter().map(OutputPort::seen).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
