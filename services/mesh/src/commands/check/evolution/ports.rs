//! The schemas of a product's ports against those that they carried before, at the contract's level.

use super::{Change, impact, masks, parsed};
use crate::commands::check::before::{Port, Version};
use crate::commands::check::reported::{Reach, Reported};
use crate::commands::check::rule::VIEW_INCOMPATIBLE;
use mesh_avro::compat::{self, CompatFinding, Direction};
use mesh_avro::schema::Schema;
use mesh_contract::{Finding, MASKED_VIEW, Place, Severity};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One kind of break of one field, however many versions it breaks with.
#[derive(PartialEq)]
struct Break {
    /// With the newest version that it breaks with.
    finding: CompatFinding,
    label: Arc<str>,
    /// How many versions before that one it breaks with as well.
    further: usize,
}

impl Break {
    fn is(&self, other: &CompatFinding) -> bool {
        let one = &self.finding;
        (one.rule, &one.path, one.direction) == (other.rule, &other.path, other.direction)
    }
}

pub(super) fn compare(change: &Change<'_>) -> Vec<Reported> {
    let breaks = breaks(change, &Port::Input, change.now.files.parsed());
    let mut views = BTreeMap::new();
    for view in &change.now.views {
        let port = Port::View(view.name.clone());
        let Some(schema) = change.earlier.ports.contains_key(&port).then(|| parsed(&view.schema)).flatten() else {
            continue;
        };
        views.insert(view.name.as_str(), (self::breaks(change, &port, &schema), schema));
    }
    let reached = |found: &CompatFinding| -> Vec<&str> {
        let is_hit = |breaks: &[Break]| breaks.iter().any(|it| it.is(found));
        views.iter().filter(|(_, (breaks, _))| is_hit(breaks)).map(|(name, _)| *name).collect()
    };
    let mut reported: Vec<Reported> =
        breaks.iter().map(|found| of_input(change, found, &reached(&found.finding))).collect();
    let mut said: Vec<&CompatFinding> = breaks.iter().map(|found| &found.finding).collect();
    for (view, (breaks, _)) in &views {
        // What the schema itself breaks, or changes the meaning of, is said already.
        for found in breaks.iter().filter(|found| found.finding.breaks()) {
            if !said.iter().any(|other| found.is(other)) {
                reported.push(of_view(change, view, found, &reached(&found.finding)));
                said.push(&found.finding);
            }
        }
    }
    let broken: Vec<&str> = said.iter().map(|found| found.path.as_str()).collect();
    let schemas: Vec<(&str, &Schema)> = views.iter().map(|(view, (_, schema))| (*view, schema)).collect();
    reported.extend(masks::compare(change, &schemas, &broken));
    reported
}

/// What a port's schema breaks, newest version first.
fn breaks(change: &Change<'_>, port: &Port, new: &Schema) -> Vec<Break> {
    let versions: Vec<&Version> = change.earlier.ports.get(port).into_iter().flatten().collect();
    let earlier: Vec<&Schema> = versions.iter().map(|version| version.schema.as_ref()).collect();
    let mut breaks: Vec<Break> = Vec::new();
    let level = change.now.contract.value.compatibility;
    for finding in compat::check_level_with(level, new, &earlier, change.severities).findings {
        match breaks.iter_mut().find(|known| known.is(&finding)) {
            Some(known) => known.further += 1,
            None => {
                let version = finding.earlier.and_then(|index| versions.get(index));
                let label = version.map_or_else(|| "before".into(), |version| Arc::clone(&version.label));
                breaks.push(Break { finding, label, further: 0 });
            }
        }
    }
    breaks
}

/// At its place in the schema's file, or in that of a type that it uses.
fn of_input(change: &Change<'_>, found: &Break, views: &[&str]) -> Reported {
    let finding = &found.finding;
    let (document, pointer) = match finding.direction {
        Direction::Backward => (finding.reader_document, &finding.reader_pointer),
        Direction::Forward => (finding.writer_document, &finding.writer_pointer),
    };
    let mut reported = message(change, found, finding.rule, change.now.files.place(document, pointer));
    if document > 0 {
        let used_by = change.now.contract.places.at("schema");
        reported.finding.message.push_str(&format!("; {used_by} uses the type"));
    }
    match finding.severity {
        Severity::Error => reported.reaching(reaches(change, found, views)),
        Severity::Warning => reported,
    }
}

/// At its place in the contract: the schema is well, but what is shown of it changed.
fn of_view(change: &Change<'_>, view: &str, found: &Break, views: &[&str]) -> Reported {
    let contract = &change.now.contract;
    let columns = contract.value.sensitive_columns.iter();
    let rule = columns.zip(0..).find(|(sensitive, _)| sensitive.column.to_string() == found.finding.path);
    let path = match (rule, view) {
        (Some((_, index)), _) => format!("sensitive_columns[{index}]"),
        (None, MASKED_VIEW) => "sensitive_columns".to_owned(),
        (None, view) => format!("views.{view}"),
    };
    let reported = message(change, found, VIEW_INCOMPATIBLE, contract.places.at(&path));
    let hint = "keep the masking rule, or make a new major version beside this one";
    let finding = Finding { hint: Some(hint.to_owned()), ..reported.finding };
    Reported { finding, ..reported }.reaching(reaches(change, found, views))
}

fn message(change: &Change<'_>, found: &Break, rule: &'static str, place: Place) -> Reported {
    let Break { finding, label, further } = found;
    let product = &change.product;
    let since = match further {
        0 => label.to_string(),
        1 => format!("{label} and the version before it"),
        more => format!("{label} and {more} versions before it"),
    };
    let what = match (finding.breaks(), finding.direction) {
        (true, Direction::Backward) => format!("{product} cannot read what {since} wrote"),
        (true, Direction::Forward) => format!("readers of {product} as of {since} cannot read what it writes now"),
        (false, _) => format!("{product} changes its meaning against {since}"),
    };
    let placed = finding.placed(place);
    let message = format!("{what}: {}", placed.message);
    Reported::change(Finding { rule, message, ..placed }, product, &finding.path)
}

fn reaches(change: &Change<'_>, found: &Break, views: &[&str]) -> Vec<Reach> {
    let column = match found.finding.path.as_str() {
        "" => String::new(),
        path => format!(" because of `{path}`"),
    };
    let sees = match found.finding.direction {
        Direction::Backward => format!("with the new schema, cannot read the records from before{column}"),
        Direction::Forward => format!("with the schema it has, cannot read new records{column}"),
    };
    let contract = &change.now.contract.value;
    let views = views.iter().map(|view| impact::view(contract, view, &sees));
    let dependants = change.dependants.reached(&change.product, &sees);
    views.chain(dependants).collect()
}
