//! The one spelling of a schema: Avro Java's `Schema.toString`, which is what Confluent's registry stores.
//!
//! Works on the schema's JSON, because everything in it has to survive: documentation, defaults, foreign properties.

use serde_json::{Map, Value};

/// How much of the given form is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Foreign properties and aliases keep their order.
    AsGiven,
    /// They are sorted, and named types have full names.
    Normalised,
}

/// What one kind of JSON object may hold besides foreign properties.
const TYPE_PROPERTIES: [&str; 10] =
    ["type", "name", "namespace", "doc", "fields", "items", "values", "symbols", "size", "aliases"];
const FIELD_PROPERTIES: [&str; 6] = ["name", "type", "doc", "default", "order", "aliases"];
const PRIMITIVES: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];

/// The canonical form of a schema's text; none if it is not JSON.
pub(super) fn of_text(text: &str) -> Option<String> {
    let json: Value = serde_json::from_str(text).ok()?;
    Some(write(&json, Form::AsGiven))
}

/// The canonical form of a schema's JSON. Recursion is bounded by the JSON parser's limit on nesting.
pub(super) fn write(json: &Value, form: Form) -> String {
    Writer { form }.schema(json, "").to_string()
}

struct Writer {
    form: Form,
}

impl Writer {
    fn schema(&self, json: &Value, space: &str) -> Value {
        match json {
            Value::String(name) => Value::String(self.reference(name, space)),
            Value::Array(branches) => branches.iter().map(|branch| self.schema(branch, space)).collect(),
            Value::Object(object) => self.object(object, space),
            other => other.clone(),
        }
    }

    fn object(&self, object: &Map<String, Value>, space: &str) -> Value {
        match object.get("type") {
            Some(Value::String(kind)) => match kind.as_str() {
                "record" | "error" | "enum" | "fixed" => self.named(kind, object, space),
                "array" => self.container("array", "items", object, space),
                "map" => self.container("map", "values", object, space),
                other => self.leaf(other, object, space),
            },
            Some(nested) => self.schema(nested, space),
            None => Value::Object(object.clone()),
        }
    }

    /// A primitive, or a name, in its object form.
    fn leaf(&self, kind: &str, object: &Map<String, Value>, space: &str) -> Value {
        let mut written = Map::from_iter([("type".to_owned(), Value::String(kind.to_owned()))]);
        self.foreign(object, &TYPE_PROPERTIES, &mut written);
        if written.len() == 1 || !PRIMITIVES.contains(&kind) {
            return Value::String(self.reference(kind, space));
        }
        Value::Object(written)
    }

    fn container(&self, kind: &str, inner: &str, object: &Map<String, Value>, space: &str) -> Value {
        let mut written = Map::from_iter([("type".to_owned(), Value::String(kind.to_owned()))]);
        if let Some(element) = object.get(inner) {
            written.insert(inner.to_owned(), self.schema(element, space));
        }
        self.foreign(object, &TYPE_PROPERTIES, &mut written);
        Value::Object(written)
    }

    fn named(&self, kind: &str, object: &Map<String, Value>, enclosing: &str) -> Value {
        let (space, name) = full_name(object, enclosing);
        let mut written = Map::from_iter([("type".to_owned(), Value::String(kind.to_owned()))]);
        self.name(space, name, enclosing, &mut written);
        copy(object, "doc", &mut written);
        if let Some(Value::Array(fields)) = object.get("fields") {
            let fields = fields.iter().map(|field| self.field(field, space)).collect();
            written.insert("fields".to_owned(), fields);
        }
        copy(object, "symbols", &mut written);
        if kind == "enum" {
            copy(object, "default", &mut written);
        }
        copy(object, "size", &mut written);
        self.foreign(object, &TYPE_PROPERTIES, &mut written);
        if let Some(Value::Array(aliases)) = object.get("aliases") {
            let aliases = aliases.iter().map(|alias| self.alias(alias, space)).collect();
            self.aliases(aliases, &mut written);
        }
        Value::Object(written)
    }

    fn name(&self, space: &str, name: &str, enclosing: &str, written: &mut Map<String, Value>) {
        let qualified = self.form == Form::Normalised && !space.is_empty();
        let name = if qualified { format!("{space}.{name}") } else { name.to_owned() };
        written.insert("name".to_owned(), Value::String(name));
        if !qualified && space != enclosing {
            written.insert("namespace".to_owned(), Value::String(space.to_owned()));
        }
    }

    fn field(&self, json: &Value, space: &str) -> Value {
        let Value::Object(field) = json else { return json.clone() };
        let mut written = Map::new();
        copy(field, "name", &mut written);
        if let Some(schema) = field.get("type") {
            written.insert("type".to_owned(), self.schema(schema, space));
        }
        copy(field, "doc", &mut written);
        copy(field, "default", &mut written);
        if field.get("order").is_some_and(|order| order != "ascending") {
            copy(field, "order", &mut written);
        }
        if let Some(Value::Array(aliases)) = field.get("aliases") {
            self.aliases(aliases.clone(), &mut written);
        }
        self.foreign(field, &FIELD_PROPERTIES, &mut written);
        Value::Object(written)
    }

