//! The newest facts of an output port, read at the tails of its partitions: back past transaction markers, and no
//! further than a bound.

use std::collections::BTreeMap;
use std::time::Duration;

use mesh_kafka::consumer::{Consumer, Start};
use mesh_kafka::{Record, Settings};

use crate::judge::Sighting;
use crate::watched::Unseen;

/// How many offsets before the end are read at first.
const WINDOW: i64 = 64;
/// How many at most, where the nearer ones are markers or were compacted away.
const WINDOW_MAX: i64 = 4_096;
/// How much further each time.
const WINDOW_GROWTH: i64 = 8;
/// How long one reading may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// The newest believable time of each partition that is unseen; none where no record was found.
pub(crate) async fn newest(
    kafka: &Settings,
    topic: &str,
    unseen: &[Unseen],
    believe: impl Fn(&Record) -> Option<i64>,
) -> Result<BTreeMap<i32, Option<i64>>, mesh_kafka::Error> {
    let mut found = BTreeMap::new();
    let mut window = WINDOW;
    let mut left = unseen.to_vec();
    while !left.is_empty() && window <= WINDOW_MAX {
        read(kafka, topic, &left, window, |record| {
            let newest_ms = found.entry(record.partition).or_insert(None);
            *newest_ms = (*newest_ms).max(believe(record));
        })
        .await?;
        left.retain(|it| !found.contains_key(&it.partition) && it.end - window > it.from);
        window *= WINDOW_GROWTH;
    }
    Ok(found)
}

/// Reads the last `window` offsets of each part, at least up to its end.
async fn read(
    kafka: &Settings,
    topic: &str,
    parts: &[Unseen],
    window: i64,
    mut each: impl FnMut(&Record),
) -> Result<(), mesh_kafka::Error> {
    let start = |part: &Unseen| (part.partition, Start::Offset(part.from.max(part.end - window)));
    let starts: Vec<_> = parts.iter().map(start).collect();
    let mut consumer = Consumer::assign(kafka, topic, &starts)?;
    let mut open: BTreeMap<i32, i64> = parts.iter().map(|part| (part.partition, part.end)).collect();
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while !open.is_empty() {
        let Ok(record) = tokio::time::timeout_at(deadline, consumer.next_until_end()).await else {
            tracing::warn!(topic, "the tail of an output port was not read in time, going on with what was");
            break;
        };
        let Some(record) = record? else { break };
        if open.get(&record.partition).is_some_and(|end| record.offset + 1 >= *end) {
            // more may follow, but a fast writer must not keep us here
            open.remove(&record.partition);
        }
        each(&record);
    }
    Ok(())
}

/// The times that a record carries; the header counts only where the contract names an event time.
pub(crate) fn sighting(record: &Record, has_event_time: bool) -> Sighting {
    let header = record.header("mesh-event-time").filter(|_| has_event_time);
    let event_ms = header.and_then(|value| std::str::from_utf8(value).ok()).and_then(|text| text.parse().ok());
    Sighting { event_ms, recorded_ms: record.timestamp_ms }
}

#[cfg(test)]
mod tests {
    use mesh_kafka::Header;

    use super::*;

    fn record(header: &'static str) -> Record {
        Record {
            topic: "t".into(),
            partition: 0,
            offset: 0,
            timestamp_ms: Some(7),
            key: None,
            value: None,
            headers: vec![Header::new("mesh-event-time", header)],
        }
    }

    #[test]
    fn the_header_counts_only_where_the_contract_names_an_event_time() {
        assert_eq!(sighting(&record("42"), true), Sighting { event_ms: Some(42), recorded_ms: Some(7) });
        assert_eq!(sighting(&record("42"), false), Sighting { event_ms: None, recorded_ms: Some(7) });
    }

    #[test]
    fn a_header_that_is_no_time_says_nothing() {
        for header in ["", "soon", "99999999999999999999", "1.5"] {
            assert_eq!(sighting(&record(header), true).event_ms, None, "{header}");
        }
    }
}
