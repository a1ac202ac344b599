//! A bounded look at the newest records of a topic: when they came, and what keys them. Nothing of them is kept.

use super::key::{Candidate, Evidence, RecordKey};
use super::sensitive::leaf;
use mesh_avro::schema::{Kind, Schema};
use mesh_avro::wire;
use mesh_client::RegistryClient;
use mesh_client::json::decode;
use mesh_kafka::admin::Admin;
use mesh_kafka::consumer::{Consumer, Start};
use mesh_kafka::{Error, ErrorKind, Offsets, Record, Settings};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// How long a topic is looked at: what was read until then says something, too.
const LOOK_TIMEOUT: Duration = Duration::from_secs(60);
/// Of more partitions than this, the others are not looked at.
const PARTITIONS_MAX: usize = 64;
/// A record that claims to be from later than this is not believed.
const AHEAD_MS: i64 = 86_400_000;

/// What the newest records say.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// When they came, in milliseconds since 1970, in order: of the time in which all partitions were looked at.
    pub(super) times_ms: Vec<i64>,
    pub(super) keys: Evidence,
    /// Why they were not looked at.
    pub(super) failed: Option<String>,
}

impl Look {
    fn failed(why: impl Into<String>) -> Self {
        Self { failed: Some(why.into()), ..Self::default() }
    }
}

/// Looks at the newest records, about so many in all.
///
/// # Errors
/// Kafka cannot be reached. That the records may not be read is no error.
pub(super) async fn look(
    kafka: &Settings,
    admin: &Admin,
    registry: &RegistryClient,
    (topic, schema): (&str, &Schema),
    (records_max, now_ms): (usize, i64),
) -> Result<Look, Error> {
    if records_max == 0 {
        return Ok(Look::failed("--records 0"));
    }
    let read = async {
        let (starts, ends) = (admin.start_offsets(&[topic]).await?, admin.end_offsets(&[topic]).await?);
        let from = stretches(&starts, &ends, records_max);
        let mut tail = Tail::new(registry, schema, &from, now_ms);
        if from.is_empty() {
            return Ok::<Look, Error>(tail.look());
        }
        let partitions: Vec<(i32, Start)> =
            from.iter().map(|(number, from)| (*number, Start::Offset(from.offset))).collect();
        let mut consumer = Consumer::assign(kafka, topic, &partitions)?;
        let all = async {
            while let Some(record) = consumer.next_before(&ends).await? {
                tail.take(&record).await;
            }
            Ok::<(), Error>(())
        };
        let is_late = match tokio::time::timeout(LOOK_TIMEOUT, all).await {
            Ok(read) => read.map(|()| false)?,
            Err(_) => true,
        };
        if is_late && tail.keys.is_empty() {
            return Ok(Look::failed(format!("Kafka gave none of its records within {} s", LOOK_TIMEOUT.as_secs())));
        }
        Ok(tail.look())
    };
    match read.await {
        Err(error) if error.kind() == ErrorKind::Unauthorised => Ok(Look::failed("its records may not be read")),
        read => read,
    }
}

/// Where to begin with a partition.
struct From {
    offset: i64,
    /// Whether there are records before it.
    is_cut: bool,
}

/// The newest records of each partition that holds any.
fn stretches(starts: &Offsets, ends: &Offsets, records_max: usize) -> BTreeMap<i32, From> {
    let filled = ends.iter().filter_map(|(partition, end)| {
        let start = starts.get(partition).copied().unwrap_or(0);
        (*end > start).then_some((partition.partition, start, *end))
    });
    let filled: Vec<(i32, i64, i64)> = filled.take(PARTITIONS_MAX).collect();
    let share = i64::try_from(records_max.div_ceil(filled.len().max(1))).unwrap_or(i64::MAX);
    let from = |(number, start, end): (i32, i64, i64)| {
        let offset = end.saturating_sub(share).max(start);
        (number, From { offset, is_cut: offset > start })
    };
    filled.into_iter().map(from).collect()
}

struct Tail<'a> {
    registry: &'a RegistryClient,
    candidates: Vec<Candidate>,
    schemas: HashMap<u32, Option<Schema>>,
    from: &'a BTreeMap<i32, From>,
    times_ms: BTreeMap<i32, Vec<i64>>,
    keys: Evidence,
    now_ms: i64,
}

