//! `mesh audit query`: who did what, when and why.

use super::masked::time;
use crate::cli::Format;
use crate::commands::product::kafka_failure;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Reader};
use crate::platform::answers;
use jiff::Timestamp;
use mesh_audit::{Query, Row};
use mesh_contract::ProductRef;
use serde_json::Value;
use std::fmt::Write;

/// Facts that a line begins with, or that say nothing to people.
const SHOWN_ELSEWHERE: [&str; 6] = ["who", "product", "major", "unique_id", "since_ms", "first_ms"];
/// A longer fact is cut for people; the JSON has all.
const FACT_MAX: usize = 120;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// About this product, such as crm.customers or crm.customers@1: its topics and rules, too
    #[arg(long, value_name = "PRODUCT")]
    product: Option<ProductRef>,
    /// By this principal or user, or about it: User:ann, ann
    #[arg(long, value_name = "NAME")]
    principal: Option<String>,
    /// Of this kind, such as access-denied, access-granted, subject-forgotten; may be repeated
    #[arg(long, value_name = "EVENT")]
    what: Vec<String>,
    /// From this time on: 2026-11-17 (midnight in UTC) or 2026-11-17T08:00:00+01:00
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let kafka = context.kafka()?;
    answers(&kafka).await?;
    let query = Query {
        product: args.product,
        principal: args.principal,
        what: args.what,
        since_ms: args.since.map(Timestamp::as_millisecond),
        until_ms: args.until.map(Timestamp::as_millisecond),
    };
    let (format, mut shown) = (context.format(), Ok(Reader::There));
    let show = |row: Row| {
        // each at once: an audit may be longer than there is memory
        if matches!(shown, Ok(Reader::There)) {
            shown = match format {
                Format::Json => output::json(&row),
                Format::Text => output::data(&line(&row)),
            };
        }
    };
    query.ask(&kafka, show).await.map_err(kafka_failure)?;
    shown.map(|_reader| Exit::Fine)
}

/// `2026-11-17 08:00:00 UTC  access-granted  User:mesh-apply (ann@ci-7, mesh apply)  crm.customers@1  rule=…`
pub(super) fn line(row: &Row) -> String {
    let time = Timestamp::from_millisecond(row.at_ms)
        .map_or_else(|_| row.at_ms.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    let mut text = format!("{time}  {}  {}", row.event, who(row));
    if let Some(product) = row.text("product") {
        let major = row.facts.get("major").map(|major| format!("@{major}")).unwrap_or_default();
        let _ = write!(text, "  {product}{major}");
    }
    for (name, fact) in row.facts.iter().filter(|(name, _)| !SHOWN_ELSEWHERE.contains(&name.as_str())) {
        let _ = write!(text, "  {name}={}", fact_shown(fact));
    }
    text
}

fn who(row: &Row) -> String {
    let place = match (row.who("user"), row.who("host")) {
        (Some(user), Some(host)) => Some(format!("{user}@{host}")),
        (one, other) => one.or(other).map(str::to_owned),
    };
    let beside: Vec<String> = place.into_iter().chain(row.who("with").map(str::to_owned)).collect();
    match (row.who("principal").or(row.text("by")), beside.is_empty()) {
        (Some(principal), true) => principal.to_owned(),
        (Some(principal), false) => format!("{principal} ({})", beside.join(", ")),
        (None, true) => "-".to_owned(),
        (None, false) => beside.join(", "),
    }
}

/// On one line: what stands there may come from a client's name or a broker's log.
fn fact_shown(fact: &Value) -> String {
    let text = fact.as_str().map_or_else(|| fact.to_string(), str::to_owned);
    let mut shown: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).take(FACT_MAX).collect();
    if text.chars().nth(FACT_MAX).is_some() {
        shown.push_str("...");
    }
    shown
}
