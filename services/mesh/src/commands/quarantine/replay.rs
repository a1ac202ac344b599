//! `mesh quarantine replay`: lets refused records through after all, once what was wrong is mended.

use crate::audit;
use crate::cli::Format;
use crate::commands::product::{catalogue_failure, find_applied, kafka_failure, registry_failure};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use mesh_audit::{Event, Who};
use mesh_contract::ProductRef;
use mesh_masking::replay::{self, Config, ReplayError, Report, Selection};
use serde_json::json;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The product, such as crm.customers or crm.customers@1
    #[arg(value_name = "PRODUCT")]
    product: ProductRef,
    /// Only what is in this partition of the quarantine
    #[arg(long, value_name = "N")]
    partition: Option<i32>,
    /// Only the record at this offset of the partition, as `list` shows it
    #[arg(long, value_name = "N", requires = "partition")]
    offset: Option<i64>,
    /// Only records that were refused for this reason, such as unknown-schema-id
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
    /// Let through what a newer record of the same key has overtaken, too: for readers who want every event
    #[arg(long)]
    append: bool,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let keys = context.keys()?;
    let registry = context.registry()?;
    let (kafka, product) = find_applied(context, &args.product).await?;
    let named = format!("{}@{}", product.contract.product(), product.contract.version);
    if !args.dry_run {
        // who lets data out is on record before any is; what was let out is told with it, in the same transactions
        let event = Event::new("quarantine-replay-asked", &Who::here(&kafka, "mesh quarantine replay"))
            .with("product", product.contract.product())
            .with("major", product.contract.version)
            .with("partition", args.partition)
            .with("offset", args.offset)
            .with("reason", &args.reason)
            .with("append", args.append);
        audit::tell(context, &kafka, &[event]).await?;
    }
    let config = Config { kafka, registry, keys, product };
    let dry_run = args.dry_run;
    let selection =
        Selection { partition: args.partition, offset: args.offset, reason: args.reason, append: args.append, dry_run };
    let progress = |report: &Report| output::talk(&format!("{named}: {}", summary(report, dry_run)));
    let report = replay::run(&config, &selection, progress).await.map_err(failure)?;
    match context.format() {
        Format::Json => {
            let _reader = output::json(&json!({ "product": named, "dry_run": dry_run, "report": report }))?;
        }
        Format::Text => {
            let _reader = output::data(&format!("{named}: {}", summary(&report, dry_run)))?;
        }
    }
    let all_through = report.refused.is_empty() && report.unreadable == 0;
    Ok(if all_through { Exit::Fine } else { Exit::Findings })
}

/// `3 replayed, 1 overtaken, 2 still refused (2 truncated)`
pub(super) fn summary(report: &Report, dry_run: bool) -> String {
    let refused: u64 = report.refused.values().sum();
    let reasons: Vec<String> = report.refused.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    let replayed = if dry_run { "would be replayed" } else { "replayed" };
    let mut parts = vec![format!("{} {replayed}", report.replayed)];
    let mut add = |count: u64, what: String| {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    };
    add(report.overtaken, "overtaken by newer records".to_owned());
    add(refused, format!("still refused ({})", reasons.join(", ")));
    add(report.already, "replayed before".to_owned());
    add(report.superseded, "read again by a remask since".to_owned());
    add(report.unreadable, "unreadable".to_owned());
    parts.join(", ")
}

fn failure(error: ReplayError) -> Failure {
    let again = "what was replayed before is marked: run the same command again to go on";
    match error {
        ReplayError::Registry(source) => registry_failure(source),
        ReplayError::ReadCatalogue(source) => catalogue_failure(source),
        ReplayError::SetUp(source)
        | ReplayError::ReadQuarantine(source)
        | ReplayError::ReadInput(source)
        | ReplayError::Write(source) => kafka_failure(source).hint(again),
        ReplayError::Unavailable { .. } => {
            Failure::unreachable("cannot replay").because(error).hint("mend what is missing, and run it again")
        }
        ReplayError::Key { .. } => Failure::usage("cannot replay")
            .because(error)
            .hint("give the keys that the records were sealed with (--keys)"),
        ReplayError::NoAudit => Failure::usage("cannot replay").because(error).hint("`mesh apply` makes it"),
        ReplayError::Look(error) => Failure::unreachable("cannot replay").because(error),
        ReplayError::Remasking => Failure::usage("cannot replay now")
            .because(error)
            .hint("wait for the remask: `mesh remask` says how far it is"),
        ReplayError::KeysBehind { .. } => {
            Failure::usage("cannot replay").because(error).hint("give the keys that the sidecar has (--keys)")
        }
        ReplayError::KeysRotated | ReplayError::Changed => {
            Failure::usage("cannot go on replaying").because(error).hint(again)
        }
        ReplayError::Contract { .. } => {
            Failure::usage("cannot replay").because(error).hint("apply a contract that can be enforced: `mesh apply`")
        }
    }
}
