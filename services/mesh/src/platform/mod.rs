//! Starts and stops the backbone: the Kafka it stands on, and its services.

mod cluster;
mod plan;
mod principals;
mod services;

pub use cluster::{Cluster, answers};
pub use plan::{AuditOptions, MaskingOptions, Plan, RegistryOptions, Service};
pub use principals::Principals;
pub use services::Services;
