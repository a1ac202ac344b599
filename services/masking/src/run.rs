//! A task's runs, as lineage knows them: one for each product and revision that it serves, from its first record to the
//! day that it serves it no more.
//!
//! What a run did to a partition rides in the committed offset's metadata: exact, as the offset is. Whoever takes the
//! partition over after a crash tells lineage what the run did and had no time to tell.

use mesh_contract::AppliedProduct;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{counts::Tally, product::Product};

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
    /// What the run will have done, once the transaction of this tally is committed. `before`: what was committed with the
    /// partition's offset, of this run or another.
    pub(crate) fn after(before: Option<&Self>, run: Uuid, worker: &str, tally: &Tally) -> Self {
        let own = before.filter(|mark| mark.run == run);
        RunMark {
            run,
            worker: worker.to_owned(),
            first: own.map_or(tally.first, |mark| mark.first),
            last: tally.last,
            records: own.map_or(0, |mark| mark.records) + tally.records,
            bytes: own.map_or(0, |mark| mark.bytes) + tally.bytes,
            quarantined: own.map_or(0, |mark| mark.quarantined) + tally.quarantined_in_all(),
        }
    }
}

/// The open runs of a task; there are few.
#[derive(Debug, Default)]
pub(crate) struct Runs(Vec<(Served, Uuid)>);

/// A product under a revision.
type Served = (uuid::Uuid, u32, u64);

impl Runs {
    /// The run of a product, begun if there is none.
    pub(crate) fn of(&mut self, product: &Product) -> Uuid {
        let served = served(&product.applied);
        if let Some((_, run)) = self.0.iter().find(|(of, _)| *of == served) {
            return *run;
        }
        let run = Uuid::now_v7();
        self.0.push((served, run));
        run
    }

    /// The runs of products that are served no more; they are over.
    pub(crate) fn over<'p>(&mut self, still: impl Iterator<Item = &'p Product>) -> Vec<Uuid> {
        let still: Vec<Served> = still.map(|product| served(&product.applied)).collect();
        let (open, over) = std::mem::take(&mut self.0).into_iter().partition(|(of, _)| still.contains(of));
        self.0 = open;
        let over: Vec<(Served, Uuid)> = over;
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

    #[test]
    fn a_mark_counts_on_within_its_run_and_anew_in_another() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let first = RunMark::after(None, one, "0.0", &tally(5..8));
        let second = RunMark::after(Some(&first), one, "0.0", &tally(8..20));
        let seen = |mark: &RunMark| (mark.first, mark.last, mark.records, mark.bytes, mark.quarantined);
        assert_eq!(seen(&second), (5, 19, 15, 150, 2));
        let taken_over = RunMark::after(Some(&second), other, "1.0", &tally(20..21));
        assert_eq!(seen(&taken_over), (20, 20, 1, 10, 1));
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
