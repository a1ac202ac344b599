//! Each change of an apply goes on record on `mesh.audit` before it is made, and how the apply ended after.

use super::plan::{Change, Row};
use super::refused;
use crate::audit;
use crate::failure::Failure;
use mesh_audit::{Event, TellError, Teller, Who};
use mesh_avro::keys::KeyRing;
use mesh_contract::acl::Resource;
use mesh_contract::topic::AUDIT_TOPIC;
use mesh_kafka::{ErrorKind, Settings};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the audit may take to be there, or to be open to us, once that was asked for; and the keys to be had.
const PATIENCE: Duration = Duration::from_secs(15);
const RETRY: Duration = Duration::from_millis(100);
/// Why something is changed, where nobody says more.
const WHY: &str = "the contracts ask for it";

/// How an apply goes on record.
#[derive(Clone, Default)]
pub struct OnRecord {
    /// What its entries are sealed with; none: they are not.
    pub seals: Option<Arc<dyn KeyRing>>,
    /// Why it is done, as whoever does it says.
    pub reason: Option<String>,
}

/// The record of one apply: a chain of its own.
pub(super) struct Recorder {
    kafka: Settings,
    on_record: OnRecord,
    who: Who,
    /// The fingerprint of what the plan was made on.
    plan: String,
    teller: Option<Teller>,
}

impl Recorder {
    /// The record of the apply of a plan that was made on what has this fingerprint.
    pub(super) fn new(kafka: &Settings, on_record: &OnRecord, plan: String) -> Self {
        let who = Who::here(kafka, "mesh apply");
        Self { kafka: kafka.clone(), on_record: on_record.clone(), who, plan, teller: None }
    }

    /// Begins the chain. Where the apply itself has made way for that just now, it may take some time.
    ///
    /// # Errors
    /// Nothing can go on record: then nothing is to be changed.
    pub(super) async fn open(&mut self, way_was_made: bool) -> Result<(), Failure> {
        let began = Instant::now();
        let teller = loop {
            match Teller::open(&self.kafka, self.on_record.seals.clone()).await {
                Err(error) if way_was_made && is_not_open_yet(&error) && began.elapsed() < PATIENCE => {
                    tokio::time::sleep(RETRY).await;
                }
                opened => break opened.map_err(failure)?,
            }
        };
        self.teller = Some(teller);
        Ok(())
    }

    /// Puts changes on record that are about to be made.
    ///
    /// # Errors
    /// They are not on record: then they are not to be made.
    pub(super) async fn changes(&mut self, changes: &[&Change]) -> Result<(), Failure> {
        let events: Vec<Event> = changes.iter().map(|change| self.event(&change.row())).collect();
        let Some(teller) = &mut self.teller else { return Err(Failure::internal("the record was not opened")) };
        let began = Instant::now();
        loop {
            match teller.tell_all(&events).await {
                // a provider of keys may still be asked
                Err(TellError::Seal(_)) if began.elapsed() < PATIENCE => tokio::time::sleep(RETRY).await,
                told => return told.map_err(failure),
            }
        }
    }

    /// Puts on record how it ended, which changes nothing about that.
    ///
    /// # Errors
    /// It did not end well, or that it did is not on record.
    pub(super) async fn end(self, ended: Result<(), Failure>) -> Result<(), Failure> {
        let event = match &ended {
            Ok(()) => Event::new("apply-finished", &self.who),
            Err(failure) => Event::new("apply-failed", &self.who).with("reason", failure.to_string()),
        };
        let Some(teller) = self.teller else { return ended };
        let told = teller.end_with(&event.with("plan", &self.plan)).await;
        ended.and(told.map_err(failure))
    }

    fn event(&self, row: &Row) -> Event {
        let why = self.on_record.reason.as_deref().unwrap_or(WHY);
        let event = Event::new(kind(row), &self.who).with("why", why).with("plan", &self.plan);
        let event = match (row.kind, row.name.split_once('@')) {
            ("product", Some((product, major))) => {
                event.with("product", product).with("major", major.parse::<u32>().ok())
            }
            (kind, _) => event.with(kind, &row.name),
        };
        if row.details.is_empty() { event } else { event.with("details", &row.details) }
    }
}

/// Whether nothing can go on record without it: the topic itself, and what lets this principal in there. It is done before it is told.
pub(super) fn makes_way(change: &Change, principal: Option<&str>) -> bool {
    match change {
        Change::CreateTopic { topic, .. } => topic == AUDIT_TOPIC,
        Change::Grant { rule } => {
            let is_own = principal.is_none_or(|principal| rule.principal == principal);
            // its newest entry is read by the name of a group
            let is_needed = match &rule.resource {
                Resource::Topic(topic) => topic == AUDIT_TOPIC,
                Resource::Group(_) => true,
                Resource::TransactionalId(_) | Resource::Cluster => false,
            };
            is_own && is_needed
        }
        _ => false,
    }
}

fn is_not_open_yet(error: &TellError) -> bool {
    match error {
        TellError::NoTopic => true,
        TellError::Look(source) | TellError::Write { source, .. } => {
            source.is_retriable() || matches!(source.kind(), ErrorKind::Unauthorised | ErrorKind::UnknownTopic)
        }
        TellError::Seal(_) => false,
    }
}

fn failure(error: TellError) -> Failure {
    match error {
        TellError::Look(source) | TellError::Write { source, .. } => {
            refused("cannot put on record what is to be done, so it is not done", source)
        }
        other => audit::failure(other),
    }
}

/// What goes on record as what.
fn kind(row: &Row) -> &'static str {
    match (row.action, row.kind) {
        ("grant", "rule") => "access-granted",
        ("revoke", "rule") => "access-revoked",
        ("create", "topic") => "topic-created",
        ("delete", "topic") => "topic-deleted",
        (_, "topic") => "topic-changed",
        ("register", "subject") => "schema-registered",
        (_, "subject") => "compatibility-changed",
        (_, "domain") => "domain-applied",
        (_, "product") => "contract-applied",
        (_, "quota") => "quota-changed",
        _ => "cluster-changed",
    }
}
