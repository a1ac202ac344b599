//! What principals may take of the cluster.

use std::collections::BTreeMap;

use super::domain::check_principal;
use super::keys;
use super::reader::{At, Reader};
use crate::quota::{Quota, QuotaError};
use crate::rules;
use crate::topic::RESERVED_DOMAIN;
use crate::yaml::Entry;

/// Quotas by principal.
pub(super) fn read(reader: &mut Reader, at: At<'_>) -> Option<BTreeMap<String, Quota>> {
    let mut quotas = Some(BTreeMap::new());
    for (entry, at) in reader.named(&at)? {
        let principal = principal(reader, entry);
        let quota = quota(reader, at);
        match (quotas.as_mut(), principal, quota) {
            (Some(quotas), Some(principal), Some(quota)) => drop(quotas.insert(principal, quota)),
            _ => quotas = None,
        }
    }
    quotas
}

/// One principal by name; a domain does not slow the backbone down.
fn principal(reader: &mut Reader, entry: &Entry) -> Option<String> {
    let principal = check_principal(reader, entry.mark, &entry.key)?;
    let is_backbones = principal.strip_prefix("User:").and_then(|user| user.split('-').next()) == Some(RESERVED_DOMAIN);
    if is_backbones {
        let message = format!("no domain limits `{principal}`: it is the backbone's own");
        let hint = "leave it out; an operator limits it with Kafka's own tools".to_owned();
        reader.refuse(rules::NAME_RESERVED, entry.mark, message, Some(hint));
        return None;
    }
    Some(principal.to_owned())
}

fn quota(reader: &mut Reader, at: At<'_>) -> Option<Quota> {
    let fields = reader.fields(&at, &keys::QUOTA)?;
    let produce = fields.or(reader, "produce", None, |reader, at| limit(reader, &at).map(Some));
    let consume = fields.or(reader, "consume", None, |reader, at| limit(reader, &at).map(Some));
    let requests = fields.or(reader, "requests", None, |reader, at| limit(reader, &at).map(Some));
    let quota = Quota { produce: produce?, consume: consume?, requests: requests? };
    // an unknown key has been told of already
    if quota == Quota::default() && fields.is_empty() {
        let message = format!("`{}` limits nothing", at.path);
        reader.refuse(rules::QUOTA_INVALID, at.node.mark, message, None);
        return None;
    }
    Some(quota)
}

fn limit<T: std::str::FromStr<Err = QuotaError>>(reader: &mut Reader, at: &At<'_>) -> Option<T> {
    let word = reader.word(at, "a limit, such as `10 MB/s` or `50 %`")?;
    reader.parsed(rules::QUOTA_INVALID, at.node.mark, word.parse())
}
