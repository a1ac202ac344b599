//! Avro 1.12 schemas, parsed into a name-resolved arena that keeps what compatibility and masking need: defaults,
//! aliases, attributes, documentation and the JSON pointer of everything.
//!
//! Every input is bounded: the text ([`MAX_TEXT_BYTES`]), its nesting ([`MAX_DEPTH`]; `serde_json` itself refuses JSON
//! deeper than 128 levels), the number of types ([`MAX_NODES`]) and the length of names. Names reach any distance without nesting, so a walk
//! over nodes must be bounded by its own means.

mod canonical;
mod default;
mod equality;
mod error;
mod fingerprint;
mod height;
mod json;
mod locate;
mod logical;
mod model;
mod name;
mod outline;
mod parse;
mod shape;
mod text;
mod whole;

use std::collections::HashMap;
use std::sync::OnceLock;

use foldhash::fast::RandomState;
use json::Json;
use serde_json::Value;
use text::read_json;

pub use error::{SchemaError, SchemaFault};
pub(crate) use error::{quoted, shortened};
pub use locate::{Position, locate};
pub use logical::Logical;
pub use model::{Field, Kind, Node, NodeId};
pub use name::Name;
pub(crate) use outline::Outline;
pub(crate) use shape::Record;
use shape::Shapes;
pub(crate) use whole::define;

/// The longest schema text that is read.
pub const MAX_TEXT_BYTES: usize = 2 << 20;

/// The most types that a schema may have, its references included.
pub const MAX_NODES: usize = 1 << 16;

/// The deepest nesting of a schema's JSON that is read.
pub const MAX_DEPTH: usize = 128;

/// A parsed Avro schema. Types are nodes of an arena; names are resolved, so recursion is a matter of [`NodeId`]s.
#[derive(Debug, Clone)]
pub struct Schema {
    nodes: Vec<Node>,
    root: NodeId,
    names: HashMap<Name, NodeId, RandomState>,
    document: Document,
    outlines: Vec<Outline>,
    beyond_outlines: usize,
    shapes: Shapes,
    /// How deep each type's shallowest datum is, known when it is asked for.
    heights: OnceLock<Vec<Option<u32>>>,
    /// The named types that have aliases.
    aliased: Vec<NodeId>,
    has_aliases: bool,
    has_references: bool,
}

/// The attribute that names a column's class of sensitivity.
pub(crate) const CLASS: &str = "mesh.class";

/// The attribute that says that a column only looks sensitive.
pub(crate) const SENSITIVE: &str = "mesh.sensitive";

/// A schema's JSON, parsed when it is asked for.
#[derive(Debug, Clone, Default)]
struct Document {
    text: Box<str>,
    json: OnceLock<Value>,
}

impl Schema {
    /// Parses a schema's text.
    ///
    /// # Errors
    /// [`SchemaError`], with its position in the text, where the text is not a valid Avro 1.12 schema.
    pub fn parse(text: &str) -> Result<Schema, SchemaError> {
        Schema::parse_with(text, &[])
    }

    /// Parses a schema that refers to types which other schemas define. `references` are those schemas' texts; each may
    /// refer to the ones before it.
    ///
    /// # Errors
    /// [`SchemaError`] where the schema or a reference is not valid; its `document` says which.
    pub fn parse_with(text: &str, references: &[&str]) -> Result<Schema, SchemaError> {
        let mut parser = parse::Parser::default();
        for (number, reference) in references.iter().enumerate() {
            let json = read_json(reference).map_err(|error| SchemaError { document: number + 1, ..error })?;
            parser.document(&json, number + 1).map_err(|error| error.in_text(reference))?;
        }
        let json = read_json(text)?;
        let root = parser.document(&json, 0).map_err(|error| error.in_text(text))?;
        Ok(parser.into_schema(root, Document { text: text.into(), json: OnceLock::new() }))
    }

    /// Parses a schema that is JSON already.
    ///
    /// # Errors
    /// [`SchemaError`] where it is not a valid Avro 1.12 schema. Without a text there is no position.
    pub fn parse_value(json: &Value) -> Result<Schema, SchemaError> {
        let mut parser = parse::Parser::default();
        let root = parser.document(&Json::of(json), 0)?;
        Ok(parser.into_schema(root, Document { text: "".into(), json: json.clone().into() }))
    }

    /// The outermost type.
    #[must_use]
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// The type with that id, which must be of this schema.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// How many types there are; ids' indexes are below it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: a schema is at least one type.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Every type with its id, those of references first.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate().map(|(index, node)| (NodeId(index as u32), node))
    }

    /// The type with that full name.
    #[must_use]
    pub fn named(&self, full_name: &str) -> Option<NodeId> {
        self.names.get(full_name).copied()
    }

    /// The schema as it was given, without its references.
    #[must_use]
    pub fn json(&self) -> &Value {
        let Document { text, json } = &self.document;
        json.get_or_init(|| serde_json::from_str(text).expect("the schema was parsed from this text, so it is JSON"))
    }

    fn of(nodes: Vec<Node>, root: NodeId, names: HashMap<Name, NodeId, RandomState>, document: Document) -> Schema {
        let outlines = Outline::of_all(&nodes);
        let ids = (0_u32..).map(NodeId).zip(&nodes);
        let aliased: Vec<NodeId> = ids.filter(|(_, node)| !node.aliases.is_empty()).map(|(id, _)| id).collect();
        let has_references = nodes.iter().any(|node| node.document > 0);
        let shapes = Shapes::of(&nodes, &outlines);
        Schema {
            has_aliases: !aliased.is_empty() || shapes.has_aliases(),
            nodes,
            root,
            names,
            document,
            beyond_outlines: outlines.iter().filter(|outline| !outline.is_all()).count(),
            outlines,
            shapes,
            heights: OnceLock::new(),
            aliased,
            has_references,
        }
    }

    /// The record with that id, or no fields where it is none.
    pub(crate) fn record(&self, id: NodeId) -> Record<'_> {
        self.shapes.record(id, self.node(id))
    }

    /// Whether some type or field has aliases.
    pub(crate) fn has_aliases(&self) -> bool {
        self.has_aliases
    }

    /// A type's outline.
    pub(crate) fn outline(&self, id: NodeId) -> Outline {
        self.outlines[id.index()]
    }

    /// How deep a type's shallowest datum is; `None` where it has none, or none that could be an example.
    pub(crate) fn height(&self, id: NodeId) -> Option<u32> {
        self.heights.get_or_init(|| height::heights(&self.nodes, &self.outlines))[id.index()]
    }

    /// What tells a named type from others; of a record it is the name alone. Empty for other types.
    pub(crate) fn essence(&self, id: NodeId) -> &str {
        self.shapes.essence_of(id)
    }

    /// How many types are more than their outlines.
    pub(crate) fn beyond_outlines(&self) -> usize {
        self.beyond_outlines
    }

    /// The named types that have aliases, in the order of the arena.
    pub(crate) fn aliased(&self) -> &[NodeId] {
        &self.aliased
    }
}
