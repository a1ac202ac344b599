//! How many pairs of schemas a core checks a second, beside Avro Java's `SchemaCompatibility` warmed up in the same run:
//!
//! ```text
//! cargo bench -p mesh-avro --bench compat              a table
//! cargo bench -p mesh-avro --bench compat -- --json    one JSON object
//! ```
//!
//! `--check` exits with 1 where the target is missed, `--warm-up SECONDS` warms Avro Java up for longer, `--alone` leaves
//! it out and `--only releases/check` all other work (for a profiler). Without `--bench`, as `cargo test --benches` runs
//! it, it only sees to it that the corpora are of both kinds. Needs a JDK 17 or newer and Maven.
//!
//! Both sides do what they do for their users: Avro Java compares and words what is incompatible; this checker also finds
//! changes of meaning, and a witness for each finding. "check" compares schemas that are parsed already, "parse + check"
//! parses both texts first. Rounds alternate between the two sides, and the median of five counts. Time is CPU time of the
//! thread that does the work; what Java's compiler and garbage collector take on other threads is not counted.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "../../tests/avro_java/mod.rs"]
mod avro_java;
mod contest;
mod corpus;
#[path = "../../tests/compat/evolve/mod.rs"]
mod evolve;
mod java;
mod report;

use std::process::ExitCode;

use corpus::Corpus;

const WARM_UP_SECONDS: u64 = 8;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let is_asked = |flag: &str| args.iter().any(|arg| arg == flag);
    let after = |flag: &str| args.iter().skip_while(|arg| *arg != flag).nth(1);
    let corpora = [Corpus::evolved(), Corpus::releases()];
    if !is_asked("--bench") {
        return ExitCode::SUCCESS;
    }
    if is_asked("--alone") {
        print!("{}", report::alone(&contest::alone(&corpora, after("--only").map(String::as_str))));
        return ExitCode::SUCCESS;
    }
    let warm_up = after("--warm-up").and_then(|seconds| seconds.parse().ok()).unwrap_or(WARM_UP_SECONDS);
    let figures = contest::hold(&corpora, warm_up);
    if is_asked("--json") {
        println!("{}", report::json(&figures));
    } else {
        print!("{}", report::text(&corpora, &figures));
    }
    if is_asked("--check") && !report::is_met(&figures) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
