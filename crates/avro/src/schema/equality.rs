//! Which schemas are the same.

use super::{Field, Kind, Node, Schema};

impl Schema {
    /// Whether two schemas were parsed from one text, without references. They may be equal all the same if not.
    pub(crate) fn has_text_of(&self, other: &Schema) -> bool {
        let (one, other_text) = (&self.document.text, &other.document.text);
        !self.has_references && !other.has_references && !one.is_empty() && one == other_text
    }

    /// Whether two schemas are the same but for aliases, documentation and where things stand.
    pub(crate) fn same_but_for_aliases(&self, other: &Schema) -> bool {
        let same = |(one, other): (&Node, &Node)| {
            one.name == other.name
                && one.logical == other.logical
                && one.attributes == other.attributes
                && match (&one.kind, &other.kind) {
                    (Kind::Record { fields: ones }, Kind::Record { fields: others }) => {
                        ones.len() == others.len() && ones.iter().zip(others).all(same_field)
                    }
                    (one, other) => one == other,
                }
        };
        self.root == other.root
            && self.nodes.len() == other.nodes.len()
            && self.nodes.iter().zip(&other.nodes).all(same)
    }
}

fn same_field((one, other): (&Field, &Field)) -> bool {
    one.name == other.name
        && one.node == other.node
        && one.default == other.default
        && one.attributes == other.attributes
}

/// Two schemas are equal if all their types are, in the same order, with all that is kept of them.
impl PartialEq for Schema {
    fn eq(&self, other: &Schema) -> bool {
        // What is side by side tells most schemas apart.
        self.root == other.root
            && self.outlines == other.outlines
            && self.shapes.have_text_of(&other.shapes)
            && self.nodes == other.nodes
    }
}
