//! `mesh retire`: ends a deprecated version of a product, once nobody reads it.

mod ground;
mod lineage;

use crate::audit;
use crate::cli::Format;
use crate::commands::confirm::confirm;
use crate::commands::product::{catalogue_failure, kafka_failure};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::lineage_options::LineageOptions;
use crate::output;
use crate::platform::answers;
use ground::Ground;
use mesh_audit::{Event, Who};
use mesh_client::Catalogue;
use mesh_contract::acl::{AclTable, Operation, Resource};
use mesh_contract::topic::{PRODUCTS_TOPIC, masking_group};
use mesh_contract::{AppliedProduct, ProductRef};
use mesh_kafka::admin::Admin;
use mesh_kafka::consumer::read_range;
use mesh_kafka::log::FencedLogWriter;
use mesh_kafka::{OutgoingRecord, Settings};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// What `--help` adds to the command's line.
const DETAILS: &str = "\
A version is announced as `deprecated` in its contract first, which warns whoever reads it. It is retired in this order: nobody may \
write its input port any more; what is in it goes through the masking sidecar; the version leaves mesh.products, so that no \
service knows it; topics that are named with --delete are deleted, others stay to be read. It is refused before the first of these while a \
consumer group subscribes to it or has not read all of it, while other products are derived from it, and before its last day. \
Take its contract out of the working tree, too: the next `mesh apply` would bring it back.";

/// Whoever writes contracts does so under this transactional id, whose newest owner alone can.
const APPLY_ID: &str = "mesh.apply";
/// How often it is looked whether the sidecar is through.
const LOOK: Duration = Duration::from_millis(300);

#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub struct Args {
    /// The product and the version, such as crm.customers@1
    #[arg(value_name = "PRODUCT@VERSION")]
    product: ProductRef,
    /// One of its topics, to be deleted with all that is in it; may be repeated
    #[arg(long, value_name = "TOPIC")]
    delete: Vec<String>,
    /// Before its last day, or though it was never announced
    #[arg(long)]
    early: bool,
    /// Though somebody reads it, has not read all of it, or is derived from it
    #[arg(long)]
    despite_readers: bool,
    /// How long the sidecar may take with what is in the input port
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    drain: u64,
    /// Why, for the audit
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    lineage: LineageOptions,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let kafka = context.kafka()?;
    answers(&kafka).await?;
    let catalogue = Catalogue::read(&kafka).await.map_err(catalogue_failure)?;
    let product = find(&catalogue, &args.product)?;
    let admin = Admin::new(&kafka).map_err(kafka_failure)?;
    let topics: BTreeSet<String> = product.contract.topics().all().map(str::to_owned).collect();
    refuse_strangers(&args.delete, &topics)?;
    refuse(&args, &Ground::look(&kafka, &admin, &catalogue, &product).await?)?;
    if !args.yes {
        confirm(&args.product.to_string(), &announcement(&args))?;
    }
    let event = Event::new("product-retired", &Who::here(&kafka, "mesh retire"))
        .with("product", product.contract.product())
        .with("major", product.contract.version)
        .with("revision", product.revision)
        .with("topics_deleted", &args.delete)
        .with("reason", args.reason.as_ref().or(product.contract.deprecated.as_ref().map(|it| &it.reason)));
    audit::tell(context, &kafka, &[event]).await?;
    close_input(&admin, &product).await?;
    drain(&kafka, &admin, &product, Duration::from_secs(args.drain)).await?;
    withdraw(&kafka, &product).await?;
    let delete: Vec<&str> = args.delete.iter().map(String::as_str).collect();
    admin.delete_topics(&delete).await.map_err(kafka_failure)?;
    lineage::tell(&kafka, &catalogue, &product, &args.delete, &args.lineage).await?;
    let kept: Vec<&String> = topics.iter().filter(|topic| !args.delete.contains(topic)).collect();
    let _reader = match context.format() {
        Format::Json => output::json(&json!({ "retired": args.product, "deleted": args.delete, "kept": kept }))?,
        Format::Text => output::data(&told(&args, &kept))?,
    };
    output::talk("take its contract out of the working tree: the next `mesh apply` would bring it back");
    Ok(Exit::Fine)
}

/// The version that is named: a product without one could come to mean another.
fn find(catalogue: &Catalogue, asked: &ProductRef) -> Result<std::sync::Arc<AppliedProduct>, Failure> {
    if asked.major.is_none() {
        return Err(Failure::usage(format!("{asked} names no version"))
            .hint(format!("a version is retired, such as {asked}@1; the others stay")));
    }
    catalogue.product(asked).cloned().map_err(catalogue_failure)
}

