//! What is seen of a product at a moment; what follows from it is for [`crate::judge`]. Pure: no clock, no Kafka.
//!
//! ```text
//! event time --source delay--> append to the input port --delivery delay--> visible in the output port --age--> now
//! ```
//!
//! - **Age**: now minus the newest event time (or proven heartbeat) that a read-committed reader of the output port finds.
//! - **Source delay**: from a record's event time to its append to the input port. The sidecar keeps a record's timestamp, so
//!   that the append time is the output record's timestamp, as far as it lies where the input port's end was seen to move;
//!   else the edge of that span counts. It says nothing where the contract names no event time and the producer stamps
//!   its records itself, since both are the same number then.
//! - **Delivery delay**: from that append to the marker that made the record visible, which carries the broker's time.
//!   What waits in the input port is measured by how long it was seen to wait.
//! - **Time lag** of a subscriber: how old the record is that its group's committed offset stands before.
//!
//! Times are milliseconds since 1970, delays are milliseconds and never negative.

use serde::{Deserialize, Serialize};

/// Samples this much older than the newest one of a port say nothing of it now.
const SAMPLE_SPAN_MS: i64 = 60_000;

/// What is seen of a product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// When all of it was last looked at with success; none before the first time. What happened since is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at_ms: Option<i64>,
    /// The newest heartbeat that the sidecar has caught up with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat_ms: Option<i64>,
    /// The input port, by partition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input: Vec<InputSeen>,
    /// The output ports, the default view's first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<ViewSeen>,
}

/// What is seen of an output port.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewSeen {
    /// The view.
    pub view: String,
    /// Its output port.
    pub topic: String,
    /// Whether the topic is there.
    pub exists: bool,
    /// Its partitions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<OutputSeen>,
    /// Who reads it with committed offsets, as many as are followed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscribers: Vec<SubscriberSeen>,
}

/// What is seen of a partition of an output port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputSeen {
    /// The partition.
    pub partition: i32,
    /// The offset after the last one that a read-committed reader sees.
    pub end_offset: i64,
    /// The event time of the newest fact seen in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_ms: Option<i64>,
    /// What its last record said of the way it had come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<DelaySample>,
}

/// The way of one record, seen at an output port's tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelaySample {
    /// When the record became visible, or else when it was looked at.
    pub at_ms: i64,
    /// From event time to append.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ms: Option<i64>,
    /// From append to visible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_ms: Option<i64>,
}

/// What is seen of a partition of the input port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputSeen {
    /// The partition.
    pub partition: i32,
    /// The offset after the last one that a read-committed reader sees.
    pub end_offset: i64,
    /// How far the sidecar has come; none if it never committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed: Option<i64>,
    /// Since when the oldest record has been waiting for the sidecar, as far as it was seen; none if nothing waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since_ms: Option<i64>,
    /// When its end was last seen to move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_at_ms: Option<i64>,
}

/// How far a consumer group is behind on an output port.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriberSeen {
    /// The group.
    pub group: String,
    /// Offsets that it has not committed yet, over all partitions; markers and compacted records count, too.
    pub offsets_behind: i64,
    /// The time of the oldest record that it stands before; none if it stands at the end everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_before_ms: Option<i64>,
}

impl Seen {
    /// Since when the oldest record of the input port has been waiting for the sidecar; none if nothing waits.
    pub fn waiting_since_ms(&self) -> Option<i64> {
        self.input.iter().filter_map(|partition| partition.waiting_since_ms).min()
    }

    /// When the input port was last seen to grow.
    pub fn input_moved_at_ms(&self) -> Option<i64> {
        self.input.iter().filter_map(|partition| partition.moved_at_ms).max()
    }

    /// A view's delivery delay: that of its slowest partition lately, or how long the oldest record has been waiting by now,
    /// if that is longer.
    pub fn delivery_delay_ms(&self, view: &ViewSeen, now_ms: i64) -> Option<i64> {
        let delivered_ms = view.slowest(|sample| sample.delivery_ms);
        let waiting_ms = self.waiting_since_ms().map(|since_ms| now_ms.saturating_sub(since_ms).max(0));
        delivered_ms.max(waiting_ms)
    }
}

