//! Reads a part of one partition.

use std::ops::Range;

use super::{Consumer, Start};
use crate::{Error, Record, Settings, TopicPartition};

/// Hands over the committed records of one partition whose offsets are in a range, as far as they are there now.
pub async fn read_range(
    settings: &Settings,
    partition: &TopicPartition,
    offsets: Range<i64>,
    mut each: impl FnMut(Record),
) -> Result<(), Error> {
    if offsets.is_empty() {
        return Ok(());
    }
    let start = [(partition.partition, Start::Offset(offsets.start))];
    let mut consumer = Consumer::assign(settings, &partition.topic, &start)?;
    while let Some(record) = consumer.next_until_end().await? {
        let last = record.offset + 1 >= offsets.end;
        if record.offset < offsets.end {
            each(record);
        }
        if last {
            break;
        }
    }
    Ok(())
}
