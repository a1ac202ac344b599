//! A secured Kafka: who is let in, who may do what, and what is said to those who may not.
#![allow(clippy::unwrap_used)]

use std::error::Error as _;
use std::time::Duration;

use mesh_contract::acl::{Acl, AclTable, Operation, Resource};
use mesh_kafka::admin::{Admin, Creation, TopicSpec};
use mesh_kafka::consumer::{Consumer, Start};
use mesh_kafka::embedded::{EmbeddedError, EmbeddedKafka, Options, User};
use mesh_kafka::producer::Producer;
use mesh_kafka::{ErrorKind, OutgoingRecord, Settings};

const TOPIC: &str = "crm.customers.v1.in";
const PATIENCE: Duration = Duration::from_secs(30);

fn secured() -> Options {
    Options { secured: true, ..Options::default() }
}

fn rule(user: &User, resource: Resource, operation: Operation) -> Acl {
    Acl { principal: format!("User:{}", user.name), resource, operation }
}

fn topic(user: &User, operation: Operation) -> Acl {
    rule(user, Resource::Topic(TOPIC.to_owned()), operation)
}

async fn write(settings: &Settings) -> Result<(), ErrorKind> {
    let producer = Producer::new(settings).unwrap();
    let sent = producer.send(OutgoingRecord::to(TOPIC).value("hello")).await;
    let written = match sent {
        Ok(delivery) => delivery.await.map(drop),
        Err(error) => Err(error),
    };
    written.map_err(|error| error.kind())
}

/// Rules hold within moments, not at once.
async fn eventually<T: PartialEq + std::fmt::Debug, F: Future<Output = T>>(wanted: T, mut look: impl FnMut() -> F) {
    let started = std::time::Instant::now();
    loop {
        let found = look().await;
        if found == wanted {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "{found:?} instead of {wanted:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_may_anything_but_what_a_rule_allows() {
    let kafka = EmbeddedKafka::start(secured()).await.unwrap();
    let operator = Admin::new(&kafka.settings()).unwrap();
    assert_eq!(operator.create_topics(&[TopicSpec::new(TOPIC)]).await.unwrap(), [Creation::Created]);
    let users = kafka.add_users(&["crm-service", "ana"]).await.unwrap();
    let [service, ana] = users.as_slice() else { panic!("{users:?}") };

    assert_eq!(write(&service.settings).await, Err(ErrorKind::Unauthorised));
    let granted: AclTable = [
        topic(service, Operation::Write),
        topic(ana, Operation::Read),
        rule(ana, Resource::Group("ana".to_owned()), Operation::Read),
    ]
    .into();
    operator.grant(&granted).await.unwrap();
    operator.grant(&granted).await.unwrap();
    let rights = operator.rights().await.unwrap().unwrap();
    assert_eq!((rights.table, rights.others.len()), (granted.clone(), 0));
    eventually(Ok(()), || write(&service.settings)).await;
    assert_eq!(write(&ana.settings).await, Err(ErrorKind::Unauthorised));
    let mut consumer = Consumer::join(&ana.settings, "ana", TOPIC, Start::Beginning).unwrap();
    let read = tokio::time::timeout(PATIENCE, consumer.next()).await.unwrap().unwrap();
    assert_eq!(read.value.as_deref(), Some(b"hello".as_slice()));

    // who may not describe the cluster may not look at its rules either
    assert_eq!(Admin::new(&ana.settings).unwrap().rights().await.unwrap_err().kind(), ErrorKind::Unauthorised);
    settings_are_seen_by_whom_a_rule_lets(&operator, ana).await;
    operator.revoke(&[topic(service, Operation::Write)].into()).await.unwrap();
    eventually(Err(ErrorKind::Unauthorised), || write(&service.settings)).await;
    assert_eq!(operator.rights().await.unwrap().unwrap().table.len(), granted.len() - 1);
    kafka.stop().await;
}

/// Nobody takes a topic whose settings are hidden for one without any.
async fn settings_are_seen_by_whom_a_rule_lets(operator: &Admin, ana: &User) {
    let admin = Admin::new(&ana.settings).unwrap();
    let cluster = admin.cluster().await.unwrap();
    assert!(cluster.topics.contains_key(TOPIC), "whoever may read it sees that it is there: {cluster:?}");
    let refusals = [
        admin.describe(&cluster, &[TOPIC]).await.map(drop).unwrap_err(),
        admin.config(TOPIC).await.map(drop).unwrap_err(),
    ];
    for refused in refusals {
        let why = refused.source().unwrap().to_string();
        assert!(refused.kind() == ErrorKind::Unauthorised && refused.to_string().contains(TOPIC), "{refused}");
        assert!(why.contains("DescribeConfigs"), "{why}");
    }
    let rule: AclTable = [topic(ana, Operation::DescribeConfigs)].into();
    operator.grant(&rule).await.unwrap();
    eventually(Ok::<bool, ErrorKind>(true), || async {
        let found = admin.describe(&cluster, &[TOPIC]).await.map_err(|error| error.kind())?;
        Ok(found[TOPIC].settings.contains_key("retention.ms"))
    })
    .await;
    let found = operator.describe(&cluster, &[TOPIC, "gone.by.now"]).await.unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), [TOPIC]);
    operator.revoke(&rule).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_is_secured_for_ever_or_never_and_keeps_its_users() {
    let data = tempfile::tempdir().unwrap();
    let options = Options { data: Some(data.path().to_owned()), ..secured() };
    let kafka = EmbeddedKafka::start(options.clone()).await.unwrap();
    let before = kafka.add_users(&["ana"]).await.unwrap().remove(0);
    let cluster = Admin::new(&kafka.settings()).unwrap().cluster_id().await.unwrap();
    kafka.stop().await;

    let open = Options { secured: false, ..options.clone() };
    assert!(matches!(EmbeddedKafka::start(open).await.err(), Some(EmbeddedError::Secured { .. })));
    let kafka = EmbeddedKafka::start(options).await.unwrap();
    // with the password of before, at the port of now, and without being added again
    let here = kafka.bootstrap_servers();
    let password = before.settings.get("sasl.password").unwrap();
    let settings = kafka.settings().with("sasl.username", "ana").with("sasl.password", password);
    assert_eq!(settings.bootstrap(), here);
    let admin = Admin::new(&settings).unwrap();
    admin.wait_ready(PATIENCE).await.unwrap();
    assert_eq!(admin.cluster_id().await.unwrap(), cluster);
    kafka.stop().await;

    let plain = tempfile::tempdir().unwrap();
    let options = Options { data: Some(plain.path().to_owned()), ..Options::default() };
    let kafka = EmbeddedKafka::start(options.clone()).await.unwrap();
    assert_eq!(Admin::new(&kafka.settings()).unwrap().rights().await.unwrap(), None, "nobody is asked");
    assert!(matches!(kafka.add_users(&["ana"]).await, Err(EmbeddedError::NotSecured { .. })));
    kafka.stop().await;
    let secured = EmbeddedKafka::start(Options { secured: true, ..options }).await;
    assert!(matches!(secured.err(), Some(EmbeddedError::NotSecured { .. })));
}
