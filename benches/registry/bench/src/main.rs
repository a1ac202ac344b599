//! `registry-bench NAME --url URL -- COMMAND…`: starts a registry on a Kafka that answers, registers schemas, reads them by
//! id, and starts it again on the log that it has now. One JSON object with what was measured goes to standard output.
//!
//! The load is the same whatever is measured: Confluent's API at `--url`, keep-alive connections, HTTP/1.1.

mod load;
mod process;
mod schema;

use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use serde_json::json;

use crate::{
    load::Load,
    process::{Registry, Usage},
};

/// How long a registry may take to answer.
const PATIENCE: Duration = Duration::from_secs(180);

#[derive(Debug, Parser)]
struct Args {
    /// What the results are named after
    name: String,
    /// Where Confluent's API is, once the command runs
    #[arg(long)]
    url: String,
    /// How many subjects have five versions each
    #[arg(long, default_value_t = 2_000)]
    subjects: usize,
    /// How many connections ask at once
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// How long reads are measured
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// The registry
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let load = Load::new(&args.url, args.connections)?;

    let mut registry = Registry::start(&args.command)?;
    let start_empty = registry.answers(&load, "/subjects", PATIENCE).await?;
    let idle = registry.usage()?;
    load.hold_to_backward().await?;
    let before = registry.usage()?;
    let (ids, registering) = load.register(args.subjects).await.context("cannot register")?;
    let registrations = Measured::new(ids.len(), registering, before, registry.usage()?);

    // The first reads warm caches, pools and compilers up; they are not reported.
    load.read(&ids, Duration::from_secs(args.seconds / 2)).await?;
    let before = registry.usage()?;
    let duration = Duration::from_secs(args.seconds);
    let reads = load.read(&ids, duration).await.context("cannot read")?;
    let loaded = registry.usage()?;
    let reads = Measured::new(reads, duration, before, loaded);
    registry.stop().await?;

    let mut registry = Registry::start(&args.command)?;
    let newest = ids.iter().max().context("nothing was registered")?;
    let start_full = registry.answers(&load, &format!("/schemas/ids/{newest}"), PATIENCE).await?;
    let started = registry.usage()?;
    registry.stop().await?;

    let result = json!({
        "name": args.name, "schemas": ids.len(), "connections": args.connections,
        "reads_per_second": reads.per_second, "reads_per_cpu_second": reads.per_cpu_second,
        "registrations_per_second": registrations.per_second,
        "registrations_per_cpu_second": registrations.per_cpu_second,
        "rss_idle_mib": idle.rss_mib, "rss_loaded_mib": loaded.rss_mib, "rss_peak_mib": loaded.rss_peak_mib,
        "start_empty_seconds": start_empty.as_secs_f64(),
        "start_seconds": start_full.as_secs_f64(), "start_cpu_seconds": started.cpu_seconds,
        "rss_restarted_mib": started.rss_mib,
    });
    println!("{result}");
    Ok(())
}

/// What a count of requests took.
#[derive(Debug)]
struct Measured {
    per_second: f64,
    per_cpu_second: f64,
}

impl Measured {
    fn new(count: usize, wall: Duration, before: Usage, after: Usage) -> Self {
        let count = count as f64;
        Self {
            per_second: count / wall.as_secs_f64(),
            per_cpu_second: count / (after.cpu_seconds - before.cpu_seconds),
        }
    }
}
