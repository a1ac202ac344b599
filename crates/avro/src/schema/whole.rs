//! Schemas as one document again: what references define stands in place, at its first use.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value, json};

use super::{Field, Kind, MAX_DEPTH, Name, Node, NodeId, Schema, SchemaError, SchemaFault};

impl Schema {
    /// The schema as one document, with what references define in place at its first use. It is written from the types, so
    /// that two texts of one schema read alike, whichever of its types were references.
    ///
    /// # Errors
    /// [`SchemaFault::TooLarge`]: its types nest deeper than one document may, which references reach without nesting.
    pub fn whole(&self) -> Result<Value, SchemaError> {
        self.definition(self.root)
    }

    /// One of its types as a schema of its own, as [`whole`](Self::whole) is of all of it.
    ///
    /// # Errors
    /// As [`whole`](Self::whole).
    pub fn definition(&self, id: NodeId) -> Result<Value, SchemaError> {
        Writer { schema: self, defined: HashSet::new(), depth: 0 }.node(id, None)
    }

    /// The same schema in one document: itself, where it was parsed without references.
    ///
    /// # Errors
    /// As [`whole`](Self::whole).
    pub fn into_one(self) -> Result<Schema, SchemaError> {
        if !self.has_references {
            return Ok(self);
        }
        // by its text, so that what is too deep to be read again is refused here
        Schema::parse(&self.whole()?.to_string())
    }

    /// The types of references that the schema's own document uses itself, each with the JSON pointer of a use.
    #[must_use]
    pub fn referred(&self) -> BTreeMap<NodeId, String> {
        let own = self.nodes().filter(|(_, node)| node.document == 0);
        let used = own.flat_map(|(_, node)| uses(node)).chain([(self.root, String::new())]);
        used.filter(|(id, _)| self.node(*id).document > 0).collect()
    }
}

/// The types right inside a type, with the pointers of their places.
fn uses(node: &Node) -> Vec<(NodeId, String)> {
    let at = |key: &str| format!("{}/{key}", node.pointer);
    match &node.kind {
        Kind::Array { items } => vec![(*items, at("items"))],
        Kind::Map { values } => vec![(*values, at("values"))],
        Kind::Union { branches } => {
            branches.iter().zip(0..).map(|(branch, index)| (*branch, at(&format!("{index}")))).collect()
        }
        Kind::Record { fields } => fields.iter().map(|field| (field.node, format!("{}/type", field.pointer))).collect(),
        _ => Vec::new(),
    }
}

struct Writer<'s> {
    schema: &'s Schema,
    /// Named types that are defined already.
    defined: HashSet<NodeId>,
    depth: usize,
}

impl Writer<'_> {
    fn node(&mut self, id: NodeId, namespace: Option<&str>) -> Result<Value, SchemaError> {
        if self.depth == MAX_DEPTH {
            return Err(SchemaError::at("", SchemaFault::TooLarge { limit: MAX_DEPTH, unit: "levels" }));
        }
        self.depth += 1;
        let written = self.written(id, namespace);
        self.depth -= 1;
        written
    }

    fn written(&mut self, id: NodeId, namespace: Option<&str>) -> Result<Value, SchemaError> {
        let node = self.schema.node(id);
        if let Some(name) = &node.name
            && !self.defined.insert(id)
        {
            return Ok(Value::from(name.reference_in(namespace)));
        }
        if let Kind::Union { branches } = &node.kind {
            return branches.iter().map(|branch| self.node(*branch, namespace)).collect();
        }
        let inside = node.name.as_ref().map_or(namespace, |name| Some(name.namespace().unwrap_or("")));
        let mut object = Map::from_iter([("type".to_owned(), Value::from(node.kind.word()))]);
        if let Some(name) = &node.name {
            define(&mut object, node, name, namespace, true);
        }
        self.body(&mut object, &node.kind, inside)?;
        object.extend(node.attributes.clone());
        Ok(if object.len() == 1 { Value::from(node.kind.word()) } else { Value::Object(object) })
    }

    fn body(
        &mut self,
        object: &mut Map<String, Value>,
        kind: &Kind,
        namespace: Option<&str>,
    ) -> Result<(), SchemaError> {
        let (key, value) = match kind {
            Kind::Record { fields } => {
                let fields: Result<Vec<Value>, SchemaError> =
                    fields.iter().map(|field| self.field(field, namespace)).collect();
                ("fields", Value::Array(fields?))
            }
            Kind::Array { items } => ("items", self.node(*items, namespace)?),
            Kind::Map { values } => ("values", self.node(*values, namespace)?),
            Kind::Fixed { size } => ("size", json!(size)),
            Kind::Enum { symbols, default } => {
                if let Some(default) = default {
                    object.insert("default".to_owned(), json!(default));
                }
                ("symbols", json!(symbols))
            }
            _ => return Ok(()),
        };
        object.insert(key.to_owned(), value);
        Ok(())
    }

    fn field(&mut self, field: &Field, namespace: Option<&str>) -> Result<Value, SchemaError> {
        let mut object = Map::new();
        object.insert("name".to_owned(), json!(field.name));
        object.insert("type".to_owned(), self.node(field.node, namespace)?);
        let optional = [
            ("default", field.default.clone()),
            ("aliases", (!field.aliases.is_empty()).then(|| json!(field.aliases))),
            ("order", field.order.as_ref().map(|order| json!(order))),
            ("doc", field.doc.as_ref().map(|doc| json!(doc))),
        ];
        let optional = optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        object.extend(optional);
        object.extend(field.attributes.clone());
        Ok(Value::Object(object))
    }
}

/// A name, relative to the namespace around it; another namespace is written out, so that what is inside keeps its meaning.
pub(crate) fn define(
    object: &mut Map<String, Value>,
    node: &Node,
    name: &Name,
    namespace: Option<&str>,
    with_doc: bool,
) {
    object.insert("name".to_owned(), Value::from(name.simple()));
    let own = name.namespace().unwrap_or("");
    if own != namespace.unwrap_or("") {
        object.insert("namespace".to_owned(), Value::from(own));
    }
    // An alias in the null namespace of a type that is not cannot be written.
    let written = node.aliases.iter().filter(|alias| alias.namespace().is_some() || own.is_empty());
    let aliases: Vec<&str> = written.map(Name::as_str).collect();
    if !aliases.is_empty() {
        object.insert("aliases".to_owned(), json!(aliases));
    }
    if let Some(doc) = node.doc.as_ref().filter(|_| with_doc) {
        object.insert("doc".to_owned(), Value::from(doc.as_str()));
    }
}
