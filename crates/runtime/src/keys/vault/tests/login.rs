//! Who one is at Vault, and staying it.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{
    said,
    server::{ROLE_ID, SECRET, Server},
};
use crate::keys::{KeySource, LoginMethod, VaultAccess, VaultKeys, VaultLogin};

fn file(folder: &TempDir, text: &str) -> PathBuf {
    let file = folder.path().join("login");
    fs::write(&file, text).expect("the folder is ours");
    mode(&file, 0o600);
    file
}

fn mode(file: &Path, mode: u32) {
    fs::set_permissions(file, Permissions::from_mode(mode)).expect("the file is ours");
}

fn keys(server: &Server, login: VaultLogin) -> VaultKeys {
    VaultKeys::new(&VaultAccess { login, ..server.access() }, SECRET).expect("it can be used")
}

fn role(method: &str, proof: &Path) -> VaultLogin {
    let method: LoginMethod = format!("{method}:{ROLE_ID}").parse().expect("a method");
    VaultLogin::role(method, Some(proof.to_owned())).expect("there is a file")
}

#[tokio::test]
async fn a_token_comes_from_a_file_of_its_owners_and_is_renewed_in_time() {
    let server = Server::start().await;
    server.put(1);
    server.shelf().ttl = 3_000;
    let folder = tempfile::tempdir().expect("a folder");
    let file = file(&folder, "hvs.hunter2\n");
    mode(&file, 0o644);
    let mut keys = keys(&server, VaultLogin::TokenFile(file.clone()));
    let text = said(&keys.load().await.expect_err("open to others"));
    assert!(text.contains("chmod 600"), "{text}");
    mode(&file, 0o600);
    keys.load().await.expect("it answers");
    assert_eq!(server.shelf().renewals, 1, "less than half of its time is left");
    keys.load().await.expect("it answers");
    assert_eq!(server.shelf().renewals, 1, "it was looked at a moment ago");
    // an agent has replaced it
    server.shelf().tokens = ["hvs.next".to_owned()].into();
    fs::write(&file, "hvs.next").expect("the folder is ours");
    server.put(2);
    assert_eq!(keys.load().await.expect("it answers").newest_version(), 2);
}

#[tokio::test]
async fn a_role_logs_in_once_and_anew_when_its_token_is_taken_away() {
    let server = Server::start().await;
    server.put(1);
    let folder = tempfile::tempdir().expect("a folder");
    let file = file(&folder, "proof-hunter2\n");
    for (count, method) in [(1, "approle"), (3, "kubernetes@k8s-west")] {
        let mut keys = keys(&server, role(method, &file));
        keys.load().await.expect("it logs in");
        keys.load().await.expect("it is logged in");
        assert_eq!(server.shelf().logins, count, "{method}");
        server.shelf().tokens.clear();
        keys.load().await.expect("it logs in anew");
        assert_eq!(server.shelf().logins, count + 1, "{method}");
    }
}

#[tokio::test]
async fn a_role_that_proves_nothing_is_told_what_to_mend() {
    let server = Server::start().await;
    server.put(1);
    let folder = tempfile::tempdir().expect("a folder");
    let file = file(&folder, "wrong-hunter2");
    let text = said(&keys(&server, role("approle", &file)).load().await.expect_err("another's"));
    assert!(text.contains("POST auth/approle/login") && text.contains("does not know the role"), "{text}");
    let text = said(&keys(&server, role("approle@nowhere", &file)).load().await.expect_err("no mount"));
    assert!(text.contains("404"), "{text}");
    mode(&file, 0o644);
    let text = said(&keys(&server, role("approle", &file)).load().await.expect_err("open to others"));
    assert!(text.contains("chmod 600"), "{text}");
    fs::write(&file, "proof-hunter2").expect("ours");
    // Kubernetes mounts its tokens for everybody in the container
    assert!(keys(&server, role("kubernetes@k8s-west", &file)).load().await.is_ok());
    fs::remove_file(&file).expect("ours");
    let text = said(&keys(&server, role("approle", &file)).load().await.expect_err("gone"));
    assert!(text.contains("cannot read"), "{text}");
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_is_replaced_by_logging_in_anew() {
    let server = Server::start().await;
    server.put(1);
    let stand = |ttl, is_renewable| {
        let mut shelf = server.shelf();
        (shelf.ttl, shelf.is_renewable) = (ttl, is_renewable);
    };
    stand(3_000, false);
    let folder = tempfile::tempdir().expect("a folder");
    let mut keys = keys(&server, role("approle", &file(&folder, "proof-hunter2")));
    keys.load().await.expect("it logs in");
    keys.have_looked_long_ago();
    keys.load().await.expect("it logs in anew");
    let counts = || {
        let shelf = server.shelf();
        (shelf.logins, shelf.renewals)
    };
    assert_eq!(counts(), (2, 0));
    stand(3_000, true);
    keys.have_looked_long_ago();
    keys.load().await.expect("it is renewed");
    assert_eq!(counts(), (2, 1));
}

#[test]
fn a_method_names_its_role_and_where_it_is_mounted() {
    for method in ["approle:a", "kubernetes:mesh", "kubernetes@k8s/west-1:mesh:masking"] {
        assert!(method.parse::<LoginMethod>().is_ok(), "{method}");
    }
    for method in
        ["", "approle", "approle:", "token:x", "kubernetes@:mesh", "kubernetes@../sys:mesh", "kubernetes@a?b:c"]
    {
        assert!(method.parse::<LoginMethod>().is_err(), "{method}");
    }
    let approle: LoginMethod = "approle:a".parse().expect("a method");
    assert!(VaultLogin::role(approle, None).is_err(), "a secret id is wanted");
    assert!(VaultLogin::role("kubernetes:a".parse().expect("a method"), None).is_ok(), "a pod has its own");
}
