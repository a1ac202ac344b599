//! How far subscribers are behind: consumer groups with committed offsets on output ports.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mesh_kafka::admin::Admin;
use mesh_kafka::consumer::{Outcome, Stretch, TailReader};
use mesh_kafka::{ErrorKind, Offsets, TopicPartition};

use super::tails::sighting;
use super::{Moment, Target};
use crate::seen::SubscriberSeen;
use crate::{Error, metrics};

/// How many groups are followed; further ones, by name, are counted and left out.
const GROUPS_MAX: usize = 500;
/// How many groups a view tells of: those that are furthest behind.
const GROUPS_PER_VIEW_MAX: usize = 20;
/// How many partitions are read for one group at a look.
const READS_MAX: usize = 1_000;

/// Follows the groups.
pub(super) struct Groups {
    every: Duration,
    looked_at: Option<Instant>,
    /// The record that a group stands before, and its own time; kept while the group stands still.
    known: BTreeMap<String, BTreeMap<TopicPartition, Standing>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    committed: i64,
    /// The offset of the next record that a reader sees, and its time; none if there is none yet.
    next: Option<(i64, Option<i64>)>,
}

/// An output port by its topic: which target, which view of it.
type Ports = BTreeMap<String, (usize, usize)>;

impl Groups {
    pub(super) fn new(every: Duration) -> Self {
        Self { every, looked_at: None, known: BTreeMap::new() }
    }

    /// Asks all groups, now and then, where they stand, and looks at the records they stand before.
    pub(super) async fn look(
        &mut self,
        admin: &Admin,
        reader: &mut TailReader,
        targets: &mut [Target<'_>],
        moment: Moment,
    ) -> Result<(), Error> {
        if self.looked_at.is_some_and(|at| at.elapsed() < self.every) {
            return Ok(());
        }
        self.looked_at = Some(Instant::now());
        let Some(names) = allowed(admin.group_names().await).map_err(Error::AskGroups)? else { return Ok(()) };
        let mut names: Vec<String> = names.into_iter().filter(|name| is_subscriber(name)).collect();
        metrics::groups(names.len().min(GROUPS_MAX), names.len().saturating_sub(GROUPS_MAX));
        names.truncate(GROUPS_MAX);
        self.known.retain(|name, _| names.binary_search(name).is_ok());
        let ports = ports(targets);
        targets.iter_mut().flat_map(|target| &mut target.sight.views).for_each(|view| view.subscribers.clear());
        for name in names {
            let Some(committed) = allowed(admin.group_offsets(&name).await).map_err(Error::AskGroups)? else {
                continue;
            };
            let committed = committed.into_iter().filter(|(at, _)| ports.contains_key(&at.topic)).collect();
            self.read(reader, targets, &ports, &name, &committed).await?;
            self.tell(targets, &ports, &name, &committed);
        }
        for view in targets.iter_mut().flat_map(|target| &mut target.sight.views) {
            view.subscribers.sort_by_key(|subscriber| std::cmp::Reverse(subscriber.lag_ms(moment.now_ms)));
            view.subscribers.truncate(GROUPS_PER_VIEW_MAX);
        }
        Ok(())
    }

    /// Reads the records that a group stands before, where that is not known yet.
    async fn read(
        &mut self,
        reader: &mut TailReader,
        targets: &[Target<'_>],
        ports: &Ports,
        name: &str,
        committed: &Offsets,
    ) -> Result<(), Error> {
        let known = self.known.entry(name.to_owned()).or_default();
        known.retain(|at, standing| committed.get(at) == Some(&standing.committed));
        let mut asked = Vec::new();
        for (at, offset) in committed {
            let (target, view) = ports[&at.topic];
            let end = targets[target].sight.views[view].end(at.partition).unwrap_or(0);
            let is_known = known.get(at).is_some_and(|standing| standing.next.is_some());
            if *offset < end && !is_known && asked.len() < READS_MAX {
                asked.push((at, *offset..end, targets[target].sight.has_event_time));
            }
        }
        let stretch = |(at, offsets, _): &(&TopicPartition, std::ops::Range<i64>, bool)| Stretch {
            topic: at.topic.as_str().into(),
            partition: at.partition,
            offsets: offsets.clone(),
            records_max: 1,
        };
        let event_times: Vec<bool> = asked.iter().map(|(_, _, has_event_time)| *has_event_time).collect();
        let stretches = asked.iter().map(stretch).collect();
        let read = reader.read(stretches, vec![None; asked.len()], move |found, index, glimpse| {
            let sighting = sighting(glimpse, event_times[index]);
            found[index] = Some((glimpse.offset(), sighting.event_ms.or(sighting.recorded_ms)));
        });
        let (reading, found) = read.await.map_err(Error::ReadTails)?;
        for (((at, offsets, _), outcome), next) in asked.into_iter().zip(reading.outcomes).zip(found) {
            if outcome == Outcome::Read {
                known.insert(at.clone(), Standing { committed: offsets.start, next });
            }
        }
        Ok(())
    }

    /// Tells each output port's sight where the group stands.
    fn tell(&self, targets: &mut [Target<'_>], ports: &Ports, name: &str, committed: &Offsets) {
        let known = self.known.get(name);
        let mut by_port: BTreeMap<(usize, usize), SubscriberSeen> = BTreeMap::new();
        for (at, offset) in committed {
            let (target, view) = ports[&at.topic];
            let port = &targets[target].sight.views[view];
            let new = || SubscriberSeen { group: name.to_owned(), ..SubscriberSeen::default() };
            let subscriber = by_port.entry((target, view)).or_insert_with(new);
            let behind = port.end(at.partition).unwrap_or(0).saturating_sub(*offset).max(0);
            let standing = known.and_then(|known| known.get(at)).filter(|_| behind > 0);
            match standing.map(|standing| standing.next) {
                // markers alone
                Some(None) => {}
                Some(Some((next, time_ms))) => {
                    subscriber.offsets_behind += behind;
                    let at_ms = port.visible_at_ms(at.partition, next, time_ms);
                    subscriber.stands_before_ms = earlier(subscriber.stands_before_ms, at_ms);
                }
                None => subscriber.offsets_behind += behind,
            }
        }
        for ((target, view), subscriber) in by_port {
            targets[target].sight.views[view].subscribers.push(subscriber);
        }
    }
}

fn ports(targets: &[Target<'_>]) -> Ports {
    let mut ports = Ports::new();
    for (target_index, target) in targets.iter().enumerate() {
        for (view_index, view) in target.sight.views.iter().enumerate() {
            ports.insert(view.topic.clone(), (target_index, view_index));
        }
    }
    ports
}

/// The backbone's own groups subscribe to nothing.
fn is_subscriber(group: &str) -> bool {
    !group.starts_with("mesh.masking.") && !group.starts_with("mesh-")
}

fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// What groups there are is told to those who may describe them: where that is refused nothing is told of subscribers.
fn allowed<T>(answer: Result<T, mesh_kafka::Error>) -> Result<Option<T>, mesh_kafka::Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind() == ErrorKind::Unauthorised => {
            metrics::refused("consumer groups");
            tracing::debug!(error = &error as &dyn std::error::Error, "freshness may not see where a group stands");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
