//! `mesh apply` on a real Kafka: creates what is not there, changes nothing twice, breaks no reader, deletes nothing.

use crate::support::{Finished, PATIENCE, World, eventually, mesh};
use mesh_kafka::TopicPartition;
use mesh_kafka::admin::{Admin, TopicSpec};
use mesh_kafka::consumer::{Consumer, Start};
use mesh_kafka::log::FencedLogWriter;
use serde_json::Value;
use tokio::runtime::Runtime;

const FINDINGS: i32 = 1;
const USAGE: i32 = 2;
/// It reads what is to be deleted.
const GROUP: &str = "ana";

fn report(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).expect("one JSON object")
}

/// The changes that an apply reports, by name.
fn changed(finished: &Finished) -> Vec<String> {
    let report = report(finished);
    let changes = report["changes"].as_array().expect("a list").iter();
    changes.map(|change| change["name"].as_str().expect("a name").to_owned()).collect()
}

fn apply(world: &World) -> Finished {
    world.run(["apply", "--format", "json"])
}

#[test]
fn apply_creates_once_refuses_what_breaks_readers_and_deletes_nothing() {
    let world = World::start();
    let first = changed(&apply(&world).expect(0));
    for thing in ["mesh.products", "crm.customers.v1.in", "crm.customers.v1.support", "crm.orders.v1.quarantine"] {
        assert!(first.contains(&thing.to_owned()), "{thing}: {first:?}");
    }
    assert_eq!(changed(&apply(&world).expect(0)), [""; 0]);

    world.tree.replace("topics/crm/customers.yaml", "{ keep_last: 4 }", "{ keep_last: 3 }");
    let masked_anew = changed(&apply(&world).expect(0));
    let expected = ["crm.customers.v1-value", "crm.customers@1"];
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
    assert_eq!(changed(&apply(&world).expect(0)), ["crm.customers@1"]);
    let topics = topics(&world);
    assert!(topics.contains(&"upselling.offers.v1".to_owned()), "{topics:?}");
}

#[test]
fn a_topic_that_the_mesh_has_not_made_is_left_alone_until_it_is_adopted() {
    let world = World::start();
    let runtime = Runtime::new().expect("threads can be started");
    let admin = Admin::new(&world.settings()).expect("the settings are right");
    let topic = TopicSpec::new("crm.orders.v1.in").partitions(2).config("cleanup.policy", "compact");
    runtime.block_on(admin.create_topics(&[topic])).expect("Kafka answers");
    let refused = world.run(["apply"]).expect(FINDINGS);
    assert!(refused.stderr.contains("topic-taken: the topic crm.orders.v1.in"), "{}", refused.stderr);
    let config = || runtime.block_on(admin.config("crm.orders.v1.in")).expect("Kafka answers");
    assert_eq!(config()["cleanup.policy"], "compact");
    assert_eq!(topics(&world).iter().filter(|topic| topic.contains(".v1")).count(), 1, "nothing was made");
    let adopt = ["apply", "--adopt", "crm.orders.v1.in"];
    let asks = world.run(adopt).expect(USAGE);
    assert!(asks.stderr.contains("--confirm crm.orders"), "{}", asks.stderr);
    world.run(["apply", "--adopt", "crm.orders.v1.in", "--confirm", "crm.orders"]).expect(0);
    assert_eq!(config()["cleanup.policy"], "delete");
    world.run(["drift"]).expect(0);
}

