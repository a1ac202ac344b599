//! `mesh import` on a real Kafka with a real registry: a cluster that knew no mesh, and a tree that was lost.

mod secured;

use crate::support::{Finished, World};
use mesh_avro::schema::Schema;
use mesh_avro::wire;
use mesh_client::json::encode;
use mesh_kafka::OutgoingRecord;
use mesh_kafka::admin::{Admin, TopicSpec};
use mesh_kafka::log::LogWriter;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::runtime::Runtime;

const FINDINGS: i32 = 1;
const RECORDS: i64 = 40;
/// What is between two records of a topic.
const APART_MS: i64 = 600_000;

/// A cluster as it was before there was a mesh, and a working tree with nothing in it.
struct Brownfield {
    world: World,
    runtime: Runtime,
}

impl Brownfield {
    fn start() -> Self {
        let brownfield = Self { world: World::start(), runtime: Runtime::new().expect("threads can be started") };
        lose(brownfield.world.tree.root());
        let week = [("retention.ms", "604800000")];
        let compacted = [("cleanup.policy", "compact")];
        brownfield.create(
            &[
                TopicSpec::new("orders").partitions(3),
                TopicSpec::new("customers").partitions(2),
                TopicSpec::new("crm.visits.v1.in").partitions(1),
                TopicSpec::new("tags").partitions(1),
                TopicSpec::new("unknown").partitions(1),
            ],
            &[("orders", &week), ("customers", &compacted), ("tags", &compacted)],
        );
        brownfield
    }

    fn create(&self, topics: &[TopicSpec], settings: &[(&str, &[(&str, &str); 1])]) {
        let with = |spec: &TopicSpec| {
            let own = settings.iter().filter(|(topic, _)| *topic == spec.name).flat_map(|(_, own)| *own);
            own.fold(spec.clone(), |spec, (setting, value)| spec.config(*setting, *value))
        };
        let topics: Vec<TopicSpec> = topics.iter().map(with).collect();
        let admin = Admin::new(&self.world.settings()).expect("the settings are right");
        self.runtime.block_on(admin.create_topics(&topics)).expect("Kafka answers");
    }

    /// What the registry answers to a change.
    fn registry(&self, method: reqwest::Method, path: &str, body: &Value) -> Value {
        let url = format!("{}/{path}", self.world.registry_url);
        self.runtime.block_on(async {
            let answer = reqwest::Client::new().request(method, url).body(body.to_string()).send().await;
            let answer = answer.expect("the registry answers");
            let (status, text) = (answer.status(), answer.text().await.expect("the registry answers"));
            assert!(status.is_success(), "{path}: {status}: {text}");
            serde_json::from_str(&text).expect("it answers JSON")
        })
    }

    /// Registers a schema; its id.
    fn register(&self, subject: &str, schema: &Value, references: &Value) -> u32 {
        let body = json!({ "schema": schema.to_string(), "references": references });
        let answer = self.registry(reqwest::Method::POST, &format!("subjects/{subject}/versions"), &body);
        u32::try_from(answer["id"].as_u64().expect("an id")).expect("ids are small")
    }

