//! The settings of an LDAP directory.

use crate::Error;
use crate::principal::Template;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::{Host, Url};

/// Where the environment keeps the password.
pub(super) const PASSWORD: &str = "MESH_DIRECTORY_PASSWORD";
/// Stands for the group's name in a filter.
const GROUP: &str = "{group}";

/// The settings of an LDAP directory, as a file has them. What is asked for the groups:
///
/// 1. the group of the name, by `groups.filter` under `groups.base`;
/// 2. its members: by the DNs in `groups.members`, those of nested groups followed (`nested: walk`), or in one search for the people
///    of whom the server itself says so (`nested: in_chain`, Active Directory);
/// 3. each person's principal, made by `users.principal` of one of their attributes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LdapSettings {
    url: String,
    /// Whether TLS is asked for on a connection that begins without (RFC 4511, 4.14).
    #[serde(default)]
    start_tls: bool,
    /// The authority of its certificate, in PEM; those that the system trusts unless said.
    #[serde(default)]
    authority: Option<PathBuf>,
    /// As whom to ask; nobody unless said.
    #[serde(default)]
    bind: Option<Bind>,
    groups: Groups,
    users: Users,
    #[serde(default)]
    nested: Nested,
    /// The most entries that are asked for at once (RFC 2696).
    #[serde(default = "page_size")]
    page_size: i32,
    /// How long the directory may take over each request.
    #[serde(default = "timeout_seconds")]
    timeout_seconds: u64,
}

/// As whom to ask.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bind {
    pub(super) dn: String,
    /// The file of the password, which others may not read; the environment's `MESH_DIRECTORY_PASSWORD` unless said.
    #[serde(default)]
    pub(super) password_file: Option<PathBuf>,
}

/// How groups are found.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Groups {
    pub(super) base: String,
    #[serde(default = "groups_filter")]
    pub(super) filter: String,
    /// The attribute that holds the members.
    #[serde(default = "member")]
    pub(super) members: String,
    /// What that attribute holds.
    #[serde(default)]
    pub(super) members_are: MembersAre,
    /// The groups that may be without members: it is believed of them, and of no others.
    #[serde(default)]
    pub(super) may_be_empty: BTreeSet<String>,
}

/// How people are found.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Users {
    pub(super) base: String,
    #[serde(default = "users_filter")]
    pub(super) filter: String,
    #[serde(default = "principal")]
    pub(super) principal: String,
}

/// What a group's attribute of members holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum MembersAre {
    /// Distinguished names: `groupOfNames`, Active Directory.
    #[default]
    Dns,
    /// Values of the attribute that principals are made of: `posixGroup`.
    Names,
}

/// How members of members are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Nested {
    /// Group by group.
    #[default]
    Walk,
    /// By Active Directory's LDAP_MATCHING_RULE_IN_CHAIN (1.2.840.113556.1.4.1941), in one search a group.
    InChain,
}

/// Settings that can be used.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) url: Url,
    pub(super) start_tls: bool,
    pub(super) authority: Option<PathBuf>,
    pub(super) bind: Option<Bind>,
    pub(super) groups: Groups,
    pub(super) users: Users,
    pub(super) principal: Template,
    pub(super) nested: Nested,
    pub(super) page_size: i32,
    pub(super) timeout: Duration,
}

fn page_size() -> i32 {
    500
}

fn timeout_seconds() -> u64 {
    10
}

fn groups_filter() -> String {
    format!(
        "(&(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=group)(objectClass=posixGroup))(cn={GROUP}))"
    )
}

fn member() -> String {
    "member".to_owned()
}

fn users_filter() -> String {
    "(objectClass=person)".to_owned()
}

fn principal() -> String {
    "User:{uid}".to_owned()
}

impl LdapSettings {
    /// The settings of a file.
    pub(crate) fn of(file: &Path, document: Value) -> Result<Self, Error> {
        serde_json::from_value(document)
            .map_err(|error| Error::ParseFile { path: file.to_owned(), why: error.to_string() })
    }

