//! Subscribes to a view of a product.

mod error;
mod event;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mesh_avro::wire;
use mesh_contract::AppliedProduct;
use mesh_kafka::admin::Admin;
use mesh_kafka::consumer::{Consumer, Start};
use mesh_kafka::{Offsets, Record, Settings, TopicPartition};

use crate::RegistryClient;
use crate::lineage::Reporter;
use crate::lineage::facet::PartitionRange;

pub use error::SubscribeError;
pub use event::{Event, EventSchema};

/// How long the registry is waited for before an error is returned; the event is not lost, and asked for again.
const REGISTRY_PATIENCE: Duration = Duration::from_secs(60);
/// Schemas are few; a topic full of made-up ids must not fill the memory.
const SCHEMAS_MAX: usize = 1_000;

/// How to subscribe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The consumer group, whose members share the events, and which goes on where it committed; none reads everything
    /// and commits nothing.
    pub group: Option<String>,
    /// Where to begin: without a group, or where the group has not committed anything.
    pub from: From,
    /// Whether [`Subscriber::next_until_end`] will be asked: the end is where the view ends when the subscription begins,
    /// all that was published before included.
    pub until_end: bool,
}

/// Where to begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum From {
    /// At the oldest event that is kept.
    #[default]
    Beginning,
    /// After the newest event there is.
    Latest,
}

/// Reads a view's change events, read committed: what the sidecar has not committed is never seen.
///
/// At least once: [`Subscriber::commit`] after the events have been dealt with; what was not committed comes again.
pub struct Subscriber {
    consumer: Consumer,
    registry: RegistryClient,
    topic: Arc<str>,
    in_group: bool,
    schemas: HashMap<u32, Arc<EventSchema>>,
    /// Read, but not handed over yet.
    held: Option<Record>,
    handed_over: Offsets,
    /// Where the view ended when the subscription began, if that was asked for.
    ends: Option<Offsets>,
    reporter: Option<Reporter>,
    /// What was handed over and is not in the run's lineage yet, with its bytes: of a group, what is not committed.
    unreported: BTreeMap<i32, (PartitionRange, u64)>,
}

impl Subscriber {
    /// Subscribes to a view of a product.
    pub async fn open(
        settings: &Settings,
        registry: &RegistryClient,
        product: &AppliedProduct,
        view: &str,
        options: Options,
    ) -> Result<Self, SubscribeError> {
        let topics = product.contract.topics();
        let topic = topics.view(view).ok_or_else(|| SubscribeError::NoSuchView {
            product: product.contract.product().to_string(),
            view: view.to_owned(),
            views: product.contract.view_names().join(", "),
        })?;
        warn_of_end(product);
        Subscriber::to_topic(settings, registry, topic, options).await
    }

    /// Subscribes to a topic of framed Avro, whichever it is.
    pub async fn to_topic(
        settings: &Settings,
        registry: &RegistryClient,
        topic: &str,
        options: Options,
    ) -> Result<Self, SubscribeError> {
        let failed = |source| SubscribeError::Open { topic: topic.to_owned(), source };
        let admin = Admin::new(settings).map_err(failed)?;
        let partitions = admin.partitions(topic).await.map_err(failed)?;
        let partitions = partitions.ok_or_else(|| SubscribeError::NoSuchTopic { topic: topic.to_owned() })?;
        let ends =
            if options.until_end { Some(admin.settled_end_offsets(&[topic]).await.map_err(failed)?) } else { None };
        let start = match options.from {
            From::Beginning => Start::Beginning,
            From::Latest => Start::End,
        };
        let consumer = match &options.group {
            Some(group) => Consumer::join(settings, group, topic, start),
            None => {
                let all: Vec<(i32, Start)> =
                    (0..partitions).filter_map(|p| Some((i32::try_from(p).ok()?, start))).collect();
                Consumer::assign(settings, topic, &all)
            }
        };
        Ok(Subscriber {
            consumer: consumer.map_err(failed)?,
            registry: registry.clone(),
            topic: topic.into(),
            in_group: options.group.is_some(),
            schemas: HashMap::new(),
            held: None,
            handed_over: Offsets::new(),
            ends,
            reporter: None,
            unreported: BTreeMap::new(),
        })
    }

    /// Counts every event that is dealt with in a run's lineage: those of a group once they are committed, others as they
    /// are handed over.
    pub fn report_to(&mut self, reporter: &Reporter) {
        self.reporter = Some(reporter.clone());
    }

    /// The view's topic.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Waits for the next event. Nothing is lost if the caller goes away while waiting.
    ///
    /// After [`SubscribeError::Undecodable`] the next call goes on with the next event.
    pub async fn next(&mut self) -> Result<Event, SubscribeError> {
        if self.held.is_none() {
            let record = self.consumer.next().await;
            self.held = Some(record.map_err(|source| self.unreadable(source))?);
        }
        self.hand_over().await
    }

