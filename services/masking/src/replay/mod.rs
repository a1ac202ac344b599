//! Lets quarantined records through after all, once what was wrong with them, or with the contract, is mended.
//!
//! **Through the program in force.** A record is masked as if it came now; what is still refused stays where it is.
//!
//! **Exactly once.** The outputs of a record, for every view, and a [marker](crate::quarantine::Marker) in the quarantine
//! that says so are one transaction. A replay takes over the transactional id of the one before it, which ends that one's
//! open transaction, and only then reads which records are marked: a replay that was killed, or two at a time, double nothing.
//!
//! **Never backwards.** A keyed record that a newer one has overtaken is skipped, or the newer one would be undone for
//! whoever keeps the newest of each key. The sidecar works on meanwhile, so that is looked at twice: before the outputs are
//! sent, and again between their delivery and the commit. A record that comes to the input after the second look has its
//! outputs behind the replayed ones, as it should. In the same way a contract that is applied in the middle is noticed, and keys
//! that are older than those the sidecar masks with.

mod ground;
mod held;
mod ledger;
mod newer;
mod offsets;
mod programs;
mod rendering;
mod selection;
mod transaction;

use std::{collections::BTreeMap, sync::Arc};

use mesh_avro::keys::{KeyError, KeyRing};
use mesh_client::{CatalogueError, RegistryClient, RegistryError, registry::Endpoint};
use mesh_contract::{AppliedProduct, topic::AUDIT_TOPIC};
use mesh_kafka::{
    Settings, TopicPartition,
    admin::Admin,
    sink::{self, Sink, Topic},
};

pub use selection::Selection;

use crate::{lookup::Lookups, product::Product, remask::RemaskError, treatment::Bench};
use ground::Ground;
use held::Shelf;
use ledger::Ledger;
use newer::Newer;
use programs::Programs;

/// How many records are one transaction.
const TRANSACTION_RECORDS_MAX: usize = 500;

/// What a replay needs.
#[derive(Clone)]
pub struct Config {
    /// How to reach the cluster.
    pub kafka: Settings,
    /// Where the schema registry is, and how to be let in.
    pub registry: Endpoint,
    /// Where keys come from: those of the quarantine, and those that outputs are masked with.
    pub keys: Arc<dyn KeyRing>,
    /// The product, as it is applied.
    pub product: Arc<AppliedProduct>,
}

/// What a replay has done.
#[derive(Debug, Default, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// Records that were let through, each to every view.
    pub replayed: u64,
    /// Records that were not, because a newer one of their key was, or may have been.
    pub overtaken: u64,
    /// Records that are still refused, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Records that an earlier replay has let through.
    pub already: u64,
    /// Records that were read again when the product was remasked since, and let through or refused anew then.
    pub superseded: u64,
    /// Envelopes that do not open: another key, or changed bytes.
    pub unreadable: u64,
}

