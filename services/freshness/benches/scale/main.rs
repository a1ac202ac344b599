//! What watching costs: CPU, bytes and memory of one look at many products, beside two others that look at the same cluster.
//!
//! ```text
//! unshare -n sh -c 'ip link set lo up; _JAVA_OPTIONS=-Xmx4g cargo bench -p mesh-freshness --bench scale -- --products 1000'
//! ```
//!
//! The cluster is the embedded Kafka; each product has an input and an output port of so many partitions. The watcher is a
//! process of its own, which is stopped (SIGSTOP) while records are written, so that what goes over the loopback device and
//! what the process uses from then on is the look's alone. In a network namespace of its own nothing else uses the device.
//!
//! A broker keeps a file open for each partition, so that one that may open 20,000 has room for 1,200 products of 8 partitions.
//! `--contracts 10` has ten contracts name each product, by ids of their own: the service then asks for, reads, judges and writes down ten
//! times as much. Only the topics' own names and places are no more than they were; `--products 9000 --partitions 1` shows those.
//!
//! Watchers: `monitor` is the service as it runs. `first` is how its first version looked: each topic described, and a consumer
//! made for each topic that moved (only if asked for by `--watcher first`: with many topics a look of it takes longer than
//! is measured, so that its figures are too low). `lag` is what a lag exporter does (Burrow, kminion): all ends and all committed offsets,
//! at each look; it says nothing of freshness.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    unreachable_pub,
    reason = "a program to be run by hand"
)]

mod bed;
mod gauge;
mod watchers;

use std::time::Duration;

use bed::Bed;
use gauge::{Gauge, Reading};

/// How often watchers look.
pub const INTERVAL: Duration = Duration::from_secs(10);
/// How many looks are measured of each load.
const IDLE_LOOKS: u32 = 3;
const MOVED_LOOKS: u32 = 2;

/// What the bench is given.
#[derive(Debug, Clone)]
struct Given {
    products: usize,
    partitions: u32,
    contracts: usize,
    watchers: Vec<String>,
}

impl Given {
    fn read() -> Self {
        let mut given = Given { products: 1_000, partitions: 8, contracts: 1, watchers: Vec::new() };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--products" => given.products = args.next().unwrap().parse().unwrap(),
                "--partitions" => given.partitions = args.next().unwrap().parse().unwrap(),
                "--contracts" => given.contracts = args.next().unwrap().parse().unwrap(),
                "--watcher" => given.watchers.push(args.next().unwrap()),
                // cargo's own
                _ => {}
            }
        }
        if given.watchers.is_empty() {
            given.watchers = ["monitor", "lag"].map(str::to_owned).to_vec();
        }
        given
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match args.iter().position(|arg| arg == "--watch") {
        Some(at) => runtime.block_on(watchers::run(&args[at + 1], &args[at + 2])),
        // `cargo test --benches` builds it, and has it do nothing
        None if args.iter().any(|arg| arg == "--bench") => runtime.block_on(measure(&Given::read())),
        None => {}
    }
}

async fn measure(given: &Given) {
    let bed = Bed::start(given.products, given.partitions, given.contracts).await;
    println!(
        "{} products x {} partitions, in and out, {} contracts for each; a look every {} s",
        given.products,
        given.partitions,
        given.contracts,
        INTERVAL.as_secs()
    );
    println!("| watcher | moved | CPU s/look | MB/look | look s | peak MB |");
    println!("|---|---|---|---|---|---|");
    for watcher in &given.watchers {
        let mut gauge = Gauge::start(watcher, bed.bootstrap());
        gauge.settle();
        tell(watcher, "idle", gauge.looks(IDLE_LOOKS, || {}));
        for (name, one_in) in [("1 %", 100), ("all", 1)] {
            let mut readings = Vec::new();
            for _ in 0..MOVED_LOOKS {
                gauge.pause();
                bed.write(one_in).await;
                readings.push(gauge.look());
            }
            tell(watcher, name, Reading::mean(&readings));
        }
        gauge.stop();
    }
    bed.stop().await;
}

fn tell(watcher: &str, moved: &str, reading: Reading) {
    let Reading { cpu_s, bytes, busy_s, peak_kb } = reading;
    let (mb, peak_mb) = (bytes / 1e6, peak_kb / 1e3);
    println!("| {watcher} | {moved} | {cpu_s:.3} | {mb:.2} | {busy_s:.1} | {peak_mb:.0} |");
}
