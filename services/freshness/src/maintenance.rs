//! Maintenance that is planned by hand, besides what contracts and domains plan: kept on `mesh.freshness`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mesh_contract::topic::FRESHNESS_TOPIC;
use mesh_contract::{Contract, Domain, Maintenance, Product};
use mesh_kafka::log::{LogReader, LogWriter};
use mesh_kafka::{ErrorKind, OutgoingRecord, Record, Settings};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::calendar::{Calendar, Span};
use crate::report::MaintenanceReport;
use crate::slo::Promise;

/// What stands before a maintenance's id in its key.
const PREFIX: &str = "maintenance/";

/// A maintenance that was planned by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// What tells it from others.
    pub id: String,
    /// A product, `crm.orders`, or all of a domain, `crm`.
    pub target: String,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub to: Timestamp,
    /// Why.
    pub reason: String,
    /// Who planned it.
    pub by: String,
    /// When that was done.
    pub at: Timestamp,
}

impl Planned {
    /// Whether it is about this product.
    pub fn is_of(&self, product: &Product) -> bool {
        self.target == product.domain || self.target == product.to_string()
    }

    fn span(&self) -> Span {
        Span::new(self.from.as_millisecond(), self.to.as_millisecond())
    }
}

/// Plans a maintenance. That is to be on record first: nothing is excused that was not told.
pub async fn plan(kafka: &Settings, planned: &Planned) -> Result<(), Error> {
    let value = serde_json::to_vec(planned).expect("a maintenance is strings and times");
    let record = OutgoingRecord::to(FRESHNESS_TOPIC).key(key(&planned.id)).value(value);
    write(kafka, planned, record).await
}

/// Cancels a maintenance. What it has excused so far stays excused.
pub async fn cancel(kafka: &Settings, planned: &Planned) -> Result<(), Error> {
    write(kafka, planned, OutgoingRecord::to(FRESHNESS_TOPIC).key(key(&planned.id))).await
}

/// All that is planned, by when it begins.
pub async fn read(kafka: &Settings) -> Result<Vec<Planned>, Error> {
    let failed = |source| Error::ReadLog { topic: FRESHNESS_TOPIC, source };
    let mut planned = BTreeMap::new();
    match LogReader::open(kafka, FRESHNESS_TOPIC).await {
        Ok(mut log) => log.read_to_end(|record| take(&mut planned, &record)).await.map_err(failed)?,
        Err(error) if error.kind() == ErrorKind::UnknownTopic => {}
        Err(error) => return Err(failed(error)),
    }
    let mut planned: Vec<Planned> = planned.into_values().collect();
    planned.sort_by(|a, b| (a.from, &a.target).cmp(&(b.from, &b.target)));
    Ok(planned)
}

/// Whether a key of `mesh.freshness` is that of a maintenance.
pub(crate) fn is_key(key: &str) -> bool {
    key.starts_with(PREFIX)
}

/// Takes one record of `mesh.freshness` in, if it is about a maintenance.
pub(crate) fn take(planned: &mut BTreeMap<String, Planned>, record: &Record) {
    let key = record.key.as_ref().and_then(|key| std::str::from_utf8(key).ok());
    let Some(key) = key.filter(|key| is_key(key)) else { return };
    match record.value.as_ref().map(|value| serde_json::from_slice(value)) {
        None => drop(planned.remove(key)),
        Some(Ok(one)) => drop(planned.insert(key.to_owned(), one)),
        Some(Err(error)) => {
            tracing::warn!(offset = record.offset, %error, "a maintenance on mesh.freshness cannot be read, left out")
        }
    }
}

/// What a contract promises, given all the maintenance there is.
pub(crate) fn promise<'a>(
    contract: &Contract,
    domain: Option<&Domain>,
    planned: impl Iterator<Item = &'a Planned>,
) -> Promise {
    let product = contract.product();
    let declared = contract.maintenance.iter().chain(domain.into_iter().flat_map(|domain| &domain.maintenance));
    let by_contract = declared.fold(Calendar::of(contract.refresh_rate.hours.as_ref()), |calendar, one| match one {
        Maintenance::Once(once) => calendar.without(Span::new(once.from.as_millisecond(), once.to.as_millisecond())),
        Maintenance::Weekly(weekly) => calendar.without_weekly(&weekly.hours),
    });
    let by_hand = planned.filter(|planned| planned.is_of(&product)).map(Planned::span);
    Promise { calendar: by_hand.fold(by_contract, Calendar::without), ..Promise::of(&contract.refresh_rate) }
}

