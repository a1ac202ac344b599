//! Stands guard over the audit.
//!
//! It reads all of `mesh.audit` from the beginning and goes on as it grows: what is wrong with it is an error in the log and in
//! `mesh_audit_faults`, and now and then it writes down, as a **notary**, the digest of all it has seen. Given a broker's authoriser log, it
//! follows that, too, through rotations, and tells who was denied what: counted together for an interval, each denial once, wherever it
//! or the broker is restarted.

mod config;
mod denial;
mod error;
mod follower;
mod ledger;
mod metrics;
mod position;
mod run;

pub use config::Config;
pub use error::Error;
pub use run::run;
