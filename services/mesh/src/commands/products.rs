//! `mesh products`: the catalogue.

mod entry;
#[cfg(test)]
mod tests;
mod text;

use super::product::catalogue_failure;
use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Reader};
use crate::platform::answers;
use entry::Entry;
use mesh_client::{Catalogue, CatalogueError};
use mesh_contract::{AppliedProduct, Domain, ProductRef, did_you_mean};
use mesh_kafka::Settings;

/// What `--help` adds to the command's line.
const DETAILS: &str = "\
One line a product; with a name, everything about that product: what it promises, who sees what, how to read and write \
it. With --format json each product is one JSON object on a line.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub struct Args {
    /// The product, such as crm.customers, or crm.customers@1 for a version other than the newest
    #[arg(value_name = "NAME")]
    name: Option<ProductRef>,
}

/// Prints the products that are applied, or the one that is named.
pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let kafka = context.kafka()?;
    answers(&kafka).await?;
    let entries = entries(&kafka).await?;
    match &args.name {
        Some(name) => show_one(name, &entries, context.format())?,
        None => show_all(&entries, context.format())?,
    }
    Ok(Exit::Fine)
}

/// What is in force; nothing on a cluster that no contract has been applied to.
async fn entries(kafka: &Settings) -> Result<Vec<Entry>, Failure> {
    let catalogue = match Catalogue::read(kafka).await {
        Err(CatalogueError::NotThere) => Catalogue::default(),
        read => read.map_err(catalogue_failure)?,
    };
    let products: Vec<AppliedProduct> = catalogue.products().into_iter().map(|applied| (**applied).clone()).collect();
    let domains: Vec<Domain> = catalogue.domains().map(|domain| (**domain).clone()).collect();
    Ok(entry::entries(&products, &domains))
}

fn show_one(name: &ProductRef, entries: &[Entry], format: Format) -> Result<(), Failure> {
    let entry = entry::find(entries, name).ok_or_else(|| unknown(name, entries))?;
    let _reader = match format {
        Format::Text => output::data(&text::page(entry))?,
        Format::Json => output::json(entry)?,
    };
    Ok(())
}

fn show_all(entries: &[Entry], format: Format) -> Result<(), Failure> {
    if entries.is_empty() {
        output::talk("no product has been applied yet: `mesh apply` applies the contracts of a working tree");
        return Ok(());
    }
    match format {
        Format::Text => {
            let _reader = output::data(&text::table(entries))?;
        }
        Format::Json => {
            for entry in entries {
                if output::json(entry)? == Reader::Gone {
                    break;
                }
            }
        }
    }
    Ok(())
}

fn unknown(name: &ProductRef, entries: &[Entry]) -> Failure {
    let versions: Vec<String> = entries.iter().map(|entry| format!("{}@{}", entry.product, entry.major)).collect();
    let products: Vec<String> = entries.iter().map(|entry| entry.product.to_string()).collect();
    let near = match name.major {
        Some(_) => did_you_mean(&name.to_string(), versions.iter().map(String::as_str)),
        None => did_you_mean(&name.to_string(), products.iter().map(String::as_str)),
    };
    let hint = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`mesh products` lists the products that are applied".to_owned(),
    };
    Failure::usage(format!("no product {name} has been applied")).hint(hint)
}
