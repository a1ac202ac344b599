//! What views show of a column now, and showed before: a change that no schema refuses, but that every reader sees.

use super::{Change, impact};
use crate::commands::check::before::Port;
use crate::commands::check::reported::Reported;
use crate::commands::check::rule::{MASK_CHANGED, VIEW_INCOMPATIBLE};
use mesh_avro::schema::{Kind, NodeId, Schema};
use mesh_contract::Finding;
use std::collections::{BTreeMap, HashSet};

/// What a view's schema says of a masked field.
const MASKED: &str = "mesh.masked";

/// How a view shows a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Shown {
    Clear,
    Masked(String),
    Dropped,
}

/// A column, how it was shown, and how it is shown now.
type Turn = (String, Shown, Shown);

/// One finding for each column and change, with the views that it is in. What is broken already is left out.
pub(super) fn compare(change: &Change<'_>, views: &[(&str, &Schema)], broken: &[&str]) -> Vec<Reported> {
    let mut changes: BTreeMap<Turn, Vec<&str>> = BTreeMap::new();
    for (view, schema) in views {
        let versions = change.earlier.ports.get(&Port::View((*view).to_owned()));
        let Some(last) = versions.and_then(|versions| versions.last()) else { continue };
        // Where no mask changed, which is nearly always, there is nothing to walk for.
        if last.schema.json() == schema.json() {
            continue;
        }
        let (product, new) = (columns(&change.now.schema), columns(schema));
        for (column, was) in columns(&last.schema) {
            // A column that the product itself has no more is the product's finding.
            let now = new.get(&column).cloned().or_else(|| product.contains_key(&column).then_some(Shown::Dropped));
            let Some(now) = now.filter(|now| *now != was && !broken.contains(&column.as_str())) else { continue };
            changes.entry((column, was, now)).or_default().push(view);
        }
    }
    changes.iter().map(|((column, was, now), views)| finding(change, column, was, now, views)).collect()
}

fn finding(change: &Change<'_>, column: &str, was: &Shown, now: &Shown, views: &[&str]) -> Reported {
    let contract = &change.now.contract;
    let sensitive = contract.value.sensitive_columns.iter();
    let index = sensitive.zip(0..).find(|(sensitive, _)| sensitive.column.to_string() == column);
    let place = match index {
        Some((_, index)) => contract.places.at(&format!("sensitive_columns[{index}]")),
        None => contract.places.at("sensitive_columns"),
    };
    let what = match (was, now) {
        (Shown::Masked(was), Shown::Clear) => format!("is shown in clear, and was masked by `{was}`"),
        (_, Shown::Clear) => "is shown in clear".to_owned(),
        (_, Shown::Dropped) => "is dropped, and was shown".to_owned(),
        (Shown::Masked(was), Shown::Masked(now)) => {
            format!("is masked by `{now}`, and was by `{was}`: values no longer join with earlier ones")
        }
        (_, Shown::Masked(now)) => format!("is masked by `{now}`, and was shown in clear"),
    };
    let plural = if views.len() == 1 { "view" } else { "views" };
    let message = format!("{}: `{column}` {what}, in the {plural} {}", change.product, views.join(", "));
    if *now != Shown::Dropped {
        let hint = "say so to the views' readers, or make a new major version";
        return Reported::change(Finding::warning(MASK_CHANGED, place, message).hint(hint), &change.product, column);
    }
    let sees = format!("finds no `{column}` any more");
    let reaches = views.iter().map(|view| impact::view(&contract.value, view, &sees));
    let reaches = reaches.chain(change.dependants.reached(&change.product, &sees)).collect();
    let hint = "keep a rule that keeps the column, or make a new major version beside this one";
    let finding = Finding::error(VIEW_INCOMPATIBLE, place, message).hint(hint);
    Reported::change(finding, &change.product, column).reaching(reaches)
}

/// Every field by its path, with its mask. A type is walked once, at its first use.
fn columns(schema: &Schema) -> BTreeMap<String, Shown> {
    let mut found = BTreeMap::new();
    let mut seen = HashSet::new();
    let mut open: Vec<(NodeId, String)> = vec![(schema.root(), String::new())];
    while let Some((node, path)) = open.pop() {
        match &schema.node(node).kind {
            Kind::Record { fields } if seen.insert(node) => {
                for field in fields {
                    let dot = if path.is_empty() { "" } else { "." };
                    let column = format!("{path}{dot}{}", field.name);
                    let mask = field.attributes.get(MASKED).and_then(|mask| mask.as_str());
                    found.insert(column.clone(), mask.map_or(Shown::Clear, |mask| Shown::Masked(mask.to_owned())));
                    open.push((field.node, column));
                }
            }
            Kind::Array { items } => open.push((*items, format!("{path}[]"))),
            Kind::Map { values } => open.push((*values, format!("{path}{{}}"))),
            Kind::Union { branches } => open.extend(branches.iter().map(|branch| (*branch, path.clone()))),
            _ => {}
        }
    }
    found
}
