//! A domain's keys.

use std::collections::BTreeMap;

use super::contract::{collect, refuse_reserved};
use super::reader::{At, Reader, shown};
use super::{keys, maintenance, quotas};
use crate::domain::{ClassGrants, Domain, Team, Term, is_term};
use crate::topic::RESERVED_DOMAIN;
use crate::yaml::Mark;
use crate::{class, rules};

/// Reads a domain.
pub(super) fn read(reader: &mut Reader, root: At<'_>) -> Option<Domain> {
    let fields = reader.fields(&root, &keys::DOMAIN)?;
    let domain = fields.get("domain").and_then(|at| {
        let name = reader.name(&at)?;
        refuse_reserved(reader, at.node.mark, &name, "domain", &[RESERVED_DOMAIN])?;
        Some(name)
    });
    let description = fields.get("description").and_then(|at| reader.text(&at));
    let team = fields.get("team").and_then(|at| team(reader, at));
    let producers = fields.or(reader, "producers", Vec::new(), producers);
    let actors = fields.or(reader, "actors", Vec::new(), actors);
    let terms = fields.or(reader, "terms", BTreeMap::new(), terms);
    let classes = fields.or(reader, "classes", BTreeMap::new(), classes);
    let maintenance = fields.or(reader, "maintenance", Vec::new(), maintenance::read);
    let quotas = fields.or(reader, "quotas", BTreeMap::new(), quotas::read);
    Some(Domain {
        domain: domain?,
        description: description?,
        team: team?,
        producers: producers?,
        actors: actors?,
        terms: terms?,
        classes: classes?,
        maintenance: maintenance?,
        quotas: quotas?,
    })
}

fn team(reader: &mut Reader, at: At<'_>) -> Option<Team> {
    let fields = reader.fields(&at, &keys::TEAM)?;
    let name = fields.get("name").and_then(|at| reader.text(&at));
    let contact = fields.get("contact").and_then(|at| reader.text(&at));
    let escalation = fields.or(reader, "escalation", None, |reader, at| reader.text(&at).map(Some));
    Some(Team { name: name?, contact: contact?, escalation: escalation? })
}

fn producers(reader: &mut Reader, at: At<'_>) -> Option<Vec<String>> {
    let producers = collect(reader.items(&at)?, |at| principal(reader, at))?;
    reader.refuse_repeats(&at.path, &producers, String::clone);
    Some(producers)
}

fn principal(reader: &mut Reader, at: At<'_>) -> Option<String> {
    let principal = reader.text(&at)?;
    check_principal(reader, at.node.mark, &principal)?;
    Some(principal)
}

/// One principal by its name.
pub(super) fn check_principal<'p>(reader: &mut Reader, mark: Mark, principal: &'p str) -> Option<&'p str> {
    let named = principal.split_once(':').filter(|(kind, name)| *kind == "User" && !matches!(*name, "" | "*"));
    if named.is_none() {
        let message = format!("\"{}\" is not the principal of one client", shown(principal));
        reader.refuse(rules::PRINCIPAL_INVALID, mark, message, None);
    }
    named.map(|_| principal)
}

fn actors(reader: &mut Reader, at: At<'_>) -> Option<Vec<String>> {
    let actors = collect(reader.items(&at)?, |at| reader.text(&at))?;
    reader.refuse_repeats(&at.path, &actors, String::clone);
    Some(actors)
}

fn terms(reader: &mut Reader, at: At<'_>) -> Option<BTreeMap<String, Term>> {
    let mut terms = Some(BTreeMap::new());
    for (entry, at) in reader.named(&at)? {
        if !is_term(&entry.key) {
            let message = format!("\"{}\" is not a term", shown(&entry.key));
            reader.refuse(rules::TERM_INVALID, entry.mark, message, None);
            terms = None;
        }
        let Some(meaning) = reader.text(&at) else {
            terms = None;
            continue;
        };
        let term = meaning.parse().map(Term::Refers).unwrap_or(Term::Defined(meaning));
        if let Some(terms) = terms.as_mut() {
            terms.insert(entry.key.clone(), term);
        }
    }
    terms
}

fn classes(reader: &mut Reader, at: At<'_>) -> Option<BTreeMap<String, ClassGrants>> {
    let mut classes = Some(BTreeMap::new());
    for (entry, at) in reader.named(&at)? {
        if !class::is_valid(&entry.key) {
            let message = format!("\"{}\" is not a class of sensitive columns", shown(&entry.key));
            reader.refuse(rules::CLASS_INVALID, entry.mark, message, None);
            classes = None;
        }
        let grants = grants(reader, at);
        match (classes.as_mut(), grants) {
            (Some(classes), Some(grants)) => {
                classes.insert(entry.key.clone(), grants);
            }
            _ => classes = None,
        }
    }
    classes
}

fn grants(reader: &mut Reader, at: At<'_>) -> Option<ClassGrants> {
    let fields = reader.fields(&at, &keys::CLASS)?;
    let at = fields.get("grants")?;
    let grants = collect(reader.items(&at)?, |at| reader.name(&at))?;
    reader.refuse_repeats(&at.path, &grants, String::clone);
    Some(ClassGrants { grants })
}
