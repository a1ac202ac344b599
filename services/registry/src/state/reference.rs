//! Schemas that refer to others.

use std::{collections::HashSet, sync::Arc};

use super::{Filter, Refusal, State, VersionSelector};
use crate::{log::Reference, subject::Subject};

/// No schema needs more others, directly or through them.
const REFERENCED_MAX: usize = 256;

impl State {
    /// The texts that references need, dependencies first, each once.
    pub(super) fn referenced(&self, referrer: &Subject, references: &[Reference]) -> Result<Vec<Arc<str>>, Refusal> {
        let mut visit = Visit { state: self, seen: HashSet::new(), texts: Vec::new() };
        visit.all(referrer, references, 0)?;
        Ok(visit.texts)
    }
}

struct Visit<'a> {
    state: &'a State,
    seen: HashSet<(Subject, i64)>,
    texts: Vec<Arc<str>>,
}

impl Visit<'_> {
    fn all(&mut self, referrer: &Subject, references: &[Reference], depth: usize) -> Result<(), Refusal> {
        // Each level down is another schema, so the bound on their number bounds the recursion.
        let within = depth <= REFERENCED_MAX && self.seen.len() + references.len() <= REFERENCED_MAX;
        if !within {
            let reason = format!("it refers to more than {REFERENCED_MAX} schemas, directly or through them");
            return Err(Refusal::InvalidSchema { reason });
        }
        references.iter().try_for_each(|reference| self.one(referrer, reference, depth))
    }

    fn one(&mut self, referrer: &Subject, reference: &Reference, depth: usize) -> Result<(), Refusal> {
        let subject = referrer.beside(&reference.subject);
        if !self.seen.insert((subject.clone(), reference.version)) {
            return Ok(());
        }
        let selector = match u32::try_from(reference.version) {
            Ok(0) | Err(_) => VersionSelector::Latest,
            Ok(number) => VersionSelector::Number(number),
        };
        // A soft-deleted schema can still be referred to by what referred to it before.
        let (_, found) = self.state.version(&subject, selector, Filter::All).map_err(|_| unresolved(reference))?;
        let schema = found.schema.clone();
        self.all(&subject, &schema.content.references, depth + 1)?;
        self.texts.push(schema.text.clone());
        Ok(())
    }
}

fn unresolved(reference: &Reference) -> Refusal {
    let Reference { name, subject, version } = reference;
    let reason =
        format!("no version {version} of the subject {subject:?} for the reference {name:?}: register it first");
    Refusal::InvalidSchema { reason }
}