    pub(super) fn resolve(self) -> Result<Resolved, Error> {
        let (given, unusable) = (self.url.clone(), |why: String| Error::Settings { url: self.url.clone(), why });
        let url = Url::parse(&given).map_err(|error| unusable(error.to_string()))?;
        let wrong = if !["ldap", "ldaps", "ldapi"].contains(&url.scheme()) || url.host_str().is_none_or(str::is_empty) {
            Some("write it as ldaps://host, ldap://host:port or ldapi://%2Fpath")
        } else if !url.username().is_empty() || url.password().is_some() {
            Some("its address has credentials in it, which messages would show: use bind")
        } else if self.start_tls && url.scheme() != "ldap" {
            Some("start_tls is for ldap://")
        } else if !self.start_tls && !is_private(&url) {
            Some("who is in which group would be asked in clear: use ldaps://, or start_tls: true")
        } else if self.groups.members_are == MembersAre::Names && self.nested == Nested::InChain {
            Some("members that are names have no nested groups: leave out nested")
        } else if self.nested == Nested::Walk && !self.groups.filter.contains(GROUP) {
            Some("groups.filter has to say where the group's name stands, as {group}")
        } else if self.page_size < 1 || self.timeout_seconds < 1 {
            Some("page_size and timeout_seconds are at least 1")
        } else {
            None
        };
        if let Some(why) = wrong {
            return Err(unusable(why.to_owned()));
        }
        Ok(Resolved {
            principal: self.users.principal.parse().map_err(unusable)?,
            url,
            start_tls: self.start_tls,
            authority: self.authority,
            bind: self.bind,
            groups: self.groups,
            users: self.users,
            nested: self.nested,
            page_size: self.page_size,
            timeout: Duration::from_secs(self.timeout_seconds),
        })
    }
}

impl Groups {
    /// The filter of the group of this name.
    pub(super) fn filter_of(&self, group: &str) -> String {
        self.filter.replace(GROUP, &ldap3::ldap_escape(group))
    }
}

/// Whether nobody on the way can listen or answer in its place.
fn is_private(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // other schemes than the web's have their addresses as names
        Some(Host::Domain(name)) => {
            name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
        None => false,
    };
    url.scheme() != "ldap" || is_loopback
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::yaml;

    fn resolved(text: &str) -> Result<Resolved, String> {
        let settings = LdapSettings::of(Path::new("directory.yaml"), yaml::parse(text)?);
        settings.and_then(LdapSettings::resolve).map_err(|error| error.to_string())
    }

    const BASES: &str = "groups: { base: 'ou=groups' }\nusers: { base: 'ou=people' }\n";

    #[test]
    fn the_least_that_is_said_is_enough() {
        let resolved = resolved(&format!("url: ldaps://ldap.example.org\n{BASES}")).unwrap();
        assert_eq!((resolved.nested, resolved.page_size, resolved.timeout.as_secs()), (Nested::Walk, 500, 10));
        assert_eq!(resolved.principal.to_string(), "User:{uid}");
    }

    #[test]
    fn a_groups_name_is_no_filter() {
        let resolved = resolved(&format!("url: ldap://127.0.0.1:3389\n{BASES}")).unwrap();
        assert!(resolved.groups.filter_of("a*)(cn=b").ends_with(r"(cn=a\2a\29\28cn=b))"));
    }

    #[test]
    fn what_would_be_asked_in_clear_or_contradicts_itself_is_refused() {
        let refused = |text: &str| resolved(text).unwrap_err();
        let with = |text: &str| refused(&format!("{text}\n{BASES}"));
        assert!(with("url: ldap://ldap.example.org").contains("in clear"));
        assert!(with("url: ldap://10.0.0.1").contains("in clear"));
        assert!(with("url: https://ldap.example.org").contains("ldaps://host"));
        assert!(with("url: ldaps://ana:secret@ldap.example.org").contains("credentials"));
        assert!(with("url: ldaps://h\nstart_tls: true").contains("start_tls"));
        assert!(with("url: ldaps://h\npage_size: 0").contains("page_size"));
        assert!(with("url: ldaps://h\nbind_password: secret").contains("unknown field"));
        assert!(
            refused("url: ldaps://h\ngroups: { base: g, filter: '(cn=a)' }\nusers: { base: p }").contains("{group}")
        );
        assert!(
            refused("url: ldaps://h\ngroups: { base: g }\nusers: { base: p, principal: 'Group:{uid}' }")
                .contains("makes no principals")
        );
        resolved(&format!("url: ldap://ldap.example.org\nstart_tls: true\n{BASES}")).unwrap();
    }
}
