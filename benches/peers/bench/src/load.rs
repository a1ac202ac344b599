//! Fills an input with the workload.

use std::time::Duration;

use anyhow::bail;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::Args;
use crate::cluster::client;
use crate::customer;

/// `load --topic T --records N --schema-id ID`: keyed by customer, in the partition that every client's default gives.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let (topic, count) = (args.need("--topic")?, args.number("--records", 1_000_000)?);
    let header = customer::header(u32::try_from(args.number("--schema-id", 1)?)?);
    let producer: BaseProducer = client(args)?
        .set("enable.idempotence", "true")
        .set("linger.ms", "20")
        .set("batch.size", "65536")
        .set("queue.buffering.max.messages", "100000")
        .set("partitioner", "murmur2_random")
        .create()?;
    let mut value = Vec::with_capacity(2048);
    let mut bytes = 0;
    for number in 0..count {
        let customer = customer::customer(number);
        value.clear();
        value.extend_from_slice(&header);
        customer::encode(&customer, &mut value);
        bytes += value.len() as u64;
        let mut record = BaseRecord::to(topic).key(&*customer.customer_id).payload(&value);
        while let Err((error, back)) = producer.send(record) {
            let KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) = error else { bail!(error) };
            producer.poll(Duration::from_millis(5));
            record = back;
        }
        if number % 256 == 0 {
            producer.poll(Duration::ZERO);
        }
    }
    producer.flush(Duration::from_secs(120))?;
    eprintln!("{count} records, {} bytes of value on average", bytes / count.max(1));
    Ok(())
}
