//! A domain's waivers.

use super::contract::collect;
use super::keys;
use super::reader::{At, Reader};
use crate::product::ProductRef;
use crate::rules;
use crate::waiver::Waiver;

/// A list of waivers.
pub(super) fn read(reader: &mut Reader, at: At<'_>) -> Option<Vec<Waiver>> {
    collect(reader.items(&at)?, |at| waiver(reader, at))
}

fn waiver(reader: &mut Reader, at: At<'_>) -> Option<Waiver> {
    let fields = reader.fields(&at, &keys::WAIVER)?;
    let rule = fields.get("rule").and_then(|at| reader.text(&at));
    let product = fields.get("product").and_then(|at| product(reader, &at));
    let column = fields.or(reader, "column", None, |reader, at| reader.column(&at).map(Some));
    let reason = fields.get("reason").and_then(|at| reader.text(&at));
    let owner = fields.get("owner").and_then(|at| reader.text(&at));
    let expires = fields.get("expires").and_then(|at| reader.date(&at));
    Some(Waiver { rule: rule?, product: product?, column: column?, reason: reason?, owner: owner?, expires: expires? })
}

fn product(reader: &mut Reader, at: &At<'_>) -> Option<ProductRef> {
    let word = reader.word(at, "a product, such as `crm.customers`")?;
    reader.parsed(rules::PRODUCT_INVALID, at.node.mark, word.parse())
}
