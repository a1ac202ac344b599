//! `views` and `access_group`.

use std::collections::BTreeMap;

use super::contract::{collect, refuse_reserved};
use super::keys;
use super::reader::{At, Reader};
use crate::topic::RESERVED_NAMES;
use crate::view::{AccessGrant, Clear, MASKED_VIEW, View};
use crate::yaml::{Entry, Kind};
use crate::{name, rules};

/// Views by name.
pub(super) fn views(reader: &mut Reader, at: At<'_>) -> Option<BTreeMap<String, View>> {
    let mut views = Some(BTreeMap::new());
    for (entry, at) in reader.named(&at)? {
        let name = view_name(reader, entry);
        let view = view(reader, at);
        match (views.as_mut(), name, view) {
            (Some(views), Some(name), Some(view)) => {
                views.insert(name, view);
            }
            _ => views = None,
        }
    }
    views
}

fn view_name(reader: &mut Reader, entry: &Entry) -> Option<String> {
    reader.parsed(rules::NAME_INVALID, entry.mark, name::check(&entry.key))?;
    refuse_reserved(reader, entry.mark, &entry.key, "view", &RESERVED_NAMES)?;
    Some(entry.key.clone())
}

fn view(reader: &mut Reader, at: At<'_>) -> Option<View> {
    let fields = reader.fields(&at, &keys::VIEW)?;
    let clear = fields.get("clear")?;
    if clear.node.is_empty() {
        reader.refuse_type(&clear, "`all`, or a list of columns and classes");
        return None;
    }
    if matches!(&clear.node.kind, Kind::Scalar { text, .. } if text == "all") {
        return Some(View { clear: Clear::All });
    }
    let path = clear.path.clone();
    let names =
        collect(reader.one_or_many(clear), |at| reader.word(&at, "a sensitive column or a class").map(str::to_owned))?;
    reader.refuse_repeats(&path, &names, String::clone);
    Some(View { clear: Clear::Named(names) })
}

/// A group, or a list of groups and mappings.
pub(super) fn groups(reader: &mut Reader, at: At<'_>) -> Option<Vec<AccessGrant>> {
    let path = at.path.clone();
    if at.node.is_empty() {
        reader.refuse_type(&at, "a group, or a list of them");
        return None;
    }
    let grants = collect(reader.one_or_many(at), |at| grant(reader, at))?;
    reader.refuse_repeats(&path, &grants, |grant| format!("{} on {}", grant.group, grant.view));
    Some(grants)
}

fn grant(reader: &mut Reader, at: At<'_>) -> Option<AccessGrant> {
    if !matches!(at.node.kind, Kind::Map(_)) {
        return reader.text(&at).map(|group| AccessGrant { group, view: MASKED_VIEW.to_owned() });
    }
    let fields = reader.fields(&at, &keys::ACCESS_GRANT)?;
    let group = fields.get("group").and_then(|at| reader.text(&at));
    let view =
        fields.or(reader, "view", MASKED_VIEW.to_owned(), |reader, at| reader.word(&at, "a view").map(str::to_owned));
    Some(AccessGrant { group: group?, view: view? })
}
