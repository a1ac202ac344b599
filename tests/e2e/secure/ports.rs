//! Every HTTP port of a secured backbone: TLS alone, and whoever wants more than the probes says who it is and may do it. Of all
//! the secrets that this takes, none is where others could see it.

use super::authority::{Authority, private};
use super::{Up, order, password, text};
use crate::support::{Finished, PATIENCE, mesh};
use rcgen::KeyPair;
use reqwest::{Certificate, Client, Method, RequestBuilder};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Certificates and users, in a folder of the test's own.
struct Doors {
    folder: TempDir,
    authority: PathBuf,
    /// Tokens by user.
    tokens: BTreeMap<&'static str, String>,
    certificate: PathBuf,
}

impl Doors {
    fn make() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let authority = Authority::new("the doors' authority", KeyPair::generate().expect("a key can be made"));
        let certificate = private(folder.path(), "door.pem", &authority.issue("door", 2100));
        let authority = private(folder.path(), "authority.pem", &authority.pem());
        let mut doors = Self { folder, authority, tokens: BTreeMap::new(), certificate };
        for (user, right, scope) in
            [("platform", "--write", "*"), ("prometheus", "--read", "metrics"), ("crm", "--write", "crm.")]
        {
            let mut add = mesh(["credentials", "add", user, right, scope, "--access"]);
            let token = Finished::of(add.arg(doors.access())).expect(0).stdout.trim().to_owned();
            doors.tokens.insert(user, token);
        }
        doors
    }

    fn access(&self) -> PathBuf {
        self.folder.path().join("access.json")
    }

    fn client(&self) -> Client {
        let pem = fs::read(&self.authority).expect("the file is ours");
        let authority = Certificate::from_pem(&pem).expect("it is a certificate");
        Client::builder().tls_certs_only([authority]).timeout(PATIENCE).build().expect("the authority is right")
    }
}

#[test]
fn every_port_asks_who_one_is_over_tls_and_no_secret_is_seen() {
    let doors = Doors::make();
    let mut up = Up::start_with(|command| {
        command.arg("--tls-certificate").arg(&doors.certificate).arg("--tls-key").arg(&doors.certificate);
        command.arg("--access").arg(doors.access()).arg("--registry-ca").arg(&doors.authority);
        command.env("MESH_REGISTRY_TOKEN", &doors.tokens["platform"]);
    });
    let runtime = Runtime::new().expect("threads can be started");
    runtime.block_on(each_asks(&doors, text(&up.said["registry_url"]), text(&up.said["http_url"])));

    // a producer with a password of the environment and a token of a file is let in by both
    let credentials = json!({ "token": doors.tokens["crm"] }).to_string();
    let credentials = private(doors.folder.path(), "credentials.json", &credentials);
    let mut publish = up.mesh_as("crm-service", ["publish", "crm.orders"]);
    publish.arg("--registry-credentials").arg(credentials).arg("--registry-ca").arg(&doors.authority);
    publish.env("MESH_KAFKA_PASSWORD", password(&up.client("crm-service")));
    Finished::given(&mut publish, &order(1)).expect(0);
    let secrets = secrets(&doors, &up);
    visible_nowhere(&secrets);
    up.process.signal(rustix::process::Signal::TERM);
    assert_eq!(up.process.wait(), 0, "{}", up.process.stderr());
    let logs = ["kafka.log", "kafka.out"].map(|log| fs::read_to_string(up.data.path().join(log)).expect("it is there"));
    for said in [up.process.stdout(), up.process.stderr()].into_iter().chain(logs) {
        assert_eq!(shown(&secrets, &said), None, "a secret is shown");
    }
}

