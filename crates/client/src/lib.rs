//! What producers and consumers of data products link.
//!
//! - [`RegistryClient`]: schemas by id, and under a product's subjects;
//! - [`lineage`]: OpenLineage events of what a run really moved;
//! - [`heartbeat`]: a producer's word that it is alive and has nothing new.

pub mod heartbeat;
pub mod lineage;
pub mod registry;

pub use registry::{RegisteredSchema, RegistryClient, RegistryError};
