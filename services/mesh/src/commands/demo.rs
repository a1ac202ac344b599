//! `mesh demo`: the three example domains on real data, end to end, with a report of what was seen.

use super::run::GRACE;
use crate::cli::Format;
use crate::context::Context;
use crate::demo;
use crate::failure::{Exit, Failure};
use crate::output;
use mesh_runtime::Shutdown;
use std::io::Write;
use std::path::{Path, PathBuf};

/// How wide the report may be: wider lines are harder to read.
const WIDTH_MAX: u16 = 140;
/// How wide it is where the width of the terminal is not known.
const WIDTH_DEFAULT: u16 = 110;
/// Below that the tables are unreadable anyway.
const WIDTH_MIN: u16 = 80;

const EXPLANATION: &str = "Everything runs in this process, on an embedded Kafka that is thrown away afterwards, or, with \
--bootstrap-servers, on yours: there it makes the topics of the example products if they are not there, and leaves them. It may \
be run again and again; every run plants canaries of its own and counts its own records only. It starts a registry of its own \
unless --registry-url names one, and masks with keys of its own unless --keys names some: where another sidecar masks the same \
products, name its keys, or the hashes of one address differ. A `mesh up` in the same working tree is found without being named.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXPLANATION)]
pub struct Args {
    /// Write the OpenLineage events that were seen to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    lineage_events: Option<PathBuf>,
    /// On a Kafka that asks who one is, where each service may do only what it has to
    #[arg(long, conflicts_with = "bootstrap_servers")]
    secure: bool,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let shutdown =
        Shutdown::on_signals(GRACE).map_err(|error| Failure::internal("cannot listen to signals").because(error))?;
    let ended = demo::run(context, args.secure, &shutdown).await?;
    if let Some(file) = &args.lineage_events {
        write_lines(file, &ended.lineage_events)?;
    }
    let _reader = match context.format() {
        Format::Json => output::json(&ended.story.summary())?,
        Format::Text => output::data(&demo::render(&ended.story, width()))?,
    };
    Ok(if ended.story.as_staged() { Exit::Fine } else { Exit::Findings })
}

fn width() -> u16 {
    let table = comfy_table::Table::new();
    table.width().unwrap_or(WIDTH_DEFAULT).clamp(WIDTH_MIN, WIDTH_MAX)
}

fn write_lines(file: &Path, lines: &[String]) -> Result<(), Failure> {
    let failed = |error| Failure::usage(format!("cannot write {}", file.display())).because(error);
    let mut out = std::io::BufWriter::new(std::fs::File::create(file).map_err(failed)?);
    lines.iter().try_for_each(|line| writeln!(out, "{line}")).and_then(|()| out.flush()).map_err(failed)
}
