//! Parsing Canonical Form: the one text that all schemas which read and write the same bytes share.

use std::borrow::Cow;
use std::collections::HashSet;

use super::{Kind, NodeId, Schema};

impl Schema {
    /// The Parsing Canonical Form, with what references define in place at its first use.
    #[must_use]
    pub fn canonical_form(&self) -> String {
        let mut text = String::new();
        let mut defined = HashSet::new();
        // A list of work instead of recursion: definitions from references may nest deeper than any one document.
        let mut to_write = vec![Piece::Node(self.root())];
        while let Some(piece) = to_write.pop() {
            match piece {
                Piece::Text(piece) => text.push_str(&piece),
                Piece::Node(id) => to_write.extend(pieces(self, id, &mut defined).into_iter().rev()),
            }
        }
        text
    }
}

enum Piece {
    Text(Cow<'static, str>),
    Node(NodeId),
}

fn pieces(schema: &Schema, id: NodeId, defined: &mut HashSet<NodeId>) -> Vec<Piece> {
    let node = schema.node(id);
    let word = node.kind.word();
    let Some(name) = &node.name else { return unnamed(&node.kind, word) };
    if !defined.insert(id) {
        return vec![text(format!("\"{name}\""))];
    }
    let mut pieces = vec![text(format!("{{\"name\":\"{name}\",\"type\":\"{word}\""))];
    match &node.kind {
        Kind::Record { fields } => {
            pieces.push(text(",\"fields\":["));
            for (index, field) in fields.iter().enumerate() {
                let comma = if index > 0 { "," } else { "" };
                pieces.push(text(format!("{comma}{{\"name\":\"{}\",\"type\":", field.name)));
                pieces.extend([Piece::Node(field.node), text("}")]);
            }
            pieces.push(text("]"));
        }
        Kind::Enum { symbols, .. } => {
            let symbols: Vec<String> = symbols.iter().map(|symbol| format!("\"{symbol}\"")).collect();
            pieces.push(text(format!(",\"symbols\":[{}]", symbols.join(","))));
        }
        Kind::Fixed { size } => pieces.push(text(format!(",\"size\":{size}"))),
        _ => {}
    }
    pieces.push(text("}"));
    pieces
}

fn unnamed(kind: &Kind, word: &str) -> Vec<Piece> {
    match kind {
        Kind::Array { items } => vec![text("{\"type\":\"array\",\"items\":"), Piece::Node(*items), text("}")],
        Kind::Map { values } => vec![text("{\"type\":\"map\",\"values\":"), Piece::Node(*values), text("}")],
        Kind::Union { branches } => {
            let mut pieces = vec![text("[")];
            for (index, branch) in branches.iter().enumerate() {
                pieces.extend((index > 0).then(|| text(",")));
                pieces.push(Piece::Node(*branch));
            }
            pieces.push(text("]"));
            pieces
        }
        _ => vec![text(format!("\"{word}\""))],
    }
}

fn text(piece: impl Into<Cow<'static, str>>) -> Piece {
    Piece::Text(piece.into())
}
