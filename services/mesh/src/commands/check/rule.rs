//! The rules of `check` itself, and what every rule says.

use crate::tree::rule_description;
use mesh_avro::compat;

pub(super) use mesh_contract::rules::UNIQUE_ID_CHANGED;

pub(super) const VIEW_INCOMPATIBLE: &str = "view-incompatible";
pub(super) const VIEW_REMOVED: &str = "view-removed";
pub(super) const KEY_CHANGED: &str = "key-changed";
pub(super) const SUBJECT_CHANGED: &str = "subject-changed";
pub(super) const COMPATIBILITY_LOWERED: &str = "compatibility-lowered";
pub(super) const MASK_CHANGED: &str = "mask-changed";
pub(super) const PRODUCT_REMOVED: &str = "product-removed";
pub(super) const VERSION_BACKWARDS: &str = "version-backwards";
pub(super) const DEPRECATION_OVER: &str = "deprecation-over";
pub(super) const WAIVER_EXPIRED: &str = "waiver-expired";
pub(super) const WAIVER_UNKNOWN: &str = "waiver-unknown";
pub(super) const WAIVER_UNUSED: &str = "waiver-unused";

/// What breaks readers without breaking Avro's rules: id and meaning.
const BREAKS: [(&str, &str); 8] = [
    (VIEW_INCOMPATIBLE, "A changed masking rule or view breaks the readers of an output port."),
    (VIEW_REMOVED, "A view that was there is gone."),
    (KEY_CHANGED, "The column that keys the change events is another one."),
    (SUBJECT_CHANGED, "The column that says whom a record is about is another one, or none."),
    (COMPATIBILITY_LOWERED, "A contract promises less compatibility than before."),
    (MASK_CHANGED, "A view shows a column otherwise than before."),
    (PRODUCT_REMOVED, "A product, or a major version of one, is gone."),
    (VERSION_BACKWARDS, "A product's version is lower than before."),
];

/// What is wrong with a waiver: id and meaning.
const WAIVERS: [(&str, &str); 3] = [
    (WAIVER_EXPIRED, "A waiver has expired."),
    (WAIVER_UNKNOWN, "A waiver names a rule or a product that it cannot be for."),
    (WAIVER_UNUSED, "A waiver covers nothing that was found."),
];

/// What has come to its end: id and meaning.
const LIFECYCLE: [(&str, &str); 1] = [(DEPRECATION_OVER, "A deprecated product is past its last day.")];

/// The rules whose findings a waiver may let pass.
pub(super) fn waivable() -> impl Iterator<Item = &'static str> {
    let compatibility = compat::RULES.iter().map(|rule| rule.id).filter(|id| *id != "schema-invalid");
    compatibility.chain(BREAKS.iter().map(|(id, _)| *id)).chain([UNIQUE_ID_CHANGED])
}

/// What a rule says; Avro's are told by their pages.
pub(super) fn description(id: &str) -> String {
    let own = BREAKS
        .iter()
        .chain(&WAIVERS)
        .chain(&LIFECYCLE)
        .find(|(known, _)| *known == id)
        .map(|(_, description)| *description);
    match own.unwrap_or_else(|| rule_description(id)) {
        "" => format!("What `{}` means, docs/rules/{id}.md says.", id),
        known => known.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn each_rule_has_its_page() {
        let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules");
        for (rule, description) in BREAKS.iter().chain(&WAIVERS).chain(&LIFECYCLE) {
            let page = std::fs::read_to_string(pages.join(format!("{rule}.md"))).expect(rule);
            // The page of a view's break is shared with `apply`.
            let shared = *rule == VIEW_INCOMPATIBLE;
            assert!(page.starts_with(&format!("# {rule}\n")) && (shared || page.contains(description)), "{rule}");
        }
    }
}
