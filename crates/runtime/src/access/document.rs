//! The access file: who may do what, in JSON, with hashed secrets.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    principal::{Principal, Rights},
    scope::Scope,
    secret::{PasswordVerdict, TokenHash},
};

/// What everybody is called who gives no credentials.
const EVERYONE: &str = "everyone";

/// The file as it stands.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) users: Vec<UserEntry>,
    #[serde(default, skip_serializing_if = "RightsEntry::is_empty")]
    everyone: RightsEntry,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserEntry {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) password: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) read: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) write: Vec<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RightsEntry {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    read: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    write: Vec<String>,
}

impl RightsEntry {
    fn is_empty(&self) -> bool {
        self.read.is_empty() && self.write.is_empty()
    }
}

impl Document {
    /// The file's text.
    pub(super) fn render(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("strings and lists of them have a JSON form");
        format!("{text}\n")
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Document").field("users", &self.users.len()).finish_non_exhaustive()
    }
}

/// Somebody who can prove who they are.
pub(super) struct User {
    pub(super) principal: Principal,
    pub(super) password: Option<PasswordVerdict>,
    pub(super) token: Option<TokenHash>,
}

/// Everybody in an access file.
pub(super) struct Users {
    pub(super) users: Vec<User>,
    /// What is allowed without credentials; nothing unless the file says so.
    pub(super) everyone: Principal,
}

/// Reads an access file as it stands; why it cannot be read, without quoting any secret.
pub(super) fn parse(text: &str) -> Result<Document, String> {
    // serde_json's message may quote a value, so only the position is passed on.
    let located = |error: serde_json::Error| {
        format!("it is not the expected JSON at line {}, column {}", error.line(), error.column())
    };
    serde_json::from_str(text).map_err(located)
}

/// What an access file means; all that is wrong with it, without quoting any secret.
pub(super) fn users(document: Document) -> Result<Users, Vec<String>> {
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    let mut users = Vec::with_capacity(document.users.len());
    for entry in document.users {
        if !names.insert(entry.name.clone()) {
            problems.push(format!("the user {:?} is there twice", entry.name));
        }
        users.extend(user(entry, &mut problems));
    }
    let RightsEntry { read, write } = document.everyone;
    let everyone = Principal::new(EVERYONE, rights(EVERYONE, &read, &write, &mut problems));
    if problems.is_empty() { Ok(Users { users, everyone }) } else { Err(problems) }
}

fn user(entry: UserEntry, problems: &mut Vec<String>) -> Option<User> {
    let UserEntry { name, password, token, read, write } = entry;
    let known_problems = problems.len();
    if name.is_empty()
        || name == EVERYONE
        || name.contains(|character: char| character == ':' || character.is_control())
    {
        problems.push(format!("{name:?} cannot be a user's name: no colon, no control character, not `{EVERYONE}`"));
    }
    if password.is_none() && token.is_none() {
        problems.push(format!("the user {name:?} has neither `password` nor `token`"));
    }
    let password = password.and_then(|hash| match PasswordVerdict::parse(&hash) {
        Ok(verdict) => Some(verdict),
        Err(why) => {
            problems.push(format!("the `password` of {name:?} cannot be used: {why}"));
            None
        }
    });
    let token = token.and_then(|hash| {
        let parsed = TokenHash::parse(&hash);
        if parsed.is_none() {
            problems
                .push(format!("the `token` of {name:?} cannot be used: it is not `sha256:` and 64 hexadecimal digits"));
        }
        parsed
    });
    let rights = rights(&name, &read, &write, problems);
    (problems.len() == known_problems).then(|| User { principal: Principal::new(&name, rights), password, token })
}

fn rights(of: &str, read: &[String], write: &[String], problems: &mut Vec<String>) -> Rights {
    let mut scopes = |right: &str, texts: &[String]| {
        let parsed = texts.iter().filter_map(|text| match Scope::parse(text) {
            Ok(scope) => Some(scope),
            Err(why) => {
                problems.push(format!("{of:?} cannot {right} {text:?}: {why}"));
                None
            }
        });
        parsed.collect()
    };
    Rights { read: scopes("read", read), write: scopes("write", write) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{hashed_password, hashed_token};

    #[test]
    fn users_have_the_rights_they_are_given() {
        let text = format!(
            r#"{{"users": [{{"name": "crm", "password": "{}", "token": "{}", "write": ["crm."]}}], "everyone": {{"read": ["web."]}}}}"#,
            hashed_password("secret").expect("a hash"),
            hashed_token("mesh_token"),
        );
        let document = parse(&text).expect("the form");
        let users = users(document).unwrap_or_else(|problems| panic!("{problems:?}"));
        let crm = &users.users[0].principal;
        assert!(crm.may_write("crm.customers.v1-value") && crm.may_read("crm.customers.v1-value"));
        assert!(!crm.may_read("web.sessions-value") && !crm.may_write_all());
        assert!(users.everyone.may_read("web.sessions-value") && !users.everyone.may_write_any());
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once_and_no_secret_is_quoted() {
        let text = r#"{"users": [
            {"name": "a", "password": "hunter2"},
            {"name": "a", "token": "hunter2"},
            {"name": "b:c"},
            {"name": "d", "token": "sha256:00", "read": ["crm*", ""]}
        ]}"#;
        let problems = users(parse(text).expect("the form")).err().expect("many problems");
        assert_eq!(problems.len(), 8, "{problems:#?}");
        assert!(!problems.concat().contains("hunter2"), "{problems:?}");
        let misspelt = parse(r#"{"users": [{"name": "a", "passwrod": "hunter2"}]}"#).expect_err("an unknown key");
        assert!(misspelt.contains("line 1") && !misspelt.contains("hunter2"), "{misspelt:?}");
    }
}
