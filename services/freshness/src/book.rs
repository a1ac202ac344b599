//! `mesh.freshness` in memory: what was written of products, and the maintenance that was planned by hand.

use std::collections::BTreeMap;

use mesh_contract::topic::FRESHNESS_TOPIC;
use mesh_kafka::Record;
use mesh_kafka::log::LogReader;

use crate::Error;
use crate::maintenance::{self, Planned};
use crate::report::{self, ProductReport};

/// `mesh.freshness` in memory, up to where it was read.
pub(crate) struct Book {
    log: LogReader,
    content: Content,
}

#[derive(Default)]
struct Content {
    /// By key; none while this replica is the one that writes them.
    reports: Option<BTreeMap<String, ProductReport>>,
    planned: BTreeMap<String, Planned>,
}

impl Book {
    /// Of a log that was not read yet.
    pub(crate) fn new(log: LogReader) -> Self {
        Self { log, content: Content { reports: Some(BTreeMap::new()), planned: BTreeMap::new() } }
    }

    /// Takes in all that was written before this call.
    pub(crate) async fn catch_up(&mut self) -> Result<(), Error> {
        let content = &mut self.content;
        let read = self.log.read_to_end(|record| content.take(&record)).await;
        read.and_then(|()| self.log.rest()).map_err(|source| Error::ReadLog { topic: FRESHNESS_TOPIC, source })
    }

    /// Hands over what was written of products: whoever has it goes on from it, and writes.
    pub(crate) fn hand_over(&mut self) -> BTreeMap<String, ProductReport> {
        self.content.reports.take().unwrap_or_default()
    }

    /// The maintenance that was planned by hand.
    pub(crate) fn planned(&self) -> impl Iterator<Item = &Planned> {
        self.content.planned.values()
    }
}

impl Content {
    fn take(&mut self, record: &Record) {
        maintenance::take(&mut self.planned, record);
        if let Some(reports) = &mut self.reports {
            report::take(reports, record);
        }
    }
}
