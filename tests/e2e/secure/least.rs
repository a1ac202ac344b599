//! Each rule of a part of the backbone serves something that this part does: without it that is refused, with all of them nothing is.

use mesh_contract::acl::{Acl, AclTable, Operation, Part, Resource};
use mesh_kafka::admin::{Admin, TopicSpec};
use mesh_kafka::consumer::{Consumer, Start};
use mesh_kafka::embedded::{EmbeddedKafka, User};
use mesh_kafka::log::{FencedLogWriter, LogReader, LogWriter};
use mesh_kafka::{Error, ErrorKind, OutgoingRecord, Settings};
use std::time::{Duration, Instant};
use uuid::Uuid;

use crate::support::PATIENCE;

/// How long a deed may take; a busy machine does it again.
const DEED: Duration = Duration::from_secs(10);
/// How long somebody follows a topic: for what is refused to be told. Where it is not in time, the deed is done again.
const FOLLOWING: Duration = Duration::from_secs(2);
const SCHEMAS: &str = "_schemas";
const PRODUCTS: &str = "mesh.products";
const AUDIT: &str = "mesh.audit";
/// The product whose topics are tried of those that are kept.
const KEPT: &str = "crm.orders.";
/// Who keeps what contracts ask for, or looks at it.
const OPERATORS: [Part; 3] = [Part::Apply, Part::Access, Part::Plan];

/// What became of a deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    Refused,
    /// Something else was in the way.
    Failed(ErrorKind),
}

/// A part of the backbone on a secured Kafka, without its service.
#[derive(Clone)]
struct Suspect {
    part: Part,
    settings: Settings,
    operator: Admin,
}

/// Takes each rule of the backbone's parts away, one at a time, and looks at what they then can do no more. Of the sidecars those of one
/// domain, and of what is kept for each product that of one: the rules of all are made alike.
pub async fn each_rule_is_needed(kafka: &EmbeddedKafka, clients: &[User], domain: &str) {
    let services = [Part::Registry, Part::Freshness, Part::Lineage, Part::Audit, Part::Masking(domain.to_owned())];
    each_rule_is_needed_of(kafka, clients, services.into_iter().chain(OPERATORS)).await;
}

/// The same of these parts alone.
pub async fn each_rule_is_needed_of(kafka: &EmbeddedKafka, clients: &[User], parts: impl IntoIterator<Item = Part>) {
    let operator = Admin::new(&kafka.settings()).expect("the settings are right");
    let table = operator.rights().await.expect("the operator may").expect("it is secured").table;
    let is_tried = |acl: &&Acl| match &acl.resource {
        Resource::Topic(topic) if OPERATORS.iter().any(|part| part.principal() == acl.principal) => {
            topic.starts_with("mesh.") || topic.starts_with(KEPT)
        }
        _ => true,
    };
    let mut tried = Vec::new();
    for part in parts {
        let user = clients.iter().find(|user| user.name == part.user()).expect("each part is a user");
        let suspect = Suspect { part, settings: user.settings.clone(), operator: operator.clone() };
        let own = table.iter().filter(|acl| acl.principal == suspect.part.principal());
        let rules: Vec<Acl> = own.filter(is_tried).cloned().collect();
        tried.push(tokio::spawn(async move {
            assert!(!rules.is_empty(), "{:?} has rules", suspect.part);
            for rule in &rules {
                suspect.try_without(rule).await;
            }
        }));
    }
    for rules in tried {
        rules.await.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()));
    }
}

impl Suspect {
    async fn try_without(&self, rule: &Acl) {
        let table = AclTable::from([rule.clone()]);
        self.operator.revoke(&table).await.expect("the operator may");
        if (&rule.resource, rule.operation) == (&Resource::Topic(SCHEMAS.to_owned()), Operation::Create) {
            self.operator.delete_topics(&[SCHEMAS]).await.expect("the operator may");
        }
        self.eventually(rule, "without it", Outcome::Refused).await;
        self.operator.grant(&table).await.expect("the operator may");
        self.eventually(rule, "with it", Outcome::Done).await;
    }