/// What was looked at is what is done, or nothing is.
#[test]
fn a_saved_plan_is_done_as_it_is_or_not_at_all() {
    let world = World::start();
    let file = world.scratch("plan.json");
    let path = file.to_str().expect("temporary folders are UTF-8");
    let planned = world.run(["plan", "--out", path, "--format", "json"]).expect(0);
    assert!(topics(&world).iter().all(|topic| !topic.contains(".v1")), "a plan changes nothing");
    let markdown = world.run(["plan", "--format", "markdown"]).expect(0).stdout;
    assert!(markdown.contains("| create | topic `crm.orders.v1` |"), "{markdown}");
    // a tree is for the clusters that it names
    world.tree.write("cluster.yaml", "production: another\n");
    assert!(world.run(["plan"]).expect(USAGE).stderr.contains("cluster.yaml knows only production"));
    std::fs::remove_file(world.tree.root().join("cluster.yaml")).expect("it is there");
    let gained = |finished: &Finished| report(finished)["gains"].clone();
    assert!(gained(&planned).as_array().is_some_and(|gains| !gains.is_empty()), "{}", planned.stdout);
    let show = |format| Finished::of(&mut mesh(["plan", "--show", path, "--format", format])).expect(0);
    for again in [show("json"), world.run(["apply", path, "--format", "json"]).expect(0)] {
        assert_eq!((changed(&again), gained(&again)), (changed(&planned), gained(&planned)));
    }
    let sight = "group crm-support sees phone of crm.customers@1: clear, in view support";
    let shown = show("markdown").stdout;
    assert!(
        shown.contains("Who gains sight of sensitive columns") && shown.contains(&format!("- {sight}\n")),
        "{shown}"
    );
    let applied = world.run(["apply", path]).expect(0).stdout;
    assert!(applied.contains(&format!("sight     {sight}\n")), "{applied}");
    world.run(["drift"]).expect(0);

    world.tree.replace("topics/crm/orders.yaml", "One record per purchase", "A record per purchase");
    world.run(["plan", "--out", path]).expect(0);
    let runtime = Runtime::new().expect("threads can be started");
    let admin = Admin::new(&world.settings()).expect("the settings are right");
    let change = |value: &str| {
        let change = [("retention.ms".to_owned(), Some(value.to_owned()))].into();
        runtime.block_on(admin.change_settings(&[("crm.orders.v1".to_owned(), change)].into())).expect("Kafka answers");
    };
    change("-1");
    let before = world.extent("mesh.products");
    let refused = world.run(["apply", path]).expect(USAGE);
    let moved = "moved: topic crm.orders.v1: retention.ms was 63072000000, is -1";
    assert!(refused.stderr.contains(moved), "{}", refused.stderr);
    assert_eq!(world.extent("mesh.products"), before, "nothing was changed");
    change("63072000000");
    world.run(["apply", path]).expect(0);
    world.run(["drift"]).expect(0);
}

/// A group reads a topic's only record, says so, and goes.
async fn read_by_a_group(world: &World, topic: &str) -> Result<(), mesh_kafka::Error> {
    let mut reader = Consumer::join(&world.settings(), GROUP, topic, Start::Beginning)?;
    let record = reader.next().await?;
    reader.commit(&[(TopicPartition::new(topic, record.partition), record.offset + 1)].into()).await?;
    reader.close().await;
    Ok(())
}

/// Deleted is what is named, and only if nobody reads it.
#[test]
fn topics_are_deleted_by_name_where_nobody_reads_them() {
    let world = World::applied();
    let topic = "crm.customers.v1.support";
    world.tree.replace("topics/crm/customers.yaml", "  support: { clear: [phone] }", "");
    world.tree.replace("topics/crm/customers.yaml", "  - { group: crm-support, view: support }\n", "");
    let planned = world.run(["plan"]).expect(0).stdout;
    assert!(planned.contains(&format!("left      topic {topic}: no contract")), "{planned}");
    let unpinned = world.run(["apply", "--delete", topic]).expect(FINDINGS);
    assert!(unpinned.stderr.contains("not certain that this is the cluster"), "{}", unpinned.stderr);
    let runtime = Runtime::new().expect("threads can be started");
    let admin = Admin::new(&world.settings()).expect("the settings are right");
    let id = runtime.block_on(admin.cluster_id()).expect("Kafka answers");
    let delete = ["apply", "--cluster-id", id.as_str(), "--delete", topic, "--format", "json"];

    let record = mesh_kafka::OutgoingRecord {
        topic: topic.into(),
        partition: Some(0),
        timestamp_ms: None,
        key: Some("k".into()),
        value: Some("v".into()),
        headers: Vec::new(),
    };
    let written = runtime.block_on(async {
        let mut writer = FencedLogWriter::open(&world.settings(), "somebody").await?;
        writer.append(record).await
    });
    written.expect("Kafka takes it");
    let unread = world.run(delete).expect(FINDINGS);
    assert!(unread.stderr.contains("it holds 1 records that no group has read"), "{}", unread.stderr);
    // the group reads the record: the transaction's marker stands behind it for ever
    runtime.block_on(read_by_a_group(&world, topic)).expect("Kafka answers");
    eventually("the group is left", PATIENCE, || {
        let members = runtime.block_on(admin.members(&[GROUP.to_owned()])).expect("Kafka answers");
        members.iter().all(|group| group.count == 0).then_some(())
    });
    let ends = runtime.block_on(admin.settled_end_offsets(&[topic])).expect("Kafka answers");
    assert_eq!(ends[&TopicPartition::new(topic, 0)], 2);
    let deleted = changed(&world.run(delete).expect(0));
    assert_eq!(deleted, ["crm.customers@1", topic]);
    assert!(!topics(&world).contains(&topic.to_owned()));
    world.run(["drift"]).expect(0);
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
    // the output port takes larger records from now on: a hash may be longer than what is hashed
    assert_eq!(applied, ["crm.orders.v1", "crm.orders@1", "crm.orders.v1.in-value", "crm.orders.v1-value"]);
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
