//! Client quotas: what users may take of a cluster (KIP-546).

use std::collections::BTreeMap;

use super::bytes::{Decoder, Encoder, Malformed};
use super::{Api, Broker, Fault};

const DESCRIBE: Api = Api { name: "DescribeClientQuotas", key: 48, version: 0 };
const ALTER: Api = Api { name: "AlterClientQuotas", key: 49, version: 0 };
/// The one kind of entity that is spoken of here: not client ids, not addresses, nothing together with others.
const USER: &str = "user";
/// Everybody who is named, but not the default for all others.
const ANY_NAMED: i8 = 2;

/// By quota's name: its value.
pub(crate) type Quotas = BTreeMap<String, f64>;
/// By quota's name: its new value, or none to take it away.
pub(crate) type Changes = BTreeMap<String, Option<f64>>;

/// What a quota is for: kinds, and names where it is not for all of the kind.
type Entity = Vec<(String, Option<String>)>;

impl Broker {
    /// The quotas of users by name, but for those that users have together with a client id.
    ///
    /// # Errors
    /// The broker cannot be asked, or refuses.
    pub(crate) fn quotas(&mut self) -> Result<BTreeMap<String, Quotas>, Fault> {
        let of_users = Encoder::default()
            .list([USER].into_iter(), |filter, kind| filter.text(kind)?.i8(ANY_NAMED).nullable(None))?;
        let answer = self.call(DESCRIBE, of_users.bool(true))?;
        let (code, said, entries) = described(&answer).map_err(|Malformed| Fault::malformed(DESCRIBE.name))?;
        match code {
            0 => Ok(entries.into_iter().filter_map(|(entity, quotas)| Some((user(entity)?, quotas))).collect()),
            code => Err(Fault::answered(code, said)),
        }
    }

    /// Changes quotas of users; all others stay as they are. Each user's are changed at once or not at all.
    ///
    /// # Errors
    /// The broker cannot be asked, or refuses: the first refusal, with the user's name.
    pub(crate) fn change_quotas(&mut self, changes: &BTreeMap<String, Changes>) -> Result<(), Fault> {
        let request = Encoder::default().list(changes.iter(), |request, (user, changes)| {
            let entity = request.list([user].into_iter(), |entity, user| entity.text(USER)?.nullable(Some(user)))?;
            entity.list(changes.iter(), |change, (quota, to)| {
                Ok(change.text(quota)?.f64(to.unwrap_or_default()).bool(to.is_none()))
            })
        })?;
        let answer = self.call(ALTER, request.bool(false))?;
        let answers = altered(&answer).map_err(|Malformed| Fault::malformed(ALTER.name))?;
        if answers.len() != changes.len() {
            return Err(Fault::malformed(ALTER.name));
        }
        let refused = answers.into_iter().find(|(code, ..)| *code != 0);
        refused.map_or(Ok(()), |(code, said, _)| Err(Fault::answered(code, said)))
    }
}

/// The name, if it is one user's and nothing else is part of it.
fn user(entity: Entity) -> Option<String> {
    let [(kind, name)] = <[_; 1]>::try_from(entity).ok()?;
    name.filter(|_| kind == USER)
}

fn entity(answer: &mut Decoder<'_>) -> Result<Entity, Malformed> {
    answer.list(|part| Ok((part.text()?, part.nullable()?)))
}

type Described = (i16, Option<String>, Vec<(Entity, Quotas)>);

pub(super) fn described(answer: &[u8]) -> Result<Described, Malformed> {
    let mut answer = Decoder::new(answer);
    let _throttled_ms = answer.i32()?;
    let (code, said) = (answer.i16()?, answer.nullable()?);
    let entries = answer.list(|entry| {
        let entity = entity(entry)?;
        let quotas = entry.list(|quota| Ok((quota.text()?, quota.f64()?)))?;
        Ok((entity, quotas.into_iter().collect()))
    })?;
    answer.end()?;
    Ok((code, said, entries))
}

pub(super) fn altered(answer: &[u8]) -> Result<Vec<(i16, Option<String>, Entity)>, Malformed> {
    let mut answer = Decoder::new(answer);
    let _throttled_ms = answer.i32()?;
    let entries = answer.list(|entry| Ok((entry.i16()?, entry.nullable()?, entity(entry)?)))?;
    answer.end()?;
    Ok(entries)
}
