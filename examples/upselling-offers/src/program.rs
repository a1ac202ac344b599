//! Reads the three masked views, keeps the book, publishes what the rules make of it, and tells lineage what it did.

use crate::book::Book;
use crate::derive;
use crate::facts::{Customer, Offer, Order, PageView};
use crate::made::Made;
use crate::origins::{self, Views};
use anyhow::{Context, Result};
use jiff::Timestamp;
use mesh_client::lineage::{Emitter, KafkaCluster, KafkaTransport, ProductDatasets, Reporter};
use mesh_client::registry::Endpoint;
use mesh_client::subscriber::{Event, Options, Subscriber};
use mesh_client::{Catalogue, Meta, ProductProducer, RegistryClient};
use mesh_contract::MASKED_VIEW;
use mesh_kafka::Settings;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The product that this program derives.
pub const PRODUCT: &str = "upselling.offers";
/// The products it reads, in this order: customers, orders, page views.
const SOURCES: [&str; 3] = ["crm.customers", "crm.orders", "web.page_views"];
/// How long the last word to lineage may take.
const LINEAGE_DEADLINE: Duration = Duration::from_secs(10);

/// What the program is run with.
#[derive(Debug, Clone)]
pub struct Config {
    /// How to reach Kafka.
    pub kafka: Settings,
    /// Where the schema registry is, and how to be let in.
    pub registry: Endpoint,
    /// How many keys of the products it may keep in memory; past it, it stops with an error.
    pub keys_max: usize,
    /// How long it gathers changes before it derives anew.
    pub every: Duration,
}

impl Config {
    /// The defaults: a million keys, some hundred megabytes; derived anew every ten seconds.
    pub fn new(kafka: Settings, registry: impl Into<Endpoint>) -> Self {
        Self { kafka, registry: registry.into(), keys_max: 1_000_000, every: Duration::from_secs(10) }
    }
}

/// What a run read and made so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Events read of `crm.customers`.
    pub customers: u64,
    /// Events read of `crm.orders`.
    pub orders: u64,
    /// Events read of `web.page_views`.
    pub page_views: u64,
    /// Offers published, in the order of the customers' ids.
    pub offers: Vec<Offer>,
}

/// The running program.
pub struct Program {
    every: Duration,
    customers: Subscriber,
    orders: Subscriber,
    page_views: Subscriber,
    offers: ProductProducer,
    reporter: Reporter,
    book: Book,
    made: Made,
    summary: Summary,
}

impl Program {
    /// Subscribes to the masked views, from their beginning: the book is in memory, so every start reads it anew.
    ///
    /// # Errors
    /// Kafka or the registry cannot be reached, or a product is not there.
    pub async fn open(config: &Config) -> Result<Self> {
        let registry = RegistryClient::new(&config.registry)?;
        let catalogue = Catalogue::read(&config.kafka).await?;
        let product = |name: &str| -> Result<_> { Ok(catalogue.product(&name.parse()?)?.clone()) };
        let options = || Options { until_end: true, ..Options::default() };
        let offers = product(PRODUCT)?;
        let cluster = KafkaCluster::named_in(&catalogue, &config.kafka).await?;
        let emitter = Emitter::spawn(KafkaTransport::new(&config.kafka)?);
        let reporter = Reporter::derivation(PRODUCT, offers.contract.version, &cluster, emitter);
        for source in SOURCES {
            let described = ProductDatasets::new(&cluster, &*product(source)?).view(MASKED_VIEW);
            described.into_iter().for_each(|view| reporter.with_run(|run| run.describe_input(view)));
        }
        let subscribe = async |name| -> Result<Subscriber> {
            let source = product(name)?;
            let mut subscriber = Subscriber::open(&config.kafka, &registry, &source, MASKED_VIEW, options()).await?;
            subscriber.report_to(&reporter);
            Ok(subscriber)
        };
        let [customers, orders, page_views] = SOURCES;
        let (customers, orders, page_views) =
            (subscribe(customers).await?, subscribe(orders).await?, subscribe(page_views).await?);
        let views = Views { customers: customers.topic(), orders: orders.topic(), page_views: page_views.topic() };
        let columns = origins::of_offers(&cluster, &views);
        let described = ProductDatasets::new(&cluster, &offers).input_made_of(&columns);
        reporter.with_run(|run| run.describe_output(described));
        let mut producer = ProductProducer::open(&config.kafka, &registry, &offers).await?;
        producer.report_to(&reporter);
        Ok(Self {
            every: config.every,
            customers,
            orders,
            page_views,
            offers: producer,
            reporter,
            book: Book::new(config.keys_max),
            made: Made::default(),
            summary: Summary::default(),
        })
    }

