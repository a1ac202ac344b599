//! Rewriting the past: a product's output ports made anew under the contract in force, as a new *output generation*.
//!
//! [`request`] asks for one on `mesh.products`; the tasks that own the partitions do it (see `task::remask`), and say how far they are
//! in the metadata of their committed offsets, which [`standings`] reads.

use std::collections::BTreeMap;

use mesh_contract::{
    AppliedProduct, OutputGeneration, generation_key,
    topic::{PRODUCTS_TOPIC, masking_group},
};
use mesh_kafka::{
    OutgoingRecord, Settings,
    admin::Admin,
    log::{FencedLogWriter, LogReader},
};
use serde::{Deserialize, Serialize};

use crate::audit::now_ms;

/// The generation of outputs that were never remasked.
pub(crate) const FIRST_GENERATION: u64 = 1;
/// As `mesh apply`: one writer of `mesh.products` at a time.
const TRANSACTIONAL_ID: &str = "mesh.apply";

/// A generation cannot be asked for, or seen.
#[derive(Debug, thiserror::Error)]
pub enum RemaskError {
    /// The control topic cannot be read.
    #[error("cannot read {PRODUCTS_TOPIC}")]
    Read(#[source] mesh_kafka::Error),
    /// The control topic cannot be written.
    #[error("cannot write to {PRODUCTS_TOPIC}")]
    Write(#[source] mesh_kafka::Error),
    /// How far the partitions are cannot be read.
    #[error("cannot read how far the partitions are")]
    Look(#[source] mesh_kafka::Error),
}

/// What stands with a partition's committed offset about its outputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OutputMark {
    /// The generation of what the outputs hold.
    #[serde(rename = "gen", default = "first", skip_serializing_if = "is_first")]
    pub(crate) generation: u64,
    /// The first offset of the input that was read for it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) from: i64,
    /// Whether the outputs of the one before are to be deleted first.
    #[serde(rename = "emptying", default, skip_serializing_if = "is_false")]
    pub(crate) is_emptying: bool,
    /// Up to where, by view; empty as long as that is not found out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) until: BTreeMap<String, i64>,
}

impl Default for OutputMark {
    fn default() -> Self {
        OutputMark { generation: FIRST_GENERATION, from: 0, is_emptying: false, until: BTreeMap::new() }
    }
}

fn first() -> u64 {
    FIRST_GENERATION
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_first(generation: &u64) -> bool {
    *generation == FIRST_GENERATION
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_zero(offset: &i64) -> bool {
    *offset == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// How far the outputs of one partition are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The generation of what they hold.
    pub generation: u64,
    /// The first offset of the input that was read for it.
    pub from: i64,
    /// Whether what was before is still being deleted.
    pub is_emptying: bool,
    /// The next offset of the input to be read.
    pub next: i64,
}

impl Standing {
    /// Whether a record of the input that was refused for an earlier generation is read again for this one: what became of it
    /// then is told anew, by an output or by a later record of the quarantine.
    #[must_use]
    pub fn supersedes(&self, generation: u64, source_offset: i64) -> bool {
        !self.is_emptying && is_read_again((self.generation, self.from), generation, source_offset)
    }
}

/// Whether outputs of one generation, made from an offset of the input on, are made of a record that an earlier one refused, too.
pub(crate) fn is_read_again((newer, from): (u64, i64), generation: u64, source_offset: i64) -> bool {
    generation < newer && source_offset >= from
}

/// How far the partitions of a product are; those that nothing was ever read of are left out.
///
/// # Errors
/// The cluster does not say.
pub async fn standings(admin: &Admin, product: &AppliedProduct) -> Result<BTreeMap<i32, Standing>, RemaskError> {
    let marks = marks(admin, product).await?.into_iter();
    Ok(marks.map(|(partition, mark)| (partition, mark.standing)).collect())
}

/// What stands with a partition's committed offset, and that offset.
pub(crate) struct Mark {
    pub(crate) standing: Standing,
    /// The version of the keys that no earlier one comes after; 0 if none were ever in force.
    pub(crate) keys: u32,
}

/// What stands with the committed offset of each partition of a product that anything was ever read of.
pub(crate) async fn marks(admin: &Admin, product: &AppliedProduct) -> Result<BTreeMap<i32, Mark>, RemaskError> {
    #[derive(Default, Deserialize)]
    struct Text {
        #[serde(default)]
        keys: u32,
        #[serde(flatten)]
        outputs: OutputMark,
    }
    let (group, input) = (masking_group(&product.contract.owner), product.contract.topics().input);
    let committed = admin.committed_texts(&group, &[&input]).await.map_err(RemaskError::Look)?;
    let mark = committed.into_iter().map(|(partition, committed)| {
        // what is not a sidecar's says nothing
        let Text { keys, outputs } = serde_json::from_str(&committed.metadata).unwrap_or_default();
        let OutputMark { generation, from, is_emptying, .. } = outputs;
        let standing = Standing { generation, from, is_emptying, next: committed.offset };
        (partition.partition, Mark { standing, keys })
    });
    Ok(mark.collect())
}

/// Asks for a new generation of a product's outputs; returns its number.
///
/// # Errors
/// `mesh.products` cannot be read or written, or another `apply` or `remask` came in between.
pub async fn request(kafka: &Settings, admin: &Admin, product: &AppliedProduct) -> Result<u64, RemaskError> {
    let key = generation_key(product);
    let mut writer = FencedLogWriter::open(kafka, TRANSACTIONAL_ID).await.map_err(RemaskError::Write)?;
    // from here on nobody else asks
    let asked = last_asked(kafka, &key).await?;
    let reached = standings(admin, product).await?.values().map(|standing| standing.generation).max();
    let generation = asked.max(reached.unwrap_or(FIRST_GENERATION)) + 1;
    let value = OutputGeneration { generation, requested_at_ms: now_ms() };
    let value = serde_json::json!(value).to_string();
    writer.append(OutgoingRecord::to(PRODUCTS_TOPIC).key(key).value(value)).await.map_err(RemaskError::Write)?;
    Ok(generation)
}

async fn last_asked(kafka: &Settings, key: &str) -> Result<u64, RemaskError> {
    let mut asked = FIRST_GENERATION;
    let mut reader = LogReader::open(kafka, PRODUCTS_TOPIC).await.map_err(RemaskError::Read)?;
    let read = reader.read_to_end(|record| {
        let value = record.value.filter(|_| record.key.as_deref() == Some(key.as_bytes()));
        let found = value.and_then(|value| serde_json::from_slice::<OutputGeneration>(&value).ok());
        asked = asked.max(found.map_or(FIRST_GENERATION, |found| found.generation));
    });
    read.await.map_err(RemaskError::Read)?;
    Ok(asked)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_generation_supersedes_what_it_reads_again() {
        let standing = Standing { generation: 3, from: 50, is_emptying: false, next: 60 };
        assert!(standing.supersedes(2, 50) && standing.supersedes(1, 90));
        assert!(!standing.supersedes(3, 90), "of this generation");
        assert!(!standing.supersedes(2, 49), "the input had lost it");
        assert!(
            !Standing { is_emptying: true, ..standing }.supersedes(2, 50),
            "it is not known yet from where it reads"
        );
    }

    #[test]
    fn the_mark_is_silent_until_there_is_something_to_say() {
        assert_eq!(serde_json::to_string(&OutputMark::default()).unwrap(), "{}");
        let until = [("masked".to_owned(), 47)].into();
        let mark = OutputMark { generation: 2, from: 0, is_emptying: true, until };
        let text = serde_json::to_string(&mark).unwrap();
        assert_eq!(text, r#"{"gen":2,"emptying":true,"until":{"masked":47}}"#, "later versions read this");
        assert_eq!(serde_json::from_str::<OutputMark>(&text).unwrap(), mark);
        assert_eq!(serde_json::from_str::<OutputMark>(r#"{"rev":3}"#).unwrap(), OutputMark::default());
    }
}
