//! Listeners with TLS and access, as clients meet them.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    io::Write,
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use axum::{Router, routing::get};
use mesh_runtime::{
    AdminServer, HttpListener, ListenerError, Readiness, Shutdown, Tls, TlsError, TlsFiles,
    access::{Access, hashed_token},
    recorder,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(30);

/// A certificate authority, and a folder for what it issues.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer, folder: tempfile::tempdir().unwrap() }
    }

    /// Writes a certificate for `name` and its key, both replaced whole.
    fn issue(&self, name: &str) -> TlsFiles {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let files = TlsFiles { certificate: self.path("tls.crt"), key: self.path("tls.key") };
        self.replace(&files.key, &key.serialize_pem());
        self.replace(&files.certificate, &certificate.pem());
        files
    }

    fn replace(&self, path: &Path, text: &str) {
        let new = self.path("new");
        fs::write(&new, text).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(&new, path).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A client that trusts this authority alone, and reaches `name` at `address`.
    fn client(&self, name: &str, address: std::net::SocketAddr) -> reqwest::Client {
        let root = reqwest::Certificate::from_pem(self.issuer.pem().as_bytes()).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([root]).pool_max_idle_per_host(0);
        client.resolve(name, address).timeout(PATIENCE).build().unwrap()
    }
}

fn serve(listener: HttpListener) -> (Shutdown, JoinHandle<Result<(), ListenerError>>) {
    let shutdown = Shutdown::new(Duration::from_secs(5));
    let router = Router::new().route("/", get(async || "here"));
    (shutdown.clone(), tokio::spawn(listener.serve(router, shutdown)))
}

#[tokio::test(flavor = "multi_thread")]
async fn https_is_served_to_whoever_trusts_the_authority_and_to_nobody_in_clear() {
    let authority = Authority::new();
    let tls = Tls::open(authority.issue("registry.test")).unwrap();
    let listener = HttpListener::bind("127.0.0.1:0").await.unwrap().with_tls(Some(tls));
    let (address, url) = (listener.address(), listener.url());
    assert_eq!(url, format!("https://{address}"));
    let (shutdown, serving) = serve(listener);
    // Somebody who never begins the handshake holds up nobody.
    let mut silent = TcpStream::connect(address).unwrap();
    silent.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    let _speechless = TcpStream::connect(address).unwrap();

    let client = authority.client("registry.test", address);
    for url in [&url, &format!("https://registry.test:{}", address.port())] {
        assert_eq!(client.get(url).send().await.unwrap().text().await.unwrap(), "here");
    }
    let stranger = Authority::new().client("registry.test", address).get(&url).send().await.unwrap_err();
    assert!(format!("{stranger:?}").contains("InvalidCertificate"), "{stranger:?}");
    let misnamed = authority.client("other.test", address).get(format!("https://other.test:{}", address.port()));
    assert!(format!("{:?}", misnamed.send().await.unwrap_err()).contains("NotValidForName"));
    assert!(client.get(format!("http://{address}")).send().await.is_err(), "nothing is answered in clear");
    shutdown.trigger();
    serving.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_served_without_a_restart() {
    let authority = Authority::new();
    let tls = Tls::open(authority.issue("old.test")).unwrap();
    let listener = HttpListener::bind("127.0.0.1:0").await.unwrap().with_tls(Some(tls));
    let address = listener.address();
    let (shutdown, serving) = serve(listener);
    let ask = async |name: &str| {
        authority.client(name, address).get(format!("https://{name}:{}", address.port())).send().await.is_ok()
    };
    assert!(ask("old.test").await && !ask("new.test").await);
    authority.issue("new.test");
    let renewed = async { while !ask("new.test").await {} };
    tokio::time::timeout(PATIENCE, renewed).await.expect("the new certificate is served in time");
    shutdown.trigger();
    serving.await.unwrap().unwrap();
}

#[test]
fn what_cannot_be_served_is_refused_at_once() {
    let authority = Authority::new();
    let files = authority.issue("registry.test");
    let other = Authority::new().issue("registry.test");
    let swapped = TlsFiles { certificate: files.key.clone(), key: files.certificate.clone() };
    assert!(matches!(Tls::open(swapped), Err(TlsError::Pem { expected: "certificate", .. })));
    let missing = TlsFiles { key: authority.path("none"), ..files.clone() };
    assert!(matches!(Tls::open(missing), Err(TlsError::File { .. })));
    let foreign = TlsFiles { key: other.key, ..files.clone() };
    assert!(Tls::open(foreign).is_err());
    fs::write(authority.path("other.key"), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    fs::set_permissions(authority.path("other.key"), fs::Permissions::from_mode(0o640)).unwrap();
    let mismatched = TlsFiles { key: authority.path("other.key"), ..files.clone() };
    assert!(matches!(Tls::open(mismatched), Err(TlsError::Pair { .. })));
    fs::set_permissions(&files.key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(Tls::open(files), Err(TlsError::File { .. })), "others could read the key");
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_answer_anybody_and_metrics_whoever_may_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.json");
    let (reader, nobody) = (hashed_token("mesh_reader"), hashed_token("mesh_nobody"));
    let users = format!(
        r#"{{"users": [{{"name": "prometheus", "token": "{reader}", "read": ["*"]}}, {{"name": "none", "token": "{nobody}"}}]}}"#
    );
    fs::write(&path, users).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let admin = AdminServer::bind("127.0.0.1:0", Readiness::default(), recorder::install().unwrap()).await.unwrap();
    let admin = admin.with_access(Access::open(&path).unwrap());
    let admin = admin.merge(Router::new().route("/more", get(async || "more").post(async || "changed")));
    let url = admin.url();
    let shutdown = Shutdown::new(Duration::from_secs(5));
    let serving = tokio::spawn(admin.serve(shutdown.clone()));

    let client = reqwest::Client::new();
    let status = async |path: &str, token: Option<&str>| {
        let request = client.get(format!("{url}{path}"));
        let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
        request.send().await.unwrap().status().as_u16()
    };
    for path in ["/livez", "/readyz"] {
        assert_eq!(status(path, None).await, 200, "{path}");
    }
    for path in ["/metrics", "/more"] {
        assert_eq!(status(path, None).await, 401, "{path}");
        assert_eq!(status(path, Some("mesh_other")).await, 401, "{path}");
        assert_eq!(status(path, Some("mesh_nobody")).await, 403, "{path}");
        assert_eq!(status(path, Some("mesh_reader")).await, 200, "{path}");
    }
    let change = client.post(format!("{url}/more")).bearer_auth("mesh_reader").send().await.unwrap();
    assert_eq!(change.status(), 403, "who may read may not change");
    let challenge = client.get(format!("{url}/metrics")).send().await.unwrap();
    assert!(challenge.headers()["www-authenticate"].to_str().unwrap().contains("Basic"));
    shutdown.trigger();
    serving.await.unwrap().unwrap();
}
