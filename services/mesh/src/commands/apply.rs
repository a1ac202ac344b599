//! `mesh apply`: makes the cluster what the contracts say; creates and registers, never deletes.

use crate::apply;
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
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let tree = WorkingTree::read(&context.root()?, &args.names.names()?)?.sound()?;
    tree.findings.iter().for_each(|finding| output::talk(&finding.to_string()));
    let (kafka, registry) = (context.kafka()?, context.registry()?);
    answers(&kafka).await?;
    let applied = apply::working_tree(&tree, &kafka, registry, &args.lineage).await?;
    let _ = match context.format() {
        Format::Text => output::data(&applied.text())?,
        Format::Json => output::json(&applied)?,
    };
    Ok(Exit::Fine)
}
