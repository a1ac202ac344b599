//! `mesh check`: what is wrong with the contracts and schemas of the working tree, and whom its changes break.

mod before;
mod evolution;
mod form;
mod lifecycle;
mod reported;
mod rule;
#[cfg(test)]
mod tests;
mod waivers;

use crate::cli::AnyFormat;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Reader};
use crate::schema_rules::SchemaRules;
use crate::tree::{Counts, WorkingTree, number};
use before::{Against, Before};
use jiff::civil::Date;
use mesh_avro::compat::Severities;
use reported::Reported;
use std::collections::HashSet;
use std::io::IsTerminal;
use std::path::Path;

/// What `--help` adds to the command's line.
const DETAILS: &str = "\
Every finding of every file is reported at once, as `file:line:column: rule: message` with a hint; files are named from \
the root, and docs/rules/ has a page for each rule. What changed is held to each contract's compatibility level against \
what was before, and a break names the views and products that it reaches. A deliberate break is a new major version, or a \
waiver in topics/<domain>/waivers.yaml. Exits with 1 if there is an error; warnings alone are fine. With --format json \
each finding is one JSON object on a line.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub struct Args {
    /// What to compare with: a git revision, a folder that holds topics/, or `registry` [default: where HEAD left the
    /// main branch, if the tree is in a git repository]
    #[arg(long, value_name = "REF|registry|DIR")]
    against: Option<String>,
    #[command(flatten)]
    schemas: SchemaRules,
}

/// What was checked, and what was found.
struct Outcome {
    counts: Counts,
    reported: Vec<Reported>,
}

/// Prints the findings to standard output and a summary to standard error.
pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let root = context.root()?;
    let tree = WorkingTree::read(&root, &args.schemas.names.names()?)?;
    let before = match Against::of(args.against.as_deref()).read(&root, &tree, context).await? {
        Ok(before) => Some(before),
        Err(why) => {
            output::talk(&format!("nothing to compare with: {why}; --against names something"));
            None
        }
    };
    let severities = args.schemas.severities();
    let outcome =
        judge(tree, before.as_ref(), &severities, jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date());
    show(&outcome, &root, context.any_format())?;
    for note in before.iter().flat_map(|before| &before.notes) {
        output::talk(&format!("note: {note}"));
    }
    let against = before.as_ref().map(|before| format!(", against {}", before.name)).unwrap_or_default();
    // The process ends: to give back thousands of schemas one by one would only take time.
    std::mem::forget(before);
    output::talk(&format!("{}{against}", outcome.summary()));
    Ok(if outcome.errors() == 0 { Exit::Fine } else { Exit::Findings })
}

/// Everything that is found, in the order of files and lines.
fn judge(tree: WorkingTree, before: Option<&Before>, severities: &Severities, today: Date) -> Outcome {
    let compared = before.map(|before| evolution::compare(&tree, before, severities));
    let mut evolution = compared.unwrap_or_default();
    let waivers = waivers::apply(&tree, before, &mut evolution, today);
    let over = lifecycle::over(&tree, today);
    let found = tree.findings.into_iter().chain(waivers).chain(over).map(Reported::from);
    let mut reported: Vec<Reported> = found.chain(evolution.changed).collect();
    reported.sort_by(|a, b| order(a).cmp(&order(b)));
    let mut seen = HashSet::new();
    reported.retain(|it| seen.insert((it.finding.rule, it.finding.place.clone(), it.finding.message.clone())));
    Outcome { counts: tree.counts, reported }
}

fn order(reported: &Reported) -> (&mesh_contract::Place, &str, &str) {
    let finding = &reported.finding;
    (&finding.place, finding.rule, &finding.message)
}

impl Outcome {
    fn errors(&self) -> usize {
        self.reported.iter().filter(|reported| reported.finding.is_error()).count()
    }

    fn files(&self) -> usize {
        self.counts.contracts + self.counts.domains + self.counts.schemas
    }

    fn summary(&self) -> String {
        let counts = self.counts;
        let (errors, warnings) = (self.errors(), self.reported.len() - self.errors());
        let found = match (errors, warnings) {
            (0, 0) => "no findings".to_owned(),
            (_, 0) => number(errors, "error"),
            (0, _) => number(warnings, "warning"),
            _ => format!("{}, {}", number(errors, "error"), number(warnings, "warning")),
        };
        let (contracts, domains) = (number(counts.contracts, "contract"), number(counts.domains, "domain"));
        format!("checked {contracts}, {domains} and {}: {found}", number(counts.schemas, "schema"))
    }
}

fn show(outcome: &Outcome, root: &Path, format: AnyFormat) -> Result<(), Failure> {
    let reported = &outcome.reported;
    let _reader = match format {
        AnyFormat::Github => each(&form::github(&from_the_top(reported, root)), |line| output::data(line))?,
        AnyFormat::Sarif => output::json(&form::sarif(&from_the_top(reported, root)))?,
        AnyFormat::Junit => output::data(&form::junit(reported, outcome.files()))?,
        AnyFormat::Markdown => output::data(&form::markdown(reported, &outcome.summary()))?,
        AnyFormat::Json => each(reported, output::json)?,
        // The last two are no forms of findings; the command line refuses them before.
        AnyFormat::Text | AnyFormat::Dot | AnyFormat::Mermaid => {
            let colours =
                std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
            each(reported, |reported| output::data(&form::text(reported, colours)))?
        }
    };
    Ok(())
}

/// The findings with their files named from the top of the git repository, as who annotates pull requests knows them: the
/// tree may be a folder of a larger repository.
fn from_the_top(reported: &[Reported], root: &Path) -> Vec<Reported> {
    let absolute = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let top = absolute.ancestors().find(|folder| folder.join(".git").exists());
    let folder = top.and_then(|top| absolute.strip_prefix(top).ok()).unwrap_or(Path::new(""));
    let named = |mut reported: Reported| {
        let place = &mut reported.finding.place;
        place.file = folder.join(&*place.file).to_string_lossy().into();
        reported
    };
    reported.iter().cloned().map(named).collect()
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
