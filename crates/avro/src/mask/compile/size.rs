//! How few bytes a type takes.

use crate::mask::slot::parts;
use crate::schema::{Kind, NodeId, Schema};

/// Whether a type takes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Never: null, a fixed of size 0, a record of such.
    Nothing,
    /// Always at least one.
    Bytes,
    /// A record that contains itself without an end: it has no values at all.
    Endless,
}

/// For each type of a schema, whether it takes bytes.
pub(super) fn takes(schema: &Schema) -> Vec<Takes> {
    let mut known: Vec<Option<Takes>> = vec![None; schema.len()];
    let mut entered = vec![false; schema.len()];
    for (start, _) in schema.nodes() {
        let mut open = vec![start];
        while let Some(&node) = open.last() {
            if known[node.index()].is_some() {
                open.pop();
                continue;
            }
            if !matches!(schema.node(node).kind, Kind::Record { .. }) {
                known[node.index()] = Some(of_leaf(&schema.node(node).kind));
                open.pop();
                continue;
            }
            let fields: Vec<NodeId> = parts(schema, node).into_iter().map(|(_, field)| field).collect();
            let unknown = |field: &&NodeId| known[field.index()].is_none() && !entered[field.index()];
            if !entered[node.index()] {
                let pending: Vec<NodeId> = fields.iter().filter(unknown).copied().collect();
                entered[node.index()] = true;
                open.extend(pending);
                continue;
            }
            known[node.index()] = Some(of_record(fields.iter().map(|field| known[field.index()])));
            open.pop();
        }
    }
    known.into_iter().map(|takes| takes.unwrap_or(Takes::Endless)).collect()
}

fn of_leaf(kind: &Kind) -> Takes {
    match kind {
        Kind::Null | Kind::Fixed { size: 0 } => Takes::Nothing,
        _ => Takes::Bytes,
    }
}

/// A field that is not known yet is the record itself.
fn of_record(fields: impl Iterator<Item = Option<Takes>>) -> Takes {
    fields.fold(Takes::Nothing, |sum, field| match (sum, field) {
        (Takes::Endless, _) | (_, None | Some(Takes::Endless)) => Takes::Endless,
        (Takes::Bytes, _) | (_, Some(Takes::Bytes)) => Takes::Bytes,
        (Takes::Nothing, Some(Takes::Nothing)) => Takes::Nothing,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn root(text: &str) -> Takes {
        let schema = Schema::parse(text).unwrap();
        takes(&schema)[schema.root().index()]
    }

    #[test]
    fn only_what_has_nothing_to_say_takes_nothing() {
        assert_eq!(root(r#""null""#), Takes::Nothing);
        assert_eq!(root(r#"{"type":"fixed","name":"F","size":0}"#), Takes::Nothing);
        assert_eq!(root(r#"{"type":"record","name":"R","fields":[{"name":"n","type":"null"}]}"#), Takes::Nothing);
        assert_eq!(root(r#"["null"]"#), Takes::Bytes);
        assert_eq!(root(r#"{"type":"record","name":"R","fields":[{"name":"n","type":["null","R"]}]}"#), Takes::Bytes);
        assert_eq!(root(r#"{"type":"record","name":"R","fields":[{"name":"n","type":"R"}]}"#), Takes::Endless);
    }
}
