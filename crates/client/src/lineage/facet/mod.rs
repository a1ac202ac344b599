//! The facets that the backbone writes. Each knows its key and the schema that it follows, and which kind of thing it
//! describes: to attach one where the specification has no room for it does not compile.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::PRODUCER;

macro_rules! official {
    ($version:literal, $name:literal) => {
        concat!("https://openlineage.io/spec/facets/", $version, "/", $name, ".json#/$defs/", $name)
    };
}

macro_rules! facet {
    ($type:ident, $key:literal, $schema:expr, $($kind:ident),+) => {
        impl crate::lineage::facet::Facet for $type {
            const KEY: &'static str = $key;
            const SCHEMA: &'static str = $schema;
        }
        $(impl crate::lineage::facet::$kind for $type {})+
    };
}

mod columns;
mod dataset;
mod job;
mod moved;
mod run;

pub use columns::{ColumnLineage, ColumnOrigins, InputField, Transformation};
pub use dataset::{
    DatasetVersion, Documentation, Identifier, Lifecycle, LifecycleStateChange, Owner, Ownership, SchemaFacet,
    SchemaField, Symlinks, Tag, Tags,
};
pub use job::{EmissionPattern, JobDocumentation, JobOwnership, JobTags, JobType};
pub use moved::{
    Assertion, DataQualityAssertions, InputStatistics, MESH_KAFKA_SCHEMA, MeshKafka, OutputStatistics, PartitionRange,
};
pub use run::{ErrorMessage, Parent, ParentJob, ParentRun, ProcessingEngine};

/// A facet: metadata with a name and a schema of its own.
pub trait Facet: Serialize + DeserializeOwned {
    /// The name that it stands under.
    const KEY: &'static str;
    /// The `_schemaURL` that it follows.
    const SCHEMA: &'static str;
}

/// A facet of a run.
pub trait RunFacet: Facet {}
/// A facet of a job.
pub trait JobFacet: Facet {}
/// A facet of a data set.
pub trait DatasetFacet: Facet {}
/// A facet of a run's reading of a data set.
pub trait InputFacet: Facet {}
/// A facet of a run's writing of a data set.
pub trait OutputFacet: Facet {}

/// Facets by name. Foreign ones are kept as they came.
#[derive(Debug, Clone, Default, PartialEq, Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Facets(Map<String, Value>);

impl Facets {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds or replaces a facet, signed with this code's name and the facet's schema.
    pub fn set<F: Facet>(&mut self, facet: &F) {
        let mut signed = Map::new();
        signed.insert("_producer".to_owned(), PRODUCER.into());
        signed.insert("_schemaURL".to_owned(), F::SCHEMA.into());
        if let Ok(Value::Object(fields)) = serde_json::to_value(facet) {
            signed.extend(fields);
        }
        self.0.insert(F::KEY.to_owned(), Value::Object(signed));
    }

    /// A facet, if it is there and reads as one.
    pub fn get<F: Facet>(&self) -> Option<F> {
        self.0.get(F::KEY).and_then(|value| F::deserialize(value).ok())
    }

    /// Every facet, as it stands.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}
