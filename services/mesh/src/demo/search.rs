//! The search for canaries: every byte of every topic, against what each view grants.

use super::canary::{Canary, Perch};
use aho_corasick::AhoCorasick;
use mesh_contract::{Clear, Contract};
use std::collections::{BTreeMap, BTreeSet};

/// Which part of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Key,
    Value,
    Header,
}

impl Part {
    /// What a person reads in the report.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Value => "value",
            Self::Header => "header",
        }
    }
}

/// What may be seen where.
#[derive(Debug)]
enum Rule {
    /// A product's input port: private to its domain.
    Private,
    /// A view of `product`.
    View { product: String, clear: Clear },
}

/// What every topic may show. A topic that is not known here may show nothing.
#[derive(Debug, Default)]
pub struct Grants(BTreeMap<String, Rule>);

impl Grants {
    /// The grants of these contracts.
    pub fn of<'a>(contracts: impl IntoIterator<Item = &'a Contract>) -> Self {
        let mut grants = Self::default();
        for contract in contracts {
            let (product, topics) = (contract.product().to_string(), contract.topics());
            grants.0.insert(topics.input, Rule::Private);
            for (view, topic) in topics.views {
                let clear = contract.views.get(&view).map_or(Clear::Named(Vec::new()), |view| view.clear.clone());
                grants.0.insert(topic, Rule::View { product: product.clone(), clear });
            }
        }
        grants
    }

    /// Whether the topic needs no search.
    pub fn is_private(&self, topic: &str) -> bool {
        matches!(self.0.get(topic), Some(Rule::Private))
    }

    /// Whether `topic` may show what stands at `perch`.
    pub fn allow(&self, topic: &str, perch: &Perch) -> bool {
        match (self.0.get(topic), perch) {
            (Some(Rule::Private), _) => true,
            (Some(Rule::View { product: viewed, clear }), Perch::Column { product, column, class }) => {
                viewed == product && clears(clear, column, class)
            }
            _ => false,
        }
    }

    /// Whether `topic` may show a column's values.
    pub fn allow_column(&self, topic: &str, product: &'static str, column: &'static str, class: &'static str) -> bool {
        self.allow(topic, &Perch::Column { product, column, class })
    }
}

fn clears(clear: &Clear, column: &str, class: &str) -> bool {
    match clear {
        Clear::All => true,
        Clear::Named(names) => names.iter().any(|name| name == column || name == class),
    }
}

/// A canary that was seen where it must not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    pub topic: String,
    pub part: Part,
    /// Where the canary stood.
    pub perch: String,
    /// Which canary: its place in the list of all. The value itself is not repeated.
    pub canary: usize,
}

/// Searches records, and remembers what leaked and what was found where it may be.
#[derive(Debug)]
pub struct Search<'a> {
    canaries: &'a [Canary],
    grants: &'a Grants,
    matcher: AhoCorasick,
    leaks: BTreeSet<Leak>,
    granted: BTreeSet<(String, usize)>,
    records: u64,
    bytes: u64,
}

impl<'a> Search<'a> {
    /// A search for these canaries.
    ///
    /// # Errors
    /// There are too many canaries to search for.
    pub fn new(canaries: &'a [Canary], grants: &'a Grants) -> Result<Self, aho_corasick::BuildError> {
        let matcher = AhoCorasick::new(canaries.iter().map(|canary| &canary.value))?;
        Ok(Self { canaries, grants, matcher, leaks: BTreeSet::new(), granted: BTreeSet::new(), records: 0, bytes: 0 })
    }

