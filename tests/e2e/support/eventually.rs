//! Polling with a deadline.

use std::time::{Duration, Instant};

const STEP: Duration = Duration::from_millis(50);

/// Polls `probe` until it yields a value.
///
/// # Panics
/// It yields none within `deadline`; the message names `what`.
pub fn eventually<T>(what: &str, deadline: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + deadline;
    loop {
        if let Some(value) = probe() {
            return value;
        }
        assert!(Instant::now() < end, "{what}: not within {deadline:?}");
        std::thread::park_timeout(STEP);
    }
}
