//! Why an event could not be read.

use crate::RegistryError;

/// A subscription could not begin or go on, or an event not be decoded. Never names a value.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    /// The product has no such view.
    #[error("{product} has no view {view}; it has {views}")]
    NoSuchView {
        /// The product.
        product: String,
        /// What was asked for.
        view: String,
        /// What there is.
        views: String,
    },
    /// The view's topic is not there.
    #[error("topic {topic} is not there")]
    NoSuchTopic {
        /// The topic.
        topic: String,
    },
    /// The subscription could not begin.
    #[error("cannot subscribe to {topic}")]
    Open {
        /// The topic.
        topic: String,
        /// Why.
        source: mesh_kafka::Error,
    },
    /// The next record could not be read.
    #[error("cannot read {topic}")]
    Read {
        /// The topic.
        topic: String,
        /// Why.
        source: mesh_kafka::Error,
    },
    /// The registry does not tell an event's schema.
    #[error("cannot learn an event's schema")]
    Registry(#[source] RegistryError),
    /// An event cannot be decoded.
    #[error("the record at {topic}[{partition}] offset {offset} cannot be decoded: {said}")]
    Undecodable {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The record's offset.
        offset: i64,
        /// Why.
        said: String,
    },
    /// The group's offsets could not be committed.
    #[error("cannot commit what was read of {topic}")]
    Commit {
        /// The topic.
        topic: String,
        /// Why.
        source: mesh_kafka::Error,
    },
}
