//! `mesh access`: who may really read and write what, beside what contracts say.

use crate::cli::AnyFormat;
use crate::commands::product::{catalogue_failure, kafka_failure};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::groups;
use crate::output;
use crate::platform::answers;
use mesh_access::report::{Brokers, Known, Report, markdown, report, text};
use mesh_access::sight::Seen;
use mesh_client::Catalogue;
use mesh_contract::Domain;
use mesh_contract::acl::Members;
use mesh_kafka::Settings;
use mesh_kafka::admin::{Admin, Rights};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What `--help` adds to the command's line.
const DETAILS: &str = "\
What the cluster's own rules allow (prefixes, wildcards and refusals included) is compared with what follows from the contracts that \
are applied and from who is in which group: for each topic of a product who reads and writes it, why, and in which form it shows each \
sensitive column. A rule that no contract asks for, one that is missing, and somebody unknown who may change rules, is a finding: exit 1. \
Wants a principal that may Describe the cluster, as mesh-plan may. Kafka does not tell who its super users are: --super-user names them.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub struct Args {
    /// Of this product (crm.customers, crm.customers@1), group or principal (User:ana) alone
    #[arg(value_name = "PRODUCT|GROUP|PRINCIPAL")]
    of: Option<String>,
    /// Who is in which access group: a file of groups, or of the settings of an LDAP directory [default: groups.yaml beside topics/]
    #[arg(long, value_name = "FILE", env = "MESH_GROUPS")]
    groups: Option<PathBuf>,
    /// A super user of the brokers, whom no rule binds, such as User:admin; may be repeated
    #[arg(long, value_name = "PRINCIPAL")]
    super_user: Vec<String>,
}

/// Prints the report.
pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let kafka = context.kafka()?;
    answers(&kafka).await?;
    let catalogue = Catalogue::read(&kafka).await.map_err(catalogue_failure)?;
    let products = catalogue.products();
    let seen: Vec<Seen<'_>> = products.iter().map(|applied| Seen::of(&applied.contract, &applied.schema)).collect();
    let domains: Vec<&Domain> = catalogue.domains().map(|domain| &**domain).collect();
    let granted: BTreeSet<String> =
        seen.iter().flat_map(|seen| &seen.contract.access_group).map(|grant| grant.group.clone()).collect();
    let members = members(&args, context, &granted)?;
    let (rights, mut brokers) = rights(&kafka).await?;
    if !args.super_user.is_empty() {
        brokers.super_users = Some(args.super_user.iter().cloned().collect());
    }
    let whole = report(&Known {
        products: &seen,
        domains: &domains,
        members: members.as_ref(),
        rules: &rights.topic_rules(),
        administrators: &rights.administrators,
        brokers: &brokers,
    });
    let report = match &args.of {
        Some(of) => select(whole, of, &granted)?,
        None => whole,
    };
    show(&report, context.any_format())?;
    Ok(if report.findings.is_empty() { Exit::Fine } else { Exit::Findings })
}

/// Who is in which group; none if nothing says so.
fn members(args: &Args, context: &Context, granted: &BTreeSet<String>) -> Result<Option<Members>, Failure> {
    let usual = context.root().ok().map(|root| root.join(groups::FILE)).filter(|file| file.exists());
    let file = args.groups.clone().or(usual);
    file.map(|file| groups::members(&*groups::open(&file)?, granted)).transpose()
}

async fn rights(kafka: &Settings) -> Result<(Rights, Brokers), Failure> {
    let admin = Admin::new(kafka).map_err(kafka_failure)?;
    let rights = admin.rights().await.map_err(|error| {
        Failure::unreachable("cannot read who may do what at Kafka")
            .because(error)
            .hint("be a principal that may Describe the cluster (--kafka-config), such as the operator or mesh-plan")
    })?;
    let rights = rights.ok_or_else(|| {
        Failure::usage("this Kafka asks nobody who they are: everybody may do everything")
            .hint("give it an authoriser; `mesh up --secure` starts one that has it")
    })?;
    let settings = admin.broker_settings().await.map_err(kafka_failure)?;
    Ok((rights, settings.as_ref().map(Brokers::of).unwrap_or_default()))
}

fn select(report: Report, of: &str, groups: &BTreeSet<String>) -> Result<Report, Failure> {
    let selection = report.find(of, groups).ok_or_else(|| {
        Failure::usage(format!("no product, no group of a contract and nobody with any access is called {of}"))
            .hint("`mesh access` shows all of them")
    })?;
    Ok(report.select(&selection))
}

fn show(report: &Report, format: AnyFormat) -> Result<(), Failure> {
    let _reader = match format {
        AnyFormat::Json => output::json(report)?,
        AnyFormat::Markdown => output::data(markdown(report).trim_end())?,
        _ => output::data(&text(report))?,
    };
    Ok(())
}
