//! Keys of subjects in a KV engine.

use mesh_avro::keys::KeyRing;

use super::{said, server::Server};
use crate::keys::KeySource;

#[tokio::test]
async fn who_is_forgotten_is_in_no_version_of_the_secret() {
    let server = Server::start().await;
    (1..=3).for_each(|version| server.put(version));
    let mut keys = server.keys();
    assert!(keys.load().await.expect("it answers").subjects().is_err(), "there are none yet");
    assert_eq!(keys.add_subjects().await.expect("it takes them"), 3);
    assert_eq!(keys.add_subjects().await.expect("it has them"), 3);
    let before = keys.load().await.expect("it answers");
    let subjects = before.subjects().expect("they are there");
    let [jane, john] = ["jane", "john"].map(|name| subjects.path(&[1; 16], name));

    server.shelf().is_overtaken = true;
    assert_eq!(keys.forget(jane).await.expect("it lets us"), [3], "though somebody else was faster");
    assert!(keys.forget(jane).await.expect("it lets us").is_empty(), "it is forgotten already");
    let after = keys.load().await.expect("it answers");
    after.succeed(&before).expect("nobody came back");
    let left = after.subjects().expect("they are there");
    assert_eq!((left.versions_of(jane).count(), left.versions_of(john).count()), (0, 1));
    let secrets: Vec<bool> = server.shelf().subjects.values().map(Option::is_some).collect();
    assert_eq!(secrets, [false, false, true], "what was is destroyed");
}

#[tokio::test]
async fn a_vault_that_does_not_answer_has_forgotten_nobody() {
    let server = Server::start().await;
    server.put(1);
    let mut keys = server.keys();
    keys.add_subjects().await.expect("it takes them");
    let jane = keys.load().await.expect("it answers").subjects().expect("some").path(&[1; 16], "jane");
    server.shelf().trouble = Some(503);
    let error = keys.forget(jane).await.expect_err("it is sealed");
    assert!(said(&error).contains("sealed"), "{error}");
    server.shelf().trouble = None;
    assert_eq!(keys.forget(jane).await.expect("it lets us"), [1]);
}
