//! Roots of a KV engine.

use std::time::{Duration, Instant};

use mesh_avro::keys::{KeyName, KeyRing, RootKeys};
use serde_json::json;

use super::{
    said,
    server::{SECRET, Server, TOKEN, root},
};
use crate::keys::{FollowOptions, FollowedKeys, KeySource, KeysError, VaultAccess, VaultKeys, VaultLogin};

#[tokio::test]
async fn every_live_version_is_a_root_and_is_read_once() {
    let server = Server::start().await;
    (1..=3).for_each(|version| server.put(version));
    server.shelf().versions.insert(2, None);
    let mut keys = server.keys();
    let roots = keys.load().await.expect("it answers");
    assert_eq!(roots.newest_version(), 3);
    let name = KeyName::hash("pii.contact");
    let expected = RootKeys::new([(3, [3; 32].into())]).expect("one").key(&name).expect("a root");
    assert_eq!(roots.key(&name).expect("a root").secret(), expected.secret());
    assert!(roots.key_version(&name, 1).is_ok() && roots.key_version(&name, 2).is_err());
    keys.load().await.expect("it answers");
    assert_eq!(server.shelf().reads, 2, "a version never changes");
}

#[tokio::test]
async fn what_it_refuses_is_told_without_a_word_of_its_answers() {
    let server = Server::start().await;
    let refused = async |access: &VaultAccess| {
        let mut keys = VaultKeys::new(access, SECRET).expect("it can be used");
        let error = keys.load().await.expect_err("refused");
        assert!(matches!(error, KeysError::Vault { .. } | KeysError::Malformed { .. }), "{error}");
        let text = said(&error);
        assert!(text.contains(SECRET), "{text}");
        text
    };
    assert!(refused(&server.access()).await.contains("no such secret"));
    server.put(1);
    let wrong = VaultAccess { login: VaultLogin::token("hvs.wrong".to_owned()), ..server.access() };
    let text = refused(&wrong).await;
    assert!(text.contains("refuses the token") && text.contains("GET secret/metadata/mesh/roots"), "{text}");
    let namespaced = VaultAccess { namespace: Some("team".to_owned()), ..server.access() };
    assert!(refused(&namespaced).await.contains("refuses the token"));
    for fields in [json!({}), json!({ "secret": "hunter2" }), json!({ "secret": 2 })] {
        server.shelf().versions.insert(1, Some(fields));
        let text = refused(&server.access()).await;
        assert!(text.contains("version 1") || text.contains("another form"), "{text}");
    }
}

#[tokio::test]
async fn what_may_pass_is_told_from_what_has_to_be_mended() {
    let server = Server::start().await;
    server.put(1);
    for (status, why) in [(503, "sealed"), (307, "standby"), (473, "standby"), (429, "too often"), (500, "by itself")] {
        server.shelf().trouble = Some(status);
        let error = server.keys().load().await.expect_err("in trouble");
        assert!(matches!(error, KeysError::VaultAway { .. }), "{error}");
        let text = said(&error);
        assert!(text.contains(why) && text.contains(&status.to_string()), "{text}");
    }
    let gone = VaultAccess { address: "http://127.0.0.1:1".to_owned(), ..server.access() };
    let error = VaultKeys::new(&gone, SECRET).expect("it can be used").load().await.expect_err("nobody is there");
    assert!(matches!(error, KeysError::VaultAway { .. }) && said(&error).contains("error sending request"), "{error}");
}

#[tokio::test]
async fn one_that_never_answers_is_given_up_on() {
    let server = Server::start().await;
    server.shelf().hangs = true;
    let error = server.keys().load().await.expect_err("it hangs");
    assert!(matches!(error, KeysError::VaultAway { .. }) && said(&error).contains("does not answer"), "{error}");
}

#[test]
fn secrets_are_not_sent_in_clear() {
    let access = |address: &str| VaultAccess {
        address: address.to_owned(),
        login: VaultLogin::token(TOKEN.to_owned()),
        namespace: None,
        authority: None,
    };
    for address in ["https://vault:8200", "http://localhost:8200", "http://127.0.0.1:8200", "http://[::1]:8200"] {
        assert!(VaultKeys::new(&access(address), SECRET).is_ok(), "{address}");
    }
    for address in ["http://vault:8200", "http://10.0.0.1:8200", "vault", "http://localhost.example.org"] {
        assert!(VaultKeys::new(&access(address), SECRET).is_err(), "{address}");
    }
    assert!(VaultKeys::new(&access("https://vault:8200"), "roots").is_err());
    let shown = format!("{:?}", access("https://vault:8200"));
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn a_rotation_is_followed_and_an_outage_waited_for() {
    let server = Server::start().await;
    server.put(1);
    server.shelf().trouble = Some(503);
    let options = FollowOptions { interval: Duration::from_millis(5), ..FollowOptions::default() };
    let keys = FollowedKeys::start(server.keys(), options);
    let name = KeyName::quarantine("crm");
    let version = || keys.key(&name).map(|key| key.version());
    let until = async |what: &str, wanted: u32| {
        let deadline = Instant::now() + Duration::from_secs(20);
        while version() != Ok(wanted) {
            assert!(Instant::now() < deadline, "{what}: {:?}", version());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(version().is_err());
    server.shelf().trouble = None;
    until("it is unsealed", 1).await;
    server.put(2);
    until("it is rotated", 2).await;
    server.shelf().trouble = Some(503);
    assert_eq!(version(), Ok(2), "what is in force stays through an outage");
    assert_eq!(keys.key_version(&name, 1).expect("the overlap").version(), 1);
}

#[tokio::test]
async fn a_version_may_be_wrapped_by_a_transit_key() {
    let server = Server::start().await;
    server.put(1);
    server.shelf().data_keys.insert("vault:v1:x".to_owned(), root(9));
    let wrapped = |key: &str| Some(json!({ "wrapped": "vault:v1:x", "transit": key }));
    server.shelf().versions.insert(2, wrapped("transit/roots"));
    let roots = server.keys().load().await.expect("it unwraps");
    let name = KeyName::hash("pii");
    let expected = RootKeys::new([(2, [9; 32].into())]).expect("one").key(&name).expect("a root");
    assert_eq!(roots.key(&name).expect("a root").secret(), expected.secret());
    server.shelf().versions.insert(2, wrapped("transit/../sys/seal"));
    let text = said(&server.keys().load().await.expect_err("no key's name"));
    assert!(text.contains("version 2") && text.contains("mount point"), "{text}");
}