/// A replay cannot go on. What it has let through before is marked; run it again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The clients cannot be set up, or another replay of the product cannot be taken over from.
    #[error("cannot set up the replay")]
    SetUp(#[source] mesh_kafka::Error),
    /// The registry's address is not usable.
    #[error("cannot use the schema registry")]
    Registry(#[source] RegistryError),
    /// The contract in force cannot be enforced.
    #[error("the contract as applied cannot be enforced: {why}")]
    Contract {
        /// Why.
        why: String,
    },
    /// Something that every record needs is not to be had.
    #[error("what the records need is not to be had: {reason}")]
    Unavailable {
        /// What is missing, as the metric `mesh_masking_paused_partitions` calls it.
        reason: &'static str,
    },
    /// The control topic of the audit is not there.
    #[error("there is no topic {AUDIT_TOPIC} to write down what is replayed")]
    NoAudit,
    /// No key to open a record with.
    #[error("no key to open the quarantined records with")]
    Key {
        /// Why.
        #[source]
        source: KeyError,
    },
    /// The quarantine cannot be read.
    #[error("cannot read the quarantine")]
    ReadQuarantine(#[source] mesh_kafka::Error),
    /// The input cannot be read.
    #[error("cannot look for newer records in the input")]
    ReadInput(#[source] mesh_kafka::Error),
    /// The catalogue cannot be read.
    #[error("cannot read the contract in force")]
    ReadCatalogue(#[source] CatalogueError),
    /// The contract is another one now.
    #[error("the contract has changed meanwhile; nothing was let through under the old one after that")]
    Changed,
    /// The sidecar masks with newer keys already: with these, what was the same before would be two things behind it.
    #[error("the outputs are masked with version {in_force} of the keys already, and these are older")]
    KeysBehind {
        /// The version that outputs are masked with.
        in_force: u32,
    },
    /// The keys are other ones now.
    #[error("the keys were rotated meanwhile")]
    KeysRotated,
    /// How far the outputs are cannot be read.
    #[error("cannot tell which generation the outputs are of")]
    Look(#[source] RemaskError),
    /// The outputs are being made anew.
    #[error("the product is being remasked, which reads again what can be let through")]
    Remasking,
    /// The cluster does not take the outputs.
    #[error("cannot write what was replayed")]
    Write(#[source] mesh_kafka::Error),
}

/// Replays what is asked for; `progress` is told after each transaction.
///
/// Must run on a runtime with several threads: it blocks one.
///
/// # Errors
/// See [`ReplayError`].
pub async fn run(config: &Config, selection: &Selection, progress: impl Fn(&Report)) -> Result<Report, ReplayError> {
    // the sink first: from then on nobody else lets anything through, so that the markers stay as they are read
    let mut replay = Replay::open(config).await?;
    let topics = replay.programs.product.topics.clone();
    let mut ledger = Ledger::read(&config.kafka, &topics.quarantine, &replay.ground.standings).await?;
    let mut report = Report::default();
    for (partition, end) in ledger.partitions() {
        if selection.partition.is_some_and(|asked| asked != partition) {
            continue;
        }
        let place = TopicPartition::new(&topics.quarantine, partition);
        let sealed_with = (config.keys.clone(), replay.programs.product.quarantine_key.clone());
        let mut shelf = Shelf::open(&config.kafka, place, end, &topics.input, sealed_with)?;
        loop {
            let held = shelf.next(&ledger, &replay.ground.standings, selection, &mut report).await?;
            if held.is_empty() {
                break;
            }
            for record in &held {
                if let Some(schema_id) = record.schema_id() {
                    replay.programs.learn(schema_id).await?;
                }
            }
            let asked = held.iter().filter_map(|record| replay.key(selection, record));
            let mut newer = Newer::than(TopicPartition::new(&topics.input, partition), asked);
            replay.look_on(&mut newer, partition, &ledger).await?;
            for chunk in held.chunks(TRANSACTION_RECORDS_MAX) {
                replay.let_through(selection, partition, chunk, &mut newer, &mut ledger, &mut report).await?;
                progress(&report);
            }
        }
    }
    Ok(report)
}

/// A replay at work.
struct Replay {
    kafka: Settings,
    admin: Admin,
    ground: Ground,
    programs: Programs,
    bench: Bench,
    sink: Sink,
    routes: Routes,
}

/// Where a replay writes.
struct Routes {
    /// In the order of the ports.
    views: Vec<Topic>,
    quarantine: Topic,
    audit: Topic,
}

impl Replay {
    async fn open(config: &Config) -> Result<Self, ReplayError> {
        let product = Arc::new(Product::new((*config.product).clone()));
        let admin = Admin::new(&config.kafka).map_err(ReplayError::SetUp)?;
        if admin.partitions(AUDIT_TOPIC).await.map_err(ReplayError::SetUp)?.is_none() {
            return Err(ReplayError::NoAudit);
        }
        let mut options = sink::Options::new(format!("mesh.replay.{}", product.topics.quarantine));
        // a member of no group has nobody to be awaited by
        options.open_deadline = options.transaction_timeout * 3;
        let sink = tokio::task::block_in_place(|| Sink::open(&config.kafka, &options)).map_err(ReplayError::SetUp)?;
        let registry = RegistryClient::new(&config.registry).map_err(ReplayError::Registry)?;
        let lookups = Lookups::new(registry, admin.clone(), config.keys.clone());
        let ground = Ground::of(&config.kafka, &admin, &config.product).await?;
        let programs = Programs::of(lookups, product, ground.keys).await?;
        let routes = Routes::of(&sink, &programs).map_err(ReplayError::SetUp)?;
        let kafka = config.kafka.clone();
        Ok(Replay { kafka, admin, ground, programs, bench: Bench::default(), sink, routes })
    }

    /// Looks at what has come to the input by now, transactions that are open now included.
    async fn look_on(&self, newer: &mut Newer, partition: i32, ledger: &Ledger) -> Result<(), ReplayError> {
        let input = &self.programs.product.topics.input;
        let ends = self.admin.settled_end_offsets(&[input]).await.map_err(ReplayError::ReadInput)?;
        let end = ends.get(&TopicPartition::new(input, partition)).copied().unwrap_or(0);
        newer.scan(&self.kafka, end, |offset| ledger.is_held_back(partition, offset)).await
    }
}

impl Routes {
    fn of(sink: &Sink, programs: &Programs) -> Result<Self, mesh_kafka::Error> {
        let views = programs.base.ports.iter().map(|port| sink.topic(&port.topic)).collect::<Result<_, _>>()?;
        let quarantine = sink.topic(&programs.product.topics.quarantine)?;
        Ok(Routes { views, quarantine, audit: sink.topic(AUDIT_TOPIC)? })
    }
}
