//! Members of groups within groups, each group once: groups that hold each other are no endless walk.

use super::people::{Group, Member, People, form};
use crate::Error;
use std::collections::{BTreeSet, HashSet};

/// All people in a group, or in groups within it.
pub(super) async fn members(people: &mut People<'_>, group: Group) -> Result<BTreeSet<String>, Error> {
    let mut members = BTreeSet::new();
    let mut walked = HashSet::from([form(&group.dn)]);
    let mut ahead = vec![group];
    while let Some(group) = ahead.pop() {
        for member in people.members(&group.members).await? {
            match member {
                Member::Person(principal) => _ = members.insert(principal),
                Member::Group(nested) if walked.insert(form(&nested.dn)) => ahead.push(nested),
                Member::Group(_) | Member::LeftOut | Member::Nobody => {}
            }
        }
    }
    Ok(members)
}
