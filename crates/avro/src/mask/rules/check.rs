//! The checks of a contract against its schema: every sensitive column found, every rule fitting.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mesh_contract::{ColumnPath, Finding, MaskRule, Places, SensitiveColumn, Step};

use super::leaves::{self, Reach};
use super::{Mask, Rules, ViewRule, attributes, field_names, fits, id, identity, path, subject};
use crate::mask::slot::{Part, Slot, null_branch};
use crate::schema::{Kind, NodeId, Schema};

/// What the rules are made of, from a contract or without one.
pub(super) struct Inputs<'a> {
    /// Name and major of the product; bound into what is encrypted.
    pub(super) product: String,
    pub(super) columns: &'a [SensitiveColumn],
    pub(super) views: Vec<ViewRule>,
    /// What a contract says besides. Without a contract, none is asked for.
    pub(super) identity: Option<Identity<'a>>,
    pub(super) places: &'a Places,
}

/// The columns that say which entity a record is of, when its fact happened and whom it is about.
#[derive(Clone, Copy)]
pub(super) struct Identity<'a> {
    pub(super) key: Option<&'a ColumnPath>,
    pub(super) event_time: Option<&'a ColumnPath>,
    pub(super) subject: Option<&'a ColumnPath>,
    /// The product's unique id.
    pub(super) product: [u8; 16],
}

/// Checks all of it.
pub(super) fn rules(inputs: &Inputs<'_>, schema: &Schema) -> Result<Rules, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut rules = Rules {
        product: inputs.product.clone(),
        schema: Arc::new(schema.clone()),
        view_rules: inputs.views.clone(),
        masks: Vec::new(),
        marks: HashMap::new(),
        insensitive: HashSet::new(),
        key: None,
        event_time: None,
        subject: None,
        views: inputs.views.iter().map(|view| view.name.clone()).collect(),
        warnings: Vec::new(),
    };
    if inputs.identity.is_some() && !matches!(schema.node(schema.root()).kind, Kind::Record { .. }) {
        let word = schema.node(schema.root()).kind.word();
        let message = format!("the schema's root is of type {word}; change events are records");
        return Err(vec![Finding::error(id::SCHEMA_ROOT, inputs.places.at("schema"), message)]);
    }
    let mut ends = Vec::new();
    for (index, column) in inputs.columns.iter().enumerate() {
        ends.push(mark(&mut rules, &mut findings, inputs.places, index, column));
    }
    for (index, column) in inputs.columns.iter().enumerate() {
        check_column(&rules, &mut findings, inputs.places, index, column, &ends[index]);
    }
    attributes::mark(&mut rules, &mut findings, inputs.places);
    warn_of_sharing(&rules, inputs, &ends, &mut findings);
    if let Some(identity) = inputs.identity {
        identity::check_key(&mut rules, &mut findings, inputs.places, identity.key);
        identity::check_event_time(&mut rules, &mut findings, inputs.places, identity.event_time);
        match identity.subject {
            Some(column) => subject::check(&mut rules, &mut findings, inputs.places, column, identity.product),
            None => subject::warn(inputs, &mut findings),
        }
    }
    finish(rules, findings)
}

fn finish(mut rules: Rules, mut findings: Vec<Finding>) -> Result<Rules, Vec<Finding>> {
    Finding::sort(&mut findings);
    if findings.iter().any(Finding::is_error) {
        return Err(findings);
    }
    rules.warnings = findings;
    Ok(rules)
}

/// Marks the places that a column names. Returns them.
fn mark(
    rules: &mut Rules,
    findings: &mut Vec<Finding>,
    places: &Places,
    index: usize,
    column: &SensitiveColumn,
) -> Vec<(Slot, NodeId)> {
    let place = places.at(&format!("sensitive_columns[{index}].column"));
    let schema = Arc::clone(&rules.schema);
    let ends = match path::resolve(&schema, &column.column) {
        Ok(ends) => ends,
        Err(unresolved) => {
            let message = format!("the sensitive column `{}` is not in the schema: {}", column.column, unresolved.what);
            findings.push(Finding::error(id::COLUMN_UNKNOWN, place, message).maybe_hint(unresolved.hint));
            return Vec::new();
        }
    };
    let text = column.column.to_string();
    let masked_in = rules.masked_in(&text, &column.class);
    rules.masks.push(Mask { column: text, class: column.class.clone(), rule: column.mask.clone(), masked_in });
    let added = rules.masks.len() - 1;
    for (slot, _) in &ends {
        let known = *rules.marks.entry(*slot).or_insert(added);
        if !rules.masks[known].equivalent(&rules.masks[added]) {
            findings.push(conflict(&rules.masks[known], &rules.masks[added], place.clone()));
        }
        if let Some(warning) = readable_default(&schema, *slot, column, &place) {
            findings.push(warning);
        }
    }
    ends
}

fn conflict(known: &Mask, added: &Mask, place: mesh_contract::Place) -> Finding {
    let message = format!(
        "the columns `{}` and `{}` are the same field of a type that is used more than once, but differ in rule, class or views",
        known.column, added.column
    );
    Finding::error(id::MASK_CONFLICT, place, message)
        .hint("give both the same rule, class and views, or make them two types")
}

