//! OpenLineage 2-0-2: which job really read which data sets and wrote which, column by column.
//!
//! - [`event`]: the run, job and dataset events of the specification, as data.
//! - [`facet`]: the facets that the backbone writes, each with the schema it claims to follow.
//! - [`name`]: how jobs and Kafka data sets are called.
//! - [`product`]: a data product's topics as data sets, from its contract and schema.
//! - [`run`]: one run of a job, counting what it moved; nothing moved means no edge.
//! - [`columns`]: the columns of a schema.
//! - [`reporter`]: a run reported while it goes on, for programs; the sidecar does its own.
//! - [`emitter`]: the way out to `mesh.lineage`: bounded, and never in the data path's way.

pub mod columns;
pub mod emitter;
pub mod event;
pub mod facet;
pub mod name;
pub mod product;
pub mod reporter;
pub mod run;

pub use emitter::{Emitter, KafkaTransport, Transport};
pub use event::{Dataset, DatasetEvent, Event, EventType, InputDataset, Job, JobEvent, OutputDataset, Run, RunEvent};
pub use facet::{Facet, Facets};
pub use name::KafkaNamespace;
pub use product::ProductDatasets;
pub use reporter::Reporter;
pub use run::JobRun;

/// Who says so: the `producer` of every event and facet of this code.
pub const PRODUCER: &str = concat!("https://example.org/mesh/v", env!("CARGO_PKG_VERSION"));

/// The schema of the core specification that events follow.
pub const CORE_SCHEMA: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json";
