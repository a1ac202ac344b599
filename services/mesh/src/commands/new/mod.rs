//! `mesh new`: a product's contract and schema to begin with, which `mesh check` accepts as they are.

mod draft;
#[cfg(test)]
mod tests;
mod text;

use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::new_files::write_all;
use crate::output;
use crate::schema_rules::NameOptions;
use draft::Draft;
use mesh_contract::Product;
use serde_json::json;
use std::path::PathBuf;
use std::str::FromStr;

/// What `--help` adds to the command's line.
const DETAILS: &str = "\
Writes topics/<domain>/<product>.yaml and schemas/<domain>/<product>.avsc, and topics/<domain>/domain.yaml where the domain \
is new; nothing that is there is touched. `mesh check` accepts them as they are: what is to be filled in is marked TODO. With \
--schema the contract is written for a schema that exists, and what looks sensitive in it is listed as sensitive. With \
--next-version the newest version's contract and schema are copied to those of the next one, to be changed there.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub struct Args {
    /// The domain and the product, such as crm/customers
    #[arg(value_name = "DOMAIN/PRODUCT")]
    product: Address,
    /// A schema that exists: an .avsc file, which is copied to schemas/DOMAIN/ unless it is below schemas/ already
    #[arg(long, value_name = "FILE", conflicts_with = "next_version")]
    schema: Option<PathBuf>,
    /// The column that keys the change events [default: PRODUCT_id or id, if the schema has it]
    #[arg(long, value_name = "COLUMN", conflicts_with = "next_version")]
    key: Option<String>,
    /// A group that may read the masked view; may be repeated [default: nobody yet]
    #[arg(long, value_name = "GROUP", conflicts_with = "next_version")]
    group: Vec<String>,
    /// What one record means
    #[arg(long, value_name = "TEXT", conflicts_with = "next_version")]
    description: Option<String>,
    /// The next major version of a product that exists, beside the one there is
    #[arg(long)]
    next_version: bool,
    #[command(flatten)]
    names: NameOptions,
}

/// `crm/customers`; `crm.customers` will do.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Address(Product);

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let product: Result<Product, _> = text.replacen('/', ".", 1).parse();
        product.map(Address).map_err(|error| match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => "write <domain>/<product>, such as crm/customers".to_owned(),
        })
    }
}

pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let root = context.root_or_here()?;
    let files = match args.next_version {
        true => draft::next_version(&root, &args.product.0)?,
        false => Draft::of(args, &root)?.files(&root),
    };
    write_all(&root, &files, "choose another name; --next-version begins the next major version of a product")?;
    let _reader = match context.format() {
        Format::Json => output::json(&json!({ "written": files.iter().map(|file| &file.name).collect::<Vec<_>>() }))?,
        Format::Text => {
            let lines: Vec<String> = files.iter().map(|file| format!("written  {}", file.name)).collect();
            output::data(&lines.join("\n"))?
        }
    };
    output::talk(
        "fill in what is marked TODO; `mesh check` checks it, `mesh plan` and `mesh apply` bring it to the cluster",
    );
    Ok(Exit::Fine)
}
