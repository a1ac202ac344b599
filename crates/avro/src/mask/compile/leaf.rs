//! Leaves and their instructions.

use crate::mask::limits::ITEM_BYTES_MAX;
use crate::mask::op::{EventTime, Op};
use crate::mask::slot::parts;
use crate::schema::{Kind, Logical, Schema};

/// Whether values of a type have no parts.
pub(super) fn is_leaf(kind: &Kind) -> bool {
    !matches!(kind, Kind::Record { .. } | Kind::Array { .. } | Kind::Map { .. } | Kind::Union { .. } | Kind::Null)
}

/// The instruction that validates a leaf.
pub(super) fn plain(leaf: &Kind) -> Op {
    match leaf {
        Kind::Boolean => Op::Boolean,
        Kind::Int => Op::Int,
        Kind::Long => Op::Longs(1),
        Kind::Float => Op::Fixed(4),
        Kind::Double => Op::Fixed(8),
        Kind::Bytes => Op::Bytes,
        Kind::String => Op::Texts(1),
        Kind::Fixed { size } if *size <= ITEM_BYTES_MAX => Op::Fixed(*size as u32),
        Kind::Enum { symbols, .. } => Op::Enum(symbols.len() as u32),
        // Containers and null are no leaves.
        _ => Op::TooLong,
    }
}

/// Whether an instruction may write another value than it read.
pub(super) fn changes(op: &Op) -> bool {
    matches!(
        op,
        Op::MaskText(_)
            | Op::HashText(_)
            | Op::MaskBytes(_)
            | Op::SealText(_)
            | Op::SealBytes(_)
            | Op::MaskFixed { .. }
            | Op::MaskInt(_)
            | Op::MaskLong(_)
            | Op::MaskFloat(_)
            | Op::MaskDouble(_)
            | Op::ReplaceText(_)
            | Op::Constant(_)
            | Op::CoverEnd(_)
            | Op::Call(_)
    )
}

/// How a logical type tells the time.
pub(super) fn event_time(logical: Option<Logical>) -> Option<EventTime> {
    match logical? {
        Logical::Date => Some(EventTime::Days),
        Logical::TimestampMillis | Logical::LocalTimestampMillis => Some(EventTime::Millis),
        Logical::TimestampMicros | Logical::LocalTimestampMicros => Some(EventTime::Micros),
        Logical::TimestampNanos | Logical::LocalTimestampNanos => Some(EventTime::Nanos),
        _ => None,
    }
}

/// How often each type is used; the root's own use counts.
pub(super) fn uses(schema: &Schema) -> Vec<u32> {
    let mut uses = vec![0; schema.len()];
    uses[schema.root().index()] += 1;
    for (node, _) in schema.nodes() {
        for (_, part) in parts(schema, node) {
            uses[part.index()] += 1;
        }
    }
    uses
}
