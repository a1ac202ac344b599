//! `mesh audit`: who did what, and what was masked; and whether the record of it is intact.

mod masked;
mod query;
mod text;
mod verify;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Was a column masked in every record of a time; exit code 1 if not, or if that is not known
    Masked(masked::Args),
    /// Who did what, when and why: a line each, the oldest first
    Query(query::Args),
    /// Is the record all there, and as it was written; exit code 1 if not
    Verify(verify::Args),
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    match args.command {
        Command::Masked(args) => masked::run(args, context).await,
        Command::Query(args) => query::run(args, context).await,
        Command::Verify(args) => verify::run(args, context).await,
    }
}

#[cfg(test)]
mod tests;
