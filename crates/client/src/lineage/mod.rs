//! OpenLineage 2-0-2: which job really read which data sets and wrote which, column by column.
//!
//! - [`event`]: the run, job and dataset events of the specification, as data.
//! - [`facet`]: the facets that the backbone writes, each with the schema it claims to follow.
//! - [`name`]: how jobs and Kafka data sets are called.
//! - [`cluster`]: the one name of a Kafka cluster, whichever of its brokers was named.
//! - [`product`]: a data product's topics as data sets, from its contract and schema.
//! - [`run`]: one run of a job, counting what it moved; nothing moved means no edge.
//! - [`columns`]: the columns of a schema.
//! - [`reporter`]: a run reported while it goes on, for programs; the sidecar does its own.
//! - [`design`]: what contracts say will be, before anything has moved.
//! - [`emitter`]: the way out, to `mesh.lineage` and other back ends: bounded, and never in the data path's way.
//! - [`transport`]: where events go: Kafka, or HTTP.

pub mod cluster;
pub mod columns;
mod delivery;
pub mod design;
pub mod emitter;
pub mod event;
pub mod facet;
pub mod feed;
pub mod name;
pub mod product;
mod queue;
pub mod reporter;
pub mod run;
pub mod transport;

pub use cluster::KafkaCluster;
pub use emitter::Emitter;
pub use event::{Dataset, DatasetEvent, Event, EventType, InputDataset, Job, JobEvent, OutputDataset, Run, RunEvent};
pub use facet::{Facet, Facets};
pub use name::KafkaNamespace;
pub use product::ProductDatasets;
pub use queue::Capacity;
pub use reporter::Reporter;
pub use run::JobRun;
pub use transport::{HttpOptions, HttpTransport, KafkaTransport, Transport};

/// Who says so: the `producer` of every event and facet of this code.
pub const PRODUCER: &str = concat!("https://example.org/mesh/v", env!("CARGO_PKG_VERSION"));

/// The schema of the core specification that events follow.
pub const CORE_SCHEMA: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json";
