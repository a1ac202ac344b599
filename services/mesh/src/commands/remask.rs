//! `mesh remask`: empties a product's output ports and makes them anew under the contract in force.

mod progress;

use crate::audit;
use crate::cli::Format;
use crate::commands::confirm::confirm;
use crate::commands::product::{find_applied, kafka_failure};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use mesh_audit::{Event, Who};
use mesh_contract::{AppliedProduct, ProductRef};
use mesh_kafka::admin::Admin;
use mesh_masking::remask::{RemaskError, request};
use progress::Progress;
use serde_json::json;

/// What `--help` adds to the command's line.
const DETAILS: &str = "\
Use it after a rule has become stricter, or a key was rotated: what was masked before stays as it was until then. All records of \
the product's views are deleted, and the input port is read anew from its beginning; what the input port has lost by then is \
in no view any more. Consumers read the new generation from its beginning; mesh.audit says where that is. The work is done by the \
masking sidecars of the domain: this command asks for it and shows how far it is, and may be interrupted.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub struct Args {
    /// The product, such as crm.customers or crm.customers@1
    #[arg(value_name = "PRODUCT")]
    product: ProductRef,
    /// Do not ask whether all records of the views may be deleted
    #[arg(long)]
    yes: bool,
    /// Only ask for it, and do not wait until it is done
    #[arg(long)]
    no_wait: bool,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let (kafka, product) = find_applied(context, &args.product).await?;
    let admin = Admin::new(&kafka).map_err(kafka_failure)?;
    let named = format!("{}@{}", product.contract.product(), product.contract.version);
    check_policies(&admin, &product).await?;
    output::talk(&announcement(&admin, &product, &named).await?);
    if !args.yes {
        confirm(&product.contract.product().to_string(), "all records of the views are deleted")?;
    }
    let event = Event::new("remask-asked", &Who::here(&kafka, "mesh remask"))
        .with("product", product.contract.product())
        .with("major", product.contract.version)
        .with("revision", product.revision);
    audit::tell(context, &kafka, &[event]).await?;
    let generation = request(&kafka, &admin, &product).await.map_err(failure)?;
    let mut progress = Progress::of(admin, &product, generation).await?;
    if !args.no_wait {
        progress.follow(&named).await?;
    }
    let read = progress.records_to_read();
    let line = json!({ "product": named, "generation": generation, "records_to_read": read, "done": !args.no_wait });
    let _reader = match context.format() {
        Format::Json => output::json(&line)?,
        Format::Text if args.no_wait => output::data(&format!("{named}: generation {generation} is asked for"))?,
        Format::Text => output::data(&format!("{named}: its views are of generation {generation} now"))?,
    };
    Ok(Exit::Fine)
}

/// Kafka empties only what may be deleted: better told before anything is asked for.
async fn check_policies(admin: &Admin, product: &AppliedProduct) -> Result<(), Failure> {
    for (_, topic) in product.contract.topics().views {
        let config = admin.config(&topic).await.map_err(kafka_failure)?;
        let policy = config.get("cleanup.policy").map_or("", String::as_str);
        if !policy.contains("delete") {
            return Err(Failure::usage(format!("{topic} cannot be emptied: its cleanup.policy is {policy}")).hint(
                "set cleanup.policy=compact,delete with retention.ms=-1 and retention.bytes=-1, as `mesh apply` makes it of new topics",
            ));
        }
    }
    Ok(())
}

/// What will be deleted, and what it will be made of.
async fn announcement(admin: &Admin, product: &AppliedProduct, named: &str) -> Result<String, Failure> {
    let topics = product.contract.topics();
    let mut lines = vec![format!("{named}: ALL records of these topics will be deleted:")];
    for (view, topic) in &topics.views {
        lines.push(format!("  {topic} (view {view}), {} offsets", extent(admin, topic).await?));
    }
    let input = extent(admin, &topics.input).await?;
    lines.push(format!(
        "and made anew under revision {} from {}, {input} offsets; what it has lost by now will be in no view any more",
        product.revision, topics.input
    ));
    Ok(lines.join("\n"))
}

async fn extent(admin: &Admin, topic: &str) -> Result<i64, Failure> {
    let starts = admin.start_offsets(&[topic]).await.map_err(kafka_failure)?;
    let ends = admin.end_offsets(&[topic]).await.map_err(kafka_failure)?;
    Ok(ends.values().sum::<i64>() - starts.values().sum::<i64>())
}

fn failure(error: RemaskError) -> Failure {
    match error {
        RemaskError::Read(source) | RemaskError::Write(source) | RemaskError::Look(source) => kafka_failure(source),
    }
}
