//! Client quotas on a real Kafka: kept beside others', enforced, seen by Kafka's own tool; and who may not ask is told why.
#![allow(clippy::unwrap_used)]
#![allow(unreachable_pub, dead_code, reason = "the end-to-end tests use the rest of what they share with this one")]

#[path = "../../../tests/e2e/secure/authority.rs"]
mod authority;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use mesh_contract::acl::{Acl, Operation, Resource};
use mesh_kafka::admin::{Admin, QuotaChanges, TopicSpec};
use mesh_kafka::embedded::{self, EmbeddedKafka, Options};
use mesh_kafka::{ErrorKind, Settings};
use rdkafka::client::ClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};
use rdkafka::statistics::Statistics;
use rdkafka::{ClientConfig, message::DeliveryResult};

const PATIENCE: Duration = Duration::from_secs(90);
const PRODUCE: &str = "producer_byte_rate";
const CONSUME: &str = "consumer_byte_rate";
const REQUESTS: &str = "request_percentage";
const TOPIC: &str = "crm.customers.v1.in";

fn change(user: &str, quotas: &[(&str, Option<f64>)]) -> QuotaChanges {
    let quotas = quotas.iter().map(|(quota, to)| ((*quota).to_owned(), *to));
    [(user.to_owned(), quotas.collect())].into()
}

fn quotas(quotas: &[(&str, f64)]) -> BTreeMap<String, f64> {
    quotas.iter().map(|(quota, value)| ((*quota).to_owned(), *value)).collect()
}

