//! Who may do what at Kafka, as the contracts say: what is missing is granted, and what no contract says any more of a product's
//! topics is taken back. On a cluster that asks nobody who they are there is nothing to do.

use crate::failure::Failure;
use crate::groups;
use crate::output;
use crate::platform::MaskingOptions;
use crate::tree::WorkingTree;
use mesh_contract::acl::{self, Acl, AclTable, Members, Part, Resource, Sidecars, TopicRule};
use mesh_contract::topic::{feed_group, masking_group};
use mesh_directory::Directory;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What rules are made of besides the contracts.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct RightsOptions {
    /// Who is in which access group, on a cluster that asks who one is: its access rules are then kept as the contracts say. A file
    /// of groups, or of the settings of an LDAP directory [default: groups.yaml beside topics/; without it the rules are left as they are]
    #[arg(long, value_name = "FILE", env = "MESH_GROUPS")]
    pub groups: Option<PathBuf>,
    /// Leave the cluster's access rules as they are
    #[arg(long)]
    pub leave_access: bool,
    /// Somebody of whom it is known that their rules reach into products (prefixes, any topic, single hosts, refusals), such as
    /// User:mirror: these are told, and are no difference; may be repeated
    #[arg(long, value_name = "PRINCIPAL")]
    pub accept_rules_of: Vec<String>,
    /// The name of a masking sidecar's replica, whose transactional ids are allowed; may be repeated [default: 0]
    #[arg(long, value_name = "NAME")]
    pub sidecar_replica: Vec<String>,
    /// How many threads each of them has for a domain
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub sidecar_tasks: usize,
    /// Whether the cluster is this process's own, whose rules are kept even if it is not known who is in which group.
    #[arg(skip)]
    pub own_cluster: bool,
}

/// The rules that the contracts of a tree ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// All of them, the backbone's own included.
    pub table: AclTable,
    /// Whether it is known who is in which group: if not, what members may read is left as it is.
    pub members_known: bool,
    /// Whose rules of other forms than the mesh's are no difference.
    pub accepted: BTreeSet<String>,
    topics: BTreeSet<String>,
    domains: BTreeSet<String>,
}

impl Wanted {
    /// What follows from a tree and who is in which group.
    pub fn of(tree: &WorkingTree, members: Option<&Members>, sidecars: &Sidecars) -> Self {
        let (none, mut table, mut topics) = (Members::new(), acl::backbone(), BTreeSet::new());
        if tree.domains.iter().any(|domain| !domain.value.quotas.is_empty()) {
            table.extend(acl::quotas());
        }
        for product in &tree.products {
            let contract = &product.contract.value;
            let domain = tree.domains.iter().find(|domain| domain.value.domain == contract.owner);
            let producers = domain.map(|domain| domain.value.producers.as_slice()).unwrap_or_default();
            table.extend(acl::product(contract, producers, members.unwrap_or(&none), sidecars));
            topics.extend(contract.topics().all().map(str::to_owned));
        }
        let domains = tree.products.iter().map(|product| product.contract.value.owner.clone()).collect();
        Self { table, members_known: members.is_some(), accepted: BTreeSet::new(), topics, domains }
    }

    /// What the mesh's own topics, groups and ids admit that no contract says. An answer that is not known is not believed to be
    /// "nobody".
    pub(super) fn stale(&self, found: &AclTable) -> AclTable {
        let extra = found.difference(&self.table).filter(|acl| self.owns(acl));
        extra.filter(|_| self.members_known).cloned().collect()
    }

    /// Whether a rule is one that is wanted, or about what is the mesh's own.
    pub(super) fn concerns(&self, acl: &Acl) -> bool {
        self.owns(acl) || self.table.contains(acl)
    }

    /// The topics of products that a rule of whatever form is about.
    pub(super) fn covered<'s>(&'s self, rule: &TopicRule) -> Vec<&'s str> {
        self.topics.iter().map(String::as_str).filter(|topic| rule.covers(topic)).collect()
    }

    /// Whether a rule is about what only contracts of this tree give away: a product's topic, or what a domain's sidecars and feeds
    /// read and write as. Which replicas these are, other applies may know.
    fn owns(&self, acl: &Acl) -> bool {
        match &acl.resource {
            Resource::Topic(topic) => self.topics.contains(topic),
            Resource::Group(group) => self.names().any(|(_, name)| name == *group),
            Resource::TransactionalId(id) => self.names().any(|(part, name)| {
                let is_of = id.strip_prefix(&name).is_some_and(|rest| rest.starts_with('.'));
                is_of && acl.principal != part.principal()
            }),
            Resource::Cluster => false,
        }
    }

    /// What reads domains' input ports, each with its group, with which its transactional ids begin.
    fn names(&self) -> impl Iterator<Item = (Part, String)> {
        self.domains.iter().flat_map(|domain| {
            [(Part::Masking(domain.clone()), masking_group(domain)), (Part::Feed(domain.clone()), feed_group(domain))]
        })
    }
}

