//! Publishes the world: with mesh-client, with a plain Kafka client, and some of it bad.

use super::bad::{BadRecord, Spoiler};
use super::canary::{Aviary, Perch};
use super::cast::Cast;
use super::encode::Encoder;
use super::event::{Cents, ChangeEvent, Contact, Customer, Order, PageView};
use super::failed;
use super::outbox::Outbox;
use super::progress::Progress;
use super::story::Publication;
use super::world::{STALE_MS, World};
use crate::failure::Failure;
use apache_avro::Schema;
use mesh_client::registry::Endpoint;
use mesh_client::{Meta, ProductProducer, RegistryClient};
use mesh_contract::value_subject;
use mesh_kafka::{OutgoingRecord, Settings};
use std::collections::BTreeMap;

/// A header that no contract lists.
const UNLISTED_HEADER: &str = "x-customer";

/// The cluster, the registry, and what was applied to them.
pub struct Stage {
    pub kafka: Settings,
    pub endpoint: Endpoint,
    pub registry: RegistryClient,
    pub cast: Cast,
}

/// What was published.
#[derive(Debug, Default)]
pub struct Published {
    pub publications: Vec<Publication>,
    /// What each bad record was, by input topic, partition and offset.
    pub bad: BTreeMap<(String, i32, i64), &'static str>,
}

impl Published {
    /// How many records of a product were published, good and bad.
    pub fn records(&self, product: &str) -> u64 {
        let of_product = self.publications.iter().filter(|publication| publication.product == product);
        of_product.map(|publication| publication.records).sum()
    }

    /// Takes note of what was published.
    pub fn add(&mut self, product: &str, how: &str, records: usize, bad: usize) {
        let (product, how) = (product.to_owned(), how.to_owned());
        self.publications.push(Publication { product, how, records: records as u64, bad: bad as u64 });
    }
}

/// Publishes everything; tells `progress` of each record.
///
/// # Errors
/// Kafka or the registry cannot be reached, or the events do not fit the schemas.
pub async fn all(
    stage: &Stage,
    world: &World,
    aviary: &mut Aviary,
    now_ms: i64,
    progress: &Progress,
) -> Result<Published, Failure> {
    let mut desk = Desk { stage, progress, outbox: outbox(stage)?, published: Published::default() };
    let foreign = [desk.schema_id::<Order>().await?, desk.schema_id::<Customer>().await?];
    let customers = Extras { canaries: aviary.customers(now_ms), bad: bad_customer, foreign_schema_id: foreign[0] };
    desk.product(&world.customers, customers, aviary, Way::MeshClient).await?;
    desk.forget(world.forgotten()).await?;
    let orders = Extras { canaries: Vec::new(), bad: bad_order, foreign_schema_id: foreign[1] };
    desk.product(&world.orders, orders, aviary, Way::MeshClient).await?;
    let views = aviary.page_views(now_ms - STALE_MS);
    let views = Extras { canaries: views, bad: bad_page_view, foreign_schema_id: foreign[1] };
    desk.product(&world.page_views, views, aviary, Way::Plain).await?;
    Ok(desk.published)
}

/// With which client.
#[derive(Debug, Clone, Copy)]
enum Way {
    MeshClient,
    Plain,
}

impl Way {
    fn describe(self) -> &'static str {
        match self {
            Self::MeshClient => "mesh-client",
            Self::Plain => "a plain Kafka client, as any other program",
        }
    }
}

fn outbox(stage: &Stage) -> Result<Outbox, Failure> {
    Outbox::new(&stage.kafka).map_err(failed::kafka("publish"))
}

/// What is published of a product besides the world's events.
struct Extras<E> {
    canaries: Vec<E>,
    /// Makes an event, to be spoilt, with a word in it.
    bad: fn(&str) -> E,
    foreign_schema_id: u32,
}

struct Desk<'a> {
    stage: &'a Stage,
    progress: &'a Progress,
    outbox: Outbox,
    published: Published,
}

