//! Data of a schema in Avro binary, in every form that the specification admits.

use mesh_avro::schema::{Kind, NodeId, Schema};

use crate::Draw;

/// How deep a datum may nest before only its shortest continuation is taken.
const DEPTH_MAX: usize = 24;

/// A datum of the schema; nothing where the choices lead to none.
pub fn datum(draw: &mut Draw, schema: &Schema) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    write(draw, schema, schema.root(), DEPTH_MAX, &mut out)?;
    Some(out)
}

fn write(draw: &mut Draw, schema: &Schema, id: NodeId, depth: usize, out: &mut Vec<u8>) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    match &schema.node(id).kind {
        Kind::Null => {}
        Kind::Boolean => out.push(u8::from(draw.chance(2))),
        Kind::Int => varint(draw.next() as i32 as i64 >> draw.below(32), out),
        Kind::Long => varint(draw.next() as i64 >> draw.below(64), out),
        Kind::Float => out.extend(&draw.next().to_le_bytes()[..4]),
        Kind::Double => out.extend(draw.next().to_le_bytes()),
        Kind::Bytes => bytes(draw.bytes(24), out),
        Kind::String => bytes(text(draw).as_bytes(), out),
        Kind::Fixed { size } if *size > 64 => return None,
        Kind::Fixed { size } => out.extend((0..*size).map(|_| draw.below(256) as u8)),
        Kind::Enum { symbols, .. } if symbols.is_empty() => return None,
        Kind::Enum { symbols, .. } => varint(draw.below(symbols.len()) as i64, out),
        Kind::Array { items } => blocks(draw, out, |draw, out| write(draw, schema, *items, depth, out))?,
        Kind::Map { values } => blocks(draw, out, |draw, out| {
            bytes(text(draw).as_bytes(), out);
            write(draw, schema, *values, depth, out)
        })?,
        Kind::Union { branches } if branches.is_empty() => return None,
        Kind::Union { branches } => {
            let index = if depth < DEPTH_MAX / 2 { 0 } else { draw.below(branches.len()) };
            varint(index as i64, out);
            write(draw, schema, branches[index], depth, out)?;
        }
        Kind::Record { fields } => {
            for field in fields {
                write(draw, schema, field.node, depth, out)?;
            }
        }
    }
    Some(())
}

/// An array's or a map's blocks, counted or with their size in bytes.
fn blocks(
    draw: &mut Draw,
    out: &mut Vec<u8>,
    mut item: impl FnMut(&mut Draw, &mut Vec<u8>) -> Option<()>,
) -> Option<()> {
    for _ in 0..draw.below(3) {
        let count = 1 + draw.below(3) as i64;
        let mut items = Vec::new();
        for _ in 0..count {
            item(draw, &mut items)?;
        }
        if draw.chance(2) {
            varint(-count, out);
            varint(items.len() as i64, out);
        } else {
            varint(count, out);
        }
        out.extend(items);
    }
    varint(0, out);
    Some(())
}

fn text<'i>(draw: &mut Draw<'i>) -> std::borrow::Cow<'i, str> {
    if draw.chance(3) {
        return (*draw.one(&["jane@example.org", "123456789", "żółw 🐢", "7c9e6679-7425-40de-944b-e07fc1f90ae7"]))
            .into();
    }
    String::from_utf8_lossy(draw.bytes(24))
}

fn bytes(bytes: &[u8], out: &mut Vec<u8>) {
    varint(bytes.len() as i64, out);
    out.extend(bytes);
}

fn varint(number: i64, out: &mut Vec<u8>) {
    let mut zigzag = ((number << 1) ^ (number >> 63)) as u64;
    while zigzag >= 0x80 {
        out.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    out.push(zigzag as u8);
}
