//! Who is in which group, from a file: `group: [User:ana, …]`, in YAML or JSON.

use crate::{Answer, Answering, Directory, Error, principal, yaml};
use mesh_contract::acl::Members;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const FORM: &str =
    "write `group: [User:ana, User:bob]`, one group a line, and `group: nobody` for one that is to have no members";
/// In place of members: that there are none is meant. An empty list may be a mistake of whatever wrote it.
const NOBODY: &str = "nobody";

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
    pub fn read(&self) -> Result<Answer, Error> {
        let document = yaml::read(&self.path)?;
        parse(&document).map_err(|why| Error::ParseFile { path: self.path.clone(), why: format!("{why}: {FORM}") })
    }
}

impl Directory for GroupsFile {
    fn members<'a>(&'a self, groups: &'a BTreeSet<String>) -> Answering<'a> {
        Box::pin(async {
            let mut answer = self.read()?;
            answer.members.retain(|group, _| groups.contains(group));
            answer.nobody.retain(|group| groups.contains(group));
            Ok(answer)
        })
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }
}

fn parse(document: &Value) -> Result<Answer, String> {
    let groups = document.as_object().filter(|groups| !groups.is_empty()).ok_or("it names no group")?;
    let (mut members, mut nobody) = (Members::new(), BTreeSet::new());
    for (group, users) in groups {
        if users.as_str() == Some(NOBODY) {
            nobody.insert(group.to_owned());
            members.insert(group.to_owned(), BTreeSet::new());
            continue;
        }
        let users = users.as_array().ok_or_else(|| format!("the members of {group} are no list"))?;
        let user = |user: &Value| match user.as_str().filter(|user| principal::is_literal(user)) {
            Some(user) => Ok(user.to_owned()),
            None => Err(format!("{user}, a member of {group}, is not the principal of one user")),
        };
        members.insert(group.to_owned(), users.iter().map(user).collect::<Result<_, _>>()?);
    }
    Ok(Answer { members, nobody, left_out: 0 })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parsed(text: &str) -> Result<Answer, String> {
        parse(&yaml::parse(text)?)
    }

    #[test]
    fn groups_have_users() {
        let text = "analysts: [User:ana, User:upselling-offers, User:ana]\ncampaigns: []\nauditors: nobody\n";
        let Answer { members, nobody, .. } = parsed(text).unwrap();
        assert_eq!(members["analysts"].len(), 2, "twice is once");
        assert!(members["campaigns"].is_empty() && members["auditors"].is_empty());
        assert_eq!(nobody, ["auditors".to_owned()].into(), "an empty list may be a mistake");
        assert_eq!(parsed(r#"{"analysts": ["User:ana"]}"#).unwrap().members["analysts"].len(), 1);
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
            "analysts: none",
            "analysts: [nobody]",
        ] {
            parsed(text).unwrap_err();
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |text: &str| parsed(text).unwrap_err();
        assert_eq!(
            wrong("analysts: [User:ana]\ncampaigns: [User:carl, analysts]"),
            "\"analysts\", a member of campaigns, is not the principal of one user"
        );
        // which of the two holds?
        assert!(
            wrong("analysts: [User:ana]\nanalysts: [User:bob]").contains("duplicated key in mapping at byte 21 line 2")
        );
    }
}
