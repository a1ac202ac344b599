//! Writes to the audit, in a chain of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mesh_avro::keys::{KeyError, KeyRing};
use mesh_contract::topic::AUDIT_TOPIC;
use mesh_kafka::admin::Admin;
use mesh_kafka::consumer::read_range;
use mesh_kafka::log::LogWriter;
use mesh_kafka::{Error, Settings, TopicPartition};

use crate::chain::Chain;
use crate::digest::Digest;
use crate::event::Event;
use crate::link::hash_of;

/// So far back the newest entry is first looked for; transaction markers stand between entries.
const LOOKED_BACK: i64 = 64;
/// What was seen longer ago is looked up anew before an entry names it: whoever reads the audit remembers so many entries and no more.
const FRESH: Duration = Duration::from_secs(1);

/// Something cannot be written down.
#[derive(Debug, thiserror::Error)]
pub enum TellError {
    /// There is no topic.
    #[error("there is no topic {AUDIT_TOPIC} to write down what is done")]
    NoTopic,
    /// The newest entry cannot be read.
    #[error("cannot read the newest entry of {AUDIT_TOPIC}")]
    Look(#[source] Error),
    /// The key is not to be had.
    #[error("cannot seal an entry of {AUDIT_TOPIC}")]
    Seal(#[source] KeyError),
    /// It is not written, or that is not known.
    #[error("cannot write down on {AUDIT_TOPIC}: {event}")]
    Write {
        /// What kind of event.
        event: String,
        /// Why not.
        source: Error,
    },
}

/// A writer of the audit: its chain, from when it is begun to when it ends. What a chain comes after is looked up right before its first
/// entry, however long ago it was opened.
pub struct Teller {
    kafka: Settings,
    log: LogWriter,
    chain: Chain,
    /// When it was known which entry is the newest; none: nobody has looked since the chain was to begin.
    looked: Option<Instant>,
}

impl Teller {
    /// Gets ready to begin a chain; nothing is sent yet. With keys, entries are sealed.
    ///
    /// # Errors
    /// The settings are no good.
    pub fn new(kafka: &Settings, keys: Option<Arc<dyn KeyRing>>) -> Result<Teller, TellError> {
        let log = LogWriter::new(kafka).map_err(TellError::Look)?;
        Ok(Teller { kafka: kafka.clone(), log, chain: Chain::begin(keys, None), looked: None })
    }

    /// The same, once it has shown that there is a topic that can be read.
    ///
    /// # Errors
    /// There is no topic, or it cannot be read.
    pub async fn open(kafka: &Settings, keys: Option<Arc<dyn KeyRing>>) -> Result<Teller, TellError> {
        let mut teller = Teller::new(kafka, keys)?;
        teller.look().await?;
        Ok(teller)
    }

    /// Writes down what was done, or is about to be; returns once that is stored.
    ///
    /// # Errors
    /// The newest entry cannot be read, the key is not to be had, or it is not known whether it is written: what is told next begins
    /// another chain.
    pub async fn tell(&mut self, event: &Event) -> Result<(), TellError> {
        self.append(event, false).await
    }

    /// Writes down many things, all of them on their way at once; returns once all are stored.
    ///
    /// # Errors
    /// Those of [`Teller::tell`]; some may be written then.
    pub async fn tell_all(&mut self, events: &[Event]) -> Result<(), TellError> {
        if events.is_empty() {
            return Ok(());
        }
        self.look().await?;
        // nothing may name an entry that is not surely there: the chain goes on once all are
        let mut ahead = self.chain.clone();
        let mut records = Vec::with_capacity(events.len());
        for event in events {
            let (record, hash) = ahead.entry(event, false).map_err(TellError::Seal)?;
            ahead.written(hash);
            records.push(record);
        }
        match self.log.append_all(records).await {
            Ok(()) => {
                self.chain = ahead;
                Ok(())
            }
            Err(source) => {
                self.lose();
                let event = events.first().map(Event::kind).unwrap_or_default().to_owned();
                Err(TellError::Write { event, source })
            }
        }
    }

    /// The same, and ends the chain.
    ///
    /// # Errors
    /// Those of [`Teller::tell`].
    pub async fn end_with(mut self, event: &Event) -> Result<(), TellError> {
        self.append(event, true).await
    }

    /// Learns of the newest entry.
    pub fn saw(&mut self, hash: Digest) {
        self.chain.saw(hash);
        self.looked = Some(Instant::now());
    }

    /// Sees to it that the next entry names the newest one there is, if it names one.
    async fn look(&mut self) -> Result<(), TellError> {
        let is_fresh = self.looked.is_some_and(|looked| looked.elapsed() < FRESH);
        if self.chain.names_another() && !is_fresh {
            let began = Instant::now();
            // where retention has taken all of it, what was seen before is gone, and that is no fault
            newest(&self.kafka).await?.into_iter().for_each(|hash| self.chain.saw(hash));
            self.looked = Some(began);
        }
        Ok(())
    }

    fn lose(&mut self) {
        self.chain.lost();
        // what the chain had written may be long ago
        self.looked = None;
    }

    async fn append(&mut self, event: &Event, last: bool) -> Result<(), TellError> {
        self.look().await?;
        let (record, hash) = self.chain.entry(event, last).map_err(TellError::Seal)?;
        match self.log.append(record).await {
            Ok(_) => {
                self.chain.written(hash);
                Ok(())
            }
            Err(source) => {
                self.lose();
                Err(TellError::Write { event: event.kind().to_owned(), source })
            }
        }
    }
}

/// Writes down what a command does, as a chain of its own; nothing if there are no events.
///
/// # Errors
/// Those of [`Teller::open`] and [`Teller::tell`].
pub async fn tell(kafka: &Settings, keys: Option<Arc<dyn KeyRing>>, events: &[Event]) -> Result<(), TellError> {
    let Some((last, others)) = events.split_last() else { return Ok(()) };
    let mut teller = Teller::open(kafka, keys).await?;
    teller.tell_all(others).await?;
    teller.end_with(last).await
}

/// The hash of the newest entry; none if there is none.
async fn newest(kafka: &Settings) -> Result<Option<Digest>, TellError> {
    let admin = Admin::new(kafka).map_err(TellError::Look)?;
    if admin.partitions(AUDIT_TOPIC).await.map_err(TellError::Look)?.is_none() {
        return Err(TellError::NoTopic);
    }
    let place = TopicPartition::new(AUDIT_TOPIC, 0);
    let at = |offsets: mesh_kafka::Offsets| offsets.get(&place).copied().unwrap_or(0);
    let start = at(admin.start_offsets(&[AUDIT_TOPIC]).await.map_err(TellError::Look)?);
    let end = at(admin.end_offsets(&[AUDIT_TOPIC]).await.map_err(TellError::Look)?);
    let (mut back, mut newest) = (LOOKED_BACK, None);
    while newest.is_none() && end > start {
        let first = (end - back).max(start);
        let read = read_range(kafka, &place, first..end, |record| newest = Some(hash_of(&record)));
        read.await.map_err(TellError::Look)?;
        if first == start {
            break;
        }
        back = back.saturating_mul(16);
    }
    Ok(newest)
}