/// The maintenance that excuses a product now; that which ends last, if there are many.
pub(crate) fn now<'a>(
    contract: &Contract,
    domain: Option<&Domain>,
    planned: impl Iterator<Item = &'a Planned>,
    now_ms: i64,
) -> Option<MaintenanceReport> {
    let product = contract.product();
    let declared = contract.maintenance.iter().chain(domain.into_iter().flat_map(|domain| &domain.maintenance));
    let report = |reason: &str, span: Span| {
        let report = MaintenanceReport { reason: reason.to_owned(), until_ms: Some(span.to_ms) };
        span.contains(now_ms).then_some(report)
    };
    let declared = declared.filter_map(|one| match one {
        Maintenance::Once(once) => {
            report(&once.reason, Span::new(once.from.as_millisecond(), once.to.as_millisecond()))
        }
        Maintenance::Weekly(weekly) => {
            let week = Calendar::default().without_weekly(&weekly.hours);
            let reason = weekly.reason.clone();
            week.is_maintained(now_ms).then_some(MaintenanceReport { reason, until_ms: None })
        }
    });
    let by_hand = planned.filter(|planned| planned.is_of(&product));
    let by_hand = by_hand.filter_map(|planned| report(&planned.reason, planned.span()));
    declared.chain(by_hand).max_by_key(|report| report.until_ms)
}

fn key(id: &str) -> String {
    format!("{PREFIX}{id}")
}

async fn write(kafka: &Settings, planned: &Planned, record: OutgoingRecord) -> Result<(), Error> {
    let log = LogWriter::new(kafka).map_err(Error::SetUp)?;
    let failed = |source| Error::PlanMaintenance { target: planned.target.clone(), source };
    log.append(record).await.map(drop).map_err(failed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use mesh_contract::{parse_contract, parse_domain};

    use super::*;

    const CONTRACT: &str = "unique_id: 7c9e6679-7425-40de-944b-e07fc1f90ae7\nowner: crm\nname: orders\nversion: 1\n\
        description: Orders.\nschema: schemas/crm/order.avsc\nkey: id\nrefresh_rate: hour\nhistory: 2 days\n\
        sensitive_columns: []\naccess_group: []\nmaintenance:\n  - { from: 2026-01-05 10:00 UTC, to: 2026-01-05 12:00 UTC, reason: move }\n";
    const DOMAIN: &str = "domain: crm\ndescription: d\nteam: { name: CRM, contact: c }\n\
        maintenance:\n  - { hours: \"Sun 02:00-04:00 UTC\", reason: patches }\n";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn planned(target: &str) -> Planned {
        Planned {
            id: "x".to_owned(),
            target: target.to_owned(),
            from: at("2026-01-05T11:00:00Z"),
            to: at("2026-01-05T13:00:00Z"),
            reason: "by hand".to_owned(),
            by: "ann".to_owned(),
            at: at("2026-01-05T10:59:00Z"),
        }
    }

    #[test]
    fn what_is_planned_anywhere_excuses() {
        let contract = parse_contract("topics/crm/orders.yaml", CONTRACT).unwrap().value;
        let domain = parse_domain("topics/crm/domain.yaml", DOMAIN).unwrap().value;
        let by_hand = [planned("crm"), planned("crm.orders"), planned("crm.customers"), planned("web")];
        let reason = |time: &str, by_hand: &[Planned]| {
            let now_ms = at(time).as_millisecond();
            let promise = promise(&contract, Some(&domain), by_hand.iter());
            let found = now(&contract, Some(&domain), by_hand.iter(), now_ms);
            assert_eq!(promise.calendar.is_maintained(now_ms), found.is_some(), "{time}");
            found.map(|found| found.reason)
        };
        assert_eq!(reason("2026-01-05T10:00:00Z", &[]).as_deref(), Some("move"));
        assert_eq!(reason("2026-01-05T12:00:00Z", &[]), None);
        assert_eq!(reason("2026-01-04T03:59:59Z", &[]).as_deref(), Some("patches"));
        assert_eq!(reason("2026-01-05T12:00:00Z", &by_hand[..1]).as_deref(), Some("by hand"));
        assert_eq!(reason("2026-01-05T12:00:00Z", &by_hand[1..2]).as_deref(), Some("by hand"));
        assert_eq!(reason("2026-01-05T12:00:00Z", &by_hand[2..]), None, "others' maintenance");
    }
}
