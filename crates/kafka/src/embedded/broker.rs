//! One attempt to run a broker: its ports, its process, its answer.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::archive::Classes;
use super::config::Ports;
use super::secured::Secured;
use super::{EmbeddedError, Options, child, config, story};
use crate::admin::Admin;
use crate::{ErrorKind, Settings};

/// On two busy cores it takes a few seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(90);

/// Where a broker keeps what it writes.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) root: PathBuf,
}

impl Layout {
    fn data(&self) -> PathBuf {
        self.root.join("data")
    }
    fn properties(&self) -> PathBuf {
        self.root.join("server.properties")
    }
    fn log_properties(&self) -> PathBuf {
        self.root.join("log4j2.properties")
    }
    pub(super) fn log(&self) -> PathBuf {
        self.root.join("kafka.log")
    }
    /// Whom its authoriser has denied what.
    pub(super) fn authorizer_log(&self) -> PathBuf {
        self.root.join("kafka-authorizer.log")
    }
    /// What the JVM writes to its standard streams.
    fn output(&self) -> PathBuf {
        self.root.join("kafka.out")
    }
    pub(super) fn tail(&self) -> String {
        story::tail_of(&[&self.log(), &self.output()])
    }
}

/// A broker's process.
pub(super) struct Broker {
    process: Arc<Mutex<Child>>,
    pub(super) layout: Layout,
    pub(super) port: u16,
    internal: u16,
    pub(super) secure: Option<Secured>,
}

impl Broker {
    /// Configures, formats if need be, and starts a broker; does not wait for its answer.
    pub(super) fn spawn(
        options: &Options,
        jars: &Path,
        layout: Layout,
        classes: Classes<'_>,
    ) -> Result<Self, EmbeddedError> {
        let port = options.port.map_or_else(free_port, check_port)?;
        let ports = Ports { broker: port, controller: free_port()?, internal: free_port()? };
        let secure = secured(options, &layout)?;
        let properties = config::server_properties(options, &layout.data(), ports, secure.as_ref());
        write(&layout.properties(), &properties)?;
        write(&layout.log_properties(), &config::log_properties(&layout.log(), &layout.authorizer_log()))?;
        // the last run's story is not this one's
        let _ = fs::remove_file(layout.log());
        let java = java(options);
        if !layout.data().join("meta.properties").exists() {
            format(&java, jars, &layout)?;
        }
        let mut command = jvm(&java, jars, &layout, classes)?;
        command.args(&options.jvm).arg("kafka.Kafka").arg(layout.properties());
        let process = spawn(command, &java)?;
        Ok(Broker { process: Arc::new(Mutex::new(process)), layout, port, internal: ports.internal, secure })
    }

