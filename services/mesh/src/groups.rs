//! Who is in which access group, from a file: `group: [User:ana, …]`, in YAML or JSON.

use crate::failure::Failure;
use mesh_contract::acl::Members;
use saphyr::{LoadableYamlNode, Yaml};
use std::collections::BTreeSet;
use std::path::Path;

/// Where it is looked for: beside `topics/`.
pub const FILE: &str = "groups.yaml";
/// A principal of Kafka's begins so.
const USER: &str = "User:";
const FORM: &str = "write `group: [User:ana, User:bob]`, one group a line; an empty list for a group without members";

/// Reads a file of groups. One without any group is not believed.
///
/// # Errors
/// It cannot be read, or is not of that form.
pub fn read(file: &Path) -> Result<Members, Failure> {
    let failed = || Failure::usage(format!("cannot use the groups of {}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| failed().because(error))?;
    parse(&text).map_err(|why| failed().because(why).hint(FORM))
}

fn parse(text: &str) -> Result<Members, String> {
    let documents = Yaml::load_from_str(text).map_err(|error| error.to_string())?;
    let [document] = documents.as_slice() else { return Err("it names no group".to_owned()) };
    let groups = document.as_mapping().filter(|groups| !groups.is_empty()).ok_or("it names no group")?;
    let mut members = Members::new();
    for (group, users) in groups {
        let group = group.as_str().ok_or("a group's name is a word")?;
        let users = users.as_sequence().ok_or_else(|| format!("the members of {group} are no list"))?;
        let users = users.iter().map(|user| user.as_str().and_then(principal).ok_or_else(|| not_a_user(group)));
        members.insert(group.to_owned(), users.collect::<Result<BTreeSet<_>, _>>()?);
    }
    Ok(members)
}

/// One user: no pattern, and nobody in particular is nobody.
fn principal(text: &str) -> Option<String> {
    let name = text.strip_prefix(USER)?;
    (!name.is_empty() && name != "*" && !name.contains(char::is_whitespace)).then(|| text.to_owned())
}

fn not_a_user(group: &str) -> String {
    format!("a member of {group} is not the principal of one user")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn groups_have_users() {
        let members = parse("analysts: [User:ana, User:upselling-offers]\ncampaigns: []\n").unwrap();
        assert_eq!(members["analysts"].len(), 2);
        assert!(members["campaigns"].is_empty());
        assert_eq!(parse(r#"{"analysts": ["User:ana"]}"#).unwrap()["analysts"].len(), 1);
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
            parse(text).unwrap_err();
        }
    }
}
