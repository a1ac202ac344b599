//! Who may do what: access rules, and users with passwords.

mod native;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use mesh_contract::acl::{Acl, AclTable, Operation, Resource, TopicRule};
use rdkafka::client::Client;
use rdkafka::error::RDKafkaErrorCode as Code;
use uuid::Uuid;

use super::{Admin, REQUEST_TIMEOUT};
use crate::Error;
use crate::blocking::run as blocking;
use crate::context::LogContext;
use native::{Kind, NativeOperation, Pattern, Permission, Refusal, Rule};

/// The one name that the cluster has as a resource.
const CLUSTER: &str = "kafka-cluster";
const ANY_HOST: &str = "*";

/// The rules that a cluster has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// Those of the mesh's form: one principal may do one thing with what has one literal name, from any host.
    pub table: AclTable,
    /// All others: prefixes, refusals, hosts.
    pub others: BTreeSet<Foreign>,
    /// Who may change rules, and so may do everything.
    pub administrators: BTreeSet<String>,
}

/// A rule that is not of the mesh's form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Foreign {
    /// In words.
    pub words: String,
    /// What it says of topics, if it is about those.
    pub topics: Option<TopicRule>,
}

impl Rights {
    /// All rules on topics, of whatever form.
    pub fn topic_rules(&self) -> BTreeSet<TopicRule> {
        let foreign = self.others.iter().filter_map(|foreign| foreign.topics.clone());
        self.table.iter().filter_map(TopicRule::of).chain(foreign).collect()
    }
}

impl Admin {
    /// The cluster's rules; none if it asks nobody who they are. Wants the right to describe the cluster.
    pub async fn rights(&self) -> Result<Option<Rights>, Error> {
        let shared = self.shared.clone();
        let operation = format!("read the access rules at {}", shared.settings.bootstrap());
        blocking(move || {
            let client = shared.client.inner();
            let described = native::describe(client, &any(), REQUEST_TIMEOUT);
            match described.and_then(|rules| believed(client, rules)) {
                Ok(rules) => Ok(Some(sort(&rules))),
                Err(refusal) if refusal.code == Code::SecurityDisabled => Ok(None),
                Err(refusal) => Err(failed(operation, refusal)),
            }
        })
        .await
    }

    /// Adds rules; those that are there stay. They hold when this returns, at the broker that was asked.
    pub async fn grant(&self, table: &AclTable) -> Result<(), Error> {
        if table.is_empty() {
            return Ok(());
        }
        let rules: Vec<Rule> = table.iter().map(rule).collect();
        let (shared, table) = (self.shared.clone(), table.clone());
        let operation = format!("add {} access rules at {}", rules.len(), shared.settings.bootstrap());
        blocking(move || {
            let client = shared.client.inner();
            native::create(client, &rules, REQUEST_TIMEOUT)
                .and_then(|()| wait(client, &table))
                .map_err(|refusal| failed(operation, refusal))
        })
        .await
    }

    /// Removes rules; those that are not there are no error.
    pub async fn revoke(&self, table: &AclTable) -> Result<(), Error> {
        if table.is_empty() {
            return Ok(());
        }
        let rules: Vec<Rule> = table.iter().map(rule).collect();
        let shared = self.shared.clone();
        let operation = format!("remove {} access rules at {}", rules.len(), shared.settings.bootstrap());
        blocking(move || {
            native::delete(shared.client.inner(), &rules, REQUEST_TIMEOUT).map_err(|refusal| failed(operation, refusal))
        })
        .await
    }

    /// Lets a user in by this password (SCRAM-SHA-512), and by no other from now on.
    pub async fn set_password(&self, user: &str, password: &str) -> Result<(), Error> {
        let shared = self.shared.clone();
        let operation = format!("set the password of {user} at {}", shared.settings.bootstrap());
        let (user, password) = (user.to_owned(), password.to_owned());
        blocking(move || {
            native::set_password(shared.client.inner(), &user, &password, REQUEST_TIMEOUT)
                .map_err(|refusal| failed(operation, refusal))
        })
        .await
    }
}

