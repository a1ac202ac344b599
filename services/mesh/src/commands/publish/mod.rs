//! `mesh publish`: change events from a file or standard input, to a product's input port.

mod container;
mod csv;
mod input;
mod lines;
mod row;

use crate::cli::Format;
use crate::commands::product::tell_end;
use crate::commands::product::{Named, produce_failure};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::lineage_options::LineageOptions;
use crate::output;
use crate::tree::parse_schema;
use indicatif::ProgressBar;
use input::{Encoding, Input};
use mesh_client::lineage::{Reporter, name::publishing_job};
use mesh_client::{Meta, ProduceError, ProductProducer};
use mesh_contract::ProductRef;
use mesh_kafka::Header;
use mesh_runtime::Shutdown;
use row::{Content, Row};
use serde_json::{Value, json};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long what is on its way may take to arrive once the command is interrupted.
const GRACE: Duration = Duration::from_secs(10);
/// More refused events are counted, not told one by one.
const TOLD_MAX: u64 = 20;

/// What `--help` adds to the command's line.
const DETAILS: &str = "\
JSON lines: one event a line, the record itself ({\"customer_id\":\"c1\",...}) or with what goes with it, as `mesh \
subscribe` prints it ({\"key\":...,\"value\":{...},\"timestamp\":...,\"headers\":{...}}). A line {\"key\":\"c1\",\"value\":null} \
is a tombstone: it deletes c1.
CSV: the first line names columns (address.street for a nested one); an empty cell is null, or the default.
Avro: an object container file.
Dates, times, decimals and UUIDs are taken as people write them. A file that ends in .gz is decompressed.
Events that do not fit the schema are told with their line and left out, and the exit code is 1.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub struct Args {
    /// The product, such as crm.customers, or crm.customers@1 for a version other than the newest
    #[arg(value_name = "PRODUCT")]
    product: ProductRef,
    /// The file to publish; - is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// What the file holds [default: by its name; JSON lines of standard input]
    #[arg(long, value_enum)]
    encoding: Option<Encoding>,
    /// Write with this schema instead of the contract's; the registry refuses one that is not compatible
    #[arg(long, value_name = "FILE.avsc")]
    schema: Option<PathBuf>,
    /// Publish a tombstone for each event instead: delete what it is about
    #[arg(long)]
    tombstones: bool,
    /// What this is called in lineage [default: publish.PRODUCT.vMAJOR]
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    #[command(flatten)]
    lineage: LineageOptions,
    /// A header for each event, such as ce_source=crm; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = header)]
    header: Vec<(String, String)>,
}

/// What came of a run.
#[derive(Debug, Default)]
struct Counts {
    events: u64,
    tombstones: u64,
    refused: u64,
}

/// Publishes to the input port, and accounts for every event.
pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let shutdown =
        Shutdown::on_signals(GRACE).map_err(|error| Failure::internal("cannot listen to signals").because(error))?;
    let encoding = args.encoding.unwrap_or_else(|| Encoding::of(&args.file));
    let own_schema = args.schema.as_deref().map(|file| read_schema(file, context)).transpose()?;
    let source = input::open(&args.file)?;
    let published = shutdown.abandon(open(&args, context, own_schema.as_ref())).await;
    let Some((producer, reporter)) = published.transpose()? else { return Ok(Exit::Interrupted) };
    let input = Input::start(source, encoding, producer.schema())?;
    let ended = publish(producer, input, &args, &shutdown, context.format()).await;
    tell_end(reporter, &ended).await;
    ended
}

async fn open(args: &Args, context: &Context, schema: Option<&Value>) -> Result<(ProductProducer, Reporter), Failure> {
    let Named { kafka, registry, product, cluster } = Named::find(context, &args.product).await?;
    let schema = schema.unwrap_or(&product.schema);
    let opened = ProductProducer::with_schema(&kafka, &registry, &product, schema).await;
    let mut producer = opened.map_err(produce_failure)?;
    let contract = &product.contract;
    let by_default = || publishing_job(&contract.product().to_string(), contract.version);
    let job = args.job.clone().unwrap_or_else(by_default);
    let reporter = Reporter::publisher(&job, &cluster, &product, args.lineage.emitter(&kafka)?);
    producer.report_to(&reporter);
    Ok((producer, reporter))
}

