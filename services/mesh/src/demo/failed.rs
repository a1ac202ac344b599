//! What ends a demo early, as a command ends with it.

use super::source::BadData;
use crate::failure::Failure;
use mesh_client::{ProduceError, RegistryError, SubscribeError};
use mesh_kafka::ErrorKind;

/// Kafka did not do what was asked; `what` completes the sentence "cannot ...".
pub fn kafka(what: &'static str) -> impl Fn(mesh_kafka::Error) -> Failure {
    move |error| {
        let what = format!("cannot {what}");
        let failure = match error.kind() {
            ErrorKind::Unreachable => Failure::unreachable(what).hint("check that Kafka runs and is the one you mean"),
            ErrorKind::Unauthorised => {
                Failure::usage(what).hint("the demo needs to create, read and write every topic")
            }
            ErrorKind::Invalid => Failure::usage(what),
            _ => Failure::internal(what),
        };
        failure.because(error)
    }
}

/// The registry did not do what was asked.
pub fn registry(what: &'static str) -> impl Fn(RegistryError) -> Failure {
    move |error| {
        let what = format!("cannot {what}");
        let hint = error.hint();
        let failure = if error.is_unavailable() { Failure::unreachable(what) } else { Failure::internal(what) };
        let failure = failure.because(error);
        hint.into_iter().fold(failure, Failure::hint)
    }
}

/// An event does not fit its product's schema: the working tree's schema is not the example's.
pub fn encode(error: apache_avro::Error) -> Failure {
    Failure::usage("cannot write the demo's events with the schemas of this working tree")
        .because(error)
        .hint("run the demo with the example domains' schemas, in the project's own working tree")
}

/// The vendored data are not what they should be.
pub fn data(error: BadData) -> Failure {
    Failure::internal("cannot read the demo's data").because(error)
}

/// mesh-client could not publish.
pub fn publish(error: ProduceError) -> Failure {
    Failure::internal("cannot publish").because(error)
}

/// mesh-client could not subscribe, or not read on.
pub fn subscribe(error: SubscribeError) -> Failure {
    Failure::internal("cannot read a view").because(error)
}
