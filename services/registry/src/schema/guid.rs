//! The GUID of a schema: what it is known by in every registry, as Confluent Platform 8 has it.
//!
//! It is the MD5 of the schema's text and of what belongs to it, in sixteen bytes without the marks of RFC 9562. Nothing
//! is kept secret or safe by it.

use md5::{Digest, Md5};
use serde_json::Value;
use uuid::Uuid;

use crate::log::SchemaValue;

/// The GUID that the log gives a schema, or else the one that follows from it.
pub(super) fn of(value: &SchemaValue) -> Uuid {
    let given = value.others.get("guid").and_then(Value::as_str).and_then(|guid| Uuid::try_parse(guid).ok());
    given.unwrap_or_else(|| derived(value))
}

fn derived(value: &SchemaValue) -> Uuid {
    let mut hash = Md5::new();
    hash.update(&value.schema);
    for reference in &value.references {
        hash.update(&reference.name);
        hash.update(&reference.subject);
        // Versions are Java's integers.
        hash.update(i32::try_from(reference.version).unwrap_or(-1).to_be_bytes());
    }
    value.metadata.iter().for_each(|metadata| update_metadata(&mut hash, metadata));
    value.rule_set.iter().for_each(|rule_set| hash.update(rule_set.to_string()));
    Uuid::from_bytes(hash.finalize().into())
}

/// Tags, properties and names of sensitive ones, each sorted.
fn update_metadata(hash: &mut Md5, metadata: &Value) {
    for (tag, values) in sorted(&metadata["tags"]) {
        hash.update(tag);
        strings(values).iter().for_each(|value| hash.update(value));
    }
    for (property, value) in sorted(&metadata["properties"]) {
        hash.update(property);
        hash.update(value.as_str().unwrap_or_default());
    }
    strings(&metadata["sensitive"]).iter().for_each(|name| hash.update(name));
}

fn sorted(object: &Value) -> Vec<(&String, &Value)> {
    let mut pairs: Vec<_> = object.as_object().into_iter().flatten().collect();
    pairs.sort_by_key(|(name, _)| *name);
    pairs
}

fn strings(list: &Value) -> Vec<&str> {
    let mut strings: Vec<_> = list.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    strings.sort_unstable();
    strings
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn guid(more: Value) -> Uuid {
        let mut value = json!({ "subject": "a", "version": 1, "id": 1, "schema": "\"string\"" });
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        of(&serde_json::from_value(value).unwrap())
    }

    #[test]
    fn the_same_schema_has_the_same_guid_whatever_it_is_called() {
        // printf '"string"' | md5sum
        assert_eq!(guid(json!({})).simple().to_string(), "095d71cf12556b9d5e330ad575b3df5d");
        assert_eq!(guid(json!({})), guid(json!({ "subject": "b", "version": 2, "id": 7, "deleted": true })));
        let reference = |version| json!({ "references": [{ "name": "n", "subject": "s", "version": version }] });
        let properties = |value| json!({ "metadata": { "properties": { "owner": value } } });
        let guids = [
            guid(json!({})),
            guid(reference(1)),
            guid(reference(2)),
            guid(properties("crm")),
            guid(properties("web")),
            guid(json!({ "metadata": { "tags": { "a": ["PII"] } } })),
            guid(json!({ "ruleSet": { "domainRules": [] } })),
        ];
        assert_eq!(guids.iter().collect::<std::collections::BTreeSet<_>>().len(), guids.len(), "{guids:?}");
        let given = "0e4ea9ba-3b4a-4c4f-8b6b-9a9b3c7f2a11";
        assert_eq!(guid(json!({ "guid": given })).to_string(), given);
    }
}
