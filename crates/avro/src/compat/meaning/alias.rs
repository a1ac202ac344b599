use std::collections::HashMap;

use super::super::finding::{Draft, Trigger};
use super::super::graph::Pair;
use super::super::phrase::{listed, named};
use super::super::rule::{ALIAS_REUSED, FIELD_ALIAS_OVERLOOKED};
use super::super::sides::Sides;
use super::super::source::{Source, Sources, find_sources};
use crate::schema::{Field, Kind, NodeId};

/// Aliases of the reader's fields that stand for something else than they used to, or that decoders overlook.
pub(super) fn changed(sides: &Sides<'_>, pair: &Pair) -> Vec<Draft> {
    let (reader, writer) = (sides.reader.record(pair.reader), sides.writer.record(pair.writer));
    let mut sources = Sources::new();
    find_sources(reader, writer, &mut sources);
    let mut drafts = taken(reader.fields(), writer.fields(), &sources);
    drafts.extend(moved(reader.fields(), writer.fields(), &sources));
    drafts.extend(overlooked(sides, pair, &sources));
    drafts
}

/// Fields that are read by an alias which decoders overlook, or whose name they take for one: Avro Java looks a field's
/// aliases up by the full name of the record, so that it finds none in a record that is read from one of another full name
/// without an alias, and those of another type that has the record's name as an alias.
fn overlooked(sides: &Sides<'_>, pair: &Pair, sources: &[Source]) -> Option<Draft> {
    let (reader, writer) = (sides.reader.node(pair.reader), sides.writer.node(pair.writer));
    let is_found = reader.name == writer.name || sides.claimant(pair.writer) == Some(pair.reader);
    let namesake = namesake(sides, pair.reader);
    let names = match namesake {
        None if is_found => return None,
        _ => misread(sides, pair, sources, namesake),
    };
    if names.is_empty() {
        return None;
    }
    let (why, hint) = match namesake {
        None => (
            "by its name without the namespace alone".to_owned(),
            format!("add \"aliases\": [{}] to the reader's {}", named(writer), named(reader)),
        ),
        Some(namesake) => (
            format!("whose name is an alias of {} as well", named(sides.reader.node(namesake))),
            format!("give the reader's {} a name that was no other type's", named(reader)),
        ),
    };
    let message = format!(
        "the record {} is read as {}, {why}: decoders overlook the aliases of the {}, take defaults instead or refuse the \
         data",
        named(writer),
        named(reader),
        listed(&names, "field")
    );
    let trigger = Trigger::Any;
    Some(Draft { trigger, ..super::draft(FIELD_ALIAS_OVERLOOKED, message, &hint, reader, writer) })
}

/// Another type of the reader's that has this one's name as an alias.
pub(super) fn namesake(sides: &Sides<'_>, reader: NodeId) -> Option<NodeId> {
    let name = sides.reader.node(reader).name.as_ref()?;
    sides.reader.aliased().iter().copied().find(|id| *id != reader && sides.reader.node(*id).aliases.contains(name))
}

/// The reader's fields that are read by an alias of their own, or that are written under a name which the namesake's fields
/// have as an alias.
fn misread<'a>(sides: &'a Sides<'_>, pair: &Pair, sources: &[Source], namesake: Option<NodeId>) -> Vec<&'a str> {
    let (reads, writes) = (sides.reader.record(pair.reader), sides.writer.record(pair.writer));
    let lent = |name: &str| match namesake.map(|id| &sides.reader.node(id).kind) {
        Some(Kind::Record { fields }) => fields.iter().any(|field| field.aliases.iter().any(|alias| alias == name)),
        _ => false,
    };
    let misread = |(index, source): (usize, &Source)| match source {
        Source::Writer(written) => {
            let (name, written) = (reads.name(index), writes.name(*written));
            (name != written || lent(written)).then_some(name)
        }
        _ => None,
    };
    sources.iter().enumerate().filter_map(misread).collect()
}

/// Fields of the reader that take their default although the writer writes a field of their name: another field of the
/// reader has that name as an alias, and takes it.
fn taken(reader: &[Field], writer: &[Field], sources: &[Source]) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (field, source) in reader.iter().zip(sources) {
        let Source::Taken(own) = source else { continue };
        let taker = sources.iter().position(|source| *source == Source::Writer(*own));
        let Some(taker) = taker.map(|index| &reader[index]) else { continue };
        let written = &writer[*own].name;
        let message = format!(
            "the writer's field {written:?} is read as {:?}, which has that name as an alias; the reader's {:?} gets its default",
            taker.name, field.name
        );
        drafts.push(draft(taker, &writer[*own], message));
    }
    drafts
}

/// Aliases that another field of the writer has: what was renamed to that field is read as this one from now on.
fn moved(reader: &[Field], writer: &[Field], sources: &[Source]) -> Vec<Draft> {
    let aliased: HashMap<&str, usize> = (0..)
        .zip(writer)
        .flat_map(|(index, field)| field.aliases.iter().map(move |alias| (alias.as_str(), index)))
        .collect();
    let mut drafts = Vec::new();
    for (field, source) in reader.iter().zip(sources) {
        let other = field.aliases.iter().find_map(|alias| aliased.get(alias.as_str()).map(|index| (alias, *index)));
        let Some((alias, other)) = other.filter(|(_, other)| *source != Source::Writer(*other)) else { continue };
        let written = &writer[other];
        let message =
            format!("the alias {alias:?} stood for the field {:?}, and now stands for {:?}", written.name, field.name);
        drafts.push(draft(field, written, message));
    }
    drafts
}

fn draft(field: &Field, written: &Field, message: String) -> Draft {
    Draft {
        rule: ALIAS_REUSED,
        field: Some(field.name.clone()),
        message,
        hint: Some("leave each alias to the field whose former name it is".to_owned()),
        reader_pointer: format!("{}/aliases", field.pointer),
        writer_pointer: written.pointer.clone(),
        trigger: Trigger::Any,
    }
}
