//! `mesh import`: contracts for topics and subjects that exist, and for products whose tree was lost. Only looks at the cluster.

mod draft;
mod history;
mod key;
mod published;
mod rate;
mod report;
mod said;
mod select;
mod sensitive;
mod source;
mod tail;
#[cfg(test)]
mod tests;
mod topics;
mod yaml;

use super::product::{catalogue_failure, registry_failure};
use crate::cli::AnyFormat;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::new_files::{NewFile, write_all};
use crate::output;
use crate::platform::answers;
use crate::schema_rules::NameOptions;
use crate::tree::WorkingTree;
use mesh_avro::schema::{Name, Schema};
use mesh_client::{Catalogue, CatalogueError, RegisteredSchema, RegistryClient};
use mesh_contract::{Contract, value_subject};
use mesh_kafka::Settings;
use published::Brought;
use report::Report;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use topics::Topics;

/// Schemas by the keys of their products.
type Registered = BTreeMap<String, Arc<RegisteredSchema>>;

/// What `--help` adds to the command's line.
const DETAILS: &str = "\
For each topic with a subject TOPIC-value writes topics/<domain>/<product>.yaml and schemas/<domain>/<product>.avsc, and \
topics/<domain>/domain.yaml where the domain is new. Each line says where it is from: what the cluster and the registry show \
is taken, the key and the refresh rate are concluded from the newest records, sensitive columns from names and tags, producers \
from Kafka's rules; what only a person knows is marked TODO. Nothing on the cluster is changed and no file is written over: all \
files are written or none. With --published the contracts, schemas and domains on mesh.products that the tree lacks are written \
back as they were applied, so that `mesh plan` has nothing to do. Exits with 1 if `mesh check` refuses what was written until it \
is filled in.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub struct Args {
    /// Topics that exist; with --published products, such as crm.customers@1 [default: all that the tree lacks]
    #[arg(value_name = "TOPIC")]
    names: Vec<String>,
    /// The domain whose products they become [default: that of the topic's name, where it is called as an input port is]
    #[arg(long, value_name = "DOMAIN", conflicts_with = "published")]
    domain: Option<String>,
    /// The product that a single topic becomes [default: the topic's name, in the form that products have]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["published", "all"])]
    product: Option<String>,
    /// Every topic that has a subject and belongs to nobody else; those left out are told
    #[arg(long, conflicts_with_all = ["names", "published"])]
    all: bool,
    /// Of these only those of such a name, in which * stands for anything
    #[arg(long, value_name = "PATTERN", requires = "all")]
    matching: Option<String>,
    /// The products that are published and that the tree has no contract of
    #[arg(long)]
    published: bool,
    /// How many of a topic's newest records are looked at, to tell its key and how often it is written; 0: none
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    records: usize,
    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    sensitive: NameOptions,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    if args.names.is_empty() && !args.all && !args.published {
        return Err(
            Failure::usage("no topic is named").hint("name topics, or give --all, or --published for what was lost")
        );
    }
    let root = context.root_or_here()?;
    let names = args.sensitive.names()?;
    let tree = WorkingTree::read(&root, &names)?;
    let kafka = context.kafka()?;
    answers(&kafka).await?;
    let catalogue = catalogue(&kafka).await?;
    let mut report = Report { dry_run: args.dry_run, ..Report::default() };
    let files = match args.published {
        true => {
            let registered = registered(context, &catalogue).await?;
            write_back(&args.names, (&root, &tree), &catalogue, registered, &mut report)?
        }
        false => {
            let registry = RegistryClient::new(context.registry()?).map_err(registry_failure)?;
            let topics = Topics { args: &args, root: &root, tree: &tree, names: &names };
            topics.import(&kafka, registry, &catalogue, &mut report).await?
        }
    };
    report.take(&files);
    let checked = WorkingTree::read_with(&root, &names, &files)?;
    let is_new = |file: &str| files.iter().any(|new| new.name == file);
    report.findings = checked.findings.into_iter().filter(|finding| is_new(&finding.place.file)).collect();
    if !args.dry_run {
        write_all(&root, &files, "nothing was written; choose another --product, or move that file away")?;
    }
    show(&report, context.any_format())?;
    Ok(if report.is_refused() { Exit::Findings } else { Exit::Fine })
}

/// What is published; nothing on a cluster that no contract has been applied to.
async fn catalogue(kafka: &Settings) -> Result<Catalogue, Failure> {
    match Catalogue::read(kafka).await {
        Err(CatalogueError::NotThere) => Ok(Catalogue::default()),
        read => read.map_err(catalogue_failure),
    }
}

/// The schemas of products as they were registered; none where no registry is known: then each is written as one.
async fn registered(context: &Context, catalogue: &Catalogue) -> Result<Registered, Failure> {
    let mut found = Registered::new();
    if context.registry_url().is_err() {
        output::talk("no registry is named: a schema that uses types of other files is written as one");
        return Ok(found);
    }
    let registry = RegistryClient::new(context.registry()?).map_err(registry_failure)?;
    for applied in catalogue.products() {
        let subject = value_subject(&applied.contract.topics().input);
        let numbers = registry.version_numbers(&subject, false).await.map_err(registry_failure)?;
        for number in numbers.into_iter().rev() {
            let version = registry.version(&subject, number).await.map_err(registry_failure)?;
            let is_it =
                version.schema.parse().and_then(Schema::into_one).is_ok_and(|one| *one.json() == applied.schema);
            if is_it {
                if are_shared(&registry, &version.schema).await? {
                    found.insert(applied.key(), version.schema);
                }
                break;
            }
        }
    }
    Ok(found)
}

/// Whether all that a schema refers to is there as `mesh apply` registers types: by their full names. What is called otherwise was in no
/// file of its own.
async fn are_shared(registry: &RegistryClient, schema: &RegisteredSchema) -> Result<bool, Failure> {
    for text in &schema.references {
        let Some(name) = Name::defined_by(text) else { return Ok(false) };
        if registry.version_numbers(&name.to_string(), false).await.map_err(registry_failure)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn write_back(
    names: &[String],
    (root, tree): (&Path, &WorkingTree),
    catalogue: &Catalogue,
    registered: Registered,
    report: &mut Report,
) -> Result<Vec<NewFile>, Failure> {
    let products = catalogue.products();
    let products: Vec<_> = products.iter().map(|applied| &***applied).collect();
    let domains: Vec<_> = catalogue.domains().map(|domain| &**domain).collect();
    let contracts: Vec<&Contract> = tree.contracts.iter().map(|contract| &contract.value).collect();
    // what cannot be read is there all the same
    let read = |name: &str| {
        let path = root.join(name);
        path.exists().then(|| fs::read_to_string(path).unwrap_or_default())
    };
    let there = published::Tree { contracts, read: &read, registered };
    let brought = Brought::of(&products, &domains, &published::named(names)?, &there)?;
    (report.products, report.left_out) = (brought.products, brought.left_out);
    output::talk("groups.yaml, cluster.yaml and waivers are published nowhere: those are not brought back");
    Ok(brought.files)
}

fn show(report: &Report, format: AnyFormat) -> Result<(), Failure> {
    let _reader = match format {
        AnyFormat::Json => output::json(report)?,
        AnyFormat::Markdown => output::data(&report.markdown())?,
        _ => output::data(&report.text())?,
    };
    Ok(())
}
