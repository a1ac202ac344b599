//! Another folder's tree: one version of everything.

use super::{Before, Earlier, Port};
use crate::failure::Failure;
use crate::tree::{WorkingTree, number};
use mesh_avro::sensitivity::SensitiveNames;
use std::path::Path;
use std::sync::Arc;

pub(super) fn read(folder: &Path) -> Result<Before, Failure> {
    let tree = WorkingTree::read(folder, &SensitiveNames::default())?;
    let label: Arc<str> = folder.display().to_string().into();
    let mut before = Before { name: label.to_string(), ..Before::default() };
    let unread = tree.counts.contracts.saturating_sub(tree.products.len());
    if unread > 0 {
        before.notes.push(format!(
            "{} in {label} cannot be compared with: see `mesh check --root {label}`",
            number(unread, "contract")
        ));
    }
    for product in tree.products {
        let mut earlier = Earlier::default();
        earlier.push(Port::Input, &label, Arc::new(product.schema));
        earlier.push_views(&label, &product.views);
        let key = (product.contract.value.product(), product.contract.value.version);
        earlier.contract = Some(Arc::new(product.contract));
        before.products.insert(key, earlier);
    }
    Ok(before)
}