fn refuse_strangers(delete: &[String], topics: &BTreeSet<String>) -> Result<(), Failure> {
    match delete.iter().find(|topic| !topics.contains(*topic)) {
        None => Ok(()),
        Some(topic) => Err(Failure::usage(format!("{topic} is no topic of this version"))
            .hint(format!("its topics are {}", topics.iter().cloned().collect::<Vec<_>>().join(", ")))),
    }
}

/// All that speaks against it at once.
fn refuse(args: &Args, ground: &Ground) -> Result<(), Failure> {
    let times = ground.times.iter().filter(|_| !args.early);
    let readers = ground.readers.iter().filter(|_| !args.despite_readers);
    let against: Vec<&String> = times.chain(readers).collect();
    if against.is_empty() {
        return Ok(());
    }
    against.iter().for_each(|why| output::talk(&format!("refused: {why}")));
    Err(Failure::findings(format!("{} is not retired", args.product)).hint(
        "have its readers read its successor; --early retires it before its last day, --despite-readers whoever still reads it",
    ))
}

fn announcement(args: &Args) -> String {
    match args.delete.as_slice() {
        [] => "nobody can write or mask it any more; its topics stay".to_owned(),
        topics => format!("nobody can write or mask it any more, and all that is in {} is deleted", topics.join(", ")),
    }
}

fn told(args: &Args, kept: &[&String]) -> String {
    let deleted = args.delete.iter().map(|topic| format!("deleted  {topic}"));
    let kept = kept.iter().map(|topic| format!("kept     {topic}"));
    let lines: Vec<String> = deleted.chain(kept).chain([format!("retired  {}", args.product)]).collect();
    lines.join("\n")
}

/// Nobody may write the input port any more, where Kafka asks who one is.
async fn close_input(admin: &Admin, product: &AppliedProduct) -> Result<(), Failure> {
    let Some(rights) = admin.rights().await.map_err(kafka_failure)? else { return Ok(()) };
    let input = Resource::Topic(product.contract.topics().input);
    let writes = rights.table.into_iter().filter(|acl| acl.resource == input && acl.operation == Operation::Write);
    admin.revoke(&writes.collect::<AclTable>()).await.map_err(kafka_failure)
}

/// Waits until the sidecar has put through what is in the input port.
async fn drain(kafka: &Settings, admin: &Admin, product: &AppliedProduct, patience: Duration) -> Result<(), Failure> {
    let (input, group) = (product.contract.topics().input, masking_group(&product.contract.owner));
    let started = Instant::now();
    loop {
        let left = unmasked(kafka, admin, &group, &input).await?;
        if left == 0 {
            return Ok(());
        }
        if started.elapsed() > patience {
            let what =
                format!("{left} records of {input} are not through the masking sidecar after {} s", patience.as_secs());
            return Err(Failure::unreachable(what).hint(
                "nobody may write it any more, and it is not retired: let the sidecar catch up, and run the command again",
            ));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// How many records the sidecar has not read; transaction markers have offsets, too, and are none.
async fn unmasked(kafka: &Settings, admin: &Admin, group: &str, input: &str) -> Result<u64, Failure> {
    let committed = admin.committed(group, &[input]).await.map_err(kafka_failure)?;
    let starts = admin.start_offsets(&[input]).await.map_err(kafka_failure)?;
    let ends = admin.settled_end_offsets(&[input]).await.map_err(kafka_failure)?;
    let mut left = 0;
    for (at, end) in &ends {
        let begin = starts.get(at).copied().unwrap_or(0);
        let next = committed.get(at).copied().unwrap_or(begin).max(begin);
        read_range(kafka, at, next..*end, |_| left += 1).await.map_err(kafka_failure)?;
    }
    Ok(left)
}

/// Takes the version from `mesh.products`. Its superseded revisions stay: the audit speaks of them.
async fn withdraw(kafka: &Settings, product: &AppliedProduct) -> Result<(), Failure> {
    let mut writer = FencedLogWriter::open(kafka, APPLY_ID).await.map_err(kafka_failure)?;
    let last = serde_json::to_vec(product)
        .map_err(|error| Failure::internal("the contract has no JSON form").because(error))?;
    let records = vec![
        OutgoingRecord::to(PRODUCTS_TOPIC).key(product.revision_key()).value(last),
        OutgoingRecord::to(PRODUCTS_TOPIC).key(product.key()),
    ];
    writer.append_all(records).await.map_err(kafka_failure)
}
