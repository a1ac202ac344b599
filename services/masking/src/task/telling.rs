//! Tells `mesh.audit`, in the transactions that do what is told, or in one of its own where nothing moves.

use mesh_kafka::{
    sink::{Failure, Progress},
    source::{Batch, Run, Source},
};

use super::{
    output::tell,
    part::Part,
    session::{SessionError, State},
    settle::PAUSE_LAST,
};
use crate::{audit::now_ms, counts::End};

impl State<'_> {
    /// Has the transaction count what it does, and tell what is due: also of partitions that it does nothing to.
    pub(super) fn tell_audit(&mut self, batch: &Batch<'_>) -> Result<(), Failure> {
        let (now_ms, interval) = (now_ms(), self.task.config.audit_interval);
        for part in &mut self.parts {
            if part.next.is_none() && !part.can_tell(now_ms, interval) {
                continue;
            }
            let events = part.stage(&mut self.runs, now_ms, interval);
            let tag = batch.runs().iter().find(|run| run.slot == part.slot).map_or(0, Run::first_index);
            let Some(topic) = part.audit_topic() else { continue };
            events.iter().try_for_each(|event| tell(&self.sink, topic, event, tag))?;
        }
        Ok(())
    }

    /// Ends the runs, told to stop: whoever takes the partitions over need not tell lineage of them. Without it, it does.
    pub(super) fn close_runs(&mut self, source: &Source) -> Result<(), SessionError> {
        let closing = self.parts.iter_mut().fold(0, |closing, part| closing + usize::from(part.stage_end(&self.runs)));
        if closing > 0 {
            let group = source.group().map_err(SessionError::Source)?;
            let progress: Vec<Progress<'_>> = self.parts.iter().filter_map(Part::progress).collect();
            match self.sink.begin().and_then(|()| self.sink.commit(&progress, &group)) {
                Ok(()) => self.parts.iter_mut().for_each(Part::settle_account),
                Err(Failure::Abort(_)) => {
                    self.parts.iter_mut().for_each(Part::unstage);
                    self.abort()?;
                }
                Err(Failure::Close(error)) => return Err(SessionError::Sink(error)),
            }
        }
        self.end_runs(&End::Complete, |_| false);
        Ok(())
    }

    /// Ends the runs of products that no partition is of any more, or none that `stays`.
    pub(super) fn end_runs(&mut self, how: &End, stays: impl Fn(&Part) -> bool) {
        let still = self.parts.iter().filter(|part| stays(part)).filter_map(|part| part.product.as_deref());
        self.runs.over(still).into_iter().for_each(|run| self.teller.end(run, how.clone()));
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
                self.abort()?;
                self.task.sleep(PAUSE_LAST);
            }
            Err(Failure::Close(error)) => return Err(SessionError::Sink(error)),
        }
        Ok(())
    }
}