/// A default that says nothing is no leak.
fn readable_default(
    schema: &Schema,
    slot: Slot,
    column: &SensitiveColumn,
    place: &mesh_contract::Place,
) -> Option<Finding> {
    let (Part::Field(index), Kind::Record { fields }) = (slot.part, &schema.node(slot.parent).kind) else {
        return None;
    };
    let default = fields[index].default.as_ref()?;
    let says_nothing = match default {
        serde_json::Value::Null | serde_json::Value::Bool(_) => true,
        serde_json::Value::Number(number) => number.as_f64() == Some(0.0),
        serde_json::Value::String(text) => {
            text.is_empty() || matches!(schema.node(fields[index].node).kind, Kind::Enum { .. })
        }
        serde_json::Value::Array(items) => items.is_empty(),
        serde_json::Value::Object(members) => members.is_empty(),
    };
    (!says_nothing).then(|| {
        let message = format!(
            "the schema gives the sensitive column `{}` a default, which every reader of the schema can see",
            column.column
        );
        Finding::warning(id::SENSITIVE_DEFAULT, place.clone(), message)
            .hint("views get a neutral default; if the schema's own says anything about anyone, take it out")
    })
}

/// Whether the column's rule fits every leaf that it means.
fn check_column(
    rules: &Rules,
    findings: &mut Vec<Finding>,
    places: &Places,
    index: usize,
    column: &SensitiveColumn,
    ends: &[(Slot, NodeId)],
) {
    let Some(rule) = &column.mask else { return };
    let place = places.at(&format!("sensitive_columns[{index}].mask"));
    for (slot, node) in ends {
        if let Some(message) = misfit(rules, column, rule, *slot, *node) {
            let finding = Finding::error(id::MASK_TYPE, place.clone(), message);
            findings.push(finding.hint(alternatives_hint(rules, *node)));
            return;
        }
    }
}

/// What is wrong with a rule on a place, if anything.
fn misfit(rules: &Rules, column: &SensitiveColumn, rule: &MaskRule, slot: Slot, node: NodeId) -> Option<String> {
    let schema = &rules.schema;
    let last = column.column.steps().last();
    match rule {
        MaskRule::Drop if matches!(last, Some(Step::Field(_))) => return None,
        MaskRule::Drop => {
            return Some(format!("`drop` removes a record's field, which `{}` is not", column.column));
        }
        MaskRule::Null if null_branch(schema, node).is_some() => return None,
        _ => {}
    }
    let reached = leaves::under(rules, slot, node);
    reached.iter().find_map(|reach| match reach {
        Reach::MapKeys => None,
        Reach::Leaf { path, node, nullable } => {
            let leaf = super::Leaf::of(schema.node(*node));
            let fitting = if *rule == MaskRule::Null { *nullable } else { fits(rule, leaf) };
            let whole = format!("{}{path}", column.column);
            (!fitting).then(|| match rule {
                MaskRule::Null => format!("`null` wants a union with null; `{whole}` is {}", leaf.described()),
                _ => format!("the rule `{rule}` does not fit `{whole}`, {}", leaf.described()),
            })
        }
    })
}

/// The rules that would fit, for a column that is one leaf.
fn alternatives_hint(rules: &Rules, node: NodeId) -> String {
    let schema = &rules.schema;
    let found = crate::mask::slot::alternatives(schema, node);
    let leaf = match found.as_slice() {
        [single] => super::Leaf::of(schema.node(*single)),
        _ => return "leave `mask` out: each leaf is then masked by its type".to_owned(),
    };
    let Some(default) = super::default_rule(leaf) else {
        return "name the leaves one by one, or leave `mask` out: each leaf is then masked by its type".to_owned();
    };
    let candidates = [
        ("redact", MaskRule::Redact(None)),
        ("zero", MaskRule::Zero),
        ("hash", MaskRule::Hash(None)),
        ("keep_last: 4", MaskRule::KeepLast(4)),
        ("generalise: year", MaskRule::Generalise(mesh_contract::Generalisation::Year)),
        ("generalise: 10", MaskRule::Generalise(mesh_contract::Generalisation::Multiple(10))),
        ("encrypt", MaskRule::Encrypt),
    ];
    let fitting = candidates.iter().filter(|(_, rule)| fits(rule, leaf)).map(|(text, _)| format!("`{text}`"));
    let fitting: Vec<String> = fitting.collect();
    format!("fitting: {}; without `mask` it is `{default}`", fitting.join(", "))
}

/// A rule inside a type that is used elsewhere as well holds there too: no leak, but perhaps more than was meant.
fn warn_of_sharing(rules: &Rules, inputs: &Inputs<'_>, ends: &[Vec<(Slot, NodeId)>], findings: &mut Vec<Finding>) {
    let mut uses = leaves::Uses::of(&rules.schema);
    let mut columns_at: HashMap<Slot, usize> = HashMap::new();
    for (slot, _) in ends.iter().flatten() {
        *columns_at.entry(*slot).or_default() += 1;
    }
    for (index, column) in inputs.columns.iter().enumerate() {
        for (slot, _) in &ends[index] {
            let used = uses.count(slot.parent);
            let is_more = used > columns_at[slot];
            let Some(name) = rules.schema.node(slot.parent).name.as_ref().filter(|_| is_more) else { continue };
            let place = inputs.places.at(&format!("sensitive_columns[{index}].column"));
            let message = format!(
                "`{}` is a field of {name}, which the schema uses {used} times: it is masked in all of them",
                column.column
            );
            let hint = "list the other uses as well, or make it a type of its own";
            findings.push(Finding::warning(id::MASK_SHARED, place, message).hint(hint));
        }
    }
}

/// The steps of a key or an event time.
pub(super) fn single_value(path: &ColumnPath) -> Option<Vec<String>> {
    field_names(path.steps())
}
