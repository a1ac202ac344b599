//! What comparing schemas asks of their types, side by side: types and fields themselves lie far apart in memory, with
//! much that only findings need.

use std::fmt::Write as _;

use serde_json::Value;

use super::{CLASS, Field, Kind, Node, NodeId, Outline, SENSITIVE};

/// The shapes of all types of a schema.
#[derive(Debug, Clone, Default)]
pub(super) struct Shapes {
    text: String,
    fields: Vec<FieldShape>,
    types: Vec<TypeShape>,
}

/// A piece of the shapes' text.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    start: u32,
    end: u32,
}

#[derive(Debug, Clone, Copy)]
struct TypeShape {
    essence: Span,
    /// Where a record's fields are.
    fields: Span,
}

#[derive(Debug, Clone, Copy)]
struct FieldShape {
    name: Span,
    node: NodeId,
    outline: Outline,
    default: DefaultShape,
    /// The class that the field, or a type that it is made of, names; empty where none does.
    class: Span,
    has_aliases: bool,
}

/// A default, as far as it can be compared as text.
#[derive(Debug, Clone, Copy)]
enum DefaultShape {
    None,
    Scalar(Span),
    Other,
}

/// A record's fields and their shapes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'s> {
    node: &'s Node,
    shapes: &'s [FieldShape],
    text: &'s str,
}

impl Shapes {
    pub(super) fn of(nodes: &[Node], outlines: &[Outline]) -> Shapes {
        let mut shapes = Shapes::default();
        let has_classed_types = nodes.iter().any(|node| node.attributes.contains_key(CLASS));
        for node in nodes {
            let essence = shapes.essence(node);
            let start = shapes.fields.len() as u32;
            if let Kind::Record { fields } = &node.kind {
                for field in fields {
                    let class = class(nodes, field, has_classed_types).unwrap_or_default();
                    shapes.add(field, outlines[field.node.index()], class);
                }
            }
            shapes.types.push(TypeShape { essence, fields: Span { start, end: shapes.fields.len() as u32 } });
        }
        shapes
    }

    /// Of a named type its name, of an enum and a fixed all else, too, that tells it from others.
    fn essence(&mut self, node: &Node) -> Span {
        let Some(name) = &node.name else { return Span::default() };
        let start = self.text.len();
        self.text.push_str(name.as_str());
        match &node.kind {
            Kind::Enum { symbols, default } => {
                for symbol in symbols {
                    self.text.push(' ');
                    self.text.push_str(symbol);
                }
                self.text.push_str(default.as_ref().map_or("", |_| " ="));
                self.text.push_str(default.as_deref().unwrap_or_default());
            }
            Kind::Fixed { size } => {
                // Writing to a String cannot fail.
                let _ = write!(self.text, " {size} {:?}", node.logical);
            }
            _ => {}
        }
        self.since(start)
    }

    fn add(&mut self, field: &Field, outline: Outline, class: &str) {
        let shape = FieldShape {
            name: self.push(&field.name),
            node: field.node,
            outline,
            default: self.default_shape(field.default.as_ref()),
            class: self.push(class),
            has_aliases: !field.aliases.is_empty(),
        };
        self.fields.push(shape);
    }

    fn default_shape(&mut self, default: Option<&Value>) -> DefaultShape {
        match default {
            None => DefaultShape::None,
            Some(Value::Null) => DefaultShape::Scalar(self.push("null")),
            Some(Value::Bool(value)) => DefaultShape::Scalar(self.push(if *value { "true" } else { "false" })),
            Some(Value::String(text)) => {
                let start = self.text.len();
                self.text.push('"');
                self.text.push_str(text);
                DefaultShape::Scalar(self.since(start))
            }
            Some(Value::Number(number)) => {
                let start = self.text.len();
                // Writing to a String cannot fail.
                let _ = write!(self.text, "{number}");
                DefaultShape::Scalar(self.since(start))
            }
            Some(_) => DefaultShape::Other,
        }
    }

    fn push(&mut self, text: &str) -> Span {
        let start = self.text.len();
        self.text.push_str(text);
        self.since(start)
    }

