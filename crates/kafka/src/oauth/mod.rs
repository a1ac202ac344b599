//! SASL OAUTHBEARER: tokens fetched and kept fresh for every client of a process, whatever that client polls.
//!
//! librdkafka's own way to fetch tokens wants libcurl, and its callbacks are served only by clients that poll, which those that ask
//! for metadata do not. So tokens are fetched here, once for all clients of the same settings, and handed to each of them.

mod endpoint;
mod keeper;
mod native;
mod options;
mod token;

use std::collections::BTreeMap;

pub(crate) use keeper::{Lease, Tokens};
pub(crate) use native::Handle;
pub(crate) use options::{is_own, of};

/// A token for whoever is no client of librdkafka's, with the extensions that go with it; none where these settings let nobody in
/// by one.
///
/// # Errors
/// The settings are wrong, or there is no token: in words without a secret.
pub(crate) async fn token(
    properties: &BTreeMap<String, String>,
) -> Result<Option<(String, Vec<(String, String)>)>, String> {
    let Some(options) = of(properties)? else { return Ok(None) };
    Ok(Some((options.source.fetch().await?.value, options.extensions)))
}
