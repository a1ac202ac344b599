//! `mesh freshness rules`: alert rules for Prometheus, from the contracts of the working tree.

use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::schema_rules::NameOptions;
use crate::tree::WorkingTree;
use mesh_freshness::rules;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// The Prometheus alert rules of the contracts in the working tree, as a rule file
    Rules {
        #[command(flatten)]
        names: NameOptions,
    },
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let Command::Rules { names } = args.command;
    let tree = WorkingTree::read(&context.root()?, &names.names()?)?.sound()?;
    let contracts: Vec<_> = tree.products.iter().map(|product| &product.contract.value).collect();
    let domains: Vec<_> = tree.domains.iter().map(|domain| &domain.value).collect();
    let _reader = match context.format() {
        Format::Text => output::data(rules::prometheus(&contracts, &domains).trim_end())?,
        Format::Json => output::json(&rules::groups(&contracts, &domains))?,
    };
    Ok(Exit::Fine)
}
