//! `mesh quarantine`: what was refused, and why; for the holder of the domain's key, the record itself, and its replay.

mod entry;
mod list;
mod replay;
mod show;

use crate::commands::product::catalogue_failure;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::platform::answers;
use clap::Subcommand;
use mesh_client::Catalogue;
use mesh_contract::{AppliedProduct, ProductRef};
use mesh_kafka::Settings;
use std::sync::Arc;

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

/// The product as applied, and the cluster that it is on.
async fn find(context: &Context, asked: &ProductRef) -> Result<(Settings, Arc<AppliedProduct>), Failure> {
    let kafka = context.kafka()?;
    answers(&kafka).await?;
    let catalogue = Catalogue::read(&kafka).await.map_err(catalogue_failure)?;
    let product = Arc::clone(catalogue.product(asked).map_err(catalogue_failure)?);
    Ok((kafka, product))
}

#[cfg(test)]
mod tests;
