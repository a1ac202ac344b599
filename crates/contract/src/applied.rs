//! What `mesh.products` carries: contracts and domains as applied.

use serde::{Deserialize, Serialize};

use crate::contract::Contract;
use crate::domain::Domain;

/// A domain as applied: the domain itself.
pub type AppliedDomain = Domain;

/// A product's contract as applied, with the schema that it was applied with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppliedProduct {
    /// The count of applied changes within the major version, from 1.
    pub revision: u64,
    /// When it was applied, in milliseconds since 1970.
    pub applied_at_ms: i64,
    /// The contract.
    pub contract: Contract,
    /// The contract's Avro schema.
    pub schema: serde_json::Value,
}

impl AppliedProduct {
    /// The record key of the newest revision: `<unique_id>/<major>`.
    pub fn key(&self) -> String {
        format!("{}/{}", self.contract.unique_id, self.contract.version)
    }

    /// The record key under which this revision stays once superseded: `<unique_id>/<major>/<revision>`.
    pub fn revision_key(&self) -> String {
        format!("{}/{}", self.key(), self.revision)
    }
}

/// The output generation that is asked for of a product: what its output ports are to hold, since a `remask`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputGeneration {
    /// The count of generations, from 1: that of a product that was never remasked.
    pub generation: u64,
    /// When it was asked for, in milliseconds since 1970.
    pub requested_at_ms: i64,
}

/// What stands before `<unique_id>/<major>` in the record key of an output generation.
pub const GENERATION_PREFIX: &str = "generation/";

/// The record key of an output generation: `generation/<unique_id>/<major>`.
pub fn generation_key(product: &AppliedProduct) -> String {
    format!("{GENERATION_PREFIX}{}", product.key())
}

/// The record key of a domain: `domain/<name>`.
pub fn domain_key(name: &str) -> String {
    format!("domain/{name}")
}
