//! Schemas grown from choices: most are valid, some nearly.

use serde_json::{Map, Value, json};

use crate::Draw;

const PRIMITIVES: [&str; 8] = ["string", "int", "long", "bytes", "boolean", "null", "float", "double"];

/// Logical types on what they stand on, a few on what they do not.
const LOGICAL: [(&str, &str); 16] = [
    ("string", "uuid"),
    ("int", "date"),
    ("int", "time-millis"),
    ("long", "time-micros"),
    ("long", "timestamp-millis"),
    ("long", "timestamp-micros"),
    ("long", "timestamp-nanos"),
    ("long", "local-timestamp-millis"),
    ("long", "local-timestamp-micros"),
    ("long", "local-timestamp-nanos"),
    ("bytes", "decimal"),
    ("bytes", "big-decimal"),
    ("bytes", "uuid"),
    ("string", "date"),
    ("int", "decimal"),
    ("string", "no-such-type"),
];

/// What a field's author says of it, and what strings and bytes are without a value: not to be seen where it is masked.
pub const DOC: &str = "such as jane@example.org";
/// See [`DOC`].
pub const DEFAULT: &str = "canary";

/// The most types of one schema.
const TYPES_MAX: usize = 48;

/// A record's schema.
pub fn schema(draw: &mut Draw) -> Value {
    let mut grower = Grower { draw, names: Vec::new(), types: 0 };
    grower.record(4)
}

/// One type, of which nothing is named: for changes to a schema that is there already.
pub(crate) fn unnamed(draw: &mut Draw) -> Value {
    match draw.below(4) {
        0 => json!(draw.one(&PRIMITIVES)),
        1 => json!(["null", draw.one(&PRIMITIVES[..5])]),
        2 => logical(draw),
        _ => json!({"type": *draw.one(&["array", "map"]), "items": "string", "values": "string"}),
    }
}

fn logical(draw: &mut Draw) -> Value {
    let (stands_on, name) = *draw.one(&LOGICAL);
    let mut kind = json!({"type": stands_on, "logicalType": name});
    if name == "decimal" {
        kind["precision"] = json!(draw.below(20));
        kind["scale"] = json!(draw.below(8));
    }
    kind
}

struct Grower<'d, 'i> {
    draw: &'d mut Draw<'i>,
    /// The named types so far, also those that are being made.
    names: Vec<String>,
    types: usize,
}

impl Grower<'_, '_> {
    fn any(&mut self, depth: usize) -> Value {
        self.types += 1;
        let is_full = depth == 0 || self.types > TYPES_MAX;
        match self.draw.below(if is_full { 6 } else { 14 }) {
            0..=2 => json!(self.draw.one(&PRIMITIVES)),
            3 => logical(self.draw),
            4 if !self.names.is_empty() => json!(self.draw.one(&self.names)),
            4 | 5 => self.enumeration(),
            6 => self.fixed(),
            7 => json!({"type": "array", "items": self.any(depth - 1)}),
            8 => json!({"type": "map", "values": self.any(depth - 1)}),
            9..=11 => self.union(depth - 1),
            _ => self.record(depth - 1),
        }
    }

    fn name(&mut self) -> String {
        let simple = *self.draw.one(&["A", "B", "C", "D", "E", "F"]);
        let name = match self.draw.below(4) {
            0 | 1 => format!("{simple}{}", self.names.len()),
            2 => format!("n.{simple}{}", self.names.len()),
            // May be one that is there already.
            _ => format!("m.{simple}"),
        };
        self.names.push(name.clone());
        name
    }

    fn named(&mut self, kind: &str) -> Map<String, Value> {
        let mut object = Map::from_iter([("type".to_owned(), json!(kind)), ("name".to_owned(), json!(self.name()))]);
        if self.draw.chance(6) {
            object.insert("aliases".to_owned(), json!([self.draw.one(&["A0", "n.B1", "m.C", "old.X"])]));
        }
        if self.draw.chance(8) {
            object.insert("namespace".to_owned(), json!(self.draw.one(&["n", "m", ""])));
        }
        object
    }

    fn enumeration(&mut self) -> Value {
        let symbols = &["RED", "GREEN", "BLUE", "GREY"][..1 + self.draw.below(4)];
        let mut object = self.named("enum");
        object.insert("symbols".to_owned(), json!(symbols));
        if self.draw.chance(3) {
            object.insert("default".to_owned(), json!(self.draw.one(symbols)));
        }
        Value::Object(object)
    }

    fn fixed(&mut self) -> Value {
        let mut object = self.named("fixed");
        object.insert("size".to_owned(), json!(*self.draw.one(&[4, 12, 16, 0, 1, 33])));
        if self.draw.chance(3) {
            object.insert("logicalType".to_owned(), json!(self.draw.one(&["duration", "uuid", "decimal"])));
            object.insert("precision".to_owned(), json!(4));
        }
        Value::Object(object)
    }

    fn union(&mut self, depth: usize) -> Value {
        let count = self.draw.below(4);
        let mut branches = vec![json!("null")];
        branches.extend((0..count).map(|_| self.any(depth)));
        if self.draw.chance(3) {
            branches.rotate_left(1);
        }
        json!(branches)
    }

    fn record(&mut self, depth: usize) -> Value {
        let mut object = self.named("record");
        let count = self.draw.below(7);
        let fields: Vec<Value> = (0..count).map(|index| self.field(index, depth)).collect();
        object.insert("fields".to_owned(), json!(fields));
        Value::Object(object)
    }

    fn field(&mut self, index: usize, depth: usize) -> Value {
        let kind = self.any(depth);
        let mut field = json!({"name": format!("f{index}"), "type": kind});
        if self.draw.chance(4) {
            field["default"] = default_of(self.draw, &field["type"]);
        }
        match self.draw.below(12) {
            8 => field["mesh.class"] = json!(self.draw.one(&["pii", "pii.contact", "Not A Class"])),
            9 => field["mesh.sensitive"] = json!(self.draw.chance(2)),
            10 => field["aliases"] = json!([self.draw.one(&["old", "f0", "f1"])]),
            11 => field["doc"] = json!(DOC),
            _ => {}
        }
        field
    }
}

/// A default for a type, often of the right kind.
pub(crate) fn default_of(draw: &mut Draw, kind: &Value) -> Value {
    if draw.chance(8) {
        return draw
            .one(&[json!(null), json!("x"), json!(1), json!({}), json!([]), json!(1e300), json!("\u{ff}")])
            .clone();
    }
    let word = match kind {
        Value::Array(branches) => return branches.first().map_or(Value::Null, |first| default_of(draw, first)),
        Value::Object(object) => object.get("type").and_then(Value::as_str).unwrap_or_default(),
        other => other.as_str().unwrap_or_default(),
    };
    match word {
        "null" => Value::Null,
        "boolean" => json!(draw.chance(2)),
        "int" | "long" => json!(draw.below(256)),
        "float" | "double" => json!(0.5),
        "array" => json!([]),
        "enum" => kind["symbols"][0].clone(),
        "map" => json!({}),
        "fixed" => json!("\u{1}".repeat(kind["size"].as_u64().unwrap_or_default() as usize)),
        "record" => {
            let fields = kind["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
            let value = |field: &Value| {
                Some((field["name"].as_str()?.to_owned(), field.get("default").cloned().unwrap_or(json!("x"))))
            };
            Value::Object(fields.iter().filter_map(value).collect())
        }
        _ => json!(DEFAULT),
    }
}
