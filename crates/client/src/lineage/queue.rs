//! What waits to be delivered: bounded in number and in bytes. A snapshot that a later event of its run makes stale
//! makes room first, then the oldest other snapshot; starts and ends only when nothing else is left.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::transport::Parcel;

/// How much may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Events.
    pub events_max: usize,
    /// Bytes of events.
    pub bytes_max: usize,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { events_max: 1_024, bytes_max: 32 << 20 }
    }
}

/// What a place in the queue cost.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    /// Snapshots that the new event made stale: nothing is lost with them.
    pub(super) superseded: u64,
    /// Events that there was no room for.
    pub(super) dropped: u64,
}

/// What waits, and whether something is on its way.
#[derive(Debug)]
pub(super) struct Queue {
    capacity: Capacity,
    state: Mutex<State>,
    /// Something came, or nobody will hand anything over any more.
    news: Notify,
    /// Nothing waits and nothing is on its way.
    idle: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Parcel>,
    bytes: usize,
    is_delivering: bool,
    is_closed: bool,
}

impl Queue {
    pub(super) fn new(capacity: Capacity) -> Self {
        Self { capacity, state: Mutex::default(), news: Notify::new(), idle: Notify::new() }
    }

    /// Takes a parcel in, and says what it cost.
    pub(super) fn push(&self, parcel: Parcel) -> Cost {
        let mut state = self.state();
        let superseded = state.remove_stale(&parcel);
        state.bytes += parcel.body.len();
        state.waiting.push_back(parcel);
        let mut dropped = 0;
        while state.waiting.len() > self.capacity.events_max || state.bytes > self.capacity.bytes_max {
            state.drop_one();
            dropped += 1;
        }
        drop(state);
        self.news.notify_one();
        Cost { superseded, dropped }
    }

    /// The next parcel, which is on its way until [`Queue::settled`]; none once it is closed and empty.
    pub(super) async fn next(&self) -> Option<Parcel> {
        loop {
            {
                let mut state = self.state();
                if let Some(parcel) = state.waiting.pop_front() {
                    state.bytes -= parcel.body.len();
                    state.is_delivering = true;
                    return Some(parcel);
                }
                if state.is_closed {
                    return None;
                }
            }
            self.news.notified().await;
        }
    }

    /// What was on its way has arrived, or never will.
    pub(super) fn settled(&self) {
        let mut state = self.state();
        state.is_delivering = false;
        if state.waiting.is_empty() {
            self.idle.notify_waiters();
        }
    }

    /// Waits until nothing waits and nothing is on its way.
    pub(super) async fn idle(&self) {
        loop {
            let idle = self.idle.notified();
            tokio::pin!(idle);
            // before looking, lest the word come between
            idle.as_mut().enable();
            {
                let state = self.state();
                if state.waiting.is_empty() && !state.is_delivering {
                    return;
                }
            }
            idle.await;
        }
    }

    /// Nobody will hand anything over any more: what waits is tried once.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.news.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state().is_closed
    }

    /// Whether what waits makes this one stale.
    pub(super) fn supersedes(&self, parcel: &Parcel) -> bool {
        parcel.snapshot_of.is_some() && self.state().waiting.iter().any(|later| parcel.is_stale_beside(later))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remove_stale(&mut self, later: &Parcel) -> u64 {
        let (before, mut bytes) = (self.waiting.len(), self.bytes);
        self.waiting.retain(|parcel| {
            let stays = !parcel.is_stale_beside(later);
            bytes -= if stays { 0 } else { parcel.body.len() };
            stays
        });
        self.bytes = bytes;
        (before - self.waiting.len()) as u64
    }

    /// The oldest snapshot; without one, the oldest of all.
    fn drop_one(&mut self) {
        let index = self.waiting.iter().position(|parcel| parcel.snapshot_of.is_some()).unwrap_or(0);
        if let Some(dropped) = self.waiting.remove(index) {
            self.bytes -= dropped.body.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn parcel(run: u128, is_snapshot: bool, body: &'static str) -> Parcel {
        let run = Some(Uuid::from_u128(run));
        let snapshot_of = run.filter(|_| is_snapshot);
        Parcel { key: "k".into(), body: body.as_bytes().into(), snapshot_of, run }
    }

    async fn rest(queue: &Queue) -> Vec<String> {
        queue.close();
        let mut found = Vec::new();
        while let Some(parcel) = queue.next().await {
            found.push(String::from_utf8_lossy(&parcel.body).into_owned());
        }
        found
    }

    fn queue(events_max: usize, bytes_max: usize) -> Queue {
        Queue::new(Capacity { events_max, bytes_max })
    }

    #[tokio::test]
    async fn a_later_event_of_the_run_takes_a_snapshots_place() {
        let queue = queue(10, 1_000);
        queue.push(parcel(1, false, "start"));
        queue.push(parcel(1, true, "running"));
        queue.push(parcel(2, true, "other"));
        assert_eq!(queue.push(parcel(1, true, "running again")), Cost { superseded: 1, dropped: 0 });
        assert_eq!(queue.push(parcel(1, false, "complete")), Cost { superseded: 1, dropped: 0 });
        assert_eq!(rest(&queue).await, ["start", "other", "complete"]);
    }

    #[tokio::test]
    async fn without_room_snapshots_go_before_starts_and_ends() {
        let queue = queue(3, 1_000);
        let bodies = [("start 1", 1, false), ("run 2", 2, true), ("start 3", 3, false), ("run 4", 4, true)];
        let dropped: Vec<u64> =
            bodies.map(|(body, run, is_snapshot)| queue.push(parcel(run, is_snapshot, body)).dropped).into();
        assert_eq!(dropped, [0, 0, 0, 1]);
        assert_eq!(queue.push(parcel(5, false, "start 5")).dropped, 1);
        assert_eq!(queue.push(parcel(6, true, "run 6")).dropped, 1, "there is room for no snapshot");
        assert_eq!(queue.push(parcel(7, false, "start 7")).dropped, 1);
        assert_eq!(rest(&queue).await, ["start 3", "start 5", "start 7"], "the oldest, when nothing else is left");
    }

    #[tokio::test]
    async fn bytes_are_bounded_too() {
        let queue = queue(100, 10);
        queue.push(parcel(1, false, "123456"));
        assert_eq!(queue.push(parcel(2, false, "123")).dropped, 0);
        assert_eq!(queue.push(parcel(3, false, "12")).dropped, 1);
        assert_eq!(rest(&queue).await, ["123", "12"]);
    }

    #[tokio::test]
    async fn idle_is_when_nothing_waits_and_nothing_is_on_its_way() {
        let queue = queue(3, 100);
        queue.idle().await;
        queue.push(parcel(1, false, "start"));
        assert!(futures_pending(queue.idle()).await);
        let taken = queue.next().await;
        assert!(taken.is_some() && futures_pending(queue.idle()).await);
        queue.settled();
        queue.idle().await;
    }

    async fn futures_pending(future: impl Future<Output = ()>) -> bool {
        tokio::select! {
            biased;
            () = future => false,
            () = std::future::ready(()) => true,
        }
    }
}
