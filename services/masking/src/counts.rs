//! What a task has moved, counted where it is cheap and told where it is wanted.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{metrics::Meters, product::Product, run::RunMark};

/// How often a task tells what it has moved.
const TELL_INTERVAL: Duration = Duration::from_secs(1);
/// How many tellings may wait.
pub(crate) const QUEUE_CAPACITY: usize = 256;

/// What one transaction does to one partition. Taken over only once it is committed.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    pub(crate) dropped_fields: u64,
    pub(crate) dropped_keys: u64,
    /// About subjects that were forgotten.
    pub(crate) forgotten: u64,
    pub(crate) tombstones: u64,
    /// By reason; there are few.
    pub(crate) quarantined: Vec<(&'static str, u64)>,
    /// Records that were let through, by the id of their schema; there are few.
    pub(crate) schemas: Vec<(u32, u64)>,
}

impl Tally {
    pub(crate) fn record(&mut self, offset: i64, bytes: usize) {
        if self.records == 0 {
            self.first = offset;
        }
        self.last = offset;
        self.records += 1;
        self.bytes += bytes as u64;
    }

    pub(crate) fn quarantined(&mut self, reason: &'static str) {
        match self.quarantined.iter_mut().find(|(of, _)| *of == reason) {
            Some((_, count)) => *count += 1,
            None => self.quarantined.push((reason, 1)),
        }
    }

    pub(crate) fn masked(&mut self, schema_id: u32) {
        // most often the one before
        match self.schemas.iter_mut().rev().find(|(of, _)| *of == schema_id) {
            Some((_, count)) => *count += 1,
            None => self.schemas.push((schema_id, 1)),
        }
    }

    pub(crate) fn quarantined_in_all(&self) -> u64 {
        self.quarantined.iter().map(|(_, count)| count).sum()
    }

    pub(crate) fn clear(&mut self) {
        let (mut quarantined, mut schemas) = (std::mem::take(&mut self.quarantined), std::mem::take(&mut self.schemas));
        quarantined.clear();
        schemas.clear();
        *self = Tally { quarantined, schemas, ..Tally::default() };
    }

    pub(crate) fn count(&self, meters: &Meters) {
        meters.records_in(self.records, self.bytes);
        meters.out(self.records - self.quarantined_in_all());
        meters.dropped(self.dropped_fields, self.dropped_keys);
        meters.forgotten(self.forgotten);
        self.quarantined.iter().for_each(|(reason, count)| meters.quarantined(reason, *count));
    }
}

/// What was moved of one partition under one revision since it was last told.
#[derive(Debug, Clone)]
pub(crate) struct Moved {
    pub(crate) run: Uuid,
    pub(crate) product: Arc<Product>,
    pub(crate) partition: i32,
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    pub(crate) quarantined: u64,
}

/// What a task tells lineage.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// What was moved.
    pub(crate) moved: Vec<Moved>,
    /// What other runs had done to partitions that were taken over.
    pub(crate) inherited: Vec<Inherited>,
    /// Runs that are over, in which all that is told before is counted.
    pub(crate) ended: Vec<(Uuid, End)>,
}

/// What another run had done to a partition.
#[derive(Debug, Clone)]
pub(crate) struct Inherited {
    pub(crate) product: Arc<Product>,
    pub(crate) partition: i32,
    pub(crate) mark: RunMark,
    /// The revision that it was done under.
    pub(crate) revision: u64,
    /// Whether that run is certain to be over: its task is the one that was fenced by this one.
    pub(crate) is_over: bool,
}

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// Nothing is left to do: told to stop, handed over, or under another contract.
    Complete,
    /// Its partitions were lost.
    Abort,
    /// It broke, for this reason.
    Fail(String),
}

/// A task's way to tell what it has moved: never waits, and loses nothing when nobody listens in time, for what was not
/// told is told with the next.
pub(crate) struct Teller {
    queue: mpsc::Sender<Told>,
    untold: HashMap<(Uuid, i32), Moved>,
    inherited: Vec<Inherited>,
    ended: Vec<(Uuid, End)>,
    told: Instant,
}

