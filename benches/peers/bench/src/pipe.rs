//! The peers written in Rust: consume, transform or not, produce; as a user would write them today.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::Args;
use crate::cluster::{LONG, PARTITIONS, client};
use crate::customer::{HEADER_BYTES, SCHEMA};
use crate::mask::{Masks, first_day_of_year, last_four};

/// An at-least-once peer commits this often.
const COMMIT_INTERVAL: Duration = Duration::from_secs(1);
/// An exactly-once peer's transaction lasts this long, or this many records.
const TRANSACTION: Duration = Duration::from_millis(100);
const TRANSACTION_RECORDS: u32 = 10_000;

/// Per input partition, the offset after the last record that the output's broker has acknowledged.
type Acknowledged = Arc<[AtomicI64; PARTITIONS]>;

struct Deliveries(Acknowledged);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    /// The input partition, above the next offset's 48 bits.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, tag: usize) {
        if let Err((error, _)) = result {
            panic!("a record could not be delivered: {error}");
        }
        self.0[tag >> 48].fetch_max((tag & ((1 << 48) - 1)) as i64, Relaxed);
    }
}

/// What a user writes: decode, change, encode.
struct Naive<'s> {
    reader: GenericDatumReader<'s>,
    writer: GenericDatumWriter<'s>,
    masks: Masks,
}

impl<'s> Naive<'s> {
    fn new(schema: &'s Schema) -> anyhow::Result<Self> {
        Ok(Naive {
            reader: GenericDatumReader::builder(schema).build()?,
            writer: GenericDatumWriter::builder(schema).build()?,
            masks: Masks::of_peers()?,
        })
    }

    fn transform(&self, payload: &[u8], out: &mut Vec<u8>) -> anyhow::Result<()> {
        let (header, mut datum) = payload.split_at(HEADER_BYTES);
        let mut value = self.reader.read_value(&mut datum)?;
        self.mask(&mut value)?;
        out.clear();
        out.extend_from_slice(header);
        self.writer.write_value_ref(out, &value)?;
        Ok(())
    }

    fn mask(&self, value: &mut Value) -> anyhow::Result<()> {
        let Value::Record(fields) = value else { bail!("not a record") };
        for (name, value) in fields {
            match (name.as_str(), value) {
                ("full_name" | "street", Value::String(text)) => *text = "***".into(),
                ("email", Value::String(text)) => *text = self.masks.email(text),
                ("phone", Value::String(text)) => *text = last_four(text),
                ("iban", Value::String(text)) => *text = self.masks.iban(text),
                ("birth_date", Value::Date(day)) => *day = first_day_of_year(*day),
                ("address", address) => self.mask(address)?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// `pipe --in TOPIC --out TOPIC --group G [--avro] [--eos] [--threads T]`: runs until it is killed.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let threads = usize::try_from(args.number("--threads", 1)?)?;
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|index| scope.spawn(move || work(args, index, threads))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a panic is told by itself"))
    })
}

fn work(args: &Args, index: usize, threads: usize) -> anyhow::Result<()> {
    let schema = Schema::parse_str(SCHEMA)?;
    let naive = args.has("--avro").then(|| Naive::new(&schema)).transpose()?;
    Worker::open(args, index, threads)?.run(naive.as_ref())
}

/// A consumer of some partitions, and a producer.
struct Worker {
    input: String,
    out: String,
    /// Shared, so that a message can borrow from it while the rest changes.
    consumer: Arc<BaseConsumer>,
    producer: BaseProducer<Deliveries>,
    acknowledged: Acknowledged,
    /// Per input partition, the next offset to be read; -1 before the first.
    next: [i64; PARTITIONS],
    /// The records of the open transaction and its beginning, where there are transactions.
    transaction: Option<(u32, Instant)>,
}

impl Worker {
    fn open(args: &Args, index: usize, threads: usize) -> anyhow::Result<Self> {
        let (input, group) = (args.need("--in")?, args.need("--group")?);
        let consumer = consumer(client(args)?, group)?;
        let exactly_once = args.has("--eos");
        let acknowledged = Acknowledged::default();
        let transactional_id = exactly_once.then(|| format!("{group}-{index}"));
        let producer = producer(client(args)?, transactional_id, acknowledged.clone())?;
        // Partitions by hand, from the group's committed offsets: a rebalance in mid-transaction would double records.
        let mut own = TopicPartitionList::new();
        for partition in (index..PARTITIONS).step_by(threads) {
            own.add_partition_offset(input, partition as i32, Offset::Stored)?;
        }
        consumer.assign(&own)?;
        Ok(Worker {
            input: input.to_owned(),
            out: args.need("--out")?.to_owned(),
            consumer,
            producer,
            acknowledged,
            next: [-1; PARTITIONS],
            transaction: exactly_once.then(|| (0, Instant::now())),
        })
    }

