//! A product's state as `mesh.freshness` keeps it: what `mesh status` shows, and what a restart goes on from.

use mesh_contract::topic::FRESHNESS_TOPIC;
use mesh_kafka::log::LogReader;
use mesh_kafka::{ErrorKind, Record, Settings};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::Error;
use crate::judge::State;
use crate::seen::{InputSeen, OutputSeen, Seen, SubscriberSeen, ViewSeen};
use crate::slo::{Alerts, Course, Standing};
use crate::{maintenance, webhook};

/// A product's state. The key on `mesh.freshness` is the product's on `mesh.products`: `<unique_id>/<major>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProductReport {
    /// The product: `crm.customers`.
    pub product: String,
    /// Its major version.
    pub version: u32,
    /// The domain that answers for it.
    pub owner: String,
    /// What was promised: `1 hour`.
    pub promise: String,
    /// The same in seconds.
    pub promise_seconds: u64,
    /// The worst of its views'.
    pub state: State,
    /// Since when it is in that state.
    pub since_ms: i64,
    /// When this was evaluated.
    pub evaluated_at_ms: i64,
    /// The newest heartbeat that the sidecar has caught up with, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat_ms: Option<i64>,
    /// When it was last looked at with success: what happened since is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at_ms: Option<i64>,
    /// The input port, by partition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input: Vec<InputSeen>,
    /// Every view, the default one first.
    pub views: Vec<ViewReport>,
    /// How the objective fares; none before it was first measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo: Option<Standing>,
    /// Who is told to act, since when.
    #[serde(default)]
    pub alerts: Alerts,
    /// The products upstream that are to blame if it is stale: `crm.orders@1`. None if it itself is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blamed: Vec<String>,
    /// The maintenance that excuses it now, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<MaintenanceReport>,
    /// When its last day is over, if it is deprecated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at_ms: Option<i64>,
    /// What is remembered of it over a restart.
    #[serde(default)]
    pub course: Course,
}

/// A maintenance that excuses a product now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceReport {
    /// Why.
    pub reason: String,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
}

/// A view's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewReport {
    /// The view.
    pub view: String,
    /// Its output port.
    pub topic: String,
    /// Its state.
    pub state: State,
    /// The time of the newest fact that a reader can see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_ms: Option<i64>,
    /// When evaluated, now minus the newest fact or heartbeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<u64>,
    /// What was seen of each partition: a restart reads on from there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<OutputSeen>,
    /// From event time to append, of the slowest partition lately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_delay_ms: Option<i64>,
    /// From append to visible, of the slowest partition lately, or how long the oldest record has been waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_delay_ms: Option<i64>,
    /// Who reads it, those who are furthest behind first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscribers: Vec<SubscriberSeen>,
}

impl ProductReport {
    /// What was seen of the product.
    pub(crate) fn seen(&self) -> Seen {
        let view = |report: &ViewReport| ViewSeen {
            view: report.view.clone(),
            topic: report.topic.clone(),
            partitions: report.partitions.clone(),
            ..ViewSeen::default()
        };
        Seen {
            looked_at_ms: self.looked_at_ms,
            heartbeat_ms: self.heartbeat_ms,
            input: self.input.clone(),
            views: self.views.iter().map(view).collect(),
        }
    }

    /// What is remembered of the product; earlier versions wrote down its state alone.
    pub(crate) fn remembered(&self) -> Course {
        let state = self.course.state.or(Some(self.state));
        let since_ms = if self.course.state.is_some() { self.course.since_ms } else { self.since_ms };
        Course { state, since_ms, ..self.course.clone() }
    }

    /// The age of a view at another moment than that of the evaluation.
    pub fn age_seconds_at(&self, view: &ViewReport, now_ms: i64) -> Option<u64> {
        let newest_ms = view.newest_ms.max(self.heartbeat_ms)?;
        u64::try_from(now_ms.saturating_sub(newest_ms)).ok().map(|age_ms| age_ms / 1_000).or(Some(0))
    }

    /// The age of the oldest view.
    pub fn age_seconds(&self) -> Option<u64> {
        self.views.iter().map(|view| view.age_seconds).max().flatten()
    }
}

/// Every product's state as written last, by key. A topic that does not exist is empty.
pub async fn read(kafka: &Settings) -> Result<BTreeMap<String, ProductReport>, Error> {
    let failed = |source| Error::ReadLog { topic: FRESHNESS_TOPIC, source };
    let mut reports = BTreeMap::new();
    let mut log = match LogReader::open(kafka, FRESHNESS_TOPIC).await {
        Ok(log) => log,
        Err(error) if error.kind() == ErrorKind::UnknownTopic => return Ok(reports),
        Err(error) => return Err(failed(error)),
    };
    log.read_to_end(|record| take(&mut reports, &record)).await.map_err(failed)?;
    Ok(reports)
}

pub(crate) fn take(reports: &mut BTreeMap<String, ProductReport>, record: &Record) {
    let key = record.key.as_ref().and_then(|key| std::str::from_utf8(key).ok());
    let Some(key) = key.filter(|key| !webhook::is_progress(key) && !maintenance::is_key(key)) else { return };
    match record.value.as_ref().map(|value| serde_json::from_slice(value)) {
        None => drop(reports.remove(key)),
        Some(Ok(report)) => drop(reports.insert(key.to_owned(), report)),
        Some(Err(error)) => {
            tracing::warn!(offset = record.offset, %error, "a state on mesh.freshness cannot be read, left out")
        }
    }
}
