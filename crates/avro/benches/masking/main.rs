//! What masking costs, in ratios of one run:
//!
//! ```text
//! cargo bench -p mesh-avro --bench masking              a table
//! cargo bench -p mesh-avro --bench masking -- --json    one JSON object
//! ```
//!
//! `--check` exits with 1 where a target is missed, `--rounds N` measures longer, `--records N` other than 2,000 records,
//! `--only TEXT` the contenders whose names contain the text, for a profiler. Without `--bench`, as `cargo test --benches`
//! runs it, it only sees to it that all contenders do the same work.
#![allow(clippy::print_stdout)]

mod allocator;
mod clock;
mod contest;
mod encoding;
mod growth;
mod peers;
mod report;
mod rules;
mod splice;
mod words;
mod workload;

use std::process::ExitCode;

use clock::Figures;
use contest::Workload;
use report::Report;

#[global_allocator]
static ALLOCATOR: allocator::Counting = allocator::Counting;

/// As many as the peers were measured on: 2 MB, as warm as a batch that was just fetched. The targets are judged by them.
const RECORDS: u64 = 2_000;
/// Few enough to stay in a core's own cache, and for its branch predictor to learn by heart.
const HOT_RECORDS: u64 = 400;
/// Too many for any cache.
const COLD_RECORDS: u64 = 64_000;
const ROUNDS: u64 = 50;

/// One view and what it is compared with, on so many records.
fn warmth(records: u64, rounds: usize) -> (u64, Vec<Figures>) {
    (records, Workload::new(records).measure(contest::COMPARED, rounds.div_ceil(5)))
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let is_asked = |flag: &str| args.iter().any(|arg| arg == flag);
    let after = |flag: &str| args.iter().skip_while(|arg| *arg != flag).nth(1);
    let number = |flag: &str, default: u64| after(flag).and_then(|text| text.parse().ok()).unwrap_or(default);
    let workload = Workload::new(number("--records", RECORDS));
    workload.verify();
    if !is_asked("--bench") {
        return ExitCode::SUCCESS;
    }
    let rounds = number("--rounds", ROUNDS) as usize;
    if let Some(only) = after("--only") {
        for figures in workload.measure(only, rounds) {
            println!("{:<42}{:>10.0}", figures.name, figures.nanoseconds());
        }
        return ExitCode::SUCCESS;
    }
    let report = Report {
        bytes_mean: workload.bytes_mean(),
        contest: workload.measure("", rounds),
        warmth: [HOT_RECORDS, COLD_RECORDS].map(|records| warmth(records, rounds)).into(),
        sizes: growth::sizes(rounds),
        columns: growth::columns(rounds),
        compile_ms: growth::compile_ms(rounds),
    };
    if is_asked("--json") {
        println!("{}", report.json());
    } else {
        print!("{}", report.text());
    }
    if is_asked("--check") && !report.is_met() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
