//! A client of librdkafka's as settings open it: let in for as long as it lives.

use std::ops::Deref;

use rdkafka::ClientContext;
use rdkafka::admin::AdminClient;
use rdkafka::client::Client;
use rdkafka::config::{ClientConfig, FromClientConfigAndContext};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, StreamConsumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::producer::{BaseProducer, Producer as _, ProducerContext};
use rdkafka::types::RDKafka;

use crate::Settings;
use crate::oauth::{self, Lease};

/// A client, and what hands it tokens where it is let in by those.
pub(crate) struct Opened<T> {
    // in this order: nothing is handed to a client that is gone
    _lease: Option<Lease>,
    client: T,
}

impl<T> Deref for Opened<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.client
    }
}

impl<T: Native> Opened<T> {
    /// Sees to it that a client is let in.
    pub(crate) fn new(client: T, settings: &Settings) -> KafkaResult<Self> {
        let lease = settings.lease(client.native()).map_err(KafkaError::ClientCreation)?;
        Ok(Opened { _lease: lease, client })
    }
}

impl Settings {
    /// Opens a client of these settings with a configuration that was made of them.
    pub(crate) fn open<T, C>(&self, config: &ClientConfig, context: C) -> KafkaResult<Opened<T>>
    where
        T: FromClientConfigAndContext<C> + Native,
        C: ClientContext,
    {
        Opened::new(config.create_with_context(context)?, self)
    }

    fn lease(&self, client: *mut RDKafka) -> Result<Option<Lease>, String> {
        let options = oauth::of(self.properties())?;
        options.map(|options| self.tokens().lease(options, oauth::Handle::new(client))).transpose()
    }
}

/// What has a handle of librdkafka's.
pub(crate) trait Native {
    /// The handle, which lives for as long as this does.
    fn native(&self) -> *mut RDKafka;
}

impl<C: ClientContext> Native for Client<C> {
    fn native(&self) -> *mut RDKafka {
        self.native_ptr()
    }
}

impl<C: ClientContext> Native for AdminClient<C> {
    fn native(&self) -> *mut RDKafka {
        self.inner().native_ptr()
    }
}

impl<C: ConsumerContext> Native for BaseConsumer<C> {
    fn native(&self) -> *mut RDKafka {
        self.client().native_ptr()
    }
}

impl<C: ConsumerContext + 'static> Native for StreamConsumer<C> {
    fn native(&self) -> *mut RDKafka {
        self.client().native_ptr()
    }
}

impl<C: ProducerContext> Native for BaseProducer<C> {
    fn native(&self) -> *mut RDKafka {
        self.client().native_ptr()
    }
}
