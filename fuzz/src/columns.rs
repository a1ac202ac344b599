//! Contracts grown from choices: sensitive columns, most of which a schema has, and views.

use std::collections::BTreeMap;

use mesh_avro::schema::{Kind, NodeId, Schema};
use mesh_contract::{
    AccessGrant, Clear, ColumnPath, Compatibility, Contract, Generalisation, History, MaskRule, RefreshRate,
    SensitiveColumn, Span, Unit, View,
};
use uuid::Uuid;

use crate::Draw;

/// The longest path that is taken, in steps.
const STEPS_MAX: usize = 6;

/// A contract on a schema. Its rules may fit or not.
pub fn contract(draw: &mut Draw, schema: &Schema) -> Contract {
    let paths = paths(schema);
    let sensitive_columns: Vec<SensitiveColumn> = (0..draw.below(6)).filter_map(|_| column(draw, &paths)).collect();
    let path = |draw: &mut Draw| draw.chance(3).then(|| path(draw, &paths)).flatten();
    let (key, event_time) = (path(draw), path(draw));
    let hour = Span::new(1, Unit::Hour).expect("an hour is neither too short nor too long");
    Contract {
        unique_id: Uuid::nil(),
        owner: "crm".to_owned(),
        name: "customers".to_owned(),
        version: 1,
        description: "Customers.".to_owned(),
        schema: "schemas/crm/customer.avsc".to_owned(),
        key,
        subject: None,
        compatibility: Compatibility::BackwardTransitive,
        refresh_rate: RefreshRate { event_time, ..RefreshRate::every(hour) },
        history: History::Latest,
        storage: Vec::new(),
        views: views(draw, &sensitive_columns),
        sensitive_columns,
        access_group: vec![AccessGrant { group: "analysts".to_owned(), view: "masked".to_owned() }],
        dependencies: Vec::new(),
        partitions: None,
        replication: None,
        headers: Vec::new(),
        maintenance: Vec::new(),
        deprecated: None,
        fed_by: None,
    }
}

fn views(draw: &mut Draw, columns: &[SensitiveColumn]) -> BTreeMap<String, View> {
    let mut views = BTreeMap::from([("stewards".to_owned(), View { clear: Clear::All })]);
    if let Some(first) = columns.first() {
        let name = if draw.chance(2) { first.class.clone() } else { first.column.to_string() };
        views.insert("support".to_owned(), View { clear: Clear::Named(vec![name]) });
    }
    views
}

fn path(draw: &mut Draw, paths: &[String]) -> Option<ColumnPath> {
    let text = if draw.chance(12) || paths.is_empty() { "no.such[].column" } else { draw.one(paths) };
    text.parse().ok()
}

fn column(draw: &mut Draw, paths: &[String]) -> Option<SensitiveColumn> {
    let column = path(draw, paths)?;
    let class = (*draw.one(&["pii", "pii.contact"])).to_owned();
    Some(SensitiveColumn { column, class, mask: draw.chance(2).then(|| mask(draw)) })
}

fn mask(draw: &mut Draw) -> MaskRule {
    let units = [Generalisation::Year, Generalisation::Month, Generalisation::Day, Generalisation::Hour];
    match draw.below(16) {
        0 => MaskRule::Hash(None),
        1 => MaskRule::Redact(None),
        2 => MaskRule::Redact(Some((*draw.one(&["RED", "none", ""])).to_owned())),
        3 => MaskRule::Null,
        4 => MaskRule::Zero,
        5 => MaskRule::Hash(Some(16 + draw.below(49) as u8)),
        6 => MaskRule::KeepFirst(draw.below(9) as u32),
        7 => MaskRule::KeepLast(draw.below(9) as u32),
        8 => MaskRule::Truncate(draw.below(9) as u32),
        9 | 10 => MaskRule::Generalise(*draw.one(&units)),
        11 => MaskRule::Generalise(Generalisation::Multiple(draw.next() >> draw.below(64))),
        12 | 13 => MaskRule::Tokenise,
        14 => MaskRule::Encrypt,
        _ => MaskRule::Drop,
    }
}

/// Paths of a schema's columns, containers included.
fn paths(schema: &Schema) -> Vec<String> {
    let mut found = Vec::new();
    walk(schema, schema.root(), String::new(), STEPS_MAX, &mut found);
    // As many as one byte can choose from.
    found.truncate(256);
    found
}

fn walk(schema: &Schema, id: NodeId, path: String, steps: usize, found: &mut Vec<String>) {
    if steps == 0 || found.len() > 256 {
        return;
    }
    if !path.is_empty() {
        found.push(path.clone());
    }
    match &schema.node(id).kind {
        Kind::Array { items } => walk(schema, *items, format!("{path}[]"), steps - 1, found),
        Kind::Map { values } => walk(schema, *values, format!("{path}{{}}"), steps - 1, found),
        Kind::Union { branches } => {
            branches.iter().for_each(|branch| walk(schema, *branch, path.clone(), steps - 1, found));
        }
        Kind::Record { fields } => {
            for field in fields {
                let inner = if path.is_empty() { field.name.clone() } else { format!("{path}.{}", field.name) };
                walk(schema, field.node, inner, steps - 1, found);
            }
        }
        _ => {}
    }
}
