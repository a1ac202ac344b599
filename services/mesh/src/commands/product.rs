//! The product that a command names, with what it takes to read and write it.

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::platform::answers;
use mesh_client::lineage::{KafkaCluster, Reporter};
use mesh_client::{Catalogue, CatalogueError, ProduceError, RegistryClient, RegistryError, SubscribeError};
use mesh_contract::{AppliedProduct, ProductRef};
use mesh_kafka::{ErrorKind, Settings};
use std::sync::Arc;
use std::time::Duration;

/// How long lineage may take to hear of a command's end.
const LINEAGE_DEADLINE: Duration = Duration::from_secs(5);

/// A product as applied, where it is.
pub struct Named {
    pub kafka: Settings,
    pub registry: RegistryClient,
    pub product: Arc<AppliedProduct>,
    /// What the cluster is called in lineage.
    pub cluster: KafkaCluster,
}

impl Named {
    /// Finds the product in the catalogue of the cluster.
    pub async fn find(context: &Context, asked: &ProductRef) -> Result<Self, Failure> {
        let kafka = context.kafka()?;
        let registry = RegistryClient::new(context.registry()?).map_err(registry_failure)?;
        answers(&kafka).await?;
        let catalogue = Catalogue::read(&kafka).await.map_err(catalogue_failure)?;
        let product = Arc::clone(catalogue.product(asked).map_err(catalogue_failure)?);
        let cluster = KafkaCluster::named_in(&catalogue, &kafka).await.map_err(kafka_failure)?;
        Ok(Self { kafka, registry, product, cluster })
    }
}

/// Tells lineage how a command ended: well, interrupted, or failed.
pub async fn tell_end(reporter: Reporter, ended: &Result<Exit, Failure>) {
    let is_told = match ended {
        Ok(Exit::Interrupted) => reporter.abort(LINEAGE_DEADLINE).await,
        Ok(_) => reporter.finish(LINEAGE_DEADLINE).await,
        // the failure's own words: what was quoted by its causes may be a payload
        Err(failure) => reporter.fail(LINEAGE_DEADLINE, &failure.to_string()).await,
    };
    if !is_told {
        tracing::warn!("lineage did not take the end of this run in time");
    }
}

/// The product as applied, and the cluster that it is on, for commands that need no registry.
pub async fn find_applied(context: &Context, asked: &ProductRef) -> Result<(Settings, Arc<AppliedProduct>), Failure> {
    let kafka = context.kafka()?;
    answers(&kafka).await?;
    let catalogue = Catalogue::read(&kafka).await.map_err(catalogue_failure)?;
    let product = Arc::clone(catalogue.product(asked).map_err(catalogue_failure)?);
    Ok((kafka, product))
}

/// How a command ends that Kafka failed.
pub fn kafka_failure(error: mesh_kafka::Error) -> Failure {
    let what = "Kafka failed the command";
    let failure = match error.kind() {
        ErrorKind::Unreachable => Failure::unreachable(what).hint("check that Kafka runs and is the one you mean"),
        ErrorKind::Unauthorised => Failure::unreachable(what)
            .hint("check who you are there (--kafka-config), and what the contract lets your groups read: mesh products PRODUCT"),
        ErrorKind::Invalid | ErrorKind::UnknownTopic => Failure::usage(what),
        _ => Failure::internal(what),
    };
    failure.because(error)
}

/// How a command ends that the registry failed.
pub fn registry_failure(error: RegistryError) -> Failure {
    let what = "the schema registry failed the command";
    let hint = error.hint();
    let failure = match error {
        RegistryError::Unavailable { .. } => Failure::unreachable(what),
        RegistryError::Incompatible { .. } | RegistryError::InvalidSchema { .. } => Failure::findings(what),
        _ => Failure::usage(what),
    };
    let failure = failure.because(error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// How a command ends that cannot use the catalogue.
pub fn catalogue_failure(error: CatalogueError) -> Failure {
    match error {
        CatalogueError::Read(source) => kafka_failure(source),
        CatalogueError::NotThere => Failure::usage(error.to_string()).hint("apply contracts first: `mesh apply`"),
        CatalogueError::NoSuchProduct { .. } => {
            Failure::usage(error.to_string()).hint("`mesh products` lists them; `mesh apply` applies new contracts")
        }
    }
}

/// How a command ends whose producer failed.
pub fn produce_failure(error: ProduceError) -> Failure {
    match error {
        ProduceError::Registry(source) => registry_failure(source),
        ProduceError::Setup(source) => kafka_failure(source),
        ProduceError::Send { ref source, .. } | ProduceError::Deliver { ref source, .. } => {
            let failure = match source.kind() {
                ErrorKind::Unreachable => Failure::unreachable("not all events were delivered"),
                ErrorKind::Unauthorised => Failure::unreachable("not all events were delivered")
                    .hint("the domain's producers may write its input ports: see its domain.yaml"),
                _ => Failure::internal("not all events were delivered"),
            };
            failure.because(error)
        }
        error => Failure::usage("cannot publish with this schema").because(error),
    }
}

/// How a command ends whose subscriber failed.
pub fn subscribe_failure(error: SubscribeError) -> Failure {
    match error {
        SubscribeError::Registry(source) => registry_failure(source),
        SubscribeError::Open { source, .. }
        | SubscribeError::Read { source, .. }
        | SubscribeError::Commit { source, .. } => kafka_failure(source),
        SubscribeError::NoSuchTopic { .. } => {
            Failure::usage(error.to_string()).hint("apply the contract first: `mesh apply`")
        }
        SubscribeError::NoSuchView { .. } => Failure::usage(error.to_string()),
        SubscribeError::Undecodable { .. } => Failure::findings(error.to_string()),
    }
}
