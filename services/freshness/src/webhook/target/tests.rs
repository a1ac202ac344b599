#![allow(clippy::unwrap_used)]

use std::error::Error as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn read_mode(text: &str, mode: u32) -> Result<Vec<Target>, TargetsError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("webhooks.json");
    fs::write(&path, text).unwrap();
    fs::write(folder.path().join("ca.pem"), "no certificate").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    read(&path)
}

fn faults(targets: Value) -> Vec<String> {
    match read_mode(&json!({ "targets": targets }).to_string(), 0o600).unwrap_err() {
        TargetsError::UseTargets { faults, .. } => faults,
        other => panic!("{other}"),
    }
}

#[test]
fn receivers_are_told_of_the_domains_they_name_or_of_all() {
    let file = json!({ "targets": [
        { "name": "crm", "url": "https://pager.example.org/token", "secrets": [SECRET, SECRET], "domains": ["crm"] },
        { "name": "all", "url": "http://127.0.0.1:9/", "secrets": [SECRET] },
    ]});
    let targets = read_mode(&file.to_string(), 0o640).unwrap();
    assert!(targets[0].wants("crm") && !targets[0].wants("web"));
    assert!(targets[1].wants("crm") && targets[1].wants("web"));
    assert_eq!(targets[0].secrets.len(), 2);
    let shown = format!("{targets:?}");
    assert!(!shown.contains("token") && !shown.contains("MfKQ"), "{shown}");
}

#[test]
fn everything_that_is_wrong_is_told_at_once_and_nothing_secret() {
    let told = faults(json!([
        { "name": "Crm", "url": "hunter2", "secrets": [SECRET] },
        { "name": "a", "url": "http://pager.example.org/hunter2", "secrets": [] },
        { "name": "a", "url": "https://u:hunter2@pager.example.org/", "secrets": ["hunter2"] },
        { "name": "b", "url": "ftp://pager.example.org/", "secrets": [SECRET], "authority": "none.pem" },
        { "name": "c", "url": "https://pager.example.org/", "secrets": [SECRET], "authority": "ca.pem" },
    ]));
    insta::assert_snapshot!(told.join("\n"), @r#"
    "Crm" is no name: lower-case letters, digits, `-` and `_`, at most 64
    "Crm" has an address that is no URL
    "a" would be told in clear: use https://, or say "allow_http": true
    "a" needs one to three secrets: whsec_ and base64 of 24 to 64 bytes each
    "a" is there twice
    "a" has a user or password in its address: receivers tell us by the signature
    "a" needs one to three secrets: whsec_ and base64 of 24 to 64 bytes each
    "b" has an address that is neither https:// nor http://
    "b" names an authority whose file cannot be read
    "c" names an authority that is no certificate in PEM
    "#);
    assert_eq!(faults(json!([])), ["there are between 1 and 64 targets, and it has 0"]);
}

#[test]
fn http_elsewhere_wants_to_be_asked_for() {
    let target = json!([{ "name": "a", "url": "http://pager:8080/", "secrets": [SECRET], "allow_http": true }]);
    assert!(read_mode(&json!({ "targets": target }).to_string(), 0o600).is_ok());
}

#[test]
fn what_is_no_such_file_is_refused_without_quoting_it() {
    for (text, wanted) in [
        ("hunter2", "not JSON"),
        (r#"{"targets": [{"name": "a", "url": "https://a", "secrets": "hunter2"}]}"#, "was expected"),
        (r#"{"targets": [], "hunter2": 1}"#, "was expected"),
    ] {
        let error = read_mode(text, 0o600).unwrap_err().to_string();
        assert!(error.contains(wanted) && !error.contains("hunter2"), "{error}");
    }
    let error = read_mode("{}", 0o644).unwrap_err();
    assert!(error.source().unwrap().to_string().contains("0644"), "{error}");
}
