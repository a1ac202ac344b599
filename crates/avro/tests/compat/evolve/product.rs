//! Schemas of the size and make that data products have, and what becomes of them.

use serde_json::{Map, Value, json};

use super::change;
use super::draw::Draw;

const NOUNS: [&str; 20] = [
    "customer", "order", "invoice", "address", "contact", "payment", "shipment", "campaign", "visit", "product",
    "price", "account", "branch", "agent", "claim", "policy", "device", "session", "channel", "region",
];

const ASPECTS: [&str; 16] = [
    "id",
    "name",
    "code",
    "status",
    "kind",
    "amount",
    "currency",
    "count",
    "note",
    "owner",
    "created_at",
    "updated_at",
    "valid_from",
    "reference",
    "score",
    "flag",
];

/// A record of 20 to 200 fields, as a product's schema is.
pub(crate) fn product(draw: &mut Draw) -> Value {
    let count = 20 + draw.below(181);
    let mut maker = Maker { draw, count: 0 };
    let fields: Vec<Value> = (0..count).map(|index| maker.field(index, 2)).collect();
    json!({"type": "record", "name": "shop.sales.Product", "doc": "One event per change.", "fields": fields})
}

/// The schema a release later: one to four optional fields more, and in two of three cases some other change.
pub(crate) fn release(draw: &mut Draw, product: &Value) -> Value {
    let mut next = if draw.chance(3) { product.clone() } else { change::evolve(draw, product) };
    if let Some(fields) = next.get_mut("fields").and_then(Value::as_array_mut) {
        for index in 0..1 + draw.below(4) {
            let place = draw.below(fields.len() + 1);
            let name = format!("added_{index}");
            fields.insert(place, json!({"name": name, "type": ["null", "string"], "default": null, "doc": "New."}));
        }
    }
    next
}

struct Maker<'d> {
    draw: &'d mut Draw,
    count: usize,
}

impl Maker<'_> {
    fn field(&mut self, index: usize, depth: usize) -> Value {
        let (noun, aspect) = (*self.draw.one(&NOUNS), *self.draw.one(&ASPECTS));
        let mut field = Map::new();
        field.insert("name".to_owned(), json!(format!("{noun}_{aspect}_{index}")));
        field.insert("type".to_owned(), self.kind(depth));
        if field["type"].is_array() {
            field.insert("default".to_owned(), Value::Null);
        }
        if self.draw.chance(2) {
            field.insert("doc".to_owned(), json!(format!("The {noun}'s {aspect}, as the source system has it.")));
        }
        if self.draw.chance(12) {
            field.insert("mesh.class".to_owned(), json!("pii.contact"));
        }
        if self.draw.chance(20) {
            field.insert("aliases".to_owned(), json!([format!("{noun}_{aspect}_former_{index}")]));
        }
        Value::Object(field)
    }

    fn kind(&mut self, depth: usize) -> Value {
        match self.draw.below(if depth == 0 { 40 } else { 43 }) {
            0..=13 => json!("string"),
            14..=18 => json!(["null", "string"]),
            19..=21 => json!(["null", self.draw.one(&change::logical_types())]),
            22..=28 => self.draw.one(&change::logical_types()).clone(),
            29..=33 => json!(self.draw.one(&["int", "long", "double"])),
            34 | 35 => json!("boolean"),
            36..=38 => {
                let symbols: Vec<String> = (0..3 + self.draw.below(8)).map(|index| format!("STATE_{index}")).collect();
                json!({"type": "enum", "name": self.name(), "symbols": symbols})
            }
            39 => json!({"type": "map", "values": "string"}),
            40 => json!({"type": "array", "items": self.record(depth - 1)}),
            41 => json!(["null", self.record(depth - 1)]),
            _ => self.record(depth - 1),
        }
    }

    fn record(&mut self, depth: usize) -> Value {
        let name = self.name();
        let fields: Vec<Value> = (0..3 + self.draw.below(8)).map(|index| self.field(index, depth)).collect();
        json!({"type": "record", "name": name, "fields": fields})
    }

    fn name(&mut self) -> String {
        self.count += 1;
        format!("{}{}", self.draw.one(&["Part", "State", "Detail"]), self.count)
    }
}
