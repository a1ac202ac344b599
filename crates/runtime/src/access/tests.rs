#![allow(clippy::unwrap_used)]
use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use axum::http::HeaderValue;

use super::*;

/// An access file that only its owner can use.
fn file(folder: &tempfile::TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("access.json");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn users(everyone: &str) -> String {
    let (password, token) = (hashed_password("correct horse").unwrap(), hashed_token("mesh_t"));
    format!(
        r#"{{"users": [{{"name": "crm", "password": "{password}", "write": ["crm."]}},
            {{"name": "ci", "token": "{token}", "read": ["*"]}}] {everyone}}}"#
    )
}

async fn identify(access: &Access, authorization: Option<&str>) -> Result<String, Denied> {
    let header = authorization.map(|value| (header::AUTHORIZATION, HeaderValue::from_str(value).unwrap()));
    access.identify(&HeaderMap::from_iter(header)).await.map(|principal| principal.name().to_owned())
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")))
}

#[tokio::test]
async fn passwords_and_tokens_say_who_one_is() {
    let folder = tempfile::tempdir().unwrap();
    let access = Access::open(&file(&folder, &users(""))).unwrap();
    for _ in ["first", "remembered"] {
        assert_eq!(identify(&access, Some(&basic("crm", "correct horse"))).await, Ok("crm".to_owned()));
    }
    assert_eq!(identify(&access, Some("Bearer mesh_t")).await, Ok("ci".to_owned()));
    assert_eq!(identify(&access, Some("bearer  mesh_t")).await, Ok("ci".to_owned()));
    assert_eq!(identify(&access, Some(&basic("ci", "mesh_t"))).await, Ok("ci".to_owned()), "a token as a password");
    assert_eq!(identify(&access, None).await, Err(Denied::NoCredentials));
    let wrong = [
        basic("crm", "wrong"),
        basic("crm", "mesh_t"),
        basic("nobody", "nobody's"),
        basic("ci", "correct horse"),
        basic("crm", &"x".repeat(PASSWORD_BYTES_MAX + 1)),
        "Bearer mesh_u".to_owned(),
        "Bearer correct horse".to_owned(),
        "Bearer".to_owned(),
        "Basic !".to_owned(),
        "Negotiate abc".to_owned(),
        String::new(),
    ];
    for authorization in wrong {
        assert_eq!(identify(&access, Some(&authorization)).await, Err(Denied::WrongCredentials), "{authorization}");
    }
}

#[tokio::test]
async fn wrong_credentials_are_not_taken_for_none() {
    let folder = tempfile::tempdir().unwrap();
    let access = Access::open(&file(&folder, &users(r#", "everyone": {"read": ["*"]}"#))).unwrap();
    assert_eq!(identify(&access, None).await, Ok("everyone".to_owned()));
    assert_eq!(identify(&access, Some("Bearer mesh_u")).await, Err(Denied::WrongCredentials));
    assert_eq!(identify(&Access::unrestricted(), Some("Bearer mesh_u")).await, Ok("anybody".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_is_taken_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, &users(""));
    let access = Access::open(&path).unwrap();
    let shutdown = Shutdown::new(Duration::ZERO);
    let following = tokio::spawn({
        let (access, shutdown) = (access.clone(), shutdown.clone());
        async move { access.follow(&shutdown).await }
    });
    fs::write(&path, users("").replace("\"ci\"", "\"build\"")).unwrap();
    let renamed = async {
        while identify(&access, Some("Bearer mesh_t")).await != Ok("build".to_owned()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), renamed).await.unwrap();
    fs::write(&path, "{").unwrap();
    access.known.as_ref().unwrap().reload();
    assert_eq!(identify(&access, Some("Bearer mesh_t")).await, Ok("build".to_owned()));
    shutdown.trigger();
    following.await.unwrap();
}

#[test]
fn a_file_that_others_can_read_is_refused_and_secrets_are_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, &users(""));
    let shown = format!("{:?}", Access::open(&path).unwrap());
    assert!(!shown.contains("argon2id") && !shown.contains("sha256"), "{shown}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(Access::open(&path), Err(AccessError::File { .. })));
}
