//! Any Kafka client in any language takes part: Python writes an input port and reads a view.

use crate::support::{Process, Python, World};
use serde_json::{Value, json};

const CUSTOMERS: usize = 20;

#[test]
fn python_writes_an_input_port_and_reads_a_view() {
    let world = World::applied();
    let _sidecar = Process::start(&mut world.mesh(["run", "masking"]));
    let python = Python::environment();

    let schema = world.tree.root().join("schemas/crm/customer.avsc");
    let input: String = (0..CUSTOMERS).map(|number| format!("{}\n", customer(number))).collect();
    let schema = schema.to_str().expect("temporary folders are UTF-8");
    let target = [world.bootstrap(), &world.registry_url, "crm.customers.v1.in", schema, "customer_id"];
    python.run("write_input.py", &target, &input);

    let count = CUSTOMERS.to_string();
    let masked = python.run("read_view.py", &[world.bootstrap(), &world.registry_url, "crm.customers.v1", &count], "");
    let support = "crm.customers.v1.support";
    let support = python.run("read_view.py", &[world.bootstrap(), &world.registry_url, support, &count], "");

    let (masked, support) = (masked.json_lines(), support.json_lines());
    assert_eq!((masked.len(), support.len()), (CUSTOMERS, CUSTOMERS));
    masked.iter().for_each(|record| assert_masked(record, "*"));
    support.iter().for_each(|record| assert_masked(record, "+"));
}

/// A customer as fastavro takes it.
fn customer(number: usize) -> Value {
    json!({
        "customer_id": format!("C{number:05}"), "full_name": "Ada Canary", "email": format!("ada{number}@example.org"),
        "phone": format!("+1 555 01{number:02}"), "birth_date": 3_650,
        "address": { "street": "1 Canary Row", "city": "Salem", "postcode": "97301", "country": "US" },
        "contacts": [{ "kind": "billing", "email": "billing@example.org" }],
        "segment": "LOYAL", "marketing_consent": true, "registered_at": 1_700_000_000_000_i64, "updated_at": 1_700_000_000_000_i64
    })
}

/// What the contract says of every view that grants no more than the phone.
fn assert_masked(record: &Value, phone_starts_with: &str) {
    let value = &record["value"];
    assert_eq!(record["key"], value["customer_id"]);
    let email = value["email"].as_str().expect("a hash keeps its column a string");
    assert!(email.len() == 64 && email.bytes().all(|byte| byte.is_ascii_hexdigit()), "{email}");
    assert!(value["phone"].as_str().is_some_and(|phone| phone.starts_with(phone_starts_with)), "{value}");
    assert_eq!(value["birth_date"], "1979-01-01");
    assert_eq!(value["address"]["city"], "Salem");
    let text = record.to_string();
    for canary in ["Canary", "@example.org"] {
        assert!(!text.contains(canary), "{canary} leaked: {text}");
    }
}
