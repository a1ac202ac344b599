//! Ends a batch's transaction: committed with its offsets, or undone and its records read again.

use std::time::{Duration, Instant};

use mesh_kafka::{
    Error,
    sink::{Failure, Progress},
    source::{Batch, GroupMetadata, Slot, Source},
};

use super::{
    part::Part,
    session::{SessionError, State},
};

/// The share of a transaction's time that processing may take; the rest is for delivery and commit.
const PROCESSING_SHARE: u32 = 4;
/// After an aborted transaction that no record is to blame for; doubled from the first to the last.
const PAUSE_FIRST: Duration = Duration::from_millis(20);
pub(super) const PAUSE_LAST: Duration = Duration::from_secs(2);

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

    pub(super) fn commit(&mut self, batch: &Batch<'_>, group: &GroupMetadata) -> Result<(), Failure> {
        if !self.desk.is_open {
            return Ok(());
        }
        self.tell_audit(batch)?;
        let progress: Vec<Progress<'_>> = self.parts.iter().filter_map(Part::progress).collect();
        if progress.is_empty() {
            // opened for a record that has to wait: there is nothing in it
            return self.abort().map(drop);
        }
        self.sink.commit(&progress, group)
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
                self.teller.add(self.runs.of(product), product, part.partition, &part.tally);
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
        let undelivered = self.abort()?;
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
}

/// The batch's partitions, each once.
pub(super) fn slots(batch: &Batch<'_>) -> Vec<Slot> {
    let mut slots: Vec<Slot> = batch.runs().iter().map(|run| run.slot).collect();
    slots.sort_unstable();
    slots.dedup();
    slots
}
