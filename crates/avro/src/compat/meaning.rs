//! Changes of meaning that Avro's resolution lets pass.

mod alias;
mod class;
mod default;
mod logical;
mod union;

use super::fault::enum_symbols;
use super::finding::{Direction, Draft, Trigger};
use super::graph::{Graph, Pair};
use super::phrase::{listed, named};
use super::resolve::{Step, unknown_symbols};
use super::rule::{BYTES_AS_TEXT, ENUM_SYMBOL_DEFAULTED, PROMOTION_LOSSY, Rule};
use super::sides::Sides;
use super::witness::Witness;
use crate::schema::{Field, Kind, Node};

/// Adds what changes its meaning at a pair of types that has no fault of its own.
pub(super) fn compare(sides: &Sides<'_>, graph: &Graph, pair: &Pair, direction: Direction, drafts: &mut Vec<Draft>) {
    if sides.reader.outline(pair.reader).is_record() && sides.writer.outline(pair.writer).is_record() {
        return records(sides, graph, pair, direction, drafts);
    }
    let (reader, writer) = (sides.reader.node(pair.reader), sides.writer.node(pair.writer));
    match (&reader.kind, &writer.kind) {
        (_, Kind::Union { .. }) | (Kind::Union { .. }, _) => drafts.extend(union::ambiguous(sides, pair)),
        _ => {
            drafts.extend(logical::changed(sides, pair.reader, pair.writer));
            drafts.extend(promoted(reader, writer));
            drafts.extend(defaulted(reader, writer));
            drafts.extend(default::enumeration(reader, writer, direction));
        }
    }
}

fn records(sides: &Sides<'_>, graph: &Graph, pair: &Pair, direction: Direction, drafts: &mut Vec<Draft>) {
    let (reader, writer) = (sides.reader.record(pair.reader), sides.writer.record(pair.writer));
    for (step, _) in graph.taken(pair) {
        let Step::Field { reader: reads, writer: writes } = step else { continue };
        let matched = Matched {
            reader: &reader.fields()[*reads],
            reader_class: reader.class(*reads),
            writer: &writer.fields()[*writes],
            writer_class: writer.class(*writes),
            direction,
        };
        drafts.extend(default::field(&matched));
        drafts.extend(class::lost(&matched));
    }
    if pair.moves_aliases || alias::namesake(sides, pair.reader).is_some() {
        drafts.extend(alias::changed(sides, pair));
    }
}

/// A reader's field and the writer's field that feeds it.
struct Matched<'a> {
    reader: &'a Field,
    reader_class: Option<&'a str>,
    writer: &'a Field,
    writer_class: Option<&'a str>,
    direction: Direction,
}

impl Matched<'_> {
    fn draft(&self, rule: &'static Rule, message: String, hint: &str) -> Draft {
        Draft {
            rule,
            field: Some(self.reader.name.clone()),
            message,
            hint: Some(hint.to_owned()),
            reader_pointer: self.reader.pointer.clone(),
            writer_pointer: self.writer.pointer.clone(),
            trigger: Trigger::None,
        }
    }
}

fn draft(rule: &'static Rule, message: String, hint: &str, reader: &Node, writer: &Node) -> Draft {
    Draft {
        rule,
        field: None,
        message,
        hint: Some(hint.to_owned()),
        reader_pointer: reader.pointer.clone(),
        writer_pointer: writer.pointer.clone(),
        trigger: Trigger::None,
    }
}

/// The older one's and the newer one's of two things given as the reader's and the writer's.
fn by_age<T>(direction: Direction, reader: T, writer: T) -> (T, T) {
    match direction {
        Direction::Backward => (writer, reader),
        Direction::Forward => (reader, writer),
    }
}

fn promoted(reader: &Node, writer: &Node) -> Option<Draft> {
    let (datum, wide): (i64, &str) = match (&writer.kind, &reader.kind) {
        (Kind::Int, Kind::Float) => (16_777_217, "2^24"),
        (Kind::Long, Kind::Float) => (16_777_217, "2^24"),
        (Kind::Long, Kind::Double) => (9_007_199_254_740_993, "2^53"),
        (Kind::Bytes, Kind::String) => return Some(bytes_as_text(reader, writer)),
        _ => return None,
    };
    let (reads, writes) = (reader.kind.word(), writer.kind.word());
    let message = format!("the writer's {writes} is read as {reads}: whole numbers above {wide} are rounded");
    let hint = match (&writer.kind, &reader.kind) {
        (Kind::Int, _) => "read it as long or double, which hold every int",
        _ => "read it as long; no floating-point type holds every long",
    };
    Some(Draft { trigger: Trigger::Datum(Witness::of(datum)), ..draft(PROMOTION_LOSSY, message, hint, reader, writer) })
}

fn bytes_as_text(reader: &Node, writer: &Node) -> Draft {
    let message = "the writer's bytes are read as string: those that are not UTF-8 are refused or mangled".to_owned();
    let hint = "keep bytes, or add a new field of type string with a default";
    let trigger = Trigger::Datum(Witness::of("\u{ff}"));
    Draft { trigger, ..draft(BYTES_AS_TEXT, message, hint, reader, writer) }
}

fn defaulted(reader: &Node, writer: &Node) -> Option<Draft> {
    let Kind::Enum { symbols, default: Some(default) } = &reader.kind else { return None };
    let written = enum_symbols(writer);
    let unknown = unknown_symbols(symbols, written);
    let names: Vec<&str> = unknown.iter().map(|index| written[*index].as_str()).collect();
    let first = names.first()?;
    let listed = listed(&names, "symbol");
    let message = format!("the writer's {listed} of enum {} would be read as the default {default:?}", named(reader));
    let hint = "keep the symbols in the reader's enum, so that what was written stays told apart";
    let mut draft = draft(ENUM_SYMBOL_DEFAULTED, message, hint, reader, writer);
    draft.trigger = Trigger::Datum(Witness::of(*first));
    draft.reader_pointer.push_str("/symbols");
    draft.writer_pointer.push_str(&format!("/symbols/{}", unknown[0]));
    Some(draft)
}
