//! A watcher as a process of its own, and what it uses, as Linux tells.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::INTERVAL;

/// The clock ticks of `/proc/<pid>/stat`, as Linux has them on every platform that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;
/// A watcher that uses less CPU than this in so long is done with its look.
const QUIET: Duration = Duration::from_millis(500);
const QUIET_TICKS: u64 = 2;
/// A look that takes longer is given up on.
const LOOK_MAX: Duration = Duration::from_secs(900);

/// What one look used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading {
    pub cpu_s: f64,
    /// Over the loopback device, both ways.
    pub bytes: f64,
    /// From the start of the look until the process was quiet.
    pub busy_s: f64,
    pub peak_kb: f64,
}

/// A running watcher.
pub struct Gauge {
    child: Child,
}

impl Reading {
    pub fn mean(readings: &[Reading]) -> Self {
        let count = readings.len() as f64;
        let mean = |of: fn(&Reading) -> f64| readings.iter().map(of).sum::<f64>() / count;
        Reading {
            cpu_s: mean(|reading| reading.cpu_s),
            bytes: mean(|reading| reading.bytes),
            busy_s: mean(|reading| reading.busy_s),
            peak_kb: readings.iter().map(|reading| reading.peak_kb).fold(0.0, f64::max),
        }
    }
}

impl Gauge {
    pub fn start(watcher: &str, bootstrap: &str) -> Self {
        let program = std::env::current_exe().unwrap();
        Gauge { child: Command::new(program).args(["--watch", watcher, bootstrap]).spawn().unwrap() }
    }

    /// Waits until it has looked at everything once.
    pub fn settle(&self) {
        std::thread::sleep(Duration::from_secs(2));
        self.until_quiet();
        std::thread::sleep(INTERVAL);
        self.until_quiet();
    }

    /// Several looks, each of which is followed by nothing.
    pub fn looks(&mut self, count: u32, between: impl Fn()) -> Reading {
        let (ticks, bytes, started) = (self.ticks(), loopback_bytes(), Instant::now());
        while started.elapsed() < INTERVAL * count {
            between();
            std::thread::sleep(Duration::from_millis(100));
        }
        let count = f64::from(count);
        Reading {
            cpu_s: (self.ticks() - ticks) as f64 / TICKS_PER_SECOND / count,
            bytes: (loopback_bytes() - bytes) as f64 / count,
            busy_s: 0.0,
            peak_kb: self.peak_kb(),
        }
    }

    /// Stops it between two looks: a request that is under way would time out.
    pub fn pause(&self) {
        self.until_quiet();
        self.signal("STOP");
    }

    /// Lets it go on, for one look.
    pub fn look(&self) -> Reading {
        let (ticks, bytes, started) = (self.ticks(), loopback_bytes(), Instant::now());
        self.signal("CONT");
        std::thread::sleep(INTERVAL);
        let busy_s = self.until_quiet().saturating_duration_since(started).as_secs_f64();
        Reading {
            cpu_s: (self.ticks() - ticks) as f64 / TICKS_PER_SECOND,
            bytes: (loopback_bytes() - bytes) as f64,
            busy_s,
            peak_kb: self.peak_kb(),
        }
    }

    pub fn stop(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// When it was busy last.
    fn until_quiet(&self) -> Instant {
        let started = Instant::now();
        let (mut busy, mut ticks) = (started, self.ticks());
        while busy.elapsed() < 2 * QUIET && started.elapsed() < LOOK_MAX {
            std::thread::sleep(QUIET);
            let now = self.ticks();
            if now - ticks > QUIET_TICKS {
                busy = Instant::now();
            }
            ticks = now;
        }
        busy
    }

    fn signal(&self, signal: &str) {
        let done = Command::new("kill").args([format!("-{signal}"), self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// CPU time, user and system.
    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    fn peak_kb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

/// What went over the loopback device of this network namespace.
fn loopback_bytes() -> u64 {
    let devices = std::fs::read_to_string("/proc/net/dev").unwrap();
    let line = devices.lines().find_map(|line| line.trim().strip_prefix("lo:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
