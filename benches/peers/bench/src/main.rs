//! The peers' benchmark in one binary: the workload, the peers written in Rust, the measuring, the checking.
//! See ../../README.md.

mod check;
mod cluster;
mod customer;
mod latency;
mod load;
mod mask;
mod measure;
mod pipe;

use anyhow::{Context, bail};

/// What stands behind a subcommand: `--name value` pairs and `--name` flags.
pub struct Args(Vec<String>);

impl Args {
    /// The value of an option, if it is given.
    pub fn get(&self, name: &str) -> Option<&str> {
        let place = self.0.iter().position(|arg| arg == name)?;
        self.0.get(place + 1).map(String::as_str)
    }

    /// The value of an option that has to be given.
    pub fn need(&self, name: &str) -> anyhow::Result<&str> {
        self.get(name).with_context(|| format!("{name} is missing"))
    }

    /// A number, or what it is unless given.
    pub fn number(&self, name: &str, otherwise: u64) -> anyhow::Result<u64> {
        self.get(name).map_or(Ok(otherwise), |text| text.parse().with_context(|| format!("{name} {text}")))
    }

    /// Whether a flag is given.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|arg| arg == name)
    }
}

fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let subcommand = words.next().unwrap_or_default();
    let words: Vec<String> = words.collect();
    let command = words.iter().position(|word| word == "--").map(|end| words[end + 1..].to_vec()).unwrap_or_default();
    let args = Args(words.into_iter().take_while(|word| word != "--").collect());
    match subcommand.as_str() {
        "topic" => cluster::topic(&args),
        "forget-group" => cluster::forget_group(&args),
        "load" => load::run(&args),
        "measure" => measure::run(&args, &command),
        "check" => check::run(&args),
        "latency" => latency::run(&args),
        "pipe" => pipe::run(&args),
        _ => bail!("bench topic|forget-group|load|measure|check|latency|pipe"),
    }
}
