//! The Kafka that the backbone stands on: an existing cluster, or the embedded one.

use crate::context::Context;
use crate::failure::Failure;
use mesh_kafka::admin::Admin;
use mesh_kafka::embedded::{EmbeddedError, EmbeddedKafka, Options};
use mesh_kafka::{ErrorKind, Settings};
use std::path::PathBuf;
use std::time::Duration;

/// How long an existing cluster may take to answer at the start.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// A Kafka that answers.
pub enum Cluster {
    /// Started, and stopped, by this process.
    Embedded(Box<EmbeddedKafka>),
    /// Somebody else's.
    Existing(Settings),
}

impl Cluster {
    /// The cluster that was named by flag or environment, else an embedded one.
    ///
    /// # Errors
    /// The named one does not answer, or the embedded one does not start.
    pub async fn start(context: &Context, embedded: Options) -> Result<Self, Failure> {
        match context.given_kafka()? {
            Some(settings) => Self::existing(settings).await,
            None => {
                let started = EmbeddedKafka::start(embedded).await.map_err(not_started)?;
                Ok(Self::Embedded(Box::new(started)))
            }
        }
    }

    async fn existing(settings: Settings) -> Result<Self, Failure> {
        answers(&settings).await?;
        Ok(Self::Existing(settings))
    }

    /// How to reach it.
    pub fn settings(&self) -> Settings {
        match self {
            Self::Embedded(kafka) => kafka.settings(),
            Self::Existing(settings) => settings.clone(),
        }
    }

    /// The log of whom our own, secured one has denied what.
    pub fn authorizer_log(&self) -> Option<PathBuf> {
        match self {
            Self::Embedded(kafka) => kafka.authorizer_log(),
            Self::Existing(_) => None,
        }
    }

    /// Resolves when an embedded Kafka ends by itself; never for an existing one, whose clients reconnect.
    pub async fn died(&mut self) -> Failure {
        match self {
            Self::Embedded(kafka) => not_started(kafka.died().await),
            Self::Existing(_) => std::future::pending().await,
        }
    }

    /// Stops an embedded Kafka; leaves an existing one alone.
    pub async fn stop(self) {
        if let Self::Embedded(kafka) = self {
            kafka.stop().await;
        }
    }
}

/// Waits until the cluster answers.
///
/// # Errors
/// It does not, within 15 seconds.
pub async fn answers(settings: &Settings) -> Result<(), Failure> {
    let unreachable = |error: mesh_kafka::Error| {
        let hint = match error.kind() {
            ErrorKind::Unauthorised => {
                "check who you are and whom you trust there: --kafka-config (security.protocol, ssl.ca.location, sasl.*), or \
                 MESH_KAFKA_USERNAME and MESH_KAFKA_PASSWORD"
            }
            _ => {
                "check that it runs and that --bootstrap-servers and the client settings (--kafka-config, -X) are right"
            }
        };
        Failure::unreachable(format!("cannot reach Kafka at {}", settings.bootstrap())).because(error).hint(hint)
    };
    let admin = Admin::new(settings).map_err(unreachable)?;
    admin.wait_ready(ANSWER_WITHIN).await.map_err(unreachable)
}

fn not_started(error: EmbeddedError) -> Failure {
    let hint = error.hint();
    let failure = match error {
        EmbeddedError::Ended { .. } | EmbeddedError::NoAnswer { .. } => {
            Failure::unreachable("the embedded Kafka does not answer")
        }
        _ => Failure::usage("cannot start the embedded Kafka"),
    };
    failure.because(error).hint(hint)
}
