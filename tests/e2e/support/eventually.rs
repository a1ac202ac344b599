//! Polling with a deadline.

use std::fmt::Debug;
use std::time::{Duration, Instant};

const STEP: Duration = Duration::from_millis(50);

/// What a probe says: what was waited for, or what was seen in its place.
pub trait Probe {
    /// What is waited for.
    type Value;
    /// The value, or what there is to say of its absence.
    fn value(self) -> Result<Self::Value, String>;
}

impl<T> Probe for Option<T> {
    type Value = T;
    fn value(self) -> Result<T, String> {
        self.ok_or_else(String::new)
    }
}

impl<T, E: Debug> Probe for Result<T, E> {
    type Value = T;
    fn value(self) -> Result<T, String> {
        self.map_err(|seen| format!("; seen at last: {seen:?}"))
    }
}

/// Polls `probe` until it yields a value.
///
/// # Panics
/// It yields none within `deadline`; the message names `what`, and what was seen at last where the probe says that.
pub fn eventually<P: Probe>(what: &str, deadline: Duration, mut probe: impl FnMut() -> P) -> P::Value {
    let end = Instant::now() + deadline;
    loop {
        let seen = match probe().value() {
            Ok(value) => return value,
            Err(seen) => seen,
        };
        assert!(Instant::now() < end, "{what}: not within {deadline:?}{seen}");
        std::thread::park_timeout(STEP);
    }
}
