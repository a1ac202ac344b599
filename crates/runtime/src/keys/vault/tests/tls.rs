//! Vault over HTTPS, with a certificate of an authority of one's own.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;

use super::{
    said,
    server::{SECRET, Server, TOKEN, root},
};
use crate::{
    HttpListener, Shutdown, Tls, TlsFiles,
    keys::{KeySource, KeysError, VaultAccess, VaultKeys, VaultLogin},
};

/// Writes an authority's certificate, and one that it has issued for this machine.
fn issue(folder: &std::path::Path, name: &str) -> (PathBuf, TlsFiles) {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let server = CertificateParams::new(["127.0.0.1".to_owned()]).expect("an address");
    let certificate = server.signed_by(&key, &issuer).expect("it signs");
    let write = |end: &str, text: &str| {
        let path = folder.join(format!("{name}.{end}"));
        fs::write(&path, text).expect("the folder is ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("ours");
        path
    };
    let files = TlsFiles { certificate: write("crt", &certificate.pem()), key: write("key", &key.serialize_pem()) };
    (write("ca", &issuer.pem()), files)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_authority_that_is_named_is_trusted() {
    let folder = tempfile::tempdir().expect("a folder");
    let (authority, files) = issue(folder.path(), "vault");
    let (stranger, _) = issue(folder.path(), "stranger");
    let (shelf, routes) = Server::routes();
    shelf.lock().expect("ours").versions.insert(1, Some(json!({ "secret": root(1) })));
    let tls = Tls::open(files).expect("it can be served");
    let listener = HttpListener::bind("127.0.0.1:0").await.expect("a free port").with_tls(Some(tls));
    let (address, shutdown) = (listener.url(), Shutdown::new(Duration::from_secs(5)));
    let serving = tokio::spawn(listener.serve(routes, shutdown.clone()));
    let load = async |authority: Option<PathBuf>| {
        let login = VaultLogin::token(TOKEN.to_owned());
        let access = VaultAccess { address: address.clone(), login, namespace: None, authority };
        VaultKeys::new(&access, SECRET)?.load().await
    };
    assert_eq!(load(Some(authority)).await.expect("it is trusted").newest_version(), 1);
    for untrusted in [Some(stranger), None] {
        let error = load(untrusted).await.expect_err("nobody vouches for it");
        assert!(matches!(error, KeysError::VaultAway { .. }), "{error}");
        assert!(said(&error).contains("VAULT_CACERT"), "{error}");
    }
    let text = said(&load(Some(folder.path().join("vault.key"))).await.expect_err("no certificate"));
    assert!(text.contains("no certificate in PEM"), "{text}");
    shutdown.trigger();
    serving.await.expect("it does not panic").expect("it stops in order");
}
