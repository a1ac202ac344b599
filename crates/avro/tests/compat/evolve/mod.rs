//! Random schemas and random changes to them, small ones that have a bit of everything and large ones as products have.

pub(crate) mod change;
pub(crate) mod draw;
mod product;

use draw::Draw;
use mesh_avro::schema::Schema;
use serde_json::{Map, Value, json};

pub(crate) const PRIMITIVES: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];

/// A random writer and reader; either may be the newer one. The changed one may not be a valid schema any more.
pub(crate) fn texts(draw: &mut Draw) -> (Value, Value) {
    let old = schema(draw);
    let new = change::evolve(draw, &old);
    ordered(draw, old, new)
}

/// The same, where both are valid.
pub(crate) fn pair(draw: &mut Draw) -> Option<(Schema, Schema)> {
    parsed(texts(draw))
}

/// Two releases of a product's schema; either may write.
pub(crate) fn releases(draw: &mut Draw) -> Option<(Schema, Schema)> {
    let old = product::product(draw);
    let new = product::release(draw, &old);
    parsed(ordered(draw, old, new))
}

fn ordered(draw: &mut Draw, old: Value, new: Value) -> (Value, Value) {
    if draw.chance(2) { (new, old) } else { (old, new) }
}

fn parsed((writer, reader): (Value, Value)) -> Option<(Schema, Schema)> {
    Some((Schema::parse_value(&writer).ok()?, Schema::parse_value(&reader).ok()?))
}

/// A random schema. Names are unique within it; earlier ones are referred to now and then.
pub(crate) fn schema(draw: &mut Draw) -> Value {
    let mut maker = Maker { draw, names: Vec::new(), count: 0 };
    maker.record(3)
}

struct Maker<'d> {
    draw: &'d mut Draw,
    names: Vec<String>,
    count: usize,
}

impl Maker<'_> {
    fn any(&mut self, depth: usize) -> Value {
        match self.draw.below(if depth == 0 { 8 } else { 14 }) {
            0..=3 => self.primitive(),
            4 | 5 => self.logical(),
            6 if !self.names.is_empty() => json!(self.draw.one(&self.names)),
            6..=8 => self.enumeration(),
            9 => {
                let name = self.name();
                json!({"type": "fixed", "name": name, "size": 1 + self.draw.below(3)})
            }
            10 => json!({"type": "array", "items": self.any(depth - 1)}),
            11 => json!({"type": "map", "values": self.any(depth - 1)}),
            12 => self.union(depth - 1),
            _ => self.record(depth - 1),
        }
    }

    fn primitive(&mut self) -> Value {
        json!(self.draw.one(&PRIMITIVES))
    }

    fn logical(&mut self) -> Value {
        self.draw.one(&change::logical_types()).clone()
    }

    fn name(&mut self) -> String {
        // Each simple name stands in two namespaces.
        let name = format!("{}.N{}", ["a", "b"][self.count % 2], self.count / 2);
        self.count += 1;
        name
    }

    fn enumeration(&mut self) -> Value {
        let name = self.name();
        let symbols = &["A", "B", "C", "D"][..1 + self.draw.below(4)];
        let mut object = json!({"type": "enum", "name": name, "symbols": symbols});
        if self.draw.chance(2) {
            object["default"] = json!(self.draw.one(symbols));
        }
        self.names.push(name);
        object
    }

    fn union(&mut self, depth: usize) -> Value {
        if self.draw.chance(4) {
            return self.namesakes();
        }
        let mut branches: Vec<Value> = Vec::new();
        for _ in 0..1 + self.draw.below(3) {
            let branch = self.any(depth);
            if !branch.is_array() && branches.iter().all(|other| told_by(other) != told_by(&branch)) {
                branches.push(branch);
            }
        }
        json!(branches)
    }

    /// A union of two types that only their namespaces tell apart.
    fn namesakes(&mut self) -> Value {
        self.count += self.count % 2;
        let enums = self.draw.chance(3);
        let mut branch = || {
            let name = self.name();
            if enums {
                return json!({"type": "enum", "name": name, "symbols": self.draw.one(&[["A", "B"], ["B", "C"]])});
            }
            json!({"type": "record", "name": name, "fields": [{"name": "f0", "type": "int"}]})
        };
        json!([branch(), branch()])
    }

    fn record(&mut self, depth: usize) -> Value {
        let name = self.name();
        let mut fields = Vec::new();
        // A record may hold itself where a datum can end.
        if self.draw.chance(6) {
            fields.push(json!({"name": "self", "type": ["null", name]}));
        }
        for index in 0..self.draw.below(5) {
            let mut field = Map::new();
            field.insert("name".to_owned(), json!(format!("f{index}")));
            field.insert("type".to_owned(), self.any(depth));
            if self.draw.chance(3)
                && let Some(default) = change::default_of(&field["type"])
            {
                field.insert("default".to_owned(), default);
            }
            if self.draw.chance(3) {
                field.insert("mesh.class".to_owned(), json!("pii.contact"));
            }
            if self.draw.chance(5) {
                field.insert("aliases".to_owned(), json!([format!("old{index}")]));
            }
            fields.push(Value::Object(field));
        }
        self.names.push(name.clone());
        json!({"type": "record", "name": name, "fields": fields})
    }
}

/// What a union tells a branch by.
fn told_by(branch: &Value) -> String {
    match branch {
        Value::String(name) => name.clone(),
        Value::Object(object) => object.get("name").or(object.get("type")).map(Value::to_string).unwrap_or_default(),
        _ => String::new(),
    }
}
