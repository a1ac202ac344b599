//! Runs one peer and measures it from outside: by the output's end offsets and /proc.

use std::collections::HashMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer};
use serde_json::json;

use crate::Args;
use crate::cluster::{LONG, PARTITIONS, client};

/// How often is looked.
const STEP: Duration = Duration::from_millis(100);
/// A peer that has shown nothing new for so long after the last record is done.
const QUIET: Duration = Duration::from_secs(2);
/// /proc counts in these.
const TICKS_PER_SECOND: f64 = 100.0;

/// What was seen at one moment, since the start.
#[derive(Debug, Clone, Copy)]
struct Sample {
    seconds: f64,
    cpu_seconds: f64,
    broker_cpu_seconds: f64,
    records: u64,
}

/// `measure --peer P --delivery D --topic OUT --records N [--broker-pid PID] [--proxy-pid PID] -- COMMAND…`
///
/// Starts COMMAND, waits until N committed records are in OUT, stops it, and prints one JSON line. `steady` figures begin at
/// a quarter of the records. A peer that is a proxy runs already: its figures are told, and COMMAND, which sends records through it, may
/// end when it has sent them.
pub fn run(args: &Args, command: &[String]) -> anyhow::Result<()> {
    let (program, arguments) = command.split_first().context("-- COMMAND is missing")?;
    let count = args.number("--records", 1_000_000)?;
    let output = Output::open(args)?;
    ensure!(output.records() == 0, "{} is not empty", output.topic);
    let child = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let measured = Measured::of(args, "--proxy-pid")?.unwrap_or(Measured { pid: child.id(), before: 0.0 });
    let broker = Measured::of(args, "--broker-pid")?;
    let mut peer = Peer { child, started: Instant::now(), measured, broker };
    let seen = peer.watch(&output, count, Duration::from_secs(args.number("--timeout", 900)?));
    let peak_mb = peak_memory_mb(peer.measured.pid);
    peer.stop()?;
    let Seen { first, warm, last } = seen?;
    let (records, seconds) = ((count - warm.records) as f64, last.seconds - warm.seconds);
    let line = json!({
        "peer": args.need("--peer")?,
        "delivery": args.need("--delivery")?,
        "records": count,
        "wall_s": round(last.seconds, 2),
        "records_per_s": (count as f64 / last.seconds).round(),
        "us_cpu_per_record": round(last.cpu_seconds * 1e6 / count as f64, 2),
        "peak_rss_mb": peak_mb.round(),
        "first_output_s": round(first.seconds, 2),
        "steady_records_per_s": (records / seconds).round(),
        "steady_us_cpu_per_record": round((last.cpu_seconds - warm.cpu_seconds) * 1e6 / records, 2),
        "broker_us_cpu_per_record": round(last.broker_cpu_seconds * 1e6 / count as f64, 2),
    });
    println!("{line}");
    Ok(())
}

/// The topic that the peer writes.
struct Output<'a> {
    topic: &'a str,
    watcher: BaseConsumer,
}

impl<'a> Output<'a> {
    fn open(args: &'a Args) -> anyhow::Result<Self> {
        let watcher = client(args)?.set("isolation.level", "read_committed").create()?;
        Ok(Output { topic: args.need("--topic")?, watcher })
    }

    /// The end offsets that a reader of committed records can see, summed up: the markers of transactions count, too.
    fn records(&self) -> u64 {
        let end =
            |partition| self.watcher.fetch_watermarks(self.topic, partition as i32, LONG).map_or(0, |(_, end)| end);
        (0..PARTITIONS).map(end).sum::<i64>() as u64
    }
}

/// The moments that count.
struct Seen {
    first: Sample,
    warm: Sample,
    last: Sample,
}

/// A running peer.
struct Peer {
    child: Child,
    started: Instant,
    /// The process whose figures are told: the child, or a proxy that the child sends through.
    measured: Measured,
    broker: Option<Measured>,
}

/// A process, and what it had used at the start.
struct Measured {
    pid: u32,
    before: f64,
}

impl Measured {
    /// One that runs already, if it is named.
    fn of(args: &Args, option: &str) -> anyhow::Result<Option<Self>> {
        let Some(pid) = args.get(option) else { return Ok(None) };
        let pid = pid.parse().with_context(|| format!("{option} {pid}"))?;
        Ok(Some(Measured { pid, before: cpu_seconds(pid) }))
    }

    fn used(&self) -> f64 {
        cpu_seconds(self.pid) - self.before
    }
}

impl Peer {
    fn sample(&self, records: u64) -> Sample {
        Sample {
            seconds: self.started.elapsed().as_secs_f64(),
            cpu_seconds: self.measured.used(),
            broker_cpu_seconds: self.broker.as_ref().map_or(0.0, Measured::used),
            records,
        }
    }

    fn watch(&mut self, output: &Output<'_>, count: u64, timeout: Duration) -> anyhow::Result<Seen> {
        let (mut first, mut warm) = (None, None);
        let mut last = self.sample(0);
        loop {
            std::thread::sleep(STEP);
            let records = output.records();
            if records > last.records {
                last = self.sample(records);
                first.get_or_insert(last);
                if records >= count / 4 {
                    warm.get_or_insert(last);
                }
            }
            let quiet = self.started.elapsed().as_secs_f64() - last.seconds > QUIET.as_secs_f64();
            if records >= count && quiet {
                break;
            }
            ensure!(self.started.elapsed() < timeout, "timed out at {records}");
            if let Some(status) = self.child.try_wait()?
                && !(self.measured.pid != self.child.id() && status.success())
            {
                bail!("ended at {records} with {status}");
            }
        }
        let first = first.context("no record was seen")?;
        Ok(Seen { first, warm: warm.context("no quarter was seen")?, last })
    }

    fn stop(&mut self) -> anyhow::Result<()> {
        if self.child.try_wait()?.is_none() {
            Command::new("kill").arg(self.child.id().to_string()).status()?;
        }
        for _ in 0..100 {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(STEP);
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

fn round(value: f64, digits: i32) -> f64 {
    (value * 10_f64.powi(digits)).round() / 10_f64.powi(digits)
}

/// User and system time of a process and its descendants.
fn cpu_seconds(pid: u32) -> f64 {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let mut used: HashMap<u32, u64> = HashMap::new();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    for id in processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) {
        if let Some((parent, ticks)) = stat(id) {
            children.entry(parent).or_default().push(id);
            used.insert(id, ticks);
        }
    }
    let (mut waiting, mut ticks) = (vec![pid], 0);
    while let Some(id) = waiting.pop() {
        ticks += used.get(&id).copied().unwrap_or(0);
        waiting.extend(children.get(&id).into_iter().flatten());
    }
    ticks as f64 / TICKS_PER_SECOND
}

/// A process's parent, and the ticks that it has used (proc(5): fields 4, 14 and 15).
fn stat(pid: u32) -> Option<(u32, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // the program's name stands in brackets, and may hold anything
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    let ticks = |field: usize| fields.get(field)?.parse::<u64>().ok();
    Some((fields.get(1)?.parse().ok()?, ticks(11)? + ticks(12)?))
}

fn peak_memory_mb(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}
