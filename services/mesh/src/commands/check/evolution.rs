//! What a change of the tree does to those who rely on what was before.

mod impact;
mod masks;
mod ports;
mod promises;
mod removal;

use super::before::{Before, Earlier, Port};
use super::reported::Reported;
use crate::tree::{WorkingProduct, WorkingTree};
use impact::Dependants;
use mesh_avro::compat::Severities;
use mesh_avro::schema::Schema;
use mesh_contract::{Contract, ProductRef};
use serde_json::Value;

/// What was found of all products.
#[derive(Default)]
pub(super) struct Evolution {
    /// Of products that changed.
    pub(super) changed: Vec<Reported>,
    /// Of products that are as they were: their history has breaks, but nobody breaks anything now.
    pub(super) standing: Vec<Reported>,
}

/// A product now, and what it was.
struct Change<'c> {
    now: &'c WorkingProduct,
    earlier: &'c Earlier,
    product: ProductRef,
    dependants: &'c Dependants<'c>,
    /// How severe changes of meaning are.
    severities: &'c Severities,
}

pub(super) fn compare(tree: &WorkingTree, before: &Before, severities: &Severities) -> Evolution {
    let dependants = Dependants::of(&tree.contracts);
    let mut evolution = Evolution::default();
    for now in &tree.products {
        let contract = &now.contract.value;
        let Some(earlier) = before.products.get(&(contract.product(), contract.version)) else { continue };
        let change = Change { now, earlier, product: reference(contract), dependants: &dependants, severities };
        let mut found = promises::compare(&change);
        found.extend(ports::compare(&change));
        match is_unchanged(&change) {
            true => evolution.standing.append(&mut found),
            false => evolution.changed.append(&mut found),
        }
    }
    evolution.changed.extend(removal::compare(tree, before, &dependants));
    evolution
}

/// Whether the contract and the newest schema of every port are what they were.
fn is_unchanged(change: &Change<'_>) -> bool {
    let Change { now, earlier, .. } = change;
    let contract = earlier.contract.as_ref().is_none_or(|contract| contract.value == now.contract.value);
    let newest = |port: &Port| earlier.ports.get(port).and_then(|versions| versions.last());
    let input = newest(&Port::Input).is_none_or(|version| version.schema.json() == now.schema.json());
    let same = |name: &str, schema: &Value| {
        newest(&Port::View(name.to_owned())).is_none_or(|version| version.schema.json() == schema)
    };
    contract && input && now.views.iter().all(|view| same(&view.name, &view.schema))
}

/// A contract's product and major version.
fn reference(contract: &Contract) -> ProductRef {
    ProductRef { product: contract.product(), major: Some(contract.version) }
}

/// A schema that was made valid by its maker.
fn parsed(schema: &Value) -> Option<Schema> {
    Schema::parse_value(schema).ok()
}
