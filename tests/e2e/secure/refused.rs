//! Who is not let in, and why; and the other ways of saying who one is.

use super::authority::{Authority, private};
use crate::support::{Finished, mesh};
use mesh_kafka::embedded::{EmbeddedKafka, Options, Proxied};
use rcgen::KeyPair;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A secured Kafka that also takes PLAIN passwords, with a second way in whose certificate has expired.
struct Bed {
    runtime: Runtime,
    kafka: Option<EmbeddedKafka>,
    folder: TempDir,
    expired: String,
}

impl Bed {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let authority = Authority::new("an authority of our own", KeyPair::generate().expect("a key can be made"));
        private(folder.path(), "own-ca.pem", &authority.pem());
        let expired = private(folder.path(), "expired.pem", &authority.issue("broker", 2001));
        let port = free_port();
        let properties = [
            ("sasl.enabled.mechanisms", "SCRAM-SHA-512,PLAIN".to_owned()),
            (
                "listener.name.secured.plain.sasl.jaas.config",
                "org.apache.kafka.common.security.plain.PlainLoginModule required user_mesh-operator=\"hunter2\";"
                    .to_owned(),
            ),
            (
                "listener.name.proxied.plain.sasl.jaas.config",
                "org.apache.kafka.common.security.plain.PlainLoginModule required;".to_owned(),
            ),
            ("listener.name.proxied.ssl.keystore.location", expired.display().to_string()),
        ];
        let options = Options {
            secured: true,
            proxied: Some(Proxied { port, advertised: port }),
            properties: properties.map(|(property, value)| (property.to_owned(), value)).into(),
            ..Options::default()
        };
        let runtime = Runtime::new().expect("threads can be started");
        let kafka = runtime.block_on(EmbeddedKafka::start(options)).expect("the embedded Kafka starts");
        Self { runtime, kafka: Some(kafka), folder, expired: format!("127.0.0.1:{port}") }
    }

    fn kafka(&self) -> &EmbeddedKafka {
        self.kafka.as_ref().expect("it is there until the drop")
    }

    /// The operator's client settings.
    fn settings(&self) -> String {
        let file = &self.kafka().operator().expect("it is secured").file;
        fs::read_to_string(file).expect("the file is ours")
    }

    /// Where the authority is.
    fn secure(&self, file: &str) -> PathBuf {
        self.kafka().folder().join("secure").join(file)
    }

    /// What `mesh products` says with these client settings.
    fn products(&self, settings: &str) -> Finished {
        let file = private(self.folder.path(), "client.properties", settings);
        Finished::of(mesh(["products", "--kafka-config"]).arg(file))
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if let Some(kafka) = self.kafka.take() {
            self.runtime.block_on(kafka.stop());
        }
    }
}

/// The way to a listener by another address of this machine, which is in no certificate; it ends with the test's process.
fn aliased(to: &str) -> String {
    let listener = TcpListener::bind("127.0.0.2:0").expect("loopback has more addresses");
    let address = listener.local_addr().expect("it listens").to_string();
    let to = to.to_owned();
    std::thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let Ok(far) = TcpStream::connect(&to) else { continue };
            for (mut from, mut into) in [(near.try_clone(), far.try_clone()), (far.try_clone(), near.try_clone())]
                .into_iter()
                .filter_map(|(from, into)| from.ok().zip(into.ok()))
            {
                std::thread::spawn(move || std::io::copy(&mut from, &mut into));
            }
        }
    });
    address
}

fn free_port() -> u16 {
    let bound = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    bound.expect("loopback has ports").port()
}

/// The settings with one of them replaced.
fn with(settings: &str, property: &str, value: &str) -> String {
    let others = settings.lines().filter(|line| !line.starts_with(&format!("{property}=")));
    others.map(|line| format!("{line}\n")).chain([format!("{property}={value}\n")]).collect()
}

/// Kafka was reached: there are no products on it.
fn let_in(finished: &Finished) {
    assert!(finished.code == 0 && finished.stderr.contains("no product has been applied yet"), "{}", finished.stderr);
}

fn kept_out(finished: &Finished, because: &str) {
    kept_out_at(finished, "127.0.0.", because);
}

fn kept_out_at(finished: &Finished, address: &str, because: &str) {
    let said = &finished.stderr;
    assert_eq!(finished.code, 4, "{said}");
    for part in [format!("cannot reach Kafka at {address}").as_str(), because, "hint:"] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    assert!(!said.contains("hunter"), "{said}");
}

