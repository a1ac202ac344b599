//! A product as the catalogue shows it.

use jiff::Timestamp;
use mesh_contract::{
    AppliedProduct, Clear, Compatibility, Contract, Deprecation, Domain, History, Product, ProductRef, RefreshRate,
    SensitiveColumn, Storage, Team, value_subject,
};
use serde::Serialize;

/// What people look for in a catalogue; the JSON of `mesh products`.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    pub(super) product: Product,
    pub(super) major: u32,
    pub(super) revision: u64,
    pub(super) applied_at: Timestamp,
    pub(super) description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deprecated: Option<Deprecation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) team: Option<Team>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    pub(super) schema: String,
    pub(super) compatibility: Compatibility,
    pub(super) refresh_rate: RefreshRate,
    pub(super) history: History,
    pub(super) storage: Vec<Storage>,
    pub(super) input: String,
    pub(super) views: Vec<ViewEntry>,
    pub(super) quarantine: String,
    pub(super) sensitive_columns: Vec<SensitiveColumn>,
    pub(super) dependencies: Vec<ProductRef>,
    pub(super) dependents: Vec<ProductRef>,
}

/// A view, where it is and who reads it.
#[derive(Debug, Serialize)]
pub(super) struct ViewEntry {
    pub(super) name: String,
    pub(super) topic: String,
    pub(super) subject: String,
    pub(super) groups: Vec<String>,
    /// What is sensitive and shown in clear: columns and classes, or `all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) clear: Option<Clear>,
}

/// Every product, by name and major.
pub(super) fn entries(products: &[AppliedProduct], domains: &[Domain]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = products.iter().map(|product| entry(product, products, domains)).collect();
    entries.sort_by(|one, other| (&one.product, one.major).cmp(&(&other.product, other.major)));
    entries
}

/// The entry that a reference means: that of its major, or of the newest.
pub(super) fn find<'e>(entries: &'e [Entry], wanted: &ProductRef) -> Option<&'e Entry> {
    let of_product = entries.iter().filter(|entry| entry.product == wanted.product);
    of_product.filter(|entry| wanted.major.is_none_or(|major| major == entry.major)).max_by_key(|entry| entry.major)
}

fn entry(applied: &AppliedProduct, products: &[AppliedProduct], domains: &[Domain]) -> Entry {
    let contract = &applied.contract;
    let topics = contract.topics();
    let team = domains.iter().find(|domain| domain.domain == contract.owner).map(|domain| domain.team.clone());
    Entry {
        product: contract.product(),
        major: contract.version,
        revision: applied.revision,
        applied_at: Timestamp::from_millisecond(applied.applied_at_ms).unwrap_or_default(),
        description: contract.description.clone(),
        deprecated: contract.deprecated.clone(),
        team,
        key: contract.key.as_ref().map(ToString::to_string),
        schema: record_name(applied),
        compatibility: contract.compatibility,
        refresh_rate: contract.refresh_rate.clone(),
        history: contract.history,
        storage: contract.storage.clone(),
        views: topics.views.into_iter().map(|(name, topic)| view(contract, name, topic)).collect(),
        input: topics.input,
        quarantine: topics.quarantine,
        sensitive_columns: contract.sensitive_columns.clone(),
        dependencies: contract.dependencies.clone(),
        dependents: dependents(contract, products),
    }
}

fn view(contract: &Contract, name: String, topic: String) -> ViewEntry {
    ViewEntry {
        groups: contract.groups(&name).map(str::to_owned).collect(),
        clear: contract.views.get(&name).map(|view| view.clear.clone()),
        subject: value_subject(&topic),
        name,
        topic,
    }
}

/// The record's full name.
fn record_name(applied: &AppliedProduct) -> String {
    let text = |key: &str| applied.schema.get(key).and_then(serde_json::Value::as_str);
    match (text("namespace"), text("name")) {
        (Some(namespace), Some(name)) if !name.contains('.') => format!("{namespace}.{name}"),
        (_, Some(name)) => name.to_owned(),
        _ => applied.contract.schema.clone(),
    }
}

/// The products that are derived from this one.
fn dependents(contract: &Contract, products: &[AppliedProduct]) -> Vec<ProductRef> {
    let this = contract.product();
    let newest = products.iter().filter(|other| other.contract.product() == this);
    let newest = newest.map(|other| other.contract.version).max().unwrap_or(contract.version);
    let means_this =
        |reference: &ProductRef| reference.product == this && reference.major.unwrap_or(newest) == contract.version;
    let derived =
        products.iter().map(|other| &other.contract).filter(|other| other.dependencies.iter().any(means_this));
    let mut dependents: Vec<ProductRef> =
        derived.map(|other| ProductRef { product: other.product(), major: Some(other.version) }).collect();
    dependents.sort();
    dependents
}