    /// Searches one record, part by part.
    pub fn record<'r>(&mut self, topic: &str, parts: impl IntoIterator<Item = (Part, &'r [u8])>) {
        self.records += 1;
        for (part, bytes) in parts {
            self.bytes += bytes.len() as u64;
            self.part(topic, part, bytes);
        }
    }

    fn part(&mut self, topic: &str, part: Part, bytes: &[u8]) {
        for found in self.matcher.find_iter(bytes) {
            let canary = found.pattern().as_usize();
            let perch = &self.canaries[canary].perch;
            if self.grants.allow(topic, perch) {
                self.granted.insert((topic.to_owned(), canary));
            } else {
                self.leaks.insert(Leak { topic: topic.to_owned(), part, perch: perch.describe(), canary });
            }
        }
    }

    /// What leaked.
    pub fn leaks(&self) -> &BTreeSet<Leak> {
        &self.leaks
    }

    /// How many canaries were found where a view grants them: that the search finds what is there.
    pub fn granted(&self) -> usize {
        self.granted.len()
    }

    /// How many records and bytes were searched.
    pub fn searched(&self) -> (u64, u64) {
        (self.records, self.bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const EMAIL: Perch = Perch::Column { product: "crm.customers", column: "email", class: "pii.contact" };
    const PHONE: Perch = Perch::Column { product: "crm.customers", column: "phone", class: "pii.contact" };
    const HEADER: Perch = Perch::Header { product: "crm.customers" };
    const REFUSED: Perch = Perch::Refused { product: "crm.customers" };

    fn view(clear: Clear) -> Rule {
        Rule::View { product: "crm.customers".into(), clear }
    }

    fn grants() -> Grants {
        let named = |names: &[&str]| Clear::Named(names.iter().map(|name| (*name).to_owned()).collect());
        Grants(BTreeMap::from([
            ("in".to_owned(), Rule::Private),
            ("masked".to_owned(), view(named(&[]))),
            ("support".to_owned(), view(named(&["phone"]))),
            ("contacts".to_owned(), view(named(&["pii.contact"]))),
            ("parents".to_owned(), view(named(&["pii"]))),
            ("stewards".to_owned(), view(Clear::All)),
            ("other".to_owned(), Rule::View { product: "crm.orders".into(), clear: Clear::All }),
        ]))
    }

    #[test]
    fn a_view_shows_what_it_clears_and_nothing_else() {
        let grants = grants();
        let seen = |topic| [EMAIL, PHONE, HEADER, REFUSED].map(|perch| grants.allow(topic, &perch));
        assert_eq!(seen("in"), [true; 4]);
        assert_eq!(seen("masked"), [false; 4]);
        assert_eq!(seen("support"), [false, true, false, false]);
        assert_eq!(seen("contacts"), [true, true, false, false]);
        assert_eq!(seen("parents"), [false; 4], "a class is not what begins like it");
        assert_eq!(seen("stewards"), [true, true, false, false], "not even stewards see headers or refused records");
        assert_eq!(seen("other"), [false; 4], "a grant of one product opens no other");
        assert_eq!(seen("mesh.lineage"), [false; 4], "a topic that no contract names may show nothing");
    }

    #[test]
    fn canaries_are_found_in_keys_values_and_headers() {
        let canaries = [EMAIL, PHONE, HEADER]
            .into_iter()
            .enumerate()
            .map(|(number, perch)| Canary { value: format!("canary-{number}"), perch })
            .collect::<Vec<_>>();
        let grants = grants();
        let mut search = Search::new(&canaries, &grants).unwrap();
        search.record("support", [(Part::Key, &b"k"[..]), (Part::Value, b"..canary-1..")]);
        assert!(search.leaks().is_empty(), "granted");
        assert_eq!(search.granted(), 1);
        search.record("support", [(Part::Value, &b"\x00canary-0\xff"[..]), (Part::Header, b"canary-2")]);
        search.record("support", [(Part::Value, &b"canary-0"[..])]);
        search.record("masked", [(Part::Key, &b"canary-1"[..])]);
        let leaks: Vec<String> = search
            .leaks()
            .iter()
            .map(|leak| format!("{} {} {}", leak.topic, leak.part.describe(), leak.perch))
            .collect();
        assert_eq!(
            leaks,
            [
                "masked key crm.customers phone",
                "support value crm.customers email",
                "support header a header of crm.customers"
            ]
        );
        assert_eq!(search.searched(), (4, 47));
    }
}