async fn publish(
    mut producer: ProductProducer,
    mut input: Input,
    args: &Args,
    shutdown: &Shutdown,
    format: Format,
) -> Result<Exit, Failure> {
    let bar = ProgressBar::new_spinner();
    let mut counts = Counts::default();
    let interrupted = loop {
        let Some(next) = shutdown.abandon(input.next()).await else { break true };
        let Some(row) = next? else { break false };
        let place = row.place.clone();
        match hand_over(&mut producer, row, args).await {
            Ok(true) => counts.tombstones += 1,
            Ok(false) => counts.events += 1,
            Err(Trouble::Event(why)) => {
                counts.refused += 1;
                bar.suspend(|| tell_refused(&args.file, &place, &why, counts.refused));
            }
            Err(Trouble::Command(failure)) => return Err(failure),
        }
        bar.tick();
        bar.set_message(format!("{} events", counts.events + counts.tombstones));
    };
    let flushed = producer.flush().await;
    bar.finish_and_clear();
    flushed.map_err(produce_failure)?;
    report(&producer, &counts, format)?;
    Ok(match (interrupted, counts.refused) {
        (true, _) => Exit::Interrupted,
        (false, 0) => Exit::Fine,
        (false, _) => Exit::Findings,
    })
}

/// Why an event was not handed over.
enum Trouble {
    /// The fault is in the event.
    Event(String),
    /// Nothing more can be published.
    Command(Failure),
}

/// Hands one event over; whether it was a tombstone.
async fn hand_over(producer: &mut ProductProducer, row: Row, args: &Args) -> Result<bool, Trouble> {
    let content = row.content.map_err(Trouble::Event)?;
    let mut headers: Vec<Header> = args.header.iter().map(|(name, value)| Header::new(name, value.clone())).collect();
    headers.extend(row.headers.into_iter().map(|(name, value)| Header::new(name, value)));
    let meta = Meta { headers, timestamp_ms: row.timestamp_ms };
    let sent = match (content, args.tombstones) {
        (Content::Event(event), false) => producer.send_json(&event, meta).await.map(|()| false),
        (Content::Event(event), true) => producer.delete_as_in(&event, meta).await.map(|()| true),
        (Content::Delete(key), _) => producer.delete(&key, meta).await.map(|()| true),
    };
    sent.map_err(|error| match error.is_of_the_event() {
        true => Trouble::Event(chain(&error)),
        false => Trouble::Command(produce_failure(error)),
    })
}

/// The error with its causes, on one line.
fn chain(error: &ProduceError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn tell_refused(file: &Path, place: &str, why: &str, refused: u64) {
    let name = if file == Path::new("-") { "standard input".into() } else { file.display().to_string() };
    match refused {
        1..=TOLD_MAX => output::talk(&format!("{name}: {place}: {why}")),
        refused if refused == TOLD_MAX + 1 => output::talk("more events are refused; they are only counted"),
        _ => {}
    }
}

fn report(producer: &ProductProducer, counts: &Counts, format: Format) -> Result<(), Failure> {
    let (topic, Counts { events, tombstones, refused }) = (producer.topic(), counts);
    let _reader = match format {
        Format::Json => output::json(&json!({
            "product": producer.contract().product().to_string(),
            "topic": topic,
            "events": events,
            "tombstones": tombstones,
            "refused": refused,
        }))?,
        Format::Text => {
            let deleted =
                if *tombstones > 0 { format!(" and {}", counted(*tombstones, "tombstone")) } else { String::new() };
            let left_out = if *refused > 0 { format!("; {refused} refused") } else { String::new() };
            output::data(&format!("published {}{deleted} to {topic}{left_out}", counted(*events, "event")))?
        }
    };
    Ok(())
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A schema's file. Types of the working tree's files are put in place, where there is a tree.
fn read_schema(file: &Path, context: &Context) -> Result<Value, Failure> {
    let unreadable = || Failure::usage(format!("cannot read the schema {}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| unreadable().because(error))?;
    let root = context.root().ok();
    match root.and_then(|root| parse_schema(&root, &text).ok()) {
        Some(schema) => Ok(schema.json().clone()),
        None => serde_json::from_str(&text).map_err(|error| unreadable().because(error)),
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE, such as ce_source=crm")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}