    fn since(&self, start: usize) -> Span {
        Span { start: start as u32, end: self.text.len() as u32 }
    }

    /// Two types of one essence, that is not empty, have one name, and are the same unless they are records.
    pub(super) fn essence_of(&self, id: NodeId) -> &str {
        self.types[id.index()].essence.of(&self.text)
    }

    /// The shape of the record with that id and node.
    pub(super) fn record<'s>(&'s self, id: NodeId, node: &'s Node) -> Record<'s> {
        let Span { start, end } = self.types[id.index()].fields;
        Record { node, shapes: &self.fields[start as usize..end as usize], text: &self.text }
    }

    /// Whether names, classes and scalar defaults are the same, in the same order.
    pub(super) fn have_text_of(&self, other: &Shapes) -> bool {
        self.text == other.text
    }

    /// Whether some field has aliases.
    pub(super) fn has_aliases(&self) -> bool {
        self.fields.iter().any(|field| field.has_aliases)
    }
}

impl Span {
    fn of(self, text: &str) -> &str {
        &text[self.start as usize..self.end as usize]
    }
}

impl<'s> Record<'s> {
    /// The fields themselves, which lie elsewhere.
    pub(crate) fn fields(&self) -> &'s [Field] {
        if let Kind::Record { fields } = &self.node.kind { fields } else { &[] }
    }

    /// How many fields there are.
    pub(crate) fn len(&self) -> usize {
        self.shapes.len()
    }

    /// The name of a field.
    pub(crate) fn name(&self, index: usize) -> &'s str {
        self.shapes[index].name.of(self.text)
    }

    /// The type of a field.
    pub(crate) fn node(&self, index: usize) -> NodeId {
        self.shapes[index].node
    }

    /// The outline of a field's type.
    pub(crate) fn outline(&self, index: usize) -> Outline {
        self.shapes[index].outline
    }

    /// The class that a field, or a type that it is made of, names.
    pub(crate) fn class(&self, index: usize) -> Option<&'s str> {
        Some(self.shapes[index].class.of(self.text)).filter(|class| !class.is_empty())
    }

    /// Whether a field has aliases.
    pub(crate) fn has_aliases(&self, index: usize) -> bool {
        self.shapes[index].has_aliases
    }

    /// Whether a field has a default.
    pub(crate) fn has_default(&self, index: usize) -> bool {
        !matches!(self.shapes[index].default, DefaultShape::None)
    }

    /// Whether two fields have defaults that may differ.
    pub(crate) fn may_change_default(&self, index: usize, other: &Record<'_>, at: usize) -> bool {
        match (self.shapes[index].default, other.shapes[at].default) {
            (DefaultShape::None, _) | (_, DefaultShape::None) => false,
            (DefaultShape::Scalar(one), DefaultShape::Scalar(another)) => one.of(self.text) != another.of(other.text),
            _ => true,
        }
    }

    /// The field of that name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        let is_as_long = |span: Span| (span.end - span.start) as usize == name.len();
        self.shapes.iter().position(|shape| is_as_long(shape.name) && shape.name.of(self.text) == name)
    }
}

/// The class that a field, or a type that it is made of down to those that have a name, says it is of.
fn class<'n>(nodes: &'n [Node], field: &'n Field, has_classed_types: bool) -> Option<&'n str> {
    if field.attributes.is_empty() && !has_classed_types {
        return None;
    }
    if field.attributes.get(SENSITIVE) == Some(&Value::Bool(false)) {
        return None;
    }
    let own = field.attributes.get(CLASS).and_then(Value::as_str);
    own.or_else(|| {
        let mut to_visit = vec![field.node];
        while let Some(id) = to_visit.pop() {
            let node = &nodes[id.index()];
            if let Some(class) = node.attributes.get(CLASS).and_then(Value::as_str) {
                return Some(class);
            }
            match &node.kind {
                Kind::Union { branches } => to_visit.extend(branches.iter().rev()),
                Kind::Array { items: inner } | Kind::Map { values: inner } => to_visit.push(*inner),
                _ => {}
            }
        }
        None
    })
}
