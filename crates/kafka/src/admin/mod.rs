//! Topics: created, described, deleted; where they begin and end, and how far a group has read them.

pub(crate) use ends::Ends;
pub use listing::{Listed, Listing};
pub use offsets::CommittedTexts;
pub(crate) use offsets::unknown;

mod ends;
mod listing;
mod native;
mod offsets;
mod quotas;
mod rights;
mod state;
mod topics;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::Client;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use crate::blocking::{Shared, run as blocking};
use crate::context::LogContext;
use crate::diagnosis::{Diagnosis, diagnose};
use crate::opened::Opened;
use crate::{Error, ErrorKind, Settings};

pub use quotas::{QuotaChanges, Quotas};
pub use rights::{Foreign, Rights};
pub use state::{ClusterState, Members, SettingChanges, TopicState};
pub use topics::{Creation, Deletion, TopicSpec};

/// How long one request may take before it counts as unanswered.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may take to say why it cannot be.
const DIAGNOSIS_TIMEOUT: Duration = Duration::from_secs(5);

/// Looks at a cluster and changes its topics. Cheap to clone; its blocking calls run on tokio's blocking threads.
#[derive(Clone)]
pub struct Admin {
    shared: Shared<Clients>,
}

struct Clients {
    settings: Settings,
    client: Opened<AdminClient<LogContext>>,
    ends: Shared<Ends>,
    with_group: OnceLock<Opened<BaseConsumer<LogContext>>>,
}

impl Clients {
    /// A client that has a group, made when it is first wanted. librdkafka 2.12 asks its own group's coordinator anew where a
    /// broker says that it is not the one of some other group's, and dereferences null in a client that has none
    /// (`rd_kafka_handle_OffsetFetch`).
    fn client_with_group(&self) -> Result<&Client<LogContext>, Error> {
        if self.with_group.get().is_none() {
            let config = self.settings.client(&[], &[("group.id", "mesh-reader"), ("enable.auto.commit", "false")]);
            let created = self.settings.open(&config, LogContext);
            let created = created.map_err(|error| Error::kafka("set up a client that asks for groups", error))?;
            // another thread may have been first
            let _ = self.with_group.set(created);
        }
        Ok(self.with_group.get().expect("it was set above").client())
    }
}

impl Admin {
    /// Prepares to speak to a cluster; nothing is sent yet.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let failed = |error| Error::kafka("set up an admin client", error);
        let client = settings.open(&settings.client(&[], &[]), LogContext).map_err(failed)?;
        let (ends, with_group) = (Ends::of(settings)?, OnceLock::new());
        let clients = Clients { settings: settings.clone(), client, ends, with_group };
        Ok(Admin { shared: Shared::new(clients) })
    }

    /// Waits until a broker answers; [`ErrorKind::Unreachable`] if none has within `deadline`, [`ErrorKind::Unauthorised`] as soon
    /// as one refuses this client, or has a certificate that this client refuses.
    pub async fn wait_ready(&self, deadline: Duration) -> Result<(), Error> {
        let bootstrap = self.shared.settings.bootstrap();
        let operation = format!("reach Kafka at {bootstrap} within {} s", deadline.as_secs());
        let started = Instant::now();
        let mut diagnosed = None;
        loop {
            let left = deadline.saturating_sub(started.elapsed());
            match self
                .metadata(operation.clone(), None, left.clamp(Duration::from_millis(100), Duration::from_secs(1)))
                .await
            {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() != ErrorKind::Unreachable => return Err(error),
                Err(error) if left.is_zero() => return Err(explained(operation, error, diagnosed)),
                Err(_) if diagnosed.is_none() => {
                    diagnosed = Some(self.diagnose(left.min(DIAGNOSIS_TIMEOUT)).await?);
                    if let Some(Some(refused)) = diagnosed.take_if(|found| is_refusal(found.as_ref())) {
                        return Err(Error::said(operation, refused.kind, refused.said));
                    }
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    async fn diagnose(&self, patience: Duration) -> Result<Option<Diagnosis>, Error> {
        let settings = self.shared.settings.clone();
        blocking(move || Ok(diagnose(&settings, patience))).await
    }

    /// The cluster's id, which stays the same whatever its brokers' addresses are.
    pub async fn cluster_id(&self) -> Result<String, Error> {
        let shared = self.shared.clone();
        let operation = format!("ask Kafka at {} for its cluster id", shared.settings.bootstrap());
        let found = blocking(move || Ok(shared.client.inner().fetch_cluster_id(REQUEST_TIMEOUT))).await?;
        found.ok_or_else(|| Error::said(operation, ErrorKind::Unreachable, "no broker answered"))
    }

    /// The addresses that the brokers tell of themselves, `host:port`, sorted.
    pub async fn brokers(&self) -> Result<Vec<String>, Error> {
        let shared = self.shared.clone();
        let operation = format!("ask Kafka at {} for its brokers", shared.settings.bootstrap());
        blocking(move || {
            let metadata = shared.client.inner().fetch_metadata(None, REQUEST_TIMEOUT);
            let metadata = metadata.map_err(|error| Error::kafka(operation, error))?;
            let address = |host: &str, port| match host.contains(':') {
                true => format!("[{host}]:{port}"),
                false => format!("{host}:{port}"),
            };
            let mut brokers: Vec<String> =
                metadata.brokers().iter().map(|broker| address(broker.host(), broker.port())).collect();
            brokers.sort();
            Ok(brokers)
        })
        .await
    }
}

fn is_refusal(found: Option<&Diagnosis>) -> bool {
    found.is_some_and(|found| found.kind == ErrorKind::Unauthorised)
}

/// A connection's own words say more than that the time was up.
fn explained(operation: String, error: Error, diagnosed: Option<Option<Diagnosis>>) -> Error {
    diagnosed.flatten().map_or(error, |found| Error::said(operation, found.kind, found.said))
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(REQUEST_TIMEOUT)).operation_timeout(Some(REQUEST_TIMEOUT))
}
