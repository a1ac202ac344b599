//! A real Apache Kafka (KRaft, one node) as a child process: for `mesh up`, and for tests.
//!
//! Its jars are fetched once by Maven into a cache folder. It listens on loopback only, and it never outlives this
//! process: it is stopped with it, and killed when it is killed. A folder that is given keeps its data from run to run.

mod archive;
mod broker;
mod child;
mod config;
mod error;
mod folder;
mod jars;
mod secured;
mod story;
mod users;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::Settings;
use crate::secure::OPERATOR;
use archive::Classes;
use broker::{Broker, Layout};
use folder::Folder;

pub use crate::secure::User;
pub use error::EmbeddedError;

/// The folder of Kafka's jars, for those who run one of its programs; fetches them if they are not there.
///
/// # Errors
/// They are not there and cannot be fetched.
pub fn jars(options: &Options) -> Result<PathBuf, EmbeddedError> {
    jars::ensure(options, &AtomicBool::new(false))
}

/// How often a port is chosen anew, when somebody else takes it between the choice and the start.
const PORT_ATTEMPTS: u32 = 5;
/// How long a broker whose owner was killed may take to be gone.
const PREDECESSOR_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an orderly stop may take.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// How to start an embedded Kafka.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where Kafka's jars are kept between runs; unset: `$MESH_CACHE`, or `mesh` in the user's cache folder.
    pub cache: Option<PathBuf>,
    /// Where its data is kept; unset: a temporary folder that is removed at the stop.
    pub data: Option<PathBuf>,
    /// The port it listens on; unset: a free one.
    pub port: Option<u16>,
    /// Whether everybody has to say who they are, over TLS, and may do only what a rule allows.
    pub secured: bool,
    /// A second way in, through a proxy; unset: none.
    pub proxied: Option<Proxied>,
    /// Further properties of the broker, which win over its own, as `authorizer.class.name`.
    pub properties: BTreeMap<String, String>,
    /// Further options of its JVM, as `-Dname=value`.
    pub jvm: Vec<String>,
    /// The `java` to run it with; unset: that of `$JAVA_HOME`, or of the path.
    pub java: Option<PathBuf>,
    /// The `mvn` to fetch it with; unset: that of the path.
    pub maven: Option<PathBuf>,
}

/// A listener behind a proxy: whoever comes in by it is told to come by the proxy again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proxied {
    /// The port that Kafka listens on, for the proxy.
    pub port: u16,
    /// The proxy's port on loopback, which clients are told.
    pub advertised: u16,
}

/// A running Kafka on loopback; stops when told, when dropped, and when this process ends in whatever way.
pub struct EmbeddedKafka {
    // in this order: the process ends before its folder goes
    broker: Broker,
    folder: Folder,
    /// The super user, where users are asked for.
    operator: Option<User>,
}

impl EmbeddedKafka {
    /// Starts Kafka and waits until it answers; fetches its jars first if they are not in the cache.
    pub async fn start(options: Options) -> Result<EmbeddedKafka, EmbeddedError> {
        let started = Instant::now();
        let interrupt = Interrupt::default();
        let (temporary_parent, interrupted) = (std::env::temp_dir(), Arc::clone(&interrupt.0));
        let prepared = tokio::task::spawn_blocking(move || {
            let folder = match &options.data {
                Some(path) => Folder::take(path),
                None => Folder::make_temporary(&temporary_parent),
            };
            let folder = folder?;
            let jars = jars::ensure(&options, &interrupted)?;
            Ok::<_, EmbeddedError>((options, folder, jars))
        });
        let (options, folder, jars) = prepared.await.map_err(EmbeddedError::interrupted)??;
        let broker = start_broker(&options, &jars, &folder, started).await?;
        let operator = match &broker.secure {
            Some(_) => users::add(&broker, &[OPERATOR]).await?.pop(),
            None => None,
        };
        tracing::info!(
            bootstrap_servers = broker.bootstrap(),
            version = jars::version(),
            folder = %folder.path().display(),
            elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "embedded kafka answers"
        );
        Ok(EmbeddedKafka { operator, broker, folder })
    }

    /// Where it listens, as `127.0.0.1:port`.
    pub fn bootstrap_servers(&self) -> String {
        self.broker.bootstrap()
    }

    /// How to reach it; a secured one as its operator, who may do everything.
    pub fn settings(&self) -> Settings {
        self.operator.as_ref().map_or_else(|| Settings::new(self.broker.bootstrap()), |user| user.settings.clone())
    }

    /// The operator of a secured one, who may do everything.
    pub fn operator(&self) -> Option<&User> {
        self.operator.as_ref()
    }

    /// The log of whom a secured one has denied what; it is there once somebody was.
    pub fn authorizer_log(&self) -> Option<PathBuf> {
        self.operator.as_ref().map(|_| self.broker.layout.authorizer_log())
    }

    /// Adds users to a secured one, with the passwords of before where they were known; they may do what rules allow.
    ///
    /// # Errors
    /// Kafka does not take them, their files cannot be written, or this one is not secured.
    pub async fn add_users(&self, names: &[&str]) -> Result<Vec<User>, EmbeddedError> {
        users::add(&self.broker, names).await
    }

    /// How it reaches itself, by mutual TLS: for clients with a certificate of its authority, as tests have them.
    pub fn internal_settings(&self) -> Settings {
        self.broker.own_settings()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.broker.pid()
    }

    /// The folder that holds its data and its log.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Apache Kafka's version.
    pub fn version(&self) -> &'static str {
        jars::version()
    }

    /// Waits until the process ends without having been told to, and says what its log says.
    pub async fn died(&self) -> EmbeddedError {
        loop {
            if let Err(error) = self.broker.check_alive() {
                return error;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Stops it in an orderly way within a grace period, so that the next start need not recover its data; temporary data
    /// is not worth the wait and is removed at once.
    pub async fn stop(self) {
        if !self.folder.is_temporary() {
            self.broker.stop(STOP_GRACE).await;
        }
        // the process is waited for, and a folder of many files removed
        let stopped = tokio::task::spawn_blocking(move || drop(self));
        if stopped.await.is_ok() {
            tracing::info!("embedded kafka stopped");
        }
    }
}

/// Set when a start is given up in the middle.
#[derive(Default)]
struct Interrupt(Arc<AtomicBool>);

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn start_broker(
    options: &Options,
    jars: &Path,
    folder: &Folder,
    started: Instant,
) -> Result<Broker, EmbeddedError> {
    let mut ports_left = PORT_ATTEMPTS;
    loop {
        match try_broker(options, jars, folder).await {
            // a port that was asked for and is held is held by somebody else; one we chose was lost in a race
            Err(EmbeddedError::PortTaken { port }) if options.port.is_none() && ports_left > 0 => {
                ports_left -= 1;
                tracing::debug!(port, "a free port was taken before kafka had it, choosing another");
            }
            Err(EmbeddedError::DataInUse { .. }) if started.elapsed() < PREDECESSOR_TIMEOUT => {
                tracing::debug!("the data folder's last kafka is still ending");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            result => return result,
        }
    }
}

async fn try_broker(options: &Options, jars: &Path, folder: &Folder) -> Result<Broker, EmbeddedError> {
    let (options, jars) = (options.clone(), jars.to_owned());
    let layout = Layout { root: folder.path().to_owned() };
    let spawned = tokio::task::spawn_blocking(move || Broker::spawn(&options, &jars, layout, Classes::Use));
    let broker = spawned.await.map_err(EmbeddedError::interrupted)??;
    broker.answer().await?;
    Ok(broker)
}