    /// Writes records, the newest of now, with the keys that are given as they are.
    fn write(&self, topic: &str, schema: (u32, &Value), records: impl Fn(i64) -> (Vec<u8>, Value)) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_millis();
        let now_ms = i64::try_from(now).expect("it is before the year 292 million");
        let record = |number: i64| {
            let (key, value) = records(number);
            OutgoingRecord {
                topic: topic.into(),
                partition: None,
                timestamp_ms: Some(now_ms - (RECORDS - 1 - number) * APART_MS),
                key: Some(key.into()),
                value: Some(framed(schema, &value).into()),
                headers: Vec::new(),
            }
        };
        let writer = LogWriter::new(&self.world.settings()).expect("the settings are right");
        self.runtime.block_on(writer.append_all((0..RECORDS).map(record))).expect("Kafka takes them");
    }

    /// Topics with their schemas and records: keyed by text, by Avro, as another's port, and compacted without a record.
    fn fill(&self) {
        let none = json!([]);
        let order = json!({ "type": "record", "name": "Order", "namespace": "shop", "doc": "One purchase.", "fields": [
            { "name": "order_id", "type": "string" }, { "name": "customer_id", "type": "long" },
            { "name": "email", "type": ["null", "string"], "default": null },
            { "name": "hobby", "type": "string", "confluent:tags": ["PII"] },
        ] });
        let id = self.register("orders-value", &order, &none);
        self.registry(reqwest::Method::PUT, "config/orders-value", &json!({ "compatibility": "FULL" }));
        self.write("orders", (id, &order), |n| {
            let value = json!({ "order_id": format!("o{n}"), "customer_id": n % 3, "email": "canary-email@example.org", "hobby": "canary-hobby" });
            (format!("o{n}").into_bytes(), value)
        });

        let customer = json!({ "type": "record", "name": "Customer", "namespace": "shop", "fields": [
            { "name": "customer_id", "type": "long" }, { "name": "visits", "type": "long" },
        ] });
        let (id, key) =
            (self.register("customers-value", &customer, &none), self.register("customers-key", &json!("long"), &none));
        let value = |n: i64| json!({ "customer_id": n, "visits": 1_000 + n });
        self.write("customers", (id, &customer), |n| (framed((key, &json!("long")), &json!(n)), value(n)));

        let page = json!({ "type": "record", "name": "Page", "namespace": "shared", "fields": [{ "name": "path", "type": "string" }] });
        self.register("shared-page", &page, &none);
        let visit = json!({ "type": "record", "name": "Visit", "namespace": "crm", "fields": [
            { "name": "visit_id", "type": "string" }, { "name": "entry", "type": "shared.Page" }, { "name": "exit", "type": "shared.Page" },
        ] });
        self.register(
            "crm.visits.v1.in-value",
            &visit,
            &json!([{ "name": "shared.Page", "subject": "shared-page", "version": 1 }]),
        );

        let tag = json!({ "type": "record", "name": "Tag", "fields": [{ "name": "tag_id", "type": "string" }] });
        self.register("tags-value", &tag, &none);
    }

    fn run<const N: usize>(&self, args: [&str; N]) -> Finished {
        self.world.run(args)
    }

    fn is_written(&self, file: &str) -> bool {
        self.world.tree.root().join(file).exists()
    }

    fn holds(&self, file: &str, lines: &[&str]) {
        let text = self.world.tree.read(file);
        for line in lines {
            assert!(text.contains(line), "{file} does not hold {line:?}:\n{text}");
        }
        assert!(!text.contains("canary"), "no payload is written: {text}");
    }
}

fn framed((id, schema): (u32, &Value), value: &Value) -> Vec<u8> {
    let schema = Schema::parse_value(schema).expect("it is valid");
    let mut bytes = wire::header(id).to_vec();
    encode(&schema, value, &mut bytes).expect("it fits");
    bytes
}

/// The tree is lost: only its root is left.
fn lose(root: &Path) {
    for folder in ["topics", "schemas"] {
        fs::remove_dir_all(root.join(folder)).expect("it is there");
    }
}

fn report(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).expect("one JSON object")
}

