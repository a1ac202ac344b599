//! What producers and consumers of data products link.
//!
//! - [`catalogue`]: which products and domains there are, as applied;
//! - [`ProductProducer`]: publishes a product's change events;
//! - [`Subscriber`]: reads a view's change events;
//! - [`RegistryClient`]: schemas by id, and under a product's subjects;
//! - [`json`]: JSON to and from Avro binary, by a schema;
//! - [`lineage`]: OpenLineage events of what a run really moved;
//! - [`heartbeat`]: a producer's word that it is alive and has nothing new.

mod binary;
pub mod catalogue;
mod column;
pub mod heartbeat;
pub mod json;
pub mod lineage;
pub mod producer;
pub mod registry;
pub mod subscriber;

pub use catalogue::{Catalogue, CatalogueError};
pub use producer::{Meta, ProduceError, ProductProducer};
pub use registry::{RegisteredSchema, RegistryClient, RegistryError};
pub use subscriber::{Event, SubscribeError, Subscriber};
