//! Bytes that many things share, given back when they are dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes are taken. Clones are the same budget.
#[derive(Debug, Clone, Default)]
pub(super) struct Budget(Arc<AtomicUsize>);

/// Bytes that are taken as long as this lives.
#[derive(Debug)]
pub(super) struct Charge {
    budget: Budget,
    bytes: usize,
}

impl Budget {
    /// Takes bytes, if no more than `most` are taken then.
    pub(super) fn charge(&self, bytes: usize, most: usize) -> Option<Charge> {
        let add = |taken: usize| taken.checked_add(bytes).filter(|taken| *taken <= most);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).ok()?;
        Some(Charge { budget: self.clone(), bytes })
    }

    /// How many bytes are taken.
    pub(super) fn taken(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_given_back() {
        let budget = Budget::default();
        let first = budget.charge(6, 10);
        assert!(first.is_some() && budget.charge(5, 10).is_none());
        drop(first);
        assert!(budget.taken() == 0 && budget.charge(5, 10).is_some());
    }
}
