//! A task's runs, as lineage knows them: one for each product and revision that it serves, from its first record to the
//! day that it serves it no more.
//!
//! What a run did to a partition rides in the committed offset's metadata: exact, as the offset is. Whoever takes the
//! partition over after a crash tells lineage what the run did and had no time to tell, and carries it along until that is
//! done.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use mesh_contract::AppliedProduct;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{counts::Tally, product::Product};

/// How many runs' marks ride with a partition at most: each takes some 120 of the 4,096 bytes that Kafka admits, and is
/// there for no longer than lineage is away.
const MARKS_MAX: usize = 6;
/// How many runs are remembered as told.
const TOLD_MAX: usize = 1_024;

/// What a run did to a partition, as committed with its offset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunMark {
    #[serde(rename = "id")]
    pub(crate) run: Uuid,
    /// Whose: the task's replica and number.
    #[serde(rename = "of")]
    pub(crate) worker: String,
    #[serde(rename = "from")]
    pub(crate) first: i64,
    #[serde(rename = "to")]
    pub(crate) last: i64,
    #[serde(rename = "n")]
    pub(crate) records: u64,
    #[serde(rename = "b")]
    pub(crate) bytes: u64,
    #[serde(rename = "q", default)]
    pub(crate) quarantined: u64,
}

impl RunMark {
    /// What the run will have done, once the transaction of this tally is committed.
    fn after(before: Option<&Self>, run: Uuid, worker: &str, tally: &Tally) -> Self {
        RunMark {
            run,
            worker: worker.to_owned(),
            first: before.map_or(tally.first, |mark| mark.first),
            last: tally.last,
            records: before.map_or(0, |mark| mark.records) + tally.records,
            bytes: before.map_or(0, |mark| mark.bytes) + tally.bytes,
            quarantined: before.map_or(0, |mark| mark.quarantined) + tally.quarantined_in_all(),
        }
    }
}

/// The runs of others of which lineage has been told all there is: their marks need not ride along any more. Shared by the
/// tasks and whoever tells.
#[derive(Debug, Clone, Default)]
pub(crate) struct ToldRuns(Arc<Mutex<VecDeque<Uuid>>>);

impl ToldRuns {
    /// Remembers runs; the oldest are forgotten, and their marks ride along for longer than they need.
    pub(crate) fn note(&self, runs: impl IntoIterator<Item = Uuid>) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.extend(runs);
        let excess = told.len().saturating_sub(TOLD_MAX);
        told.drain(..excess);
    }

    pub(crate) fn has(&self, run: Uuid) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&run)
    }
}

/// The open runs of a task; there are few.
#[derive(Debug)]
pub(crate) struct Runs {
    open: Vec<(Served, Uuid)>,
    worker: String,
    told: ToldRuns,
    /// Whether lineage is told at all.
    is_on: bool,
}

/// A product under a revision.
type Served = (Uuid, u32, u64);

impl Runs {
    pub(crate) fn new(worker: String, told: ToldRuns, is_on: bool) -> Self {
        Runs { open: Vec::new(), worker, told, is_on }
    }

    /// The run of a product, begun if there is none.
    pub(crate) fn of(&mut self, product: &Product) -> Uuid {
        let served = served(&product.applied);
        if let Some((_, run)) = self.open.iter().find(|(of, _)| *of == served) {
            return *run;
        }
        let run = Uuid::now_v7();
        self.open.push((served, run));
        run
    }

    /// The marks of a partition, once the transaction of this tally is committed: the run's own, and those of former
    /// owners that lineage was not told of yet.
    pub(crate) fn marks_after(&mut self, before: &[RunMark], product: &Product, tally: &Tally) -> Vec<RunMark> {
        if !self.is_on {
            return Vec::new();
        }
        let run = self.of(product);
        let own = before.iter().find(|mark| mark.run == run);
        let mut marks = self.untold(before);
        marks.push(RunMark::after(own, run, &self.worker, tally));
        let excess = marks.len().saturating_sub(MARKS_MAX);
        marks.drain(..excess);
        marks
    }

    /// The marks of former owners that lineage was not told of yet.
    pub(crate) fn untold(&self, marks: &[RunMark]) -> Vec<RunMark> {
        let own = |run: Uuid| self.open.iter().any(|(_, open)| *open == run);
        marks.iter().filter(|mark| !own(mark.run) && !self.told.has(mark.run)).cloned().collect()
    }

