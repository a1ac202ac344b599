//! A schema as JSON again, as one view has it.

use std::collections::HashSet;

use mesh_contract::MaskRule;
use serde_json::{Map, Value, json};

use super::defaults;
use crate::mask::CompileError;
use crate::mask::compile::{Decision, Mapping};
use crate::mask::rules::{Leaf, keeps_logical, map_key_rule, rule_of};
use crate::mask::slot::{Part, Slot, parts};
use crate::schema::{Field, Kind, Node, NodeId, Schema, define};

/// The deepest nesting of types, which is that of a schema's text unless definitions had to be moved into each other.
const DEPTH_MAX: usize = 128;

/// Attributes of a masked type that are kept besides ours: how it is represented, never what it holds.
const KEPT_ATTRIBUTES: [&str; 5] = ["logicalType", "precision", "scale", "avro.java.string", "term"];

/// What a view makes of a place.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Shown {
    Clear,
    Masked(usize),
    Nulled(usize),
    Removed,
}

pub(super) struct Renderer<'a> {
    pub(super) schema: &'a Schema,
    pub(super) mapping: &'a Mapping,
    view: usize,
    /// Named types that are defined already.
    defined: HashSet<NodeId>,
    depth: usize,
}

impl<'a> Renderer<'a> {
    pub(super) fn new(schema: &'a Schema, mapping: &'a Mapping, view: usize) -> Renderer<'a> {
        Renderer { schema, mapping, view, defined: HashSet::new(), depth: 0 }
    }

    pub(super) fn root(mut self) -> Result<Value, CompileError> {
        self.node(self.schema.root(), Shown::Clear, None)
    }

    /// What this view makes of a place.
    pub(super) fn shown(&self, slot: Slot) -> Shown {
        let is_masked = |mask: usize| self.mapping.masks[mask].masked_in[self.view];
        match self.mapping.decision(slot) {
            Decision::Unknown => Shown::Removed,
            Decision::Whole(mask) if is_masked(mask) => match self.mapping.rule(mask) {
                Some(MaskRule::Null) => Shown::Nulled(mask),
                _ => Shown::Removed,
            },
            Decision::Masked(mask) if is_masked(mask) => Shown::Masked(mask),
            _ => Shown::Clear,
        }
    }

    fn node(&mut self, id: NodeId, shown: Shown, namespace: Option<&str>) -> Result<Value, CompileError> {
        if self.depth == DEPTH_MAX {
            return Err(CompileError::TooLarge { what: "its types nest deeper than 128" });
        }
        self.depth += 1;
        let rendered = self.node_within(id, shown, namespace);
        self.depth -= 1;
        rendered
    }

    fn node_within(&mut self, id: NodeId, shown: Shown, namespace: Option<&str>) -> Result<Value, CompileError> {
        let schema = self.schema;
        let node = schema.node(id);
        if let Some(name) = &node.name
            && !self.defined.insert(id)
        {
            return Ok(Value::from(name.reference_in(namespace)));
        }
        let inner_namespace = node.name.as_ref().map_or(namespace, |name| Some(name.namespace().unwrap_or("")));
        let mut object = Map::new();
        object.insert("type".to_owned(), Value::from(node.kind.word()));
        if let Some(name) = &node.name {
            define(&mut object, node, name, namespace, shown == Shown::Clear);
        }
        match &node.kind {
            Kind::Union { branches } => return self.union(id, branches.len(), namespace),
            Kind::Record { fields } => {
                object.insert("fields".to_owned(), self.fields(id, fields, inner_namespace)?);
            }
            Kind::Array { items } => {
                let shown = self.shown(Slot::new(id, Part::Items));
                object.insert("items".to_owned(), self.node(*items, shown, namespace)?);
            }
            Kind::Map { values } => {
                let shown = self.shown(Slot::new(id, Part::Values));
                object.insert("values".to_owned(), self.node(*values, shown, namespace)?);
            }
            Kind::Fixed { size } => {
                object.insert("size".to_owned(), json!(size));
            }
            Kind::Enum { symbols, default } => {
                object.insert("symbols".to_owned(), json!(symbols));
                if let Some(default) = default {
                    object.insert("default".to_owned(), json!(default));
                }
            }
            _ => {}
        }
        self.attributes(&mut object, node, shown);
        Ok(if object.len() == 1 { Value::from(node.kind.word()) } else { Value::Object(object) })
    }

    fn union(&mut self, id: NodeId, branches: usize, namespace: Option<&str>) -> Result<Value, CompileError> {
        let inner = parts(self.schema, id);
        let mut rendered = Vec::with_capacity(branches);
        for (slot, branch) in inner {
            rendered.push(self.node(branch, self.shown(slot), namespace)?);
        }
        Ok(Value::Array(rendered))
    }

    fn fields(&mut self, record: NodeId, fields: &[Field], namespace: Option<&str>) -> Result<Value, CompileError> {
        let mut rendered = Vec::with_capacity(fields.len());
        for (index, field) in fields.iter().enumerate() {
            let slot = Slot::new(record, Part::Field(index));
            if self.shown(slot) != Shown::Removed {
                rendered.push(self.field(slot, field, namespace)?);
            }
        }
        Ok(Value::Array(rendered))
    }

    fn field(&mut self, slot: Slot, field: &Field, namespace: Option<&str>) -> Result<Value, CompileError> {
        let shown = self.shown(slot);
        let rules = self.rules_in(slot, field.node);
        let mut object = Map::new();
        object.insert("name".to_owned(), json!(field.name));
        object.insert("type".to_owned(), self.node(field.node, shown, namespace)?);
        if let Some(default) = &field.default {
            object.insert("default".to_owned(), defaults::of_field(self, shown, field.node, default));
        }
        if !field.aliases.is_empty() {
            object.insert("aliases".to_owned(), json!(field.aliases));
        }
        if let Some(order) = &field.order {
            object.insert("order".to_owned(), json!(order));
        }
        let is_masked = shown != Shown::Clear || !rules.is_empty();
        match &field.doc {
            Some(_) if is_masked => object.insert("doc".to_owned(), Value::from("Masked in this view.")),
            Some(doc) => object.insert("doc".to_owned(), json!(doc)),
            None => None,
        };
        for (key, value) in &field.attributes {
            if !is_masked || key.starts_with("mesh.") || KEPT_ATTRIBUTES.contains(&key.as_str()) {
                object.insert(key.clone(), value.clone());
            }
        }
        object.remove("mesh.masked");
        if !rules.is_empty() {
            object.insert("mesh.masked".to_owned(), Value::from(rules.join(", ")));
        }
        Ok(Value::Object(object))
    }

    /// The rules that mask something in a field, those of records inside it left to their own fields.
    fn rules_in(&self, slot: Slot, node: NodeId) -> Vec<String> {
        let mut rules = Vec::new();
        let mut open = vec![(slot, node)];
        let mut seen = HashSet::new();
        while let Some((slot, node)) = open.pop() {
            if !seen.insert(slot) {
                continue;
            }
            let kind = &self.schema.node(node).kind;
            let rule = match self.shown(slot) {
                Shown::Nulled(_) => Some(MaskRule::Null),
                Shown::Masked(mask) => self.masked_rule(mask, node),
                Shown::Clear | Shown::Removed => None,
            };
            rules.extend(rule.map(|rule| rule.to_string()));
            if matches!(kind, Kind::Map { .. })
                && let Shown::Masked(mask) = self.shown(Slot::new(node, Part::Keys))
            {
                rules.push(map_key_rule(self.mapping.rule(mask)).to_string());
            }
            if !matches!(kind, Kind::Record { .. }) && !matches!(self.shown(slot), Shown::Nulled(_)) {
                open.extend(parts(self.schema, node));
            }
        }
        rules.sort();
        rules.dedup();
        rules
    }

    /// The rule of a leaf; none for what is no leaf.
    pub(super) fn masked_rule(&self, mask: usize, node: NodeId) -> Option<MaskRule> {
        let node = self.schema.node(node);
        match node.kind {
            Kind::Record { .. } | Kind::Array { .. } | Kind::Map { .. } | Kind::Union { .. } => None,
            _ => rule_of(self.mapping.rule(mask), Leaf::of(node)),
        }
    }

    fn attributes(&self, object: &mut Map<String, Value>, node: &Node, shown: Shown) {
        let leaf = Leaf::of(node);
        let keeps = match shown {
            Shown::Masked(mask) => {
                let rule = rule_of(self.mapping.rule(mask), leaf);
                rule.is_none_or(|rule| keeps_logical(&rule, leaf))
            }
            _ => true,
        };
        for (key, value) in &node.attributes {
            let is_logical = matches!(key.as_str(), "logicalType" | "precision" | "scale");
            let is_ours = key.starts_with("mesh.") || KEPT_ATTRIBUTES.contains(&key.as_str());
            if (shown == Shown::Clear || is_ours) && (keeps || !is_logical) {
                object.insert(key.clone(), value.clone());
            }
        }
    }
}