/// The places of one weight that a person is asked to look at.
fn asked(report: &Value, weight: &str) -> Vec<String> {
    let remarks = report["remarks"].as_array().expect("a list").iter().filter(|remark| remark["weight"] == weight);
    remarks.map(|remark| format!("{} {}", text(&remark["file"]), text(&remark["key"]))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[test]
fn a_cluster_that_knew_no_mesh_becomes_a_tree_that_is_accepted_and_applied() {
    let brownfield = Brownfield::start();
    brownfield.fill();
    dry_run_writes_nothing(&brownfield);
    named_topics_are_imported(&brownfield);
    nothing_is_written_over(&brownfield);
    what_only_a_person_knows_is_a_finding(&brownfield);
    what_was_imported_is_applied(&brownfield);
    lose(brownfield.world.tree.root());
    brownfield.run(["import", "--published"]).expect(0);
    assert!(brownfield.is_written("topics/crm/tags.yaml"));
    brownfield.run(["drift"]).expect(0);
}

fn dry_run_writes_nothing(brownfield: &Brownfield) {
    let all = ["import", "--all", "--domain", "crm", "--dry-run", "--format", "json"];
    let shown = report(&brownfield.run(all).expect(FINDINGS));
    let products: Vec<&str> =
        shown["products"].as_array().expect("a list").iter().map(|it| text(&it["product"])).collect();
    assert_eq!(products, ["crm.visits@1", "crm.customers@1", "crm.orders@1", "crm.tags@1"]);
    let left_out: Vec<&str> =
        shown["left_out"].as_array().expect("a list").iter().map(|it| text(&it["topic"])).collect();
    assert!(left_out.contains(&"unknown") && left_out.contains(&"_schemas"), "{left_out:?}");
    assert!(!brownfield.is_written("topics") && !brownfield.is_written("schemas"), "nothing is written");
}

fn named_topics_are_imported(brownfield: &Brownfield) {
    let named = ["import", "orders", "customers", "crm.visits.v1.in", "--domain", "crm", "--format", "json"];
    let shown = report(&brownfield.run(named).expect(0));
    let todo = asked(&shown, "todo");
    for asked in ["topics/crm/domain.yaml team", "topics/crm/customers.yaml description", "topics/crm/visits.yaml key"]
    {
        assert!(todo.iter().any(|todo| todo == asked), "{asked} is not in {todo:?}");
    }
    assert!(!todo.contains(&"topics/crm/orders.yaml description".to_owned()), "the schema tells it: {todo:?}");
    brownfield.holds(
        "topics/crm/orders.yaml",
        &[
            "description: \"One purchase.\"",
            "key: order_id  ",
            "compatibility: full  ",
            // the records are ten minutes apart
            "refresh_rate: 15 minutes  ",
            "history: 7 days  ",
            "partitions: 3  ",
            "{ column: \"email\", class: \"pii\" }   # its name: email",
            "{ column: \"hobby\", class: \"pii\" }   # the schema's tag PII",
            "the cluster has no access rules on topics",
        ],
    );
    brownfield
        .holds("topics/crm/customers.yaml", &["key: customer_id  ", "history: latest  ", "compatibility: backward  "]);
    let visit: Value =
        serde_json::from_str(&brownfield.world.tree.read("schemas/crm/visits.avsc")).expect("it is JSON");
    assert_eq!(visit["fields"][1]["type"]["fields"][0]["name"], "path", "what it refers to stands in it: {visit}");
    brownfield.run(["check"]).expect(0);
}

fn nothing_is_written_over(brownfield: &Brownfield) {
    brownfield.world.tree.replace("topics/crm/orders.yaml", "access_group: []", "access_group: analysts");
    let refused = brownfield.run(["import", "orders", "tags", "--domain", "crm"]).expect(FINDINGS);
    assert!(refused.stderr.contains("orders: there is topics/crm/orders.yaml already"), "{}", refused.stderr);
    assert!(!brownfield.is_written("topics/crm/tags.yaml"), "all or nothing");
    brownfield.holds("topics/crm/orders.yaml", &["access_group: analysts"]);
    let unknown = brownfield.run(["import", "unknown", "order", "_schemas", "--domain", "crm"]).expect(FINDINGS);
    let said = [
        "unknown: the registry has no subject unknown-value",
        "order: there is no such topic",
        "_schemas: it is Kafka's",
    ];
    assert!(said.iter().all(|said| unknown.stderr.contains(said)), "{}", unknown.stderr);
}

fn what_only_a_person_knows_is_a_finding(brownfield: &Brownfield) {
    let shown = brownfield.run(["import", "--all", "--matching", "t*s", "--domain", "crm"]).expect(FINDINGS);
    assert!(
        shown.stdout.contains("todo      topics/crm/tags.yaml: key: which column keys the records?"),
        "{}",
        shown.stdout
    );
    assert!(shown.stdout.contains("finding   topics/crm/tags.yaml"), "{}", shown.stdout);
    brownfield.run(["check"]).expect(FINDINGS);
    brownfield.world.tree.replace("topics/crm/tags.yaml", "# key: id", "key: tag_id");
    brownfield.run(["check"]).expect(0);
}

fn what_was_imported_is_applied(brownfield: &Brownfield) {
    let taken = brownfield.run(["apply"]).expect(FINDINGS);
    assert!(taken.stderr.contains("topic-taken: the topic crm.visits.v1.in"), "{}", taken.stderr);
    brownfield.run(["apply", "--adopt", "crm.visits.v1.in"]).expect(0);
    brownfield.run(["drift"]).expect(0);
    let next = "crm.visits.v2.in";
    brownfield.create(&[TopicSpec::new(next).partitions(1)], &[]);
    let visit: Value =
        serde_json::from_str(&brownfield.world.tree.read("schemas/crm/visits.avsc")).expect("it is JSON");
    brownfield.register(&format!("{next}-value"), &visit, &json!([]));
    brownfield.run(["import", next]).expect(0);
    let id = |file: &str| {
        brownfield.world.tree.read(file).lines().find(|line| line.starts_with("unique_id")).map(str::to_owned)
    };
    assert_eq!(id("topics/crm/visits@2.yaml"), id("topics/crm/visits.yaml"), "versions of one product share its id");
    brownfield.run(["apply", "--adopt", next]).expect(0);
    let again = brownfield.run(["import", "crm.visits.v1.in"]).expect(FINDINGS);
    assert!(again.stderr.contains("it is a port of crm.visits@1, which is published"), "{}", again.stderr);
}

/// A tree that was lost comes back as it was, as far as the cluster is concerned: there is nothing to plan.
#[test]
fn a_lost_tree_is_written_back_exactly() {
    let world = World::start();
    // a schema that uses a type of another file: it comes back as one
    let tax = json!({ "type": "record", "name": "Tax", "namespace": "shared", "fields": [{ "name": "rate", "type": "int" }] });
    fs::create_dir_all(world.tree.root().join("schemas/shared")).expect("the folder is ours");
    world.tree.write("schemas/shared/tax.avsc", &tax.to_string());
    let field =
        "{ \"name\": \"tax\", \"type\": [\"null\", \"shared.Tax\"], \"default\": null },\n    { \"name\": \"quantity\"";
    world.tree.replace("schemas/crm/order.avsc", "{ \"name\": \"quantity\"", field);
    world.run(["apply"]).expect(0);
    let before = report(&world.run(["plan", "--format", "json"]).expect(0));
    lose(world.tree.root());
    let one = report(&world.run(["import", "--published", "crm.customers", "--format", "json"]).expect(0));
    let files: Vec<&str> = one["files"].as_array().expect("a list").iter().map(|file| text(&file["name"])).collect();
    assert_eq!(files, ["topics/crm/domain.yaml", "topics/crm/customers.yaml", "schemas/crm/customer.avsc"]);
    let shown = world.run(["import", "--published"]).expect(0).stdout;
    assert!(shown.contains("left out  crm.customers@1: the tree has a contract of it"), "{shown}");
    world.run(["check"]).expect(0);
    let plan = report(&world.run(["plan", "--format", "json"]).expect(0));
    assert_eq!((&plan["changes"], &plan["left"]), (&json!([]), &json!([])), "{plan}");
    assert_eq!(plan["fingerprint"], before["fingerprint"]);
    world.run(["drift"]).expect(0);
}
