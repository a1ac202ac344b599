//! Where columns come from.

use serde::{Deserialize, Serialize};

use crate::lineage::name::KafkaNamespace;

/// From which columns each column comes, and what was done to it on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnLineage {
    /// By output column.
    pub fields: std::collections::BTreeMap<String, ColumnOrigins>,
}
facet!(ColumnLineage, "columnLineage", official!("1-2-0", "ColumnLineageDatasetFacet"), DatasetFacet);

impl ColumnLineage {
    /// Adds where a column comes from: a field of a topic of a cluster, and what was done to it.
    #[must_use]
    pub fn with(
        mut self,
        column: &str,
        namespace: &KafkaNamespace,
        (topic, field): (&str, &str),
        transformation: Transformation,
    ) -> Self {
        self.fields.entry(column.to_owned()).or_default().input_fields.push(InputField {
            namespace: namespace.to_string(),
            name: topic.to_owned(),
            field: field.to_owned(),
            transformations: vec![transformation],
        });
        self
    }
}

/// Where a column comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnOrigins {
    /// The columns it is made of.
    pub input_fields: Vec<InputField>,
}

/// A column that another is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputField {
    /// The data set's namespace.
    pub namespace: String,
    /// The data set's name.
    pub name: String,
    /// The column.
    pub field: String,
    /// What was done to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transformations: Vec<Transformation>,
}

/// What was done to a column's values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transformation {
    /// `DIRECT`: the value itself goes in; `INDIRECT`: it only decides.
    #[serde(rename = "type")]
    pub kind: String,
    /// `IDENTITY`, `TRANSFORMATION`, `AGGREGATION`, `JOIN`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtype: Option<String>,
    /// In words: the masking rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether the value can no longer be told from the outcome.
    #[serde(default)]
    pub masking: bool,
}

impl Transformation {
    /// The value as it was.
    pub fn identity() -> Self {
        Self { kind: "DIRECT".to_owned(), subtype: Some("IDENTITY".to_owned()), description: None, masking: false }
    }

    /// Something computed of the value, so that it may show the value or parts of it.
    pub fn computed() -> Self {
        Self { subtype: Some("TRANSFORMATION".to_owned()), ..Self::identity() }
    }

    /// Something computed of many values: a sum, a count.
    pub fn aggregated() -> Self {
        Self { subtype: Some("AGGREGATION".to_owned()), ..Self::identity() }
    }

    /// The value is compared only: it decides which other values are taken.
    pub fn joined_on() -> Self {
        Self { kind: "INDIRECT".to_owned(), subtype: Some("JOIN".to_owned()), ..Self::identity() }
    }

    /// The value under a masking rule.
    pub fn masked(rule: String) -> Self {
        Self {
            kind: "DIRECT".to_owned(),
            subtype: Some("TRANSFORMATION".to_owned()),
            description: Some(rule),
            masking: true,
        }
    }
}
