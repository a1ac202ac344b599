//! The unified language: a word has one meaning, a class one owner, and references lead somewhere.

use std::collections::{BTreeMap, BTreeSet};

use super::{Tree, folders};
use crate::domain::{Domain, Term, TermRef, term_form};
use crate::finding::{Finding, Place};
use crate::places::Declared;
use crate::{rules, suggest};

pub(super) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    let mut domains: Vec<&Declared<Domain>> = tree.domains.iter().collect();
    domains.sort_by_key(|domain| domain.places.file());
    check_terms(tree, &domains, findings);
    let owners = check_classes(tree, &domains, findings);
    check_class_use(tree, &owners, findings);
}

fn check_terms(tree: &Tree, domains: &[&Declared<Domain>], findings: &mut Vec<Finding>) {
    let mut meanings: BTreeMap<String, Place> = BTreeMap::new();
    for domain in domains {
        for (word, term) in &domain.value.terms {
            let place = domain.places.at(&format!("terms.{word}"));
            match term {
                Term::Refers(reference) => findings.extend(dangling(tree, reference, place)),
                Term::Defined(_) => match meanings.get(&term_form(word)) {
                    None => {
                        meanings.insert(term_form(word), place);
                    }
                    Some(first) => {
                        let message = format!("`{word}` already has a meaning: {first}");
                        findings.push(Finding::error(rules::TERM_DUPLICATE, place, message));
                    }
                },
            }
        }
    }
}

/// What is wrong with a reference to a term that stands elsewhere.
pub(super) fn check_reference(tree: &Tree, reference: &str, place: Place) -> Option<Finding> {
    match reference.parse::<TermRef>() {
        Ok(reference) => dangling(tree, &reference, place),
        Err(error) => Some(Finding::error(rules::TERM_UNKNOWN, place, error.to_string())),
    }
}

fn dangling(tree: &Tree, reference: &TermRef, place: Place) -> Option<Finding> {
    if folders::broken_domains(tree).any(|domain| domain == reference.domain) {
        return None;
    }
    let nothing = |hint| Some(Finding::error(rules::TERM_UNKNOWN, place, unknown_term(reference)).maybe_hint(hint));
    let Some(domain) = tree.domains.iter().find(|domain| domain.value.domain == reference.domain) else {
        return nothing(suggest::hint(&reference.domain, folders::domain_names(tree)));
    };
    let terms = &domain.value.terms;
    let meant = terms.iter().find(|(word, _)| term_form(word) == term_form(&reference.term));
    match meant {
        Some((_, Term::Defined(_))) => None,
        Some((_, Term::Refers(owner))) => nothing(Some(format!("`{owner}` is where the word is defined"))),
        None => nothing(suggest::hint(&reference.term, terms.keys().map(String::as_str))),
    }
}

fn unknown_term(reference: &TermRef) -> String {
    format!("`{reference}` is not a term: the domain `{}` does not define `{}`", reference.domain, reference.term)
}

/// A class's owner and the domains it is granted to.
struct Owner<'t> {
    domain: &'t Declared<Domain>,
    grants: BTreeSet<&'t str>,
}

fn check_classes<'t>(
    tree: &'t Tree,
    domains: &[&'t Declared<Domain>],
    findings: &mut Vec<Finding>,
) -> BTreeMap<&'t str, Owner<'t>> {
    let known = folders::domain_names(tree);
    let mut owners: BTreeMap<&str, Owner<'_>> = BTreeMap::new();
    for domain in domains {
        for (class, granted) in &domain.value.classes {
            let path = format!("classes.{class}");
            if let Some(owner) = owners.get(class.as_str()) {
                let message = format!("the class `{class}` already belongs to `{}`", owner.domain.value.domain);
                findings.push(Finding::error(rules::CLASS_DUPLICATE, domain.places.at(&path), message));
                continue;
            }
            for (index, grant) in granted.grants.iter().enumerate().filter(|(_, to)| !known.contains(to.as_str())) {
                let place = domain.places.at(&format!("{path}.grants[{index}]"));
                let message = format!("there is no domain `{grant}`");
                let hint = suggest::hint(grant, known.iter().copied());
                findings.push(Finding::error(rules::DOMAIN_UNKNOWN, place, message).maybe_hint(hint));
            }
            owners.insert(class, Owner { domain, grants: granted.grants.iter().map(String::as_str).collect() });
        }
    }
    owners
}

/// A class that no domain declares is free for all.
fn check_class_use(tree: &Tree, owners: &BTreeMap<&str, Owner<'_>>, findings: &mut Vec<Finding>) {
    for contract in &tree.contracts {
        let user = contract.value.owner.as_str();
        for (index, sensitive) in contract.value.sensitive_columns.iter().enumerate() {
            let Some(owner) = owners.get(sensitive.class.as_str()) else { continue };
            let owning = owner.domain.value.domain.as_str();
            if owning == user || owner.grants.contains(user) {
                continue;
            }
            let class = &sensitive.class;
            let message = format!("`{owning}` owns the class `{class}` and has not granted it to `{user}`");
            let hint = format!("ask `{owning}` to add `{user}` to its grants in {}", owner.domain.places.file());
            let place = contract.places.at(&format!("sensitive_columns[{index}].class"));
            findings.push(Finding::error(rules::CLASS_NOT_GRANTED, place, message).hint(hint));
        }
    }
}
