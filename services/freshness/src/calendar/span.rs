//! Spans of time and what is left of them. Pure.

use serde::{Deserialize, Serialize};

/// A span of time, in milliseconds since 1970: from the first moment up to, but without, the last. Written as a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "(i64, i64)", into = "(i64, i64)")]
pub struct Span {
    /// The first moment.
    pub from_ms: i64,
    /// The moment after the last.
    pub to_ms: i64,
}

impl From<(i64, i64)> for Span {
    fn from((from_ms, to_ms): (i64, i64)) -> Self {
        Self { from_ms, to_ms }
    }
}

impl From<Span> for (i64, i64) {
    fn from(span: Span) -> Self {
        (span.from_ms, span.to_ms)
    }
}

impl Span {
    /// From one moment to another.
    pub fn new(from_ms: i64, to_ms: i64) -> Self {
        Self { from_ms, to_ms }
    }

    /// Its length; zero if it ends before it begins.
    pub fn length_ms(self) -> i64 {
        self.to_ms.saturating_sub(self.from_ms).max(0)
    }

    /// Whether there is nothing in it.
    pub fn is_empty(self) -> bool {
        self.to_ms <= self.from_ms
    }

    /// Whether the moment is in it.
    pub fn contains(self, at_ms: i64) -> bool {
        (self.from_ms..self.to_ms).contains(&at_ms)
    }

    /// What both have.
    pub fn and(self, other: Span) -> Span {
        Span::new(self.from_ms.max(other.from_ms), self.to_ms.min(other.to_ms))
    }
}

/// What is left of `spans` where none of `holes` is; both in order, and `spans` apart from each other.
pub(super) fn without(spans: Vec<Span>, holes: &[Span]) -> Vec<Span> {
    let mut left = spans;
    for hole in holes.iter().filter(|hole| !hole.is_empty()) {
        if left.iter().any(|span| !span.and(*hole).is_empty()) {
            left = left.into_iter().flat_map(|span| cut(span, *hole)).collect();
        }
    }
    left
}

/// What is left of a span before a hole and behind it.
fn cut(span: Span, hole: Span) -> impl Iterator<Item = Span> {
    let before = Span::new(span.from_ms, span.to_ms.min(hole.from_ms));
    let behind = Span::new(span.from_ms.max(hole.to_ms), span.to_ms);
    [before, behind].into_iter().filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(pairs: &[(i64, i64)]) -> Vec<Span> {
        pairs.iter().copied().map(Span::from).collect()
    }

    #[test]
    fn holes_are_cut_out() {
        let left = |holes: &[(i64, i64)]| without(spans(&[(0, 10), (20, 30)]), &spans(holes));
        assert_eq!(left(&[]), spans(&[(0, 10), (20, 30)]));
        assert_eq!(left(&[(4, 6)]), spans(&[(0, 4), (6, 10), (20, 30)]));
        assert_eq!(left(&[(-5, 3), (8, 25)]), spans(&[(3, 8), (25, 30)]));
        assert_eq!(left(&[(2, 8), (1, 9), (7, 7)]), spans(&[(0, 1), (9, 10), (20, 30)]));
        assert_eq!(left(&[(i64::MIN, i64::MAX)]), []);
    }

    #[test]
    fn lengths_are_never_negative() {
        assert_eq!(Span::new(5, 3).length_ms(), 0);
        assert_eq!(Span::new(i64::MIN, i64::MAX).length_ms(), i64::MAX);
    }
}
