//! Heartbeats that wait for offsets where no record is. No sidecar commits past a transaction's marker, past what was
//! aborted, compacted or deleted, before a record follows it: whether one does is looked up in the input port.

use std::collections::BTreeMap;

use mesh_client::heartbeat::sidecar_group;
use mesh_kafka::Offsets;
use mesh_kafka::consumer::{Outcome, Stretch};

use super::{Looker, Target};
use crate::sight::Gap;
use crate::{Error, metrics};

/// What the sidecars have committed, by group; none where nobody may say.
pub(super) type Committed = BTreeMap<String, Option<Offsets>>;

impl Looker {
    /// Reads between where sidecars are and where heartbeats want them to be, up to the first record, all products at once:
    /// where there is none the heartbeats count.
    pub(super) async fn prove_heartbeats(
        &mut self,
        targets: &mut [Target<'_>],
        committed: &Committed,
        now_ms: i64,
    ) -> Result<(), Error> {
        let gaps = gaps(targets, committed);
        if gaps.is_empty() {
            return Ok(());
        }
        let stretch = |(target, gap): &(usize, Gap)| Stretch {
            topic: targets[*target].sight.input.topic.as_str().into(),
            partition: gap.partition,
            offsets: gap.from..gap.end,
            records_max: 1,
        };
        let stretches = gaps.iter().map(stretch).collect();
        let read = self.reader.read(stretches, vec![None; gaps.len()], |found, index, glimpse| {
            found[index] = Some(glimpse.offset());
        });
        let (reading, found) = read.await.map_err(Error::ReadTails)?;
        metrics::tails_read(gaps.len(), reading.records, reading.bytes);
        for (((target, gap), outcome), record) in gaps.into_iter().zip(reading.outcomes).zip(found) {
            // what was not answered is asked again at the next look
            if outcome == Outcome::Read {
                targets[target].sight.input.see_gap(gap, record);
            }
        }
        for target in targets.iter_mut() {
            if let Some(Some(committed)) = committed.get(&sidecar_group(target.owner)) {
                target.sight.prove(committed, now_ms);
            }
        }
        Ok(())
    }
}

fn gaps(targets: &[Target<'_>], committed: &Committed) -> Vec<(usize, Gap)> {
    let mut gaps = Vec::new();
    for (index, target) in targets.iter().enumerate().filter(|(_, target)| target.sight.has_unproven()) {
        if let Some(Some(committed)) = committed.get(&sidecar_group(target.owner)) {
            gaps.extend(target.sight.gaps(committed).into_iter().map(|gap| (index, gap)));
        }
    }
    gaps
}
