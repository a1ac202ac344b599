use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// With some records of which no partition is known.
fn counted(elsewhere: u64, partitions: &[(i32, u64)]) -> Counted {
    let partitions: Vec<_> = partitions.iter().map(|(at, records)| PartitionRange::of_records(*at, *records)).collect();
    Counted { records: elsewhere + partitions.iter().map(|range| range.records).sum::<u64>(), partitions }
}

fn whole(records: u64) -> Counted {
    Counted { records, partitions: Vec::new() }
}

fn merged<'a>(events: impl IntoIterator<Item = &'a Counted>) -> (Tally, u64) {
    let mut tally = Tally::default();
    let news = events.into_iter().map(|event| tally.merge(event, usize::MAX).records).sum();
    (tally, news)
}

#[test]
fn events_that_each_tell_some_partitions_add_up() {
    let last_words = counted(0, &[(0, 100), (1, 50)]);
    let successors = [counted(0, &[(0, 120)]), counted(0, &[(1, 80)])];
    let (tally, news) = merged([&last_words, &successors[0], &successors[1], &successors[0]]);
    assert_eq!((tally.records(), news), (200, 200));
}

#[test]
fn the_same_records_in_total_and_by_partition_are_counted_once() {
    assert_eq!(merged([&whole(10), &counted(0, &[(0, 6), (1, 4)])]).1, 10);
    assert_eq!(merged([&counted(0, &[(0, 6), (1, 4)]), &whole(10)]).1, 10);
    assert_eq!(merged([&counted(3, &[(0, 6)]), &counted(0, &[(1, 5)])]).1, 14);
}

#[test]
fn partitions_beyond_the_room_are_left_out_and_the_total_of_the_event_holds() {
    let mut tally = Tally::default();
    assert_eq!(tally.merge(&counted(0, &[(0, 1), (1, 2), (2, 3)]), 2), News { records: 6, is_whole: false });
    assert_eq!((tally.len(), tally.merge(&counted(0, &[(0, 1), (1, 2)]), 0).is_whole), (3, true));
}

#[test]
fn counts_that_cannot_be_added_up_are_the_largest_number() {
    let hostile = Counted {
        records: u64::MAX,
        partitions: vec![PartitionRange::of_records(-1, u64::MAX), PartitionRange::of_records(7, u64::MAX)],
    };
    assert_eq!(merged([&hostile, &hostile]).1, u64::MAX);
}

/// Events with counts that grow; each tells some of the partitions, or only the total.
fn events() -> impl Strategy<Value = Vec<Counted>> {
    let event = prop_oneof![
        4 => (0_u64..50, vec((0_i32..6, 1_u64..1_000), 1..5)).prop_map(|(elsewhere, parts)| {
            let parts: Vec<_> = parts.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect();
            counted(elsewhere, &parts)
        }),
        1 => (0_u64..1_000).prop_map(whole),
    ];
    vec(event, 0..12)
}

proptest! {
    #[test]
    fn neither_order_nor_repetition_matters(
        (events, shuffled) in events().prop_flat_map(|events| {
            let twice: Vec<_> = events.iter().chain(&events).cloned().collect();
            (Just(events), Just(twice).prop_shuffle())
        })
    ) {
        let ((once, news), (again, same_news)) = (merged(&events), merged(&shuffled));
        prop_assert_eq!(&once, &again);
        prop_assert_eq!((news, same_news), (once.records(), once.records()));
    }

    #[test]
    fn the_greatest_count_of_each_partition_is_in_the_sum(
        told in vec(vec((0_i32..8, 1_u64..1_000), 1..8), 1..12)
    ) {
        let mut greatest = BTreeMap::new();
        let mut events = Vec::new();
        for parts in told {
            let parts: BTreeMap<i32, u64> = parts.into_iter().collect();
            for (at, records) in &parts {
                let known = greatest.entry(*at).or_insert(0);
                *known = (*records).max(*known);
            }
            events.push(counted(0, &parts.into_iter().collect::<Vec<_>>()));
        }
        prop_assert_eq!(merged(&events).1, greatest.values().sum::<u64>());
    }
}
