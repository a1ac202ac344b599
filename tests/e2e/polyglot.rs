//! Any Kafka client in any language takes part: Python, Go and Node write an input port and read views, beside mesh itself.

use crate::support::{Client, Process, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::Range;
use std::thread;

/// How many customers each client writes.
const SHARE: usize = 20;
const CUSTOMERS: usize = SHARE * (Client::ALL.len() + 1);

#[test]
fn clients_in_any_language_write_an_input_port_and_read_views() {
    let world = World::applied();
    let _sidecar = Process::start(&mut world.mesh(["run", "masking"]));
    thread::scope(|scope| {
        let world = &world;
        for (number, client) in Client::ALL.into_iter().enumerate() {
            scope.spawn(move || write(world, client, number * SHARE..(number + 1) * SHARE));
        }
    });
    publish(&world, CUSTOMERS - SHARE..CUSTOMERS);

    let views = [("crm.customers.v1", "*"), ("crm.customers.v1.support", "+")];
    for (view, phone_starts_with) in views {
        let read = |client: Client| {
            let count = CUSTOMERS.to_string();
            client.run("read_view", &[world.bootstrap(), &world.registry_url, view, &count], "").json_lines()
        };
        let seen = thread::scope(|scope| {
            let readers = Client::ALL.map(|client| scope.spawn(move || read(client)));
            readers.map(|reader| reader.join().expect("the client is content"))
        });
        for records in &seen {
            assert_eq!(records.len(), CUSTOMERS);
            records.iter().for_each(|record| assert_masked(record, phone_starts_with));
        }
        let mesh = emails(&subscribed(&world, view));
        assert_eq!(mesh.len(), CUSTOMERS);
        seen.iter().for_each(|records| assert_eq!(emails(records), mesh, "every client sees the same"));
    }
}

fn write(world: &World, client: Client, numbers: Range<usize>) {
    let schema = world.tree.root().join("schemas/crm/customer.avsc");
    let schema = schema.to_str().expect("temporary folders are UTF-8");
    let target = [world.bootstrap(), &world.registry_url, "crm.customers.v1.in", schema, "customer_id"];
    client.run("write_input", &target, &lines(numbers, &json!(3_650), &json!(1_700_000_000_000_i64)));
}

fn publish(world: &World, numbers: Range<usize>) {
    let file = world.scratch("customers.jsonl");
    std::fs::write(&file, lines(numbers, &json!("1979-12-30"), &json!("2023-11-14T22:13:20Z"))).expect("it is ours");
    world.run(["publish", "crm.customers", file.to_str().expect("temporary folders are UTF-8")]).expect(0);
}

fn subscribed(world: &World, topic: &str) -> Vec<Value> {
    let view = topic.strip_prefix("crm.customers.v1.").unwrap_or("masked");
    let count = CUSTOMERS.to_string();
    world.run(["subscribe", "crm.customers", "--view", view, "--max", &count]).expect(0).json_lines()
}

/// Customers, each in the types that a client takes for dates and times.
fn lines(numbers: Range<usize>, birth_date: &Value, at: &Value) -> String {
    numbers.map(|number| format!("{}\n", customer(number, birth_date, at))).collect()
}

fn customer(number: usize, birth_date: &Value, at: &Value) -> Value {
    json!({
        "customer_id": format!("C{number:05}"), "full_name": "Ada Canary", "email": format!("ada{number}@example.org"),
        "phone": format!("+1 555 01{number:02}"), "birth_date": birth_date,
        "address": { "street": "1 Canary Row", "city": "Salem", "postcode": "97301", "country": "US" },
        "contacts": [{ "kind": "billing", "email": "billing@example.org" }],
        "segment": "LOYAL", "marketing_consent": true, "registered_at": at, "updated_at": at
    })
}

/// The masked address of each customer.
fn emails(records: &[Value]) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().expect("both are strings").to_owned();
    records.iter().map(|record| (text(&record["key"]), text(&record["value"]["email"]))).collect()
}

/// What the contract says of every view that grants no more than the phone.
fn assert_masked(record: &Value, phone_starts_with: &str) {
    let value = &record["value"];
    assert_eq!(record["key"], value["customer_id"]);
    let email = value["email"].as_str().expect("a hash keeps its column a string");
    assert!(email.len() == 64 && email.bytes().all(|byte| byte.is_ascii_hexdigit()), "{email}");
    assert!(value["phone"].as_str().is_some_and(|phone| phone.starts_with(phone_starts_with)), "{value}");
    assert!(is_first_of_1979(&value["birth_date"]), "{value}");
    assert_eq!(value["address"]["city"], "Salem");
    let text = record.to_string();
    for canary in ["Canary", "@example.org"] {
        assert!(!text.contains(canary), "{canary} leaked: {text}");
    }
}

/// Python and Go make a date of it, Node leaves the days since 1970.
fn is_first_of_1979(birth_date: &Value) -> bool {
    birth_date == 3_287 || birth_date.as_str().is_some_and(|date| date.starts_with("1979-01-01"))
}
