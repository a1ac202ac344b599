//! One partition that a task holds: the contract in force, the programs at hand, and what keeps it waiting.

mod account;
mod keys;

use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use mesh_kafka::{
    sink::{Sink, Topic},
    source::{Assigned, Committed, Slot},
};

pub(crate) use self::keys::KeysInForce;
use super::{metadata::Metadata, output::Routes};
use crate::{
    audit::Account,
    catalogue::Products,
    counts::Tally,
    lookup::{Answer, Lookups, Prepared, Runner, Ticket, Wanted},
    metrics::{Lag, Meters},
    product::Product,
    quarantine::Reason,
    remask::OutputMark,
    run::RunMark,
    trouble::Trouble,
};

/// How long a batch waits for a lookup before it goes on without the partition: most take a few milliseconds.
const PATIENCE: Duration = Duration::from_millis(20);

/// A partition that a task holds.
pub(super) struct Part {
    pub(super) slot: Slot,
    pub(super) topic: Arc<str>,
    pub(super) partition: i32,
    /// The contract in force; none if there is none for the topic (any more).
    pub(super) product: Option<Arc<Product>>,
    /// No revision before this one is ever in force again.
    revision_floor: u64,
    keys: KeysInForce,
    /// What is committed with the offsets.
    pub(super) metadata: String,
    /// What was done and is committed, but not told yet, and the revision that it was done under.
    account: Account,
    account_revision: u64,
    /// What runs did here and lineage may not know, as committed; the newest last.
    marks: Vec<RunMark>,
    /// As both will be once the open transaction is committed.
    staged: Option<(Account, Vec<RunMark>)>,
    /// How far the outputs are, as committed; and the generation that is asked for.
    pub(super) outputs: OutputMark,
    pub(super) generation_wanted: u64,
    /// What is being done to the outputs.
    pub(super) errand: Option<Arc<Runner>>,
    /// The next offset as committed; none before the first commit.
    pub(super) committed: Option<i64>,
    pub(super) meters: Option<Meters>,
    pub(super) lag: Option<Lag>,
    ready: Option<Ready>,
    programs: Vec<(u32, Arc<Prepared>)>,
    /// Schema ids whose records are refused, up to an offset: records after it may have been written when the registry
    /// knew better.
    refused: Vec<(u32, i64, Reason)>,
    pub(super) hold: Option<Hold>,
    /// The first offset of a batch that time was too short for.
    pub(super) leftover: Option<i64>,
    /// The record at this offset goes into quarantine for this reason, whatever processing says: its outputs failed.
    pub(super) condemned: Option<(i64, Reason)>,
    /// What the open transaction does to the partition.
    pub(super) tally: Tally,
    /// The next offset after the open transaction; none while it does nothing to the partition.
    pub(super) next: Option<i64>,
}

/// Why and where a partition waits.
pub(super) struct Hold {
    /// The first offset that is not processed.
    pub(super) offset: i64,
    pub(super) cause: Cause,
}

/// What a partition waits for.
#[derive(Clone)]
pub(super) enum Cause {
    /// A lookup, by a record at or before an offset.
    Lookup { ticket: Arc<Ticket>, wanted: Wanted, up_to: i64 },
    /// Another contract.
    Contract(Trouble),
    /// A while, to try again then.
    Until(Instant, Trouble),
    /// Its outputs to be emptied.
    Remask,
}

/// What every record of a partition needs.
#[derive(Clone)]
pub(super) struct Ready {
    pub(super) base: Arc<Prepared>,
    pub(super) routes: Rc<Routes>,
}

/// What there is for a record.
pub(super) enum Found {
    Ready(Arc<Prepared>),
    Refused(Reason),
    Wait(Cause),
}