impl Teller {
    pub(crate) fn new(queue: mpsc::Sender<Told>) -> Self {
        Teller { queue, untold: HashMap::new(), inherited: Vec::new(), ended: Vec::new(), told: Instant::now() }
    }

    pub(crate) fn inherit(&mut self, inherited: Inherited) {
        self.inherited.push(inherited);
    }

    pub(crate) fn end(&mut self, run: Uuid, how: End) {
        self.ended.push((run, how));
    }

    pub(crate) fn add(&mut self, run: Uuid, product: &Arc<Product>, partition: i32, tally: &Tally) {
        let moved = self.untold.entry((run, partition)).or_insert_with(|| Moved {
            run,
            product: product.clone(),
            partition,
            first: tally.first,
            last: tally.last,
            records: 0,
            bytes: 0,
            quarantined: 0,
        });
        moved.last = tally.last;
        moved.records += tally.records;
        moved.bytes += tally.bytes;
        moved.quarantined += tally.quarantined_in_all();
    }

    /// Tells, if it is time to.
    pub(crate) fn tell(&mut self) {
        if self.told.elapsed() >= TELL_INTERVAL {
            self.tell_now();
        }
    }

    pub(crate) fn tell_now(&mut self) {
        self.told = Instant::now();
        if self.untold.is_empty() && self.inherited.is_empty() && self.ended.is_empty() {
            return;
        }
        let Ok(permit) = self.queue.try_reserve() else { return };
        permit.send(Told {
            moved: self.untold.drain().map(|(_, moved)| moved).collect(),
            inherited: std::mem::take(&mut self.inherited),
            ended: std::mem::take(&mut self.ended),
        });
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use mesh_contract::{AppliedProduct, parse_contract};
    use serde_json::json;

    use super::*;

    pub(crate) fn product() -> Arc<Product> {
        let text = "unique_id: 7c9e6679-7425-40de-944b-e07fc1f90ae7\nowner: shop\nname: buyers\nversion: 1\n\
                    description: Who buys.\nschema: schemas/shop/buyer.avsc\nkey: id\nrefresh_rate: hour\n\
                    history: 2 days\nstorage: stream\nsensitive_columns: []\naccess_group: analysts\ndependencies: []\n";
        let contract = parse_contract("topics/shop/buyers.yaml", text).unwrap().value;
        let schema = json!({"type": "record", "name": "Buyer", "fields": [{"name": "id", "type": "string"}]});
        Arc::new(Product::new(AppliedProduct { revision: 1, applied_at_ms: 0, contract, schema }))
    }

    fn tally(offsets: std::ops::Range<i64>) -> Tally {
        let mut tally = Tally::default();
        offsets.for_each(|offset| tally.record(offset, 10));
        tally
    }

    #[test]
    fn a_tally_counts_reasons_apart() {
        let mut tally = tally(5..9);
        ["truncated", "null-key", "truncated"].into_iter().for_each(|reason| tally.quarantined(reason));
        assert_eq!((tally.first, tally.last, tally.records, tally.bytes), (5, 8, 4, 40));
        assert_eq!(
            (tally.quarantined.clone(), tally.quarantined_in_all()),
            (vec![("truncated", 2), ("null-key", 1)], 3)
        );
        tally.clear();
        assert_eq!((tally.records, tally.quarantined_in_all()), (0, 0));
    }

    #[test]
    fn what_nobody_hears_is_told_with_the_next() {
        let (queue, mut told) = mpsc::channel(1);
        let (mut teller, product, run) = (Teller::new(queue), product(), Uuid::from_u128(1));
        for from in [0, 10, 20] {
            teller.add(run, &product, 3, &tally(from..from + 10));
            teller.tell_now();
        }
        assert_eq!(told.try_recv().unwrap().moved[0].records, 10);
        teller.tell_now();
        let rest = told.try_recv().unwrap().moved;
        assert_eq!((rest.len(), rest[0].first, rest[0].last, rest[0].records), (1, 10, 29, 20));
    }
}