impl Desk<'_> {
    fn input<E: ChangeEvent>(&self) -> String {
        self.stage.cast.topics(E::PRODUCT).input
    }

    async fn schema_id<E: ChangeEvent>(&self) -> Result<u32, Failure> {
        let subject = value_subject(&self.input::<E>());
        let latest = self.stage.registry.latest(&subject).await;
        latest.map(|version| version.schema.id).map_err(failed::registry("look up the schema of the demo's events"))
    }

    /// The first half of the events, the bad ones, the canaries, the second half: what is bad blocks nothing behind it.
    async fn product<E: ChangeEvent>(
        &mut self,
        events: &[E],
        extras: Extras<E>,
        aviary: &mut Aviary,
        way: Way,
    ) -> Result<(), Failure> {
        let schema = Schema::parse(&self.stage.cast.of::<E>().schema).map_err(failed::encode)?;
        let encoder = Encoder::new(&schema, self.schema_id::<E>().await?).map_err(failed::encode)?;
        let (early, late) = events.split_at(events.len() / 2);
        self.events(way, &encoder, early).await?;
        let foreign_schema_id = extras.foreign_schema_id;
        let mut spoiler = Spoiler { aviary, encoder: &encoder, foreign_schema_id, event: extras.bad };
        let bad = spoiler.records().map_err(failed::encode)?;
        let bad_count = bad.len();
        self.bad::<E>(bad).await?;
        self.canaries(&encoder, &extras.canaries, aviary).await?;
        self.events(way, &encoder, late).await?;
        self.outbox.finish().await.map_err(failed::kafka("publish"))?;
        self.published.add(E::PRODUCT, way.describe(), events.len(), 0);
        self.published.add(E::PRODUCT, "a plain Kafka client, bad on purpose", bad_count, bad_count);
        if !extras.canaries.is_empty() {
            self.published.add(E::PRODUCT, "a plain Kafka client, with canaries", extras.canaries.len(), 0);
        }
        Ok(())
    }

    async fn events<E: ChangeEvent>(&mut self, way: Way, encoder: &Encoder<'_>, events: &[E]) -> Result<(), Failure> {
        match way {
            Way::MeshClient => self.with_mesh_client(events).await,
            Way::Plain => self.plain(encoder, events).await,
        }
    }

    async fn with_mesh_client<E: ChangeEvent>(&mut self, events: &[E]) -> Result<(), Failure> {
        let Stage { kafka, registry, cast, .. } = self.stage;
        let mut producer = ProductProducer::open(kafka, registry, cast.of::<E>()).await.map_err(failed::publish)?;
        for event in events {
            let meta = Meta { timestamp_ms: Some(event.at_ms()), ..Meta::default() };
            producer.send(event, meta).await.map_err(failed::publish)?;
            self.progress.step(1);
        }
        producer.flush().await.map(drop).map_err(failed::publish)
    }

    async fn plain<E: ChangeEvent>(&mut self, encoder: &Encoder<'_>, events: &[E]) -> Result<(), Failure> {
        let topic = self.input::<E>();
        for event in events {
            let value = encoder.value(event).map_err(failed::encode)?;
            self.send(record(&topic, event).value(value)).await?;
        }
        Ok(())
    }

    /// Canary records carry a header that no contract lists, too, with a canary in it.
    async fn canaries<E: ChangeEvent>(
        &mut self,
        encoder: &Encoder<'_>,
        events: &[E],
        aviary: &mut Aviary,
    ) -> Result<(), Failure> {
        let topic = self.input::<E>();
        for event in events {
            let word = aviary.word(Perch::Header { product: E::PRODUCT });
            let value = encoder.value(event).map_err(failed::encode)?;
            self.send(record(&topic, event).value(value).header(UNLISTED_HEADER, word)).await?;
        }
        Ok(())
    }

    async fn bad<E: ChangeEvent>(&mut self, records: Vec<BadRecord>) -> Result<(), Failure> {
        let topic = self.input::<E>();
        for bad in records {
            let record = OutgoingRecord::to(topic.as_str()).key(bad.key).value(bad.value);
            let position = self.outbox.send_one(record).await.map_err(failed::kafka("publish"))?;
            self.published.bad.insert((topic.clone(), position.partition, position.offset), bad.sent);
            self.progress.step(1);
        }
        Ok(())
    }

    /// Tombstones.
    async fn forget(&mut self, customers: &[Customer]) -> Result<(), Failure> {
        let topic = self.input::<Customer>();
        for customer in customers {
            self.send(OutgoingRecord::to(topic.as_str()).key(customer.customer_id.clone())).await?;
        }
        self.outbox.finish().await.map_err(failed::kafka("publish"))?;
        self.published.add(
            Customer::PRODUCT,
            "a plain Kafka client, tombstones: customers to be forgotten",
            customers.len(),
            0,
        );
        Ok(())
    }

    async fn send(&mut self, record: OutgoingRecord) -> Result<(), Failure> {
        self.progress.step(1);
        self.outbox.send(record).await.map_err(failed::kafka("publish"))
    }
}

fn record(topic: &str, event: &impl ChangeEvent) -> OutgoingRecord {
    OutgoingRecord::to(topic).key(event.key().to_owned()).timestamp_ms(event.at_ms())
}

fn bad_customer(word: &str) -> Customer {
    Customer {
        customer_id: "bad".to_owned(),
        full_name: word.to_owned(),
        email: format!("{word}@example.org"),
        phone: None,
        birth_date: 0,
        address: super::event::Address {
            street: word.to_owned(),
            city: "Springfield".to_owned(),
            postcode: "60000".to_owned(),
            country: "US".to_owned(),
        },
        contacts: vec![Contact { kind: "billing".to_owned(), email: format!("{word}@example.org") }],
        segment: super::event::Segment::Unknown,
        marketing_consent: false,
        registered_at: 0,
        updated_at: 0,
    }
}

fn bad_order(word: &str) -> Order {
    let customer_id = word.to_owned();
    Order { order_id: "bad".to_owned(), customer_id, ordered_at: 0, quantity: 1, amount: Cents(1), updated_at: 0 }
}

fn bad_page_view(word: &str) -> PageView {
    PageView {
        view_id: "bad".to_owned(),
        session_id: "bad".to_owned(),
        visitor_email: Some(format!("{word}@example.org")),
        event: "home".to_owned(),
        platform: "desktop".to_owned(),
        acquisition_channel: "direct".to_owned(),
        viewed_at: 0,
    }
}
