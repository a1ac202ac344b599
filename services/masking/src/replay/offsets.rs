//! A set of offsets, kept as ranges: they mostly follow one another.

use std::collections::BTreeMap;

/// Offsets that were added; its memory grows with the gaps between them, not with their number.
#[derive(Debug, Default)]
pub(super) struct OffsetSet {
    /// The end of each range, by its start.
    ranges: BTreeMap<i64, i64>,
}

impl OffsetSet {
    pub(super) fn insert(&mut self, offset: i64) {
        let before = self.ranges.range_mut(..=offset).next_back();
        let start = match before {
            Some((_, end)) if *end > offset => return,
            Some((start, end)) if *end == offset => {
                *end += 1;
                *start
            }
            _ => {
                self.ranges.insert(offset, offset + 1);
                offset
            }
        };
        if let Some(end) = self.ranges.remove(&(offset + 1)) {
            self.ranges.insert(start, end);
        }
    }

    pub(super) fn contains(&self, offset: i64) -> bool {
        self.ranges.range(..=offset).next_back().is_some_and(|(_, end)| *end > offset)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_was_added(offsets in vec(0_i64..40, 0..60)) {
            let mut set = OffsetSet::default();
            offsets.iter().for_each(|offset| set.insert(*offset));
            let expected: BTreeSet<i64> = offsets.into_iter().collect();
            for offset in -1..41 {
                prop_assert_eq!(set.contains(offset), expected.contains(&offset), "{}", offset);
            }
            let gaps = expected.iter().filter(|offset| !expected.contains(&(**offset + 1))).count();
            prop_assert_eq!(set.ranges.len(), gaps);
        }
    }
}