/// librdkafka takes a refusal to describe rules for an empty answer, so that an empty one is believed of whoever may describe them. A
/// cluster that asks nobody allows everything and refuses to describe, too: that it has no rules, it says to whoever removes one.
fn believed(client: &Client<LogContext>, rules: Vec<Rule>) -> Result<Vec<Rule>, Refusal> {
    if !rules.is_empty() {
        return Ok(rules);
    }
    let allowed = super::native::on_cluster(client, REQUEST_TIMEOUT);
    let said = || "who may not describe the cluster is told no rules".to_owned();
    match allowed {
        Ok(allowed) if allowed.contains(&native_of(Operation::Alter)) => {
            native::delete(client, &[nothing()], REQUEST_TIMEOUT).map(|()| rules)
        }
        Ok(allowed) if allowed.contains(&native_of(Operation::Describe)) => Ok(rules),
        Ok(_) => Err(Refusal { code: Code::ClusterAuthorizationFailed, said: said() }),
        Err(code) => Err(Refusal { code, said: "what one may do with the cluster was not told".to_owned() }),
    }
}

/// A filter that no rule matches: nobody has such a name.
fn nothing() -> Rule {
    let nobody = format!("User:nobody-{}", Uuid::new_v4());
    Rule { principal: Some(nobody), pattern: Pattern::RD_KAFKA_RESOURCE_PATTERN_LITERAL, ..any() }
}

