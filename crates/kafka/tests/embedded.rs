//! The embedded Kafka as a process: it starts, answers, keeps its data, and never outlives its owner.
#![allow(clippy::unwrap_used)]

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mesh_kafka::admin::{Admin, Creation, TopicSpec};
use mesh_kafka::embedded::{EmbeddedError, EmbeddedKafka, Options};

const DEADLINE: Duration = Duration::from_secs(30);

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn is_running(pid: u32) -> bool {
    // a zombie has ended
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}

#[tokio::test(flavor = "multi_thread")]
async fn starts_answers_and_leaves_nothing() {
    let kafka = EmbeddedKafka::start(Options::default()).await.unwrap();
    let (pid, folder) = (kafka.pid(), kafka.folder().to_owned());
    assert!(is_running(pid) && folder.exists());
    let admin = Admin::new(&kafka.settings()).unwrap();
    assert_eq!(admin.cluster_id().await.unwrap().len(), 22);
    assert_eq!(admin.topic_names().await.unwrap(), Vec::<String>::new());

    kafka.stop().await;
    assert!(!is_running(pid), "process {pid} is left");
    assert!(!folder.exists(), "{} is left", folder.display());
    let unreachable = admin.wait_ready(Duration::from_millis(300)).await.unwrap_err();
    assert_eq!(unreachable.kind(), mesh_kafka::ErrorKind::Unreachable);
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_its_data_in_a_given_folder_which_has_one_owner() {
    let data = tempfile::tempdir().unwrap();
    let options = Options { data: Some(data.path().join("kafka")), ..Options::default() };
    let kafka = EmbeddedKafka::start(options.clone()).await.unwrap();
    let admin = Admin::new(&kafka.settings()).unwrap();
    let cluster = admin.cluster_id().await.unwrap();
    assert_eq!(admin.create_topics(&[TopicSpec::new("kept").partitions(3)]).await.unwrap(), [Creation::Created]);

    let second = EmbeddedKafka::start(options.clone()).await.err().unwrap();
    assert!(matches!(second, EmbeddedError::DataInUse { .. }), "{second}");
    kafka.stop().await;

    let kafka = EmbeddedKafka::start(options).await.unwrap();
    let admin = Admin::new(&kafka.settings()).unwrap();
    assert_eq!(admin.cluster_id().await.unwrap(), cluster);
    assert_eq!(admin.partitions("kept").await.unwrap(), Some(3));
    drop(kafka);
    assert!(data.path().join("kafka/kafka.log").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_said() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = EmbeddedKafka::start(Options { port: Some(port), ..Options::default() }).await.err().unwrap();
    assert!(matches!(error, EmbeddedError::PortTaken { port: named } if named == port), "{error}");
    assert!(error.hint().contains("--kafka-port"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_data_folder_is_told_with_the_logs_last_words() {
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join("data")).unwrap();
    std::fs::write(
        data.path().join("data/meta.properties"),
        "version=1\nnode.id=7\ncluster.id=MAAAAAAAAAAAAAAAAAAAAA\n",
    )
    .unwrap();
    let error =
        EmbeddedKafka::start(Options { data: Some(data.path().into()), ..Options::default() }).await.err().unwrap();
    assert!(matches!(&error, EmbeddedError::Ended { tail, .. } if tail.contains("node id")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn its_death_is_noticed() {
    let kafka = EmbeddedKafka::start(Options::default()).await.unwrap();
    let killed = Command::new("kill").args(["-9", &kafka.pid().to_string()]).status().unwrap();
    assert!(killed.success());
    let error = tokio::time::timeout(DEADLINE, kafka.died()).await.unwrap();
    assert!(matches!(&error, EmbeddedError::Ended { status, .. } if status.contains('9')), "{error}");
}

/// Set in the process that [`a_killed_owner_takes_its_kafka_along`] starts: the file to write the pid and folder to.
const OWNER: &str = "MESH_TEST_KAFKA_OWNER";

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_owner_takes_its_kafka_along() {
    if let Some(report) = std::env::var_os(OWNER) {
        return own_a_kafka(Path::new(&report)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report");
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_killed_owner_takes_its_kafka_along"])
        .env(OWNER, &report)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("the owner's kafka answers", || report.exists());
    let text = std::fs::read_to_string(&report).unwrap();
    let (pid, left) = text.split_once('\n').unwrap();
    let (pid, left): (u32, PathBuf) = (pid.parse().unwrap(), left.into());
    assert!(is_running(pid) && left.exists());

    owner.kill().unwrap();
    owner.wait().unwrap();
    eventually("the kafka of a killed owner ends", || !is_running(pid));
    // nobody was left to remove its folder: the next one does
    assert!(left.exists());
    let next = EmbeddedKafka::start(Options::default()).await.unwrap();
    assert!(!left.exists(), "{} is left", left.display());
    next.stop().await;
}

async fn own_a_kafka(report: &Path) {
    let kafka = EmbeddedKafka::start(Options::default()).await.unwrap();
    let unfinished = report.with_extension("new");
    std::fs::write(&unfinished, format!("{}\n{}", kafka.pid(), kafka.folder().display())).unwrap();
    std::fs::rename(&unfinished, report).unwrap();
    std::future::pending::<()>().await;
}
