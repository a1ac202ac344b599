//! Puts on record what was refused, as soon as the audit can be reached.

use std::{convert::Infallible, sync::Arc, time::Duration};

use mesh_audit::{TellError, Teller, now_ms};
use mesh_avro::keys::KeyRing;
use mesh_kafka::Settings;

use super::Refusals;

/// So long is waited for more of the same: a client that does not give up is told of once.
const TOGETHER: Duration = Duration::from_secs(1);
/// How long to wait before the audit is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// Tells what was refused, in a chain of its own.
pub(crate) struct Record {
    kafka: Settings,
    seals: Option<Arc<dyn KeyRing>>,
    refusals: Refusals,
    teller: Option<Teller>,
}

impl Record {
    pub(crate) fn new(kafka: Settings, seals: Option<Arc<dyn KeyRing>>, refusals: Refusals) -> Self {
        Self { kafka, seals, refusals, teller: None }
    }

    /// Tells of refusals as they come. It never ends.
    pub(crate) async fn keep(mut self) -> Infallible {
        loop {
            self.refusals.added().await;
            tokio::time::sleep(TOGETHER).await;
            let mut is_failing = false;
            while let Err(error) = self.tell().await {
                if !std::mem::replace(&mut is_failing, true) {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "refusals are not on record yet, and are told when the audit can be reached");
                }
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    /// Tells what waits.
    ///
    /// # Errors
    /// It still waits. Where it is in doubt whether it was told, it is told again.
    pub(crate) async fn tell(&mut self) -> Result<(), TellError> {
        let waiting = self.refusals.waiting();
        let events = waiting.events(now_ms());
        if events.is_empty() {
            return Ok(());
        }
        // after an error another chain is begun, behind the newest entry that is there then
        let mut teller = match self.teller.take() {
            Some(teller) => teller,
            None => Teller::open(&self.kafka, self.seals.clone()).await?,
        };
        teller.tell_all(&events).await?;
        self.refusals.settle(&waiting);
        self.teller = Some(teller);
        Ok(())
    }
}
