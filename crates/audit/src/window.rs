//! The newest entries, so many of them: what an entry may name.

use std::collections::{HashMap, VecDeque};

use crate::digest::Digest;

/// The newest entries of an audit, found by their hash in constant time. Of bounded size.
#[derive(Debug)]
pub(crate) struct Window {
    capacity: usize,
    recent: VecDeque<Seen>,
    /// By hash, which entry it is, from 1; of those that are there twice the later.
    numbers: HashMap<Digest, u64>,
    /// How many entries there ever were.
    total: u64,
}

/// An entry that was seen lately.
#[derive(Clone, Copy, Debug)]
struct Seen {
    hash: Digest,
    /// The digest of all entries up to this one; none if the beginning is gone.
    all: Option<Digest>,
}

impl Window {
    pub(crate) fn new(capacity: usize) -> Window {
        Window { capacity, recent: VecDeque::new(), numbers: HashMap::new(), total: 0 }
    }

    /// One more entry, and the digest of all up to it if that is known.
    pub(crate) fn see(&mut self, hash: Digest, all: Option<Digest>) {
        self.total += 1;
        self.recent.push_back(Seen { hash, all });
        self.numbers.insert(hash, self.total);
        if self.recent.len() > self.capacity {
            let forgotten = self.total - self.recent.len() as u64 + 1;
            if let Some(Seen { hash, .. }) = self.recent.pop_front()
                && self.numbers.get(&hash) == Some(&forgotten)
            {
                self.numbers.remove(&hash);
            }
        }
    }

    /// Whether no entry is forgotten yet.
    pub(crate) fn has_all(&self) -> bool {
        self.total == self.recent.len() as u64
    }

    /// Which entry this is, from 1; of those that are there twice the later. None if it is older than what is remembered, or nowhere.
    pub(crate) fn number(&self, hash: Digest) -> Option<u64> {
        self.numbers.get(&hash).copied()
    }

    /// The digest of all entries up to this one, which is [remembered](Window::number).
    pub(crate) fn all_up_to(&self, number: u64) -> Option<Digest> {
        self.recent.get(self.index(number)).and_then(|seen| seen.all)
    }

    /// From now on this is the digest of all entries up to a remembered one; of all up to the newest it is what is returned.
    pub(crate) fn set_all_up_to(&mut self, number: u64, digest: Digest) -> Digest {
        let index = self.index(number);
        let mut all = digest;
        for (place, seen) in self.recent.iter_mut().enumerate().skip(index) {
            if place > index {
                all = all.and(seen.hash);
            }
            seen.all = Some(all);
        }
        all
    }

    /// The newest entry and the digest of all up to it; where the beginning is gone, of it alone.
    pub(crate) fn head(&mut self) -> Option<(Digest, Digest)> {
        let newest = self.recent.back_mut()?;
        Some((newest.hash, *newest.all.get_or_insert_with(|| Digest::EMPTY.and(newest.hash))))
    }

    fn index(&self, number: u64) -> usize {
        let first = self.total - self.recent.len() as u64 + 1;
        usize::try_from(number.saturating_sub(first)).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn hash(entry: u64) -> Digest {
        Digest::of_entry(b"", &entry.to_be_bytes())
    }

    /// Entries from 1 on, of which so many are remembered.
    fn window(capacity: usize, entries: u64) -> Window {
        let mut window = Window::new(capacity);
        let mut all = Digest::EMPTY;
        for entry in 1..=entries {
            all = all.and(hash(entry));
            window.see(hash(entry), Some(all));
        }
        window
    }

    #[test]
    fn so_many_are_remembered_and_no_more() {
        let window = window(3, 5);
        let found: Vec<Option<u64>> = (1..=6).map(|entry| window.number(hash(entry))).collect();
        assert_eq!(found, [None, None, Some(3), Some(4), Some(5), None]);
        assert_eq!((window.recent.len(), window.numbers.len(), window.has_all()), (3, 3, false));
        assert!(super::tests::window(3, 3).has_all());
    }

    #[test]
    fn what_is_there_twice_is_found_until_the_later_is_forgotten() {
        let mut window = window(3, 2);
        window.see(hash(1), None);
        assert_eq!(window.number(hash(1)), Some(3));
        (10..12).for_each(|entry| window.see(hash(entry), None));
        assert_eq!(window.number(hash(1)), Some(3), "the first is forgotten, the second is not");
        window.see(hash(12), None);
        assert_eq!((window.number(hash(1)), window.numbers.len()), (None, 3));
    }

    #[test]
    fn a_digest_that_is_set_is_gone_on_from() {
        let mut window = window(4, 6);
        let before = window.all_up_to(4);
        let newest = window.set_all_up_to(5, Digest::EMPTY);
        assert_eq!(newest, Digest::EMPTY.and(hash(6)));
        assert_eq!((window.all_up_to(5), window.all_up_to(4)), (Some(Digest::EMPTY), before));
        assert_eq!(window.head(), Some((hash(6), newest)));
    }

    proptest! {
        #[test]
        fn it_finds_what_a_walk_back_would(entries in prop::collection::vec(0u64..12, 0..80), capacity in 1usize..10) {
            let mut window = Window::new(capacity);
            for (told, entry) in entries.iter().enumerate() {
                window.see(hash(*entry), None);
                let recent = &entries[(told + 1).saturating_sub(capacity)..=told];
                let first = told + 1 - recent.len();
                for asked in 0..12 {
                    let place = recent.iter().rposition(|entry| *entry == asked);
                    prop_assert_eq!(window.number(hash(asked)), place.map(|place| (first + place + 1) as u64));
                }
                prop_assert!(window.numbers.len() <= capacity);
            }
        }
    }
}
