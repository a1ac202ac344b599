//! Follows who is in which access group, and keeps Kafka's rules so.
//!
//! ```text
//! mesh.products (contracts, producers) --+
//! directory (members of their groups) ---+--> reconcile --> grant, revoke at Kafka
//! Kafka's rules as they are -------------+
//! ```
//!
//! Every interval, and whenever a contract changes, what follows from contracts and members is compared with what Kafka has.
//! [`reconcile()`] is pure, and derives by the same functions as `mesh apply` (`mesh_contract::acl`). It touches the members' rules
//! on topics of products that are applied, and what it granted itself; nothing else. A directory that cannot be reached changes
//! nothing, and an answer that would shut out too many at once is not believed.

pub mod columns;
mod config;
mod error;
mod follow;
mod metrics;
pub mod reconcile;
pub mod report;
pub mod sight;

use mesh_runtime::Shutdown;

pub use config::Config;
pub use error::Error;
pub use reconcile::{Believed, Doubt, Facts, Guard, Reconciliation, reconcile};

/// Keeps the rules until the shutdown. The latch `access` is there once this returns; it opens once the contracts are known.
pub fn run(config: Config, shutdown: Shutdown) -> impl Future<Output = Result<(), Error>> + Send {
    let latch = config.readiness.latch("access");
    async move { shutdown.abandon(follow::serve(&config, &latch)).await.unwrap_or(Ok(())) }
}
