//! Subjects of a product's topics are held to its contract.

use serde_json::{Value, json};

use super::Server;
use crate::governance::tests::customers;

const INPUT: &str = "crm.customers.v1.in-value";

/// A schema of customers with these further fields.
fn customer(fields: &[Value]) -> String {
    let own = [json!({"name": "customer_id", "type": "string"}), json!({"name": "email", "type": "string"})];
    let fields: Vec<&Value> = own.iter().chain(fields).collect();
    json!({"type": "record", "name": "Customer", "namespace": "crm", "fields": fields}).to_string()
}

fn refusal((status, body): &(u16, Value)) -> (u16, u64, &str) {
    (*status, body["error_code"].as_u64().unwrap_or_default(), body["message"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_field_that_looks_sensitive_is_listed_or_marked() {
    let server = Server::start_governed(&[customers()]).await;
    let phone = |more: Value| {
        let mut field = json!({"name": "phoneNumber", "type": ["null", "string"], "default": null});
        field.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        customer(&[field])
    };
    let unmarked = phone(json!({}));
    let refused = server.register(INPUT, &unmarked).await;
    let (status, code, message) = refusal(&refused);
    assert_eq!((status, code), (422, 42201));
    for part in ["sensitive-unmarked", "`phoneNumber`", "crm.customers.v1", "\"mesh.sensitive\": false"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let check = format!("/compatibility/subjects/{INPUT}/versions/latest?verbose=true");
    let checked = server.post(&check, json!({ "schema": unmarked })).await.1;
    assert_eq!((&checked["is_compatible"], checked["messages"].as_array().unwrap().len()), (&json!(false), 1));

    assert_eq!(server.register("crm.returns.v1.in-value", &unmarked).await.0, 200, "a subject of no product");
    assert_eq!(server.register("crm.customers.v1-value", &unmarked).await.0, 200, "a view: the sidecar's own");
    assert_eq!(server.register(INPUT, &customer(&[])).await.0, 200, "the contract lists `email`");
    assert_eq!(server.register(INPUT, &phone(json!({ "mesh.sensitive": false }))).await.0, 200);
    let refused = server.register(INPUT, &unmarked).await;
    assert_eq!(refusal(&refused).1, 42201, "what was marked once has to be marked again");
}

#[tokio::test]
async fn the_contracts_level_holds_whatever_is_configured() {
    let server = Server::start_governed(&[customers()]).await;
    server.register(INPUT, &customer(&[])).await;
    let broken = customer(&[json!({"name": "segment", "type": "string"})]);
    server.put(&format!("/config/{INPUT}"), json!({ "compatibility": "NONE" })).await;
    server.put("/config", json!({ "compatibility": "NONE" })).await;
    let refused = server.register(INPUT, &broken).await;
    let (status, code, message) = refusal(&refused);
    assert_eq!((status, code), (409, 409));
    assert!(
        message.contains("field-without-default") && message.ends_with("compatibility level: BACKWARD"),
        "{message}"
    );
    let in_force = format!("/config/{INPUT}?defaultToGlobal=true");
    assert_eq!(server.get(&in_force).await.1["compatibilityLevel"], "BACKWARD");

    server.put(&format!("/config/{INPUT}"), json!({ "compatibility": "FORWARD" })).await;
    assert_eq!(server.get(&in_force).await.1["compatibilityLevel"], "FULL", "a subject may ask for more");
    assert_eq!(server.get(&format!("/config/{INPUT}")).await.1["compatibilityLevel"], "FORWARD");
    assert_eq!(server.register("free-value", &customer(&[])).await.0, 200);
    assert_eq!(server.register("free-value", &broken).await.0, 200);
}

#[tokio::test]
async fn a_change_of_meaning_is_refused_where_producers_write() {
    let server = Server::start_governed(&[customers()]).await;
    let spent = |scale: u32| {
        let decimal = json!({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": scale});
        customer(&[json!({"name": "spent", "type": decimal, "default": "\u{0}"})])
    };
    for (subject, expected) in [(INPUT, 409), ("crm.customers.v1-value", 200), ("free-value", 200)] {
        assert_eq!(server.register(subject, &spent(2)).await.0, 200, "{subject}");
        let answer = server.register(subject, &spent(3)).await;
        assert_eq!(answer.0, expected, "{subject}: {}", answer.1);
    }
    let refused = server.register(INPUT, &spent(3)).await;
    assert!(refusal(&refused).2.contains("rule: decimal-changed, path: spent"), "{refused:?}");
}

#[tokio::test]
async fn the_contract_decides_what_is_sensitive() {
    let server = Server::start_governed(&[customers()]).await;
    let classed = |name: &str, class: Option<&str>| {
        let mut fields = vec![json!({"name": "customer_id", "type": "string"})];
        for field in ["email", "note"] {
            let mut field = json!({"name": field, "type": "string"});
            if field["name"] != name {
                field["mesh.class"] = json!("pii.contact");
            } else if let Some(class) = class {
                field["mesh.class"] = json!(class);
            }
            fields.push(field);
        }
        json!({"type": "record", "name": "Customer", "namespace": "crm", "fields": fields}).to_string()
    };
    assert_eq!(server.register(INPUT, &classed("", None)).await.0, 200);
    assert_eq!(server.register(INPUT, &classed("email", None)).await.0, 200, "the contract lists it all the same");
    let refused = server.register(INPUT, &classed("note", None)).await;
    assert!(refusal(&refused).2.contains("sensitive-class-lost"), "{refused:?}");
}
