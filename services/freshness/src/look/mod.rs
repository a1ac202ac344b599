//! Looks at Kafka for what products' ports hold: few requests for all products at once, and records only where an end moved.

mod groups;
mod proofs;
mod tails;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use mesh_client::heartbeat::sidecar_group;
use mesh_kafka::admin::{Admin, Listing};
use mesh_kafka::consumer::TailReader;
use mesh_kafka::{ErrorKind, Offsets, Settings, TopicPartition};

use crate::sight::{Asked, Sight, Unseen};
use crate::{Error, metrics};
use groups::Groups;
use proofs::Committed;

/// How often topics are counted anew: a partition that is added is seen within this.
const COUNT_EVERY: Duration = Duration::from_secs(60);
/// The same while a topic is not there: one that comes is seen within this.
const COUNT_ABSENT_EVERY: Duration = Duration::from_secs(20);

/// A product to look at.
pub(crate) struct Target<'w> {
    /// Who owns it: whose sidecar masks it.
    pub(crate) owner: &'w str,
    pub(crate) sight: &'w mut Sight,
}

/// When a look is, and what of the times it finds can be believed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) now_ms: i64,
    /// The same by the clock that never steps.
    pub(crate) started: Instant,
    /// How far ahead of now a time may claim to be.
    pub(crate) tolerance_ms: i64,
}

impl Moment {
    /// A question that was asked since then, and has been answered by now.
    fn asked(self) -> Asked {
        let took_ms = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        Asked { at_ms: self.now_ms, answered_ms: self.now_ms.saturating_add(took_ms) }
    }
}

/// Keeps its clients from look to look.
pub(crate) struct Looker {
    kafka: Settings,
    admin: Admin,
    reader: TailReader,
    groups: Groups,
    /// Every topic's number of partitions.
    counts: BTreeMap<String, u32>,
    /// Topics that were wanted when topics were counted last, and not there.
    absent: BTreeSet<String>,
    counted_at: Option<Instant>,
}

/// A part of an output port that was not looked at yet: of which target, which view of it.
#[derive(Debug, Clone, Copy)]
struct Part {
    target: usize,
    view: usize,
    unseen: Unseen,
}

impl Looker {
    pub(crate) fn new(kafka: &Settings, subscribers_every: Duration) -> Result<Self, Error> {
        Ok(Self {
            kafka: kafka.clone(),
            admin: Admin::new(kafka).map_err(Error::SetUp)?,
            reader: TailReader::new(kafka).map_err(Error::SetUp)?,
            groups: Groups::new(subscribers_every),
            counts: BTreeMap::new(),
            absent: BTreeSet::new(),
            counted_at: None,
        })
    }

