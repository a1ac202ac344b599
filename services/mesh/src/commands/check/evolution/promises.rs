//! Changes of a contract that break readers, whatever the schema.

use super::{Change, impact};
use crate::commands::check::reported::Reported;
use crate::commands::check::rule::{
    COMPATIBILITY_LOWERED, KEY_CHANGED, SUBJECT_CHANGED, UNIQUE_ID_CHANGED, VIEW_REMOVED,
};
use mesh_contract::{Compatibility, Contract, Finding, Topics};

pub(super) fn compare(change: &Change<'_>) -> Vec<Reported> {
    let Some(before) = &change.earlier.contract else { return Vec::new() };
    let old = &before.value;
    let found = [unique_id(change, old), key(change, old), subject(change, old), compatibility(change, old)];
    found.into_iter().flatten().chain(views(change, old)).collect()
}

fn unique_id(change: &Change<'_>, old: &Contract) -> Option<Reported> {
    let (new, places) = (&change.now.contract.value, &change.now.contract.places);
    if new.unique_id == old.unique_id {
        return None;
    }
    let message = format!("{}: the unique_id was {}", change.product, old.unique_id);
    let hint = "write the old one again: it never changes, also across versions";
    let finding = Finding::error(UNIQUE_ID_CHANGED, places.at("unique_id"), message).hint(hint);
    let sees = "is told of another product: its revisions, freshness and lineage begin anew";
    Some(Reported::change(finding, &change.product, "").reaching(everybody(change, old, sees)))
}

fn key(change: &Change<'_>, old: &Contract) -> Option<Reported> {
    let (new, places) = (&change.now.contract.value, &change.now.contract.places);
    if new.key == old.key {
        return None;
    }
    let shown = |contract: &Contract| contract.key.as_ref().map_or("none".to_owned(), |key| format!("`{key}`"));
    let message = format!("{}: the key is {}, and was {}", change.product, shown(new), shown(old));
    let finding = Finding::error(KEY_CHANGED, places.at("key"), message)
        .hint("keep the key, or make a new major version beside this one");
    let sees = "finds an entity's events under two keys: out of order, and both kept by compaction";
    let column = new.key.as_ref().or(old.key.as_ref()).map(ToString::to_string).unwrap_or_default();
    Some(Reported::change(finding, &change.product, &column).reaching(everybody(change, old, sees)))
}

/// What was encrypted for somebody can no longer be found by the one who forgets them.
fn subject(change: &Change<'_>, old: &Contract) -> Option<Reported> {
    let (new, places) = (&change.now.contract.value, &change.now.contract.places);
    let was = old.subject.as_ref().filter(|was| new.subject.as_ref() != Some(was))?;
    let is = new.subject.as_ref().map_or("none".to_owned(), |subject| format!("`{subject}`"));
    let message = format!("{}: the subject is {is}, and was `{was}`", change.product);
    let hint =
        "keep the subject, or `mesh remask` the product, so that nothing is left that was encrypted under the old one";
    let finding = Finding::error(SUBJECT_CHANGED, places.at("subject"), message).hint(hint);
    let sees = "keeps values that `mesh forget` does not reach";
    Some(Reported::change(finding, &change.product, &was.to_string()).reaching(everybody(change, old, sees)))
}

fn compatibility(change: &Change<'_>, old: &Contract) -> Option<Reported> {
    let (new, places) = (&change.now.contract.value, &change.now.contract.places);
    if promises(new.compatibility, old.compatibility) {
        return None;
    }
    let (is, was) = (new.compatibility.to_string().to_lowercase(), old.compatibility.to_string().to_lowercase());
    let message = format!("{}: the compatibility is {is}, and {was} was promised", change.product);
    let finding = Finding::error(COMPATIBILITY_LOWERED, places.at("compatibility"), message)
        .hint(format!("keep `compatibility: {was}`, or make a new major version beside this one"));
    let sees = "may be broken by the next schema, and nothing would say so";
    Some(Reported::change(finding, &change.product, "").reaching(everybody(change, old, sees)))
}

/// Whether a level promises all that another one does.
fn promises(new: Compatibility, old: Compatibility) -> bool {
    let parts = |level| {
        let transitive = crate::commands::check::before::is_transitive(level);
        let (backward, forward) = match level {
            Compatibility::None => (false, false),
            Compatibility::Backward | Compatibility::BackwardTransitive => (true, false),
            Compatibility::Forward | Compatibility::ForwardTransitive => (false, true),
            Compatibility::Full | Compatibility::FullTransitive => (true, true),
        };
        [backward, forward, transitive]
    };
    parts(new).into_iter().zip(parts(old)).all(|(new, old)| new || !old)
}

fn views(change: &Change<'_>, old: &Contract) -> Vec<Reported> {
    let (new, places) = (&change.now.contract.value, &change.now.contract.places);
    let names = new.view_names();
    let topics = Topics::clone(&old.topics());
    let removed = old.view_names().into_iter().filter(|name| !names.contains(name));
    let finding = |view: String| {
        let topic = topics.view(&view).unwrap_or_default();
        let message = format!("{}: the view `{view}` is gone, and with it the topic {topic}", change.product);
        let finding = Finding::error(VIEW_REMOVED, places.at("views"), message)
            .hint("keep the view until its readers have moved, or make a new major version beside this one");
        let mut reaches = vec![impact::view(old, &view, &format!("gets nothing new on {topic}"))];
        let sees = format!("gets nothing new if it reads the view `{view}`");
        reaches.extend(change.dependants.reached(&change.product, &sees));
        Reported::change(finding, &change.product, &view).reaching(reaches)
    };
    removed.map(finding).collect()
}

fn everybody(change: &Change<'_>, old: &Contract, sees: &str) -> Vec<crate::commands::check::reported::Reach> {
    let dependants = change.dependants.reached(&change.product, sees);
    impact::views(old, sees).into_iter().chain(dependants).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Compatibility::{Backward, BackwardTransitive, Forward, Full, FullTransitive, None};

    #[test]
    fn a_level_promises_what_a_weaker_one_does() {
        assert!(promises(FullTransitive, Full) && promises(Full, Backward) && promises(Forward, None));
        assert!(promises(BackwardTransitive, BackwardTransitive));
        assert!(!promises(Backward, BackwardTransitive) && !promises(Forward, Backward) && !promises(None, Forward));
    }
}
