//! `mesh freshness rules|openslo`: what other tools need to know of freshness, from the contracts of the working tree.

use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::schema_rules::NameOptions;
use crate::tree::WorkingTree;
use mesh_contract::{Contract, Domain};
use mesh_freshness::{openslo, rules};

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
    /// The objectives of the contracts in the working tree, as OpenSLO v1 documents
    Openslo {
        /// The Prometheus that scrapes the freshness service
        #[arg(long, default_value = "http://prometheus:9090", value_name = "URL")]
        prometheus: String,
        #[command(flatten)]
        names: NameOptions,
    },
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let (Command::Rules { names } | Command::Openslo { names, .. }) = &args.command;
    let tree = WorkingTree::read(&context.root()?, &names.names()?)?.sound()?;
    let contracts: Vec<&Contract> = tree.products.iter().map(|product| &product.contract.value).collect();
    let domains: Vec<&Domain> = tree.domains.iter().map(|domain| &domain.value).collect();
    let _reader = match (&args.command, context.format()) {
        (Command::Rules { .. }, Format::Text) => output::data(rules::prometheus(&contracts, &domains).trim_end())?,
        (Command::Rules { .. }, Format::Json) => output::json(&rules::groups(&contracts, &domains))?,
        (Command::Openslo { prometheus, .. }, Format::Text) => {
            output::data(openslo::documents(&contracts, &domains, prometheus).trim_end())?
        }
        (Command::Openslo { prometheus, .. }, Format::Json) => {
            output::json(&openslo::objects(&contracts, &domains, prometheus))?
        }
    };
    Ok(Exit::Fine)
}
