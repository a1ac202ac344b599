//! SASL OAUTHBEARER: the whole backbone is let in by tokens that are renewed before they are over, and who has none is told why.

use super::authority::private;
use super::issuer::{self, Issuer, SECRET, Signer, now};
use super::order;
use crate::support::{Finished, PATIENCE, Process, Tree, eventually, mesh};
use mesh_kafka::embedded::{EmbeddedKafka, Options};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// How long a token is good: long enough for a busy machine, short enough for several of them in a test.
const LIFETIME: Duration = Duration::from_secs(15);
const OPERATOR: &str = "mesh-operator";

/// A Kafka that takes tokens of an authorisation server besides passwords.
struct Bed {
    runtime: Runtime,
    kafka: Option<EmbeddedKafka>,
    issuer: Issuer,
    folder: TempDir,
}

impl Bed {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let runtime = Runtime::new().expect("threads can be started");
        let issuer = runtime.block_on(Issuer::start(folder.path(), LIFETIME));
        let keys = private(folder.path(), "keys.json", &issuer.keys());
        let (properties, jvm) = issuer::kafka(&keys);
        let options = Options { secured: true, properties, jvm, ..Options::default() };
        let kafka = runtime.block_on(EmbeddedKafka::start(options)).expect("the embedded Kafka starts");
        Self { runtime, kafka: Some(kafka), issuer, folder }
    }

    /// Client settings of somebody who asks for tokens, `more` among them.
    fn asking(&self, user: &str, secret: &str, more: &str) -> String {
        let Issuer { url, authority, .. } = &self.issuer;
        let asks = format!(
            "sasl.oauthbearer.client.id={user}\nsasl.oauthbearer.client.secret={secret}\nsasl.oauthbearer.scope=kafka\n\
             sasl.oauthbearer.token.endpoint.url={url}\nhttps.ca.location={}\n{more}",
            authority.display()
        );
        self.with(&asks)
    }

    /// Client settings of somebody whose tokens are put into a file.
    fn given(&self, token: &str) -> String {
        let file = private(self.folder.path(), "token", token);
        self.with(&format!("sasl.oauthbearer.token.endpoint.url=file://{}\n", file.display()))
    }

    fn with(&self, more: &str) -> String {
        let kafka = self.kafka.as_ref().expect("it is there until the drop");
        let authority = kafka.folder().join("secure/ca.pem");
        format!(
            "bootstrap.servers={}\nsecurity.protocol=SASL_SSL\nssl.ca.location={}\nsasl.mechanism=OAUTHBEARER\n{more}",
            kafka.bootstrap_servers(),
            authority.display()
        )
    }

    fn file(&self, name: &str, settings: &str) -> PathBuf {
        private(self.folder.path(), name, settings)
    }

    /// What `mesh products` says with these client settings.
    fn products(&self, settings: &str) -> Finished {
        Finished::of(mesh(["products", "--kafka-config"]).arg(self.file("client.properties", settings)))
    }

    fn kept_out(&self, settings: &str, code: i32, because: &str) {
        let Finished { code: found, stderr, .. } = self.products(settings);
        assert_eq!(found, code, "{stderr}");
        assert!(stderr.contains(because) && stderr.contains("hint:"), "{because:?} is not in {stderr}");
        assert!(!stderr.contains("hunter"), "{stderr}");
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if let Some(kafka) = self.kafka.take() {
            self.runtime.block_on(kafka.stop());
        }
    }
}

fn publish(command: &mut Command, numbers: std::ops::Range<usize>) {
    let orders: String = numbers.map(order).collect();
    Finished::given(command, &orders).expect(0);
}

/// Registry, sidecars, freshness and lineage, each with all its clients, past the end of several tokens.
#[test]
fn the_whole_backbone_is_let_in_by_tokens_that_are_renewed() {
    let bed = Bed::start();
    let tree = Tree::examples();
    let config = bed.file("up.properties", &bed.asking(OPERATOR, SECRET, ""));
    let mut up = mesh(["up", "--format", "json", "--kafka-config"]);
    up.arg(config).arg("--root").arg(tree.root());
    let mut up = Process::start(&mut up);
    let line = up.line("the backbone says where it is", |line| line.contains("registry_url"));
    let said: Value = serde_json::from_str(&line).expect("one JSON object a line");
    // commands have a token of a file, so that those that are asked for are the backbone's
    let token = bed.issuer.token(OPERATOR, Duration::from_secs(3600));
    let config = bed.file("given.properties", &bed.given(&token));
    let command = |args: &[&str]| {
        let mut command = mesh(args);
        command.arg("--kafka-config").arg(&config).arg("--root").arg(tree.root());
        command.args(["--registry-url", said["registry_url"].as_str().expect("it is text")]);
        command
    };
    let read = |count: usize| {
        eventually("the orders are masked", PATIENCE, || {
            let read = Finished::of(&mut command(&["subscribe", "crm.orders", "--until-end"])).expect(0);
            if read.stdout.lines().count() == count { Ok(()) } else { Err((read.stdout, up.stderr())) }
        });
    };
    publish(&mut command(&["publish", "crm.orders"]), 0..3);
    read(3);
    let before = bed.issuer.issued();
    eventually("tokens are renewed", PATIENCE, || match bed.issuer.issued() {
        issued if issued >= before + 2 => Ok(()),
        issued => Err((before, issued)),
    });
    publish(&mut command(&["publish", "crm.orders"]), 3..6);
    read(6);
    up.signal(rustix::process::Signal::TERM);
    assert_eq!(up.wait(), 0, "{}", up.stderr());
    for text in [up.stdout(), up.stderr()] {
        assert!(!text.contains("hunter") && !text.contains("eyJ"), "a secret is shown: {text}");
    }
    refused(&bed, &token);
}

fn refused(bed: &Bed, good: &str) {
    let reached = bed.products(&bed.given(good));
    assert_eq!(reached.code, 0, "{}", reached.stderr);
    // the authorisation server does not give a token
    bed.kept_out(&bed.asking(OPERATOR, "hunter3", ""), 4, "refuses a token: invalid_client (HTTP 401)");
    let scope = bed.asking(OPERATOR, SECRET, "sasl.oauthbearer.scope=other\n");
    bed.kept_out(&scope, 4, "refuses a token: invalid_scope (HTTP 400)");
    let elsewhere = bed.asking(OPERATOR, SECRET, "sasl.oauthbearer.token.endpoint.url=https://127.0.0.1:1/token\n");
    bed.kept_out(&elsewhere, 4, "cannot ask https://127.0.0.1:1/token for a token");
    let kafkas = bed.kafka.as_ref().expect("it is there").folder().join("secure/ca.pem");
    let untrusted = bed.asking(OPERATOR, SECRET, &format!("https.ca.location={}\n", kafkas.display()));
    bed.kept_out(&untrusted, 4, "certificate");
    // Kafka does not take it
    let stranger = Signer::new(LIFETIME).sign(OPERATOR, now() + 3600);
    bed.kept_out(&bed.given(&stranger), 4, "invalid_token");
    // there is none
    let over = Signer::new(LIFETIME).sign(OPERATOR, now() - 60);
    bed.kept_out(&bed.given(&over), 4, "the token has expired");
    bed.kept_out(&bed.with("sasl.oauthbearer.token.endpoint.url=file:///no/such/file\n"), 4, "cannot use the token");
    bed.kept_out(&bed.with(""), 2, "needs sasl.oauthbearer.token.endpoint.url");
}
