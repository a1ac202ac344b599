//! The three example domains on real data, end to end, with a report of what was seen.
//!
//! - [`world`] makes the domains' events of the vendored data ([`purchases`], [`visits`]) and invented [`people`];
//! - [`canary`] plants values that must not leak, [`search`] looks for them everywhere;
//! - [`story`] holds what was seen, [`report`] tells it.

mod bad;
mod canary;
mod dice;
mod encode;
mod event;
mod people;
mod progress;
mod purchases;
mod refusals;
mod report;
mod search;
mod side_by_side;
mod source;
mod story;
mod visits;
mod world;
