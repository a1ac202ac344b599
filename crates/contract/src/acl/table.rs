//! The table itself: the backbone's own rules, and those of a product.

use super::{Acl, AclTable, Members, Operation, Part, Resource, Sidecars};
use crate::contract::Contract;
use crate::topic::{
    AUDIT_TOPIC, FRESHNESS_TOPIC, HEARTBEATS_TOPIC, LINEAGE_TOPIC, PRODUCTS_TOPIC, RESERVED_DOMAIN, SCHEMAS_TOPIC,
    feed_group, masking_group,
};
use crate::view::Clear;
use Operation::{Alter, AlterConfigs, Create, Delete, Describe, DescribeConfigs, Read, Write};

/// The names that clients of the mesh have where they read on their own, without a group: they are asked for by name all the same,
/// and hold nothing. By this one logs are read.
const LOG_READER: &str = "mesh-log-reader";
/// And by this one stretches of ports, and what groups have committed.
const READER: &str = "mesh-reader";

/// What `mesh apply` keeps besides the products' topics.
pub const CONTROL_TOPICS: [&str; 5] = [PRODUCTS_TOPIC, HEARTBEATS_TOPIC, LINEAGE_TOPIC, FRESHNESS_TOPIC, AUDIT_TOPIC];

/// Rules being gathered for one principal.
struct Grants<'a> {
    principal: &'a str,
    table: &'a mut AclTable,
}

impl Grants<'_> {
    fn topic(&mut self, topic: &str, operations: &[Operation]) -> &mut Self {
        self.all(&Resource::Topic(topic.to_owned()), operations)
    }

    fn group(&mut self, group: &str, operation: Operation) -> &mut Self {
        self.all(&Resource::Group(group.to_owned()), &[operation])
    }

    fn transactional_id(&mut self, id: String) -> &mut Self {
        self.all(&Resource::TransactionalId(id), &[Write])
    }

    /// The catalogue is for everybody in the mesh, and no secret.
    fn catalogue(&mut self) -> &mut Self {
        self.group(LOG_READER, Describe).topic(PRODUCTS_TOPIC, &[Read])
    }

    fn all(&mut self, resource: &Resource, operations: &[Operation]) -> &mut Self {
        self.table.extend(operations.iter().map(|operation| Acl {
            principal: self.principal.to_owned(),
            resource: resource.clone(),
            operation: *operation,
        }));
        self
    }
}

/// What the parts of the backbone need, and nothing that this includes (Alter includes Describe, AlterConfigs DescribeConfigs), whatever the products are. The sidecars' rules are those of their products.
pub fn backbone() -> AclTable {
    let mut table = AclTable::new();
    let mut part = |part: Part, grant: fn(&mut Grants<'_>)| {
        grant(Grants { principal: &part.principal(), table: &mut table }.catalogue());
    };
    part(Part::Registry, |grants| {
        grants.topic(SCHEMAS_TOPIC, &[Create, DescribeConfigs, Read, Write]);
        grants.transactional_id(format!("mesh.registry.{SCHEMAS_TOPIC}"));
        // what it refuses goes on record, behind the newest entry there
        grants.topic(AUDIT_TOPIC, &[Read, Write]).group(READER, Describe);
    });
    part(Part::Freshness, |grants| {
        grants.topic(HEARTBEATS_TOPIC, &[Read]).topic(FRESHNESS_TOPIC, &[Read, Write]);
        grants.topic(LINEAGE_TOPIC, &[Write]);
        grants.group(READER, Describe);
        // its replicas take turns
        grants.group(FRESHNESS_TOPIC, Read).transactional_id(FRESHNESS_TOPIC.to_owned());
    });
    part(Part::Lineage, |grants| {
        grants.topic(LINEAGE_TOPIC, &[Read, Write]);
    });
    part(Part::Audit, |grants| {
        // it follows the log, and looks for the newest entry before it writes
        grants.topic(AUDIT_TOPIC, &[Read, Write]).group(READER, Describe);
    });
    part(Part::Apply, |grants| {
        // whoever makes the rules can make them for itself: it is to be guarded as an operator is
        grants.all(&Resource::Cluster, &[Create, Alter, DescribeConfigs]);
        grants.topic(PRODUCTS_TOPIC, &[Write]).transactional_id("mesh.apply".to_owned()).group(READER, Describe);
        grants.topic(LINEAGE_TOPIC, &[Write]).topic(AUDIT_TOPIC, &[Read, Write]);
        grants.topic(HEARTBEATS_TOPIC, &[Describe]).topic(FRESHNESS_TOPIC, &[Describe]);
        for topic in CONTROL_TOPICS {
            grants.topic(topic, &[AlterConfigs]);
        }
    });
    part(Part::Plan, |grants| {
        grants.all(&Resource::Cluster, &[Describe, DescribeConfigs]);
        for topic in CONTROL_TOPICS {
            grants.topic(topic, &[DescribeConfigs]);
        }
        // the catalogue is read
        for topic in CONTROL_TOPICS.into_iter().filter(|topic| *topic != PRODUCTS_TOPIC) {
            grants.topic(topic, &[Describe]);
        }
    });
    part(Part::Access, |grants| {
        // as strong as the operator, for the same reason
        grants.all(&Resource::Cluster, &[Alter]).topic(AUDIT_TOPIC, &[Read, Write]);
        grants.group(READER, Describe);
    });
    table
}

