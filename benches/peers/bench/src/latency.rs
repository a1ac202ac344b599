//! How long it takes from publishing a record until a reader of committed records sees it masked.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::json;

use crate::Args;
use crate::cluster::{LONG, PARTITIONS, client};
use crate::customer;

/// The first seconds are not counted: connections, programs, caches.
const WARM_UP: Duration = Duration::from_secs(10);
/// How often records are sent: what is due by then, at once.
const TICK: Duration = Duration::from_millis(1);

/// `latency --in TOPIC --out TOPIC --schema-id ID [--rate R] [--seconds S] [--peer P]`: prints one JSON line.
///
/// Both topics must have no records yet, and the peer must be running. A partition's records come out in the order in
/// which they went in, so that the n-th seen is the n-th sent.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let rate = args.number("--rate", 5_000)?;
    let total = Duration::from_secs(args.number("--seconds", 60)?) + WARM_UP;
    let (sent, told) = mpsc::channel();
    let done = AtomicBool::new(false);
    let started = Instant::now();
    let mut seen = std::thread::scope(|scope| -> anyhow::Result<_> {
        let ending = &done;
        let reader = scope.spawn(move || read(args, &told, ending, started));
        let written = write(args, rate, total, &sent, started);
        // what was sent last is on its way
        std::thread::sleep(LONG / 10);
        done.store(true, Ordering::Relaxed);
        let seen = reader.join().expect("a panic is told by itself");
        written.and(seen)
    })?;
    ensure!(!seen.is_empty(), "nothing came out");
    seen.sort_unstable();
    let percentile = |share: f64| seen[((seen.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    let shown = |share| (percentile(share) * 10.0).round() / 10.0;
    println!(
        "{}",
        json!({
            "latency": args.get("--peer").unwrap_or("mesh"), "rate": rate, "records": seen.len(),
            "p50_ms": shown(0.5), "p95_ms": shown(0.95), "p99_ms": shown(0.99), "p999_ms": shown(0.999), "max_ms": shown(1.0),
        })
    );
    Ok(())
}

/// A record that was sent: its partition, and when.
type Sent = (usize, Instant);

fn write(args: &Args, rate: u64, total: Duration, sent: &mpsc::Sender<Sent>, started: Instant) -> anyhow::Result<()> {
    let topic = args.need("--in")?;
    let header = customer::header(u32::try_from(args.number("--schema-id", 1)?)?);
    let producer: BaseProducer = client(args)?
        .set("enable.idempotence", "true")
        .set("linger.ms", "0")
        // reports of what was delivered would fill the queue: each poll serves one
        .set("delivery.report.only.error", "true")
        .create()?;
    let mut value = Vec::with_capacity(2048);
    let mut number = 0;
    while started.elapsed() < total {
        let due = (started.elapsed().as_secs_f64() * rate as f64) as u64;
        while number < due {
            let customer = customer::customer(number);
            value.clear();
            value.extend_from_slice(&header);
            customer::encode(&customer, &mut value);
            let partition = number as usize % PARTITIONS;
            sent.send((partition, Instant::now())).context("the reader has ended")?;
            let record = BaseRecord::to(topic).partition(partition as i32).key(&*customer.customer_id).payload(&value);
            if let Err((error, _)) = producer.send(record) {
                bail!(error);
            }
            number += 1;
        }
        producer.poll(Duration::ZERO);
        std::thread::sleep(TICK);
    }
    Ok(producer.flush(LONG)?)
}

/// How long each record took that was sent after the warm-up.
fn read(
    args: &Args,
    told: &mpsc::Receiver<Sent>,
    done: &AtomicBool,
    started: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let consumer: BaseConsumer = client(args)?
        .set("group.id", "latency")
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .set("fetch.wait.max.ms", "10")
        .create()?;
    let mut all = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        all.add_partition_offset(args.need("--out")?, partition as i32, Offset::Beginning)?;
    }
    consumer.assign(&all)?;
    let mut waiting: [VecDeque<Instant>; PARTITIONS] = Default::default();
    let mut took = Vec::new();
    while !done.load(Ordering::Relaxed) {
        let Some(message) = consumer.poll(Duration::from_millis(20)) else { continue };
        let (message, now) = (message?, Instant::now());
        told.try_iter().for_each(|(partition, at)| waiting[partition].push_back(at));
        let at = waiting[message.partition() as usize].pop_front().context("more came out than went in")?;
        if at.duration_since(started) >= WARM_UP {
            took.push(now.duration_since(at));
        }
    }
    let left: usize = waiting.iter().map(VecDeque::len).sum::<usize>() + told.try_iter().count();
    ensure!(left == 0, "{left} records did not come out");
    Ok(took)
}
