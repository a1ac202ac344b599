//! The topics that matter and are there, with their settings.

use crate::apply::{principal, refused, scope::Scope};
use crate::failure::Failure;
use mesh_contract::acl::{AclTable, Operation, Resource};
use mesh_kafka::Settings;
use mesh_kafka::admin::{Admin, ClusterState, Rights, TopicState};
use std::collections::{BTreeMap, BTreeSet};

/// By topic what one may do with it.
pub(super) type Allowed = BTreeMap<String, BTreeSet<Operation>>;

/// # Errors
/// Kafka cannot be reached, or does not show their settings: nobody could tell what differs. Where the plan itself is to give the rule
/// for that, the topic is without settings for now, so that a rule that was taken from us is mended like any other.
pub(super) async fn look(
    kafka: &Settings,
    admin: &Admin,
    (cluster, there): (&ClusterState, &[&str]),
    (scope, rights): (&Scope, Option<&Rights>),
) -> Result<(BTreeMap<String, TopicState>, Allowed), Failure> {
    let failed = |error| refused("cannot look at the cluster", error);
    let names: Vec<String> = there.iter().map(ToString::to_string).collect();
    let allowed = admin.allowed_on_topics(&names).await.map_err(failed)?;
    let given = given(scope, rights, principal(kafka).as_deref());
    let is_shown =
        |topic: &str| allowed.get(topic).is_some_and(|allowed| allowed.contains(&Operation::DescribeConfigs));
    let (waiting, shown): (Vec<&str>, Vec<&str>) =
        there.iter().copied().partition(|topic| given.contains(*topic) && !is_shown(topic));
    let mut topics = admin.describe(cluster, &shown).await.map_err(failed)?;
    topics.extend(waiting.into_iter().map(|topic| {
        let (partitions, replication) = cluster.topics.get(topic).copied().unwrap_or_default();
        (topic.to_owned(), TopicState { partitions, replication, ..TopicState::default() })
    }));
    Ok((topics, allowed))
}

/// The topics whose settings one will see by rules that are wanted and are not there.
fn given(scope: &Scope, rights: Option<&Rights>, principal: Option<&str>) -> BTreeSet<String> {
    let (Some(wanted), Some(rights), Some(principal)) = (&scope.rights, rights, principal) else {
        return BTreeSet::new();
    };
    missing(&wanted.table, &rights.table, principal)
}

fn missing(wanted: &AclTable, found: &AclTable, principal: &str) -> BTreeSet<String> {
    let own = wanted.iter().filter(|acl| acl.principal == principal && !found.contains(acl));
    let shows = |operation| matches!(operation, Operation::DescribeConfigs | Operation::AlterConfigs);
    own.filter(|acl| shows(acl.operation))
        .filter_map(|acl| match &acl.resource {
            Resource::Topic(topic) => Some(topic.clone()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_contract::acl::Acl;

    fn rule(principal: &str, topic: &str, operation: Operation) -> Acl {
        Acl { principal: principal.to_owned(), resource: Resource::Topic(topic.to_owned()), operation }
    }

    #[test]
    fn only_rules_of_ones_own_that_show_settings_and_are_not_there_are_waited_for() {
        let found = rule("User:mesh-plan", "there", Operation::DescribeConfigs);
        let wanted = AclTable::from([
            found.clone(),
            rule("User:mesh-plan", "asked", Operation::DescribeConfigs),
            rule("User:mesh-plan", "kept", Operation::AlterConfigs),
            rule("User:mesh-plan", "listed", Operation::Describe),
            rule("User:mesh-apply", "another's", Operation::AlterConfigs),
        ]);
        let missing = missing(&wanted, &AclTable::from([found]), "User:mesh-plan");
        assert_eq!(missing, ["asked".to_owned(), "kept".to_owned()].into());
    }
}