/// What `mesh apply` needs besides where a domain says what principals may take.
pub fn quotas() -> AclTable {
    let mut table = AclTable::new();
    Grants { principal: &Part::Apply.principal(), table: &mut table }.all(&Resource::Cluster, &[AlterConfigs]);
    table
}

/// What follows from a product's contract: its producers write the input port, its domain's sidecars read it and write the
/// rest, each group reads its views, those who see all in clear also the quarantine, and nobody else anything.
pub fn product(contract: &Contract, producers: &[String], members: &Members, sidecars: &Sidecars) -> AclTable {
    let mut table = AclTable::new();
    let topics = contract.topics();
    // what is fed has one writer: two would mix what one of them put in order
    for principal in producers.iter().filter(|_| contract.fed_by.is_none()) {
        let mut grants = Grants { principal, table: &mut table };
        grants.catalogue().topic(&topics.input, &[Write]);
        grants.topic(HEARTBEATS_TOPIC, &[Write]).topic(LINEAGE_TOPIC, &[Write]);
    }
    masking(contract, sidecars, &mut table);
    feeding(contract, sidecars, &mut table);
    services(contract, &mut table);
    table.extend(readers(contract, members));
    table
}

/// The members' part of a product's rules: each group reads its views, those who see all in clear also the quarantine. What a
/// directory says decides over these rules, and over no others.
pub fn readers(contract: &Contract, members: &Members) -> AclTable {
    let (mut table, topics) = (AclTable::new(), contract.topics());
    for grant in &contract.access_group {
        for principal in members.get(&grant.group).into_iter().flatten() {
            let mut grants = Grants { principal, table: &mut table };
            if let Some(view) = topics.view(&grant.view) {
                grants.topic(view, &[Read]);
            }
            if sees_all(contract, &grant.view) {
                grants.topic(&topics.quarantine, &[Read]);
            }
            // a consumer group of one's own name, unless that is one of the backbone's
            let group = principal.trim_start_matches("User:");
            let is_own = !group.starts_with(RESERVED_DOMAIN);
            if is_own {
                grants.group(group, Read);
            }
            // who reads tells lineage so
            grants.catalogue().group(READER, Describe).topic(LINEAGE_TOPIC, &[Write]);
            if is_own {
                // how far behind its subscribers are is freshness
                Grants { principal: &Part::Freshness.principal(), table: &mut table }.group(group, Describe);
            }
        }
    }
    table
}

/// Whether a view shows in clear whatever the quarantine could hold.
fn sees_all(contract: &Contract, view: &str) -> bool {
    contract.views.get(view).is_some_and(|view| view.clear == Clear::All)
}

fn masking(contract: &Contract, sidecars: &Sidecars, table: &mut AclTable) {
    let (topics, domain) = (contract.topics(), &contract.owner);
    let principal = Part::Masking(domain.clone()).principal();
    let mut grants = Grants { principal: &principal, table };
    grants.catalogue().topic(&topics.input, &[Read]);
    for (_, view) in &topics.views {
        // a remask empties them
        grants.topic(view, &[Write, Delete, DescribeConfigs]);
    }
    grants.topic(&topics.quarantine, &[Write, DescribeConfigs]);
    grants.topic(AUDIT_TOPIC, &[Write]).topic(LINEAGE_TOPIC, &[Write]);
    grants.group(&masking_group(domain), Read);
    for replica in &sidecars.replicas {
        for task in 0..sidecars.tasks {
            grants.transactional_id(format!("{}.{replica}.{task}", masking_group(domain)));
        }
    }
}

/// What feeds the version from another: input port to input port.
fn feeding(contract: &Contract, sidecars: &Sidecars, table: &mut AclTable) {
    let (Some(from), topics, domain) = (contract.fed_from(), contract.topics(), &contract.owner) else { return };
    let principal = Part::Feed(domain.clone()).principal();
    let mut grants = Grants { principal: &principal, table };
    grants.catalogue().topic(&from, &[Read]).topic(LINEAGE_TOPIC, &[Write]);
    for output in [&topics.input, &topics.quarantine] {
        grants.topic(output, &[Write, DescribeConfigs]);
    }
    grants.group(&feed_group(domain), Read);
    for replica in &sidecars.replicas {
        for task in 0..sidecars.tasks {
            grants.transactional_id(format!("{}.{replica}.{task}", feed_group(domain)));
        }
    }
}

fn services(contract: &Contract, table: &mut AclTable) {
    let topics = contract.topics();
    let principal = Part::Freshness.principal();
    let mut freshness = Grants { principal: &principal, table };
    for (_, view) in &topics.views {
        freshness.topic(view, &[Read]);
    }
    freshness.topic(&topics.input, &[Describe]).group(&masking_group(&contract.owner), Describe);
    let principal = Part::Apply.principal();
    let mut apply = Grants { principal: &principal, table };
    for topic in topics.all() {
        apply.topic(topic, &[Alter, AlterConfigs]);
    }
    let principal = Part::Plan.principal();
    let mut plan = Grants { principal: &principal, table };
    for topic in topics.all() {
        plan.topic(topic, &[Describe, DescribeConfigs]);
    }
}
