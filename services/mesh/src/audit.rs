//! What commands do, written down on `mesh.audit`: who, what, when and why.

use crate::commands::product::kafka_failure;
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use mesh_audit::{Event, TellError};
use mesh_avro::keys::KeyRing;
use mesh_kafka::Settings;
use std::sync::Arc;

/// What seals what goes on record on a cluster: the keys that are given, or those of the `mesh up` that runs on it. With another
/// cluster's keys it would be taken for forged there.
///
/// # Errors
/// The keys cannot be used.
pub fn seals(context: &Context, kafka: &Settings) -> Result<Option<Arc<dyn KeyRing>>, Failure> {
    let has_keys = context.gives_keys() || context.running_on(kafka.bootstrap()).is_some();
    has_keys.then(|| context.keys()).transpose()
}

/// Writes down what a command does, or is about to do; sealed, if the command has keys.
///
/// # Errors
/// It is not written down. What has to be on record is not done then.
pub async fn tell(context: &Context, kafka: &Settings, events: &[Event]) -> Result<(), Failure> {
    let keys = seals(context, kafka)?;
    mesh_audit::tell(kafka, keys, events).await.map_err(failure)
}

/// The same, where what is done does not depend on Kafka: on record if a cluster is named, and if that fails it is said.
pub async fn try_tell(context: &Context, event: impl FnOnce(&Settings) -> Event) {
    let Ok(kafka) = context.kafka() else { return };
    if let Err(failure) = tell(context, &kafka, &[event(&kafka)]).await {
        output::talk(&format!("warning: this is not on record: {failure}"));
    }
}

/// How a command ends that cannot be on record.
pub fn failure(error: TellError) -> Failure {
    match error {
        TellError::NoTopic => {
            Failure::usage("what is done here has to be on record").because(error).hint("`mesh apply` makes the topic")
        }
        TellError::Seal(source) => Failure::usage("cannot seal what goes on record").because(source),
        TellError::Look(source) | TellError::Write { source, .. } => kafka_failure(source),
    }
}
