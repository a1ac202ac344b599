//! What is asked of the directory: groups by name, and who is behind a DN or a name.

use super::connection::{Connection, ENTRIES_MAX};
use super::settings::{MembersAre, Resolved};
use crate::Error;
use futures_util::{StreamExt, TryStreamExt, stream};
use ldap3::{SearchEntry, ldap_escape};
use std::collections::{BTreeSet, HashMap};

/// How many requests are on their way at once.
const REQUESTS_MAX: usize = 16;
/// Active Directory's matching rule for what is within what is within: LDAP_MATCHING_RULE_IN_CHAIN.
const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";

/// A group that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) dn: String,
    /// DNs, or names.
    pub(super) members: Vec<String>,
}

/// What a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Member {
    /// A person, as a principal.
    Person(String),
    /// A group, with its members.
    Group(Group),
    /// A person who has no usable name.
    LeftOut,
    /// Gone, or neither.
    Nobody,
}

/// Asks a directory; what was found is kept for the answer that is being made.
pub(super) struct People<'a> {
    settings: &'a Resolved,
    connection: Connection,
    known: HashMap<String, Member>,
}

impl<'a> People<'a> {
    pub(super) fn new(settings: &'a Resolved, connection: Connection) -> Self {
        Self { settings, connection, known: HashMap::new() }
    }

    /// The group of this name; none if there is none.
    pub(super) async fn group(&self, name: &str) -> Result<Option<Group>, Error> {
        let groups = &self.settings.groups;
        let mut found = self.connection.below(&groups.base, &groups.filter_of(name), &[&groups.members]).await?;
        match (found.pop(), found.len()) {
            (None, _) => Ok(None),
            (Some(entry), 0) => self.read_group(entry).map(Some),
            (Some(_), more) => Err(Error::AmbiguousGroup { group: name.to_owned(), count: more + 1 }),
        }
    }

    /// What these members are, each asked for once.
    pub(super) async fn members(&mut self, names: &[String]) -> Result<Vec<Member>, Error> {
        let asked: BTreeSet<&String> = names.iter().filter(|name| !self.known.contains_key(&form(name))).collect();
        if self.known.len() + asked.len() > ENTRIES_MAX {
            return Err(Error::TooLarge { entries_max: ENTRIES_MAX });
        }
        let this = &*self;
        let found: Vec<(String, Member)> = stream::iter(asked)
            .map(|name| async move { Ok::<_, Error>((form(name), this.ask(name).await?)) })
            .buffer_unordered(REQUESTS_MAX)
            .try_collect()
            .await?;
        self.known.extend(found);
        Ok(names.iter().filter_map(|name| self.known.get(&form(name)).cloned()).collect())
    }

    async fn ask(&self, name: &str) -> Result<Member, Error> {
        let Resolved { groups, users, principal, .. } = self.settings;
        let person = match groups.members_are {
            MembersAre::Dns => self.connection.entry(name, &users.filter, &[&principal.attribute]).await?,
            MembersAre::Names => {
                let filter = format!("(&{}({}={}))", users.filter, principal.attribute, ldap_escape(name));
                let mut found = self.connection.below(&users.base, &filter, &[&principal.attribute]).await?;
                // who has a name that others have, too, is nobody in particular
                if found.len() == 1 { found.pop() } else { None }
            }
        };
        if let Some(person) = person {
            return Ok(self.principal(&person).map_or(Member::LeftOut, Member::Person));
        }
        if groups.members_are == MembersAre::Names {
            return Ok(Member::Nobody);
        }
        // with its attributes' names, for one that comes in parts has another
        let any_members = format!("({}=*)", groups.members);
        let group = self.connection.entry(name, &any_members, &[&groups.members]).await?;
        group.map_or(Ok(Member::Nobody), |entry| self.read_group(entry).map(Member::Group))
    }

    /// Those of whom the server says that they are in the group, through others or not.
    pub(super) async fn in_chain(&mut self, dn: &str) -> Result<BTreeSet<String>, Error> {
        let Resolved { users, principal, .. } = self.settings;
        let filter = in_chain(&users.filter, dn);
        let people = self.connection.below(&users.base, &filter, &[&principal.attribute]).await?;
        let mut members = BTreeSet::new();
        for person in &people {
            match self.principal(person) {
                Some(principal) => _ = members.insert(principal),
                None => _ = self.known.insert(form(&person.dn), Member::LeftOut),
            }
        }
        Ok(members)
    }

    /// How many people have no usable name.
    pub(super) fn left_out(&self) -> usize {
        self.known.values().filter(|member| **member == Member::LeftOut).count()
    }

    pub(super) async fn close(&mut self) {
        self.connection.close().await;
    }

    /// A person's principal: of exactly one value, lest somebody be two.
    fn principal(&self, person: &SearchEntry) -> Option<String> {
        let template = &self.settings.principal;
        let values = attribute(person, &template.attribute);
        let principal = match values {
            [value] => template.principal(value),
            _ => None,
        };
        if principal.is_none() {
            tracing::debug!(dn = person.dn, attribute = template.attribute, "a member has no usable name");
        }
        principal
    }

    fn read_group(&self, entry: SearchEntry) -> Result<Group, Error> {
        let wanted = &self.settings.groups.members;
        // Active Directory gives many values piece by piece, as `member;range=0-1499`
        let is_part = |name: &String| {
            name.split_once(';')
                .is_some_and(|(name, option)| name.eq_ignore_ascii_case(wanted) && option.starts_with("range="))
        };
        if entry.attrs.keys().any(is_part) {
            return Err(Error::PartialGroup { dn: entry.dn });
        }
        let members = attribute(&entry, wanted).to_vec();
        Ok(Group { dn: entry.dn, members })
    }
}

/// The people of a filter whom the server knows to be in a group, through others or not.
fn in_chain(users: &str, dn: &str) -> String {
    format!("(&{users}(memberOf:{IN_CHAIN}:={}))", ldap_escape(dn))
}

/// An attribute's values; servers write its name as they like.
fn attribute<'e>(entry: &'e SearchEntry, name: &str) -> &'e [String] {
    let found = entry.attrs.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map_or(&[], |(_, values)| values.as_slice())
}

/// As names are compared: their letters' case does not matter.
pub(super) fn form(name: &str) -> String {
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_asked_for_chains_with_a_name_that_is_no_filter() {
        let filter = in_chain("(objectClass=user)", "CN=Ana (Ops),DC=example");
        assert_eq!(filter, r"(&(objectClass=user)(memberOf:1.2.840.113556.1.4.1941:=CN=Ana \28Ops\29,DC=example))");
    }

    #[test]
    fn attributes_are_found_however_they_are_written() {
        let attrs = [("UID".to_owned(), vec!["ana".to_owned()])].into();
        let entry = SearchEntry { dn: "uid=ana".to_owned(), attrs, bin_attrs: HashMap::new() };
        assert_eq!(attribute(&entry, "uid"), ["ana"]);
        assert!(attribute(&entry, "cn").is_empty());
    }
}
