//! `mesh quarantine show`: shows a refused record in clear, which is why it wants the key and the record's place.

use super::entry::{Row, shown_time};
use crate::audit;
use crate::cli::Format;
use crate::commands::product::{find_applied, kafka_failure, registry_failure};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use mesh_audit::{Event, Who};
use mesh_avro::{keys::KeyName, wire};
use mesh_client::{RegistryClient, json as avro_json};
use mesh_contract::{AppliedProduct, ProductRef};
use mesh_kafka::{ErrorKind, Record, Settings, TopicPartition, consumer::read_range};
use mesh_masking::quarantine::{self, Envelope, OpenError};
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write as _;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The product, such as crm.customers or crm.customers@1
    #[arg(value_name = "PRODUCT")]
    product: ProductRef,
    /// The partition of the quarantine, as `list` shows it
    #[arg(long, value_name = "N")]
    partition: i32,
    /// The offset in it, as `list` shows it
    #[arg(long, value_name = "N")]
    offset: i64,
}

/// A refused record, in clear.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    #[serde(flatten)]
    pub row: Row,
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    /// The value's JSON, where it can be decoded.
    pub decoded: Option<Value>,
    /// Why it cannot.
    pub undecodable: Option<String>,
    pub headers: Vec<Header>,
}

/// Bytes as they are, and as text where they are text.
#[derive(Debug, Serialize)]
pub(super) struct Bytes {
    pub hex: String,
    pub text: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Header {
    pub name: String,
    pub value: Option<Bytes>,
}

impl Bytes {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let hex = bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
            // writing to a String cannot fail
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let is_text = |text: &str| !text.chars().any(char::is_control);
        Bytes { hex, text: std::str::from_utf8(bytes).ok().filter(|text| is_text(text)).map(str::to_owned) }
    }
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let keys = context.keys()?;
    let (kafka, product) = find_applied(context, &args.product).await?;
    let record = read(&kafka, &product, &args).await?;
    let row = Row::of(&record);
    let place = quarantine::associated_data(&row.source_topic, row.source_partition, row.source_offset);
    let name = KeyName::quarantine(&product.contract.owner);
    let sealed = record.value.as_deref().unwrap_or_default();
    let envelope = quarantine::open(&*keys, &name, &place, sealed).map_err(|error| not_opened(error, &name, &row))?;
    // on record before it is seen
    let event = Event::new("quarantine-shown", &Who::here(&kafka, "mesh quarantine show"))
        .with("product", product.contract.product())
        .with("major", product.contract.version)
        .with("partition", args.partition)
        .with("offset", args.offset)
        .with("key_version", row.key_version);
    audit::tell(context, &kafka, &[event]).await?;
    let shown = shown(row, &envelope, decode(context, &envelope).await?);
    let _reader = match context.format() {
        Format::Json => output::json(&shown)?,
        Format::Text => output::data(&text(&shown))?,
    };
    Ok(Exit::Fine)
}

async fn read(kafka: &Settings, product: &AppliedProduct, args: &Args) -> Result<Record, Failure> {
    let topic = product.contract.topics().quarantine;
    let place = TopicPartition::new(topic, args.partition);
    let mut found = None;
    let offsets = args.offset..args.offset.saturating_add(1);
    match read_range(kafka, &place, offsets, |record| found = Some(record)).await {
        Err(error) if error.kind() != ErrorKind::UnknownTopic => return Err(kafka_failure(error)),
        _ => {}
    }
    found.filter(|record: &Record| record.offset == args.offset).ok_or_else(|| {
        Failure::usage(format!("there is no refused record at offset {} of {place}", args.offset))
            .hint(format!("`mesh quarantine list {}` shows what there is", args.product))
    })
}

fn not_opened(error: OpenError, name: &KeyName, row: &Row) -> Failure {
    Failure::usage("cannot decrypt the record").because(error).hint(format!(
        "it was sealed with version {} of the key {name}: give the keys that hold it (--keys)",
        row.key_version
    ))
}

/// The value as JSON, or why it cannot be shown so. Being refused often means just that.
async fn decode(context: &Context, envelope: &Envelope) -> Result<Result<Value, String>, Failure> {
    let Some(value) = &envelope.value else { return Ok(Err("a tombstone has no value".to_owned())) };
    let framed = match wire::parse(value) {
        Ok(framed) => framed,
        Err(error) => return Ok(Err(error.to_string())),
    };
    if context.registry_url().is_err() {
        return Ok(Err("no schema registry is named".to_owned()));
    }
    let registry = RegistryClient::new(context.registry()?).map_err(registry_failure)?;
    let schema = match registry.schema_by_id(framed.schema_id).await {
        Ok(schema) => schema,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let parsed = schema.parse().map_err(|error| error.to_string());
    Ok(parsed.and_then(|schema| avro_json::decode(&schema, framed.datum).map_err(|error| error.to_string())))
}

fn shown(row: Row, envelope: &Envelope, decoded: Result<Value, String>) -> Shown {
    let (decoded, undecodable) = match decoded {
        Ok(value) => (Some(value), None),
        Err(why) => (None, Some(why)),
    };
    let header = |header: &quarantine::EnvelopeHeader| Header {
        name: String::from_utf8_lossy(&header.name).into_owned(),
        value: header.value.as_deref().map(Bytes::of),
    };
    Shown {
        row,
        key: envelope.key.as_deref().map(Bytes::of),
        value: envelope.value.as_deref().map(Bytes::of),
        decoded,
        undecodable,
        headers: envelope.headers.iter().map(header).collect(),
    }
}

pub(super) fn text(shown: &Shown) -> String {
    let row = &shown.row;
    let mut lines = Vec::new();
    let mut line = |name: &str, value: &str| lines.push(format!("{name:<10} {value}"));
    line("reason", &format!("{}: {}", row.reason, row.message));
    line("from", &format!("{}[{}]@{}", row.source_topic, row.source_partition, row.source_offset));
    line("written", &shown_time(row.source_time));
    line("refused", &shown_time(row.time));
    line("schema id", &row.shown_schema_id());
    line("contract", &format!("version {}, revision {}", row.major, row.revision));
    line("key", &bytes(shown.key.as_ref()));
    line("value", &shown.value.as_ref().map_or_else(|| "null".to_owned(), |value| value.hex.clone()));
    match (&shown.decoded, &shown.undecodable) {
        (Some(value), _) => line("decoded", &value.to_string()),
        (None, Some(why)) => line("decoded", &format!("not possible: {why}")),
        (None, None) => {}
    }
    for header in &shown.headers {
        line("header", &format!("{} = {}", header.name.escape_debug(), bytes(header.value.as_ref())));
    }
    lines.join("\n")
}

fn bytes(bytes: Option<&Bytes>) -> String {
    match bytes {
        None => "null".to_owned(),
        Some(Bytes { hex, text: Some(text) }) => format!("{hex} ({text:?})"),
        Some(Bytes { hex, text: None }) => hex.clone(),
    }
}
