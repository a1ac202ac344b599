//! Constants that a type admits, in their Avro encoding and as defaults in a schema.

use mesh_contract::MaskRule;
use serde_json::Value;

use crate::mask::rules::Leaf;
use crate::mask::varint;
use crate::schema::{Kind, Logical};

/// What stands for a text.
const REDACTED: &str = "***";

/// The UUID that is none.
const NIL_UUID: &str = "00000000-0000-0000-0000-000000000000";

/// The encoding of what `redact` and `zero` put in a leaf's place. `None` if the rule is neither.
pub(in crate::mask) fn encoded(rule: &MaskRule, leaf: Leaf<'_>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match (rule, leaf.kind) {
        (MaskRule::Redact(text), Kind::String | Kind::Bytes) => {
            let text = text.as_deref().unwrap_or(REDACTED);
            varint::write_length(&mut out, text.len());
            out.extend_from_slice(text.as_bytes());
        }
        (MaskRule::Redact(text), Kind::Fixed { size }) => {
            out.extend_from_slice(text.as_deref().unwrap_or_default().as_bytes());
            out.resize(*size, 0);
        }
        (MaskRule::Redact(text), Kind::Enum { symbols, default }) => {
            let symbol = text.as_ref().or(default.as_ref());
            let index = symbol.and_then(|symbol| symbols.iter().position(|known| known == symbol)).unwrap_or(0);
            varint::write(&mut out, index as i64);
        }
        (MaskRule::Zero, kind) => zero(&mut out, kind, leaf.logical)?,
        _ => return None,
    }
    Some(out)
}

fn zero(out: &mut Vec<u8>, kind: &Kind, logical: Option<Logical>) -> Option<()> {
    match kind {
        Kind::Boolean | Kind::Int | Kind::Long => out.push(0),
        Kind::Float => out.extend_from_slice(&[0; 4]),
        Kind::Double => out.extend_from_slice(&[0; 8]),
        Kind::Fixed { size } => out.resize(*size, 0),
        // A big-decimal is the unscaled number as bytes and the scale as an int, in bytes of its own.
        Kind::Bytes if logical == Some(Logical::BigDecimal) => out.extend_from_slice(&[6, 2, 0, 0]),
        Kind::Bytes => out.extend_from_slice(&[2, 0]),
        _ => return None,
    }
    Some(())
}

/// A default that says nothing, for a masked leaf's field. `keeps_logical` is whether the view has its logical type.
pub(in crate::mask) fn neutral_default(leaf: Leaf<'_>, keeps_logical: bool) -> Value {
    match leaf.kind {
        Kind::Null => Value::Null,
        Kind::Boolean => Value::Bool(false),
        Kind::Int | Kind::Long => Value::from(0),
        Kind::Float | Kind::Double => Value::from(0.0),
        Kind::String if keeps_logical && leaf.logical == Some(Logical::Uuid) => Value::from(NIL_UUID),
        Kind::String => Value::from(REDACTED),
        Kind::Bytes if leaf.logical == Some(Logical::BigDecimal) => Value::from("\u{2}\u{0}\u{0}"),
        Kind::Bytes => Value::from("\u{0}"),
        Kind::Fixed { size } => Value::from("\u{0}".repeat(*size)),
        Kind::Enum { symbols, default } => {
            default.as_ref().or(symbols.first()).map_or(Value::Null, |symbol| Value::from(symbol.as_str()))
        }
        Kind::Array { .. } => Value::Array(Vec::new()),
        Kind::Map { .. } | Kind::Record { .. } => Value::Object(serde_json::Map::new()),
        Kind::Union { .. } => Value::Null,
    }
}
