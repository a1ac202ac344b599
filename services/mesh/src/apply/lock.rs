//! One apply at a time: a record on `mesh.products` says who applies, and only its holder goes on.
//!
//! The record is written under a transactional id, whose newest owner alone can write; between taking the id and writing,
//! the log is read to its end. So the record changes only as whoever wrote it had seen it. A holder that is known to be dead
//! is replaced at once; one that has said nothing for [`LEASE`] is, too, and finds out before its next change.

use super::observed::{Entry, Published};
use super::refused;
use crate::failure::Failure;
use crate::output;
use mesh_contract::topic::PRODUCTS_TOPIC;
use mesh_kafka::log::FencedLogWriter;
use mesh_kafka::{ErrorKind, Settings};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Whoever takes it over last can write to `mesh.products` as an apply.
const TRANSACTIONAL_ID: &str = "mesh.apply";
/// A holder that has said nothing for so long is taken to be gone.
const LEASE: Duration = Duration::from_secs(15);
/// A holder says that it is there at least so often, between two requests.
const RENEWAL: Duration = Duration::from_secs(3);
/// How often a waiting apply looks.
const LOOK: Duration = Duration::from_millis(300);

/// Who applies, and how far that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    /// Another one for each apply.
    id: Uuid,
    /// Whom to ask.
    who: String,
    /// Where it runs, if that can be told apart from everywhere else: only there its process id means something.
    place: Option<String>,
    pid: u32,
    /// What it is at.
    at: String,
    /// Counts what it has said, so that a new word differs from the one before.
    said: u64,
    done: bool,
}

impl Holder {
    fn here() -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let user = std::env::var("USER").unwrap_or_else(|_| "somebody".to_owned());
        let pid = std::process::id();
        Self {
            id: Uuid::new_v4(),
            who: format!("{user} at {} (process {pid})", host.trim()),
            place: place(),
            pid,
            at: "its beginning".to_owned(),
            said: 0,
            done: false,
        }
    }

    /// Whether it is certain that its process is no more.
    fn is_dead(&self) -> bool {
        let is_here = self.place.is_some() && self.place == place();
        is_here && !std::path::Path::new(&format!("/proc/{}", self.pid)).exists()
    }

    /// Whether it left something undone.
    pub(super) fn interrupted(published: &Published, cluster_id: &str) -> Option<String> {
        let holder = read(published, &key(cluster_id))?;
        (!holder.done && holder.is_dead())
            .then(|| format!("the apply by {} ended in the middle, at {}", holder.who, holder.at))
    }
}

/// The boot of this machine and this namespace of process ids.
fn place() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.display()))
}

fn key(cluster_id: &str) -> String {
    format!("cluster/{cluster_id}/apply")
}

/// What cannot be read is none of this version's: it is waited for like any other.
fn read(published: &Published, key: &str) -> Option<Holder> {
    serde_json::from_slice(published.bytes(key)?).ok()
}

/// The right to change the cluster, as long as nobody else took it.
pub(super) struct Lock {
    kafka: Settings,
    key: String,
    writer: FencedLogWriter,
    holder: Holder,
    renewed: Instant,
}

