//! The sidecar's source and sink on a real Kafka: through aborts, rebalances and takeovers, every record is copied once.
#![allow(clippy::unwrap_used)]
#![allow(unreachable_pub, reason = "a test binary has no outside: pub is for the other modules")]

#[path = "exactly_once/doubt.rs"]
mod doubt;
#[allow(dead_code, reason = "the crash suite uses the rest")]
#[path = "../../../tests/crash/road.rs"]
mod road;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mesh_kafka::admin::{Admin, TopicSpec};
use mesh_kafka::embedded::{EmbeddedKafka, Options, Proxied};
use mesh_kafka::log::LogReader;
use mesh_kafka::producer::Producer;
use mesh_kafka::sink::{self, Failure, Outgoing, Progress, Sink};
use mesh_kafka::source::{self, Assigned, Batch, Change, Committed, Limits, Source};
use mesh_kafka::{ErrorKind, OutgoingRecord, Record, Settings};

use doubt::what_follows_a_record_in_doubt_is_stored;
use road::Road;

const DEADLINE: Duration = Duration::from_secs(60);
const PARTITIONS: i32 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn on_a_real_kafka() {
    let proxied = free_port();
    let road = Road::to(proxied).await;
    let proxied = Some(Proxied { port: proxied, advertised: road.port });
    let kafka = EmbeddedKafka::start(Options { proxied, ..Options::default() }).await.unwrap();
    let settings = kafka.settings();
    what_follows_a_record_in_doubt_is_stored(&settings, &road).await;
    every_record_once_through_aborts_and_rebalances(&settings).await;
    metadata_comes_back_at_assignment(&settings).await;
    a_paused_partition_goes_on_where_it_was_told(&settings).await;
    an_output_too_large_is_named(&settings).await;
    a_dead_task_leaves_nothing(&settings).await;
    kafka.stop().await;
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn topics(settings: &Settings, input: &str, output: &str) {
    let admin = Admin::new(settings).unwrap();
    let specs = [input, output].map(|name| TopicSpec::new(name).partitions(PARTITIONS as u32));
    admin.create_topics(&specs).await.unwrap();
}

/// Writes numbered records, round and round the partitions.
async fn fill(settings: &Settings, topic: &str, numbers: std::ops::Range<usize>) {
    let producer = Producer::new(settings).unwrap();
    for number in numbers {
        let partition = i32::try_from(number).unwrap() % PARTITIONS;
        let record = OutgoingRecord::to(topic).partition(partition).key("k").value(number.to_string());
        drop(producer.try_send(&record).unwrap());
    }
    producer.flush(DEADLINE).await.unwrap();
}

async fn read(settings: &Settings, topic: &str) -> Vec<Record> {
    let mut reader = LogReader::open(settings, topic).await.unwrap();
    let mut records = Vec::new();
    reader.read_to_end(|record| records.push(record)).await.unwrap();
    records
}

fn limits(records_max: usize) -> Limits {
    Limits { records_max, bytes_max: 1 << 20, linger: Duration::from_millis(5), wait: Duration::from_millis(50) }
}

/// Copies until told to stop, as a sidecar does; every seventh batch is aborted and read again.
struct Copier {
    stop: Arc<AtomicBool>,
    copied: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Copier {
    fn start(settings: &Settings, name: &str, input: &str, output: &str) -> Self {
        let (stop, copied) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (settings, name, input, output) = (settings.clone(), name.to_owned(), input.to_owned(), output.to_owned());
        let (stopping, counting) = (stop.clone(), copied.clone());
        let thread = thread::spawn(move || {
            while !stopping.load(Ordering::Relaxed) {
                let mut sink = Sink::open(&settings, &sink::Options::new(&name)).unwrap();
                let source = Source::open(&settings, &source::Options::new("copiers")).unwrap();
                source.subscribe(&[&input]).unwrap();
                // an error means: open both anew
                let _ = copy(&source, &mut sink, &output, &stopping, &counting);
            }
        });
        Copier { stop, copied, thread }
    }

    fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}

fn copy(
    source: &Source,
    sink: &mut Sink,
    output: &str,
    stop: &AtomicBool,
    copied: &AtomicUsize,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut held: Vec<Assigned> = Vec::new();
    let mut batches = 0;
    while !stop.load(Ordering::Relaxed) {
        let batch = source.gather(&limits(500))?;
        for change in batch.changes() {
            match change {
                Change::Gained { assigned, .. } => held.push(assigned.clone()),
                Change::Revoked(slot) | Change::Lost(slot) => held.retain(|assigned| assigned.slot != *slot),
                Change::Trouble(_) => {}
            }
        }
        if batch.is_empty() {
            continue;
        }
        batches += 1;
        match transact(sink, output, &batch, &held, batches % 7 == 0) {
            Ok(()) => _ = copied.fetch_add(batch.len(), Ordering::Relaxed),
            Err(Failure::Abort(_)) => {
                sink.abort()?;
                for run in batch.runs() {
                    source.rewind(run.slot, batch.first_offset(run.slot).unwrap())?;
                }
            }
            Err(close) => return Err(close.into()),
        }
    }
    Ok(())
}

fn transact(sink: &Sink, output: &str, batch: &Batch<'_>, held: &[Assigned], fail: bool) -> Result<(), Failure> {
    sink.begin()?;
    let mut next = BTreeMap::new();
    for run in batch.runs() {
        let assigned = held.iter().find(|assigned| assigned.slot == run.slot).unwrap();
        for message in batch.messages(run) {
            send(sink, output, assigned.partition, message.value(), 0).unwrap();
            next.insert(assigned.partition, (assigned, message.offset() + 1));
        }
    }
    if fail {
        // no such partition: refused by the cluster, or by the client that knows better
        let refused = send(sink, output, PARTITIONS + 7, Some(b"x"), 0).unwrap_err();
        let sink::Refusal::Record(error) = refused else { panic!("{refused}") };
        return Err(Failure::Abort(error));
    }
    let progress = next.values().map(|(assigned, next)| progress(assigned, *next, "{}"));
    sink.commit(&progress.collect::<Vec<_>>(), batch.group())
}

fn progress<'a>(assigned: &'a Assigned, next: i64, metadata: &'a str) -> Progress<'a> {
    Progress { topic: &assigned.topic, partition: assigned.partition, next, metadata }
}

fn send(sink: &Sink, topic: &str, partition: i32, value: Option<&[u8]>, tag: usize) -> Result<(), sink::Refusal> {
    let topic = &sink.topic(topic).unwrap();
    sink.send(Outgoing { topic, partition, key: None, value, timestamp_ms: None, headers: None, tag })
}

async fn until(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < DEADLINE, "{what} took too long");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn every_record_once_through_aborts_and_rebalances(settings: &Settings) {
    let (input, output) = ("copy.in", "copy.out");
    topics(settings, input, output).await;
    fill(settings, input, 0..20_000).await;
    let first = Copier::start(settings, "copier-1", input, output);
    until("the first copier's start", || first.copied.load(Ordering::Relaxed) > 1_000).await;
    let second = Copier::start(settings, "copier-2", input, output);
    fill(settings, input, 20_000..60_000).await;
    until("the second copier's share", || second.copied.load(Ordering::Relaxed) > 0).await;
    // the same id again, as a restarted replica has it: the one before is fenced, and joins anew when it has noticed
    let twin = Copier::start(settings, "copier-2", input, output);
    fill(settings, input, 60_000..80_000).await;
    until("the twin's share", || twin.copied.load(Ordering::Relaxed) > 0).await;
    second.stop();
    fill(settings, input, 80_000..100_000).await;
    first.stop();
    let mut copied = Vec::new();
    let started = Instant::now();
    while copied.len() < 100_000 && started.elapsed() < DEADLINE {
        copied = read(settings, output).await;
    }
    twin.stop();
    copied = read(settings, output).await;
    assert_copies(&copied, 100_000);
}

/// Every number once, and each partition's in order.
fn assert_copies(copied: &[Record], count: usize) {
    let mut partitions: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    for record in copied {
        let number = std::str::from_utf8(record.value.as_deref().unwrap()).unwrap().parse().unwrap();
        partitions.entry(record.partition).or_default().push(number);
    }
    assert_eq!(copied.len(), count, "records copied");
    for (partition, numbers) in partitions {
        let step = usize::try_from(PARTITIONS).unwrap();
        let expected: Vec<usize> = (usize::try_from(partition).unwrap()..count).step_by(step).collect();
        assert!(numbers == expected, "partition {partition} is not the input's, in order");
    }
}

/// Gathers until there are messages or `done` says so.
fn gather_until<'s>(source: &'s Source, done: impl Fn(&Batch<'_>) -> bool) -> Batch<'s> {
    let started = Instant::now();
    loop {
        let batch = source.gather(&limits(10)).unwrap();
        if done(&batch) {
            return batch;
        }
        assert!(started.elapsed() < DEADLINE, "gathering took too long");
    }
}

fn gained(batch: &Batch<'_>) -> Vec<(Assigned, Option<Committed>)> {
    let gained = batch.changes().iter().filter_map(|change| match change {
        Change::Gained { assigned, committed } => Some((assigned.clone(), committed.clone())),
        _ => None,
    });
    gained.collect()
}

fn open(settings: &Settings, name: &str, input: &str) -> (Sink, Source, Vec<(Assigned, Option<Committed>)>) {
    let sink = Sink::open(settings, &sink::Options::new(name)).unwrap();
    let source = Source::open(settings, &source::Options::new(name)).unwrap();
    source.subscribe(&[input]).unwrap();
    let holdings = gained(&gather_until(&source, |batch| !gained(batch).is_empty()));
    (sink, source, holdings)
}

async fn metadata_comes_back_at_assignment(settings: &Settings) {
    let (input, output) = ("metadata.in", "metadata.out");
    topics(settings, input, output).await;
    fill(settings, input, 0..1).await;
    let (sink, source, holdings) = open(settings, "metadata", input);
    assert!(holdings.iter().all(|(_, committed)| committed.is_none()));
    let batch = gather_until(&source, |batch| !batch.is_empty());
    sink.begin().unwrap();
    let assigned = &holdings.iter().find(|(assigned, _)| assigned.slot == batch.runs()[0].slot).unwrap().0;
    sink.commit(&[progress(assigned, 1, r#"{"rev":7}"#)], batch.group()).unwrap();
    drop(batch);
    drop(source);
    let (_, _, holdings) = open(settings, "metadata", input);
    let committed =
        |partition| holdings.iter().find(|(assigned, _)| assigned.partition == partition).unwrap().1.clone();
    assert_eq!(committed(0), Some(Committed { offset: 1, metadata: r#"{"rev":7}"#.to_owned() }));
    assert_eq!(committed(1), None);
}

async fn a_paused_partition_goes_on_where_it_was_told(settings: &Settings) {
    let (input, output) = ("paused.in", "paused.out");
    topics(settings, input, output).await;
    // partition 0 gets 25 records
    fill(settings, input, 0..100).await;
    let (_, source, holdings) = open(settings, "paused", input);
    let zero = holdings.iter().find(|(assigned, _)| assigned.partition == 0).unwrap().0.slot;
    let mut seen: BTreeMap<source::Slot, Vec<i64>> = BTreeMap::new();
    let note = |batch: &Batch<'_>, seen: &mut BTreeMap<source::Slot, Vec<i64>>| {
        for run in batch.runs() {
            seen.entry(run.slot).or_default().extend(batch.messages(run).iter().map(|message| message.offset()));
        }
    };
    while !seen.contains_key(&zero) {
        note(&gather_until(&source, |batch| !batch.is_empty()), &mut seen);
    }
    source.pause(zero, 3).unwrap();
    seen.remove(&zero);
    while seen.values().map(Vec::len).sum::<usize>() < 75 {
        note(&gather_until(&source, |batch| !batch.is_empty()), &mut seen);
    }
    assert!(!seen.contains_key(&zero), "a paused partition was read");
    assert!(source.gather(&limits(10)).unwrap().is_empty());
    // twice, as a task that finds it still has to wait
    source.pause(zero, 3).unwrap();
    source.resume(zero).unwrap();
    while seen.get(&zero).map_or(0, Vec::len) < 22 {
        note(&gather_until(&source, |batch| !batch.is_empty()), &mut seen);
    }
    assert_eq!(seen[&zero], (3..25).collect::<Vec<i64>>());
    source.rewind(zero, 20).unwrap();
    let again = gather_until(&source, |batch| !batch.is_empty());
    assert_eq!(again.first_offset(zero), Some(20));
}

async fn an_output_too_large_is_named(settings: &Settings) {
    let (input, output) = ("large.in", "large.out");
    topics(settings, input, "large.unused").await;
    let admin = Admin::new(settings).unwrap();
    let small = TopicSpec::new(output).partitions(1).config("max.message.bytes", "10000");
    admin.create_topics(&[small]).await.unwrap();
    fill(settings, input, 0..1).await;
    let (mut sink, source, holdings) = open(settings, "large", input);
    let batch = gather_until(&source, |batch| !batch.is_empty());
    sink.begin().unwrap();
    send(&sink, output, 0, Some(&[7; 50_000]), 42).unwrap();
    let failed = sink.commit(&[progress(&holdings[0].0, 1, "")], batch.group()).unwrap_err();
    assert!(matches!(failed, Failure::Abort(_)), "{failed:?}");
    let aborted = sink.abort().unwrap();
    assert_eq!(aborted.undelivered, [sink::Undelivered { tag: 42, kind: ErrorKind::TooLarge }]);
    sink.begin().unwrap();
    send(&sink, output, 0, Some(b"small"), 0).unwrap();
    sink.commit(&[progress(&holdings[0].0, 1, "")], batch.group()).unwrap();
    assert_eq!(read(settings, output).await.len(), 1);
}

async fn a_dead_task_leaves_nothing(settings: &Settings) {
    let (input, output) = ("dead.in", "dead.out");
    topics(settings, input, output).await;
    fill(settings, input, 0..40).await;
    let (sink, source, _) = open(settings, "dead", input);
    sink.begin().unwrap();
    let batch = gather_until(&source, |batch| !batch.is_empty());
    for run in batch.runs() {
        batch.messages(run).iter().for_each(|message| send(&sink, output, 0, message.value(), 0).unwrap());
    }
    drop(batch);
    // killed: nothing is committed, nothing is aborted
    drop((sink, source));
    let copier = Copier::start(settings, "dead", input, output);
    until("the successor", || copier.copied.load(Ordering::Relaxed) == 40).await;
    copier.stop();
    assert_copies(&read(settings, output).await, 40);
}
