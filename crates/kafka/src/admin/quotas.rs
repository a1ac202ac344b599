//! Client quotas of users (KIP-546), which librdkafka has no request for.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{Admin, REQUEST_TIMEOUT};
use crate::blocking::run as blocking;
use crate::wire::{Broker, Fault, Login};
use crate::{Error, ErrorKind};

/// By user, without `User:`, and by quota's name, such as `producer_byte_rate`: its value at each broker. Bytes a second, or percent
/// of one thread's time.
pub type Quotas = BTreeMap<String, BTreeMap<String, f64>>;

/// The same as it is to be: a new value, or none to take the quota away.
pub type QuotaChanges = BTreeMap<String, BTreeMap<String, Option<f64>>>;

impl Admin {
    /// What each user is limited to by name. What holds for a client id, or for whoever has no quota by name, is no part of it.
    ///
    /// # Errors
    /// Kafka cannot be reached, or does not let this client see it: that takes DescribeConfigs of the cluster.
    pub async fn quotas(&self) -> Result<Quotas, Error> {
        let operation = format!("ask Kafka at {} for client quotas", self.shared.settings.bootstrap());
        self.on_broker(operation, Broker::quotas).await
    }

    /// Changes quotas of users; all others stay as they are. They hold when this returns, at the broker that was asked.
    ///
    /// # Errors
    /// Kafka cannot be reached, or refuses: it takes AlterConfigs of the cluster, and DescribeConfigs.
    pub async fn change_quotas(&self, changes: &QuotaChanges) -> Result<(), Error> {
        if changes.is_empty() {
            return Ok(());
        }
        let bootstrap = self.shared.settings.bootstrap();
        let operation = format!("change the client quotas of {} users at {bootstrap}", changes.len());
        let changes = changes.clone();
        let change = move |broker: &mut Broker| {
            broker.change_quotas(&changes)?;
            wait(broker, &changes)
        };
        self.on_broker(operation, change).await
    }

    async fn on_broker<T: Send + 'static>(
        &self,
        operation: String,
        ask: impl FnOnce(&mut Broker) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Error> {
        let settings = self.shared.settings.clone();
        let login = match Login::of(&settings).await {
            Ok(login) => login,
            Err(fault) => return Err(fault.error(operation)),
        };
        blocking(move || {
            let opened = Broker::open(&settings, login.as_ref(), REQUEST_TIMEOUT);
            opened.and_then(|mut broker| ask(&mut broker)).map_err(|fault| fault.error(operation))
        })
        .await
    }
}

/// The controller has taken them; waits until the broker that was asked has heard of them.
fn wait(broker: &mut Broker, changes: &QuotaChanges) -> Result<(), Fault> {
    let started = Instant::now();
    while !holds(&broker.quotas()?, changes) {
        if started.elapsed() > REQUEST_TIMEOUT {
            return Err(Fault::new(ErrorKind::Unreachable, "they were taken, but do not hold yet"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn holds(found: &Quotas, changes: &QuotaChanges) -> bool {
    let is = |user: &str, quota: &str| found.get(user).and_then(|quotas| quotas.get(quota)).copied();
    changes.iter().all(|(user, changes)| changes.iter().all(|(quota, to)| is(user, quota) == *to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_hold_when_each_is_as_it_was_asked_for() {
        let found = Quotas::from([("ana".to_owned(), BTreeMap::from([("consumer_byte_rate".to_owned(), 10.0)]))]);
        let asked = |user: &str, quota: &str, to| {
            QuotaChanges::from([(user.to_owned(), BTreeMap::from([(quota.to_owned(), to)]))])
        };
        assert!(holds(&found, &asked("ana", "consumer_byte_rate", Some(10.0))));
        assert!(!holds(&found, &asked("ana", "consumer_byte_rate", Some(11.0))));
        assert!(!holds(&found, &asked("ana", "consumer_byte_rate", None)));
        assert!(holds(&found, &asked("ana", "producer_byte_rate", None)));
        assert!(!holds(&found, &asked("bob", "producer_byte_rate", Some(1.0))));
    }
}