    /// Looks at all targets once. On an error they keep what they saw before, and what was seen until then.
    pub(crate) async fn look(&mut self, targets: &mut [Target<'_>], moment: Moment) -> Result<(), Error> {
        self.count(targets).await?;
        let asked = self.partitions(targets);
        let ends = self.admin.visible_ends(asked).await.map_err(Error::AskEnds)?;
        let asked = moment.asked();
        if !ends.missing.is_empty() {
            // topics went, were made anew, or have other leaders: librdkafka may hold on to what it knew, and so begins afresh
            self.counted_at = None;
            self.admin = Admin::new(&self.kafka).map_err(Error::SetUp)?;
        }
        let mut is_whole = vec![true; targets.len()];
        let parts = self.take_ends(targets, &ends, &mut is_whole, asked);
        let committed = self.ask_committed(targets, moment).await?;
        self.prove_heartbeats(targets, &committed, moment.now_ms).await?;
        self.read_tails(targets, &parts, &mut is_whole, moment).await?;
        self.groups.look(&self.admin, &mut self.reader, targets, moment).await?;
        for (target, is_whole) in targets.iter_mut().zip(is_whole) {
            if is_whole {
                target.sight.looked_at_ms = Some(moment.now_ms);
            }
        }
        Ok(())
    }

    /// Counts the partitions of all topics: now and then, and where a topic is wanted that was not wanted before.
    async fn count(&mut self, targets: &[Target<'_>]) -> Result<(), Error> {
        let every = if self.absent.is_empty() { COUNT_EVERY } else { COUNT_ABSENT_EVERY };
        let is_due = self.counted_at.is_none_or(|at| at.elapsed() >= every);
        let topics = || targets.iter().flat_map(|target| target.sight.topics());
        let is_known = |topic: &str| self.counts.contains_key(topic) || self.absent.contains(topic);
        if is_due || !topics().all(is_known) {
            self.counts = self.admin.topics().await.map_err(Error::CountPartitions)?;
            let absent = topics().filter(|topic| !self.counts.contains_key(*topic));
            self.absent = absent.map(str::to_owned).collect();
            self.counted_at = Some(Instant::now());
        }
        Ok(())
    }

    fn partitions(&self, targets: &[Target<'_>]) -> Vec<TopicPartition> {
        let topics = targets.iter().flat_map(|target| target.sight.topics());
        let of = |topic: &str, number| TopicPartition::new(topic, number);
        topics.flat_map(|topic| numbers(&self.counts, topic).map(move |number| of(topic, number))).collect()
    }

    /// Takes in where ports end; returns what is new in output ports.
    fn take_ends(&self, targets: &mut [Target<'_>], ends: &Listing, is_whole: &mut [bool], asked: Asked) -> Vec<Part> {
        let mut parts = Vec::new();
        for (index, target) in targets.iter_mut().enumerate() {
            let sight = &mut *target.sight;
            for number in numbers(&self.counts, &sight.input.topic) {
                let at = TopicPartition::new(sight.input.topic.clone(), number);
                match ends.found.get(&at) {
                    Some(listed) => sight.input.see_end(number, listed.offset, asked),
                    None => is_whole[index] = false,
                }
            }
            for (view_index, view) in sight.views.iter_mut().enumerate() {
                view.exists = self.counts.contains_key(&view.topic);
                for number in numbers(&self.counts, &view.topic) {
                    let at = TopicPartition::new(view.topic.clone(), number);
                    let Some(listed) = ends.found.get(&at) else {
                        is_whole[index] = false;
                        continue;
                    };
                    let unseen = view.see_end(number, listed.offset, asked);
                    parts.extend(unseen.map(|unseen| Part { target: index, view: view_index, unseen }));
                }
            }
        }
        parts
    }

    /// Asks how far the sidecars have come, one request a domain, only where something waits for it.
    async fn ask_committed(&mut self, targets: &mut [Target<'_>], moment: Moment) -> Result<Committed, Error> {
        let mut known = Committed::new();
        for target in targets.iter_mut().filter(|target| target.sight.wants_committed()) {
            let group = sidecar_group(target.owner);
            if !known.contains_key(&group) {
                known.insert(group.clone(), self.committed(&group).await?);
            }
            if let Some(Some(committed)) = known.get(&group) {
                target.sight.see_committed(committed, moment.now_ms);
            }
        }
        Ok(known)
    }

    async fn committed(&self, group: &str) -> Result<Option<Offsets>, Error> {
        match self.admin.group_offsets(group).await {
            Ok(offsets) => Ok(Some(offsets)),
            Err(error) if error.kind() == ErrorKind::Unauthorised => {
                metrics::refused("committed offsets");
                tracing::warn!(
                    group,
                    error = &error as &dyn std::error::Error,
                    "freshness may not see how far a sidecar has come: its heartbeats prove nothing"
                );
                Ok(None)
            }
            Err(source) => Err(Error::AskCommitted { group: group.to_owned(), source }),
        }
    }
}

/// The numbers of a topic's partitions; none if there is no such topic.
fn numbers(counts: &BTreeMap<String, u32>, topic: &str) -> std::ops::Range<i32> {
    0..counts.get(topic).map_or(0, |count| i32::try_from(*count).unwrap_or(i32::MAX))
}
