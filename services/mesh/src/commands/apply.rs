//! `mesh apply`: makes the cluster what the contracts say; creates and registers, never deletes.

use crate::apply::{self, RightsOptions};
use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::lineage_options::LineageOptions;
use crate::output;
use crate::platform::answers;
use crate::schema_rules::NameOptions;
use crate::tree::WorkingTree;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    names: NameOptions,
    #[command(flatten)]
    lineage: LineageOptions,
    #[command(flatten)]
    rights: RightsOptions,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let root = context.root()?;
    let tree = WorkingTree::read(&root, &args.names.names()?)?.sound()?;
    let wanted = args.rights.wanted(&tree, &root)?;
    tree.findings.iter().for_each(|finding| output::talk(&finding.to_string()));
    let (kafka, registry) = (context.kafka()?, context.registry()?);
    answers(&kafka).await?;
    let applied = apply::working_tree(&tree, &kafka, registry, &args.lineage, wanted.as_ref()).await?;
    let _ = match context.format() {
        Format::Text => output::data(&applied.text())?,
        Format::Json => output::json(&applied)?,
    };
    Ok(Exit::Fine)
}
