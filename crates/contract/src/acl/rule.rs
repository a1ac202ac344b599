//! Rules on topics of whatever form Kafka has them: prefixes, wildcards, refusals, single hosts.

use super::{Acl, Operation, Resource};
use serde::Serialize;
use std::fmt;

/// Whoever it is: a principal of Kafka's rules.
const EVERYBODY: &str = "User:*";
/// Whatever it is called, and wherever from.
const ANY: &str = "*";

/// A rule on topics.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct TopicRule {
    /// Whom it is about; `User:*` is everybody.
    pub principal: String,
    /// What it is about; none: everything.
    pub operation: Option<Operation>,
    /// The topic's name, the beginning of it, or `*`.
    pub name: String,
    /// Whether the name is the beginning of one.
    pub prefixed: bool,
    /// From where; `*` is anywhere.
    pub host: String,
    /// Whether it allows; otherwise it refuses, whatever else allows.
    pub allows: bool,
}

impl TopicRule {
    /// Whether it is about this topic.
    pub fn covers(&self, topic: &str) -> bool {
        match self.prefixed {
            true => topic.starts_with(&self.name),
            false => self.name == ANY || self.name == topic,
        }
    }

    /// Whether it is about this principal.
    pub fn concerns(&self, principal: &str) -> bool {
        self.principal == principal || self.principal == EVERYBODY
    }

    /// Whether it decides over this operation. What allows more allows describing, too; what refuses describing refuses only that.
    pub fn decides(&self, operation: Operation) -> bool {
        use Operation::{Alter, AlterConfigs, Delete, Describe, DescribeConfigs, Read, Write};
        let implied: &[Operation] = match operation {
            Describe => &[Read, Write, Delete, Alter],
            DescribeConfigs => &[AlterConfigs],
            _ => &[],
        };
        self.operation.is_none_or(|of| of == operation || (self.allows && implied.contains(&of)))
    }

    /// Whether it holds from anywhere.
    pub fn is_anywhere(&self) -> bool {
        self.host == ANY
    }

    /// One of the mesh's own rules, if it is about a topic.
    pub fn of(acl: &Acl) -> Option<TopicRule> {
        let Resource::Topic(name) = &acl.resource else { return None };
        let operation = Some(acl.operation).filter(|operation| *operation != Operation::All);
        let (principal, host) = (acl.principal.clone(), ANY.to_owned());
        Some(TopicRule { principal, operation, name: name.clone(), prefixed: false, host, allows: true })
    }

    /// The same as one of the mesh's own rules, if it has that form.
    pub fn plain(&self) -> Option<Acl> {
        self.literal().filter(|_| self.is_anywhere())
    }

    /// One of the mesh's own rules that allows this and maybe more, from other hosts, if there is one.
    pub fn literal(&self) -> Option<Acl> {
        let is_literal = self.allows && !self.prefixed && self.name != ANY;
        let (principal, resource) = (self.principal.clone(), Resource::Topic(self.name.clone()));
        is_literal.then(|| Acl { principal, resource, operation: self.operation.unwrap_or(Operation::All) })
    }
}

impl fmt::Display for TopicRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.allows { "may" } else { "must not" };
        let operation = self.operation.map_or("do anything with", Operation::name);
        write!(f, "{} {verb} {operation} ", self.principal)?;
        match (self.prefixed, self.name.as_str()) {
            (true, name) => write!(f, "topics that begin with {name}")?,
            (false, ANY) => f.write_str("any topic")?,
            (false, name) => write!(f, "topic {name}")?,
        }
        if self.is_anywhere() { Ok(()) } else { write!(f, " from {}", self.host) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, prefixed: bool) -> TopicRule {
        let (principal, host) = ("User:ana".to_owned(), ANY.to_owned());
        TopicRule { principal, operation: Some(Operation::Read), name: name.to_owned(), prefixed, host, allows: true }
    }

    #[test]
    fn names_prefixes_and_wildcards_cover_what_kafka_says_they_do() {
        assert!(rule("crm.customers.v1", false).covers("crm.customers.v1"));
        assert!(!rule("crm.customers.v1", false).covers("crm.customers.v10"));
        assert!(rule("crm.customers.v1", true).covers("crm.customers.v10"));
        assert!(rule("crm", true).covers("crm2.customers.v1"));
        assert!(rule("*", false).covers("crm.customers.v1") && !rule("*", true).covers("crm.customers.v1"));
    }

    #[test]
    fn what_allows_more_allows_describing_and_a_refusal_only_what_it_says() {
        let allowed = rule("a", false);
        let refused = TopicRule { allows: false, ..allowed.clone() };
        assert!(allowed.decides(Operation::Describe) && !allowed.decides(Operation::Write));
        assert!(!refused.decides(Operation::Describe) && refused.decides(Operation::Read));
        assert!(TopicRule { operation: None, ..refused }.decides(Operation::Describe));
    }

    #[test]
    fn only_plain_rules_are_the_meshs_own() {
        let plain = rule("a", false);
        let all = TopicRule { operation: None, ..plain.clone() };
        for plain in [&plain, &all] {
            assert_eq!(plain.plain().as_ref().and_then(TopicRule::of).as_ref(), Some(plain));
        }
        assert_eq!(all.plain().map(|acl| acl.to_string()), Some(all.to_string()));
        let host = TopicRule { host: "10.0.0.1".to_owned(), ..plain.clone() };
        let others = [rule("a", true), rule("*", false), TopicRule { allows: false, ..plain.clone() }, host];
        assert!(others.iter().all(|rule| rule.plain().is_none()));
        assert_eq!(others[3].literal(), plain.plain());
        assert!(others[..3].iter().all(|rule| rule.literal().is_none()));
        assert_eq!(others[3].to_string(), "User:ana may Read topic a from 10.0.0.1");
        assert_eq!(others[2].to_string(), "User:ana must not Read topic a");
    }
}