impl ViewSeen {
    /// The newest event time that a reader can see.
    pub fn newest_ms(&self) -> Option<i64> {
        self.partitions.iter().filter_map(|partition| partition.newest_ms).max()
    }

    /// From event time to append, of the slowest partition lately.
    pub fn source_delay_ms(&self) -> Option<i64> {
        self.slowest(|sample| sample.source_ms)
    }

    /// The largest of the recent samples: those seen within a minute of the newest one.
    fn slowest(&self, delay_ms: impl Fn(&DelaySample) -> Option<i64>) -> Option<i64> {
        let samples = || self.partitions.iter().filter_map(|partition| partition.sample);
        let newest_ms = samples().map(|sample| sample.at_ms).max()?;
        let recent = samples().filter(|sample| newest_ms.saturating_sub(sample.at_ms) <= SAMPLE_SPAN_MS);
        recent.filter_map(|sample| delay_ms(&sample)).max()
    }
}

impl SubscriberSeen {
    /// How old the record is that it stands before; zero at the end.
    pub fn lag_ms(&self, now_ms: i64) -> i64 {
        self.stands_before_ms.map_or(0, |at_ms| now_ms.saturating_sub(at_ms).max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(samples: &[Option<DelaySample>]) -> ViewSeen {
        let partitions = samples.iter().map(|sample| OutputSeen { sample: *sample, ..OutputSeen::default() });
        ViewSeen { partitions: partitions.collect(), ..ViewSeen::default() }
    }

    fn sample(at_ms: i64, source_ms: i64, delivery_ms: i64) -> Option<DelaySample> {
        Some(DelaySample { at_ms, source_ms: Some(source_ms), delivery_ms: Some(delivery_ms) })
    }

    #[test]
    fn the_slowest_partition_counts_for_a_minute() {
        let view = view(&[None, sample(100_000, 5, 50), sample(40_000, 7, 40), sample(39_999, 900, 900)]);
        assert_eq!(view.source_delay_ms(), Some(7));
        assert_eq!(Seen::default().delivery_delay_ms(&view, 100_000), Some(50));
        assert_eq!(ViewSeen::default().source_delay_ms(), None);
    }

    #[test]
    fn what_waits_grows_though_nothing_is_delivered() {
        let waits = |since_ms| InputSeen { waiting_since_ms: since_ms, ..InputSeen::default() };
        let seen = Seen { input: vec![waits(None), waits(Some(600)), waits(Some(900))], ..Seen::default() };
        assert_eq!(seen.delivery_delay_ms(&view(&[]), 1_000), Some(400));
        assert_eq!(seen.delivery_delay_ms(&view(&[sample(0, 0, 500)]), 1_000), Some(500));
        assert_eq!(seen.delivery_delay_ms(&view(&[]), 0), Some(0), "a clock that steps back");
    }

    #[test]
    fn a_subscriber_at_the_end_has_no_lag() {
        let subscriber = |at_ms| SubscriberSeen { stands_before_ms: at_ms, ..SubscriberSeen::default() };
        assert_eq!(subscriber(None).lag_ms(5), 0);
        assert_eq!(subscriber(Some(2)).lag_ms(5), 3);
        assert_eq!(subscriber(Some(9)).lag_ms(5), 0);
    }

    #[test]
    fn it_is_told_in_few_words() {
        let seen = Seen { looked_at_ms: Some(7), views: vec![view(&[sample(5, 1, 2)])], ..Seen::default() };
        let json = serde_json::to_string(&seen).expect("JSON");
        assert_eq!(
            json,
            r#"{"looked_at_ms":7,"views":[{"view":"","topic":"","exists":false,"partitions":[{"partition":0,"end_offset":0,"sample":{"at_ms":5,"source_ms":1,"delivery_ms":2}}]}]}"#
        );
        assert_eq!(serde_json::from_str::<Seen>(&json).expect("what was seen"), seen);
    }
}
