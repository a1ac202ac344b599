//! The place where the one who asked finds the answer.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use super::Prepared;
use crate::{quarantine::Reason, trouble::Trouble};

/// What a lookup ended with: what was asked for, or why records that need it are refused.
pub(crate) type Outcome = Result<Arc<Prepared>, Reason>;

/// A lookup under way. When the last one who waits drops it, the lookup ends.
#[derive(Default)]
pub(crate) struct Ticket {
    state: Mutex<State>,
    closed: Condvar,
}

#[derive(Default)]
struct State {
    outcome: Option<Outcome>,
    trouble: Option<Trouble>,
}

impl Ticket {
    /// The outcome, if there is one within `patience`.
    pub(crate) fn wait(&self, patience: Duration) -> Option<Outcome> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let undecided = |state: &mut State| state.outcome.is_none() && state.trouble.is_none();
        let waited = self.closed.wait_timeout_while(state, patience, undecided);
        waited.unwrap_or_else(PoisonError::into_inner).0.outcome.clone()
    }

    /// What the lookup is kept from ending by.
    pub(crate) fn trouble_met(&self) -> Option<Trouble> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).trouble
    }

    pub(super) fn is_open(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).outcome.is_none()
    }

    pub(super) fn close(&self, outcome: Outcome) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.outcome = Some(outcome);
        state.trouble = None;
        self.closed.notify_all();
    }

    pub(super) fn trouble(&self, trouble: Trouble) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).trouble = Some(trouble);
        self.closed.notify_all();
    }
}
