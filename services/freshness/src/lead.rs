//! Of several replicas one evaluates; the others stand by with what it wrote in memory, and one of them takes over.
//!
//! Who evaluates is whom the consumer group gives the one partition of `mesh.freshness`. A replica that is dead or frozen
//! loses it after its session has timed out. Should it wake up and go on, the transactional id of its writer keeps it from
//! writing: whoever took over has fenced it.

use std::time::Duration;

use mesh_contract::topic::FRESHNESS_TOPIC;
use mesh_kafka::Settings;
use mesh_kafka::consumer::{Consumer, Start};
use mesh_kafka::log::FencedLogWriter;
use mesh_runtime::Latch;

use crate::away::Away;
use crate::book::Book;
use crate::monitor::{self, Monitor};
use crate::{Config, Error, metrics, webhook};

/// The consumer group of the replicas, and the transactional id of the one that writes.
const NAME: &str = "mesh.freshness";
/// How a replica is in the group.
const MEMBER: [(&str, &str); 3] = [
    // one that was not heard of for so long is dead: the shortest time that brokers admit by default
    ("session.timeout.ms", "6000"),
    ("heartbeat.interval.ms", "1500"),
    // whoever evaluates goes on when another one comes
    ("partition.assignment.strategy", "cooperative-sticky"),
];
/// How often to look who evaluates.
const POLL: Duration = Duration::from_millis(500);
/// After so many looks it is another replica that evaluates: longer than a session lasts.
const POLLS_STANDING_BY: u32 = 14;

/// Stands by and evaluates in turns, for ever.
pub(crate) async fn serve(config: &Config, latch: &Latch) -> Result<(), Error> {
    let mut away = Away::default();
    loop {
        metrics::leads(false);
        let mut book = Book::new(monitor::open(config, FRESHNESS_TOPIC, latch).await?);
        let mut candidate = Candidate::join(&config.kafka)?;
        stand_by(&mut candidate, &mut book, &mut away, latch).await?;
        tracing::info!("this replica evaluates freshness from now on");
        metrics::leads(true);
        match lead(config, latch, &mut candidate, book, &mut away).await {
            Ok(()) => tracing::info!("another replica evaluates freshness, standing by"),
            Err(error) if error.is_fenced() => {
                tracing::warn!("another replica has taken over while this one was out of reach, standing by");
            }
            Err(error) if error.is_retriable() => {
                away.begins();
                latch.close("Kafka cannot be reached");
                tracing::warn!(error = &error as &dyn std::error::Error, "freshness is not evaluated, standing by");
                tokio::time::sleep(POLL).await;
            }
            Err(error) => return Err(error),
        }
        candidate.leave().await;
    }
}

/// Keeps up with what is written until it is this replica's turn.
async fn stand_by(candidate: &mut Candidate, book: &mut Book, away: &mut Away, latch: &Latch) -> Result<(), Error> {
    let mut polls = 0_u32;
    loop {
        match book.catch_up().await {
            Ok(()) => {
                away.ends();
                polls = polls.saturating_add(1);
                // whoever evaluates is ready once it has
                if polls > POLLS_STANDING_BY {
                    latch.open();
                }
            }
            Err(error) if error.is_retriable() => {
                polls = 0;
                away.begins();
                latch.close("Kafka cannot be reached");
            }
            Err(error) => return Err(error),
        }
        if candidate.is_elected().await? && !away.is_going_on() {
            return Ok(());
        }
    }
}

/// Evaluates until another replica does.
async fn lead(
    config: &Config,
    latch: &Latch,
    candidate: &mut Candidate,
    mut book: Book,
    away: &mut Away,
) -> Result<(), Error> {
    let out = FencedLogWriter::open(&config.kafka, NAME).await.map_err(Error::TakeOver)?;
    // nobody else writes any more: this is all there is
    book.catch_up().await?;
    let mut monitor = Monitor::open(config, latch, book, out).await?;
    let telling = webhook::tell(config.webhooks.clone(), config.kafka.clone(), config.retries);
    tokio::select! {
        watched = async { tokio::try_join!(monitor.watch(latch, away), telling) } => watched.map(drop),
        deposed = candidate.deposed() => deposed,
    }
}

/// A replica's part in the group.
struct Candidate {
    consumer: Consumer,
}

impl Candidate {
    fn join(kafka: &Settings) -> Result<Self, Error> {
        let kafka = MEMBER.iter().fold(kafka.clone(), |kafka, (property, value)| kafka.with(*property, *value));
        let consumer = Consumer::join(&kafka, NAME, FRESHNESS_TOPIC, Start::End).map_err(Error::SetUp)?;
        Ok(Self { consumer })
    }

    /// Whether it is this replica's turn; takes a moment.
    async fn is_elected(&mut self) -> Result<bool, Error> {
        // what is read is of no interest, but who does not read is not in the group
        if let Ok(read) = tokio::time::timeout(POLL, self.consumer.next()).await {
            read.map_err(|source| Error::ReadLog { topic: FRESHNESS_TOPIC, source })?;
        }
        Ok(!self.consumer.assignment().is_empty())
    }

    /// Returns once it is another's turn.
    async fn deposed(&mut self) -> Result<(), Error> {
        while self.is_elected().await? {}
        Ok(())
    }

    async fn leave(self) {
        self.consumer.close().await;
    }
}