    async fn eventually(&self, rule: &Acl, when: &str, wanted: Outcome) {
        let started = Instant::now();
        loop {
            let found = match tokio::time::timeout(DEED, self.act(&rule.resource)).await {
                Ok(Ok(true)) => Outcome::Done,
                Ok(Ok(false)) => Outcome::Refused,
                Ok(Err(error)) if matches!(error.kind(), ErrorKind::Unauthorised | ErrorKind::UnknownTopic) => {
                    Outcome::Refused
                }
                Ok(Err(error)) => Outcome::Failed(error.kind()),
                Err(_) => Outcome::Failed(ErrorKind::Unreachable),
            };
            if found == wanted {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{rule}: {when} it is {found:?} instead of {wanted:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// All that the part's service does with a resource; whether it was let, where Kafka does not call it an error.
    async fn act(&self, resource: &Resource) -> Result<bool, Error> {
        match resource {
            Resource::Cluster => self.with_cluster().await,
            resource => self.with_resource(resource).await.map(|()| true),
        }
    }

    async fn with_resource(&self, resource: &Resource) -> Result<(), Error> {
        let name = match resource {
            Resource::Topic(name) | Resource::Group(name) | Resource::TransactionalId(name) => name.as_str(),
            Resource::Cluster => panic!("it has no name"),
        };
        // the catalogue, by whatever name; and what was told last, before more is
        match (name, &self.part) {
            (PRODUCTS, Part::Apply | Part::Plan) => {}
            (PRODUCTS, _) => return self.read_log(PRODUCTS).await,
            ("mesh-log-reader", _) => return self.follow_log(PRODUCTS).await,
            // the newest entry of the audit is read by this name
            ("mesh-reader", Part::Apply | Part::Access | Part::Registry | Part::Audit) => {
                return self.follow_alone(AUDIT).await;
            }
            _ => {}
        }
        match (&self.part, resource) {
            (Part::Access, Resource::Topic(topic)) if topic == AUDIT => {
                self.read_log(topic).await?;
                self.append(topic).await
            }
            (Part::Apply, Resource::Topic(topic)) => self.keep(topic).await,
            (Part::Apply, Resource::TransactionalId(id)) => self.take_over(id).await,
            (Part::Plan, Resource::Topic(topic)) => self.look_at(topic).await,
            (Part::Registry, Resource::Topic(topic)) if topic == SCHEMAS => self.keep_schemas().await,
            (Part::Registry, Resource::TransactionalId(id)) => self.take_over(id).await,
            (Part::Registry, Resource::Topic(topic)) if topic == "mesh.audit" => {
                self.read_log(topic).await?;
                self.append(topic).await
            }
            (Part::Lineage, Resource::Topic(topic)) if topic == "mesh.lineage" => {
                self.read_log(topic).await?;
                self.append(topic).await
            }
            (Part::Audit, Resource::Topic(topic)) if topic == "mesh.audit" => {
                self.read_log(topic).await?;
                self.append(topic).await
            }
            (Part::Freshness, _) => self.watch(resource, name).await,
            (Part::Masking(domain), _) => self.mask(domain, resource, name).await,
            (Part::Feed(domain), _) => self.feed(domain, resource, name).await,
            _ => panic!("{:?} does nothing with {resource}: the rule is one too many", self.part),
        }
    }

    /// What those who keep rules, or look at them, do with the cluster itself.
    async fn with_cluster(&self) -> Result<bool, Error> {
        let admin = Admin::new(&self.settings)?;
        if self.part != Part::Plan {
            // rules come before the topics that they are about
            let name = format!("made-by-{}-{}", self.part.user(), Uuid::new_v4());
            let (principal, resource) = (self.part.principal(), Resource::Topic(name.clone()));
            let rule = [Acl { principal, resource, operation: Operation::Describe }].into();
            admin.grant(&rule).await?;
            let made = match self.part {
                Part::Apply => admin.create_topics(&[TopicSpec::new(&name)]).await.map(drop),
                _ => Ok(()),
            };
            self.operator.delete_topics(&[&name]).await.expect("the operator may");
            admin.revoke(&rule).await?;
            made?;
        }
        admin.rights().await?;
        let is_seen = admin.broker_settings().await?.is_some();
        Ok(is_seen || self.part == Part::Access)
    }

    /// What `mesh apply` does with a topic.
    async fn keep(&self, topic: &str) -> Result<(), Error> {
        self.look_at(topic).await?;
        let admin = Admin::new(&self.settings)?;
        let change = [("retention.ms".to_owned(), Some("86400000".to_owned()))].into();
        admin.change_settings(&[(topic.to_owned(), change)].into()).await?;
        match topic {
            PRODUCTS | AUDIT => {
                self.read_log(topic).await?;
                self.append(topic).await
            }
            "mesh.lineage" => self.append(topic).await,
            topic if topic.starts_with(KEPT) => {
                let partitions = self.operator.partitions(topic).await.expect("the operator may").expect("it is there");
                admin.add_partitions(topic, partitions + 1).await
            }
            _ => Ok(()),
        }
    }

    /// What `mesh plan` does with a topic.
    async fn look_at(&self, topic: &str) -> Result<(), Error> {
        let admin = Admin::new(&self.settings)?;
        admin.end_offsets(&[topic]).await?;
        admin.config(topic).await?;
        if topic == PRODUCTS { self.read_log(topic).await } else { Ok(()) }
    }

    async fn keep_schemas(&self) -> Result<(), Error> {
        let admin = Admin::new(&self.settings)?;
        if admin.partitions(SCHEMAS).await?.is_none() {
            admin.create_topics(&[TopicSpec::new(SCHEMAS)]).await?;
        }
        admin.config(SCHEMAS).await?;
        self.read_log(SCHEMAS).await?;
        self.append(SCHEMAS).await
    }

    async fn watch(&self, resource: &Resource, name: &str) -> Result<(), Error> {
        let admin = Admin::new(&self.settings)?;
        match resource {
            Resource::Topic(topic) if topic == "mesh.freshness" => {
                self.read_log(topic).await?;
                self.append(topic).await
            }
            Resource::Topic(topic) if topic == "mesh.heartbeats" => self.read_log(topic).await,
            Resource::Topic(topic) if topic == "mesh.lineage" => self.append(topic).await,
            Resource::Topic(topic) if topic.ends_with(".in") => admin.end_offsets(&[topic]).await.map(drop),
            Resource::Topic(view) => self.read_log(view).await,
            // tails are read by this name
            Resource::Group(group) if group == "mesh-reader" => self.follow_alone("crm.orders.v1").await,
            // its replicas take turns by this one
            Resource::Group(group) if group == "mesh.freshness" => self.join(group, "mesh.freshness").await,
            Resource::Group(group) => admin.group_offsets(group).await.map(drop),
            Resource::TransactionalId(_) => self.take_over(name).await,
            Resource::Cluster => panic!("it does nothing with the cluster"),
        }
    }

    async fn mask(&self, domain: &str, resource: &Resource, name: &str) -> Result<(), Error> {
        let group = format!("mesh.masking.{domain}");
        match resource {
            Resource::Topic(topic) if matches!(topic.as_str(), "mesh.audit" | "mesh.lineage") => {
                self.append(topic).await
            }
            Resource::Topic(input) if input.ends_with(".in") => self.join(&group, input).await,
            Resource::Topic(topic) => {
                let admin = Admin::new(&self.settings)?;
                admin.config(topic).await?;
                self.append(topic).await?;
                // a remask empties views, and no quarantine
                if topic.ends_with(".quarantine") {
                    return Ok(());
                }
                let ends = self.operator.end_offsets(&[topic]).await.expect("the operator may");
                admin.delete_records(&ends).await.map(drop)
            }
            Resource::Group(_) => self.join(name, &format!("{domain}.orders.v1.in")).await,
            Resource::TransactionalId(_) => self.take_over(name).await,
            Resource::Cluster => panic!("it does nothing with the cluster"),
        }
    }

    /// What feeds the first version of the domain's only product from the second.
    async fn feed(&self, domain: &str, resource: &Resource, name: &str) -> Result<(), Error> {
        let input = format!("{domain}.buyers.v2.in");
        match resource {
            Resource::Topic(topic) if topic == "mesh.lineage" => self.append(topic).await,
            Resource::Topic(topic) if *topic == input => self.join(&format!("mesh.feed.{domain}"), topic).await,
            Resource::Topic(topic) => {
                Admin::new(&self.settings)?.config(topic).await?;
                self.append(topic).await
            }
            Resource::Group(_) => self.join(name, &input).await,
            Resource::TransactionalId(_) => self.take_over(name).await,
            Resource::Cluster => panic!("it does nothing with the cluster"),
        }
    }

    async fn read_log(&self, topic: &str) -> Result<(), Error> {
        LogReader::open(&self.settings, topic).await?.read_to_end(|_| ()).await
    }

    /// Whether one may have the name that one reads by is told some time later.
    async fn follow_log(&self, topic: &str) -> Result<(), Error> {
        let mut reader = LogReader::open(&self.settings, topic).await?;
        reader.read_to_end(|_| ()).await?;
        match tokio::time::timeout(FOLLOWING, reader.next()).await {
            Ok(Err(error)) => Err(error),
            // nothing comes, and nothing is refused
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    }

    async fn follow_alone(&self, topic: &str) -> Result<(), Error> {
        let mut consumer = Consumer::assign(&self.settings, topic, &[(0, Start::End)])?;
        match tokio::time::timeout(FOLLOWING, consumer.next()).await {
            Ok(Err(error)) => Err(error),
            // nothing comes, and nothing is refused
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    }

    async fn join(&self, group: &str, topic: &str) -> Result<(), Error> {
        let mut consumer = Consumer::join(&self.settings, group, topic, Start::Beginning)?;
        let read = async {
            while consumer.next_until_end().await?.is_some() {}
            Ok(())
        };
        let outcome = read.await;
        consumer.close().await;
        outcome
    }

    async fn append(&self, topic: &str) -> Result<(), Error> {
        let record = OutgoingRecord::to(topic).key("somebody").value("something");
        LogWriter::new(&self.settings)?.append(record).await.map(drop)
    }

    async fn take_over(&self, transactional_id: &str) -> Result<(), Error> {
        FencedLogWriter::open(&self.settings, transactional_id).await.map(drop)
    }
}
