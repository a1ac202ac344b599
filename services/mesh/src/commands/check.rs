//! `mesh check`: what is wrong with the contracts and schemas of the working tree.

use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Reader};
use crate::tree::{WorkingTree, number};
use mesh_contract::Finding;

/// Check the contracts and schemas of the working tree; for CI
///
/// Every finding of every file is reported at once, as `file:line:column: rule: message` with a hint; files are named
/// from the root. Exits with 1 if there is an error; warnings alone are fine. With `--format json` each finding is one
/// JSON object on a line.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Prints the findings to standard output and a summary to standard error.
pub async fn run(_args: Args, context: &Context) -> Result<Exit, Failure> {
    let root = context.root()?;
    let tree = WorkingTree::read(&root)?;
    for finding in &tree.findings {
        if print(finding, context.format())? == Reader::Gone {
            break;
        }
    }
    output::talk(&summary(&tree));
    Ok(if tree.errors() == 0 { Exit::Fine } else { Exit::Findings })
}

fn print(finding: &Finding, format: Format) -> Result<Reader, Failure> {
    match format {
        Format::Text => output::data(&finding.to_string()),
        Format::Json => output::json(finding),
    }
}

fn summary(tree: &WorkingTree) -> String {
    let counts = tree.counts;
    let (errors, warnings) = (tree.errors(), tree.findings.len() - tree.errors());
    let found = match (errors, warnings) {
        (0, 0) => "no findings".to_owned(),
        (_, 0) => number(errors, "error"),
        (0, _) => number(warnings, "warning"),
        _ => format!("{}, {}", number(errors, "error"), number(warnings, "warning")),
    };
    let (contracts, domains) = (number(counts.contracts, "contract"), number(counts.domains, "domain"));
    format!("checked {contracts}, {domains} and {}: {found}", number(counts.schemas, "schema"))
}
