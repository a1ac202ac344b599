//! The columns of an Avro schema, as lineage names them: `address.street`, `contacts[].email`, `attributes{}`.

use std::collections::HashMap;

use serde_json::Value;

use super::facet::SchemaField;

/// How many columns are told of one data set; a schema that repeats large types in each other stops here.
pub const COLUMNS_MAX: usize = 4_096;

/// The columns of a schema as a tree, and its leaves in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// The tree, as the schema facet wants it: `_element` inside arrays, `value` inside maps.
    pub fields: Vec<SchemaField>,
    /// The leaves.
    pub leaves: Vec<Leaf>,
}

/// A column without columns inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Its path.
    pub path: String,
    /// The rule that masks it, as a view's schema says of its field: `mesh.masked`.
    pub masked: Option<String>,
}

/// The columns of a record schema; none for another schema. Never fails: what it does not understand is a leaf.
pub fn columns(schema: &Value) -> Columns {
    let mut walk = Walk { types: HashMap::new(), names: HashMap::new(), open: Vec::new(), told: 0, leaves: Vec::new() };
    walk.learn(schema, "");
    let fields = walk.record_fields(schema, "");
    Columns { fields, leaves: walk.leaves }
}

struct Walk<'s> {
    types: HashMap<String, &'s Value>,
    names: HashMap<*const Value, String>,
    open: Vec<String>,
    told: usize,
    leaves: Vec<Leaf>,
}

impl<'s> Walk<'s> {
    /// Collects named types, by full name, so that a reference finds its definition.
    fn learn(&mut self, schema: &'s Value, enclosing: &str) {
        match schema {
            Value::Array(branches) => branches.iter().for_each(|branch| self.learn(branch, enclosing)),
            Value::Object(object) => {
                let namespace = self.learn_name(schema, enclosing);
                let fields = object.get("fields").and_then(Value::as_array).into_iter().flatten();
                let inner = fields.filter_map(|field| field.get("type"));
                let inner = inner.chain(["type", "items", "values"].into_iter().filter_map(|key| object.get(key)));
                inner.for_each(|it| self.learn(it, &namespace));
            }
            _ => {}
        }
    }

    fn learn_name(&mut self, schema: &'s Value, enclosing: &str) -> String {
        let Some(name) = full_name(schema, enclosing) else { return enclosing.to_owned() };
        let namespace = name.rsplit_once('.').map_or("", |(namespace, _)| namespace).to_owned();
        self.names.insert(std::ptr::from_ref(schema), name.clone());
        self.types.entry(name).or_insert(schema);
        namespace
    }

    fn record_fields(&mut self, record: &'s Value, path: &str) -> Vec<SchemaField> {
        let fields = record.get("fields").and_then(Value::as_array);
        let Some(fields) = fields.filter(|_| !self.is_open(record)) else { return Vec::new() };
        self.open.push(self.name_of(record).to_owned());
        let told = fields.iter().enumerate().filter_map(|(index, field)| self.field(field, index, path)).collect();
        self.open.pop();
        told
    }

    fn field(&mut self, field: &'s Value, index: usize, path: &str) -> Option<SchemaField> {
        let name = field.get("name")?.as_str()?;
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let masked = field.get("mesh.masked").and_then(Value::as_str);
        let mut told = self.column(name, field.get("type")?, &path, masked)?;
        told.description = field.get("doc").and_then(Value::as_str).map(str::to_owned);
        told.ordinal_position = u32::try_from(index + 1).ok();
        Some(told)
    }

    fn column(&mut self, name: &str, schema: &'s Value, path: &str, masked: Option<&str>) -> Option<SchemaField> {
        self.told += 1;
        if self.told > COLUMNS_MAX {
            return None;
        }
        let schema = self.resolve(without_null(schema));
        let fields = self.inner(schema, path, masked);
        if fields.is_empty() {
            self.leaves.push(Leaf { path: path.to_owned(), masked: masked.map(str::to_owned) });
        }
        Some(SchemaField { name: name.to_owned(), kind: Some(type_name(schema)), fields, ..SchemaField::default() })
    }

