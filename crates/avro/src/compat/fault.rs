//! What breaks and how to mend it, in words.

use super::finding::{Draft, Trigger};
use super::graph::Pair;
use super::phrase::{listed, named, plain, words};
use super::resolve::{Fault, Step};
use super::rule::{
    ENUM_SYMBOL_MISSING, FIELD_ALIAS_AMBIGUOUS, FIELD_WITHOUT_DEFAULT, FIXED_SIZE_MISMATCH, NAME_MISMATCH, Rule,
    TYPE_MISMATCH, UNION_BRANCH_MISSING,
};
use super::sides::Sides;
use super::source::{Source, Sources, find_sources};
use super::witness::Witness;
use crate::schema::{Field, Kind, Node, NodeId, Record};

/// The finding for a fault of a pair.
pub(super) fn describe(sides: &Sides<'_>, reader_id: NodeId, writer_id: NodeId, fault: &Fault) -> Draft {
    let (reader, writer) = (sides.reader.node(reader_id), sides.writer.node(writer_id));
    let described = match fault {
        Fault::Type => type_mismatch(sides, reader_id, writer_id),
        Fault::Name => name_mismatch(sides, reader, writer_id),
        Fault::FixedSize => fixed_size(reader, writer),
        Fault::Symbols(unknown) => symbols(reader, writer, unknown),
        Fault::NoBranch => no_branch(sides, reader_id, writer_id),
        Fault::NoDefault(field) => no_default(sides, reader_id, writer_id, *field),
        Fault::Ambiguous(field, writers) => ambiguous(reader, writer, *field, writers),
    };
    Draft { trigger: trigger(writer, fault), ..described }
}

/// The finding where several branches of the reader's union might be meant, and none can read the data.
pub(super) fn no_branch_reads(sides: &Sides<'_>, reader_id: NodeId, writer_id: NodeId) -> Draft {
    let (reader, writer) = (sides.reader.node(reader_id), sides.writer.node(writer_id));
    let message = format!(
        "several branches of the reader's {} are called like the writer's {}, and none can read it",
        words(sides.reader, reader_id),
        words(sides.writer, writer_id)
    );
    let hint = "give the branch that is meant the writer's full name, and make it read all of the writer's fields";
    let trigger = Trigger::EveryBranch;
    Draft { trigger, ..draft(UNION_BRANCH_MISSING, message, hint.to_owned(), reader, writer) }
}

/// The finding where several of the reader's fields are called like one of the writer's, and one of them cannot read it.
pub(super) fn contested(sides: &Sides<'_>, pair: &Pair, step: Step, inner: usize) -> Option<Draft> {
    let Step::Field { reader: index, writer: written } = step else { return None };
    let (reader, writer) = (sides.reader.node(pair.reader), sides.writer.node(pair.writer));
    let (field, written) = (&fields(reader)[index], &fields(writer)[written]);
    let (reads, writes) = (words(sides.reader, field.node), words(sides.writer, written.node));
    let message = format!(
        "several of the reader's fields are called like the writer's {:?}, by name or alias, and {:?} cannot read it: \
         {writes} is no {reads}; decoders differ in which takes it",
        written.name, field.name
    );
    let hint = format!("call the field {:?} by a name that the writer has never used", field.name);
    let mut draft = draft(FIELD_ALIAS_AMBIGUOUS, message, hint, reader, writer);
    draft.field = Some(field.name.clone());
    draft.reader_pointer.clone_from(&field.pointer);
    draft.writer_pointer.clone_from(&written.pointer);
    draft.trigger = Trigger::Inside(step, inner);
    Some(draft)
}

/// What a writer's type has to write for a fault to show.
pub(super) fn trigger(writer: &Node, fault: &Fault) -> Trigger {
    match fault {
        Fault::Symbols(unknown) => unknown
            .first()
            .map_or(Trigger::Any, |index| Trigger::Datum(Witness::of(enum_symbols(writer)[*index].as_str()))),
        _ => Trigger::Any,
    }
}

fn draft(rule: &'static Rule, message: String, hint: String, reader: &Node, writer: &Node) -> Draft {
    Draft {
        rule,
        field: None,
        message,
        hint: Some(hint),
        reader_pointer: reader.pointer.clone(),
        writer_pointer: writer.pointer.clone(),
        trigger: Trigger::Any,
    }
}

fn type_mismatch(sides: &Sides<'_>, reader_id: NodeId, writer_id: NodeId) -> Draft {
    let (reads, writes) = (words(sides.reader, reader_id), words(sides.writer, writer_id));
    let (reader, writer) = (sides.reader.node(reader_id), sides.writer.node(writer_id));
    let message = format!("the writer writes {writes}, which cannot be read as {reads}");
    let hint = match writer.kind {
        Kind::Null => format!("let the reader's type be a union with null: [\"null\", {}]", plain(reader)),
        _ => format!("keep the type {}, or add a new field with a default for the new type", plain(writer)),
    };
    draft(TYPE_MISMATCH, message, hint, reader, writer)
}

