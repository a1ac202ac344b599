//! Makes a cluster what the working tree's contracts say: topics, schemas, and the contracts themselves on
//! `mesh.products`. Nothing is ever deleted, and what is there already is left as it is: a second run changes nothing.
//!
//! Everything is checked before anything is created. A new product is published last, so that whoever learns of it finds
//! its topics and schemas; the change of one that is there is published before its schemas are registered, as the registry
//! holds them to the contract in force. The library part of `mesh apply`, shared with `mesh up` and `mesh demo`.

mod catalogue;
mod control;
mod lineage;
mod registry;
mod report;
mod rights;
mod schemas;
mod topics;

use crate::failure::Failure;
use crate::lineage_options::LineageOptions;
use crate::tree::WorkingTree;
use catalogue::Part;
use mesh_avro::sensitivity::SensitiveNames;
use mesh_client::registry::Endpoint;
use mesh_kafka::admin::Admin;
use mesh_kafka::{ErrorKind, Settings};
use std::path::Path;

pub use report::Applied;
pub use rights::{RightsOptions, Wanted};

/// Creates the control topics that are not there: `mesh.products`, `mesh.heartbeats`, `mesh.lineage`, `mesh.freshness`, `mesh.audit`.
///
/// # Errors
/// Kafka cannot be reached, or refuses.
pub async fn control_topics(kafka: &Settings) -> Result<(), Failure> {
    control::create(&admin(kafka)?).await.map(drop)
}

/// Applies the tree under `root`, in which `names` have to be explained; the names of its products.
///
/// # Errors
/// As [`working_tree`], or the tree has findings.
pub async fn tree(
    root: &Path,
    names: &SensitiveNames,
    kafka: &Settings,
    registry: impl Into<Endpoint>,
    lineage: &LineageOptions,
    rights: &RightsOptions,
) -> Result<Vec<String>, Failure> {
    let tree = WorkingTree::read(root, names)?.sound()?;
    let wanted = rights.wanted(&tree, root)?;
    Ok(working_tree(&tree, kafka, registry, lineage, wanted.as_ref()).await?.product_names())
}

/// Applies a tree without errors; says what was done.
///
/// # Errors
/// Kafka or the registry cannot be reached or refuses, or a schema would break its readers: then nothing was created.
pub async fn working_tree(
    tree: &WorkingTree,
    kafka: &Settings,
    registry: impl Into<Endpoint>,
    lineage: &LineageOptions,
    rights: Option<&Wanted>,
) -> Result<Applied, Failure> {
    let admin = admin(kafka)?;
    let registry = registry::Registry::new(registry)?;
    let subjects = schemas::subjects(&tree.products);
    schemas::refuse_incompatible(&registry, &subjects).await?;
    // before the topics are there: nobody else ever sees them open
    let rights = match rights {
        Some(wanted) => rights::keep(&admin, wanted).await?,
        None => None,
    };
    let mut applied = Applied { topics: control::create(&admin).await?, rights, ..Applied::default() };
    applied.topics.extend(topics::create(&admin, &tree.products).await?);
    catalogue::name_cluster(kafka, &admin).await?;
    catalogue::publish(kafka, tree, Part::Known, &mut applied).await?;
    applied.schemas = schemas::register(&registry, &subjects).await?;
    catalogue::publish(kafka, tree, Part::All, &mut applied).await?;
    lineage::tell(kafka, &applied, lineage).await?;
    Ok(applied)
}

fn admin(kafka: &Settings) -> Result<Admin, Failure> {
    Admin::new(kafka).map_err(|error| refused("cannot speak to Kafka", error))
}

/// A failed request to Kafka, as a command ends with it.
fn refused(what: impl Into<String>, error: mesh_kafka::Error) -> Failure {
    match error.kind() {
        ErrorKind::Unreachable => Failure::unreachable(what).hint("check that Kafka runs and is the one you mean"),
        ErrorKind::Unauthorised => Failure::unreachable(what)
            .hint("be a principal that may do it (--kafka-config): mesh-apply has what it takes"),
        ErrorKind::Invalid => Failure::usage(what),
        ErrorKind::Fenced => Failure::usage(what).hint("somebody else is applying right now: try again"),
        _ => Failure::internal(what),
    }
    .because(error)
}