    fn run(&mut self, naive: Option<&Naive<'_>>) -> anyhow::Result<()> {
        let consumer = self.consumer.clone();
        let mut buffer = Vec::with_capacity(4096);
        let (mut count, mut committed) = (0_u64, Instant::now());
        loop {
            match consumer.poll(Duration::from_millis(10)) {
                None => _ = self.producer.poll(Duration::ZERO),
                Some(message) => {
                    self.pass(&message?, naive, &mut buffer)?;
                    count += 1;
                    if count.is_multiple_of(256) {
                        self.producer.poll(Duration::ZERO);
                    }
                }
            }
            match self.transaction {
                Some((records, since)) => {
                    if records >= TRANSACTION_RECORDS || (records > 0 && since.elapsed() >= TRANSACTION) {
                        self.commit_transaction()?;
                    }
                }
                None if committed.elapsed() >= COMMIT_INTERVAL => {
                    self.commit_acknowledged()?;
                    committed = Instant::now();
                }
                None => {}
            }
        }
    }

    /// Sends what the record becomes, opening a transaction for it if need be.
    fn pass(
        &mut self,
        message: &BorrowedMessage<'_>,
        naive: Option<&Naive<'_>>,
        buffer: &mut Vec<u8>,
    ) -> anyhow::Result<()> {
        let payload = message.payload().context("a record without a value")?;
        let value = match naive {
            None => payload,
            Some(naive) => {
                naive.transform(payload, buffer)?;
                buffer
            }
        };
        if let Some((records, since)) = &mut self.transaction {
            if *records == 0 {
                self.producer.begin_transaction()?;
                *since = Instant::now();
            }
            *records += 1;
        }
        let partition = message.partition() as usize;
        self.next[partition] = message.offset() + 1;
        let tag = partition << 48 | self.next[partition] as usize;
        let mut record = BaseRecord::with_opaque_to(&self.out, tag).partition(message.partition()).payload(value);
        record.key = message.key();
        while let Err((error, back)) = self.producer.send(record) {
            let KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) = error else { bail!(error) };
            self.producer.poll(Duration::from_millis(1));
            record = back;
        }
        Ok(())
    }

    fn commit_transaction(&mut self) -> anyhow::Result<()> {
        // rust-rdkafka 0.39's own flush, which commit_transaction calls, waits in whole steps of 100 ms
        while self.producer.flush(Duration::ZERO).is_err() {
            self.producer.poll(Duration::from_millis(1));
        }
        let group = self.consumer.group_metadata().context("a consumer without a group")?;
        let offsets = offsets(&self.input, &self.next)?;
        self.producer.send_offsets_to_transaction(&offsets, &group, LONG)?;
        self.producer.commit_transaction(LONG)?;
        self.transaction = Some((0, Instant::now()));
        Ok(())
    }

    fn commit_acknowledged(&self) -> anyhow::Result<()> {
        let done =
            self.acknowledged.iter().map(|next| next.load(Relaxed)).map(|next| if next == 0 { -1 } else { next });
        let done: Vec<i64> = done.collect();
        let list = offsets(&self.input, &done)?;
        if list.count() > 0 {
            self.consumer.commit(&list, CommitMode::Async)?;
        }
        Ok(())
    }
}

fn consumer(mut config: ClientConfig, group: &str) -> anyhow::Result<Arc<BaseConsumer>> {
    config
        .set("group.id", group)
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("isolation.level", "read_committed")
        .set("fetch.min.bytes", "65536")
        .set("fetch.wait.max.ms", "50")
        // the default, 1 s, idles a consumer that empties its queue sooner
        .set("fetch.queue.backoff.ms", "2")
        .set("queued.min.messages", "50000")
        .set("queued.max.messages.kbytes", "65536")
        .set("check.crcs", "false");
    Ok(Arc::new(config.create()?))
}

fn producer(
    mut config: ClientConfig,
    transactional_id: Option<String>,
    acknowledged: Acknowledged,
) -> anyhow::Result<BaseProducer<Deliveries>> {
    config
        .set("enable.idempotence", "true")
        .set("linger.ms", "20")
        .set("batch.size", "524288")
        .set("batch.num.messages", "10000")
        .set("queue.buffering.max.messages", "100000")
        .set("queue.buffering.max.kbytes", "131072")
        .set("compression.type", "none");
    if let Some(id) = &transactional_id {
        config.set("transactional.id", id);
    }
    let producer: BaseProducer<Deliveries> = config.create_with_context(Deliveries(acknowledged))?;
    if transactional_id.is_some() {
        producer.init_transactions(LONG)?;
    }
    Ok(producer)
}

fn offsets(topic: &str, next: &[i64]) -> anyhow::Result<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in next.iter().enumerate().filter(|(_, offset)| **offset >= 0) {
        list.add_partition_offset(topic, partition as i32, Offset::Offset(*offset))?;
    }
    Ok(list)
}