fn name_mismatch(sides: &Sides<'_>, reader: &Node, writer_id: NodeId) -> Draft {
    let writer = sides.writer.node(writer_id);
    let (reads, writes) = (named(reader), named(writer));
    let kind = writer.kind.word();
    let claimant = sides.claimant(writer_id).map(|claimant| named(sides.reader.node(claimant)));
    match claimant {
        Some(claimant) => {
            let message = format!(
                "the writer's {kind} {writes} is read as {claimant}, which has that name as an alias, and not as {reads}"
            );
            let hint = format!("remove the alias {writes} from {claimant}, or rename {reads}");
            draft(NAME_MISMATCH, message, hint, reader, writer)
        }
        None => {
            let message = format!("the writer's {kind} {writes} has another name than the reader's {reads}");
            let hint = format!("keep the name, or add \"aliases\": [{writes}] to the reader's {reads}");
            draft(NAME_MISMATCH, message, hint, reader, writer)
        }
    }
}

fn fixed_size(reader: &Node, writer: &Node) -> Draft {
    let size = |node: &Node| if let Kind::Fixed { size } = node.kind { size } else { 0 };
    let (reads, writes) = (size(reader), size(writer));
    let message = format!("the writer's fixed {} has {writes} bytes, the reader expects {reads}", named(writer));
    let hint = format!("keep the size {writes}, or add a new field of a fixed of another name with a default");
    draft(FIXED_SIZE_MISMATCH, message, hint, reader, writer)
}

fn symbols(reader: &Node, writer: &Node, unknown: &[usize]) -> Draft {
    let symbols = enum_symbols(writer);
    let names: Vec<&str> = unknown.iter().filter_map(|index| symbols.get(*index)).map(String::as_str).collect();
    let message =
        format!("the reader's enum {} does not know the writer's {}", named(reader), listed(&names, "symbol"));
    let hint = "keep the symbols, or give the reader's enum a \"default\" symbol for those it does not know".to_owned();
    let mut draft = draft(ENUM_SYMBOL_MISSING, message, hint, reader, writer);
    draft.reader_pointer.push_str("/symbols");
    draft.writer_pointer.push_str(&format!("/symbols/{}", unknown.first().copied().unwrap_or_default()));
    draft
}

fn no_branch(sides: &Sides<'_>, reader_id: NodeId, writer_id: NodeId) -> Draft {
    let (reader, writer) = (sides.reader.node(reader_id), sides.writer.node(writer_id));
    let (reads, writes) = (words(sides.reader, reader_id), words(sides.writer, writer_id));
    let message = format!("the writer writes {writes}, for which the reader's {reads} has no branch");
    let hint = format!("add {} to the reader's union", plain(writer));
    draft(UNION_BRANCH_MISSING, message, hint, reader, writer)
}

fn no_default(sides: &Sides<'_>, reader_id: NodeId, writer_id: NodeId, index: usize) -> Draft {
    let (reader, writer) = (sides.reader.node(reader_id), sides.writer.node(writer_id));
    let field = &fields(reader)[index];
    let message = format!("the reader's field {:?} has no default, and the writer does not write it", field.name);
    let renamed = renamed_from(sides.reader.record(reader_id), sides.writer.record(writer_id), field);
    let hint = match renamed {
        Some(old) => {
            format!("if it is the writer's {old:?} renamed, add \"aliases\": [{old:?}]; else give it a default")
        }
        None => "give it a default, e.g. a type with null first and \"default\": null".to_owned(),
    };
    let mut draft = draft(FIELD_WITHOUT_DEFAULT, message, hint, reader, writer);
    draft.field = Some(field.name.clone());
    draft.reader_pointer.clone_from(&field.pointer);
    draft
}

/// The one field that the writer writes and the reader does not read, if there is only one.
fn renamed_from<'w>(reader: Record<'_>, writer: Record<'w>, field: &Field) -> Option<&'w str> {
    let mut sources = Sources::new();
    find_sources(reader, writer, &mut sources);
    let missing = |source: &&Source| matches!(source, Source::Nothing);
    let unread = |index: &usize| !sources.contains(&Source::Writer(*index));
    let mut unread = (0..writer.len()).filter(unread).map(|index| writer.name(index));
    match (unread.next(), unread.next(), sources.iter().filter(missing).count()) {
        (Some(only), None, 1) if only != field.name => Some(only),
        _ => None,
    }
}

fn ambiguous(reader: &Node, writer: &Node, index: usize, writers: &[usize]) -> Draft {
    let field = &fields(reader)[index];
    let names: Vec<&str> = writers.iter().map(|index| fields(writer)[*index].name.as_str()).collect();
    let message = format!(
        "the reader's field {:?} stands, by its name and aliases, for the writer's {} at once",
        field.name,
        listed(&names, "field")
    );
    let hint = "remove the alias that is not meant".to_owned();
    let mut draft = draft(FIELD_ALIAS_AMBIGUOUS, message, hint, reader, writer);
    draft.field = Some(field.name.clone());
    draft.reader_pointer.clone_from(&field.pointer);
    draft
}

/// A record's fields; no other type has any.
pub(super) fn fields(node: &Node) -> &[Field] {
    if let Kind::Record { fields } = &node.kind { fields } else { &[] }
}

/// An enum's symbols; no other type has any.
pub(super) fn enum_symbols(node: &Node) -> &[String] {
    if let Kind::Enum { symbols, .. } = &node.kind { symbols } else { &[] }
}
