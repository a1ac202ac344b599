//! `mesh check`: what is wrong with the contracts and schemas of the working tree.

mod form;

use crate::cli::AnyFormat;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Reader};
use crate::tree::{WorkingTree, number};

/// What `--help` adds to the command's line.
const DETAILS: &str = "\
Every finding of every file is reported at once, as `file:line:column: rule: message` with a hint; files are named from \
the root, and docs/rules/ has a page for each rule. Exits with 1 if there is an error; warnings alone are fine. With \
--format json each finding is one JSON object on a line.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub struct Args {}

/// Prints the findings to standard output and a summary to standard error.
pub async fn run(_args: Args, context: &Context) -> Result<Exit, Failure> {
    let tree = WorkingTree::read(&context.root()?)?;
    show(&tree, context.any_format())?;
    output::talk(&summary(&tree));
    Ok(if tree.errors() == 0 { Exit::Fine } else { Exit::Findings })
}

fn show(tree: &WorkingTree, format: AnyFormat) -> Result<(), Failure> {
    let findings = &tree.findings;
    let counts = tree.counts;
    let _reader = match format {
        AnyFormat::Github => lines(&form::github(findings))?,
        AnyFormat::Sarif => output::json(&form::sarif(findings))?,
        AnyFormat::Junit => output::data(&form::junit(findings, counts.contracts + counts.domains + counts.schemas))?,
        AnyFormat::Markdown => output::data(&form::markdown(findings, &summary(tree)))?,
        AnyFormat::Json => each(findings, output::json)?,
        // The last two are no forms of findings; the command line refuses them before.
        AnyFormat::Text | AnyFormat::Dot | AnyFormat::Mermaid => {
            each(findings, |finding| output::data(&finding.to_string()))?
        }
    };
    Ok(())
}

fn lines(lines: &[String]) -> Result<Reader, Failure> {
    each(lines, |line| output::data(line))
}

/// Prints items until the reader goes away.
fn each<T>(items: &[T], print: impl Fn(&T) -> Result<Reader, Failure>) -> Result<Reader, Failure> {
    for item in items {
        if print(item)? == Reader::Gone {
            return Ok(Reader::Gone);
        }
    }
    Ok(Reader::There)
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
