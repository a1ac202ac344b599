//! Finds one column's bytes in a datum.

use mesh_avro::schema::{Kind, NodeId, Schema};
use mesh_contract::{ColumnPath, Step};

use crate::binary::Input;

/// Deeper values are refused rather than walked.
const DEPTH_MAX: usize = 256;

/// The leaf type of a column, a union's null aside; none if the schema has no such column, or it is no single value.
pub(crate) fn leaf(schema: &Schema, column: &ColumnPath) -> Option<NodeId> {
    let mut id = schema.root();
    for step in column.steps() {
        let (Kind::Record { fields }, Step::Field(name)) = (&schema.node(id).kind, step) else { return None };
        id = fields.iter().find(|field| field.name == *name)?.node;
    }
    let Kind::Union { branches } = &schema.node(id).kind else { return Some(id) };
    let mut others = branches.iter().filter(|branch| !matches!(schema.node(**branch).kind, Kind::Null));
    others.next().copied().filter(|_| others.next().is_none())
}

/// A column's Avro binary within a datum, a union's index aside; none if it is null, or not there.
pub(crate) fn find<'a>(
    schema: &Schema,
    column: &ColumnPath,
    datum: &'a [u8],
) -> Result<Option<&'a [u8]>, &'static str> {
    let mut walk = Walk { schema, input: Input(datum), depth: 0 };
    let mut id = schema.root();
    for step in column.steps() {
        let (Kind::Record { fields }, Step::Field(name)) = (&schema.node(id).kind, step) else {
            return Ok(None);
        };
        let Some(at) = fields.iter().position(|field| field.name == *name) else { return Ok(None) };
        for before in &fields[..at] {
            walk.skip(before.node)?;
        }
        id = fields[at].node;
    }
    if let Kind::Union { branches } = &schema.node(id).kind {
        id = walk.branch(branches)?;
        if matches!(schema.node(id).kind, Kind::Null) {
            return Ok(None);
        }
    }
    let start = walk.input.0;
    walk.skip(id)?;
    Ok(Some(&start[..start.len() - walk.input.0.len()]))
}

struct Walk<'s, 'a> {
    schema: &'s Schema,
    input: Input<'a>,
    depth: usize,
}

impl Walk<'_, '_> {
    fn skip(&mut self, id: NodeId) -> Result<(), &'static str> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("the value is too deep");
        }
        let schema = self.schema;
        match &schema.node(id).kind {
            Kind::Null => {}
            Kind::Boolean => _ = self.input.take(1)?,
            Kind::Int | Kind::Long | Kind::Enum { .. } => _ = self.input.long()?,
            Kind::Float => _ = self.input.take(4)?,
            Kind::Double => _ = self.input.take(8)?,
            Kind::Bytes | Kind::String => _ = self.input.bytes()?,
            Kind::Fixed { size } => _ = self.input.take(*size)?,
            Kind::Union { branches } => {
                let branch = self.branch(branches)?;
                self.skip(branch)?;
            }
            Kind::Record { fields } => fields.iter().try_for_each(|field| self.skip(field.node))?,
            Kind::Array { items } => self.blocks(*items, false)?,
            Kind::Map { values } => self.blocks(*values, true)?,
        }
        self.depth -= 1;
        Ok(())
    }

    fn branch(&mut self, branches: &[NodeId]) -> Result<NodeId, &'static str> {
        let index = usize::try_from(self.input.long()?).ok();
        index.and_then(|index| branches.get(index)).copied().ok_or("the union has no such type")
    }

    fn blocks(&mut self, items: NodeId, keyed: bool) -> Result<(), &'static str> {
        loop {
            let count = self.input.long()?;
            if count == 0 {
                return Ok(());
            }
            if count < 0 {
                let bytes = usize::try_from(self.input.long()?).map_err(|_| "a length is negative")?;
                self.input.take(bytes)?;
                continue;
            }
            for _ in 0..count {
                let before = self.input.0.len();
                if keyed {
                    self.input.bytes()?;
                }
                self.skip(items)?;
                if self.input.0.len() == before {
                    // items without bytes: there is nothing to skip
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::json;

    fn key_of(field: serde_json::Value, value: serde_json::Value, column: &str) -> Option<Vec<u8>> {
        let schema = Schema::parse_value(&json!({ "type": "record", "name": "R", "fields": [
            { "name": "before", "type": { "type": "array", "items": { "type": "map", "values": ["null", "double"] } } },
            { "name": "key", "type": field },
            { "name": "after", "type": "string" },
        ]}))
        .unwrap();
        let mut datum = Vec::new();
        let record = json!({ "before": [{ "a": 1.0, "b": null }, {}], "key": value, "after": "x" });
        crate::json::encode(&schema, &record, &mut datum).unwrap();
        assert!(leaf(&schema, &column.parse().unwrap()).is_some());
        find(&schema, &column.parse().unwrap(), &datum).unwrap().map(<[u8]>::to_vec)
    }

    #[test]
    fn columns_are_found() {
        assert_eq!(key_of(json!("string"), json!("k"), "key").unwrap(), [2, b'k']);
        assert_eq!(key_of(json!(["null", "string"]), json!("k"), "key").unwrap(), [2, b'k']);
        assert_eq!(key_of(json!(["null", "string"]), json!(null), "key"), None);
        assert_eq!(key_of(json!("long"), json!(64), "key").unwrap(), [0x80, 1]);
        let nested = json!({ "type": "record", "name": "K", "fields": [{ "name": "a", "type": "int" }, { "name": "id", "type": "int" }] });
        assert_eq!(key_of(nested, json!({ "a": 1, "id": 2 }), "key.id").unwrap(), [4]);
    }

    #[test]
    fn foreign_bytes_are_refused() {
        let schema = Schema::parse_value(&json!({ "type": "record", "name": "R", "fields": [
            { "name": "before", "type": { "type": "array", "items": "null" } }, { "name": "key", "type": "string" },
        ]}))
        .unwrap();
        let column = "key".parse().unwrap();
        assert!(find(&schema, &column, &[]).is_err());
        // two billion nulls are skipped at once
        assert!(find(&schema, &column, &[0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 9]).is_err());
        assert!(leaf(&schema, &"nowhere".parse().unwrap()).is_none());
    }
}