    /// Waits until it answers with its own cluster id, or ends.
    pub(super) async fn answer(&self) -> Result<(), EmbeddedError> {
        let started = Instant::now();
        let ours = cluster_id(&self.layout.data());
        let admin = loop {
            self.check_alive()?;
            // librdkafka backs off longer and longer; a bare connection costs nothing
            if tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.is_ok() {
                break Admin::new(&self.own_settings()).map_err(|_| self.no_answer())?;
            }
            if started.elapsed() > ANSWER_TIMEOUT {
                return Err(self.no_answer());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        while started.elapsed() < ANSWER_TIMEOUT {
            self.check_alive()?;
            match admin.wait_ready(Duration::from_secs(1)).await {
                Ok(()) if admin.cluster_id().await.ok() == ours => return Ok(()),
                // another process took the port before ours could; ours will end
                Ok(()) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(error) if error.kind() == ErrorKind::Unreachable => {}
                Err(_) => break,
            }
        }
        Err(self.no_answer())
    }

    pub(super) fn bootstrap(&self) -> String {
        format!("{}:{}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// How this process reaches it before any user is known.
    pub(super) fn own_settings(&self) -> Settings {
        match &self.secure {
            Some(secure) => secure.broker(&format!("{}:{}", Ipv4Addr::LOCALHOST, self.internal)),
            None => Settings::new(self.bootstrap()),
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.lock().id()
    }

    /// An error once the process has ended.
    pub(super) fn check_alive(&self) -> Result<(), EmbeddedError> {
        match self.lock().try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.ended(status)),
            Err(source) => Err(EmbeddedError::Spawn { program: "java".into(), source }),
        }
    }

    /// Asks it to end, and kills it if it has not after a grace period.
    pub(super) async fn stop(&self, grace: Duration) {
        let started = Instant::now();
        self.terminate();
        while self.check_alive().is_ok() && started.elapsed() < grace {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.kill();
    }

    /// Asks it to end.
    pub(super) fn terminate(&self) {
        let pid = i32::try_from(self.pid()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid.filter(|_| self.check_alive().is_ok()) {
            // one that has ended in between needs no signal
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }

    /// Ends it at once.
    pub(super) fn kill(&self) {
        let mut process = self.lock();
        // neither can fail for a child that is there, and one that has ended needs neither
        let _ = process.kill();
        let _ = process.wait();
    }

    fn ended(&self, status: ExitStatus) -> EmbeddedError {
        let tail = self.layout.tail();
        let known = story::cause(&tail).error(&self.layout.root, self.port);
        known.unwrap_or_else(|| EmbeddedError::Ended {
            status: status.to_string(),
            log: self.layout.log(),
            tail: story::meaningful(&tail),
        })
    }

    fn no_answer(&self) -> EmbeddedError {
        EmbeddedError::NoAnswer {
            seconds: ANSWER_TIMEOUT.as_secs(),
            log: self.layout.log(),
            tail: story::meaningful(&self.layout.tail()),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Child> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The files of the secured profile, if it is asked for. A folder is secured from its first start on, or never.
fn secured(options: &Options, layout: &Layout) -> Result<Option<Secured>, EmbeddedError> {
    let path = || layout.root.clone();
    match (options.secured, Secured::was_here(&layout.root)) {
        (false, false) => Ok(None),
        (false, true) => Err(EmbeddedError::Secured { path: path() }),
        (true, false) if layout.data().join("meta.properties").exists() => {
            Err(EmbeddedError::NotSecured { path: path() })
        }
        (true, _) => Secured::prepare(&layout.root).map(Some),
    }
}

/// Prepares an empty data folder.
fn format(java: &Path, jars: &Path, layout: &Layout) -> Result<(), EmbeddedError> {
    let mut command = jvm(java, jars, layout, Classes::Use)?;
    // it runs for half a second: the optimising compiler would only be in the way
    command.env("JAVA_TOOL_OPTIONS", "").arg("-XX:TieredStopAtLevel=1");
    command.args(["kafka.tools.StorageTool", "format", "--cluster-id", &new_cluster_id(), "--config"]);
    command.arg(layout.properties());
    let status = spawn(command, java)?.wait();
    let status = status.map_err(|source| EmbeddedError::Spawn { program: java.display().to_string(), source })?;
    if status.success() {
        return Ok(());
    }
    let tail = layout.tail();
    let known = story::cause(&tail).error(&layout.root, 0);
    Err(known.unwrap_or_else(|| EmbeddedError::Ended {
        status: status.to_string(),
        log: layout.output(),
        tail: story::meaningful(&tail),
    }))
}

/// A JVM with Kafka's jars and its output in a file; the main class is still to be named.
fn jvm(java: &Path, jars: &Path, layout: &Layout, classes: Classes<'_>) -> Result<Command, EmbeddedError> {
    let output = layout.output();
    let out = File::create(&output).map_err(|error| EmbeddedError::folder(&output, error))?;
    let err = out.try_clone().map_err(|error| EmbeddedError::folder(&output, error))?;
    let mut command = Command::new(java);
    command.args(config::JVM).args(classes.option(jars));
    // native libraries are unpacked there, and would stay behind in the system's folder
    command.arg(format!("-Djava.io.tmpdir={}", layout.root.display()));
    command.arg(format!("-Dlog4j2.configurationFile={}", layout.log_properties().display()));
    command.arg("-cp").arg(jars.join("*")).current_dir(&layout.root);
    command.stdin(Stdio::null()).stdout(out).stderr(err);
    Ok(command)
}

fn spawn(command: Command, java: &Path) -> Result<Child, EmbeddedError> {
    child::spawn(command).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => EmbeddedError::JavaMissing,
        _ => EmbeddedError::Spawn { program: java.display().to_string(), source },
    })
}

fn java(options: &Options) -> PathBuf {
    let home = || std::env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin/java"));
    options.java.clone().or_else(|| home().filter(|java| java.exists())).unwrap_or_else(|| "java".into())
}

fn write(path: &Path, text: &str) -> Result<(), EmbeddedError> {
    fs::write(path, text).map_err(|error| EmbeddedError::folder(path, error))
}

/// A port that is free now. Somebody may take it before Kafka does: then another is tried.
fn free_port() -> Result<u16, EmbeddedError> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    bound.map(|address| address.port()).map_err(|source| EmbeddedError::NoPort { source })
}

fn check_port(port: u16) -> Result<u16, EmbeddedError> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(port),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(EmbeddedError::PortTaken { port }),
        Err(source) => Err(EmbeddedError::NoPort { source }),
    }
}

/// Kafka's cluster ids are 16 random bytes in URL-safe Base64.
fn new_cluster_id() -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = Uuid::new_v4().as_u128();
    // 21 digits of 6 bits, and one for the 2 bits that are left; a leading '-' would look like an option
    let first = std::iter::once('M');
    let middle = (1..21).map(|digit| DIGITS[usize::from((bits >> (122 - 6 * digit)) as u8 & 63)]);
    let last = DIGITS[usize::from((bits << 4) as u8 & 0b11_0000)];
    first.chain(middle.map(char::from)).chain(std::iter::once(char::from(last))).collect()
}

fn cluster_id(data: &Path) -> Option<String> {
    let meta = fs::read_to_string(data.join("meta.properties")).ok()?;
    meta.lines().find_map(|line| line.strip_prefix("cluster.id=")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn cluster_ids_are_of_kafkas_form_and_differ() {
        let (one, other) = (new_cluster_id(), new_cluster_id());
        assert_eq!(one.len(), 22);
        assert!(
            one.starts_with('M') && one.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'),
            "{one}"
        );
        assert_ne!(one, other);
    }

    #[test]
    fn a_taken_port_is_refused() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert!(matches!(check_port(port), Err(EmbeddedError::PortTaken { port: named }) if named == port));
        drop(taken);
        assert_eq!(check_port(port).unwrap(), port);
    }

    #[test]
    fn java_missing_is_said() {
        let root = tempfile::tempdir().unwrap();
        let options = Options { java: Some(root.path().join("no-such-java")), ..Options::default() };
        let spawned = Broker::spawn(&options, root.path(), Layout { root: root.path().into() }, Classes::Use);
        assert!(matches!(spawned.err(), Some(EmbeddedError::JavaMissing)));
    }

    #[test]
    fn java_too_old_is_said() {
        let root = tempfile::tempdir().unwrap();
        let java = root.path().join("java");
        let script = "#!/bin/sh\necho 'java.lang.UnsupportedClassVersionError: this version of the Java Runtime only \
                      recognizes class file versions up to 52.0'\nexit 1\n";
        fs::write(&java, script).unwrap();
        fs::set_permissions(&java, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let options = Options { java: Some(java), ..Options::default() };
        let spawned = Broker::spawn(&options, root.path(), Layout { root: root.path().into() }, Classes::Use);
        assert!(matches!(spawned.err(), Some(EmbeddedError::JavaTooOld { found }) if found == "8"));
    }
}
