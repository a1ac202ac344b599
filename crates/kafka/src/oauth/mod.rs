//! SASL OAUTHBEARER: tokens fetched and kept fresh for every client of a process, whatever that client polls.
//!
//! librdkafka's own way to fetch tokens wants libcurl, and its callbacks are served only by clients that poll, which those that ask
//! for metadata do not. So tokens are fetched here, once for all clients of the same settings, and handed to each of them.

mod endpoint;
mod keeper;
mod native;
mod options;
mod token;

pub(crate) use keeper::{Lease, Tokens};
pub(crate) use native::Handle;
pub(crate) use options::{is_own, of};
