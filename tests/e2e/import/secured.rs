//! What an import needs to be let do at Kafka, and what it says of what it may not see.

use super::{FINDINGS, RECORDS, framed, text};
use crate::support::{Finished, PATIENCE, Process, eventually, mesh};
use mesh_contract::acl::{Acl, Operation, Resource};
use mesh_kafka::OutgoingRecord;
use mesh_kafka::admin::{Admin, TopicSpec};
use mesh_kafka::embedded::{EmbeddedKafka, Options, User};
use mesh_kafka::log::LogWriter;
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A secured Kafka with a topic of shop's that ana reads, a registry as the operator, and somebody who may import and nothing else.
struct Secured {
    runtime: Runtime,
    kafka: Option<EmbeddedKafka>,
    _registry: Process,
    registry_url: String,
    importer: User,
    root: TempDir,
}

impl Secured {
    fn start() -> Self {
        let runtime = Runtime::new().expect("threads can be started");
        let options = Options { secured: true, ..Options::default() };
        let kafka = runtime.block_on(EmbeddedKafka::start(options)).expect("the embedded Kafka starts");
        let users = runtime.block_on(kafka.add_users(&["importer"])).expect("they are users");
        let operator = &kafka.operator().expect("it is secured").file;
        let mut command = mesh(["run", "registry", "--format", "json", "--kafka-config"]);
        let mut registry = Process::start(command.arg(operator));
        let line = registry.line("the registry says where it listens", |line| line.contains("registry_url"));
        let said: Value = serde_json::from_str(&line).expect("one JSON object a line");
        let importer = users.into_iter().next().expect("it was asked for");
        let root = tempfile::tempdir().expect("a temporary folder can be made");
        let registry_url = text(&said["registry_url"]).to_owned();
        let secured = Self { runtime, kafka: Some(kafka), _registry: registry, registry_url, importer, root };
        secured.fill();
        secured
    }

    fn kafka(&self) -> &EmbeddedKafka {
        self.kafka.as_ref().expect("it is there until the drop")
    }

    fn admin(&self) -> Admin {
        Admin::new(&self.kafka().settings()).expect("the settings are right")
    }

    fn fill(&self) {
        let created = self.runtime.block_on(self.admin().create_topics(&[TopicSpec::new("orders").partitions(1)]));
        created.expect("Kafka answers");
        let url = format!("{}/subjects/orders-value/versions", self.registry_url);
        let schema = json!({ "type": "record", "name": "Order", "fields": [{ "name": "order_id", "type": "string" }] });
        let body = json!({ "schema": schema.to_string() }).to_string();
        let id = eventually("the registry takes a schema", PATIENCE, || {
            let answer = self.runtime.block_on(async {
                reqwest::Client::new().post(&url).body(body.clone()).send().await?.error_for_status()?.text().await
            });
            let answer: Value = serde_json::from_str(&answer.map_err(|error| error.to_string())?).expect("it is JSON");
            answer["id"].as_u64().ok_or(answer.to_string())
        });
        let id = u32::try_from(id).expect("ids are small");
        let record = |n: i64| OutgoingRecord {
            topic: "orders".into(),
            partition: None,
            timestamp_ms: None,
            key: Some(format!("o{n}").into_bytes().into()),
            value: Some(framed((id, &schema), &json!({ "order_id": format!("o{n}") })).into()),
            headers: Vec::new(),
        };
        let writer = LogWriter::new(&self.kafka().settings()).expect("the settings are right");
        self.runtime.block_on(writer.append_all((0..RECORDS).map(record))).expect("Kafka takes them");
        let rule = |user: &str, operation| Acl { principal: format!("User:{user}"), resource: orders(), operation };
        self.grant([rule("shop", Operation::Write), rule("ana", Operation::Read)]);
        self.grant(ENOUGH.map(|(resource, operation)| self.rule(resource, operation)));
    }

    fn rule(&self, resource: fn() -> Resource, operation: Operation) -> Acl {
        Acl { principal: format!("User:{}", self.importer.name), resource: resource(), operation }
    }

    fn grant<const N: usize>(&self, rules: [Acl; N]) {
        self.runtime.block_on(self.admin().grant(&rules.into())).expect("Kafka answers");
    }

    /// What an import says that writes nothing.
    fn import(&self) -> Finished {
        let mut command = mesh(["import", "orders", "--domain", "crm", "--dry-run", "--kafka-config"]);
        command
            .arg(&self.importer.file)
            .args(["--registry-url", &self.registry_url])
            .arg("--root")
            .arg(self.root.path());
        Finished::of(&mut command)
    }

    /// Waits until an import says this, without one of its rules.
    fn says_without(&self, (resource, operation): (fn() -> Resource, Operation), code: i32, said: &str) {
        let rule = self.rule(resource, operation);
        self.runtime.block_on(self.admin().revoke(&[rule.clone()].into())).expect("Kafka answers");
        eventually(said, PATIENCE, || {
            let shown = self.import();
            let is_so = shown.code == code && (shown.stdout.contains(said) || shown.stderr.contains(said));
            if is_so { Ok(()) } else { Err((shown.code, shown.stdout, shown.stderr)) }
        });
        self.grant([rule]);
    }
}

impl Drop for Secured {
    fn drop(&mut self) {
        if let Some(kafka) = self.kafka.take() {
            self.runtime.block_on(kafka.stop());
        }
    }
}

fn orders() -> Resource {
    Resource::Topic("orders".to_owned())
}

fn reader() -> Resource {
    Resource::Group("mesh-reader".to_owned())
}

fn cluster() -> Resource {
    Resource::Cluster
}

/// What docs/operations.md says that is enough.
const ENOUGH: [(fn() -> Resource, Operation); 6] = [
    (orders, Operation::Describe),
    (orders, Operation::DescribeConfigs),
    (orders, Operation::Read),
    (reader, Operation::Describe),
    (cluster, Operation::Describe),
    (cluster, Operation::DescribeConfigs),
];

#[test]
fn who_may_only_look_imports_and_is_told_what_could_not_be_seen() {
    let secured = Secured::start();
    let shown = secured.import().expect(0).stdout;
    for said in
        ["key: order_id", "producers: [\"User:shop\"]", "may be read by User:ana", "the longest pause in 40 records"]
    {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    assert!(!shown.contains("\nreplication: "), "it is the cluster's default: {shown}");
    assert!(fs::read_dir(secured.root.path()).expect("it is there").next().is_none(), "nothing is written");

    secured.says_without((orders, Operation::Read), 0, "They were not looked at: its records may not be read");
    secured.says_without((reader, Operation::Describe), 0, "They were not looked at");
    secured.says_without((cluster, Operation::Describe), 0, "who writes its topics? Kafka's rules may not be seen");
    secured.says_without((cluster, Operation::DescribeConfigs), 0, "the cluster's default may not be seen");
    secured.says_without((orders, Operation::DescribeConfigs), FINDINGS, "orders: its settings may not be seen");
}
