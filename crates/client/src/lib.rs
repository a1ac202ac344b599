//! What producers and consumers of data products link.
//!
//! - [`RegistryClient`]: schemas by id, and under a product's subjects;
//! - [`json`]: JSON to and from Avro binary, by a schema;
//! - [`lineage`]: OpenLineage events of what a run really moved;
//! - [`heartbeat`]: a producer's word that it is alive and has nothing new.

pub mod heartbeat;
pub mod json;
pub mod lineage;
pub mod registry;

pub use registry::{RegisteredSchema, RegistryClient, RegistryError};
