//! When a partition's end was seen to move. Pure, bounded.

use std::collections::VecDeque;

/// How many moves are remembered; with more, spans grow wider but stay true.
const MARKS_MAX: usize = 16;

/// The ends that a partition was seen to have, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Marks(VecDeque<Mark>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    end: i64,
    /// When it was answered first that this is the end: it was reached by then.
    first_ms: i64,
    /// When it was asked last: it was not passed before then.
    last_ms: i64,
}

/// When a question was asked, and answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) at_ms: i64,
    pub(crate) answered_ms: i64,
}

impl Marks {
    /// Takes in where the partition ended at a look. A partition that shrank is another one.
    pub(crate) fn see(&mut self, end: i64, asked: Asked) {
        let Asked { at_ms, answered_ms } = asked;
        match self.0.back_mut() {
            Some(last) if last.end == end => last.last_ms = last.last_ms.max(at_ms),
            Some(last) if last.end > end => {
                self.0.clear();
                self.0.push_back(Mark { end, first_ms: answered_ms, last_ms: at_ms });
            }
            _ => {
                self.thin_out();
                self.0.push_back(Mark { end, first_ms: answered_ms, last_ms: at_ms });
            }
        }
    }

    /// The span in which an offset was written: it was not there at the start, and was there at the end. None where it is
    /// not there yet; without a start where nobody looked before.
    pub(crate) fn span(&self, offset: i64) -> Option<(Option<i64>, i64)> {
        let index = self.0.partition_point(|mark| mark.end <= offset);
        let upper = self.0.get(index)?;
        let lower = index.checked_sub(1).and_then(|index| self.0.get(index));
        Some((lower.map(|mark| mark.last_ms), upper.first_ms))
    }

    /// Forgets what is not needed to tell of this offset and later ones.
    pub(crate) fn forget_before(&mut self, offset: i64) {
        let index = self.0.partition_point(|mark| mark.end <= offset);
        self.0.drain(..index.saturating_sub(1));
    }

    /// When the end was seen to move last.
    pub(crate) fn moved_at_ms(&self) -> Option<i64> {
        // the first mark is no move: nobody looked before
        (self.0.len() > 1).then(|| self.0.back().map(|mark| mark.first_ms)).flatten()
    }

    /// Every second one of the older half goes: what is near now stays exact.
    fn thin_out(&mut self) {
        if self.0.len() >= MARKS_MAX {
            let mut index = 0;
            self.0.retain(|_| {
                index += 1;
                index == 1 || index > MARKS_MAX / 2 || index % 2 == 1
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marks(seen: &[(i64, i64)]) -> Marks {
        let mut marks = Marks::default();
        seen.iter().for_each(|(end, at_ms)| marks.see(*end, Asked { at_ms: *at_ms, answered_ms: *at_ms }));
        marks
    }

    #[test]
    fn an_offset_was_written_between_two_looks() {
        let marks = marks(&[(0, 10), (0, 20), (5, 30), (5, 40), (6, 50)]);
        assert_eq!(marks.span(0), Some((Some(20), 30)));
        assert_eq!(marks.span(4), Some((Some(20), 30)));
        assert_eq!(marks.span(5), Some((Some(40), 50)));
        assert_eq!(marks.span(6), None);
        assert_eq!(marks.moved_at_ms(), Some(50));
    }

    #[test]
    fn what_came_while_it_was_asked_may_have_come_before_or_after() {
        let mut marks = Marks::default();
        marks.see(0, Asked { at_ms: 10, answered_ms: 15 });
        marks.see(1, Asked { at_ms: 20, answered_ms: 25 });
        assert_eq!(marks.span(0), Some((Some(10), 25)));
    }

    #[test]
    fn of_what_was_there_before_only_the_end_of_the_span_is_known() {
        let marks = marks(&[(5, 30)]);
        assert_eq!((marks.span(0), marks.moved_at_ms()), (Some((None, 30)), None));
    }

    #[test]
    fn a_partition_made_anew_has_no_past() {
        let marks = marks(&[(5, 30), (3, 40)]);
        assert_eq!(marks.span(0), Some((None, 40)));
    }

    #[test]
    fn what_is_done_is_forgotten_but_for_the_start_of_the_next_span() {
        let mut marks = marks(&[(1, 10), (2, 20), (3, 30), (4, 40)]);
        marks.forget_before(3);
        assert_eq!((marks.0.len(), marks.span(3)), (2, Some((Some(30), 40))));
        marks.forget_before(100);
        assert_eq!(marks.0.len(), 1);
    }

    proptest! {
        #[test]
        fn spans_are_true_however_many_marks_there_were(steps in prop::collection::vec((0_i64..5, 1_i64..10), 1..200)) {
            let (mut marks, mut end, mut now_ms, mut truth) = (Marks::default(), 0, 0, Vec::new());
            for (grown, passed_ms) in steps {
                now_ms += passed_ms;
                end += grown;
                marks.see(end, Asked { at_ms: now_ms, answered_ms: now_ms });
                truth.resize(usize::try_from(end).expect("not negative"), now_ms);
                prop_assert!(marks.0.len() <= MARKS_MAX);
                for (offset, written_ms) in (0..).zip(&truth) {
                    let (after_ms, by_ms) = marks.span(offset).expect("it is there");
                    prop_assert!(after_ms.is_none_or(|after_ms| after_ms < *written_ms) && by_ms >= *written_ms);
                }
            }
        }
    }
}