/// The controller has taken the rules; waits until the broker that decides has heard of them.
fn wait(client: &Client<LogContext>, table: &AclTable) -> Result<(), Refusal> {
    let started = Instant::now();
    while !table.is_subset(&sort(&native::describe(client, &any(), REQUEST_TIMEOUT)?).table) {
        if started.elapsed() > REQUEST_TIMEOUT {
            return Err(Refusal {
                code: Code::OperationTimedOut,
                said: "they were taken, but do not hold yet".to_owned(),
            });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn failed(operation: String, refusal: Refusal) -> Error {
    Error::answered(operation, refusal.code, refusal.said)
}

fn any() -> Rule {
    Rule {
        kind: Kind::RD_KAFKA_RESOURCE_ANY,
        name: None,
        pattern: Pattern::RD_KAFKA_RESOURCE_PATTERN_ANY,
        principal: None,
        host: None,
        operation: NativeOperation::RD_KAFKA_ACL_OPERATION_ANY,
        permission: Permission::RD_KAFKA_ACL_PERMISSION_TYPE_ANY,
    }
}

fn rule(acl: &Acl) -> Rule {
    let (kind, name) = match &acl.resource {
        Resource::Cluster => (Kind::RD_KAFKA_RESOURCE_BROKER, CLUSTER),
        Resource::Topic(name) => (Kind::RD_KAFKA_RESOURCE_TOPIC, name.as_str()),
        Resource::Group(name) => (Kind::RD_KAFKA_RESOURCE_GROUP, name.as_str()),
        Resource::TransactionalId(name) => (Kind::RD_KAFKA_RESOURCE_TRANSACTIONAL_ID, name.as_str()),
    };
    Rule {
        kind,
        name: Some(name.to_owned()),
        pattern: Pattern::RD_KAFKA_RESOURCE_PATTERN_LITERAL,
        principal: Some(acl.principal.clone()),
        host: Some(ANY_HOST.to_owned()),
        operation: native_of(acl.operation),
        permission: Permission::RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW,
    }
}

fn sort(rules: &[Rule]) -> Rights {
    let mut rights = Rights::default();
    for rule in rules {
        match acl(rule) {
            Some(acl) => drop(rights.table.insert(acl)),
            None => drop(rights.others.insert(Foreign { words: words(rule), topics: topic_rule(rule) })),
        }
    }
    let administrators = rules.iter().filter(|rule| is_administration(rule));
    rights.administrators = administrators.filter_map(|rule| rule.principal.clone()).collect();
    rights
}

/// Whether a rule lets somebody change rules, from wherever.
fn is_administration(rule: &Rule) -> bool {
    rule.kind == Kind::RD_KAFKA_RESOURCE_BROKER
        && rule.permission == Permission::RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW
        && matches!(operation_of(rule.operation), Some(Operation::Alter | Operation::All))
}

/// A rule of Kafka's as one of the mesh's, if it has that form.
fn acl(rule: &Rule) -> Option<Acl> {
    let plain = rule.pattern == Pattern::RD_KAFKA_RESOURCE_PATTERN_LITERAL
        && rule.permission == Permission::RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW
        && rule.host.as_deref() == Some(ANY_HOST);
    let name = rule.name.clone().filter(|name| plain && name != "*")?;
    let resource = match rule.kind {
        Kind::RD_KAFKA_RESOURCE_BROKER => Resource::Cluster,
        Kind::RD_KAFKA_RESOURCE_TOPIC => Resource::Topic(name),
        Kind::RD_KAFKA_RESOURCE_GROUP => Resource::Group(name),
        Kind::RD_KAFKA_RESOURCE_TRANSACTIONAL_ID => Resource::TransactionalId(name),
        _ => return None,
    };
    let operation = operation_of(rule.operation)?;
    Some(Acl { principal: rule.principal.clone()?, resource, operation })
}

/// A rule on topics of whatever form; none of other things, or of operations that topics do not have.
fn topic_rule(rule: &Rule) -> Option<TopicRule> {
    let operation = operation_of(rule.operation).filter(|_| rule.kind == Kind::RD_KAFKA_RESOURCE_TOPIC)?;
    Some(TopicRule {
        principal: rule.principal.clone()?,
        operation: Some(operation).filter(|operation| *operation != Operation::All),
        name: rule.name.clone()?,
        prefixed: rule.pattern == Pattern::RD_KAFKA_RESOURCE_PATTERN_PREFIXED,
        host: rule.host.clone()?,
        allows: rule.permission == Permission::RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW,
    })
}

fn words(rule: &Rule) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
    let enumerated = |name: String, prefix: &str| name.trim_start_matches(prefix).to_lowercase();
    format!(
        "{} {} {} {} {} from {}",
        enumerated(format!("{:?}", rule.permission), "RD_KAFKA_ACL_PERMISSION_TYPE_"),
        text(&rule.principal),
        enumerated(format!("{:?}", rule.operation), "RD_KAFKA_ACL_OPERATION_"),
        enumerated(format!("{:?} {:?}", rule.pattern, rule.kind), "RD_KAFKA_RESOURCE_PATTERN_"),
        text(&rule.name),
        text(&rule.host)
    )
    .replace("rd_kafka_resource_", "")
}

/// One of Kafka's operations, if the mesh has a word for it.
pub(super) fn operation_of(native: NativeOperation) -> Option<Operation> {
    Operation::ALL.into_iter().chain([Operation::All]).find(|operation| native_of(*operation) == native)
}

fn native_of(operation: Operation) -> NativeOperation {
    match operation {
        Operation::Describe => NativeOperation::RD_KAFKA_ACL_OPERATION_DESCRIBE,
        Operation::DescribeConfigs => NativeOperation::RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS,
        Operation::Read => NativeOperation::RD_KAFKA_ACL_OPERATION_READ,
        Operation::Write => NativeOperation::RD_KAFKA_ACL_OPERATION_WRITE,
        Operation::Create => NativeOperation::RD_KAFKA_ACL_OPERATION_CREATE,
        Operation::Delete => NativeOperation::RD_KAFKA_ACL_OPERATION_DELETE,
        Operation::Alter => NativeOperation::RD_KAFKA_ACL_OPERATION_ALTER,
        Operation::AlterConfigs => NativeOperation::RD_KAFKA_ACL_OPERATION_ALTER_CONFIGS,
        Operation::All => NativeOperation::RD_KAFKA_ACL_OPERATION_ALL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acls() -> Vec<Acl> {
        let resources = [
            Resource::Cluster,
            Resource::Topic("crm.customers.v1".to_owned()),
            Resource::Group("ana".to_owned()),
            Resource::TransactionalId("mesh.apply".to_owned()),
        ];
        let each = |resource: &Resource, operation| Acl {
            principal: "User:ana".to_owned(),
            resource: resource.clone(),
            operation,
        };
        let operations = Operation::ALL.into_iter().chain([Operation::All]);
        operations.flat_map(|operation| resources.clone().map(|resource| each(&resource, operation))).collect()
    }

    fn ours() -> Rule {
        let resource = Resource::Topic("crm.customers.v1".to_owned());
        rule(&Acl { principal: "User:ana".to_owned(), resource, operation: Operation::DescribeConfigs })
    }

    #[test]
    fn rules_are_read_as_they_were_written() {
        for wanted in acls() {
            assert_eq!(acl(&rule(&wanted)), Some(wanted));
        }
    }

    #[test]
    fn rules_on_topics_are_read_in_whatever_form_they_are() {
        let ours = ours();
        let all = Rule { operation: NativeOperation::RD_KAFKA_ACL_OPERATION_ALL, ..ours.clone() };
        let prefixed = Rule { pattern: Pattern::RD_KAFKA_RESOURCE_PATTERN_PREFIXED, ..all };
        let found = topic_rule(&prefixed).map(|rule| rule.to_string());
        assert_eq!(found.as_deref(), Some("User:ana may do anything with topics that begin with crm.customers.v1"));
        let denied = Rule { permission: Permission::RD_KAFKA_ACL_PERMISSION_TYPE_DENY, ..ours.clone() };
        assert!(topic_rule(&denied).is_some_and(|rule| !rule.allows));
        assert_eq!(topic_rule(&ours).and_then(|rule| rule.plain()), acl(&ours));
        assert!(acls().iter().filter(|acl| topic_rule(&rule(acl)).is_some()).count() == Operation::ALL.len() + 1);
    }

    #[test]
    fn rules_of_another_form_are_told_in_words_and_not_taken_for_ours() {
        let ours = ours();
        let others = [
            Rule { pattern: Pattern::RD_KAFKA_RESOURCE_PATTERN_PREFIXED, ..ours.clone() },
            Rule { permission: Permission::RD_KAFKA_ACL_PERMISSION_TYPE_DENY, ..ours.clone() },
            Rule { host: Some("10.0.0.1".to_owned()), ..ours.clone() },
            Rule { name: Some("*".to_owned()), ..ours },
        ];
        let rights = sort(&others);
        assert!(rights.table.is_empty());
        assert_eq!(rights.others.len(), others.len());
        let words: Vec<&str> = rights.others.iter().map(|foreign| foreign.words.as_str()).collect();
        let prefixed = "allow User:ana describe_configs prefixed topic crm.customers.v1 from *";
        assert!(words.contains(&prefixed), "{words:?}");
        assert_eq!(rights.topic_rules().len(), others.len());
    }

    #[test]
    fn whoever_may_change_rules_is_told() {
        let on_cluster =
            |user: &str, operation| Acl { principal: format!("User:{user}"), resource: Resource::Cluster, operation };
        let ana = Rule { host: Some("10.0.0.1".to_owned()), ..rule(&on_cluster("ana", Operation::All)) };
        let eve = rule(&on_cluster("eve", Operation::Alter));
        let refused = Permission::RD_KAFKA_ACL_PERMISSION_TYPE_DENY;
        let rules = [ana, Rule { permission: refused, ..rule(&on_cluster("bob", Operation::Alter)) }, eve];
        let rules = [rules.as_slice(), &[rule(&on_cluster("carl", Operation::Create)), ours()]].concat();
        assert_eq!(sort(&rules).administrators, ["User:ana", "User:eve"].map(str::to_owned).into());
    }
}
