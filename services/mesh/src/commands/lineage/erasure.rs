//! `mesh lineage erasure PRODUCT`: where a subject's records would have gone.

use super::impact::form;
use super::shown::plain;
use super::{When, known, products, unanswered};
use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use mesh_contract::Product;
use mesh_lineage::erasure::{Erasure, Kept, Place};
use mesh_lineage::reach::Arrived;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The product, such as crm.customers
    #[arg(value_name = "PRODUCT")]
    product: Product,
    /// The subject, by the column that says whom a record is about; only for the text: no record is read
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    #[command(flatten)]
    when: When,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let replay = known(context).await?;
    let product = args.product.to_string();
    let found = Erasure::of(args.when.of(&replay), &products(&replay), &product).map_err(unanswered)?;
    let _reader = match context.format() {
        Format::Json => output::json(&found)?,
        Format::Text => output::data(&render(&found, args.subject.as_deref()))?,
    };
    Ok(Exit::Fine)
}

pub(super) fn render(erasure: &Erasure, subject: Option<&str>) -> String {
    let whom = match (&erasure.subject_column, subject) {
        (Some(column), Some(subject)) => format!("records with {column} {}", plain(subject)),
        (Some(column), None) => format!("a subject's records, by {column}"),
        (None, _) => "a subject's records; the contract names neither a subject nor a key".to_owned(),
    };
    let mut lines = vec![format!("{}: where {whom} would have gone", plain(&erasure.product))];
    for place in &erasure.places {
        lines.push(String::new());
        lines.extend(told(place, erasure.subject_column.as_deref()));
    }
    if erasure.truncated {
        lines.push(String::new());
        lines.push("There is more than is told here.".to_owned());
    }
    lines.join("\n")
}

fn told(place: &Place, subject_column: Option<&str>) -> Vec<String> {
    let outside = if place.product.is_none() { "  (outside of all products)" } else { "" };
    let unsure = if place.sure { "" } else { "  (a job did not tell: there may be more)" };
    let mut lines = vec![format!("{}{outside}{unsure}", plain(&place.dataset))];
    lines.push(format!("  holds: {}", holds(place)));
    lines.push(format!("  found by: {}", found_by(place, subject_column)));
    lines.push(format!("  kept: {}", kept(place)));
    if !place.forgettable.is_empty() {
        let columns = place.forgettable.join(", ");
        lines.push(format!("  forgotten with the subject's key: {columns}"));
    }
    if !place.readers.is_empty() {
        let readers: Vec<String> = place.readers.iter().map(|reader| plain(reader)).collect();
        lines.push(format!("  read by: {}; ask them what they kept", readers.join(", ")));
    }
    lines
}

fn holds(place: &Place) -> String {
    let of = |wanted: Arrived| -> Vec<String> {
        let columns = place.columns.iter().filter(|(_, form)| **form == wanted);
        columns.map(|(column, _)| if column == "*" { "anything".to_owned() } else { plain(column) }).collect()
    };
    if place.columns.values().any(|form| *form == Arrived::Sealed) {
        return "whole records that were refused, encrypted".to_owned();
    }
    let parts = [("in clear", of(Arrived::Clear)), ("masked", of(Arrived::Masked))];
    let parts = parts.into_iter().filter(|(_, columns)| !columns.is_empty());
    parts.map(|(form, columns)| format!("{form}: {}", columns.join(", "))).collect::<Vec<_>>().join("; ")
}

fn found_by(place: &Place, subject_column: Option<&str>) -> String {
    match (place.subject, subject_column) {
        (Some(Arrived::Sealed), _) => "`mesh quarantine show`, who holds the keys".to_owned(),
        (Some(arrived), Some(column)) => format!("{column}, {}", form(arrived, place.how.as_deref())),
        _ => "nothing: it does not say whom it is about".to_owned(),
    }
}

fn kept(place: &Place) -> String {
    match (&place.kept, &place.until) {
        (Kept::For(span), Some(until)) => format!("each event for {span}: what was seen so far is gone by {until}"),
        (Kept::For(span), None) => format!("each event for {span}"),
        (Kept::UntilTombstone, _) => "the newest event of each key, until a tombstone is published for it".to_owned(),
        (Kept::Unknown, _) => "not told to the mesh".to_owned(),
    }
}
