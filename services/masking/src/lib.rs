//! Input port to output ports: guard, mask, exactly once; bad records to quarantine.
//!
//! ```text
//! mesh.products --catalogue--> products as applied --+
//! registry, keys --lookup----> programs -------------+--> task: gather -> process -> commit -> gather ...
//! ```
//!
//! - [`catalogue`](crate::Config): follows `mesh.products`, so that new products and new revisions need no restart.
//! - A *task* is one thread with one consumer and one transactional producer; each domain has its own group and tasks, so
//!   that domains do not rebalance each other.
//! - A sidecar's [`Duty`] may be another one: to feed one version's input port from another's. Records are converted then rather
//!   than masked; all else is the same.
//! - All outputs of a batch (every view, the quarantine) and its offsets are one transaction.
//! - What a record needs and cannot have now (registry, keys, an output topic) holds its partition, and only that; a
//!   background lookup goes on until it has it. What is certain to be wrong with a record puts it into the quarantine.

pub mod audit;
mod catalogue;
mod config;
mod counts;
mod duty;
mod error;
pub mod forget;
mod lineage;
mod lookup;
mod metrics;
mod product;
pub mod quarantine;
pub mod remask;
pub mod replay;
mod run;
mod service;
mod task;
mod treatment;
mod trouble;

pub use config::{BatchLimits, Config, TRANSACTION_TIMEOUT_MAX};
pub use duty::Duty;
pub use error::Error;
pub use service::run;
