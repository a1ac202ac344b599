//! `mesh quarantine`: what was refused, and why; for the holder of the domain's key, the record itself, and its replay.

mod entry;
mod list;
mod replay;
mod show;

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
    /// What was refused, newest last, and why; shows nothing of the records themselves
    List(list::Args),
    /// One refused record, decrypted with the domain's key
    Show(show::Args),
    /// Let refused records through after all, under the contract in force, each once
    Replay(replay::Args),
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    match args.command {
        Command::List(args) => list::run(args, context).await,
        Command::Show(args) => show::run(args, context).await,
        Command::Replay(args) => replay::run(args, context).await,
    }
}

#[cfg(test)]
mod tests;