async fn each_asks(doors: &Doors, registry: &str, http: &str) {
    let client = doors.client();
    let paths = [
        (Method::GET, format!("{registry}/subjects")),
        (Method::GET, format!("{http}/metrics")),
        (Method::GET, format!("{http}/api/v1/namespaces")),
        (Method::POST, format!("{http}/api/v1/lineage")),
        (Method::PUT, format!("{registry}/config")),
    ];
    assert_eq!(status(client.get(format!("{http}/livez"))).await, 200);
    // a part that has just begun, or is rebalanced, may not be ready; whoever asks is answered
    assert!([200, 503].contains(&status(client.get(format!("{http}/readyz"))).await));
    for (method, path) in &paths {
        assert!(path.starts_with("https://"), "{path}");
        let clear = Client::new().request(method.clone(), path.replace("https://", "http://"));
        assert!(clear.send().await.is_err(), "{path} is answered in clear");
        let ask = |token: Option<&str>| {
            let body = if path.ends_with("/config") { json!({ "compatibility": "BACKWARD" }) } else { event() };
            let request = client.request(method.clone(), path);
            let request = if method == Method::GET { request } else { request.json(&body) };
            token.into_iter().fold(request, RequestBuilder::bearer_auth)
        };
        assert_eq!(status(ask(None)).await, 401, "{path}");
        assert_eq!(status(ask(Some("mesh_made_up"))).await, 401, "{path}");
        let reads = status(ask(Some(&doors.tokens["prometheus"]))).await;
        assert_eq!(reads, if method == Method::GET { 200 } else { 403 }, "{path}");
        // who writes a domain's subjects tells lineage, and sets nothing for all
        let writes = status(ask(Some(&doors.tokens["crm"]))).await;
        assert_eq!(writes == 403, path.ends_with("/config"), "{path}: {writes}");
        let all = status(ask(Some(&doors.tokens["platform"]))).await;
        assert!((200..300).contains(&all), "{path}: {all}");
    }
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.expect("it is answered").status().as_u16()
}

fn event() -> Value {
    json!({
        "eventType": "COMPLETE", "eventTime": "2026-01-01T00:00:00Z", "producer": "https://example.org/tests",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": { "runId": "0190c5b2-7d2e-7c5a-9c3f-2a1b3c4d5e6f" }, "job": { "namespace": "tests", "name": "doors" },
        "inputs": [], "outputs": [],
    })
}

/// All secrets that were made: passwords at Kafka, tokens, private keys, roots of keys.
fn secrets(doors: &Doors, up: &Up) -> BTreeMap<String, String> {
    let clients = up.said["clients"].as_object().expect("files by user");
    let passwords = clients.keys().map(|user| (format!("{user}'s password"), password(&up.client(user))));
    let tokens = doors.tokens.iter().map(|(user, token)| (format!("{user}'s token"), token.clone()));
    let secure = up.data.path().join("secure");
    let keys = [doors.certificate.clone(), secure.join("ca.key"), secure.join("broker.pem")];
    let keys = keys.iter().map(|file| (format!("the key in {}", file.display()), private_key(file)));
    let roots = fs::read_to_string(up.data.path().join("keys.json")).expect("it is there");
    let roots: Value = serde_json::from_str(&roots).expect("it is JSON");
    let root = ("a root of keys".to_owned(), text(&roots["roots"][0]["secret"]).to_owned());
    let made: BTreeMap<String, String> = passwords.chain(tokens).chain(keys).chain([root]).collect();
    assert!(made.values().all(|secret| secret.len() >= 20), "each is long enough to be told from other text");
    made
}

/// The first line of a private key in PEM.
fn private_key(file: &Path) -> String {
    let pem = fs::read_to_string(file).expect("the file is ours");
    let (_, key) = pem.split_once("PRIVATE KEY-----\n").expect("there is a key");
    key.lines().next().expect("it has a line").to_owned()
}

/// The name of a secret that is in a text.
fn shown<'s>(secrets: &'s BTreeMap<String, String>, text: &str) -> Option<&'s str> {
    secrets.iter().find(|(_, secret)| text.contains(secret.as_str())).map(|(name, _)| name.as_str())
}

/// Neither on any process' command line, which every user of the machine can see, nor in what help says of the environment.
fn visible_nowhere(secrets: &BTreeMap<String, String>) {
    let processes = fs::read_dir("/proc").expect("this is Linux").flatten();
    // a process that has ended in between shows nothing
    let lines = processes.filter_map(|process| fs::read_to_string(process.path().join("cmdline")).ok());
    for line in lines {
        assert_eq!(shown(secrets, &line), None, "a secret is on a command line");
    }
    for command in ["up", "run", "demo", "apply", "publish", "subscribe", "credentials", "keys"] {
        let mut help = mesh([command, "--help"]);
        for variable in
            ["MESH_REGISTRY_TOKEN", "MESH_REGISTRY_PASSWORD", "MESH_KAFKA_PASSWORD", "MESH_KAFKA_CLIENT_SECRET"]
        {
            help.env(variable, "hunter2");
        }
        assert!(!Finished::of(&mut help).expect(0).stdout.contains("hunter2"), "{command} --help");
    }
}
