//! Versions that feed others: whether each record of the one can be a record of the other, and shows no more there.

use super::product::WorkingProduct;
use mesh_avro::compat::{self, CompatFinding};
use mesh_avro::convert::{self, ColumnPair};
use mesh_avro::mask::Rules;
use mesh_avro::schema::{Kind, Logical, Schema};
use mesh_contract::{ColumnPath, Contract, Declared, Finding, Severity};

/// A version cannot be fed by another.
const FEED_INCOMPATIBLE: &str = "feed-incompatible";
/// A version would show what is sensitive in the one that feeds it.
const FEED_UNMASKED: &str = "feed-unmasked";

/// The rules of this module: id and meaning.
pub(super) const RULES: [(&str, &str); 2] = [
    (FEED_INCOMPATIBLE, "A version cannot read what the version that feeds it has."),
    (FEED_UNMASKED, "A column that is sensitive in the version that feeds another would be in clear there."),
];

/// Changes of meaning that no reader of the fed version could see: its values would be other ones.
const CHANGED_VALUES: [&str; 3] = ["decimal-changed", "time-unit-changed", "logical-type-changed"];
/// Changes of meaning that its readers may live with.
const TOLD: [&str; 4] = ["promotion-lossy", "bytes-as-text", "enum-symbol-defaulted", "union-branch-ambiguous"];

/// Checks each version that is fed by another. That the other is there is said where contracts alone are looked at.
pub(super) fn check(products: &[WorkingProduct]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for fed in products {
        let contract = &fed.contract.value;
        let feeds = |other: &&WorkingProduct| {
            let other = &other.contract.value;
            other.product() == contract.product()
                && contract.fed_by == Some(other.version)
                && other.version != contract.version
        };
        if let Some(source) = products.iter().find(feeds) {
            check_pair(fed, source, &mut findings);
        }
    }
    findings
}

fn check_pair(fed: &WorkingProduct, source: &WorkingProduct, findings: &mut Vec<Finding>) {
    let before = findings.len();
    let report = compat::check(&fed.schema, &source.schema);
    findings.extend(report.findings.iter().filter_map(|finding| {
        Some(feed_incompatible(&fed.contract, &source.contract.value, severity(finding)?, &finding.to_string()))
    }));
    if findings[before..].iter().any(Finding::is_error) {
        return;
    }
    let Ok(pairs) = convert::columns(&fed.schema, &source.schema) else {
        let why = "the schemas have too many columns";
        findings.push(feed_incompatible(&fed.contract, &source.contract.value, Severity::Error, why));
        return;
    };
    if let Some(why) = key_differs(fed, source, &pairs) {
        findings.push(feed_incompatible(&fed.contract, &source.contract.value, Severity::Error, &why));
    }
    let unmasked = unmasked(&columns(fed), &columns(source), &pairs);
    findings.extend(unmasked.iter().map(|column| feed_unmasked(&fed.contract, &source.contract.value, column)));
}

/// How much it matters that a change is made to every record; nothing where no datum shows it.
fn severity(finding: &CompatFinding) -> Option<Severity> {
    match finding.rule {
        _ if finding.breaks() => Some(Severity::Error),
        rule if CHANGED_VALUES.contains(&rule) => Some(Severity::Error),
        rule if TOLD.contains(&rule) => Some(Severity::Warning),
        _ => None,
    }
}

/// A record keeps its key, so the key has to be the same column of the same type.
fn key_differs(fed: &WorkingProduct, source: &WorkingProduct, pairs: &[ColumnPair]) -> Option<String> {
    let (own, other) = match (&fed.contract.value.key, &source.contract.value.key) {
        (None, None) => return None,
        (Some(own), Some(other)) => (own.to_string(), other.to_string()),
        (own, other) => {
            let word =
                |key: &Option<ColumnPath>| key.as_ref().map_or("no key".to_owned(), |key| format!("the key `{key}`"));
            return Some(format!("this version has {}, that one {}", word(own), word(other)));
        }
    };
    if !pairs.iter().any(|pair| pair.reader == own && pair.writer == other) {
        return Some(format!("this version's key `{own}` is not that one's key `{other}`"));
    }
    let same = column_type(&fed.schema, &own) == column_type(&source.schema, &other);
    (!same).then(|| format!("the key `{own}` has another type than that one's `{other}`"))
}

