//! Ends a batch's transaction: committed with its offsets, or undone and its records read again.

use std::time::{Duration, Instant};

use mesh_kafka::{
    Error, ErrorKind,
    sink::{Failure, Progress},
    source::{Batch, GroupMetadata, Run, Slot, Source},
};

use super::{
    output::{Culprit, tell},
    part::{Cause, Hold, Part},
    session::{SessionError, State},
};
use crate::{audit::now_ms, quarantine::Reason, trouble::Trouble};

/// The share of a transaction's time that processing may take; the rest is for delivery and commit.
const PROCESSING_SHARE: u32 = 4;
/// After an aborted transaction that no record is to blame for; doubled from the first to the last.
const PAUSE_FIRST: Duration = Duration::from_millis(20);
pub(super) const PAUSE_LAST: Duration = Duration::from_secs(2);
/// How long partitions wait after the cluster has refused an output, or has none, before it is tried again.
const REFUSED_PAUSE: Duration = Duration::from_secs(5);
const MISSING_PAUSE: Duration = Duration::from_millis(500);

impl State<'_> {
    /// Takes a batch through: all of it, or what there was time and means for; the rest is read again.
    pub(super) fn work(&mut self, source: &Source, batch: &Batch<'_>) -> Result<(), SessionError> {
        let started = Instant::now();
        let ended = self.process(batch, started).and_then(|()| self.commit(batch, batch.group()));
        match ended {
            Ok(()) => self.settle(source, batch, started),
            Err(Failure::Abort(error)) => self.recover(source, batch, &error),
            Err(Failure::Close(error)) => Err(SessionError::Sink(error)),
        }
    }

    fn process(&mut self, batch: &Batch<'_>, started: Instant) -> Result<(), Failure> {
        let deadline = started + self.task.config.transaction_timeout / PROCESSING_SHARE;
        self.desk.is_open = false;
        self.desk.culprit = None;
        let alone = self.next_suspect(batch);
        for run in batch.runs() {
            let Some(part) = self.parts.iter_mut().find(|part| part.slot == run.slot) else { continue };
            if alone.is_some_and(|suspect| !part.is_of(suspect)) {
                part.leftover = part.leftover.or(batch.first_offset(run.slot));
            } else if part.hold.is_none() && part.leftover.is_none() {
                self.desk.run(&self.sink, part, batch.messages(run), run.first_index(), deadline)?;
            }
        }
        Ok(())
    }

    /// The product that is to be tried alone, if one is that has records in the batch.
    fn next_suspect(&mut self, batch: &Batch<'_>) -> Option<u64> {
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

    fn commit(&mut self, batch: &Batch<'_>, group: &GroupMetadata) -> Result<(), Failure> {
        if !self.desk.is_open {
            return Ok(());
        }
        self.tell_audit(batch)?;
        let progress: Vec<Progress<'_>> = self.parts.iter().filter_map(Part::progress).collect();
        if progress.is_empty() {
            // opened for a record that has to wait: there is nothing in it
            return self.sink.abort();
        }
        self.sink.commit(&progress, group)
    }

    /// Has the transaction count what it does, and tell what is due: also of partitions that it does nothing to.
    fn tell_audit(&mut self, batch: &Batch<'_>) -> Result<(), Failure> {
        let (now_ms, interval) = (now_ms(), self.task.config.audit_interval);
        for part in &mut self.parts {
            if part.next.is_none() && !part.can_tell(now_ms, interval) {
                continue;
            }
            let events = part.stage(now_ms, interval);
            let tag = batch.runs().iter().find(|run| run.slot == part.slot).map_or(0, Run::first_index);
            let Some(topic) = part.audit_topic() else { continue };
            events.iter().try_for_each(|event| tell(&self.sink, topic, event, tag))?;
        }
        Ok(())
    }

    /// Tells what is due though nothing moves, in a transaction of its own.
    pub(super) fn tell_idle(&mut self, source: &Source, batch: &Batch<'_>) -> Result<(), SessionError> {
        let (now_ms, interval) = (now_ms(), self.task.config.audit_interval);
        for part in &mut self.parts {
            part.prepare_to_tell(&self.sink, &self.task.lookups, now_ms, interval);
        }
        if !self.parts.iter().any(|part| part.can_tell(now_ms, interval)) {
            return Ok(());
        }
        let group = source.group().map_err(SessionError::Source)?;
        self.desk.is_open = true;
        match self.sink.begin().and_then(|()| self.commit(batch, &group)) {
            Ok(()) => self.parts.iter_mut().for_each(Part::settle_account),
            Err(Failure::Abort(error)) => {
                let (task, error) = (self.task.name(), &error as &dyn std::error::Error);
                tracing::warn!(task, error, "what was masked could not be told, it is told later");
                self.parts.iter_mut().for_each(Part::unstage);
                self.sink.abort().map_err(|failure| SessionError::Sink(failure.into_error()))?;
                self.task.sleep(PAUSE_LAST);
            }
            Err(Failure::Close(error)) => return Err(SessionError::Sink(error)),
        }
        Ok(())
    }

    /// After a commit: counts what was done, and puts every partition where its next record is.
    fn settle(&mut self, source: &Source, batch: &Batch<'_>, started: Instant) -> Result<(), SessionError> {
        // one that was tried alone is none
        self.suspects.pop();
        if self.parts.iter().any(|part| part.next.is_some()) {
            self.meters.committed(started.elapsed());
            self.has_committed = true;
            self.aborts = 0;
            self.records_max = (self.records_max * 2).min(self.task.config.batch.records_max);
        }
        for part in &mut self.parts {
            part.settle_account();
            let Some(next) = part.next.take() else { continue };
            part.committed = Some(next);
            if let (Some(meters), Some(product)) = (&part.meters, &part.product) {
                part.tally.count(meters);
                self.teller.add(product, part.partition, &part.tally);
            }
            part.tally.clear();
            part.condemned.take_if(|(offset, _)| *offset < next);
        }
        for slot in slots(batch) {
            self.place(source, slot)?;
        }
        Ok(())
    }

    /// Pauses a partition that waits, and rewinds one that time was too short for.
    fn place(&mut self, source: &Source, slot: Slot) -> Result<(), SessionError> {
        let Some(index) = self.parts.iter().position(|part| part.slot == slot) else { return Ok(()) };
        let part = &mut self.parts[index];
        let leftover = part.leftover.take();
        let placed = match (&part.hold, leftover) {
            (Some(hold), _) => source.pause(slot, hold.offset),
            (None, Some(offset)) => source.rewind(slot, offset),
            (None, None) => Ok(()),
        };
        placed.map_err(SessionError::Source)?;
        self.tell_trouble(index);
        Ok(())
    }

    /// After a failure: nothing of the batch was done. Does something about the cause, and has the records read again.
    fn recover(&mut self, source: &Source, batch: &Batch<'_>, error: &Error) -> Result<(), SessionError> {
        let undelivered = self.sink.failed_deliveries();
        self.sink.abort().map_err(|failure| SessionError::Sink(failure.into_error()))?;
        self.meters.aborted();
        self.aborts += 1;
        let culprits = self.culprits(batch, &undelivered);
        tracing::warn!(
            task = self.task.name(),
            records = batch.len(),
            undelivered = undelivered.len(),
            cause = ?culprits.first().map(|culprit| culprit.kind),
            error = error as &dyn std::error::Error,
            "transaction aborted, its records are processed again"
        );
        self.undo(batch);
        self.deal_with(batch, &culprits, error.kind());
        for slot in slots(batch) {
            self.place(source, slot)?;
        }
        if culprits.is_empty() {
            self.task.sleep((PAUSE_FIRST * 2_u32.saturating_pow(self.aborts.min(10))).min(PAUSE_LAST));
        }
        Ok(())
    }

    /// Who is to blame, where that is known.
    fn culprits(&mut self, batch: &Batch<'_>, undelivered: &[mesh_kafka::sink::Undelivered]) -> Vec<Culprit> {
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

    /// Puts every partition of the batch back to where the batch began.
    fn undo(&mut self, batch: &Batch<'_>) {
        for part in &mut self.parts {
            part.tally.clear();
            part.next = None;
            part.unstage();
        }
        for slot in slots(batch) {
            let Some(first) = batch.first_offset(slot) else { continue };
            let Some(part) = self.part(slot) else { continue };
            match &mut part.hold {
                Some(hold) => hold.offset = hold.offset.min(first),
                None => part.leftover = Some(first),
            }
        }
    }

    fn deal_with(&mut self, batch: &Batch<'_>, culprits: &[Culprit], kind: ErrorKind) {
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
}

/// The batch's partitions, each once.
fn slots(batch: &Batch<'_>) -> Vec<Slot> {
    let mut slots: Vec<Slot> = batch.runs().iter().map(|run| run.slot).collect();
    slots.sort_unstable();
    slots.dedup();
    slots
}
