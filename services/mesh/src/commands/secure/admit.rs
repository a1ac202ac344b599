//! `mesh secure admit [DIR]`: the registry needs its rules at Kafka before it can start, and `mesh apply` needs the registry. This
//! needs Kafka alone, and only adds: what goes beyond the contracts is for `mesh apply` to take back.

use super::{OPERATOR_STORE, unusable};
use crate::apply::{self, RightsOptions};
use crate::audit;
use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::platform::{allow, answers};
use crate::schema_rules::NameOptions;
use crate::tree::WorkingTree;
use mesh_audit::{Event, Who};
use mesh_contract::acl::{Acl, AclTable};
use mesh_kafka::Settings;
use mesh_kafka::admin::Admin;
use mesh_kafka::secure::{SecureFolder, User};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Why a rule is granted.
const WHY: &str = "the contracts ask for it, and the registry cannot start without";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of `mesh secure init`: its users are made known, by its operator's certificate unless --kafka-config says who to be
    /// [default: users are somebody else's; rules and control topics alone]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    names: NameOptions,
    #[command(flatten)]
    rights: RightsOptions,
}

pub async fn run(mut args: Args, context: &Context) -> Result<Exit, Failure> {
    let kafka = kafka(args.folder.as_deref(), context)?;
    let root = context.root()?;
    let tree = WorkingTree::read(&root, &args.names.names()?)?.sound()?;
    args.rights.own_cluster = true;
    let wanted = args.rights.wanted(&tree, &root)?.ok_or_else(|| {
        Failure::usage("with --leave-access nobody is let in")
            .hint("leave it out: rules are added, and none is taken back")
    })?;
    let users = args.folder.as_deref().map(SecureFolder::users).transpose().map_err(unusable)?.unwrap_or_default();
    answers(&kafka).await?;
    let admin = Admin::new(&kafka).map_err(|error| Failure::unreachable("cannot speak to Kafka").because(error))?;
    let missing = missing(&admin, &wanted.table).await?;
    tell_passwords(&admin, &users).await?;
    apply::control_topics(&kafka).await?;
    grant(context, &kafka, &admin, &missing).await?;
    let _reader = match context.format() {
        Format::Json => output::json(&json!({ "users": users.len(), "granted": missing.len() }))?,
        Format::Text => output::data(&format!(
            "{} users are known, {} rules were missing, and the control topics are there: the registry can start, and `mesh apply` do the rest",
            users.len(),
            missing.len()
        ))?,
    };
    Ok(Exit::Fine)
}

/// What is not allowed yet.
async fn missing(admin: &Admin, table: &AclTable) -> Result<AclTable, Failure> {
    let rights = admin.rights().await.map_err(|error| {
        Failure::unreachable("cannot look at who may do what at Kafka")
            .because(error)
            .hint("be the operator, or a principal that may Alter the cluster (--kafka-config)")
    })?;
    let rights = rights.ok_or_else(|| {
        Failure::usage("this Kafka asks nobody who they are: nobody has to be let in")
            .hint("give it an authorizer (authorizer.class.name), or go on with `mesh apply`")
    })?;
    Ok(table.difference(&rights.table).cloned().collect())
}

/// Allows what is missing, each rule on record before. Whoever may not write the audit yet is allowed that first.
async fn grant(context: &Context, kafka: &Settings, admin: &Admin, missing: &AclTable) -> Result<(), Failure> {
    if missing.is_empty() {
        return Ok(());
    }
    let who = Who::here(kafka, "mesh secure admit");
    let own = missing.iter().filter(|acl| who.principal.as_ref() == Some(&acl.principal)).cloned().collect();
    allow(admin, &own).await?;
    let granted = |acl: &Acl| Event::new("access-granted", &who).with("rule", acl.to_string()).with("why", WHY);
    audit::tell(context, kafka, &missing.iter().map(granted).collect::<Vec<_>>()).await?;
    // Kafka hears of all this in its order: where the rules hold, the users are known
    allow(admin, missing).await
}

/// As whom: as is said, else by the operator's certificate, which lets in before any user is known.
fn kafka(folder: Option<&Path>, context: &Context) -> Result<Settings, Failure> {
    match (folder, context.given_kafka()?) {
        (Some(folder), Some(given)) if given.get("security.protocol").is_none() => {
            Ok(SecureFolder::by_certificate(folder, OPERATOR_STORE, given.bootstrap()))
        }
        _ => context.kafka(),
    }
}

async fn tell_passwords(admin: &Admin, users: &[User]) -> Result<(), Failure> {
    for user in users {
        admin.set_password(&user.name, user.password()).await.map_err(|error| {
            Failure::unreachable("cannot make the users known to Kafka")
                .because(error)
                .hint("be the operator: by the folder's certificate at a listener that asks for one, or --kafka-config")
        })?;
    }
    Ok(())
}
