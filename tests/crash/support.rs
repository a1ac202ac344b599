//! What the end-to-end tests have for processes.

#[path = "../e2e/support/eventually.rs"]
mod eventually;
#[allow(dead_code, reason = "the end-to-end tests use the rest")]
#[path = "../e2e/support/process.rs"]
mod process;
#[allow(dead_code, reason = "the end-to-end tests use the rest")]
#[path = "../e2e/support/vault.rs"]
mod vault;

pub use eventually::eventually;
pub use process::{Finished, Process, mesh};
pub use vault::{VAULT_TOKEN, Vault};

use std::time::Duration;

/// How long anything may take on a slow machine before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(90);
