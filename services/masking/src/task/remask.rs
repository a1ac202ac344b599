//! Makes a partition's outputs anew: a new output generation, in steps that a crash or a new owner goes on from.
//!
//! 1. *Announced*: the new generation is committed with the offset. From here on the partition is held, and nobody replays
//!    quarantined records into its outputs.
//! 2. *Bounded*: where the outputs end is found out, and committed. What is before was made for an earlier generation, by
//!    whomever, so that deleting it late, or twice, does no harm.
//! 3. *Emptied*: the outputs are deleted up to there.
//! 4. *Begun*: the input's first offset is committed as the next one, and `mesh.audit` is told in the same transaction. The partition
//!    is read on from there to live.
//!
//! Each commit is refused by the group's coordinator once this task does not own the partition any more.

use mesh_kafka::{
    sink::{Failure, Progress},
    source::Source,
};
use serde_json::{Value, json};

use super::{
    output::tell,
    part::{Cause, Hold, Part},
    session::{SessionError, State},
};
use crate::{
    audit::now_ms,
    lookup::{Done, Errand},
    product::Product,
    remask::OutputMark,
};

/// What is to be done next for a partition.
enum Step {
    Rest,
    /// Nothing was ever written: the generation begins at once.
    Adopt(u64),
    Announce(OutputMark),
    SetOut(Errand),
    Bound(OutputMark),
    Begin(OutputMark),
}

impl State<'_> {
    /// Brings each partition whose outputs are to be made anew a step further, between two batches.
    pub(super) fn remask(&mut self, source: &Source) -> Result<(), SessionError> {
        for index in 0..self.parts.len() {
            match self.parts[index].remask_step() {
                Step::Rest => {}
                Step::Adopt(generation) => self.parts[index].outputs.generation = generation,
                Step::Announce(mark) => self.announce(source, index, mark)?,
                Step::SetOut(errand) => self.set_out(index, errand),
                Step::Bound(mark) => {
                    let next = self.parts[index].committed.unwrap_or_default();
                    self.commit_mark(source, index, mark, next)?;
                }
                Step::Begin(mark) => self.begin(source, index, mark)?,
            }
        }
        Ok(())
    }

    fn announce(&mut self, source: &Source, index: usize, mark: OutputMark) -> Result<(), SessionError> {
        let Some(next) = self.parts[index].committed else { return Ok(()) };
        if self.commit_mark(source, index, mark, next)? {
            let part = &mut self.parts[index];
            part.hold = Some(Hold { offset: next, cause: Cause::Remask });
            part.leftover = None;
            part.condemned = None;
            source.pause(part.slot, next).map_err(SessionError::Source)?;
            tracing::info!(
                topic = &*part.topic,
                partition = part.partition,
                generation = part.outputs.generation,
                "remasking: outputs are emptied"
            );
            self.tell_trouble(index);
        }
        Ok(())
    }

    fn set_out(&mut self, index: usize, errand: Errand) {
        let part = &mut self.parts[index];
        if let Some(product) = &part.product {
            part.errand = Some(self.task.lookups.run(product, part.partition, errand));
        }
    }

    fn begin(&mut self, source: &Source, index: usize, mark: OutputMark) -> Result<(), SessionError> {
        let from = mark.from;
        if !self.commit_mark(source, index, mark, from)? {
            return Ok(());
        }
        let part = &mut self.parts[index];
        part.forget_refusals();
        tracing::info!(
            topic = &*part.topic,
            partition = part.partition,
            generation = part.outputs.generation,
            from,
            "remasking: the input is read anew"
        );
        source.rewind(part.slot, from).map_err(SessionError::Source)?;
        self.resume(source, index)
    }

    /// Commits where a partition stands with its next offset, in a transaction of its own; whether that came off.
    fn commit_mark(
        &mut self,
        source: &Source,
        index: usize,
        mark: OutputMark,
        next: i64,
    ) -> Result<bool, SessionError> {
        // also where to tell
        let ready = self.parts[index].ready(&self.sink, &self.task.lookups, next);
        let Ok((product, _)) = ready else { return Ok(false) };
        let group = source.group().map_err(SessionError::Source)?;
        let events = self.parts[index].events(&product, &mark);
        let part = &self.parts[index];
        let metadata = part.metadata_with(product.revision, &mark);
        let progress = Progress { topic: &part.topic, partition: part.partition, next, metadata: &metadata };
        let sent = self.sink.begin().and_then(|()| match part.audit_topic() {
            Some(topic) => events.iter().try_for_each(|event| tell(&self.sink, topic, event, 0)),
            None => Ok(()),
        });
        match sent.and_then(|()| self.sink.commit(&[progress], &group)) {
            Ok(()) => {
                self.parts[index].settle_mark(product.revision, mark, next);
                Ok(true)
            }
            Err(Failure::Abort(error)) => {
                let (task, error) = (self.task.name(), &error as &dyn std::error::Error);
                tracing::warn!(task, error, "remasking: a step was not committed, it is tried again");
                self.abort()?;
                self.meters.aborted();
                self.task.sleep(super::settle::PAUSE_LAST);
                Ok(false)
            }
            Err(Failure::Close(error)) => Err(SessionError::Sink(error)),
        }
    }
}

impl Part {
    fn remask_step(&self) -> Step {
        let mark = &self.outputs;
        if self.in_force().is_none() {
            return Step::Rest;
        }
        if !mark.is_emptying {
            return match self.committed {
                _ if self.generation_wanted <= mark.generation => Step::Rest,
                None => Step::Adopt(self.generation_wanted),
                Some(_) => Step::Announce(OutputMark {
                    generation: self.generation_wanted,
                    is_emptying: true,
                    ..OutputMark::default()
                }),
            };
        }
        let Some(runner) = &self.errand else {
            let errand = if mark.until.is_empty() { Errand::FindEnds } else { Errand::Empty(mark.until.clone()) };
            return Step::SetOut(errand);
        };
        match runner.done() {
            None => Step::Rest,
            Some(Done::Ends(until)) => Step::Bound(OutputMark { until, ..mark.clone() }),
            Some(Done::Emptied { from }) => {
                Step::Begin(OutputMark { generation: mark.generation, from, ..OutputMark::default() })
            }
        }
    }

    /// What `mesh.audit` is to be told with a step: counts of what is left behind, and where a new generation begins.
    fn events(&self, product: &Product, mark: &OutputMark) -> Vec<Value> {
        let now_ms = now_ms();
        let mut events: Vec<Value> = self.account_event(product, now_ms).into_iter().collect();
        if !mark.is_emptying {
            let first = |(view, topic): &(String, String)| {
                let offset = self.outputs.until.get(view).copied().unwrap_or(0);
                json!({ "view": view, "topic": topic, "first_offset": offset })
            };
            events.push(json!({
                "event": "outputs-remasked",
                "at_ms": now_ms,
                "product": &*product.name,
                "major": product.major,
                "revision": product.revision,
                "partition": self.partition,
                "generation": mark.generation,
                "source_offset": mark.from,
                "outputs": product.topics.views.iter().map(first).collect::<Vec<_>>(),
            }));
        }
        events
    }
}