#[test]
fn whoever_is_not_let_in_is_told_why_with_exit_code_4() {
    let bed = Bed::start();
    let good = bed.settings();
    let_in(&bed.products(&good));
    kept_out(&bed.products(&with(&good, "sasl.password", "hunter3")), "invalid credentials");
    kept_out(&bed.products(&with(&good, "sasl.username", "nobody")), "invalid credentials");
    let own = bed.folder.path().join("own-ca.pem").display().to_string();
    kept_out(&bed.products(&with(&good, "ssl.ca.location", &own)), "of no authority that is trusted here");
    let expired = with(&with(&good, "bootstrap.servers", &bed.expired), "ssl.ca.location", &own);
    kept_out(&bed.products(&expired), "the broker's certificate has expired");
    kept_out(&bed.products(&with(&good, "security.protocol", "PLAINTEXT")), "client settings (--kafka-config");
    kept_out(&bed.products(&with(&good, "bootstrap.servers", "127.0.0.1:1")), "refused");
    let misnamed = aliased(&bed.kafka().bootstrap_servers());
    kept_out(&bed.products(&with(&good, "bootstrap.servers", &misnamed)), "the broker's certificate is another host's");
    let unknown = bed.products(&with(&good, "bootstrap.servers", "kafka.invalid:9093"));
    kept_out_at(&unknown, "kafka.invalid:9093", "resolve 'kafka.invalid:9093'");

    // mutual TLS: whoever the authority vouches for is let in by its name, and nobody without a certificate
    let key = fs::read_to_string(bed.secure("ca.key")).expect("the folder is ours");
    let authority = Authority::new("mesh embedded Kafka", KeyPair::from_pem(&key).expect("it is one"));
    let certificate = private(bed.folder.path(), "operator.pem", &authority.issue("mesh-operator", 2100));
    let internal = bed.kafka().internal_settings();
    let mutual = format!(
        "bootstrap.servers={}\nsecurity.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.location={}\n",
        internal.bootstrap(),
        bed.secure("ca.pem").display()
    );
    let known = format!("{mutual}ssl.keystore.type=PEM\nssl.keystore.location={}\n", certificate.display());
    let_in(&bed.products(&known));
    kept_out(&bed.products(&mutual), "certificate");
    let over = private(bed.folder.path(), "over.pem", &authority.issue("mesh-operator", 2001));
    let over = format!("{mutual}ssl.keystore.type=PEM\nssl.keystore.location={}\n", over.display());
    kept_out(&bed.products(&over), "certificate");
    let stranger = Authority::new("an authority of our own", KeyPair::generate().expect("a key can be made"));
    let stranger = private(bed.folder.path(), "stranger.pem", &stranger.issue("mesh-operator", 2100));
    let stranger = format!("{mutual}ssl.keystore.type=PEM\nssl.keystore.location={}\n", stranger.display());
    kept_out(&bed.products(&stranger), "certificate");

    // PLAIN, with who one is in the environment
    let plain = with(&with(&good, "sasl.mechanisms", "PLAIN"), "sasl.password", "hunter3");
    kept_out(&bed.products(&plain), "uthentication failed");
    let file = private(bed.folder.path(), "plain.properties", &plain);
    let mut command = mesh(["products", "--kafka-config"]);
    let_in(&Finished::of(command.arg(&file).env("MESH_KAFKA_PASSWORD", "hunter2")));
}

#[test]
fn what_would_be_seen_or_cannot_be_used_is_refused() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let run = |args: &[&str]| {
        Finished::of(mesh(["products", "--bootstrap-servers", "127.0.0.1:1"]).args(args)).expect(2).stderr
    };
    let seen = run(&["-X", "sasl.password=hunter2"]);
    assert!(
        seen.contains("seen by every user") && seen.contains("MESH_KAFKA_PASSWORD") && !seen.contains("hunter2"),
        "{seen}"
    );
    let file = private(folder.path(), "client.properties", "sasl.password=hunter2\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("the file is ours");
    let open = run(&["--kafka-config", file.to_str().expect("temporary folders are UTF-8")]);
    assert!(open.contains("chmod 600") && !open.contains("hunter2"), "{open}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("the file is ours");
    fs::write(&file, "hunter2\n").expect("the file is ours");
    let wrong = run(&["--kafka-config", file.to_str().expect("temporary folders are UTF-8")]);
    assert!(wrong.contains("line 1") && !wrong.contains("hunter2"), "{wrong}");
    let mut help = mesh(["products", "--help"]);
    help.env("MESH_KAFKA_PASSWORD", "hunter2").env("MESH_KAFKA_CONFIG", &file);
    assert!(!Finished::of(&mut help).expect(0).stdout.contains("hunter2"));
}
