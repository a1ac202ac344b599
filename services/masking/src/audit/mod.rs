//! What was masked under which rules: told on `mesh.audit`, and asked of it.
//!
//! `account` counts in the transactions that mask; [`ask`] answers from what was told whether a column was masked in every record of a
//! time.

mod account;
mod answer;
mod chain;
mod event;
mod query;

pub use answer::{Answer, Gap, GapKind, Line, Outcome, Span, Verdict};
pub use query::{AuditError, Question, ask};

pub(crate) use account::{Account, now_ms};
