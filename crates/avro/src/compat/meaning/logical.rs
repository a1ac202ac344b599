use super::super::finding::{Draft, Trigger};
use super::super::phrase::words;
use super::super::rule::{DECIMAL_CHANGED, LOGICAL_TYPE_CHANGED, Rule, TIME_UNIT_CHANGED};
use super::super::sides::Sides;
use super::super::witness::Witness;
use super::draft;
use crate::schema::{Kind, Logical, NodeId};

/// What a logical type says, so that two can be compared: of one sort a difference is one of unit or of digits.
#[derive(PartialEq, Eq)]
enum Sort {
    Decimal,
    TimeOfDay,
    Instant,
    LocalTime,
    Other(Logical),
}

/// A logical type that is another, gained or lost: the same bytes mean something else.
pub(super) fn changed(sides: &Sides<'_>, reader_id: NodeId, writer_id: NodeId) -> Option<Draft> {
    let (reader, writer) = (sides.reader.node(reader_id), sides.writer.node(writer_id));
    let (rule, hint) = difference(reader.logical, writer.logical)?;
    let (reads, writes) = (words(sides.reader, reader_id), words(sides.writer, writer_id));
    let message = match (reader.logical, writer.logical) {
        (Some(reads), Some(writes)) => format!("what the writer means as {writes} is read as {reads}, digit by digit"),
        _ => format!("what the writer means as {writes} is read as {reads}"),
    };
    Some(Draft { trigger: trigger(rule, &writer.kind), ..draft(rule, message, hint, reader, writer) })
}

/// A datum whose meaning changes: of numbers one that is not zero, which is the same in every unit.
fn trigger(rule: &Rule, kind: &Kind) -> Trigger {
    match kind {
        _ if rule.id == LOGICAL_TYPE_CHANGED.id => Trigger::Any,
        Kind::Int | Kind::Long => Trigger::Datum(Witness::of(1)),
        Kind::Bytes => Trigger::Datum(Witness::of("\u{1}")),
        Kind::Fixed { size: size @ 1..=64 } => Trigger::Datum(Witness::of(format!("{}\u{1}", "\0".repeat(size - 1)))),
        _ => Trigger::Any,
    }
}

fn difference(reader: Option<Logical>, writer: Option<Logical>) -> Option<(&'static Rule, &'static str)> {
    match (reader, writer) {
        (Some(reads), Some(writes)) if reads == writes => None,
        (Some(reads), Some(writes)) => Some(match (sort(reads), sort(writes)) {
            (Sort::Decimal, Sort::Decimal) => {
                (DECIMAL_CHANGED, "keep precision and scale, or add a new field with a default for the new ones")
            }
            (reads, writes) if reads == writes => {
                (TIME_UNIT_CHANGED, "keep the unit, or add a new field with a default for the new one")
            }
            _ => (LOGICAL_TYPE_CHANGED, "keep the logical type, or add a new field with a default for the new one"),
        }),
        // A string that happens to be a UUID is the same string.
        (None, Some(Logical::Uuid) | None) => None,
        _ => Some((LOGICAL_TYPE_CHANGED, "keep the logical type on both sides")),
    }
}

fn sort(logical: Logical) -> Sort {
    match logical {
        Logical::Decimal { .. } => Sort::Decimal,
        Logical::TimeMillis | Logical::TimeMicros => Sort::TimeOfDay,
        Logical::TimestampMillis | Logical::TimestampMicros | Logical::TimestampNanos => Sort::Instant,
        Logical::LocalTimestampMillis | Logical::LocalTimestampMicros | Logical::LocalTimestampNanos => Sort::LocalTime,
        other => Sort::Other(other),
    }
}
