//! `mesh apply`: makes the cluster what the contracts say, or what a saved plan says.

use crate::apply::{self, Applier, ConfirmOptions, OnRecord, PlanOptions, Report, RightsOptions};
use crate::audit;
use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::lineage_options::LineageOptions;
use crate::output;
use crate::platform::answers;
use crate::schema_rules::NameOptions;
use crate::tree::WorkingTree;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A plan of `mesh plan --out`: exactly that is done, if the cluster is as it was then [default: plan anew]
    #[arg(value_name = "PLAN", conflicts_with_all = ["delete", "adopt"])]
    saved: Option<PathBuf>,
    /// Why it is done, for the audit, such as a pull request or a ticket
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    confirm: ConfirmOptions,
    #[command(flatten)]
    plan: PlanOptions,
    #[command(flatten)]
    names: NameOptions,
    #[command(flatten)]
    lineage: LineageOptions,
    #[command(flatten)]
    rights: RightsOptions,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let (kafka, registry) = (context.kafka()?, context.registry()?);
    let on_record = OnRecord { seals: audit::seals(context, &kafka)?, reason: args.reason.clone() };
    if let Some(file) = &args.saved {
        answers(&kafka).await?;
        let report = apply::saved(file, &kafka, registry, &args.lineage, &args.confirm, &on_record).await?;
        show(&report, context.format())?;
        return Ok(Exit::Fine);
    }
    let root = context.root()?;
    let tree = WorkingTree::read(&root, &args.names.names()?)?.sound()?;
    let wanted = args.rights.wanted(&tree, &root)?;
    tree.findings.iter().for_each(|finding| output::talk(&finding.to_string()));
    answers(&kafka).await?;
    let applier = Applier::new(&root, &tree, &kafka, registry, wanted.as_ref(), &args.plan)?;
    let shown = applier.apply(&args.lineage, &args.confirm, &on_record).await?;
    show(&shown.report, context.format())?;
    Ok(if shown.is_drift { Exit::Drift } else { Exit::Fine })
}

fn show(report: &Report, format: Format) -> Result<(), Failure> {
    let _ = match format {
        Format::Text => output::data(&report.text())?,
        Format::Json => output::json(report)?,
    };
    Ok(())
}