    /// Reads the views to where they end now, and publishes the offers that follow.
    ///
    /// # Errors
    /// A view cannot be read, the book is full, or an offer cannot be published.
    pub async fn catch_up(&mut self) -> Result<()> {
        while let Some(event) = self.customers.next_until_end().await? {
            self.note_customer(&event)?;
        }
        while let Some(event) = self.orders.next_until_end().await? {
            self.note_order(&event)?;
        }
        while let Some(event) = self.page_views.next_until_end().await? {
            self.note_page_view(&event)?;
        }
        self.publish().await
    }

    /// Follows the views until it is stopped, deriving anew every so often while something changes.
    ///
    /// # Errors
    /// As [`Program::catch_up`].
    pub async fn follow(&mut self, stop: &CancellationToken) -> Result<()> {
        let mut ticks = tokio::time::interval(self.every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut changed = false;
        loop {
            tokio::select! {
                event = self.customers.next() => { self.note_customer(&event?)?; changed = true; }
                event = self.orders.next() => { self.note_order(&event?)?; changed = true; }
                event = self.page_views.next() => { self.note_page_view(&event?)?; changed = true; }
                _ = ticks.tick(), if changed => { self.publish().await?; changed = false; }
                () = stop.cancelled() => return Ok(()),
            }
        }
    }

    /// Tells lineage that the run is over, well or not; what it read and made.
    ///
    /// # Errors
    /// What ended the work, if it did not end well.
    pub async fn finish(self, worked: Result<()>) -> Result<Summary> {
        let is_told = match &worked {
            Ok(()) => self.reporter.finish(LINEAGE_DEADLINE).await,
            // the first words alone: what is quoted further down may be a value
            Err(error) => self.reporter.fail(LINEAGE_DEADLINE, &error.to_string()).await,
        };
        if !is_told {
            tracing::warn!("lineage did not take the end of this run in time");
        }
        worked.map(|()| self.summary)
    }

    fn note_customer(&mut self, event: &Event) -> Result<()> {
        self.summary.customers += 1;
        match event.read::<Customer>()? {
            Some(customer) => self.book.note_customer(customer)?,
            None => self.book.forget_customer(&key(event)),
        }
        Ok(())
    }

    fn note_order(&mut self, event: &Event) -> Result<()> {
        self.summary.orders += 1;
        match event.read::<Order>()? {
            Some(order) => self.book.note_order(order)?,
            None => self.book.forget_order(&key(event)),
        }
        Ok(())
    }

    fn note_page_view(&mut self, event: &Event) -> Result<()> {
        self.summary.page_views += 1;
        match event.read::<PageView>()? {
            Some(view) => self.book.note_page_view(view)?,
            None => self.book.forget_page_view(&key(event)),
        }
        Ok(())
    }

    /// Publishes the offers that are new or have changed.
    async fn publish(&mut self) -> Result<()> {
        let offers = self.made.fresh(derive::offers(&self.book, now()?));
        for offer in &offers {
            let meta = Meta { timestamp_ms: Some(offer.made_at.as_millisecond()), ..Meta::default() };
            self.offers.send(offer, meta).await.context("cannot publish an offer")?;
        }
        self.offers.flush().await.context("cannot publish the offers")?;
        tracing::info!(offers = offers.len(), keys = self.book.keys(), "offers published");
        self.made.note(&offers);
        self.summary.offers.extend(offers);
        Ok(())
    }
}

/// Now, in whole milliseconds: the schema holds no finer ones.
fn now() -> Result<Timestamp> {
    Ok(Timestamp::from_millisecond(Timestamp::now().as_millisecond())?)
}

/// The key as text: all three products are keyed by one.
fn key(event: &Event) -> String {
    event.key().and_then(|key| key.as_str().map(str::to_owned)).unwrap_or_default()
}
