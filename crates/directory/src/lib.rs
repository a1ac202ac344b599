//! Who is in which access group, as Kafka's principals.
//!
//! ```text
//! groups.yaml --> GroupsFile --+
//! LDAP, AD -----> Ldap --------+--> Directory::members --> Answer
//! ```
//!
//! An answer is whole or none: a directory that cannot be reached, stops in the middle, or says that there is more than it tells, is an
//! [`Error`], never a shorter list. Whether an answer is to be believed is for whoever asked.

mod error;
mod file;
mod ldap;
mod principal;
mod yaml;

use mesh_contract::acl::Members;
use std::collections::BTreeSet;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

pub use error::Error;
pub use file::GroupsFile;
pub use ldap::{Ldap, LdapSettings};

/// What a directory answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The members of the groups that it knows, of those that were asked for; a group that it does not know is not in it.
    pub members: Members,
    /// Those of them that are without members on purpose: whoever keeps the directory's file has said of each that it may be.
    pub nobody: BTreeSet<String>,
    /// How many members have no usable name: they are members of nothing.
    pub left_out: usize,
}

impl Answer {
    /// Whether it says that nobody is in any group, and not all of that is on purpose: what a directory says that has lost its data.
    pub fn is_void(&self) -> bool {
        let is_meant = !self.members.is_empty() && self.members.keys().all(|group| self.nobody.contains(group));
        self.members.values().all(BTreeSet::is_empty) && !is_meant
    }
}

/// An answer that is being waited for.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send + 'a>>;

/// Knows who is in which group.
pub trait Directory: Send + Sync {
    /// The members of these groups, those of nested groups included.
    ///
    /// # Errors
    /// Not all of the answer could be had.
    fn members<'a>(&'a self, groups: &'a BTreeSet<String>) -> Answering<'a>;

    /// What it is called in messages: a file's path, or an address. No secret is in it.
    fn name(&self) -> String;
}

/// The directory that a file describes: groups with their members, or, where it has a `url`, the settings of an LDAP directory.
///
/// # Errors
/// The file cannot be read, or is neither.
pub fn open(file: &Path) -> Result<Arc<dyn Directory>, Error> {
    let document = yaml::read(file)?;
    if document.get("url").is_some_and(serde_json::Value::is_string) {
        return Ok(Arc::new(Ldap::new(LdapSettings::of(file, document)?)?));
    }
    let groups = GroupsFile::new(file);
    // now rather than at the first question
    groups.read()?;
    Ok(Arc::new(groups))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_anybody_is_void_unless_all_of_it_is_meant() {
        let answer = |groups: &[(&str, &[&str])], nobody: &[&str]| Answer {
            members: groups.iter().map(|(group, of)| ((*group).to_owned(), names(of))).collect(),
            nobody: names(nobody),
            left_out: 0,
        };
        assert!(answer(&[], &[]).is_void());
        assert!(answer(&[("analysts", &[])], &[]).is_void());
        assert!(answer(&[("analysts", &[]), ("campaigns", &[])], &["campaigns"]).is_void());
        assert!(!answer(&[("campaigns", &[])], &["campaigns"]).is_void());
        assert!(!answer(&[("analysts", &["User:ana"]), ("campaigns", &[])], &[]).is_void());
    }

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_file_says_itself_what_kind_of_directory_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("directory.yaml");
        let name = |text: &str| {
            std::fs::write(&file, text).expect("the folder is ours");
            open(&file).map(|directory| directory.name()).map_err(|error| error.to_string())
        };
        assert!(name("analysts: [User:ana]").is_ok_and(|name| name.ends_with("directory.yaml")));
        let ldap = "url: ldaps://ldap.example.org\ngroups: { base: 'ou=groups' }\nusers: { base: 'ou=people' }\n";
        assert_eq!(name(ldap), Ok("ldaps://ldap.example.org".to_owned()));
        assert!(name("url: ldaps://ldap.example.org").is_err_and(|error| error.contains("cannot use")));
    }
}