/// What others do to a cluster, and what they see of it: `quotas/ByHand.java`, which is Kafka's own client.
fn by_hand(settings: &Path, statements: &[&str]) -> Vec<String> {
    let jars = embedded::jars(&Options::default()).unwrap();
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/quotas/ByHand.java");
    let mut command = Command::new("java");
    command.args(["-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp"]).arg(jars.join("*")).arg(program).arg(settings);
    let output = command.args(statements).output().expect("a JDK is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{statements:?}: {said}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// How long a broker has held a client back, at most, by what librdkafka counts.
#[derive(Default)]
struct Throttled(Mutex<i64>);

impl ClientContext for Throttled {
    fn stats(&self, statistics: Statistics) {
        let worst = statistics.brokers.values().filter_map(|broker| Some(broker.throttle.as_ref()?.max)).max();
        let mut known = self.0.lock().unwrap();
        *known = worst.unwrap_or_default().max(*known);
    }
}

impl ProducerContext for Throttled {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

/// Writes until the broker holds it back; whether it has.
fn is_throttled(settings: &[(&str, &str)], patience: Duration) -> bool {
    let mut config = ClientConfig::new();
    for (setting, value) in settings {
        config.set(*setting, *value);
    }
    config.set("statistics.interval.ms", "100").set("linger.ms", "0");
    let producer: BaseProducer<Throttled> = config.create_with_context(Throttled::default()).unwrap();
    let (started, value) = (Instant::now(), vec![7; 20_000]);
    while started.elapsed() < patience {
        // what does not fit in the queue is no matter
        let _ = producer.send(BaseRecord::<(), _>::to(TOPIC).payload(&value));
        producer.poll(Duration::from_millis(5));
        if *producer.context().0.lock().unwrap() > 0 {
            producer.purge(rdkafka::producer::PurgeConfig::default().queue().inflight());
            return true;
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn quotas_of_users_are_kept_beside_others_and_enforced() {
    let kafka = EmbeddedKafka::start(Options::default()).await.unwrap();
    let (settings, admin) = (kafka.settings(), Admin::new(&kafka.settings()).unwrap());
    assert!(admin.quotas().await.unwrap().is_empty());
    admin.change_quotas(&QuotaChanges::new()).await.unwrap();

    // somebody else's: everybody's default, one user's together with a client id, and one that is not known here
    let folder = tempfile::tempdir().unwrap();
    let client = folder.path().join("client.properties");
    std::fs::write(&client, format!("bootstrap.servers={}\n", settings.bootstrap())).unwrap();
    let others = [
        "quota|user=|consumer_byte_rate|77",
        "quota|user=CN=ana, O=crm|client-id=kcat|consumer_byte_rate|78",
        "quota|user=CN=ana, O=crm|controller_mutation_rate|9",
    ];
    by_hand(&client, &others);

    let ana = "CN=ana, O=crm";
    let mut changes = change(ana, &[(PRODUCE, Some(10_000_000.0)), (REQUESTS, Some(12.5))]);
    changes.extend(change("bob", &[(CONSUME, Some(1.0))]));
    admin.change_quotas(&changes).await.unwrap();
    let of_ana = quotas(&[(PRODUCE, 10_000_000.0), (REQUESTS, 12.5), ("controller_mutation_rate", 9.0)]);
    let found = admin.quotas().await.unwrap();
    assert_eq!(found, [(ana.to_owned(), of_ana), ("bob".to_owned(), quotas(&[(CONSUME, 1.0)]))].into());

    // changed, taken away, and taken away once more
    admin.change_quotas(&change(ana, &[(PRODUCE, Some(5.0)), (REQUESTS, None), (CONSUME, None)])).await.unwrap();
    admin.change_quotas(&change("bob", &[(CONSUME, None)])).await.unwrap();
    admin.change_quotas(&change("bob", &[(CONSUME, None)])).await.unwrap();
    let found = admin.quotas().await.unwrap();
    assert_eq!(found, [(ana.to_owned(), quotas(&[(PRODUCE, 5.0), ("controller_mutation_rate", 9.0)]))].into());
    let seen = [
        "user= consumer_byte_rate=77.0",
        "user=CN=ana, O=crm client-id=kcat consumer_byte_rate=78.0",
        "user=CN=ana, O=crm controller_mutation_rate=9.0",
        "user=CN=ana, O=crm producer_byte_rate=5.0",
    ];
    assert_eq!(by_hand(&client, &["describe"]), seen);

    // all of one user's or nothing: Kafka refuses nonsense in its own words
    let nonsense = change("bob", &[(PRODUCE, Some(-1.0)), (CONSUME, Some(9.0))]);
    let refused = admin.change_quotas(&nonsense).await.unwrap_err();
    let said = std::error::Error::source(&refused).unwrap().to_string();
    assert!(refused.kind() == ErrorKind::Invalid && said.contains("must be greater than 0"), "{said}");
    assert!(!admin.quotas().await.unwrap().contains_key("bob"));

    // whoever writes too much waits
    admin.create_topics(&[TopicSpec::new(TOPIC)]).await.unwrap();
    admin.change_quotas(&change("ANONYMOUS", &[(PRODUCE, Some(10_000.0))])).await.unwrap();
    let client = [("bootstrap.servers", settings.bootstrap())];
    assert!(tokio::task::block_in_place(|| is_throttled(&client, PATIENCE)), "nobody was held back");
    kafka.stop().await;
}

fn said(error: &mesh_kafka::Error) -> String {
    std::error::Error::source(error).unwrap().to_string()
}

async fn refusal(settings: &Settings) -> (ErrorKind, String) {
    let refused = Admin::new(settings).unwrap().quotas().await.unwrap_err();
    (refused.kind(), said(&refused))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_let_in_as_by_librdkafka_or_told_why_not() {
    let plain = "org.apache.kafka.common.security.plain.PlainLoginModule required user_mesh-operator=\"hunter2\";";
    let properties = [
        ("sasl.enabled.mechanisms", "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN"),
        ("listener.name.secured.plain.sasl.jaas.config", plain),
        (
            "listener.name.secured.scram-sha-256.sasl.jaas.config",
            "org.apache.kafka.common.security.scram.ScramLoginModule required;",
        ),
    ];
    let properties = properties.map(|(property, value)| (property.to_owned(), value.to_owned())).into();
    let kafka = EmbeddedKafka::start(Options { secured: true, properties, ..Options::default() }).await.unwrap();
    let operator = kafka.settings();
    let admin = Admin::new(&operator).unwrap();
    let users = kafka.add_users(&["ana", "mesh-apply"]).await.unwrap();
    let [ana, apply] = users.as_slice() else { panic!("{users:?}") };

    // SCRAM-SHA-512, PLAIN, SCRAM-SHA-256, and a certificate of one's own
    let wanted = BTreeMap::from([("ana".to_owned(), quotas(&[(PRODUCE, 5.0)]))]);
    let by_password = |mechanism: &str, password: &str| {
        operator.clone().with("sasl.mechanisms", mechanism).with("sasl.password", password)
    };
    let java = kafka.operator().unwrap().java_file.clone();
    by_hand(&java, &["scram|mesh-operator|pencil"]);
    // the broker learns of all changes in their order: when it has heard of this one, it knows the password
    admin.change_quotas(&change("ana", &[(PRODUCE, Some(5.0))])).await.unwrap();
    let internal = kafka.internal_settings();
    for settings in
        [operator.clone(), by_password("PLAIN", "hunter2"), by_password("SCRAM-SHA-256", "pencil"), internal.clone()]
    {
        assert_eq!(Admin::new(&settings).unwrap().quotas().await.unwrap(), wanted);
    }

    // who has wrong credentials, or none
    for (mechanism, password) in [("SCRAM-SHA-512", "hunter3"), ("PLAIN", "hunter3"), ("SCRAM-SHA-256", "hunter3")] {
        let (kind, said) = refusal(&by_password(mechanism, password)).await;
        assert_eq!(kind, ErrorKind::Unauthorised, "{said}");
        assert!(said.contains("uthentication failed") && !said.contains("hunter"), "{said}");
    }
    let (kind, said) =
        refusal(&by_password("OAUTHBEARER", "").with("sasl.oauthbearer.token.endpoint.url", "file:///no/token")).await;
    assert!(kind == ErrorKind::Unauthorised && said.contains("cannot use the token in /no/token"), "{said}");
    let nobody = Settings::new(internal.bootstrap())
        .with("security.protocol", "ssl")
        .with("ssl.ca.location", internal.get("ssl.ca.location").unwrap());
    let (kind, said) = refusal(&nobody).await;
    assert!(kind == ErrorKind::Unauthorised && said.contains("certificate"), "{said}");
    let (kind, said) = refusal(&Settings::new(operator.bootstrap())).await;
    assert!(kind == ErrorKind::Unreachable && said.contains("may expect another security.protocol"), "{said}");

    // who is not to be trusted
    let folder = tempfile::tempdir().unwrap();
    let other = authority::Authority::new("an authority of our own", rcgen::KeyPair::generate().unwrap());
    let other = authority::private(folder.path(), "other.pem", &other.pem());
    let (kind, said) = refusal(&operator.clone().with("ssl.ca.location", other.display().to_string())).await;
    assert!(kind == ErrorKind::Unauthorised && said.contains("of no authority that is trusted here"), "{said}");
    let unverified = operator
        .clone()
        .with("ssl.ca.location", other.display().to_string())
        .with("enable.ssl.certificate.verification", "false");
    assert_eq!(Admin::new(&unverified).unwrap().quotas().await.unwrap(), wanted);

    // who may not look, who may look, and who may change
    let (kind, said) = refusal(&ana.settings).await;
    assert!(kind == ErrorKind::Unauthorised && said.contains("does not authorise it"), "{said}");
    let rule = |operation| Acl { principal: "User:mesh-apply".to_owned(), resource: Resource::Cluster, operation };
    admin.grant(&[rule(Operation::DescribeConfigs)].into()).await.unwrap();
    let looking = Admin::new(&apply.settings).unwrap();
    assert_eq!(looking.quotas().await.unwrap(), wanted);
    let asked = change("ana", &[(PRODUCE, Some(6.0))]);
    assert_eq!(looking.change_quotas(&asked).await.unwrap_err().kind(), ErrorKind::Unauthorised);
    admin.grant(&[rule(Operation::AlterConfigs)].into()).await.unwrap();
    // it holds at the broker by now; the controller has an authoriser of its own, which may hear of it later
    let started = Instant::now();
    while let Err(refused) = looking.change_quotas(&asked).await {
        assert!(started.elapsed() < PATIENCE, "{refused}: {}", self::said(&refused));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    kafka.stop().await;
}
