//! The three example domains on real data, end to end, with a report of what was seen.
//!
//! - [`world`] makes the domains' events of the vendored data ([`purchases`], [`visits`]) and invented [`people`];
//! - [`canary`] plants values that must not leak, [`search`] says who may see them, [`hunt`] looks for them everywhere;
//! - [`mod@run`] starts everything, [`play`] is what happens on it: [`publish`], [`refuse`], [`ledger`], [`offers`],
//!   [`readers`], [`watch`];
//! - [`story`] holds what was seen, [`verdict`] says whether it is what was staged, [`report`] tells it.

mod bad;
mod canary;
mod cast;
mod dice;
mod encode;
mod event;
mod failed;
mod hunt;
mod ledger;
mod offers;
mod outbox;
mod people;
mod play;
mod progress;
mod publish;
mod purchases;
mod readers;
mod refusals;
mod refuse;
mod report;
mod run;
mod search;
mod side_by_side;
mod source;
mod story;
mod verdict;
mod visits;
mod watch;
mod world;

pub use report::render;
pub use run::run;