impl RightsOptions {
    /// What says who is in which group; none if nothing does.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn directory(&self, root: &Path) -> Result<Option<Arc<dyn Directory>>, Failure> {
        let usual = root.join(groups::FILE);
        let file = self.groups.clone().or_else(|| usual.exists().then_some(usual));
        file.map(|file| groups::open(&file)).transpose()
    }

    /// These, for a sidecar of this process besides the named ones.
    #[must_use]
    pub fn with_sidecar(mut self, masking: &MaskingOptions) -> Self {
        if !self.sidecar_replica.contains(&masking.replica) {
            self.sidecar_replica.push(masking.replica.clone());
        }
        self.sidecar_tasks = self.sidecar_tasks.max(masking.tasks);
        self
    }

    /// The replicas whose transactional ids are allowed.
    pub fn sidecars(&self) -> Sidecars {
        let mut sidecars = Sidecars { tasks: self.sidecar_tasks.max(1), ..Sidecars::default() };
        if !self.sidecar_replica.is_empty() {
            sidecars.replicas.clone_from(&self.sidecar_replica);
        }
        sidecars
    }

    /// What follows from a tree; none if the rules are to be left as they are.
    ///
    /// # Errors
    /// The file of groups cannot be used.
    pub fn wanted(&self, tree: &WorkingTree, root: &Path) -> Result<Option<Wanted>, Failure> {
        if self.leave_access {
            return Ok(None);
        }
        let directory = self.directory(root)?;
        let members = directory.map(|directory| groups::members(&*directory, &groups_of(tree))).transpose()?;
        if members.is_none() && !self.own_cluster {
            return Ok(None);
        }
        if let Some(members) = &members {
            tell_unknown(tree, members);
        }
        let accepted = self.accept_rules_of.iter().cloned().collect();
        Ok(Some(Wanted { accepted, ..Wanted::of(tree, members.as_ref(), &self.sidecars()) }))
    }
}

/// The groups that contracts grant anything to.
fn groups_of(tree: &WorkingTree) -> BTreeSet<String> {
    let granted = tree.products.iter().flat_map(|product| &product.contract.value.access_group);
    granted.map(|grant| grant.group.clone()).collect()
}

/// A group that nobody is known to be in may be misspelt.
fn tell_unknown(tree: &WorkingTree, members: &Members) {
    for group in groups_of(tree).iter().filter(|group| !members.contains_key(*group)) {
        output::talk(&format!("warning: nobody is known to be in the group {group}, so nobody reads by it"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_contract::acl::Operation;

    fn rule(user: &str, operation: Operation, resource: Resource) -> Acl {
        Acl { principal: format!("User:{user}"), resource, operation }
    }

    fn group(user: &str, name: &str) -> Acl {
        rule(user, Operation::Read, Resource::Group(name.to_owned()))
    }

    fn id(user: &str, name: &str) -> Acl {
        rule(user, Operation::Write, Resource::TransactionalId(name.to_owned()))
    }

    #[test]
    fn strangers_lose_what_sidecars_and_feeds_read_and_write_as() {
        let domains = BTreeSet::from(["crm".to_owned()]);
        let (table, accepted, topics) = (AclTable::new(), BTreeSet::new(), BTreeSet::new());
        let wanted = Wanted { table, members_known: true, accepted, topics, domains };
        for (duty, other) in [("masking", "feed"), ("feed", "masking")] {
            let name = format!("mesh.{duty}.crm");
            let taken = AclTable::from([
                group("eve", &name),
                id("eve", &format!("{name}.0.0")),
                id(&format!("mesh-{other}-crm"), &format!("{name}.b.0")),
            ]);
            let left = AclTable::from([
                // a replica that another apply knows
                id(&format!("mesh-{duty}-crm"), &format!("{name}.b.0")),
                // what is only called alike
                group("eve", &format!("{name}2")),
                id("eve", &format!("{name}2.0.0")),
                id("eve", &name),
            ]);
            assert_eq!(wanted.stale(&taken.union(&left).cloned().collect()), taken, "{duty}");
        }
    }
}