    /// The next event; none once everything has been handed over that was there when the subscription began (see
    /// [`Options::until_end`]; without it: at least that).
    pub async fn next_until_end(&mut self) -> Result<Option<Event>, SubscribeError> {
        if self.held.is_none() {
            let record = match &self.ends {
                Some(ends) => self.consumer.next_before(ends).await,
                None => self.consumer.next_until_end().await,
            };
            let Some(record) = record.map_err(|source| self.unreadable(source))? else { return Ok(None) };
            self.held = Some(record);
        }
        self.hand_over().await.map(Some)
    }

    /// Commits all events that were handed over, for the group. Nothing without a group.
    ///
    /// [`mesh_kafka::ErrorKind::Rebalanced`] inside the error: another member has got some of them, and sees them again.
    pub async fn commit(&mut self) -> Result<(), SubscribeError> {
        if !self.in_group {
            return Ok(());
        }
        // what was given to another member since is its own to commit
        let assigned = self.consumer.assignment();
        self.handed_over.retain(|partition, _| assigned.contains(&partition.partition));
        let committed = self.consumer.commit(&self.handed_over).await;
        committed.map_err(|source| SubscribeError::Commit { topic: self.topic.to_string(), source })?;
        self.unreported.retain(|partition, _| assigned.contains(partition));
        self.report();
        Ok(())
    }

    /// Leaves the group at once, so that the others take over.
    pub async fn close(self) {
        self.consumer.close().await;
    }

    fn note(&mut self, record: &Record) {
        if self.reporter.is_none() {
            return;
        }
        let bytes: usize = [&record.key, &record.value].into_iter().flatten().map(|part| part.len()).sum();
        let new = (PartitionRange::of_records(record.partition, 0), 0);
        let (range, total) = self.unreported.entry(record.partition).or_insert(new);
        range.join(&PartitionRange::of_offsets(record.partition, record.offset, record.offset, 1));
        *total += bytes as u64;
        if !self.in_group {
            self.report();
        }
    }

    fn report(&mut self) {
        let Some(reporter) = &self.reporter else { return };
        let (topic, unreported) = (&self.topic, std::mem::take(&mut self.unreported));
        reporter.with_run(|run| {
            unreported.into_values().for_each(|(range, bytes)| run.read_range(topic, range, bytes));
        });
    }

    fn unreadable(&self, source: mesh_kafka::Error) -> SubscribeError {
        SubscribeError::Read { topic: self.topic.to_string(), source }
    }

    /// Hands the held record over; it stays held while its schema is looked up.
    async fn hand_over(&mut self) -> Result<Event, SubscribeError> {
        let (key, value) =
            self.held.as_ref().map(|record| (record.key.clone(), record.value.clone())).unwrap_or_default();
        let key_schema = match key.as_deref().map(wire::parse) {
            Some(Ok(framed)) => self.schema(framed.schema_id).await?,
            _ => None,
        };
        let schema = match value.as_deref().map(wire::parse) {
            None => Ok(None),
            Some(Err(_)) => Err("it is not in the wire format"),
            Some(Ok(framed)) => self.schema(framed.schema_id).await?.map(Some).ok_or("its schema id is not registered"),
        };
        let record = self.held.take().expect("the callers hold one, and it is taken only here");
        self.handed_over.insert(TopicPartition::new(&*self.topic, record.partition), record.offset + 1);
        self.note(&record);
        let (partition, offset) = (record.partition, record.offset);
        schema.map(|schema| Event::new(record, schema, key_schema)).map_err(|said| SubscribeError::Undecodable {
            topic: self.topic.to_string(),
            partition,
            offset,
            said: said.to_owned(),
        })
    }

    /// The schema of an id; none if the registry is certain that there is none of Avro.
    async fn schema(&mut self, id: u32) -> Result<Option<Arc<EventSchema>>, SubscribeError> {
        if let Some(known) = self.schemas.get(&id) {
            return Ok(Some(Arc::clone(known)));
        }
        let started = Instant::now();
        let registered = loop {
            match self.registry.schema_by_id(id).await {
                Ok(registered) => break registered,
                Err(error) if error.is_unavailable() && started.elapsed() < REGISTRY_PATIENCE => {
                    tracing::warn!(%error, "the registry is out of reach, retrying");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                Err(crate::RegistryError::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(SubscribeError::Registry(error)),
            }
        };
        let Some(schema) = EventSchema::new(&registered) else { return Ok(None) };
        if self.schemas.len() >= SCHEMAS_MAX {
            self.schemas.clear();
        }
        let schema = Arc::new(schema);
        self.schemas.insert(id, Arc::clone(&schema));
        Ok(Some(schema))
    }
}

/// Whoever reads what goes away is told once a subscription.
fn warn_of_end(product: &AppliedProduct) {
    if let Some(deprecated) = &product.contract.deprecated {
        let (name, version) = (product.contract.product(), product.contract.version);
        let successor = deprecated.successor.as_ref().map(ToString::to_string);
        tracing::warn!(
            product = %format_args!("{name}@{version}"),
            until = %deprecated.until,
            successor,
            reason = deprecated.reason,
            "this version of the product is deprecated, and goes away"
        );
    }
}
