//! A data product's contract.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::column::ColumnPath;
use crate::compatibility::Compatibility;
use crate::deprecation::Deprecation;
use crate::maintenance::Maintenance;
use crate::mask::SensitiveColumn;
use crate::product::{Product, ProductRef};
use crate::refresh::RefreshRate;
use crate::retention::History;
use crate::storage::Storage;
use crate::topic::{Topics, input_topic};
use crate::view::{AccessGrant, MASKED_VIEW, View};

/// What a domain promises about one of its products. Its JSON is the canonical long form, as on `mesh.products`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Never changes, also across versions.
    pub unique_id: Uuid,
    /// The owning domain.
    pub owner: String,
    /// The product's name within its domain.
    pub name: String,
    /// The major version, from 1.
    pub version: u32,
    /// What the product is, in the words of the unified language.
    pub description: String,
    /// The Avro schema's path, relative to the root, with `/` between.
    pub schema: String,
    /// The column that keys the change events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ColumnPath>,
    /// The column that says whom a record is about: `encrypt` uses a key for each of them, which can be forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<ColumnPath>,
    /// What a new schema must be compatible with.
    pub compatibility: Compatibility,
    /// How often new facts come.
    pub refresh_rate: RefreshRate,
    /// How long change events are kept.
    pub history: History,
    /// The output ports that are promised.
    pub storage: Vec<Storage>,
    /// What must not be seen in clear.
    pub sensitive_columns: Vec<SensitiveColumn>,
    /// The views besides `masked`, by name.
    pub views: BTreeMap<String, View>,
    /// Who may read which view.
    pub access_group: Vec<AccessGrant>,
    /// The products that this one is derived from.
    pub dependencies: Vec<ProductRef>,
    /// The number of partitions; the cluster's default if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<u32>,
    /// The number of replicas; the cluster's default if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication: Option<u16>,
    /// Headers that pass the sidecar besides the standard ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// When it need not be fresh; besides the domain's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maintenance: Vec<Maintenance>,
    /// That this version is to be retired: when, why, and what to read instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Deprecation>,
    /// The major version of the same product that feeds this one: its input port's records come to this one's, converted to this
    /// one's schema, and nobody else writes there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fed_by: Option<u32>,
}

impl Contract {
    /// The product's address.
    pub fn product(&self) -> Product {
        Product { domain: self.owner.clone(), name: self.name.clone() }
    }

    /// The input port that this version's own is fed from, if another version feeds it.
    pub fn fed_from(&self) -> Option<String> {
        self.fed_by.map(|major| input_topic(&self.product(), major))
    }

    /// The product's topics.
    pub fn topics(&self) -> Topics {
        Topics::of(self)
    }

    /// Every view, `masked` first, the others by name.
    pub fn view_names(&self) -> Vec<String> {
        let declared = self.views.keys().filter(|name| *name != MASKED_VIEW).cloned();
        std::iter::once(MASKED_VIEW.to_owned()).chain(declared).collect()
    }

    /// The groups that may read `view`.
    pub fn groups(&self, view: &str) -> impl Iterator<Item = &str> {
        self.access_group.iter().filter(move |grant| grant.view == view).map(|grant| grant.group.as_str())
    }
}
