//! An authorisation server: OAuth 2.0's client credentials over TLS, for signed JSON Web Tokens.

use super::authority::Authority;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use mesh_runtime::{HttpListener, Shutdown, Tls, TlsFiles};
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Who the tokens are for.
const AUDIENCE: &str = "kafka";
/// Who says so.
const ISSUER: &str = "https://issuer.example.org";
/// The secret of every client.
pub const SECRET: &str = "hunter2 & more";

/// A running authorisation server; it ends with the test.
pub struct Issuer {
    /// Where tokens are asked for.
    pub url: String,
    /// The authority of its certificate.
    pub authority: PathBuf,
    signer: Arc<Signer>,
    shutdown: Shutdown,
}

/// What signs tokens.
pub struct Signer {
    key: KeyPair,
    lifetime: Duration,
    issued: AtomicUsize,
}

impl Issuer {
    /// Starts one whose tokens are good for so long.
    pub async fn start(folder: &Path, lifetime: Duration) -> Self {
        let authority = Authority::new("the issuer's authority", KeyPair::generate().expect("a key can be made"));
        let pair = super::authority::private(folder, "issuer.pem", &authority.issue("issuer", 2100));
        let tls = Tls::open(TlsFiles { certificate: pair.clone(), key: pair }).expect("it is a certificate");
        let signer = Arc::new(Signer::new(lifetime));
        let shutdown = Shutdown::new(Duration::from_secs(1));
        let listener = HttpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let listener = listener.with_tls(Some(tls));
        let url = format!("{}/token", listener.url());
        let router = Router::new().route("/token", post(answer)).with_state(signer.clone());
        tokio::spawn(listener.serve(router, shutdown.clone()));
        let authority = super::authority::private(folder, "issuer-ca.pem", &authority.pem());
        Self { url, authority, signer, shutdown }
    }

    /// How many tokens were issued.
    pub fn issued(&self) -> usize {
        self.signer.issued.load(Ordering::Relaxed)
    }

    /// The keys that its tokens are verified with (RFC 7517).
    pub fn keys(&self) -> String {
        self.signer.keys()
    }

    /// A token for this user.
    pub fn token(&self, user: &str, lifetime: Duration) -> String {
        self.signer.sign(user, now() + lifetime.as_secs())
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.shutdown.trigger();
    }
}

async fn answer(State(signer): State<Arc<Signer>>, headers: HeaderMap, body: String) -> Response {
    let refused =
        |status, error| (status, Json(json!({ "error": error, "error_description": SECRET }))).into_response();
    let Some(user) = client(&headers) else { return refused(StatusCode::UNAUTHORIZED, "invalid_client") };
    if body != "grant_type=client_credentials&scope=kafka" {
        return refused(StatusCode::BAD_REQUEST, "invalid_scope");
    }
    signer.issued.fetch_add(1, Ordering::Relaxed);
    let token = signer.sign(&user, now() + signer.lifetime.as_secs());
    let answer = json!({ "access_token": token, "token_type": "Bearer", "expires_in": signer.lifetime.as_secs() });
    Json(answer).into_response()
}

/// The client that a request is from, if its secret is right (RFC 6749, 2.3.1).
fn client(headers: &HeaderMap) -> Option<String> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let given = String::from_utf8(BASE64_STANDARD.decode(given).ok()?).ok()?;
    let (user, secret) = given.split_once(':')?;
    (secret == "hunter2+%26+more").then(|| user.to_owned())
}

impl Signer {
    /// One with a key of its own.
    pub fn new(lifetime: Duration) -> Self {
        Self { key: KeyPair::generate().expect("a key can be made"), lifetime, issued: AtomicUsize::new(0) }
    }

    fn keys(&self) -> String {
        // an uncompressed point: 4, x, y
        let (x, y) = self.key.der_bytes()[1..].split_at(32);
        let [x, y] = [x, y].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
        let key = json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "one", "x": x, "y": y });
        json!({ "keys": [key] }).to_string()
    }

    /// A token for a user that is good until then, in seconds since 1970.
    pub fn sign(&self, user: &str, until: u64) -> String {
        let encode = |part: Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
        let head = encode(json!({ "alg": "ES256", "kid": "one", "typ": "JWT" }));
        let times = (now().min(until) - 60, until);
        let claims = json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": user, "iat": times.0, "exp": times.1 });
        let signed = format!("{head}.{}", encode(claims));
        let signature = self.key.sign(signed.as_bytes()).expect("it can be signed");
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(raw(&signature)))
    }
}

/// The two numbers of an ECDSA signature in ASN.1, as JSON Web Signatures have them (RFC 7518, 3.4).
fn raw(signature: &[u8]) -> Vec<u8> {
    let mut numbers = Vec::new();
    let mut rest = &signature[2..];
    for _ in 0..2 {
        let (number, after) = rest[2..].split_at(usize::from(rest[1]));
        let number = number.strip_prefix(&[0]).unwrap_or(number);
        numbers.extend(std::iter::repeat_n(0, 32 - number.len()));
        numbers.extend_from_slice(number);
        rest = after;
    }
    numbers
}

/// What an embedded Kafka is told to take tokens that are signed by one of these keys, and to have connections renewed before their
/// token is over (KIP-368): properties, and options of its JVM.
pub fn kafka(keys: &Path) -> (BTreeMap<String, String>, Vec<String>) {
    let handler = "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler";
    let module = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;";
    let file = keys.display().to_string();
    let url = format!("file://{file}");
    let properties = [
        ("sasl.enabled.mechanisms", "SCRAM-SHA-512,OAUTHBEARER"),
        ("listener.name.secured.oauthbearer.sasl.jaas.config", module),
        ("listener.name.secured.oauthbearer.sasl.server.callback.handler.class", handler),
        ("listener.name.secured.oauthbearer.connections.max.reauth.ms", "3600000"),
        ("sasl.oauthbearer.jwks.endpoint.url", url.as_str()),
        ("sasl.oauthbearer.expected.audience", AUDIENCE),
        ("sasl.oauthbearer.expected.issuer", ISSUER),
    ];
    let allowed = [("urls", &url), ("files", &file)];
    let allowed = allowed.map(|(kind, keys)| format!("-Dorg.apache.kafka.sasl.oauthbearer.allowed.{kind}={keys}"));
    (properties.map(|(property, value)| (property.to_owned(), value.to_owned())).into(), allowed.into())
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than that").as_secs()
}
