//! Checks a peer's output: every record once, each field as it has to be, in whatever Avro encoding.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use anyhow::{bail, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::Args;
use crate::cluster::{LONG, PARTITIONS, client};
use crate::customer::{self, Customer, HEADER_BYTES};
use crate::mask::Masks;

/// `check --topic OUT --records N --as plain|peers|mesh [--keys FILE]`: fails unless the output is what it has to be.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let (topic, count) = (args.need("--topic")?, args.number("--records", 1_000_000)?);
    let masks = match args.need("--as")? {
        "plain" => None,
        "peers" => Some(Masks::of_peers()?),
        "mesh" => Some(Masks::of_mesh(Path::new(args.need("--keys")?))?),
        other => bail!("--as {other}"),
    };
    let expected = (0..count).fold(0_u64, |sum, number| {
        let mut customer = customer::customer(number);
        if let Some(masks) = &masks {
            masks.mask(&mut customer);
        }
        sum.wrapping_add(fingerprint(&customer))
    });
    let (seen, sum) = read(args, topic)?;
    ensure!(seen == count, "{topic} has {seen} records of {count}");
    ensure!(sum == expected, "{topic} has other contents than it has to have");
    eprintln!("{topic}: {seen} records, each as it has to be");
    Ok(())
}

/// The sum over all records does not depend on their order.
fn fingerprint(customer: &Customer<'_>) -> u64 {
    let mut datum = Vec::with_capacity(2048);
    customer::encode(customer, &mut datum);
    let mut hasher = DefaultHasher::new();
    datum.hash(&mut hasher);
    hasher.finish()
}

fn read(args: &Args, topic: &str) -> anyhow::Result<(u64, u64)> {
    let schema = customer::fast_schema()?;
    let consumer: BaseConsumer = client(args)?
        .set("group.id", "check")
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .set("enable.partition.eof", "true")
        .create()?;
    let mut all = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        all.add_partition_offset(topic, partition as i32, Offset::Beginning)?;
    }
    consumer.assign(&all)?;
    let (mut seen, mut sum, mut ended) = (0, 0_u64, 0);
    while ended < PARTITIONS {
        match consumer.poll(LONG) {
            Some(Ok(message)) => {
                let datum = message.payload().and_then(|value| value.get(HEADER_BYTES..)).unwrap_or_default();
                let customer: Customer<'_> = serde_avro_fast::from_datum_slice(datum, &schema)?;
                sum = sum.wrapping_add(fingerprint(&customer));
                seen += 1;
            }
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(error)) => bail!(error),
            None => bail!("{topic}: nothing for {LONG:?}"),
        }
    }
    Ok((seen, sum))
}
