//! `mesh freshness rules|openslo`: what other tools need to know of freshness, from the contracts of the working tree; and `mesh
//! freshness maintenance`, when nobody is to be paged.

mod maintenance;

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
    /// When products need not be fresh, planned by hand; `maintenance` in a contract or a domain plans ahead
    Maintenance {
        #[command(subcommand)]
        command: maintenance::Command,
    },
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let _reader = match args.command {
        Command::Maintenance { command } => return maintenance::run(&command, context).await,
        Command::Rules { names } => {
            let tree = tree(&names, context)?;
            let (contracts, domains) = said(&tree);
            match context.format() {
                Format::Text => output::data(rules::prometheus(&contracts, &domains).trim_end())?,
                Format::Json => output::json(&rules::groups(&contracts, &domains))?,
            }
        }
        Command::Openslo { prometheus, names } => {
            let tree = tree(&names, context)?;
            let (contracts, domains) = said(&tree);
            match context.format() {
                Format::Text => output::data(openslo::documents(&contracts, &domains, &prometheus).trim_end())?,
                Format::Json => output::json(&openslo::objects(&contracts, &domains, &prometheus))?,
            }
        }
    };
    Ok(Exit::Fine)
}

fn tree(names: &NameOptions, context: &Context) -> Result<WorkingTree, Failure> {
    WorkingTree::read(&context.root()?, &names.names()?)?.sound()
}

fn said(tree: &WorkingTree) -> (Vec<&Contract>, Vec<&Domain>) {
    let contracts = tree.products.iter().map(|product| &product.contract.value);
    (contracts.collect(), tree.domains.iter().map(|domain| &domain.value).collect())
}
