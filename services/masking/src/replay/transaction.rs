//! One transaction of a replay: outputs, markers, and the audit's word of it.

use mesh_kafka::{
    ErrorKind,
    sink::{Failure, Outgoing, Refusal, Undelivered},
};
use serde_json::json;
use tokio::task::block_in_place;

use super::{
    Replay, ReplayError, Report, Routes, Selection,
    held::Held,
    ledger::Ledger,
    newer::Newer,
    rendering::{Views, render},
};
use crate::{
    product::KeyPolicy,
    quarantine::{Marker, Outcome, Reason},
};

/// The tag of what is written beside the outputs.
const ASIDE: usize = usize::MAX;

/// What is to become of some records.
#[derive(Default)]
struct Plan<'h> {
    released: Vec<(&'h Held, Views)>,
    overtaken: Vec<&'h Held>,
    refused: Vec<Reason>,
    /// How many another replay has let through since they were read.
    already: u64,
}

/// What became of a transaction.
enum Attempt {
    Committed,
    /// A record came to the input that has overtaken one of these: plan again.
    Overtaken,
    /// An output topic does not take one of the records.
    Refused(Reason),
}

impl Replay {
    /// The record's offset and key, if another record may overtake it.
    pub(super) fn key<'h>(&self, selection: &Selection, held: &'h Held) -> Option<(i64, &'h [u8])> {
        let keyed = !selection.append && self.programs.product.key != KeyPolicy::Dropped;
        let key = held.envelope.key.as_deref().filter(|_| keyed)?;
        Some((held.source_offset, key))
    }

    /// Takes records through, in order: let through, overtaken, or still refused.
    pub(super) async fn let_through(
        &mut self,
        selection: &Selection,
        partition: i32,
        chunk: &[Held],
        newer: &mut Newer,
        ledger: &mut Ledger,
        report: &mut Report,
    ) -> Result<(), ReplayError> {
        // the first part is last: what an output does not take is found by halving
        let mut parts = vec![chunk];
        while let Some(part) = parts.pop() {
            let plan = self.plan(selection, partition, part, newer, ledger);
            let attempt = match selection.dry_run {
                true => Attempt::Committed,
                false => self.attempt(selection, partition, &plan, newer, ledger).await?,
            };
            match attempt {
                Attempt::Committed => self.settle(partition, &plan, ledger, report, selection.dry_run),
                Attempt::Overtaken => parts.push(part),
                Attempt::Refused(_) if part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Attempt::Refused(reason) => *report.refused.entry(reason.code()).or_default() += 1,
            }
        }
        Ok(())
    }

    fn plan<'h>(
        &mut self,
        selection: &Selection,
        partition: i32,
        part: &'h [Held],
        newer: &Newer,
        ledger: &Ledger,
    ) -> Plan<'h> {
        let mut plan = Plan::default();
        for held in part {
            if ledger.outcome(partition, held.offset) == Some(Outcome::Replayed) {
                plan.already += 1;
                continue;
            }
            let overtaken = self.key(selection, held).is_some_and(|(offset, key)| newer.has_overtaken(offset, key));
            match render(&self.programs, &mut self.bench, &held.envelope) {
                _ if overtaken => plan.overtaken.push(held),
                Ok(views) => plan.released.push((held, views)),
                Err(reason) => plan.refused.push(reason),
            }
        }
        plan
    }

    async fn attempt(
        &mut self,
        selection: &Selection,
        partition: i32,
        plan: &Plan<'_>,
        newer: &mut Newer,
        ledger: &mut Ledger,
    ) -> Result<Attempt, ReplayError> {
        if plan.released.is_empty() && plan.newly_overtaken().next().is_none() {
            return Ok(Attempt::Committed);
        }
        let delivered = block_in_place(|| {
            self.sink.begin().and_then(|()| self.send(partition, plan)).and_then(|()| self.sink.deliver())
        });
        if let Err(failure) = delivered {
            return self.undelivered(failure, ledger).await;
        }
        // from here on whatever comes to the input, or is applied, has its outputs behind these
        let looked = match self.look_on(newer, partition, ledger).await {
            Ok(()) => self.ground.check(&self.admin, self.programs.keys()).await,
            failed => failed,
        };
        let released = plan.released.iter().filter_map(|(held, _)| self.key(selection, held));
        let overtaken = released.into_iter().any(|(offset, key)| newer.has_overtaken(offset, key));
        if looked.is_err() || overtaken {
            self.abort(ledger).await?;
            return looked.map(|()| Attempt::Overtaken);
        }
        block_in_place(|| self.sink.commit_alone()).map_err(broken)?;
        Ok(Attempt::Committed)
    }

    /// Undoes a transaction that could not be delivered, and says why.
    async fn undelivered(&mut self, failure: Failure, ledger: &mut Ledger) -> Result<Attempt, ReplayError> {
        let Failure::Abort(error) = failure else { return Err(broken(failure)) };
        let kinds = self.abort(ledger).await?.into_iter().map(|failed| failed.kind);
        let refused = kinds.chain([error.kind()]).find_map(refusal);
        refused.map(Attempt::Refused).ok_or(ReplayError::Write(error))
    }

    /// Undoes the open transaction. Where that took another producer, another replay may have been at work in between: what is
    /// marked is read anew.
    async fn abort(&mut self, ledger: &mut Ledger) -> Result<Vec<Undelivered>, ReplayError> {
        let aborted = block_in_place(|| self.sink.abort()).map_err(broken)?;
        if aborted.is_anew {
            self.routes = Routes::of(&self.sink, &self.programs).map_err(ReplayError::SetUp)?;
            let quarantine = &self.programs.product.topics.quarantine;
            *ledger = Ledger::read(&self.kafka, quarantine, &self.ground.standings).await?;
        }
        Ok(aborted.undelivered)
    }

    fn send(&self, partition: i32, plan: &Plan<'_>) -> Result<(), Failure> {
        for (tag, (held, views)) in plan.released.iter().enumerate() {
            for (topic, port) in self.routes.views.iter().zip(&views.ports) {
                let headers = views.headers(&self.programs.product, &held.envelope, held.source_offset);
                self.send_one(Outgoing {
                    topic,
                    partition,
                    key: port.key.as_deref(),
                    value: port.value.as_deref(),
                    timestamp_ms: held.timestamp_ms,
                    headers: Some(headers),
                    tag,
                })?;
            }
        }
        for marker in plan.markers() {
            self.send_marker(partition, &marker)?;
        }
        self.send_audit(partition, plan)
    }

    fn send_marker(&self, partition: i32, marker: &Marker) -> Result<(), Failure> {
        let product = &self.programs.product;
        let headers = marker.headers(&product.name, product.major, product.revision);
        self.send_one(Outgoing {
            topic: &self.routes.quarantine,
            partition,
            key: None,
            value: None,
            timestamp_ms: None,
            headers: Some(headers),
            tag: ASIDE,
        })
    }

    /// Who lets data out of a quarantine is written down.
    fn send_audit(&self, partition: i32, plan: &Plan<'_>) -> Result<(), Failure> {
        let product = &self.programs.product;
        let sources = || plan.released.iter().map(|(held, _)| held.source_offset);
        let event = json!({
            "event": "quarantine-replayed",
            "at_ms": now_ms(),
            "product": &*product.name,
            "major": product.major,
            "revision": product.revision,
            "partition": partition,
            "replayed": plan.released.len(),
            "overtaken": plan.newly_overtaken().count(),
            "source_offsets": { "first": sources().min(), "last": sources().max() },
        });
        self.send_one(Outgoing {
            topic: &self.routes.audit,
            partition: 0,
            key: None,
            value: Some(event.to_string().as_bytes()),
            timestamp_ms: None,
            headers: None,
            tag: ASIDE,
        })
    }

    fn send_one(&self, outgoing: Outgoing<'_>) -> Result<(), Failure> {
        self.sink.send(outgoing).map_err(|refusal| match refusal {
            Refusal::Record(error) => Failure::Abort(error),
            Refusal::Transaction(failure) => failure,
        })
    }

    /// Counts what is certain now.
    fn settle(&self, partition: i32, plan: &Plan<'_>, ledger: &mut Ledger, report: &mut Report, dry_run: bool) {
        report.already += plan.already;
        report.replayed += plan.released.len() as u64;
        report.overtaken += plan.overtaken.len() as u64;
        for reason in &plan.refused {
            *report.refused.entry(reason.code()).or_default() += 1;
        }
        if !dry_run {
            plan.markers().for_each(|marker| ledger.mark(partition, &marker));
        }
    }
}

impl Plan<'_> {
    /// What is to be remembered of the records; what is known already is not said again.
    fn markers(&self) -> impl Iterator<Item = Marker> {
        let marker =
            |held: &Held, outcome| Marker { outcome, of_offset: held.offset, source_offset: held.source_offset };
        let released = self.released.iter().map(move |(held, _)| marker(held, Outcome::Replayed));
        released.chain(self.newly_overtaken().map(move |held| marker(held, Outcome::Overtaken)))
    }

    fn newly_overtaken(&self) -> impl Iterator<Item = &Held> {
        self.overtaken.iter().copied().filter(|held| !held.is_marked)
    }
}

/// Why an output does not take a record, if that is the record's own fault.
fn refusal(kind: ErrorKind) -> Option<Reason> {
    match kind {
        ErrorKind::TooLarge => Some(Reason::OutputTooLarge),
        ErrorKind::Invalid => Some(Reason::OutputRefused),
        _ => None,
    }
}

fn broken(failure: Failure) -> ReplayError {
    let (Failure::Abort(error) | Failure::Close(error)) = failure;
    ReplayError::Write(error)
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
