//! Who gains sight of which sensitive column, between two sets of contracts and groups. Pure.

use mesh_contract::Contract;
use mesh_contract::acl::{self, Acl, AclTable, Members, Resource, Sidecars};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use crate::columns::{Columns, Form, columns};

/// A product, as far as sight is concerned.
#[derive(Debug, Clone)]
pub struct Seen<'a> {
    /// Its contract.
    pub contract: &'a Contract,
    /// Its sensitive columns.
    pub columns: Columns,
}

impl<'a> Seen<'a> {
    /// The product of this contract and its schema.
    pub fn of(contract: &'a Contract, schema: &Value) -> Self {
        Self { contract, columns: columns(contract, schema) }
    }
}

/// What says who reads a view.
#[derive(Debug, Clone, Copy)]
pub enum Readers<'a> {
    /// Contracts alone: each group counts as one.
    Groups,
    /// Contracts, and who is in which group.
    Members(&'a Members),
    /// Kafka's rules, as they are or are to be.
    Rules(&'a AclTable),
}

/// Products, and who reads them.
#[derive(Debug, Clone, Copy)]
pub struct State<'a> {
    /// The products.
    pub products: &'a [Seen<'a>],
    /// Who reads them.
    pub readers: Readers<'a>,
}

/// Somebody sees more of a column than before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gain {
    /// The product and its major version: `crm.customers@1`.
    pub product: String,
    /// The column's path.
    pub column: String,
    /// Its class.
    pub class: String,
    /// In which form it is seen from now on.
    pub form: Form,
    /// In which forms the same people have seen it before; none: not at all.
    pub before: BTreeSet<Form>,
    /// The view that shows it.
    pub view: String,
    /// The groups that may read the view.
    pub groups: Vec<String>,
    /// Who reads it; none where only groups are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principals: Option<BTreeSet<String>>,
}

/// Somebody, a product and a column.
type Place = (String, String, String);

/// What each sees: by the view and the groups that give it.
type Sights = BTreeMap<Place, BTreeMap<Form, BTreeSet<(String, Vec<String>)>>>;

/// Who sees sensitive columns afterwards in a form that they did not see before. Whoever has seen all of it gains nothing by a mask.
///
/// A column that is sensitive no more is one that everybody sees who reads the product.
pub fn gains(before: &State<'_>, after: &State<'_>) -> Vec<Gain> {
    let classes = classes(before.products, after.products);
    let (was, is) = (sights(before, &classes), sights(after, &classes));
    let mut gains: BTreeMap<Gain, BTreeSet<String>> = BTreeMap::new();
    for ((who, product, column), forms) in is {
        let place = (who, product, column);
        let known: BTreeSet<Form> = was.get(&place).into_iter().flat_map(|forms| forms.keys().cloned()).collect();
        let (who, product, column) = place;
        let new = forms.into_iter().filter(|(form, _)| !known.contains(form) && !known.contains(&Form::Clear));
        for (form, ways) in new {
            let class = classes.get(&(product.clone(), column.clone())).cloned().unwrap_or_default();
            for (view, groups) in ways {
                let (product, column, class) = (product.clone(), column.clone(), class.clone());
                let (form, before) = (form.clone(), known.clone());
                let gain = Gain { product, column, class, form, before, view, groups, principals: None };
                gains.entry(gain).or_default().insert(who.clone());
            }
        }
    }
    let known = !matches!(after.readers, Readers::Groups);
    gains.into_iter().map(|(gain, who)| Gain { principals: known.then_some(who), ..gain }).collect()
}

fn name(contract: &Contract) -> String {
    format!("{}@{}", contract.product(), contract.version)
}

/// The columns that are sensitive before or after, with their classes.
fn classes(before: &[Seen<'_>], after: &[Seen<'_>]) -> BTreeMap<(String, String), String> {
    let of = |seen: &Seen<'_>| {
        let product = name(seen.contract);
        seen.columns
            .iter()
            .map(move |(path, column)| ((product.clone(), path.clone()), column.class.clone()))
            .collect::<Vec<_>>()
    };
    before.iter().chain(after).flat_map(of).collect()
}

