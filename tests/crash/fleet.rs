//! The sidecar's replicas: real processes of `mesh run masking`, kept alive as an orchestrator would.

use crate::stage::{Stage, page};
use crate::support::Process;
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// How long a replica may take to say where it listens, or to give up because something is away.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// Between two starts of a replica that cannot begin.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// One replica: a name, and its process while there is one.
struct Replica {
    name: &'static str,
    process: Option<Process>,
    /// Where it serves its metrics; unknown until it says so.
    http_url: Option<String>,
    since: Instant,
    is_frozen: bool,
}

/// All replicas.
pub struct Fleet {
    replicas: Vec<Replica>,
    /// What processes that are gone have said.
    said: Vec<String>,
    /// Pages of metrics, kept to be searched.
    pages: Vec<String>,
    /// How often a process was started.
    pub starts: usize,
}

impl Fleet {
    pub fn new(names: &[&'static str]) -> Self {
        let idle = |name: &&'static str| Replica {
            name,
            process: None,
            http_url: None,
            since: Instant::now(),
            is_frozen: false,
        };
        Self { replicas: names.iter().map(idle).collect(), said: Vec::new(), pages: Vec::new(), starts: 0 }
    }

    /// The replicas that run, frozen or not.
    pub fn running(&self) -> Vec<&'static str> {
        self.replicas.iter().filter(|replica| replica.process.is_some()).map(|replica| replica.name).collect()
    }

    /// The replicas that do not run.
    pub fn idle(&self) -> Vec<&'static str> {
        self.replicas.iter().filter(|replica| replica.process.is_none()).map(|replica| replica.name).collect()
    }

    pub fn start(&mut self, stage: &Stage, name: &str) {
        let replica = self.get(name);
        if replica.process.is_none() {
            replica.process = Some(Process::start(&mut stage.sidecar(name)));
            (replica.http_url, replica.since, replica.is_frozen) = (None, Instant::now(), false);
            self.starts += 1;
        }
    }

    /// Ends a replica as a crash would.
    pub fn kill(&mut self, name: &str) {
        if let Some(mut process) = self.get(name).process.take() {
            process.kill();
            self.keep(&process);
        }
    }

    /// Ends a replica in an orderly way.
    pub fn retire(&mut self, name: &str) {
        let replica = self.get(name);
        let has_begun = replica.http_url.is_some();
        if let Some(mut process) = replica.process.take() {
            if process.ended().is_none() {
                process.signal(Signal::TERM);
            }
            let code = process.wait();
            assert!(!has_begun || code == 0, "{name} ended with {code}: {}", process.stderr());
            self.keep(&process);
        }
    }

    pub fn freeze(&mut self, name: &str) {
        let replica = self.get(name);
        if let Some(process) = &mut replica.process
            && process.ended().is_none()
        {
            process.signal(Signal::STOP);
            replica.is_frozen = true;
        }
    }

    pub fn thaw(&mut self, name: &str) {
        let replica = self.get(name);
        if let Some(process) = replica.process.as_ref().filter(|_| replica.is_frozen) {
            // a frozen process does not end
            process.signal(Signal::CONT);
            replica.is_frozen = false;
        }
    }

    /// Starts replicas again that have given up because they could not begin: Kafka or the keys were away.
    ///
    /// # Panics
    /// One that had begun has ended by itself.
    pub fn tend(&mut self, stage: &Stage) {
        let mut gone = Vec::new();
        for replica in &mut self.replicas {
            let Some(process) = &mut replica.process else { continue };
            if replica.http_url.is_none() {
                replica.http_url = http_url(&process.stdout());
            }
            let Some(code) = process.ended() else {
                let waits =
                    replica.http_url.is_none() && !replica.is_frozen && replica.since.elapsed() > START_PATIENCE;
                assert!(!waits, "{} has not begun within {START_PATIENCE:?}: {}", replica.name, process.stderr());
                continue;
            };
            assert!(
                replica.http_url.is_none(),
                "{} had begun, and ended by itself with {code}: {}",
                replica.name,
                process.stderr()
            );
            if replica.since.elapsed() < RESTART_PAUSE {
                continue;
            }
            gone.extend(replica.process.take());
            replica.since = Instant::now();
            let again = Process::start(&mut stage.sidecar(replica.name));
            replica.process = Some(again);
            self.starts += 1;
        }
        gone.iter().for_each(|process| self.keep(process));
    }

    /// The process of a replica that runs.
    pub fn pid(&mut self, name: &str) -> u32 {
        self.get(name).process.as_ref().expect("it runs").id()
    }

    /// Keeps what the running replicas' metrics say at the moment.
    pub async fn read_metrics(&mut self) {
        let awake = self.replicas.iter().filter(|replica| replica.process.is_some() && !replica.is_frozen);
        for url in awake.filter_map(|replica| replica.http_url.as_ref()) {
            for path in ["metrics", "readyz"] {
                self.pages.extend(page(&format!("{url}/{path}")).await);
            }
        }
    }

    /// Everything that the replicas have said: logs, and pages of metrics.
    pub fn everything_said(&self) -> Vec<String> {
        let running = self.replicas.iter().filter_map(|replica| replica.process.as_ref());
        let said = running.flat_map(|process| [process.stdout(), process.stderr()]);
        self.said.iter().chain(&self.pages).cloned().chain(said).collect()
    }

    /// The last that each running replica has said, for messages.
    pub fn tails(&self) -> String {
        let tail = |replica: &Replica| {
            let said = replica.process.as_ref()?.stderr();
            let lines: Vec<&str> = said.lines().collect();
            Some(format!("--- {}:\n{}\n", replica.name, lines[lines.len().saturating_sub(30)..].join("\n")))
        };
        self.replicas.iter().filter_map(tail).collect()
    }

    fn keep(&mut self, process: &Process) {
        self.said.extend([process.stdout(), process.stderr()]);
    }

    fn get(&mut self, name: &str) -> &mut Replica {
        self.replicas.iter_mut().find(|replica| replica.name == name).expect("it is one of ours")
    }
}

/// What a replica says first.
fn http_url(stdout: &str) -> Option<String> {
    let said: serde_json::Value = stdout.lines().find_map(|line| serde_json::from_str(line).ok())?;
    Some(said["http_url"].as_str()?.to_owned())
}
