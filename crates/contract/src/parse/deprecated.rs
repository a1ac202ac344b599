//! `deprecated`, of a product's major version.

use super::keys;
use super::reader::{At, Reader};
use crate::deprecation::Deprecation;
use crate::product::ProductRef;
use crate::rules;

/// A deprecation.
pub(super) fn read(reader: &mut Reader, at: &At<'_>) -> Option<Deprecation> {
    let fields = reader.fields(at, &keys::DEPRECATED)?;
    let until = fields.get("until").and_then(|at| reader.date(&at));
    let reason = fields.get("reason").and_then(|at| reader.text(&at));
    let successor = fields.or(reader, "successor", None, |reader, at| successor(reader, &at).map(Some));
    let since = fields.or(reader, "since", None, |reader, at| reader.date(&at).map(Some));
    let deprecation = Deprecation { until: until?, reason: reason?, successor: successor?, since: since? };
    if let Some(since) = deprecation.since.filter(|since| *since > deprecation.until) {
        let message = format!("it is there until {}, before it is deprecated, on {since}", deprecation.until);
        reader.refuse(rules::DEPRECATION_INVALID, at.node.mark, message, None);
        return None;
    }
    Some(deprecation)
}

/// A product and its major version: one that only names a product would come to mean another.
fn successor(reader: &mut Reader, at: &At<'_>) -> Option<ProductRef> {
    let word = reader.word(at, "a product and its major version, such as `crm.customers@2`")?;
    let successor: ProductRef = reader.parsed(rules::PRODUCT_INVALID, at.node.mark, word.parse())?;
    if successor.major.is_none() {
        let message = format!("`{successor}` names no major version");
        let hint = format!("such as `{successor}@2`");
        reader.refuse(rules::PRODUCT_INVALID, at.node.mark, message, Some(hint));
        return None;
    }
    Some(successor)
}