fn sights(state: &State<'_>, classes: &BTreeMap<(String, String), String>) -> Sights {
    let mut sights = Sights::new();
    for seen in state.products {
        let product = name(seen.contract);
        let columns: Vec<&String> = classes.keys().filter(|(of, _)| *of == product).map(|(_, column)| column).collect();
        for (view, topic) in seen.contract.topics().views {
            let groups: Vec<String> = seen.contract.groups(&view).map(str::to_owned).collect();
            for who in state.readers.of(seen.contract, &groups, &topic) {
                for column in &columns {
                    let views = seen.columns.get(*column).map(|column| &column.views);
                    // what is not sensitive is seen as it is
                    let form = views.map_or(Some(Form::Clear), |views| views.get(&view).cloned());
                    let Some(form) = form else { continue };
                    let place = (who.clone(), product.clone(), (*column).clone());
                    let ways = sights.entry(place).or_default().entry(form).or_default();
                    let by = if let Readers::Groups = state.readers { vec![who.clone()] } else { groups.clone() };
                    ways.insert((view.clone(), by));
                }
            }
        }
    }
    sights
}

impl Readers<'_> {
    /// Who reads a view, that these groups may read.
    fn of(&self, contract: &Contract, groups: &[String], topic: &str) -> BTreeSet<String> {
        match self {
            Self::Groups => groups.iter().cloned().collect(),
            Self::Members(members) => groups.iter().filter_map(|group| members.get(group)).flatten().cloned().collect(),
            Self::Rules(table) => {
                let topic = Resource::Topic(topic.to_owned());
                let parts = acl::product(contract, &[], &Members::new(), &Sidecars::default());
                let reads = |acl: &&Acl| acl.operation.is_reading() && acl.resource == topic && !parts.contains(*acl);
                table.iter().filter(reads).map(|acl| acl.principal.clone()).collect()
            }
        }
    }
}

impl std::fmt::Display for Gain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Gain { product, column, form, view, groups, .. } = self;
        match &self.principals {
            Some(principals) => {
                let names: Vec<&str> = principals.iter().map(String::as_str).collect();
                write!(f, "{} ", names.join(", "))?;
            }
            None => write!(f, "{} ", named(groups))?,
        }
        let count = self.principals.as_ref().map_or(groups.len(), BTreeSet::len);
        let verb = if count > 1 { "see" } else { "sees" };
        write!(f, "{verb} {column} of {product}: {form}")?;
        if !self.before.is_empty() {
            let before: Vec<String> = self.before.iter().map(ToString::to_string).collect();
            write!(f, " (before: {})", before.join(", "))?;
        }
        match (&self.principals, groups.is_empty()) {
            (Some(_), false) => write!(f, ", by {} in view {view}", named(groups)),
            (Some(_), true) => write!(f, ", in view {view}, which no group may read"),
            (None, _) => write!(f, ", in view {view}"),
        }
    }
}

