//! What was so from when on, bounded.

/// Values with the instants from which they held, oldest first. Past its bound the oldest are forgotten, and since when
/// is told.
#[derive(Debug, Clone)]
pub struct Timeline<T> {
    entries: Vec<(i64, T)>,
    forgotten_before_ms: Option<i64>,
}

impl<T> Default for Timeline<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), forgotten_before_ms: None }
    }
}

impl<T> Timeline<T> {
    /// What held at an instant; the first if it is before that and nothing was forgotten, for what was known of it then.
    pub fn at(&self, at_ms: i64) -> Option<&T> {
        self.index_at(at_ms).map(|index| &self.entries[index].1)
    }

    /// What holds now.
    pub fn latest(&self) -> Option<&T> {
        self.entries.last().map(|(_, value)| value)
    }

    /// All that is known, each with the instant from which it held.
    pub fn entries(&self) -> &[(i64, T)] {
        &self.entries
    }

    /// Before this instant more was known once.
    pub fn forgotten_before_ms(&self) -> Option<i64> {
        self.forgotten_before_ms
    }

    fn index_at(&self, at_ms: i64) -> Option<usize> {
        self.entries.partition_point(|(from_ms, _)| *from_ms <= at_ms).checked_sub(1)
    }
}

impl<T: PartialEq> Timeline<T> {
    /// Notes what held from an instant on, until the next that is known. At most `most` are kept.
    pub(super) fn set(&mut self, at_ms: i64, value: T, most: usize) {
        let before = self.index_at(at_ms);
        let next = before.map_or(0, |index| index + 1);
        match before {
            Some(index) if self.entries[index].1 == value => return,
            Some(index) if self.entries[index].0 == at_ms => self.entries[index].1 = value,
            _ => match self.entries.get_mut(next) {
                Some(entry) if entry.1 == value => entry.0 = at_ms,
                _ => self.entries.insert(next, (at_ms, value)),
            },
        }
        if self.entries.len() > most {
            self.entries.remove(0);
            self.forgotten_before_ms = self.entries.first().map(|(from_ms, _)| *from_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(changes: &[(i64, char)], most: usize) -> Timeline<char> {
        let mut timeline = Timeline::default();
        changes.iter().for_each(|(at_ms, value)| timeline.set(*at_ms, *value, most));
        timeline
    }

    #[test]
    fn each_instant_has_what_held_then() {
        let timeline = of(&[(10, 'a'), (20, 'b')], 9);
        assert_eq!(
            [9, 10, 19, 20, 99].map(|at| timeline.at(at).copied()),
            [None, Some('a'), Some('a'), Some('b'), Some('b')]
        );
    }

    #[test]
    fn what_is_told_again_is_not_noted_again() {
        assert_eq!(of(&[(10, 'a'), (20, 'a')], 9).entries(), [(10, 'a')]);
        assert_eq!(of(&[(20, 'a'), (10, 'a')], 9).entries(), [(10, 'a')], "also if the first is told last");
    }

    #[test]
    fn the_oldest_are_forgotten_and_that_is_told() {
        let timeline = of(&[(10, 'a'), (20, 'b'), (30, 'c')], 2);
        assert_eq!((timeline.entries().len(), timeline.forgotten_before_ms()), (2, Some(20)));
        assert_eq!(timeline.at(15), None);
    }

    proptest! {
        #[test]
        fn the_order_in_which_it_is_told_does_not_matter(mut changes in proptest::collection::vec((0_i64..20, 0_u8..3), 0..12)) {
            changes.sort_by_key(|(at_ms, _)| *at_ms);
            changes.dedup_by_key(|(at_ms, _)| *at_ms);
            let forth: Timeline<u8> = changes.iter().fold(Timeline::default(), |mut it, (at, value)| { it.set(*at, *value, 99); it });
            for (at_ms, value) in &changes {
                prop_assert_eq!(forth.at(*at_ms), Some(value));
            }
        }
    }
}
