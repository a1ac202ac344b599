//! Worlds to test in: a Kafka, processes of `mesh`, a working tree, clients in other languages.

mod client;
mod collector;
mod environment;
mod eventually;
mod loader;
mod process;
mod python;
mod slapd;
mod tree;
mod vault;
mod world;

pub use client::Client;
pub use collector::Collector;
pub use eventually::eventually;
pub use loader::Loader;
pub use process::{Finished, Process, mesh, processes_naming};
pub use python::Python;
pub use slapd::{Slapd, group, person};
pub use tree::{Tree, repository};
pub use vault::{VAULT_TOKEN, Vault};
pub use world::World;

use std::time::Duration;

/// How long anything may take on a slow machine before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(90);
