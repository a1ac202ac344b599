//! A contract's keys.

use super::draft::Draft;
use super::reader::{At, Fields, Reader, shown};
use super::{access, deprecated, keys, maintenance, refresh, sensitive};
use crate::compatibility::Compatibility;
use crate::rules;
use crate::storage::Storage;
use crate::topic::{RESERVED_DOMAIN, RESERVED_NAMES};
use crate::yaml::Mark;

const MAJOR_MAX: u32 = 99_999;
const PARTITIONS_MAX: u32 = 10_000;
const REPLICATION_MAX: u32 = 100;
const HEADER_LENGTH_MAX: usize = 255;

/// Files beside the contracts, which are none.
const FILE_NAMES: [&str; 2] = ["domain", "waivers"];

/// Headers that begin so are the backbone's own.
const OWN_HEADERS: &str = "mesh-";

/// Reads what can be read.
pub(super) fn read(reader: &mut Reader, root: At<'_>) -> Option<Draft> {
    let fields = reader.fields(&root, &keys::CONTRACT)?;
    Some(Draft {
        unique_id: fields.get("unique_id").and_then(|at| reader.uuid(&at)),
        owner: owner(reader, &fields),
        name: product_name(reader, &fields),
        version: fields.get("version").and_then(|at| reader.number(&at, 1..=MAJOR_MAX)),
        description: fields.get("description").and_then(|at| reader.text(&at)),
        schema: fields.get("schema").and_then(|at| reader.schema_path(&at)),
        key: fields.or(reader, "key", None, |reader, at| reader.column(&at).map(Some)),
        subject: fields.or(reader, "subject", None, |reader, at| reader.column(&at).map(Some)),
        compatibility: fields
            .or(reader, "compatibility", Compatibility::default(), |reader, at| reader.compatibility(&at)),
        refresh_rate: fields.get("refresh_rate").and_then(|at| refresh::read(reader, at)),
        history: fields.get("history").and_then(|at| reader.spanned(&at)),
        storage: fields.or(reader, "storage", vec![Storage::Stream], storage),
        sensitive_columns: fields.get("sensitive_columns").and_then(|at| sensitive::read(reader, at)),
        views: fields.or(reader, "views", Default::default(), access::views),
        access_group: fields.get("access_group").and_then(|at| access::groups(reader, at)),
        dependencies: fields.or(reader, "dependencies", Vec::new(), dependencies),
        partitions: fields
            .or(reader, "partitions", None, |reader, at| reader.number(&at, 1..=PARTITIONS_MAX).map(Some)),
        replication: fields.or(reader, "replication", None, |reader, at| {
            reader.number(&at, 1..=REPLICATION_MAX).and_then(|number| u16::try_from(number).ok()).map(Some)
        }),
        headers: fields.or(reader, "headers", Vec::new(), headers),
        maintenance: fields.or(reader, "maintenance", Vec::new(), maintenance::read),
        deprecated: fields.or(reader, "deprecated", None, |reader, at| deprecated::read(reader, &at).map(Some)),
        fed_by: fields.or(reader, "fed_by", None, |reader, at| reader.number(&at, 1..=MAJOR_MAX).map(Some)),
    })
}

fn owner(reader: &mut Reader, fields: &Fields<'_>) -> Option<String> {
    let at = fields.get("owner")?;
    let owner = reader.name(&at)?;
    refuse_reserved(reader, at.node.mark, &owner, "domain", &[RESERVED_DOMAIN])?;
    Some(owner)
}

fn product_name(reader: &mut Reader, fields: &Fields<'_>) -> Option<String> {
    let at = fields.get("name")?;
    let name = reader.name(&at)?;
    refuse_reserved(reader, at.node.mark, &name, "product", &RESERVED_NAMES)?;
    refuse_reserved(reader, at.node.mark, &name, "product", &FILE_NAMES)?;
    Some(name)
}

/// A name that is kept for the backbone's own use is a finding.
pub(super) fn refuse_reserved(
    reader: &mut Reader,
    mark: Mark,
    name: &str,
    what: &str,
    reserved: &[&str],
) -> Option<()> {
    if !reserved.contains(&name) {
        return Some(());
    }
    let message = format!("no {what} may be called `{name}`: the name is the backbone's own");
    reader.refuse(rules::NAME_RESERVED, mark, message, Some("choose another name".to_owned()));
    None
}

fn storage(reader: &mut Reader, at: At<'_>) -> Option<Vec<Storage>> {
    let path = at.path.clone();
    if at.node.is_empty() {
        reader.refuse_type(&at, "a storage, or a list of them");
        return None;
    }
    let storages = collect(reader.one_or_many(at), |at| reader.storage(&at))?;
    reader.refuse_repeats(&path, &storages, Storage::to_string);
    Some(storages)
}

fn dependencies(reader: &mut Reader, at: At<'_>) -> Option<Vec<crate::ProductRef>> {
    let products = collect(reader.items(&at)?, |at| reader.product_ref(&at))?;
    reader.refuse_repeats(&at.path, &products, crate::ProductRef::to_string);
    Some(products)
}

fn headers(reader: &mut Reader, at: At<'_>) -> Option<Vec<String>> {
    let headers = collect(reader.items(&at)?, |at| header(reader, at))?;
    reader.refuse_repeats(&at.path, &headers, String::clone);
    Some(headers)
}

fn header(reader: &mut Reader, at: At<'_>) -> Option<String> {
    let header = reader.text(&at)?;
    let sound = header.len() <= HEADER_LENGTH_MAX && !header.chars().any(char::is_control);
    if sound && !header.starts_with(OWN_HEADERS) {
        return Some(header);
    }
    let message = format!("\"{}\" cannot be let through", shown(&header));
    reader.refuse(rules::HEADER_INVALID, at.node.mark, message, None);
    None
}

/// Reads every item, so that every finding is made; all of them, or none.
pub(super) fn collect<'n, T>(items: Vec<At<'n>>, read: impl FnMut(At<'n>) -> Option<T>) -> Option<Vec<T>> {
    let read: Vec<Option<T>> = items.into_iter().map(read).collect();
    read.into_iter().collect()
}