impl Part {
    pub(super) fn new(assigned: &Assigned, committed: Option<&Committed>) -> Self {
        let found = committed.map(|committed| Metadata::read(&assigned.topic, &committed.metadata)).unwrap_or_default();
        let offset = committed.map(|committed| committed.offset);
        Part {
            slot: assigned.slot,
            topic: assigned.topic.clone(),
            partition: assigned.partition,
            product: None,
            revision_floor: found.rev,
            keys: KeysInForce::since(found.keys),
            metadata: String::new(),
            account: found.audit,
            account_revision: found.rev,
            marks: found.runs,
            staged: None,
            generation_wanted: found.outputs.generation,
            errand: None,
            hold: found.outputs.is_emptying.then(|| Hold { offset: offset.unwrap_or(0), cause: Cause::Remask }),
            outputs: found.outputs,
            committed: offset,
            meters: None,
            lag: None,
            ready: None,
            programs: Vec::new(),
            refused: Vec::new(),
            leftover: None,
            condemned: None,
            tally: Tally::default(),
            next: None,
        }
    }

    /// Puts the newest contract in force, between two batches. Whether the partition need not wait for it any more.
    pub(super) fn adopt(&mut self, products: &Products) -> bool {
        let newest = products.by_input(&self.topic);
        self.generation_wanted = newest.map_or(self.generation_wanted, |product| products.generation(product));
        if newest.map(|product| product.identity) == self.product.as_ref().map(|product| product.identity) {
            return false;
        }
        self.product = newest.cloned();
        self.ready = None;
        self.keys.forget_base();
        self.programs.clear();
        self.refused.clear();
        if let Some(product) = &self.product {
            self.meters = Some(Meters::of(product));
            self.lag.get_or_insert_with(|| Lag::of(product, self.partition));
            self.revision_floor = self.revision_floor.max(product.revision);
        }
        true
    }

    /// The contract in force and what every record of it needs, or what to wait for.
    pub(super) fn ready(&mut self, sink: &Sink, lookups: &Lookups, up_to: i64) -> Result<(Arc<Product>, Ready), Cause> {
        let Some(product) = self.product.clone() else { return Err(Cause::Contract(Trouble::Contract)) };
        if product.work.is_err() {
            return Err(Cause::Contract(Trouble::Contract));
        }
        if product.revision < self.revision_floor {
            return Err(Cause::Contract(Trouble::ContractBehind));
        }
        if let Some(ready) = &self.ready {
            return Ok((product, ready.clone()));
        }
        let base = match find(lookups, &product, Wanted::Base, up_to) {
            Found::Ready(base) => base,
            Found::Refused(_) => return Err(Cause::Contract(Trouble::Contract)),
            Found::Wait(cause) => return Err(cause),
        };
        if !self.keys.admit_base(base.key_version) {
            return Err(Cause::Contract(Trouble::KeysBehind));
        }
        // only a name that is none fails, which no contract has
        let routes = Routes::new(sink, &product, &base).map_err(|_| Cause::Contract(Trouble::Contract))?;
        let ready = self.ready.insert(Ready { base, routes: Rc::new(routes) });
        Ok((product, ready.clone()))
    }

    /// The program for records written with a schema; `up_to` is the last offset known to be in the partition.
    pub(super) fn program(
        &mut self,
        lookups: &Lookups,
        product: &Arc<Product>,
        id: u32,
        offset: i64,
        up_to: i64,
    ) -> Found {
        if let Some((_, prepared)) = self.programs.iter().find(|(of, _)| *of == id) {
            // the base may have been made anew since, with newer keys
            return match self.keys.admit(prepared.key_version) {
                true => Found::Ready(prepared.clone()),
                false => Found::Wait(Cause::Contract(Trouble::KeysBehind)),
            };
        }
        if let Some((_, _, reason)) = self.refused.iter().find(|(of, last, _)| *of == id && offset <= *last) {
            return Found::Refused(reason.clone());
        }
        let found = find(lookups, product, Wanted::Writer(id), up_to);
        match &found {
            Found::Ready(prepared) if !self.keys.admit(prepared.key_version) => {
                return Found::Wait(Cause::Contract(Trouble::KeysBehind));
            }
            Found::Ready(prepared) => self.programs.push((id, prepared.clone())),
            Found::Refused(reason) => self.refuse(id, up_to, reason.clone()),
            Found::Wait(_) => {}
        }
        found
    }