/// `group analysts`, `groups analysts, auditors`
fn named(groups: &[String]) -> String {
    format!("group{} {}", if groups.len() == 1 { "" } else { "s" }, groups.join(", "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use mesh_contract::acl::Operation;
    use mesh_contract::parse_contract;

    const CUSTOMERS: &str = include_str!("../../../topics/crm/customers.yaml");
    const SCHEMA: &str = include_str!("../../../schemas/crm/customer.avsc");

    fn contract(text: &str) -> Contract {
        parse_contract("topics/crm/customers.yaml", text).unwrap().value
    }

    fn members(of: &[(&str, &[&str])]) -> Members {
        let names = |names: &[&str]| names.iter().map(|name| format!("User:{name}")).collect();
        of.iter().map(|(group, people)| ((*group).to_owned(), names(people))).collect()
    }

    /// What is gained from the example's contract to a changed one.
    fn gained(change: impl Fn(&str) -> String, before: Option<&Members>, after: Option<&Members>) -> String {
        let (old, new) = (contract(CUSTOMERS), contract(&change(CUSTOMERS)));
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let (old, new) = ([Seen::of(&old, &schema)], [Seen::of(&new, &schema)]);
        let state = |products, members: Option<_>| State {
            products,
            readers: members.map_or(Readers::Groups, Readers::Members),
        };
        gains(&state(&old, before), &state(&new, after)).iter().map(|gain| format!("{gain}\n")).collect()
    }

    #[test]
    fn nothing_is_gained_where_nothing_changes_or_a_rule_is_tightened_for_those_who_saw_all() {
        let members = members(&[("analysts", &["ana"]), ("crm-stewards", &["stan"])]);
        assert_eq!(gained(str::to_owned, Some(&members), Some(&members)), "");
        let withdrawn = gained(
            |text| text.replace("support: { clear: [phone] }", "support: { clear: [full_name] }"),
            Some(&members),
            Some(&members),
        );
        assert_eq!(withdrawn, "", "nobody is in the group");
    }

    #[test]
    fn a_view_that_shows_more_a_new_member_and_a_column_that_is_sensitive_no_more_are_told() {
        let was = members(&[("analysts", &["ana"]), ("crm-support", &["sue"])]);
        let now = members(&[("analysts", &["ana", "bob"]), ("crm-support", &["sue", "ana"])]);
        let more = |text: &str| text.replace("support: { clear: [phone] }", "support: { clear: [phone, email] }");
        insta::assert_snapshot!(gained(more, Some(&was), Some(&was)), @"User:sue sees email of crm.customers@1: clear (before: hash), by group crm-support in view support");
        let text = gained(str::to_owned, Some(&was), Some(&now));
        assert!(text.contains("User:ana sees phone of crm.customers@1: clear (before: keep_last: 4), by group crm-support in view support"), "{text}");
        assert!(
            text.contains("User:bob sees email of crm.customers@1: hash, by group analysts in view masked"),
            "{text}"
        );
        assert!(!text.contains("User:ana sees email"), "{text}");
    }

    #[test]
    fn a_column_that_is_sensitive_no_more_is_seen_by_everybody_who_reads_the_product() {
        let line = CUSTOMERS.lines().find(|line| line.contains("column: birth_date")).unwrap();
        let (old, new) = (contract(CUSTOMERS), contract(&CUSTOMERS.replace(&format!("{line}\n"), "")));
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let silent =
            serde_json::from_str(&SCHEMA.replace("\"mesh.class\": \"pii.birth\"", "\"mesh.sensitive\": false"))
                .unwrap();
        let people = members(&[("analysts", &["ana", "bob"]), ("crm-stewards", &["stan"])]);
        let (old, new) = ([Seen::of(&old, &schema)], [Seen::of(&new, &silent)]);
        let readers = Readers::Members(&people);
        let gains = gains(&State { products: &old, readers }, &State { products: &new, readers });
        let gains: Vec<String> = gains.iter().map(ToString::to_string).collect();
        assert_eq!(
            gains,
            [
                "User:ana, User:bob see birth_date of crm.customers@1: clear (before: generalise: year), by group analysts in view masked"
            ]
        );
    }

    #[test]
    fn without_members_groups_are_told() {
        let more = |text: &str| text.replace("{ group: analysts }", "{ group: analysts, view: stewards }");
        let text = gained(more, None, None);
        assert!(
            text.contains("group analysts sees email of crm.customers@1: clear (before: hash), in view stewards\n"),
            "{text}"
        );
    }

    #[test]
    fn rules_say_who_reads_whatever_groups_say_and_parts_of_the_backbone_are_nobody() {
        let contract = contract(CUSTOMERS);
        let products = [Seen::of(&contract, &serde_json::from_str(SCHEMA).unwrap())];
        let table = acl::product(&contract, &[], &members(&[("analysts", &["ana"])]), &Sidecars::default());
        let mut more = table.clone();
        let resource = Resource::Topic("crm.customers.v1.support".to_owned());
        more.insert(Acl { principal: "User:ana".to_owned(), resource, operation: Operation::Read });
        let state = |table| State { products: &products, readers: Readers::Rules(table) };
        let gains = gains(&state(&table), &state(&more));
        let gains: Vec<String> = gains.iter().map(ToString::to_string).collect();
        assert_eq!(
            gains,
            [
                "User:ana sees phone of crm.customers@1: clear (before: keep_last: 4), by group crm-support in view support"
            ]
        );
    }
}