impl Lock {
    /// Waits for its turn, at most so long; with what is published once it has it, and whether it had to wait.
    ///
    /// # Errors
    /// Another apply is at work, or Kafka does not answer.
    pub(super) async fn acquire(
        kafka: &Settings,
        cluster_id: &str,
        patience: Duration,
    ) -> Result<(Self, Published), Failure> {
        let (key, started) = (key(cluster_id), Instant::now());
        let mut silent: Option<(Option<Vec<u8>>, Instant)> = None;
        loop {
            let published = Published::read_topic(kafka).await?;
            let found = published.bytes(&key).map(<[u8]>::to_vec);
            let since = match &silent {
                Some((seen, since)) if *seen == found => *since,
                _ => {
                    let now = Instant::now();
                    silent = Some((found.clone(), now));
                    now
                }
            };
            let holder = read(&published, &key);
            let is_free = match (&found, &holder) {
                (None, _) => true,
                (Some(_), Some(holder)) => holder.done || holder.is_dead() || since.elapsed() > LEASE,
                (Some(_), None) => since.elapsed() > LEASE,
            };
            if is_free {
                if let Some(taken) = Self::take(kafka, &key, found.as_deref()).await? {
                    return Ok(taken);
                }
                continue;
            }
            let who =
                holder.map_or_else(|| "somebody".to_owned(), |holder| format!("{}, at {}", holder.who, holder.at));
            if started.elapsed() >= patience {
                return Err(Failure::usage(format!("another apply is at work: {who}"))
                    .hint("nothing was changed; try again when it is done, or wait for it with --wait"));
            }
            if since.elapsed() < LOOK {
                output::talk(&format!("waiting for another apply: {who}"));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Takes the lock, if what was found there still is.
    async fn take(kafka: &Settings, key: &str, found: Option<&[u8]>) -> Result<Option<(Self, Published)>, Failure> {
        let writer = open(kafka).await?;
        let published = Published::read_topic(kafka).await?;
        if published.bytes(key) != found {
            return Ok(None);
        }
        let mut lock =
            Self { kafka: kafka.clone(), key: key.to_owned(), writer, holder: Holder::here(), renewed: Instant::now() };
        // somebody else may be taking it in this moment: one of the two can write
        match lock.say().await {
            Ok(()) => Ok(Some((lock, published))),
            Err(error) if error.kind() == ErrorKind::Fenced => Ok(None),
            Err(error) => Err(unwritten(error)),
        }
    }

    /// Says what is being done; an error, if another apply has taken over.
    ///
    /// # Errors
    /// Another apply has, or Kafka does not answer.
    pub(super) async fn at(&mut self, words: &str) -> Result<(), Failure> {
        words.clone_into(&mut self.holder.at);
        self.renew().await
    }

    /// As [`Lock::at`], if nothing was said for a while: to be asked right before each request that changes anything.
    ///
    /// # Errors
    /// Another apply has taken over, or Kafka does not answer.
    pub(super) async fn held(&mut self) -> Result<(), Failure> {
        if self.renewed.elapsed() < RENEWAL { Ok(()) } else { self.renew().await }
    }

    /// Publishes entries, all or none of them.
    ///
    /// # Errors
    /// Another apply has taken over, or Kafka does not answer.
    pub(super) async fn publish(&mut self, entries: Vec<Entry>) -> Result<(), Failure> {
        let records: Vec<_> = entries.into_iter().map(Entry::record).collect();
        loop {
            match self.writer.append_all(records.clone()).await {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Fenced => self.take_back().await?,
                Err(error) => return Err(unwritten(error)),
            }
        }
    }

    /// Gives it up: the next one need not wait.
    ///
    /// # Errors
    /// Another apply has taken over, or Kafka does not answer.
    pub(super) async fn release(mut self) -> Result<(), Failure> {
        self.holder.done = true;
        self.at("its end").await
    }

    async fn renew(&mut self) -> Result<(), Failure> {
        loop {
            match self.say().await {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Fenced => self.take_back().await?,
                Err(error) => return Err(unwritten(error)),
            }
        }
    }

    async fn say(&mut self) -> Result<(), mesh_kafka::Error> {
        self.holder.said += 1;
        let value = serde_json::to_vec(&self.holder).unwrap_or_default();
        let entry = Entry { key: self.key.clone(), value: Some(value) };
        self.writer.append(entry.record()).await?;
        self.renewed = Instant::now();
        Ok(())
    }

    /// Somebody else has taken the transactional id. If they only looked, it is taken back.
    async fn take_back(&mut self) -> Result<(), Failure> {
        let writer = open(&self.kafka).await?;
        let published = Published::read_topic(&self.kafka).await?;
        match read(&published, &self.key) {
            Some(holder) if holder.id == self.holder.id => {
                self.writer = writer;
                Ok(())
            }
            other => {
                let who = other.map_or_else(|| "somebody".to_owned(), |holder| holder.who);
                Err(Failure::usage(format!("another apply took over: {who}"))
                    .hint("this one was silent for too long; what it had not done yet is left to that one"))
            }
        }
    }
}

async fn open(kafka: &Settings) -> Result<FencedLogWriter, Failure> {
    let opened = FencedLogWriter::open(kafka, TRANSACTIONAL_ID).await;
    opened.map_err(|error| refused(format!("cannot write to {PRODUCTS_TOPIC}"), error))
}

fn unwritten(error: mesh_kafka::Error) -> Failure {
    refused(format!("cannot write to {PRODUCTS_TOPIC}"), error)
}
