//! Denials, as Kafka's `StandardAuthorizer` logs them (`kafka.authorizer.logger`), counted together.

use std::collections::BTreeMap;

use serde::Serialize;

/// So many different denials are told at once: a request's size is bounded.
pub(crate) const DENIALS_MAX: usize = 500;
/// A longer part of a line is cut: names are anybody's.
const PART_MAX: usize = 256;

/// Who was denied what, from where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Denial {
    pub(crate) principal: String,
    pub(crate) host: String,
    /// As in access rules: `Read`, `DescribeConfigs`.
    pub(crate) operation: String,
    /// As in access rules: `topic crm.customers.v1.in`.
    pub(crate) resource: String,
    /// The protocol's request: `Fetch`.
    pub(crate) request: String,
}

/// How often, and when its lines were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Count {
    pub(crate) count: u64,
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Somebody was denied something.
    Denied(Denial),
    /// It begins as such a line does, and does not go on so.
    Unreadable,
    /// Something else.
    Other,
}

impl Line {
    /// Reads a line. What stands in it was chosen by clients in part: nothing of it is taken for more than a name.
    pub(crate) fn read(line: &str) -> Line {
        let Some((_, said)) = line.split_once("Principal = ") else { return Line::Other };
        // a principal may have any letters: what follows it is looked for from behind
        let Some((said, _rule)) = said.rsplit_once(" based on rule ") else { return Line::Unreadable };
        let parts = [" with resourceRefCount = ", " for request = ", " on resource = ", " from host = "];
        let mut found = Vec::with_capacity(parts.len());
        let mut rest = said;
        for part in parts {
            let Some((before, value)) = rest.rsplit_once(part) else { return Line::Unreadable };
            found.push(value);
            rest = before;
        }
        let [_count, request, resource, host] = found[..] else { return Line::Unreadable };
        match (rest.rsplit_once(" is Denied operation = "), rest.rsplit_once(" is Allowed operation = ")) {
            (Some((principal, operation)), _) => Line::Denied(Denial {
                principal: cut(principal),
                host: cut(host),
                operation: cut(&operation_name(operation)),
                resource: cut(&resource_name(resource)),
                request: cut(&capitalised(request)),
            }),
            (None, Some(_)) => Line::Other,
            (None, None) => Line::Unreadable,
        }
    }
}

/// `DESCRIBE_CONFIGS` is `DescribeConfigs`.
fn operation_name(operation: &str) -> String {
    operation.split('_').map(|word| capitalised(&word.to_lowercase())).collect()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().iter().flat_map(|letter| letter.to_uppercase()).chain(letters).collect()
}

/// `Topic:LITERAL:crm.customers.v1` is `topic crm.customers.v1`.
fn resource_name(resource: &str) -> String {
    let mut parts = resource.splitn(3, ':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("Topic"), Some(_), Some(name)) => format!("topic {name}"),
        (Some("Group"), Some(_), Some(name)) => format!("group {name}"),
        (Some("TransactionalId"), Some(_), Some(name)) => format!("transactional id {name}"),
        (Some("Cluster"), Some(_), Some(_)) => "the cluster".to_owned(),
        _ => resource.to_owned(),
    }
}

fn cut(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '?' } else { letter }).take(PART_MAX).collect()
}

/// Denials of an interval.
#[derive(Debug, Default)]
pub(crate) struct Denials(BTreeMap<Denial, Count>);

impl Denials {
    /// Counts one. There is room as long as [`Denials::is_full`] says no.
    pub(crate) fn add(&mut self, denial: Denial, now_ms: i64) {
        let count = self.0.entry(denial).or_insert(Count { count: 0, first_ms: now_ms, last_ms: now_ms });
        count.count += 1;
        count.last_ms = now_ms;
    }

    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= DENIALS_MAX
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.values().map(|count| count.count).sum()
    }

    /// Each with its count, as it is told.
    pub(crate) fn told(&self) -> Vec<impl Serialize> {
        #[derive(Serialize)]
        struct Told {
            #[serde(flatten)]
            denial: Denial,
            #[serde(flatten)]
            count: Count,
        }
        self.0.iter().map(|(denial, count)| Told { denial: denial.clone(), count: *count }).collect()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    const LINE: &str = "[2026-11-23 16:00:00,123] INFO Principal = User:web-analyst is Denied operation = READ from host = 127.0.0.1 \
        on resource = Topic:LITERAL:crm.customers.v1.in for request = Fetch with resourceRefCount = 1 based on rule DefaultDeny (kafka.authorizer.logger)";

    fn denial(line: &str) -> Denial {
        match Line::read(line) {
            Line::Denied(denial) => denial,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_denial_is_who_what_where_from() {
        let found = denial(LINE);
        assert_eq!(found.principal, "User:web-analyst");
        assert_eq!((found.operation.as_str(), found.resource.as_str()), ("Read", "topic crm.customers.v1.in"));
        assert_eq!((found.host.as_str(), found.request.as_str()), ("127.0.0.1", "Fetch"));
    }

    #[test]
    fn other_resources_and_operations_are_named_as_rules_name_them() {
        let of = |what: &str, operation: &str| {
            let line = LINE.replace("Topic:LITERAL:crm.customers.v1.in", what).replace("READ", operation);
            let found = denial(&line);
            format!("{} {}", found.operation, found.resource)
        };
        assert_eq!(of("Cluster:LITERAL:kafka-cluster", "IDEMPOTENT_WRITE"), "IdempotentWrite the cluster");
        assert_eq!(of("TransactionalId:LITERAL:mesh.apply", "WRITE"), "Write transactional id mesh.apply");
        assert_eq!(of("Group:LITERAL:a:b", "READ"), "Read group a:b");
    }

    #[test]
    fn a_principal_that_looks_like_a_line_is_a_principal() {
        let evil = "User:x is Denied operation = READ from host = 1.2.3.4 on resource = Topic:LITERAL:innocent for request = Fetch";
        let found = denial(&LINE.replace("User:web-analyst", evil));
        assert_eq!((found.principal.as_str(), found.resource.as_str()), (evil, "topic crm.customers.v1.in"));
    }

    #[test]
    fn what_is_allowed_or_no_such_line_is_nothing() {
        assert_eq!(Line::read(&LINE.replace("Denied", "Allowed")), Line::Other);
        assert_eq!(Line::read("INFO starting"), Line::Other);
        assert_eq!(Line::read("Principal = User:x is Denied operation = READ"), Line::Unreadable);
    }

    #[test]
    fn the_same_denial_is_counted() {
        let mut denials = Denials::default();
        (0..3).for_each(|ms| denials.add(denial(LINE), ms));
        insta::assert_snapshot!(serde_json::to_string(&denials.told()).unwrap(), @r#"[{"principal":"User:web-analyst","host":"127.0.0.1","operation":"Read","resource":"topic crm.customers.v1.in","request":"Fetch","count":3,"first_ms":0,"last_ms":2}]"#);
        assert_eq!(denials.total(), 3);
    }

    proptest! {
        #[test]
        fn any_line_is_read(line in ".{0,300}") {
            let _ = Line::read(&line);
            let _ = Line::read(&format!("Principal = {line} based on rule x"));
        }
    }
}
