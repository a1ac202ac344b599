//! `mesh apply` on a real Kafka: creates what is not there, changes nothing twice, breaks no reader, deletes nothing.

use crate::support::{Finished, World};
use mesh_kafka::admin::{Admin, TopicSpec};
use serde_json::Value;
use tokio::runtime::Runtime;

const FINDINGS: i32 = 1;

/// The changes that an apply reports, without what stayed as it was.
fn changed(finished: &Finished) -> Vec<String> {
    let report: Value = serde_json::from_str(&finished.stdout).expect("one JSON object");
    let things = report.as_object().expect("an object").values().flat_map(|things| things.as_array().expect("lists"));
    let changed = things.filter(|thing| thing["change"] != "unchanged");
    changed.map(|thing| thing.as_object().expect("an object").values().next().expect("a name").to_string()).collect()
}

fn apply(world: &World) -> Finished {
    world.run(["apply", "--format", "json"])
}

#[test]
fn apply_creates_once_refuses_what_breaks_readers_and_deletes_nothing() {
    let world = World::start();
    let first = changed(&apply(&world).expect(0));
    for thing in ["mesh.products", "crm.customers.v1.in", "crm.customers.v1.support", "crm.orders.v1.quarantine"] {
        assert!(first.contains(&format!("{thing:?}")), "{thing}: {first:?}");
    }
    assert_eq!(changed(&apply(&world).expect(0)), [""; 0]);

    world.tree.replace("topics/crm/customers.yaml", "{ keep_last: 4 }", "{ keep_last: 3 }");
    let masked_anew = changed(&apply(&world).expect(0));
    let expected = ["\"crm.customers.v1-value\"", "\"crm.customers\""];
    assert!(expected.iter().all(|name| masked_anew.iter().any(|thing| thing == name)), "{masked_anew:?}");

    let catalogue = world.extent("mesh.products");
    world.tree.replace("topics/crm/customers.yaml", "One record per customer", "A record per customer");
    world.tree.replace(
        "schemas/crm/order.avsc",
        "\"quantity\", \"type\": \"int\"",
        "\"quantity\", \"type\": \"string\"",
    );
    let refused = apply(&world).expect(FINDINGS);
    assert!(refused.stderr.contains("topics/crm/orders.yaml:") && refused.stderr.contains("schema-incompatible"));
    assert_eq!(world.extent("mesh.products"), catalogue, "nothing is published of a tree that is refused");

    world.tree.replace(
        "schemas/crm/order.avsc",
        "\"quantity\", \"type\": \"string\"",
        "\"quantity\", \"type\": \"int\"",
    );
    std::fs::remove_file(world.tree.root().join("topics/upselling/offers.yaml")).expect("it is there");
    assert_eq!(changed(&apply(&world).expect(0)), ["\"crm.customers\""]);
    let topics = topics(&world);
    assert!(topics.contains(&"upselling.offers.v1".to_owned()), "{topics:?}");
}

#[test]
fn a_topic_that_is_there_already_is_left_as_it_is_and_named() {
    let world = World::start();
    let runtime = Runtime::new().expect("threads can be started");
    let admin = Admin::new(&world.settings()).expect("the settings are right");
    let topic = TopicSpec::new("crm.orders.v1.in").partitions(2).config("cleanup.policy", "compact");
    runtime.block_on(admin.create_topics(&[topic])).expect("Kafka answers");
    let report = world.run(["apply"]).expect(0).stdout;
    assert!(report.contains("differs    topic crm.orders.v1.in: cleanup.policy is compact"), "{report}");
    let outputs = runtime.block_on(admin.partitions("crm.orders.v1")).expect("Kafka answers");
    assert_eq!(outputs, Some(2), "outputs have the input's partitions");
}

/// The registry holds a schema to the contract in force, so that a contract that lists a new column goes before its schema.
#[test]
fn a_sensitive_column_and_the_contract_that_lists_it_come_together() {
    let world = World::applied();
    world.tree.replace(
        "schemas/crm/order.avsc",
        "{ \"name\": \"quantity\"",
        "{ \"name\": \"recipient_email\", \"type\": [\"null\", \"string\"], \"default\": null },\n    { \"name\": \"quantity\"",
    );
    let refused = apply(&world).expect(FINDINGS);
    assert!(
        refused.stderr.contains("sensitive-unmarked") && refused.stderr.contains("`recipient_email`"),
        "{refused:?}"
    );

    let schema: Value = serde_json::from_str(&world.tree.read("schemas/crm/order.avsc")).expect("it is JSON");
    let registered = register(&world, "crm.orders.v1.in-value", &schema);
    assert_eq!((registered.0, registered.1["error_code"].as_u64()), (422, Some(42201)), "{registered:?}");

    world.tree.replace("topics/crm/orders.yaml", "sensitive_columns: []", "sensitive_columns: [recipient_email]");
    let applied = changed(&apply(&world).expect(0));
    assert_eq!(applied, ["\"crm.orders.v1.in-value\"", "\"crm.orders.v1-value\"", "\"crm.orders\""]);
    assert_eq!(changed(&apply(&world).expect(0)), [""; 0]);
    assert_eq!(register(&world, "crm.orders.v1.in-value", &schema).0, 200);
}

/// Registers a schema as any client would: the answer's status and body.
fn register(world: &World, subject: &str, schema: &Value) -> (u16, Value) {
    let url = format!("{}/subjects/{subject}/versions", world.registry_url);
    let body = serde_json::json!({ "schema": schema.to_string() }).to_string();
    let runtime = Runtime::new().expect("threads can be started");
    runtime.block_on(async {
        let answer = reqwest::Client::new().post(url).body(body).send().await.expect("the registry answers");
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.expect("the registry answers")).expect("it answers JSON"))
    })
}

fn topics(world: &World) -> Vec<String> {
    let runtime = Runtime::new().expect("threads can be started");
    let admin = Admin::new(&world.settings()).expect("the settings are right");
    runtime.block_on(admin.topic_names()).expect("Kafka answers")
}
