//! `mesh lineage check`: where what contracts declare and what was seen differ.

use super::shown::plain;
use super::{When, known, must_exist, products};
use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use mesh_contract::Product;
use mesh_lineage::finding::{Finding, findings};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only what this product is made of, or makes [default: all products]
    #[arg(value_name = "PRODUCT")]
    product: Option<Product>,
    #[command(flatten)]
    when: When,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let replay = known(context).await?;
    let product = args.product.map(|product| product.to_string());
    must_exist(&products(&replay), product.as_deref())?;
    let found = findings(args.when.of(&replay), product.as_deref());
    let _reader = match context.format() {
        Format::Json => output::json(&found)?,
        Format::Text => output::data(&render(&found))?,
    };
    Ok(if found.is_empty() { Exit::Fine } else { Exit::Findings })
}

pub(super) fn render(found: &[Finding]) -> String {
    if found.is_empty() {
        return "What was seen to move is what contracts declare.".to_owned();
    }
    found.iter().map(|finding| plain(&finding.to_string())).collect::<Vec<_>>().join("\n")
}
