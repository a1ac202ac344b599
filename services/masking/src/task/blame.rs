//! Who is to blame for a transaction that failed, and what becomes of them.

use std::time::{Duration, Instant};

use mesh_kafka::{
    ErrorKind,
    sink::Undelivered,
    source::{Batch, Slot},
};

use super::{
    output::Culprit,
    part::{Cause, Hold},
    session::State,
    settle::slots,
};
use crate::{quarantine::Reason, trouble::Trouble};

/// How long partitions wait after the cluster has refused an output, or has none, before it is tried again.
const REFUSED_PAUSE: Duration = Duration::from_secs(5);
const MISSING_PAUSE: Duration = Duration::from_millis(500);

impl State<'_> {
    /// Who is to blame, where that is known.
    pub(super) fn culprits(&mut self, batch: &Batch<'_>, undelivered: &[Undelivered]) -> Vec<Culprit> {
        if let Some(culprit) = self.desk.culprit.take() {
            return vec![culprit];
        }
        let blames =
            |kind| !matches!(kind, ErrorKind::Unreachable | ErrorKind::Fenced | ErrorKind::Full | ErrorKind::Other);
        let found = undelivered.iter().filter(|failed| blames(failed.kind)).filter_map(|failed| {
            let (slot, offset) = batch.origin(failed.tag)?;
            Some(Culprit { slot, offset, kind: failed.kind })
        });
        found.collect()
    }

    pub(super) fn deal_with(&mut self, batch: &Batch<'_>, culprits: &[Culprit], kind: ErrorKind) {
        for culprit in culprits {
            match culprit.kind {
                ErrorKind::TooLarge => self.condemn(batch, *culprit, Reason::OutputTooLarge),
                ErrorKind::Invalid => self.condemn(batch, *culprit, Reason::OutputRefused),
                ErrorKind::Unauthorised => {
                    self.hold_product(batch, culprit.slot, Trouble::OutputRefused, REFUSED_PAUSE)
                }
                _ => self.hold_product(batch, culprit.slot, Trouble::OutputMissing, MISSING_PAUSE),
            }
        }
        if culprits.is_empty() && !(kind == ErrorKind::Unauthorised && self.accuse(batch)) {
            self.suspect(batch);
        }
    }

    /// The cluster refuses a transaction for one of its topics, and does not say which: each product is tried alone, and the
    /// one that is refused alone is held. Whether that is known now.
    fn accuse(&mut self, batch: &Batch<'_>) -> bool {
        let mut accused: Vec<u64> = self.suspects.pop().into_iter().collect();
        if accused.is_empty() {
            let there =
                slots(batch).into_iter().filter_map(|slot| self.part(slot)?.product.as_ref().map(|of| of.identity));
            accused = there.collect();
            accused.sort_unstable();
            accused.dedup();
        }
        let [one] = accused[..] else {
            self.suspects = accused;
            return false;
        };
        let Some(slot) = self.parts.iter().find(|part| part.is_of(one)).map(|part| part.slot) else { return false };
        self.hold_product(batch, slot, Trouble::OutputRefused, REFUSED_PAUSE);
        true
    }

    /// Nobody is known to be to blame: an output may be gone, or the transaction too large for its time.
    fn suspect(&mut self, batch: &Batch<'_>) {
        self.records_max = (batch.len() / 2).max(1);
        let lookups = &self.task.lookups;
        for slot in slots(batch) {
            if let Some(part) = self.parts.iter_mut().find(|part| part.slot == slot) {
                part.forget_base(lookups);
            }
        }
    }

    /// An output's topic does not take the record. The brokers refuse whole batches, so that the record to blame is certain only
    /// when it was alone; until then, batches are made smaller.
    fn condemn(&mut self, batch: &Batch<'_>, culprit: Culprit, reason: Reason) {
        if batch.len() > 1 {
            self.records_max = (batch.len() / 2).max(1);
            return;
        }
        let Some(part) = self.part(culprit.slot) else { return };
        let already = part.condemned.as_ref().is_some_and(|(offset, _)| *offset == culprit.offset);
        if already {
            let cause = Cause::Until(Instant::now() + REFUSED_PAUSE, Trouble::QuarantineTooSmall);
            part.hold = Some(Hold { offset: culprit.offset, cause });
        } else {
            part.condemned = Some((culprit.offset, reason));
        }
    }

    /// What one product's outputs do not take holds that product's partitions, not its neighbours'.
    fn hold_product(&mut self, batch: &Batch<'_>, slot: Slot, trouble: Trouble, pause: Duration) {
        let Some(product) = self.part(slot).and_then(|part| part.product.clone()) else { return };
        for slot in slots(batch) {
            let lookups = self.task.lookups.clone();
            let Some(first) = batch.first_offset(slot) else { continue };
            let Some(part) = self.part(slot) else { continue };
            let same = part.product.as_ref().is_some_and(|other| other.identity == product.identity);
            if same && part.hold.is_none() {
                part.forget_base(&lookups);
                part.leftover = None;
                part.hold = Some(Hold { offset: first, cause: Cause::Until(Instant::now() + pause, trouble) });
            }
        }
    }

    /// The product that is to be tried alone, if one is that has records in the batch.
    pub(super) fn next_suspect(&mut self, batch: &Batch<'_>) -> Option<u64> {
        let slots = slots(batch);
        let here = |suspect: u64| {
            self.parts.iter().any(|part| part.is_of(suspect) && part.hold.is_none() && slots.contains(&part.slot))
        };
        let mut suspects: Vec<u64> = self.suspects.iter().copied().filter(|suspect| here(*suspect)).collect();
        // each of its partitions has named it
        suspects.dedup();
        self.suspects = suspects;
        self.suspects.last().copied()
    }
}
