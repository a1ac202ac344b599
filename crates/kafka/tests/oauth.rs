//! SASL OAUTHBEARER on a real Kafka: each kind of client is let in by a token, and stays so past the end of the first ones.
#![allow(clippy::unwrap_used)]
#![allow(unreachable_pub, dead_code, reason = "the end-to-end tests use the rest of what they share with this one")]

#[path = "../../../tests/e2e/secure/authority.rs"]
mod authority;
#[path = "../../../tests/e2e/secure/issuer.rs"]
mod issuer;

use std::time::Duration;

use issuer::{Issuer, SECRET};
use mesh_kafka::admin::{Admin, TopicSpec};
use mesh_kafka::consumer::{Consumer, Start, Stretch, TailReader};
use mesh_kafka::embedded::{EmbeddedKafka, Options};
use mesh_kafka::log::{FencedLogWriter, LogReader};
use mesh_kafka::producer::Producer;
use mesh_kafka::sink::{self, Sink};
use mesh_kafka::source::{self, Limits, Source};
use mesh_kafka::{ErrorKind, OutgoingRecord, Settings};

const TOPIC: &str = "crm.customers.v1";
const OPERATOR: &str = "mesh-operator";
const PATIENCE: Duration = Duration::from_secs(90);
/// Long enough for a busy machine, short enough to see several of them.
const LIFETIME: Duration = Duration::from_secs(10);

/// One of each kind, all of the same settings, as a service has them.
struct Clients {
    admin: Admin,
    producer: Producer,
    consumer: Consumer,
    log: LogReader,
    fenced: FencedLogWriter,
    tails: TailReader,
    source: Source,
    sink: Sink,
}

impl Clients {
    async fn open(settings: &Settings) -> Self {
        let admin = Admin::new(settings).unwrap();
        admin.wait_ready(PATIENCE).await.unwrap();
        admin.create_topics(&[TopicSpec::new(TOPIC)]).await.unwrap();
        let source = Source::open(settings, &source::Options::new("sidecar")).unwrap();
        source.subscribe(&[TOPIC]).unwrap();
        Clients {
            admin,
            producer: Producer::new(settings).unwrap(),
            consumer: Consumer::join(settings, "reader", TOPIC, Start::Beginning).unwrap(),
            log: LogReader::open(settings, TOPIC).await.unwrap(),
            fenced: FencedLogWriter::open(settings, "writer").await.unwrap(),
            tails: TailReader::new(settings).unwrap(),
            source,
            sink: tokio::task::block_in_place(|| Sink::open(settings, &sink::Options::new("sidecar")).unwrap()),
        }
    }

    /// Writes two records in two ways, and reads them in four.
    async fn work(&mut self) {
        let record = || OutgoingRecord::to(TOPIC).value("hello");
        self.producer.send(record()).await.unwrap().await.unwrap();
        self.fenced.append(record()).await.unwrap();
        tokio::task::block_in_place(|| {
            self.sink.begin().unwrap();
            self.sink.commit_alone().unwrap();
        });
        for _ in 0..2 {
            tokio::time::timeout(PATIENCE, self.consumer.next()).await.unwrap().unwrap();
        }
        let mut seen = 0;
        self.log.read_to_end(|_| seen += 1).await.unwrap();
        assert_eq!(seen, 2);
        let end = *self.admin.end_offsets(&[TOPIC]).await.unwrap().values().next().unwrap();
        let stretch = Stretch { topic: TOPIC.into(), partition: 0, offsets: 0..end, records_max: 1 };
        let (reading, _) = self.tails.read(vec![stretch], (), |(), _, _| {}).await.unwrap();
        assert!(reading.records > 0);
        tokio::task::block_in_place(|| gather(&self.source, 2));
    }
}

fn gather(source: &Source, wanted: usize) {
    let limits =
        Limits { records_max: 10, bytes_max: 1 << 20, linger: Duration::ZERO, wait: Duration::from_millis(50) };
    let started = std::time::Instant::now();
    let mut gathered = 0;
    while gathered < wanted {
        assert!(started.elapsed() < PATIENCE, "{gathered} of {wanted} records were gathered");
        gathered += source.gather(&limits).unwrap().len();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_client_is_let_in_by_tokens_that_are_renewed() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = Issuer::start(folder.path(), LIFETIME).await;
    let keys = authority::private(folder.path(), "keys.json", &issuer.keys());
    let (properties, jvm) = issuer::kafka(&keys);
    let kafka = EmbeddedKafka::start(Options { secured: true, properties, jvm, ..Options::default() }).await.unwrap();
    let asking = |secret: &str| {
        Settings::new(kafka.bootstrap_servers())
            .with("security.protocol", "SASL_SSL")
            .with("ssl.ca.location", kafka.folder().join("secure/ca.pem").display().to_string())
            .with("sasl.mechanisms", "OAUTHBEARER")
            .with("sasl.oauthbearer.client.id", OPERATOR)
            .with("sasl.oauthbearer.client.secret", secret)
            .with("sasl.oauthbearer.scope", "kafka")
            .with("sasl.oauthbearer.extensions", "team=crm")
            .with("sasl.oauthbearer.token.endpoint.url", issuer.url.as_str())
            .with("https.ca.location", issuer.authority.display().to_string())
    };
    let mut clients = Clients::open(&asking(SECRET)).await;
    clients.work().await;
    assert_eq!(issuer.issued(), 1, "one token lets all clients in");
    let started = std::time::Instant::now();
    while issuer.issued() < 3 {
        assert!(started.elapsed() < PATIENCE, "{} tokens were asked for", issuer.issued());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    clients.work().await;

    // what librdkafka has no request for is asked with a token, too
    assert!(clients.admin.quotas().await.unwrap().is_empty());
    let wrong = Admin::new(&asking("hunter3")).unwrap().quotas().await.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Unauthorised);
    let wrong = Admin::new(&asking("hunter3")).unwrap().wait_ready(PATIENCE).await.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Unauthorised);
    let said = std::error::Error::source(&wrong).unwrap().to_string();
    assert!(said.contains("invalid_client") && !said.contains("hunter"), "{said}");
    drop(clients);
    kafka.stop().await;
}
