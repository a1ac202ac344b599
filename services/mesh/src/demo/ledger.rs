//! Counts what arrives in the views and in quarantine while it arrives, until every published record is accounted for.

use super::hunt::Mark;
use mesh_contract::Topics;
use mesh_kafka::admin::Admin;
use mesh_kafka::consumer::Consumer;
use mesh_kafka::{Error, Settings};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How often the counts are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What was published of one product, and where it must turn up.
#[derive(Debug, Clone)]
pub struct Account {
    pub topics: Topics,
    pub published: u64,
}

/// How the accounts stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Balance {
    /// Every record is in every view or in quarantine.
    Even,
    /// Some have not arrived.
    Open,
    /// More has arrived than was published.
    Over,
}

impl Balance {
    /// The worse of two: over is worse than open, as it does not mend itself.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Over, _) | (_, Self::Over) => Self::Over,
            (Self::Open, _) | (_, Self::Open) => Self::Open,
            _ => Self::Even,
        }
    }

    fn of(arrived: u64, published: u64) -> Self {
        match arrived.cmp(&published) {
            std::cmp::Ordering::Less => Self::Open,
            std::cmp::Ordering::Equal => Self::Even,
            std::cmp::Ordering::Greater => Self::Over,
        }
    }
}

/// Counts the records of topics as they are committed.
pub struct Ledger {
    counts: BTreeMap<String, Arc<AtomicU64>>,
    followers: JoinSet<Error>,
}

impl Ledger {
    /// Starts to count what is written to these topics after `mark`.
    ///
    /// # Errors
    /// A topic is not there, or cannot be read.
    pub async fn open(settings: &Settings, mark: &Mark, topics: &[String]) -> Result<Self, Error> {
        let admin = Admin::new(settings)?;
        let partitions = admin.topics().await?;
        let mut ledger = Self { counts: BTreeMap::new(), followers: JoinSet::new() };
        for topic in topics {
            let starts = mark.starts(topic, partitions.get(topic).copied().unwrap_or(0));
            let consumer = Consumer::assign(settings, topic, &starts)?;
            let count = Arc::clone(ledger.counts.entry(topic.clone()).or_default());
            ledger.followers.spawn(follow(consumer, count));
        }
        Ok(ledger)
    }

    /// How many records a topic has got.
    pub fn count(&self, topic: &str) -> u64 {
        self.counts.get(topic).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Waits until the accounts are even or over, or until the deadline; `moved` is told how many outputs have arrived.
    ///
    /// # Errors
    /// A topic cannot be read.
    pub async fn settle(
        &mut self,
        accounts: &[Account],
        deadline: Duration,
        moved: impl Fn(u64),
    ) -> Result<Balance, Error> {
        let started = Instant::now();
        loop {
            if let Some(Ok(error)) = self.followers.try_join_next() {
                return Err(error);
            }
            moved(accounts.iter().map(|account| self.arrived(account)).sum());
            let balance = self.balance(accounts);
            if balance != Balance::Open || started.elapsed() > deadline {
                return Ok(balance);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// How many of an account's records have arrived in the view that is furthest behind.
    fn arrived(&self, account: &Account) -> u64 {
        let views = account.topics.views.iter().map(|(_, topic)| self.count(topic));
        views.min().unwrap_or(0) + self.count(&account.topics.quarantine)
    }

    /// How the accounts stand now.
    pub fn balance(&self, accounts: &[Account]) -> Balance {
        let counted = accounts.iter().flat_map(|account| {
            let quarantined = self.count(&account.topics.quarantine);
            account.topics.views.iter().map(move |(_, topic)| (self.count(topic) + quarantined, account.published))
        });
        counted.map(|(arrived, published)| Balance::of(arrived, published)).fold(Balance::Even, Balance::and)
    }
}

async fn follow(mut consumer: Consumer, count: Arc<AtomicU64>) -> Error {
    loop {
        match consumer.next().await {
            Ok(_) => drop(count.fetch_add(1, Ordering::Relaxed)),
            Err(error) => return error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_even_only_if_all_are() {
        let worst = |counted: &[(u64, u64)]| {
            counted
                .iter()
                .map(|(arrived, published)| Balance::of(*arrived, *published))
                .fold(Balance::Even, Balance::and)
        };
        assert_eq!(worst(&[(3, 3), (5, 5)]), Balance::Even);
        assert_eq!(worst(&[(3, 3), (4, 5)]), Balance::Open);
        assert_eq!(worst(&[(4, 3), (4, 5)]), Balance::Over);
        assert_eq!(worst(&[(4, 5), (4, 3), (1, 1)]), Balance::Over);
    }
}
