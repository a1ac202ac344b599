//! The registry's process: what it costs, when it answers.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::process::{Child, Command};

use crate::load::Load;

/// How often a starting registry is asked.
const POLL: Duration = Duration::from_millis(2);
/// Clock ticks a second in `/proc`: `USER_HZ`, 100 on every Linux platform that this runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running registry; killed when dropped.
pub struct Registry {
    child: Child,
    pid: u32,
    started: Instant,
}

/// What a process has used since it began.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// User and system time.
    pub cpu_seconds: f64,
    pub rss_mib: f64,
    pub rss_peak_mib: f64,
}

impl Registry {
    /// Starts the command; what it says goes to standard error.
    pub fn start(command: &[String]) -> anyhow::Result<Self> {
        let (program, arguments) = command.split_first().context("no command")?;
        let started = Instant::now();
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("cannot start {program}"))?;
        let pid = child.id().context("it ended at once")?;
        Ok(Self { child, pid, started })
    }

    /// Waits until a path is answered with 200: how long after the start that was.
    pub async fn answers(&mut self, load: &Load, path: &str, patience: Duration) -> anyhow::Result<Duration> {
        while !load.answers(path).await {
            if let Some(status) = self.child.try_wait()? {
                bail!("the registry ended: {status}");
            }
            if self.started.elapsed() > patience {
                bail!("no answer to {path} within {patience:?}");
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(self.started.elapsed())
    }

    pub fn usage(&self) -> anyhow::Result<Usage> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        // The name, in parentheses, may hold blanks; utime and stime are the 12th and 13th field after it.
        let fields = stat.rsplit_once(')').context("no name in stat")?.1;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        let cpu_seconds = ticks as f64 / TICKS_PER_SECOND;
        Ok(Usage { cpu_seconds, rss_mib: mib(&status, "VmRSS:")?, rss_peak_mib: mib(&status, "VmHWM:")? })
    }

    /// Asks it to end, and waits.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let kill = Command::new("kill").arg(self.pid.to_string()).status().await?;
        anyhow::ensure!(kill.success(), "cannot signal the registry");
        self.child.wait().await?;
        Ok(())
    }
}

fn mib(status: &str, name: &str) -> anyhow::Result<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024.0)
}
