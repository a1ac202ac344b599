//! `mesh plan` and `mesh drift`: what an apply would change; nothing is.

use crate::apply::{self, Applier, PlanOptions, Report, RightsOptions, Shown};
use crate::cli::AnyFormat;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::platform::answers;
use crate::schema_rules::NameOptions;
use crate::tree::WorkingTree;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Save the plan to a file, for `mesh apply FILE`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Show a plan that was saved, as it is in the file; the cluster is not looked at
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "delete", "adopt", "leave_access"])]
    show: Option<PathBuf>,
    #[command(flatten)]
    compared: Compared,
}

#[derive(Debug, clap::Args)]
pub struct DriftArgs {
    #[command(flatten)]
    compared: Compared,
}

/// What is compared with what.
#[derive(Debug, clap::Args)]
struct Compared {
    #[command(flatten)]
    plan: PlanOptions,
    #[command(flatten)]
    names: NameOptions,
    #[command(flatten)]
    rights: RightsOptions,
}

/// Exit code 1 if something speaks against the plan.
pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    if let Some(file) = &args.show {
        print(&apply::read(file)?, context)?;
        return Ok(Exit::Fine);
    }
    let shown = show(&args.compared, args.out.as_deref(), context).await?;
    if let Some(file) = args.out.as_deref().filter(|_| !shown.is_refused) {
        output::talk(&format!("saved to {}: `mesh apply {}` does exactly this", file.display(), file.display()));
    }
    Ok(if shown.is_refused { Exit::Findings } else { Exit::Fine })
}

/// Exit code 3 if the cluster differs from the contracts.
pub async fn drift(args: DriftArgs, context: &Context) -> Result<Exit, Failure> {
    let shown = show(&args.compared, None, context).await?;
    Ok(if shown.is_drift { Exit::Drift } else { Exit::Fine })
}

async fn show(compared: &Compared, out: Option<&Path>, context: &Context) -> Result<Shown, Failure> {
    let root = context.root()?;
    let tree = WorkingTree::read(&root, &compared.names.names()?)?.sound()?;
    let wanted = compared.rights.wanted(&tree, &root)?;
    let (kafka, registry) = (context.kafka()?, context.registry()?);
    answers(&kafka).await?;
    let shown = Applier::new(&root, &tree, &kafka, registry, wanted.as_ref(), &compared.plan)?.show(out).await?;
    print(&shown.report, context)?;
    Ok(shown)
}

fn print(report: &Report, context: &Context) -> Result<(), Failure> {
    let _ = match context.any_format() {
        AnyFormat::Json => output::json(report)?,
        AnyFormat::Markdown => output::data(&report.markdown())?,
        _ => output::data(&report.text())?,
    };
    Ok(())
}
