//! Schemas that would break their readers, which the registry must refuse.

use serde_json::{Value, json};

/// A change of a product's schema that is not compatible.
#[derive(Debug)]
pub struct BadChange {
    pub product: &'static str,
    /// What is changed, as the report tells it.
    pub change: &'static str,
    /// Changes the schema's fields.
    fields: fn(&mut Vec<Value>),
}

/// One bad change for each of the source-oriented products.
pub const BAD_CHANGES: [BadChange; 3] = [
    BadChange {
        product: "crm.customers",
        change: "customer_id becomes a long",
        fields: |fields| {
            fields
                .iter_mut()
                .filter(|field| field["name"] == "customer_id")
                .for_each(|field| field["type"] = json!("long"))
        },
    },
    BadChange {
        product: "crm.orders",
        change: "a new field currency, without a default",
        fields: |fields| fields.push(json!({"name": "currency", "type": "string", "doc": "ISO 4217 code."})),
    },
    BadChange {
        product: "web.page_views",
        change: "event is renamed to action, without an alias",
        fields: |fields| {
            fields.iter_mut().filter(|field| field["name"] == "event").for_each(|field| field["name"] = json!("action"))
        },
    },
];

impl BadChange {
    /// The schema after the change.
    pub fn of(&self, schema: &Value) -> Value {
        let mut changed = schema.clone();
        if let Some(fields) = changed["fields"].as_array_mut() {
            (self.fields)(fields);
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::path::Path;

    fn schema(product: &str) -> Value {
        let file = match product {
            "crm.customers" => "crm/customer.avsc",
            "crm.orders" => "crm/order.avsc",
            _ => "web/page_view.avsc",
        };
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
        serde_json::from_str(&std::fs::read_to_string(root.join(file)).unwrap()).unwrap()
    }

    #[test]
    fn every_bad_change_is_one_valid_change_of_one_field() {
        for bad in &BAD_CHANGES {
            let (before, after) = (schema(bad.product), bad.of(&schema(bad.product)));
            apache_avro::Schema::parse(&after).unwrap();
            let (before, after) = (before["fields"].as_array().unwrap(), after["fields"].as_array().unwrap());
            let kept = before.iter().filter(|field| after.contains(field)).count();
            let changed = before.len().max(after.len()) - kept;
            assert_eq!(changed, 1, "{}", bad.change);
        }
    }

    #[test]
    fn every_bad_change_breaks_a_reader() {
        for bad in &BAD_CHANGES {
            let parse = |value: &Value| mesh_avro::schema::Schema::parse_value(value).unwrap();
            let (before, after) = (parse(&schema(bad.product)), parse(&bad.of(&schema(bad.product))));
            assert!(mesh_avro::compat::check(&before, &before).compatible(), "{}", bad.product);
            assert!(!mesh_avro::compat::check(&after, &before).compatible(), "{}", bad.change);
        }
    }
}
