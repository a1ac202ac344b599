//! Everything that speaks to Apache Kafka; the only crate that names `rdkafka`.
//!
//! - [`Settings`]: how to reach a cluster; the one place where librdkafka is configured.
//! - [`properties`]: the same from a file, in librdkafka's or Java's spelling.
//! - [`embedded`]: a real Apache Kafka as a child process, for `mesh up` and for tests.
//! - [`secure`]: the files of a secured Kafka: certificates, users, passwords.
//! - [`admin`]: topics, their offsets and configuration.
//! - [`log`]: control topics: read to the end, then follow; append, alone or fenced.
//! - [`producer`] and [`consumer`]: for clients of the mesh.
//! - [`source`] and [`sink`]: the sidecar's batches in and transactions out.
//!
//! Every queue in here is bounded, and no key or value is ever logged or put into an error.

pub mod admin;
mod blocking;
pub mod consumer;
mod context;
mod diagnosis;
pub mod embedded;
mod error;
pub mod log;
mod oauth;
mod opened;
pub mod producer;
pub mod properties;
mod record;
pub mod secure;
mod settings;
pub mod sink;
pub mod source;
mod wire;

pub use error::{Error, ErrorKind};
pub use record::{Header, Offsets, OutgoingRecord, Position, Record, TopicPartition};
pub use settings::Settings;
