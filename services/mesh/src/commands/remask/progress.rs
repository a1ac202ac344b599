//! How far the sidecars are with a new generation.

use super::failure;
use crate::commands::product::kafka_failure;
use crate::failure::Failure;
use crate::output;
use mesh_contract::AppliedProduct;
use mesh_kafka::TopicPartition;
use mesh_kafka::admin::Admin;
use mesh_masking::remask::{Standing, standings};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const STEP: Duration = Duration::from_millis(300);
/// Nothing has moved for so long: perhaps nobody works.
const SILENCE: Duration = Duration::from_secs(10);

/// What is to be read, and how far it is.
pub(super) struct Progress {
    admin: Admin,
    product: AppliedProduct,
    generation: u64,
    /// What is to be read of each partition of the input: from, and up to.
    ranges: BTreeMap<i32, (i64, i64)>,
}

/// How far it is, of partitions and of offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub emptied: usize,
    pub partitions: usize,
    pub read: i64,
    pub to_read: i64,
}

impl Progress {
    pub(super) async fn of(admin: Admin, product: &AppliedProduct, generation: u64) -> Result<Self, Failure> {
        let input = product.contract.topics().input;
        let starts = admin.start_offsets(&[&input]).await.map_err(kafka_failure)?;
        let ends = admin.end_offsets(&[&input]).await.map_err(kafka_failure)?;
        let range = |(place, end): (TopicPartition, i64)| {
            let start = starts.get(&place).copied().unwrap_or(0);
            (place.partition, (start, end))
        };
        let ranges = ends.into_iter().map(range).collect();
        Ok(Self { admin, product: product.clone(), generation, ranges })
    }

    pub(super) fn records_to_read(&self) -> i64 {
        self.ranges.values().map(|(start, end)| end - start).sum()
    }

    /// Says how far it is until it is done.
    pub(super) async fn follow(&mut self, named: &str) -> Result<(), Failure> {
        let (mut told, mut since) = (None, Instant::now());
        loop {
            let found = standings(&self.admin, &self.product).await.map_err(failure)?;
            let count = count(&self.ranges, &found, self.generation);
            if told != Some(count) {
                output::talk(&format!("{named}: {}", text(&count)));
                (told, since) = (Some(count), Instant::now());
            }
            if count.emptied == count.partitions && count.read == count.to_read {
                return Ok(());
            }
            if since.elapsed() > SILENCE {
                let domain = &self.product.contract.owner;
                output::talk(&format!(
                    "{named}: nothing has moved for {} s; does `mesh run masking --domain {domain}` run? Its /readyz says what holds it",
                    SILENCE.as_secs()
                ));
                since = Instant::now();
            }
            tokio::time::sleep(STEP).await;
        }
    }
}

/// What the partitions' own words come to. One that nothing was ever read of has no outputs either.
pub(super) fn count(ranges: &BTreeMap<i32, (i64, i64)>, found: &BTreeMap<i32, Standing>, generation: u64) -> Count {
    let mut count = Count { emptied: 0, partitions: ranges.len(), read: 0, to_read: 0 };
    for (partition, (start, end)) in ranges {
        let standing = found.get(partition);
        let is_new = |standing: &&Standing| standing.generation >= generation && !standing.is_emptying;
        let next = standing.filter(is_new).map(|standing| standing.next);
        count.emptied += usize::from(next.is_some() || standing.is_none());
        count.read += next.map_or(0, |next| next.clamp(*start, *end) - start);
        count.to_read += end - start;
    }
    count
}

/// `3 of 4 partitions emptied, 120 of 4,000 offsets read`
pub(super) fn text(count: &Count) -> String {
    let Count { emptied, partitions, read, to_read } = count;
    format!("{emptied} of {partitions} partitions emptied, {read} of {to_read} offsets read")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(generation: u64, is_emptying: bool, next: i64) -> Standing {
        Standing { generation, from: 0, is_emptying, next }
    }

    #[test]
    fn only_what_is_read_for_the_new_generation_counts() {
        let ranges = [(0, (10, 30)), (1, (0, 5)), (2, (0, 7)), (3, (0, 0))].into();
        let found = [(0, standing(2, false, 25)), (1, standing(2, true, 5)), (2, standing(1, false, 7))].into();
        let count = count(&ranges, &found, 2);
        assert_eq!(count, Count { emptied: 2, partitions: 4, read: 15, to_read: 32 });
        assert_eq!(text(&count), "2 of 4 partitions emptied, 15 of 32 offsets read");
    }
}
