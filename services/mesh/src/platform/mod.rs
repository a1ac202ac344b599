//! Starts and stops the backbone: the Kafka it stands on, and its services.

mod access;
mod cluster;
mod plan;
mod principals;
mod services;

pub use access::{AccessOptions, Followed};
pub use cluster::{Cluster, answers};
pub use plan::{AuditOptions, MaskingOptions, Plan, RegistryOptions, Service};
pub use principals::{Principals, allow};
pub use services::Services;
