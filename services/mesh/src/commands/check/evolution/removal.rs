//! Products that were there and are not any more.

use super::impact::{self, Dependants};
use crate::commands::check::before::Before;
use crate::commands::check::reported::Reported;
use crate::commands::check::rule::{PRODUCT_REMOVED, VERSION_BACKWARDS};
use crate::tree::{WorkingTree, number};
use mesh_contract::{Contract, Declared, Finding, Place, Product, ProductRef};

pub(super) fn compare(tree: &WorkingTree, before: &Before, dependants: &Dependants<'_>) -> Vec<Reported> {
    let mut reported = Vec::new();
    for ((product, major), earlier) in &before.products {
        let Some(old) = &earlier.contract else { continue };
        let there: Vec<&Declared<Contract>> =
            tree.contracts.iter().filter(|contract| contract.value.product() == *product).collect();
        if there.iter().any(|contract| contract.value.version == *major) || is_broken(tree, product, *major) {
            continue;
        }
        let newest = there.into_iter().max_by_key(|contract| contract.value.version);
        reported.push(gone(tree, dependants, old, newest));
    }
    reported
}

/// Its file may be there, and not readable: that is a finding already.
fn is_broken(tree: &WorkingTree, Product { domain, name }: &Product, major: u32) -> bool {
    let files = [format!("topics/{domain}/{name}.yaml"), format!("topics/{domain}/{name}@{major}.yaml")];
    files.iter().any(|file| tree.broken.contains(file))
}

fn gone(
    tree: &WorkingTree,
    dependants: &Dependants<'_>,
    old: &Declared<Contract>,
    newest: Option<&Declared<Contract>>,
) -> Reported {
    let contract = &old.value;
    let product = ProductRef { product: contract.product(), major: Some(contract.version) };
    let lost = format!("{product} is gone, and with it {}", number(contract.view_names().len(), "view"));
    let finding = match newest {
        Some(newer) if newer.value.version > contract.version => {
            Finding::warning(PRODUCT_REMOVED, newer.places.at("version"), format!("{lost}: a newer version is there"))
                .hint("retire a version once its readers have moved to the newer one")
        }
        Some(older) => {
            let message = format!("{product} was there, and the version is {} now", older.value.version);
            Finding::error(VERSION_BACKWARDS, older.places.at("version"), message)
                .hint("versions only go up: write the old one again, or the next")
        }
        None => {
            let renamed = tree.contracts.iter().find(|other| other.value.unique_id == contract.unique_id);
            let name = renamed.map(|other| format!(": `{}` has its unique_id now", other.value.product()));
            Finding::error(PRODUCT_REMOVED, Place::start_of(old.places.file()), lost + &name.unwrap_or_default())
                .hint("keep the contract until its readers have moved")
        }
    };
    let sees = "gets nothing new";
    let reaches = impact::views(contract, sees).into_iter().chain(dependants.reached(&product, sees)).collect();
    Reported::change(finding, &product, "").reaching(reaches)
}
