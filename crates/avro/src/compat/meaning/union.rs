use super::super::finding::{Draft, Trigger};
use super::super::graph::Pair;
use super::super::phrase::words;
use super::super::rule::UNION_BRANCH_AMBIGUOUS;
use super::super::sides::Sides;
use super::draft;
use crate::schema::{Kind, Name, NodeId, Schema};

/// Types of one unqualified name in different namespaces, between which resolution does not tell apart as it should: it
/// compares unqualified names, so that one may be read as the other.
pub(super) fn ambiguous(sides: &Sides<'_>, pair: &Pair) -> Option<Draft> {
    let written = names(sides.writer, pair.writer);
    if written.is_empty() || (written.len() == 1 && !pair.any) {
        return None;
    }
    let read = names(sides.reader, pair.reader);
    let unclaimed = |name: &&Name| {
        !sides.has_claims() || sides.writer.named(name.as_str()).is_none_or(|id| sides.claimant(id).is_none())
    };
    let mixed = written.iter().copied().filter(unclaimed).find(|name| {
        let called_so = |names: &[&Name]| -> Vec<String> {
            names.iter().filter(|other| other.simple() == name.simple()).map(ToString::to_string).collect()
        };
        let (written, read) = (called_so(&written), called_so(&read));
        let several = written.len() > 1 || pair.any;
        let told_apart = written == read || (written.len() == 1 && read.contains(&written[0]));
        several && !read.is_empty() && !told_apart
    })?;
    let (reads, writes) = (words(sides.reader, pair.reader), words(sides.writer, pair.writer));
    let message = format!(
        "types called {:?} in different namespaces are taken for one another: {writes} is read as {reads}",
        mixed.simple()
    );
    let hint = "give them names that differ without their namespaces, or keep the same branches in the same order";
    let (reader, writer) = (sides.reader.node(pair.reader), sides.writer.node(pair.writer));
    let branch = match &writer.kind {
        Kind::Union { branches } => branches.iter().position(|id| sides.writer.node(*id).name.as_ref() == Some(mixed)),
        _ => None,
    };
    let trigger = branch.map_or(Trigger::Any, Trigger::Branch);
    Some(Draft { trigger, ..draft(UNION_BRANCH_AMBIGUOUS, message, hint, reader, writer) })
}

/// The names of a type: its own, or its branches'.
fn names(schema: &Schema, id: NodeId) -> Vec<&Name> {
    match &schema.node(id).kind {
        Kind::Union { branches } => branches.iter().filter_map(|branch| schema.node(*branch).name.as_ref()).collect(),
        _ => schema.node(id).name.iter().collect(),
    }
}
