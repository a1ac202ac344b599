//! Record keys: the key column's text as it is, so that clients of every language agree; else its Avro in the wire format.

use bytes::Bytes;
use mesh_avro::schema::{Kind, NodeId, Schema};
use mesh_avro::wire;
use mesh_contract::{ColumnPath, Contract, key_subject};
use serde_json::{Value, json};

use super::ProduceError;
use crate::binary::Input;
use crate::{RegistryClient, column};

pub(super) enum KeyForm {
    /// The product has no key column.
    None,
    /// UTF-8 of a text column.
    Text(ColumnPath),
    /// Avro of any other type, framed.
    Framed { column: ColumnPath, schema: Box<Schema>, frame: [u8; wire::HEADER_BYTES] },
}

impl KeyForm {
    pub(super) async fn of(
        contract: &Contract,
        topic: &str,
        schema: &Schema,
        registry: &RegistryClient,
    ) -> Result<Self, ProduceError> {
        let Some(column) = contract.key.clone() else { return Ok(KeyForm::None) };
        let leaf = column::leaf(schema, &column);
        let leaf = leaf.ok_or_else(|| ProduceError::KeyColumn { column: column.to_string() })?;
        if matches!(schema.node(leaf).kind, Kind::String) {
            return Ok(KeyForm::Text(column));
        }
        let key_schema =
            schema_of(schema, leaf).ok_or_else(|| ProduceError::KeyColumn { column: column.to_string() })?;
        let parsed = Schema::parse_value(&key_schema);
        let parsed =
            parsed.map_err(|source| ProduceError::Schema { topic: topic.to_owned(), source: Box::new(source) })?;
        let id = registry.register(&key_subject(topic), &key_schema).await.map_err(ProduceError::Registry)?;
        Ok(KeyForm::Framed { column, schema: Box::new(parsed), frame: wire::header(id) })
    }

    /// The key of an event.
    pub(super) fn of_datum(&self, schema: &Schema, datum: &[u8]) -> Result<Option<Bytes>, ProduceError> {
        let column = match self {
            KeyForm::None => return Ok(None),
            KeyForm::Text(column) | KeyForm::Framed { column, .. } => column,
        };
        let found = column::find(schema, column, datum).map_err(|said| ProduceError::Datum { said })?;
        let avro = found.ok_or_else(|| ProduceError::NoKey { column: column.to_string() })?;
        Ok(Some(match self {
            KeyForm::Framed { frame, .. } => [frame, avro].concat().into(),
            _ => Bytes::copy_from_slice(Input(avro).bytes().map_err(|said| ProduceError::Datum { said })?),
        }))
    }

    /// The key that the key column's value makes.
    pub(super) fn of_value(&self, value: &Value) -> Result<Bytes, ProduceError> {
        match self {
            KeyForm::None => Err(ProduceError::Keyless),
            KeyForm::Text(column) => {
                let text = value.as_str().map(|text| Bytes::copy_from_slice(text.as_bytes()));
                text.ok_or_else(|| ProduceError::Fit(wrong_key(column)))
            }
            KeyForm::Framed { schema, frame, .. } => {
                let mut key = frame.to_vec();
                crate::json::encode(schema, value, &mut key).map_err(ProduceError::Fit)?;
                Ok(key.into())
            }
        }
    }
}

fn wrong_key(column: &ColumnPath) -> crate::json::JsonError {
    crate::json::JsonError { path: column.to_string(), message: "expected text as the key".to_owned() }
}

/// A scalar type as a schema of its own.
fn schema_of(schema: &Schema, leaf: NodeId) -> Option<Value> {
    let node = schema.node(leaf);
    let mut parts = node.attributes.clone();
    let name = node.name.as_ref().map(|name| name.as_str());
    let own = match &node.kind {
        Kind::Int | Kind::Long | Kind::Bytes => json!({ "type": node.kind.word() }),
        Kind::Fixed { size } => json!({ "type": "fixed", "name": name, "size": size }),
        Kind::Enum { symbols, .. } => json!({ "type": "enum", "name": name, "symbols": symbols }),
        _ => return None,
    };
    parts.retain(|attribute, _| attribute == "logicalType" || attribute == "precision" || attribute == "scale");
    let mut own = own.as_object()?.clone();
    own.extend(parts);
    if own.len() == 1 { own.remove("type") } else { Some(Value::Object(own)) }
}
