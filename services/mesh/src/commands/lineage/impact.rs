//! `mesh lineage impact crm.customers.email`: who sees a column, and in which form.

use super::shown::plain;
use super::{When, known, products, unanswered};
use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use mesh_lineage::impact::{Impact, Sight};
use mesh_lineage::reach::Arrived;
use std::str::FromStr;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The product and its column, such as crm.customers.email or crm.customers.address.street
    #[arg(value_name = "PRODUCT.COLUMN")]
    column: ProductColumn,
    #[command(flatten)]
    when: When,
}

/// A product's column as people write it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ProductColumn {
    product: String,
    column: String,
}

impl FromStr for ProductColumn {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.splitn(3, '.').collect();
        match parts[..] {
            [domain, product, column] if !domain.is_empty() && !product.is_empty() && !column.is_empty() => {
                Ok(Self { product: format!("{domain}.{product}"), column: column.to_owned() })
            }
            _ => Err("expected <domain>.<product>.<column>, such as crm.customers.email"),
        }
    }
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let replay = known(context).await?;
    let ProductColumn { product, column } = &args.column;
    let found = Impact::of(args.when.of(&replay), &products(&replay), product, column).map_err(unanswered)?;
    let _reader = match context.format() {
        Format::Json => output::json(&found)?,
        Format::Text => output::data(&render(&found))?,
    };
    Ok(Exit::Fine)
}

pub(super) fn render(impact: &Impact) -> String {
    let class = impact.class.as_ref().map_or_else(|| "not sensitive".to_owned(), Clone::clone);
    let mut lines = vec![format!("{}.{}  ({class})", impact.product, impact.column)];
    for of_product in impact.sights.chunk_by(|one, other| one.product == other.product) {
        let product = of_product.first().and_then(|sight| sight.product.as_deref());
        lines.push(String::new());
        lines.push(product.map_or_else(|| "outside of all products".to_owned(), plain));
        lines.extend(of_product.chunk_by(is_alike).flat_map(sight));
    }
    for product in &impact.declared_only {
        lines.push(String::new());
        lines.push(format!("{}  declares that it is made of it; nothing was seen to go there", plain(product)));
    }
    if impact.truncated {
        lines.push(String::new());
        lines.push("There is more than is told here.".to_owned());
    }
    lines.join("\n")
}

/// Columns of one place of which the same is to be said.
fn is_alike(one: &Sight, other: &Sight) -> bool {
    let told = |it: &Sight| (it.dataset.clone(), it.form, it.how.clone(), it.sure, it.observed);
    told(one) == told(other)
}

fn sight(alike: &[Sight]) -> Vec<String> {
    let Some(sight) = alike.first() else { return Vec::new() };
    let columns = alike.iter().map(|it| it.column.as_deref().map_or_else(|| "any column".to_owned(), plain));
    let column = columns.collect::<Vec<_>>().join(", ");
    let unsure = if sight.sure { "" } else { ", maybe: a job did not tell" };
    let unseen = if sight.observed { "" } else { ", by contract: nothing was written yet" };
    let form = form(sight.form, sight.how.as_deref());
    let mut lines = vec![format!("  {} {column}: {form}{unsure}{unseen}", plain(&sight.dataset))];
    if !sight.groups.is_empty() {
        lines.push(format!("    groups: {}", sight.groups.join(", ")));
    }
    if !sight.readers.is_empty() {
        let readers: Vec<String> = sight.readers.iter().map(|reader| plain(reader)).collect();
        lines.push(format!("    jobs: {}", readers.join(", ")));
    }
    lines
}

/// A form in words.
pub(super) fn form(form: Arrived, how: Option<&str>) -> String {
    match (form, how) {
        (Arrived::Clear, _) => "in clear".to_owned(),
        (Arrived::Masked, Some(how)) => format!("masked, {}", plain(how)),
        (Arrived::Masked, None) => "masked".to_owned(),
        (Arrived::Sealed, _) => "encrypted whole".to_owned(),
        (Arrived::Decides, _) => "only decides what is there".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_named_after_its_product() {
        let of = |text: &str| text.parse::<ProductColumn>().map(|it| (it.product, it.column));
        assert_eq!(of("crm.customers.address.street"), Ok(("crm.customers".to_owned(), "address.street".to_owned())));
        assert!(of("crm.customers").is_err() && of("crm.customers.").is_err());
    }
}
