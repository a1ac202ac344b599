//! Kafka's classes as the JVM has parsed them (class data sharing): saves about a third of every start.
//!
//! Recorded once, when the jars are fetched, by a broker that is started for that. Without it everything works, slower:
//! a JVM that cannot use the recording, being another one, ignores it.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::broker::{Broker, Layout};
use super::{EmbeddedError, Options};

/// How long the broker may take to listen, and to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a broker loads after it listens is recorded, too.
const SETTLE: Duration = Duration::from_secs(1);

/// What a JVM does with the recording.
#[derive(Debug, Clone, Copy)]
pub(super) enum Classes<'a> {
    /// Start from it, if it is there.
    Use,
    /// Make it, at the end.
    Record(&'a Path),
}

impl Classes<'_> {
    /// The JVM's option.
    pub(super) fn option(self, jars: &Path) -> Option<String> {
        match self {
            Classes::Use => {
                let recorded = file(jars);
                recorded.exists().then(|| format!("-XX:SharedArchiveFile={}", recorded.display()))
            }
            Classes::Record(to) => Some(format!("-XX:ArchiveClassesAtExit={}", to.display())),
        }
    }
}

/// Beside the folder of the jars: within it, it would change their order, which it depends on.
fn file(jars: &Path) -> PathBuf {
    let mut name = jars.as_os_str().to_owned();
    name.push(".jsa");
    name.into()
}

/// Records the classes. A failure costs nothing but the time it saves.
pub(super) fn record(options: &Options, jars: &Path, interrupted: &AtomicBool) {
    if let Err(error) = try_record(options, jars, interrupted) {
        tracing::debug!(%error, "kafka's classes were not recorded, each start takes longer");
    }
}

fn try_record(options: &Options, jars: &Path, interrupted: &AtomicBool) -> Result<(), EmbeddedError> {
    let cache = jars.parent().unwrap_or(jars);
    let folder = tempfile::tempdir_in(cache).map_err(|error| EmbeddedError::folder(cache, error))?;
    let partial = folder.path().join("classes.jsa");
    let options = Options { port: None, ..options.clone() };
    let layout = Layout { root: folder.path().to_owned() };
    let broker = Broker::spawn(&options, jars, layout, Classes::Record(&partial))?;
    let started = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, broker.port)).is_err() {
        broker.check_alive()?;
        pause(started, interrupted)?;
    }
    std::thread::sleep(SETTLE);
    broker.terminate();
    while broker.check_alive().is_ok() {
        pause(started, interrupted)?;
    }
    let recorded = file(jars);
    fs::rename(&partial, &recorded).map_err(|error| EmbeddedError::folder(&recorded, error))
}

fn pause(started: Instant, interrupted: &AtomicBool) -> Result<(), EmbeddedError> {
    std::thread::sleep(Duration::from_millis(50));
    if interrupted.load(Ordering::Relaxed) || started.elapsed() > PATIENCE {
        return Err(EmbeddedError::Interrupted);
    }
    Ok(())
}