    /// Only refusals of this run or of records read again are kept, so that there are few.
    fn refuse(&mut self, id: u32, up_to: i64, reason: Reason) {
        self.refused.retain(|(of, last, _)| *of != id && *last >= up_to);
        self.refused.push((id, up_to, reason));
    }

    /// Whether the product in force is this one.
    pub(super) fn is_of(&self, identity: u64) -> bool {
        self.product.as_ref().is_some_and(|product| product.identity == identity)
    }

    /// The product, if the partition waits because the cluster has refused its outputs.
    pub(super) fn refused_product(&self) -> Option<u64> {
        let refused = self.trouble() == Some(Trouble::OutputRefused);
        self.product.as_ref().filter(|_| refused).map(|product| product.identity)
    }

    /// Whether what the partition waits for is there; takes it.
    pub(super) fn is_over(&mut self, now: Instant) -> bool {
        let Some(hold) = &self.hold else { return false };
        match hold.cause.clone() {
            Cause::Contract(_) | Cause::Remask => false,
            Cause::Until(then, _) => now >= then,
            Cause::Lookup { ticket, wanted, up_to } => match (ticket.wait(Duration::ZERO), wanted) {
                (None, _) => false,
                // the next record asks, and finds what was found
                (Some(_), Wanted::Base) => true,
                (Some(Ok(prepared)), Wanted::Writer(id)) => {
                    // the next record asks whether its keys are in force
                    self.programs.push((id, prepared));
                    true
                }
                (Some(Err(reason)), Wanted::Writer(id)) => {
                    self.refuse(id, up_to, reason);
                    true
                }
            },
        }
    }

    /// Has the outputs looked at again before the next record.
    pub(super) fn forget_base(&mut self, lookups: &Lookups) {
        self.ready = None;
        if let Some(product) = &self.product {
            lookups.forget(product, Wanted::Base);
        }
    }

    /// The outputs as a producer knew them that is no longer used.
    pub(super) fn forget_routes(&mut self) {
        self.ready = None;
    }

    /// The contract in force, if it is known, and can be enforced.
    pub(super) fn in_force(&self) -> Option<&Arc<Product>> {
        let is_known = |product: &&Arc<Product>| product.work.is_ok() && product.revision >= self.revision_floor;
        self.product.as_ref().filter(is_known)
    }

    /// Records that are read again may be let through now.
    pub(super) fn forget_refusals(&mut self) {
        self.refused.clear();
    }

    /// Where to tell; none where nobody has made the topic, or nothing was looked up yet.
    pub(super) fn audit_topic(&self) -> Option<&Topic> {
        self.ready.as_ref()?.routes.audit.as_ref()
    }

    /// Whether there are counts that are due, and what is needed to tell them.
    pub(super) fn can_tell(&self, now_ms: i64, interval: Duration) -> bool {
        self.ready.is_some() && self.account.is_due(now_ms, interval)
    }

    /// Looks for what is needed to tell counts that are due. What cannot be had now is looked for again.
    pub(super) fn prepare_to_tell(&mut self, sink: &Sink, lookups: &Lookups, now_ms: i64, interval: Duration) {
        if let Some(committed) = self.committed.filter(|_| self.hold.is_none() && self.account.is_due(now_ms, interval))
        {
            let _ = self.ready(sink, lookups, committed);
        }
    }

    /// What operators are to be told of.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        match &self.hold.as_ref()?.cause {
            Cause::Contract(trouble) | Cause::Until(_, trouble) => Some(*trouble),
            Cause::Remask => self.errand.as_ref()?.trouble(),
            Cause::Lookup { ticket, .. } => ticket.trouble_met(),
        }
    }
}

fn find(lookups: &Lookups, product: &Arc<Product>, wanted: Wanted, up_to: i64) -> Found {
    match lookups.ask(product, wanted) {
        Answer::Ready(prepared) => Found::Ready(prepared),
        Answer::Pending(ticket) => match ticket.wait(PATIENCE) {
            Some(Ok(prepared)) => Found::Ready(prepared),
            Some(Err(reason)) => Found::Refused(reason),
            None => Found::Wait(Cause::Lookup { ticket, wanted, up_to }),
        },
    }
}