    fn inner(&mut self, schema: &'s Value, path: &str, masked: Option<&str>) -> Vec<SchemaField> {
        let of = |key| schema.get(key);
        match (schema.get("type").and_then(Value::as_str), of("items"), of("values")) {
            (Some("record" | "error"), ..) => self.record_fields(schema, path),
            (Some("array"), Some(items), _) => {
                self.column("_element", items, &format!("{path}[]"), masked).into_iter().collect()
            }
            (Some("map"), _, Some(values)) => {
                self.column("value", values, &format!("{path}{{}}"), masked).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether the walk is inside this record already.
    fn is_open(&self, record: &Value) -> bool {
        self.open.iter().any(|open| open == self.name_of(record))
    }

    fn name_of(&self, schema: &Value) -> &str {
        self.names.get(&std::ptr::from_ref(schema)).map_or("", String::as_str)
    }

    /// A name is its definition; a short name is looked for in the namespace of the record it stands in.
    fn resolve(&self, schema: &'s Value) -> &'s Value {
        let schema = match schema.get("type") {
            Some(nested) if nested.is_object() => nested,
            _ => schema,
        };
        let Some(name) = schema.as_str() else { return schema };
        let namespace = self.open.last().and_then(|open| open.rsplit_once('.')).map(|(namespace, _)| namespace);
        let qualified = namespace.map(|namespace| format!("{namespace}.{name}"));
        let known = qualified.and_then(|name| self.types.get(&name)).or_else(|| self.types.get(name));
        known.copied().unwrap_or(schema)
    }
}

/// The full name of a named type, if it is one.
fn full_name(schema: &Value, enclosing: &str) -> Option<String> {
    let kind = schema.get("type")?.as_str()?;
    let name = schema.get("name")?.as_str()?;
    let named = matches!(kind, "record" | "error" | "enum" | "fixed");
    let namespace = schema.get("namespace").and_then(Value::as_str).unwrap_or(enclosing);
    let full = if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") };
    named.then_some(full)
}

/// An optional column is its one other branch.
fn without_null(schema: &Value) -> &Value {
    let Some(branches) = schema.as_array() else { return schema };
    let mut others = branches.iter().filter(|branch| branch.as_str() != Some("null"));
    match (others.next(), others.next()) {
        (Some(only), None) => only,
        _ => schema,
    }
}

fn type_name(schema: &Value) -> String {
    let logical = schema.get("logicalType").and_then(Value::as_str);
    let plain = match schema {
        Value::String(name) => Some(name.as_str()),
        Value::Array(_) => Some("union"),
        _ => schema.get("type").and_then(Value::as_str),
    };
    logical.or(plain).unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn customer() -> Value {
        json!({"type": "record", "name": "Customer", "namespace": "crm", "fields": [
            {"name": "id", "type": "string", "doc": "Who."},
            {"name": "phone", "type": ["null", "string"], "default": null},
            {"name": "born", "type": {"type": "int", "logicalType": "date"}},
            {"name": "home", "type": {"type": "record", "name": "Address", "fields": [{"name": "street", "type": "string"}]}},
            {"name": "work", "type": ["null", "Address"], "default": null},
            {"name": "contacts", "type": {"type": "array", "items": {"type": "record", "name": "Contact", "fields": [
                {"name": "email", "type": "string"}]}}},
            {"name": "attributes", "type": {"type": "map", "values": "string"}},
        ]})
    }

    fn paths(schema: &Value) -> Vec<String> {
        columns(schema).leaves.into_iter().map(|leaf| leaf.path).collect()
    }

    #[test]
    fn a_leaf_is_masked_as_its_own_field_says() {
        let inner = json!({"type": "record", "name": "I", "fields": [
            {"name": "a", "type": "string"}, {"name": "b", "type": "string", "mesh.masked": "hash"}]});
        let schema = json!({"type": "record", "name": "O", "fields": [
            {"name": "tags", "type": {"type": "array", "items": "string"}, "mesh.masked": "redact"},
            {"name": "inner", "type": inner}]});
        let masked: Vec<_> = columns(&schema).leaves.into_iter().map(|leaf| (leaf.path, leaf.masked)).collect();
        let of = |path: &str, rule: Option<&str>| (path.to_owned(), rule.map(str::to_owned));
        assert_eq!(masked, [of("tags[]", Some("redact")), of("inner.a", None), of("inner.b", Some("hash"))]);
    }

    #[test]
    fn leaves_are_named_as_in_contracts() {
        assert_eq!(
            paths(&customer()),
            ["id", "phone", "born", "home.street", "work.street", "contacts[].email", "attributes{}"]
        );
    }

    #[test]
    fn the_tree_tells_types_docs_and_places() {
        let fields = columns(&customer()).fields;
        assert_eq!(fields[0].description.as_deref(), Some("Who."));
        assert_eq!((fields[2].kind.as_deref(), fields[2].ordinal_position), (Some("date"), Some(3)));
        assert_eq!(fields[4].fields[0].name, "street");
        assert_eq!(fields[5].fields[0].name, "_element");
    }

    #[test]
    fn a_type_within_itself_ends() {
        let tree = json!({"type": "record", "name": "Node", "fields": [
            {"name": "value", "type": "int"}, {"name": "next", "type": ["null", "Node"]}]});
        assert_eq!(paths(&tree), ["value", "next"]);
    }

    #[test]
    fn a_schema_that_multiplies_is_cut_off() {
        let level = |n: usize, inner: Value| {
            json!({"type": "record", "name": format!("L{n}"), "fields": [
                {"name": "a", "type": inner}, {"name": "b", "type": format!("L{}", n + 1)}]})
        };
        let schema = (0..20)
            .rev()
            .fold(json!({"type": "record", "name": "L20", "fields": [{"name": "x", "type": "int"}]}), |inner, n| {
                level(n, inner)
            });
        assert!(columns(&schema).leaves.len() <= COLUMNS_MAX);
    }

    #[test]
    fn what_is_no_record_has_no_columns() {
        for schema in [json!("string"), json!(7), json!({}), json!([]), json!({"type": "record"})] {
            assert_eq!(columns(&schema), Columns::default());
        }
    }
}
