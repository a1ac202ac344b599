use serde_json::{Map, Value};

use super::{Logical, Name};

/// Where a node stands in its schema's arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(super) u32);

impl NodeId {
    /// The place in the arena, from 0, for tables beside it.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One type of a schema. A named type has one node, whichever way it is referred to.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What the type is made of.
    pub kind: Kind,
    /// The logical type, if it is a valid one; an invalid one is ignored, as the specification says.
    pub logical: Option<Logical>,
    /// The full name of a record, an enum or a fixed.
    pub name: Option<Name>,
    /// Other full names under which a writer may know a named type.
    pub aliases: Vec<Name>,
    /// What the author says of the type.
    pub doc: Option<String>,
    /// Every attribute that Avro itself gives no meaning to, in the order of the text.
    pub attributes: Map<String, Value>,
    /// The JSON pointer of the type's definition, in the document it is defined in.
    pub pointer: String,
    /// Which document that is: 0 is the schema itself, n the n-th reference it was parsed with.
    pub document: usize,
}

/// What a type is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// No value.
    Null,
    /// True or false.
    Boolean,
    /// A 32-bit signed integer.
    Int,
    /// A 64-bit signed integer.
    Long,
    /// An IEEE 754 single.
    Float,
    /// An IEEE 754 double.
    Double,
    /// A sequence of bytes.
    Bytes,
    /// Unicode text.
    String,
    /// A fixed number of bytes.
    Fixed {
        /// How many.
        size: usize,
    },
    /// One of a list of symbols.
    Enum {
        /// The symbols, in the order of their indexes.
        symbols: Vec<String>,
        /// What a reader takes for a symbol it does not know.
        default: Option<String>,
    },
    /// A list.
    Array {
        /// The items' type.
        items: NodeId,
    },
    /// Values keyed by text.
    Map {
        /// The values' type.
        values: NodeId,
    },
    /// One of several types.
    Union {
        /// The types, in the order of their indexes.
        branches: Vec<NodeId>,
    },
    /// Named fields.
    Record {
        /// The fields, in the order in which they are written.
        fields: Vec<Field>,
    },
}

impl Kind {
    /// The type's name in a schema's text.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean => "boolean",
            Kind::Int => "int",
            Kind::Long => "long",
            Kind::Float => "float",
            Kind::Double => "double",
            Kind::Bytes => "bytes",
            Kind::String => "string",
            Kind::Fixed { .. } => "fixed",
            Kind::Enum { .. } => "enum",
            Kind::Array { .. } => "array",
            Kind::Map { .. } => "map",
            Kind::Union { .. } => "union",
            Kind::Record { .. } => "record",
        }
    }
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The field's name.
    pub name: String,
    /// Other names under which a writer may know the field.
    pub aliases: Vec<String>,
    /// The field's type.
    pub node: NodeId,
    /// What a reader takes when the writer has no such field; fits the type.
    pub default: Option<Value>,
    /// What the author says of the field.
    pub doc: Option<String>,
    /// How records are compared by the field, where it says so: `ascending`, `descending` or `ignore`.
    pub order: Option<String>,
    /// Every attribute that Avro itself gives no meaning to, in the order of the text.
    pub attributes: Map<String, Value>,
    /// The JSON pointer of the field, in the document its record is defined in.
    pub pointer: String,
}
