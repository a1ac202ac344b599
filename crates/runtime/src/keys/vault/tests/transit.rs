//! Key files that a transit key seals.

use std::fs;

use mesh_avro::keys::{KeyName, KeyRing};
use serde_json::Value;

use super::{said, server::Server};
use crate::keys::{FileKeys, KeySource, KeysError, SealedFile, TransitKey};

fn transit() -> TransitKey {
    "transit/roots".parse().expect("a key")
}

#[tokio::test]
async fn a_sealed_file_says_nothing_without_vault_and_the_same_with_it() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.json");
    let in_clear = FileKeys::generate(&path).expect("a new file");
    let secret = in_clear.key(&KeyName::hash("pii")).expect("a root").secret().to_owned();
    let document: Value = serde_json::from_str(&fs::read_to_string(&path).expect("ours")).expect("JSON");
    let written = document["roots"][0]["secret"].as_str().expect("base64").to_owned();

    let mut file = SealedFile::new(&path, &server.access()).expect("it can be used");
    assert!(!SealedFile::is_one(&path));
    assert!(said(&file.load().await.expect_err("in clear")).contains("not sealed"));
    file.enclose(&transit()).await.expect("Vault seals it");
    assert!(SealedFile::is_one(&path));
    let text = fs::read_to_string(&path).expect("ours");
    assert!(!text.contains(&written) && text.contains("transit/roots"), "{text}");
    assert!(FileKeys::open(&path).is_err(), "it is of no use without Vault");
    let opened = file.load().await.expect("Vault opens it").key(&KeyName::hash("pii")).expect("a root");
    assert_eq!(opened.secret(), &secret);
    assert!(file.enclose(&transit()).await.is_err(), "it is sealed already");

    assert_eq!(file.rotate().await.expect("Vault seals it anew"), 2);
    assert_eq!(file.versions().await.expect("Vault opens it"), [1, 2]);
    assert_eq!(server.shelf().data_keys.len(), 2, "each writing has a data key of its own");
    assert_eq!(fs::read_dir(folder.path()).expect("ours").count(), 1, "nothing is left beside it");
}

#[tokio::test]
async fn a_data_key_moves_to_the_newest_version_of_the_transit_key() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.json");
    let mut file = SealedFile::new(&path, &server.access()).expect("it can be used");
    file.generate(&transit()).await.expect("a new file");
    assert!(matches!(file.generate(&transit()).await, Err(KeysError::WriteFile { .. })), "never overwritten");
    let before = file.load().await.expect("Vault opens it").key(&KeyName::hash("pii")).expect("a root");
    server.shelf().transit_version = 2;
    file.rewrap().await.expect("Vault wraps it anew");
    assert!(fs::read_to_string(&path).expect("ours").contains("vault:v2:"));
    // the versions before are retired
    server.shelf().data_keys.retain(|wrapped, _| wrapped.starts_with("vault:v2:"));
    let after = file.load().await.expect("Vault opens it").key(&KeyName::hash("pii")).expect("a root");
    assert_eq!(before.secret(), after.secret());
    server.shelf().data_keys.clear();
    let text = said(&file.load().await.expect_err("retired"));
    assert!(text.contains("POST transit/decrypt/roots") && text.contains("retired"), "{text}");
}

#[tokio::test]
async fn what_was_changed_does_not_open() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.json");
    let mut file = SealedFile::new(&path, &server.access()).expect("it can be used");
    file.generate(&transit()).await.expect("a new file");
    let sealed: Value = serde_json::from_str(&fs::read_to_string(&path).expect("ours")).expect("JSON");
    // another data key of the same transit key
    server.shelf().data_keys.insert("vault:v1:other".to_owned(), super::server::root(77));
    for (field, value) in [("data_key", "vault:v1:other"), ("sealed", "AQAAAAEAAAA="), ("sealed", "hunter2")] {
        let mut changed = sealed.clone();
        changed[field] = value.into();
        fs::write(&path, changed.to_string()).expect("ours");
        let text = said(&file.load().await.expect_err(field));
        assert!(text.contains("does not open"), "{text}");
    }
    for (field, value) in [("transit", "transit/../../sys/raw"), ("transit", "roots"), ("more", "hunter2")] {
        let mut changed = sealed.clone();
        changed[field] = value.into();
        fs::write(&path, changed.to_string()).expect("ours");
        let error = file.load().await.expect_err(field);
        assert!(matches!(error, KeysError::Malformed { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_vault_that_is_away_takes_nothing_away() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.json");
    let mut file = SealedFile::new(&path, &server.access()).expect("it can be used");
    file.generate(&transit()).await.expect("a new file");
    let before = fs::read_to_string(&path).expect("ours");
    server.shelf().trouble = Some(503);
    assert!(matches!(file.load().await, Err(KeysError::VaultAway { .. })));
    assert!(matches!(file.rotate().await, Err(KeysError::VaultAway { .. })));
    assert!(matches!(file.rewrap().await, Err(KeysError::VaultAway { .. })));
    assert_eq!(fs::read_to_string(&path).expect("ours"), before);
    server.shelf().trouble = None;
    assert!(file.load().await.is_ok());
}