impl<'a> Tail<'a> {
    fn new(registry: &'a RegistryClient, schema: &Schema, from: &'a BTreeMap<i32, From>, now_ms: i64) -> Self {
        let (candidates, keys) = (candidates(schema), Evidence::default());
        Self { registry, candidates, schemas: HashMap::new(), from, times_ms: BTreeMap::new(), keys, now_ms }
    }

    async fn take(&mut self, record: &Record) {
        let believed = |time: &i64| *time > 0 && *time < self.now_ms.saturating_add(AHEAD_MS);
        if let Some(time) = record.timestamp_ms.filter(believed) {
            self.times_ms.entry(record.partition).or_default().push(time);
        }
        let key = match &record.key {
            Some(key) => Some(self.key(key).await),
            None => None,
        };
        let columns = match &record.value {
            Some(value) => self.decoded(value).await,
            None => None,
        };
        let columns: Option<&Map<String, Value>> = columns.as_ref().and_then(Value::as_object);
        self.keys.take(key.as_ref(), columns, &self.candidates);
    }

    async fn key(&mut self, key: &[u8]) -> RecordKey {
        match (self.decoded(key).await, std::str::from_utf8(key)) {
            (Some(Value::Object(_) | Value::Array(_)), _) => RecordKey::Compound,
            (Some(value), _) => RecordKey::Value(value),
            (None, Ok(text)) => RecordKey::Text(text.to_owned()),
            (None, Err(_)) => RecordKey::Opaque,
        }
    }

    /// What stands in the wire format, if its schema is known and it fits.
    async fn decoded(&mut self, bytes: &[u8]) -> Option<Value> {
        let framed = wire::parse(bytes).ok()?;
        let id = framed.schema_id;
        if !self.schemas.contains_key(&id) {
            // a record whose schema cannot be had says nothing
            let schema = self.registry.schema_by_id(id).await.ok().and_then(|registered| registered.parse().ok());
            self.schemas.insert(id, schema);
        }
        decode(self.schemas.get(&id)?.as_ref()?, framed.datum).ok()
    }

    fn look(self) -> Look {
        // a partition says nothing of the time before its first record that was looked at
        let cut = |(number, times): (&i32, &Vec<i64>)| {
            let is_cut = self.from.get(number).is_some_and(|from| from.is_cut);
            times.iter().min().copied().filter(|_| is_cut)
        };
        let since = self.times_ms.iter().filter_map(cut).max().unwrap_or(i64::MIN);
        let mut times_ms: Vec<i64> = self.times_ms.values().flatten().copied().filter(|time| *time >= since).collect();
        times_ms.sort_unstable();
        // what claims to be from soon is from now
        times_ms.iter_mut().for_each(|time| *time = (*time).min(self.now_ms));
        Look { times_ms, keys: self.keys, failed: None }
    }
}

/// The columns that could key records.
fn candidates(schema: &Schema) -> Vec<Candidate> {
    let Kind::Record { fields } = &schema.node(schema.root()).kind else { return Vec::new() };
    let candidates = fields.iter().filter_map(|field| {
        let kind = &schema.node(leaf(schema, field.node)?).kind;
        let is_text = matches!(kind, Kind::String);
        let fits = matches!(kind, Kind::Bytes | Kind::Fixed { .. } | Kind::Int | Kind::Long | Kind::Enum { .. });
        (is_text || fits).then(|| Candidate { name: field.name.clone(), is_text })
    });
    candidates.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_kafka::TopicPartition;

    fn offsets(offsets: &[i64]) -> Offsets {
        (0..).zip(offsets).map(|(number, offset)| (TopicPartition::new("t", number), *offset)).collect()
    }

    #[test]
    fn the_newest_of_each_partition_are_looked_at() {
        let from = stretches(&offsets(&[0, 5, 7]), &offsets(&[1_000, 8, 7]), 100);
        let from: Vec<(i32, i64, bool)> =
            from.iter().map(|(number, from)| (*number, from.offset, from.is_cut)).collect();
        assert_eq!(from, [(0, 950, true), (1, 5, false)], "the third is empty");
        let many = stretches(&Offsets::new(), &offsets(&[9; 200]), 100);
        assert_eq!(many.len(), PARTITIONS_MAX);
    }
}
