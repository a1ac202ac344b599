//! The programs in force, waited for: a replay has nothing else to do meanwhile.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::ReplayError;
use crate::{
    lookup::{Answer, Lookups, Prepared, Wanted},
    product::Product,
    quarantine::Reason,
    task::KeysInForce,
};

/// How long to wait for the registry, the keys or an output before the replay is given up.
const PATIENCE: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(50);

/// What there is for records of one product.
pub(super) struct Programs {
    lookups: Lookups,
    pub(super) product: Arc<Product>,
    /// Of the contract's own schema, for tombstones.
    pub(super) base: Arc<Prepared>,
    /// As the sidecar has it: no keys of before come after newer ones, and no two versions together.
    keys: KeysInForce,
    writers: Vec<(u32, Result<Arc<Prepared>, Reason>)>,
}

impl Programs {
    /// `in_force` is the version of the keys that outputs are masked with by now; 0 if they are masked with none.
    pub(super) async fn of(lookups: Lookups, product: Arc<Product>, in_force: u32) -> Result<Self, ReplayError> {
        if let Err(why) = &product.work {
            return Err(ReplayError::Contract { why: why.clone() });
        }
        let base = wait(&lookups, &product, Wanted::Base).await?;
        let base = base.map_err(|reason| ReplayError::Contract { why: reason.to_string() })?;
        let mut keys = KeysInForce::since(in_force);
        if !keys.admit_base(base.key_version) {
            return Err(ReplayError::KeysBehind { in_force });
        }
        Ok(Programs { lookups, product, base, keys, writers: Vec::new() })
    }

    /// Makes sure that it is known what there is for records that were written with this schema.
    pub(super) async fn learn(&mut self, schema_id: u32) -> Result<(), ReplayError> {
        if self.writers.iter().all(|(id, _)| *id != schema_id) {
            let found = wait(&self.lookups, &self.product, Wanted::Writer(schema_id)).await?;
            if let Ok(prepared) = &found
                && !self.keys.admit(prepared.key_version)
            {
                let is_behind = prepared.key_version < self.keys.floor();
                let in_force = self.keys.floor();
                return Err(if is_behind { ReplayError::KeysBehind { in_force } } else { ReplayError::KeysRotated });
            }
            self.writers.push((schema_id, found));
        }
        Ok(())
    }

    /// The version of the keys that records are masked with.
    pub(super) fn keys(&self) -> u32 {
        self.keys.floor()
    }

    /// What there is for records of a schema that was learnt.
    pub(super) fn writer(&self, schema_id: u32) -> Result<&Prepared, Reason> {
        let found = self.writers.iter().find(|(id, _)| *id == schema_id);
        match found {
            Some((_, Ok(prepared))) => Ok(prepared),
            Some((_, Err(reason))) => Err(reason.clone()),
            None => Err(Reason::UnknownSchemaId),
        }
    }
}

async fn wait(
    lookups: &Lookups,
    product: &Arc<Product>,
    wanted: Wanted,
) -> Result<Result<Arc<Prepared>, Reason>, ReplayError> {
    let deadline = Instant::now() + PATIENCE;
    let mut asked = lookups.ask(product, wanted);
    loop {
        let ticket = match asked {
            Answer::Ready(prepared) => return Ok(Ok(prepared)),
            Answer::Pending(ticket) => ticket,
        };
        if let Some(outcome) = ticket.wait(Duration::ZERO) {
            return Ok(outcome);
        }
        if Instant::now() >= deadline {
            let reason = ticket.trouble_met().map_or("no answer", |trouble| trouble.label());
            return Err(ReplayError::Unavailable { reason });
        }
        tokio::time::sleep(STEP).await;
        asked = Answer::Pending(ticket);
    }
}
