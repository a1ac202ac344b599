//! `mesh quarantine list`.

use super::entry::{Row, State, shown_time};
use crate::cli::Format;
use crate::commands::product::{find_applied, kafka_failure};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Reader};
use comfy_table::{Table, presets::NOTHING};
use mesh_contract::{AppliedProduct, ProductRef};
use mesh_kafka::{ErrorKind, Settings, admin::Admin, log::LogReader};
use mesh_masking::quarantine::Marker;
use mesh_masking::remask::{RemaskError, Standing, standings};
use std::collections::{BTreeMap, VecDeque};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The product, such as crm.customers or crm.customers@1
    #[arg(value_name = "PRODUCT")]
    product: ProductRef,
    /// List no more than the newest so many of each partition
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Only records that were refused for this reason, such as unknown-schema-id
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
}

/// What a quarantine holds: counts of all, the newest as rows.
#[derive(Debug, Default)]
pub(super) struct Listing {
    partitions: BTreeMap<i32, VecDeque<Row>>,
    /// How far the outputs of each partition are.
    standings: BTreeMap<i32, Standing>,
    pub(super) reasons: BTreeMap<String, u64>,
    /// How many have been let through since, whatever they were refused for.
    pub(super) replayed: u64,
    /// How many a remask reads again.
    pub(super) superseded: u64,
}

impl Listing {
    pub(super) fn of(standings: BTreeMap<i32, Standing>) -> Self {
        Listing { standings, ..Listing::default() }
    }

    pub(super) fn add(&mut self, mut row: Row, limit: usize) {
        *self.reasons.entry(row.reason.clone()).or_default() += 1;
        let standing = self.standings.get(&row.partition);
        let is_superseded = standing.is_some_and(|standing| standing.supersedes(row.generation, row.source_offset));
        row.state = Some(if is_superseded { State::Superseded } else { State::Waiting });
        self.superseded += u64::from(is_superseded);
        let newest = self.partitions.entry(row.partition).or_default();
        if newest.len() >= limit {
            newest.pop_front();
        }
        newest.push_back(row);
    }

    /// What became of a record is told behind it, in its partition; a remask since has undone that.
    pub(super) fn mark(&mut self, partition: i32, marker: &Marker) {
        let state = State::from(marker.outcome);
        self.replayed += u64::from(state == State::Replayed);
        let rows = self.partitions.entry(partition).or_default();
        if let Ok(index) = rows.binary_search_by_key(&marker.of_offset, |row| row.offset)
            && rows[index].state != Some(State::Superseded)
        {
            rows[index].state = Some(state);
        }
    }

    /// By time; of the same time by partition and offset.
    pub(super) fn rows(self) -> Vec<Row> {
        let mut rows: Vec<Row> = self.partitions.into_values().flatten().collect();
        rows.sort_by_key(|row| (row.time, row.partition, row.offset));
        rows
    }
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let (kafka, product) = find_applied(context, &args.product).await?;
    let topic = product.contract.topics().quarantine;
    let mut reader = LogReader::open(&kafka, &topic).await.map_err(kafka_failure)?;
    let (mut listing, limit) = (Listing::of(generations(&kafka, &product).await?), args.limit as usize);
    let is_asked = |row: &Row| args.reason.as_ref().is_none_or(|reason| *reason == row.reason);
    let read = reader.read_to_end(|record| match Marker::of(&record) {
        Some(marker) => listing.mark(record.partition, &marker),
        None => {
            let row = Row::of(&record);
            if is_asked(&row) {
                listing.add(row, limit);
            }
        }
    });
    read.await.map_err(kafka_failure)?;
    let summary = summary(&listing);
    let rows = listing.rows();
    match context.format() {
        Format::Json => show_json(&rows)?,
        Format::Text if rows.is_empty() => {}
        Format::Text => _ = output::data(&table(&rows))?,
    }
    output::talk(&format!("{}@{}: {summary}", product.contract.product(), product.contract.version));
    Ok(Exit::Fine)
}

/// How far the outputs of each partition are. It stands with the sidecar's group, which not everybody who may read a quarantine may see.
async fn generations(kafka: &Settings, product: &AppliedProduct) -> Result<BTreeMap<i32, Standing>, Failure> {
    let admin = Admin::new(kafka).map_err(kafka_failure)?;
    match standings(&admin, product).await {
        Ok(found) => Ok(found),
        Err(RemaskError::Look(error)) if error.kind() == ErrorKind::Unauthorised => {
            output::talk(
                "note: what a remask has read again is listed as if it had not: the sidecar's group may not be seen",
            );
            Ok(BTreeMap::new())
        }
        Err(RemaskError::Look(source) | RemaskError::Read(source) | RemaskError::Write(source)) => {
            Err(kafka_failure(source))
        }
    }
}

/// One object a line.
fn show_json(rows: &[Row]) -> Result<(), Failure> {
    for row in rows {
        if output::json(row)? == Reader::Gone {
            break;
        }
    }
    Ok(())
}

pub(super) fn table(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["partition", "offset", "reason", "source", "schema id", "refused at", "state"]);
    for row in rows {
        let source = format!("{}[{}]@{}", row.source_topic, row.source_partition, row.source_offset);
        table.add_row([
            row.partition.to_string(),
            row.offset.to_string(),
            row.reason.clone(),
            source,
            row.shown_schema_id(),
            shown_time(row.time),
            row.state.map_or("-", State::name).to_owned(),
        ]);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().trim_start_matches(' ').to_owned()).collect();
    lines.join("\n")
}

/// `4 refused: 3 key-mismatch, 1 truncated; 2 replayed since, 1 read again by a remask`
pub(super) fn summary(listing: &Listing) -> String {
    let reasons = &listing.reasons;
    let total: u64 = reasons.values().sum();
    if total == 0 {
        return "nothing was refused".to_owned();
    }
    let mut counts: Vec<(&String, &u64)> = reasons.iter().collect();
    counts.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), *reason));
    let counts: Vec<String> = counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    let since = [(listing.replayed, "replayed since"), (listing.superseded, "read again by a remask")];
    let since: Vec<String> =
        since.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let since = if since.is_empty() { String::new() } else { format!("; {}", since.join(", ")) };
    format!("{total} refused: {}{since}", counts.join(", "))
}
