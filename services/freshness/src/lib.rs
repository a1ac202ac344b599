//! Is every product as fresh as its contract promises?
//!
//! ```text
//! mesh.products --------> Watched products --+
//! output ports' tails --> Tail per partition +--> judge --> mesh.freshness, metrics, log, webhooks
//! mesh.heartbeats, offsets of the sidecar ---+
//! ```
//!
//! A product is fresh while its newest visible fact, or its producer's newest proven heartbeat, is younger than its
//! refresh rate. "Visible" is what a read-committed consumer of the output port can see; it is read at each partition's
//! tail, and only where the end offset moved. [`judge`] is pure: the clock is handed in.

pub mod assess;
mod away;
pub mod blame;
mod book;
pub mod calendar;
mod config;
mod error;
pub mod judge;
mod lead;
mod lineage;
mod look;
pub mod maintenance;
mod metrics;
mod moment;
mod monitor;
pub mod openslo;
pub mod report;
pub mod rules;
pub mod seen;
mod sight;
pub mod slo;
mod watched;
pub mod webhook;
mod yaml;

use mesh_runtime::Shutdown;

pub use config::Config;
pub use error::Error;
pub use judge::State;
pub use report::{ProductReport, ViewReport};

/// Evaluates every product every interval until the shutdown, or stands by while another replica does. The latch `freshness` is there once this returns.
pub fn run(config: Config, shutdown: Shutdown) -> impl Future<Output = Result<(), Error>> + Send {
    let latch = config.readiness.latch("freshness");
    async move { shutdown.abandon(lead::serve(&config, &latch)).await.unwrap_or(Ok(())) }
}
