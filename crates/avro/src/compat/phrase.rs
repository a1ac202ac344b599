//! Types and names as messages call them.

use std::fmt::{self, Display, Formatter};

use crate::schema::{Kind, Node, NodeId, Schema};

/// The full name, quoted.
pub(super) fn named(node: &Node) -> impl Display {
    Phrase(move |formatter: &mut Formatter<'_>| match &node.name {
        Some(name) => write!(formatter, "\"{name}\""),
        None => formatter.write_str(node.kind.word()),
    })
}

/// A type as a message calls it.
pub(super) fn words(schema: &Schema, id: NodeId) -> impl Display {
    const SHOWN_BRANCHES: usize = 8;
    let node = schema.node(id);
    Phrase(move |formatter: &mut Formatter<'_>| match (&node.kind, &node.name, node.logical) {
        (Kind::Union { branches }, ..) => {
            formatter.write_str("union [")?;
            for (index, branch) in branches.iter().take(SHOWN_BRANCHES).enumerate() {
                let branch = schema.node(*branch);
                formatter.write_str(if index > 0 { ", " } else { "" })?;
                formatter.write_str(branch.name.as_ref().map_or(branch.kind.word(), |name| name.as_str()))?;
            }
            formatter.write_str(if branches.len() > SHOWN_BRANCHES { ", ...]" } else { "]" })
        }
        (kind, Some(name), _) => write!(formatter, "{} \"{name}\"", kind.word()),
        (kind, None, Some(logical)) => write!(formatter, "{} ({logical})", kind.word()),
        (kind, None, None) => formatter.write_str(kind.word()),
    })
}

/// A type as a hint writes it: `"string"`, `"crm.Address"`, but only `an array`.
pub(super) fn plain(node: &Node) -> impl Display {
    Phrase(move |formatter: &mut Formatter<'_>| match (&node.name, &node.kind) {
        (Some(name), _) => write!(formatter, "\"{name}\""),
        (None, Kind::Array { .. }) => formatter.write_str("an array"),
        (None, Kind::Map { .. }) => formatter.write_str("a map"),
        (None, Kind::Union { .. }) => formatter.write_str("the union"),
        (None, kind) => write!(formatter, "\"{}\"", kind.word()),
    })
}

/// `symbol "A"`, `symbols "A", "B"`, `symbols "A", "B" and 7 more`.
pub(super) fn listed(names: &[&str], what: &str) -> impl Display {
    const SHOWN: usize = 5;
    Phrase(move |formatter: &mut Formatter<'_>| {
        write!(formatter, "{what}{}", if names.len() == 1 { "" } else { "s" })?;
        for (index, name) in names.iter().take(SHOWN).enumerate() {
            write!(formatter, "{} \"{name}\"", if index > 0 { "," } else { "" })?;
        }
        match names.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(formatter, " and {more} more"),
        }
    })
}

/// Words that are written straight into the message they are part of.
struct Phrase<W>(W);

impl<W: Fn(&mut Formatter<'_>) -> fmt::Result> Display for Phrase<W> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        (self.0)(formatter)
    }
}
