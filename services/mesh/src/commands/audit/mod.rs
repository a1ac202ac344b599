//! `mesh audit`: what was masked, from what the sidecars have told.

mod masked;
mod text;

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
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    match args.command {
        Command::Masked(args) => masked::run(args, context).await,
    }
}

#[cfg(test)]
mod tests;