/// A column's type: what it is made of, and its meaning; a union with null counts as what else it is of.
fn column_type<'s>(schema: &'s Schema, path: &str) -> Option<(&'s str, Option<Logical>)> {
    let mut at = schema.root();
    for name in path.split('.') {
        let Kind::Record { fields } = &schema.node(at).kind else { return None };
        at = fields.iter().find(|field| field.name == name)?.node;
        if let Kind::Union { branches } = &schema.node(at).kind {
            at = *branches.iter().find(|branch| schema.node(**branch).kind != Kind::Null)?;
        }
    }
    let node = schema.node(at);
    Some((node.kind.word(), node.logical))
}

/// A product's sensitive columns, those that its schema declares included.
fn columns(product: &WorkingProduct) -> Vec<String> {
    let rules = Rules::check(&product.contract, &product.schema);
    rules.map(|rules| rules.columns().map(|(column, _)| column.to_owned()).collect()).unwrap_or_default()
}

/// The feeding version's sensitive columns of which something would be in clear in the fed one.
fn unmasked(own: &[String], others: &[String], pairs: &[ColumnPair]) -> Vec<String> {
    let has_inner = |pair: &ColumnPair| pairs.iter().any(|other| is_inside(&other.reader, &pair.reader));
    let is_map = |pair: &ColumnPair| pairs.iter().any(|other| other.reader == format!("{}{{}}", pair.reader));
    let hidden = |column: &str| own.iter().any(|own| own == column || is_inside(column, own));
    let shows = |sensitive: &&String| {
        pairs.iter().any(|pair| {
            let holds = pair.writer == **sensitive || is_inside(&pair.writer, sensitive);
            // a map's keys are sensitive with the map itself
            let is_value = !has_inner(pair) || (is_map(pair) && pair.writer == **sensitive);
            holds && is_value && !hidden(&pair.reader)
        })
    };
    others.iter().filter(shows).cloned().collect()
}

fn is_inside(column: &str, outer: &str) -> bool {
    column.strip_prefix(outer).is_some_and(|rest| rest.starts_with(['.', '[', '{']))
}

/// Records of the version that feeds this one cannot be its own, or would mean something else.
fn feed_incompatible(fed: &Declared<Contract>, source: &Contract, severity: Severity, why: &str) -> Finding {
    let (place, source) = (fed.places.at("fed_by"), named(source));
    let (message, hint) = match severity {
        Severity::Error => (
            format!("`{source}` cannot feed this version: {why}"),
            "give that version fields that this one can read, or retire this one without a feed",
        ),
        Severity::Warning => (
            format!("what `{source}` feeds this version changes on the way: {why}"),
            "its readers see what it is converted to: tell them, or give that version a field that this one reads as it is",
        ),
    };
    Finding { severity, ..Finding::error(FEED_INCOMPATIBLE, place, message).hint(hint) }
}

/// What is sensitive in the version that feeds this one would be in clear here.
fn feed_unmasked(fed: &Declared<Contract>, source: &Contract, column: &str) -> Finding {
    let source = named(source);
    let message = format!("`{column}` is sensitive in `{source}`, which feeds this version, and in clear here");
    Finding::error(FEED_UNMASKED, fed.places.at("fed_by"), message).hint("list it under `sensitive_columns` here, too")
}

fn named(contract: &Contract) -> String {
    format!("{}@{}", contract.product(), contract.version)
}

#[cfg(test)]
mod tests;
