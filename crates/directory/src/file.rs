//! Who is in which group, from a file: `group: [User:ana, …]`, in YAML or JSON.

use crate::{Answer, Answering, Directory, Error, principal, yaml};
use mesh_contract::acl::Members;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const FORM: &str = "write `group: [User:ana, User:bob]`, one group a line; an empty list for a group without members";

/// A file of groups, read anew for each answer.
#[derive(Debug, Clone)]
pub struct GroupsFile {
    path: PathBuf,
}

impl GroupsFile {
    /// The groups of this file; nothing is read yet.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// All groups that it names. A file without any group is not believed.
    ///
    /// # Errors
    /// It cannot be read, or is not of that form.
    pub fn read(&self) -> Result<Members, Error> {
        let document = yaml::read(&self.path)?;
        parse(&document).map_err(|why| Error::ParseFile { path: self.path.clone(), why: format!("{why}: {FORM}") })
    }
}

impl Directory for GroupsFile {
    fn members<'a>(&'a self, groups: &'a BTreeSet<String>) -> Answering<'a> {
        Box::pin(async {
            let mut members = self.read()?;
            members.retain(|group, _| groups.contains(group));
            Ok(Answer { members, left_out: 0 })
        })
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }
}

fn parse(document: &Value) -> Result<Members, String> {
    let groups = document.as_object().filter(|groups| !groups.is_empty()).ok_or("it names no group")?;
    let mut members = Members::new();
    for (group, users) in groups {
        let users = users.as_array().ok_or_else(|| format!("the members of {group} are no list"))?;
        let user = |user: &Value| user.as_str().filter(|user| principal::is_literal(user)).map(str::to_owned);
        let users: Option<BTreeSet<String>> = users.iter().map(user).collect();
        let users = users.ok_or_else(|| format!("a member of {group} is not the principal of one user"))?;
        members.insert(group.to_owned(), users);
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parsed(text: &str) -> Result<Members, String> {
        parse(&yaml::parse(text)?)
    }

    #[test]
    fn groups_have_users() {
        let members = parsed("analysts: [User:ana, User:upselling-offers]\ncampaigns: []\n").unwrap();
        assert_eq!(members["analysts"].len(), 2);
        assert!(members["campaigns"].is_empty());
        assert_eq!(parsed(r#"{"analysts": ["User:ana"]}"#).unwrap()["analysts"].len(), 1);
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        for text in [
            "",
            "{}",
            "[]",
            "analysts: User:ana",
            "analysts: [ana]",
            "analysts: ['User:*']",
            "analysts: ['User:']",
            "a: [",
        ] {
            parsed(text).unwrap_err();
        }
    }
}
