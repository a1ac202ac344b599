#![allow(clippy::unwrap_used)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing;
use bytes::Bytes;
use mesh_runtime::{HttpListener, Shutdown, Tls, TlsFiles};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;

use super::super::target;
use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
    fs::set_permissions(folder.join(name), Permissions::from_mode(0o600)).unwrap();
}

/// A receiver over TLS, with a certificate of this authority.
async fn listen(authority: &Authority, folder: &Path, shutdown: &Shutdown) -> String {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    write(folder, "tls.key", &key.serialize_pem());
    write(folder, "tls.crt", &params.signed_by(&key, authority).unwrap().pem());
    let tls = Tls::open(TlsFiles { certificate: folder.join("tls.crt"), key: folder.join("tls.key") }).unwrap();
    let listener = HttpListener::bind("127.0.0.1:0").await.unwrap().with_tls(Some(tls));
    let url = listener.url();
    let router = Router::new().route("/hook", routing::post(async || StatusCode::NO_CONTENT));
    drop(tokio::spawn(listener.serve(router, shutdown.clone())));
    url
}

#[tokio::test]
async fn a_receiver_of_an_own_authority_is_told_by_who_trusts_that_authority_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (internal, other) = (authority(), authority());
    let shutdown = Shutdown::new(Duration::from_secs(1));
    let url = listen(&internal, folder.path(), &shutdown).await;
    write(folder.path(), "internal.pem", &internal.pem());
    write(folder.path(), "other.pem", &other.pem());
    write(folder.path(), "both.pem", &format!("{}{}", other.pem(), internal.pem()));
    let target = |name: &str| {
        let mut target = json!({ "name": name, "url": format!("{url}/hook?token=hunter2"), "secrets": [SECRET] });
        if name != "system" {
            target["authority"] = json!(format!("{name}.pem"));
        }
        target
    };
    let targets = ["internal", "both", "other", "system"].map(target);
    write(folder.path(), "webhooks.json", &json!({ "targets": targets }).to_string());
    let event = Event { id: "e".to_owned(), body: Bytes::from("{}"), told: None, key: "k/1".to_owned() };
    let mut told = Vec::new();
    for target in target::read(&folder.path().join("webhooks.json")).unwrap() {
        match post(&client(&target).unwrap(), &target, &event).await {
            Ok(()) => told.push(target.name),
            Err(refusal) => {
                assert!(refusal.why.contains("certificate"), "{refusal:?}");
                assert!(!refusal.why.contains("hunter2") && !refusal.is_final, "{refusal:?}");
            }
        }
    }
    assert_eq!(told, ["internal", "both"]);
    shutdown.trigger();
}