    /// A name as it is written where `space` is the namespace.
    fn reference(&self, name: &str, space: &str) -> String {
        match name.rsplit_once('.') {
            Some((named_space, simple)) if named_space == space && self.form == Form::AsGiven => simple.to_owned(),
            None if self.form == Form::Normalised && !space.is_empty() && !PRIMITIVES.contains(&name) => {
                format!("{space}.{name}")
            }
            _ => name.to_owned(),
        }
    }

    fn alias(&self, alias: &Value, space: &str) -> Value {
        alias.as_str().map_or_else(|| alias.clone(), |alias| Value::String(self.reference(alias, space)))
    }

    fn aliases(&self, mut aliases: Vec<Value>, written: &mut Map<String, Value>) {
        if self.form == Form::Normalised {
            aliases.sort_by_cached_key(Value::to_string);
        }
        if !aliases.is_empty() {
            written.insert("aliases".to_owned(), Value::Array(aliases));
        }
    }

    fn foreign(&self, object: &Map<String, Value>, known: &[&str], written: &mut Map<String, Value>) {
        let is_enum = object.get("type").is_some_and(|kind| kind == "enum");
        let foreign = object.iter().filter(|(name, _)| !known.contains(&name.as_str()));
        let foreign = foreign.filter(|(name, _)| !(is_enum && *name == "default"));
        let mut foreign: Vec<_> = foreign.map(|(name, value)| (name.clone(), value.clone())).collect();
        if self.form == Form::Normalised {
            foreign.sort_by(|one, other| one.0.cmp(&other.0));
            foreign.iter_mut().for_each(|(_, value)| value.sort_all_objects());
        }
        written.extend(foreign);
    }
}

/// Namespace and simple name of a named type: a dotted name wins over `namespace`, which wins over what encloses it.
fn full_name<'a>(object: &'a Map<String, Value>, enclosing: &'a str) -> (&'a str, &'a str) {
    let name = object.get("name").and_then(Value::as_str).unwrap_or_default();
    match (name.rsplit_once('.'), object.get("namespace").and_then(Value::as_str)) {
        (Some((space, simple)), _) => (space, simple),
        (None, Some(space)) => (space, name),
        (None, None) => (enclosing, name),
    }
}

fn copy(object: &Map<String, Value>, property: &str, written: &mut Map<String, Value>) {
    if let Some(value) = object.get(property) {
        written.insert(property.to_owned(), value.clone());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn normal(text: &str) -> String {
        write(&serde_json::from_str(text).unwrap(), Form::Normalised)
    }

    #[test]
    fn form_alone_makes_no_difference() {
        let spelled_out = r#"{ "namespace": "crm", "fields": [
            {"type": {"type": "string"}, "name": "id", "order": "ascending"},
            {"name": "home", "type": {"name": "crm.Address", "type": "record", "fields": [
                {"name": "city", "type": "string", "default": "", "doc": "where"}]}},
            {"name": "work", "type": ["null", "crm.Address"], "default": null}],
            "type": "record", "owner": "crm", "name": "Customer", "aliases": ["crm.Client"]}"#;
        let expected = concat!(
            r#"{"type":"record","name":"Customer","namespace":"crm","fields":[{"name":"id","type":"string"},"#,
            r#"{"name":"home","type":{"type":"record","name":"Address","fields":[{"name":"city","type":"string","#,
            r#""doc":"where","default":""}]}},{"name":"work","type":["null","Address"],"default":null}],"#,
            r#""owner":"crm","aliases":["Client"]}"#
        );
        assert_eq!(of_text(spelled_out).unwrap(), expected);
        assert_eq!(of_text(expected).unwrap(), expected);
    }

    #[test]
    fn what_means_something_stays() {
        let pairs = [
            (r#"{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}"#, r#""bytes""#),
            (
                r#"{"type":"enum","name":"E","symbols":["A","B"],"default":"A"}"#,
                r#"{"type":"enum","name":"E","symbols":["A","B"]}"#,
            ),
            (r#"{"type":"array","items":"int"}"#, r#"{"type":"map","values":"int"}"#),
            (r#"{"type":"fixed","name":"a.F","size":4}"#, r#"{"type":"fixed","name":"b.F","size":4}"#),
        ];
        for (one, other) in pairs {
            assert_ne!(of_text(one).unwrap(), of_text(other).unwrap());
            assert_eq!(of_text(one).unwrap().len(), of_text(&of_text(one).unwrap()).unwrap().len());
        }
    }

    #[test]
    fn normalised_the_order_of_attributes_makes_no_difference() {
        let one = r#"{"type":"record","name":"R","namespace":"n","b":1,"a":{"y":1,"x":2},"fields":[
            {"name":"f","type":{"type":"long","logicalType":"timestamp-millis","unit":"ms"},"aliases":["h","g"]},
            {"name":"next","type":["null","R"]}]}"#;
        let other = r#"{"type":"record","name":"n.R","a":{"x":2,"y":1},"b":1,"fields":[
            {"name":"f","aliases":["g","h"],"type":{"type":"long","unit":"ms","logicalType":"timestamp-millis"}},
            {"name":"next","type":["null","n.R"]}]}"#;
        assert_eq!(normal(one), normal(other));
        assert_ne!(of_text(one), of_text(other));
    }
}
