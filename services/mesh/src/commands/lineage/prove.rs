//! `mesh lineage prove`: does every sensitive column arrive masked wherever it is not granted.

use super::shown::plain;
use super::{When, known, must_exist, products};
use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use mesh_contract::Product;
use mesh_lineage::proof::{Breach, Proof, Reason, Source, Step};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this product's sensitive columns [default: those of all products]
    #[arg(value_name = "PRODUCT")]
    product: Option<Product>,
    #[command(flatten)]
    when: When,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let replay = known(context).await?;
    let (products, product) = (products(&replay), args.product.map(|product| product.to_string()));
    must_exist(&products, product.as_deref())?;
    let proof = Proof::of(args.when.of(&replay), &products, product.as_deref());
    let _reader = match context.format() {
        Format::Json => output::json(&proof)?,
        Format::Text => output::data(&render(&proof))?,
    };
    Ok(if proof.holds() { Exit::Fine } else { Exit::Findings })
}

pub(super) fn render(proof: &Proof) -> String {
    let mut lines: Vec<String> = proof.sources.iter().map(source).collect();
    for breach in &proof.breaches {
        lines.push(String::new());
        lines.extend(told(breach));
    }
    lines.push(String::new());
    lines.push(verdict(proof));
    lines.join("\n")
}

/// What did not move is not proven by that: it is said how many columns the proof is of.
fn verdict(proof: &Proof) -> String {
    let moved = proof.sources.iter().filter(|source| source.masked + source.granted > 0).count();
    match (proof.sources.len(), proof.breaches.len()) {
        (0, 0) => "No sensitive column: there is nothing to prove.".to_owned(),
        (_, 0) if moved == 0 => "Nothing was seen to move: there is nothing to prove yet.".to_owned(),
        (all, 0) if moved == all => format!("Proven for {all} sensitive {}.", plural(all, "column")),
        (all, 0) => format!("Proven for {moved} of {all} sensitive columns; of the others nothing was seen to move."),
        (_, breaches) => format!("Not proven: {breaches} {}.", plural(breaches, "finding")),
    }
}

fn source(source: &Source) -> String {
    let Source { product, column, class, masked, granted, breached } = source;
    let places = match (masked + granted, *breached) {
        (0, 0) => "nothing was seen to arrive anywhere".to_owned(),
        (_, 0) => format!("arrives masked in {masked} {}, granted in {granted}", plural(*masked, "place")),
        (_, _) => format!("arrives masked in {masked}, granted in {granted}, and NOT PROVEN in {breached}"),
    };
    format!("{product}.{column}  ({class}): {places}")
}

fn told(breach: &Breach) -> Vec<String> {
    let column = breach.column.as_deref().map_or_else(|| "any column".to_owned(), plain);
    let place = format!("{} {column}", plain(&breach.dataset));
    let (rule, what) = match breach.reason {
        Reason::Unmasked => ("unmasked", format!("arrives in clear in {place}, which does not grant it")),
        Reason::Ungoverned => ("ungoverned", format!("arrives in clear in {place}, which no contract governs")),
        Reason::NotProven => ("not-proven", format!("may arrive in clear in {place}: a job on the way did not tell")),
        Reason::NotEnforceable => ("not-enforceable", "cannot be followed: its contract cannot be enforced".to_owned()),
        Reason::TooFar => ("too-far", "goes to more places than are followed".to_owned()),
    };
    let mut lines = vec![format!("{}: {rule}: {what}", plain(&breach.source))];
    lines.extend(breach.way.iter().map(step));
    lines
}

fn step(step: &Step) -> String {
    let column = step.column.as_deref().map_or_else(|| "any column".to_owned(), plain);
    let place = format!("{} {column}", plain(&step.dataset));
    match &step.job {
        Some(job) => format!("    -> {place}  (by {})", plain(job)),
        None => format!("    {place}"),
    }
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { noun.to_owned() } else { format!("{noun}s") }
}
