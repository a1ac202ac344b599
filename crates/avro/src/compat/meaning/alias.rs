use std::collections::HashMap;

use super::super::finding::{Draft, Trigger};
use super::super::graph::Pair;
use super::super::phrase::{listed, named};
use super::super::rule::{ALIAS_REUSED, FIELD_ALIAS_OVERLOOKED};
use super::super::sides::Sides;
use super::super::source::{Source, Sources, find_sources};
use crate::schema::Field;

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

/// Fields that are read by an alias which decoders overlook: Avro Java looks it up by the full name of the record, so that it
/// finds none in a record that is read from one of another full name without an alias, and those of another type that has
/// the record's name as an alias.
fn overlooked(sides: &Sides<'_>, pair: &Pair, sources: &[Source]) -> Option<Draft> {
    let (reader, writer) = (sides.reader.node(pair.reader), sides.writer.node(pair.writer));
    let (reads, writes) = (sides.reader.record(pair.reader), sides.writer.record(pair.writer));
    let by_alias = |(index, source): (usize, &Source)| match source {
        Source::Writer(written) => Some(reads.name(index)).filter(|name| *name != writes.name(*written)),
        _ => None,
    };
    let names: Vec<&str> = sources.iter().enumerate().filter_map(by_alias).collect();
    let is_found = reader.name == writer.name || sides.claimant(pair.writer) == Some(pair.reader);
    let namesake = sides.reader.aliased().iter().find(|id| {
        **id != pair.reader && reader.name.as_ref().is_some_and(|name| sides.reader.node(**id).aliases.contains(name))
    });
    let (why, hint) = match namesake {
        _ if names.is_empty() => return None,
        None if is_found => return None,
        None => (
            "by its name without the namespace alone".to_owned(),
            format!("add \"aliases\": [{}] to the reader's {}", named(writer), named(reader)),
        ),
        Some(namesake) => {
            let namesake = named(sides.reader.node(*namesake));
            (
                format!("whose name is an alias of {namesake} as well"),
                format!("give the reader's {} a name that was no other type's", named(reader)),
            )
        }
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