    /// The runs of products that are served no more; they are over.
    pub(crate) fn over<'p>(&mut self, still: impl Iterator<Item = &'p Product>) -> Vec<Uuid> {
        let still: Vec<Served> = still.map(|product| served(&product.applied)).collect();
        let (open, over): (Vec<_>, Vec<_>) = self.open.drain(..).partition(|(of, _)| still.contains(of));
        self.open = open;
        over.into_iter().map(|(_, run)| run).collect()
    }
}

fn served(applied: &AppliedProduct) -> Served {
    (applied.contract.unique_id, applied.contract.version, applied.revision)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn tally(offsets: std::ops::Range<i64>) -> Tally {
        let mut tally = Tally::default();
        offsets.for_each(|offset| tally.record(offset, 10));
        tally.quarantined("truncated");
        tally
    }

    fn product(revision: u64) -> Product {
        let text = "unique_id: 7c9e6679-7425-40de-944b-e07fc1f90ae7\nowner: shop\nname: buyers\nversion: 1\n\
                    description: Who buys.\nschema: schemas/shop/buyer.avsc\nkey: id\nrefresh_rate: hour\n\
                    history: 2 days\nstorage: stream\nsensitive_columns: []\naccess_group: analysts\ndependencies: []\n";
        let contract = mesh_contract::parse_contract("topics/shop/buyers.yaml", text).unwrap().value;
        let fields = serde_json::json!([{"name": "id", "type": "string"}]);
        let schema = serde_json::json!({"type": "record", "name": "Buyer", "fields": fields});
        Product::new(AppliedProduct { revision, applied_at_ms: 0, contract, schema })
    }

    fn runs(told: &ToldRuns) -> Runs {
        Runs::new("0.0".to_owned(), told.clone(), true)
    }

    #[test]
    fn marks_count_on_within_a_run_and_stay_until_they_are_told() {
        let (told, product) = (ToldRuns::default(), product(1));
        let seen =
            |marks: &[RunMark]| marks.iter().map(|mark| (mark.first, mark.last, mark.records)).collect::<Vec<_>>();
        let mut killed = runs(&told);
        let marks = killed.marks_after(&[], &product, &tally(5..8));
        let marks = killed.marks_after(&marks, &product, &tally(8..20));
        assert_eq!((seen(&marks), marks[0].bytes, marks[0].quarantined), (vec![(5, 19, 15)], 150, 2));

        let mut successor = runs(&told);
        let carried = successor.marks_after(&marks, &product, &tally(20..21));
        assert_eq!(seen(&carried), [(5, 19, 15), (20, 20, 1)]);
        told.note([marks[0].run]);
        let rest = successor.marks_after(&carried, &product, &tally(21..22));
        assert_eq!(seen(&rest), [(20, 21, 2)]);
    }

    #[test]
    fn a_run_that_ends_leaves_the_marks_of_others() {
        let (told, product) = (ToldRuns::default(), product(1));
        let killed = runs(&told).marks_after(&[], &product, &tally(5..8));
        let mut successor = runs(&told);
        let marks = successor.marks_after(&killed, &product, &tally(8..9));
        assert_eq!(successor.untold(&marks), killed);
        told.note([killed[0].run]);
        assert_eq!(successor.untold(&marks), []);
    }

    #[test]
    fn marks_are_few() {
        let (told, product) = (ToldRuns::default(), product(1));
        let marks = (0..20).fold(Vec::new(), |marks, at| runs(&told).marks_after(&marks, &product, &tally(at..at + 1)));
        assert_eq!((marks.len(), marks.last().unwrap().last), (MARKS_MAX, 19));
        let text = serde_json::to_string(&marks).unwrap();
        assert!(text.len() < 1_000, "{text}");
    }

    #[test]
    fn without_lineage_there_is_no_mark() {
        let mut off = Runs::new("0.0".to_owned(), ToldRuns::default(), false);
        assert_eq!(off.marks_after(&[], &product(1), &tally(0..5)), []);
    }

    #[test]
    fn a_run_is_over_when_its_revision_is() {
        let (mut runs, one, two) = (runs(&ToldRuns::default()), product(1), product(2));
        let first = runs.of(&one);
        assert_eq!((runs.of(&one), runs.over([&one].into_iter())), (first, vec![]));
        assert_ne!(runs.of(&two), first);
        assert_eq!(runs.over([&two].into_iter()), [first]);
    }

    #[test]
    fn a_mark_is_a_short_text_that_later_versions_read() {
        let mark = RunMark::after(None, Uuid::from_u128(7), "0.0", &tally(5..8));
        let text = serde_json::to_string(&mark).unwrap();
        let expected = r#"{"id":"00000000-0000-0000-0000-000000000007","of":"0.0","from":5,"to":7,"n":3,"b":30,"q":1}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<RunMark>(&text).unwrap(), mark);
    }
}
