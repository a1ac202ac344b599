//! Asks `mesh.audit` whether columns were masked in every record of a time.
//!
//! All of the topic is read: what is missing shows only beside what was told before and after. Ranges that nothing tells of count only if
//! the input port still holds records there, or has lost them: transaction markers and what compaction took are no records.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use mesh_avro::{mask::Rules, schema::Schema};
use mesh_contract::{
    AppliedProduct, ColumnPath, MASKED_VIEW, SensitiveColumn,
    topic::{AUDIT_TOPIC, PRODUCTS_TOPIC, masking_group},
};
use mesh_kafka::{Record, Settings, TopicPartition, admin::Admin, consumer::read_range, log::LogReader};

use super::{
    account::rules_of_view,
    answer::{Answer, Gap, GapKind, Line, Outcome, Span, Verdict, verdict},
    chain::Chain,
    event::{Masked, Replayed, Told},
};
use crate::product::Product;

/// A longer range of the input is not looked through for records.
const LOOKED_THROUGH_MAX: i64 = 100_000;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// The product, as it is applied now.
    pub product: Arc<AppliedProduct>,
    /// Of which view.
    pub view: String,
    /// Of which column; none: of all that are sensitive now, and all that were masked in the view.
    pub column: Option<String>,
    /// Of what time.
    pub span: Span,
}

/// No answer can be given.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The audit cannot be read.
    #[error("cannot read {AUDIT_TOPIC}")]
    ReadAudit(#[source] mesh_kafka::Error),
    /// The contracts cannot be read.
    #[error("cannot read {PRODUCTS_TOPIC}")]
    ReadProducts(#[source] mesh_kafka::Error),
    /// How far the sidecars are, or the input port, cannot be read.
    #[error("cannot compare what was told with the input port")]
    ReadInput(#[source] mesh_kafka::Error),
    /// Neither the contract nor what was told has such a view.
    #[error("the product has no view {view}, and had none")]
    NoSuchView {
        /// What was asked for.
        view: String,
    },
    /// Neither the schema nor what was told has such a column.
    #[error("the product has no column {column}: {why}")]
    NoSuchColumn {
        /// What was asked for.
        column: String,
        /// Why not.
        why: String,
    },
}

/// The masked columns of a view with their rules.
type Masks = BTreeMap<String, String>;

/// How many records, masked with which versions of the keys.
#[derive(Debug, Default)]
struct Seen {
    records: u64,
    keys: BTreeSet<u32>,
}

/// What was told of the product.
#[derive(Default)]
struct Trail {
    chains: BTreeMap<i32, Chain>,
    /// By revision and what was told of the view; none: its rules were not told.
    seen: BTreeMap<(u64, Option<Masks>), Seen>,
    has_view: bool,
    records: u64,
    tombstones: u64,
    quarantined: BTreeMap<String, u64>,
    replayed: u64,
}

/// Answers.
///
/// # Errors
/// See [`AuditError`].
pub async fn ask(kafka: &Settings, question: &Question) -> Result<Answer, AuditError> {
    let mut trail = Trail::default();
    let mut reader = LogReader::open(kafka, AUDIT_TOPIC).await.map_err(AuditError::ReadAudit)?;
    reader.read_to_end(|record| trail.take(&record, question)).await.map_err(AuditError::ReadAudit)?;
    let rules = rules_by_revision(kafka, question).await?;
    let gaps = gaps(kafka, question, std::mem::take(&mut trail.chains)).await?;
    trail.answer(question, &rules, gaps)
}

impl Trail {
    fn take(&mut self, record: &Record, question: &Question) {
        // what is not JSON is not a sidecar's
        let told = record.value.as_deref().and_then(|value| serde_json::from_slice(value).ok());
        match told {
            Some(Told::RecordsMasked(event)) if question.is_about(&event.product, event.major) => {
                self.take_masked(&event, question);
            }
            Some(Told::QuarantineReplayed(event)) if question.is_about(&event.product, event.major) => {
                self.take_replayed(&event, question);
            }
            _ => {}
        }
    }

    fn take_masked(&mut self, event: &Masked, question: &Question) {
        self.chains.entry(event.partition).or_default().take(event, &question.span);
        let view = event.views.as_ref().map(|views| views.iter().find(|view| view.view == question.view));
        self.has_view |= matches!(view, Some(Some(_)));
        if !question.span.meets(event.since_ms, event.at_ms) {
            return;
        }
        self.records += event.records;
        self.tombstones += event.tombstones;
        for (reason, count) in &event.quarantined {
            *self.quarantined.entry(reason.clone()).or_default() += count;
        }
        let (masks, records) = match view {
            None => (None, event.records - event.quarantined_in_all().min(event.records)),
            Some(None) => return,
            Some(Some(view)) => (Some(view.masked.clone()), view.records),
        };
        self.see(event.revision, masks, records, event.keys.keys().filter_map(|version| version.parse().ok()));
    }

    fn take_replayed(&mut self, event: &Replayed, question: &Question) {
        if question.span.meets(event.at_ms, event.at_ms) {
            self.replayed += event.replayed;
            self.see(event.revision, None, event.replayed, []);
        }
    }

    fn see(&mut self, revision: u64, masks: Option<Masks>, records: u64, keys: impl IntoIterator<Item = u32>) {
        if records > 0 {
            let seen = self.seen.entry((revision, masks)).or_default();
            seen.records += records;
            seen.keys.extend(keys);
        }
    }

    fn answer(self, question: &Question, rules: &Revisions, gaps: Vec<Gap>) -> Result<Answer, AuditError> {
        if !self.has_view && !question.product.contract.topics().views.iter().any(|(view, _)| *view == question.view) {
            return Err(AuditError::NoSuchView { view: question.view.clone() });
        }
        let columns = self.columns(question, rules)?;
        let mut lines: BTreeMap<(&String, Outcome, u64), Seen> = BTreeMap::new();
        for ((revision, told), seen) in &self.seen {
            // a view that the revision has not got was shown nothing
            let masks = match (told, rules.get(revision)) {
                (Some(masks), _) | (None, Some(Some(Some(masks)))) => Some(masks),
                (None, Some(Some(None))) => continue,
                (None, Some(None) | None) => None,
            };
            for column in &columns {
                let outcome = masks.map_or(Outcome::NotKnown, |masks| outcome(column, masks));
                let line = lines.entry((column, outcome, *revision)).or_default();
                line.records += seen.records;
                line.keys.extend(&seen.keys);
            }
        }
        let line = |((column, outcome, revision), seen): ((&String, Outcome, u64), Seen)| Line {
            column: column.clone(),
            outcome,
            revision,
            key_versions: seen.keys,
            records: seen.records,
        };
        let mut lines: Vec<Line> = lines.into_iter().map(line).collect();
        lines.sort_by(|a, b| (&a.column, a.revision, &a.outcome).cmp(&(&b.column, b.revision, &b.outcome)));
        let of = |column: &String| verdict(lines.iter().filter(|line| line.column == *column), &gaps);
        let in_all = match verdict(lines.iter(), &gaps) {
            // there were records, and nothing in them to be masked
            Verdict::NoRecords if columns.is_empty() && !self.seen.is_empty() => Verdict::Yes,
            verdict => verdict,
        };
        Ok(Answer {
            product: question.product.contract.product().to_string(),
            version: question.product.contract.version,
            view: question.view.clone(),
            span: question.span,
            verdict: in_all,
            columns: columns.iter().map(|column| (column.clone(), of(column))).collect(),
            lines,
            records: self.records,
            tombstones: self.tombstones,
            quarantined: self.quarantined,
            replayed: self.replayed,
            gaps,
        })
    }

    /// The columns that the answer is about.
    fn columns(&self, question: &Question, rules: &Revisions) -> Result<BTreeSet<String>, AuditError> {
        let told = self.seen.keys().filter_map(|(_, masks)| masks.as_ref());
        // a view that shows a column has no rule for it: the default view has one for each that is sensitive
        let sensitive = rules_of_view(&Product::new((*question.product).clone()), MASKED_VIEW).flatten();
        let masks = told.chain(rules.values().flatten().flatten()).chain(&sensitive);
        let known: BTreeSet<String> = masks.flat_map(|masks| masks.keys().cloned()).collect();
        let Some(column) = &question.column else { return Ok(known) };
        if !known.contains(column) {
            question.check_column(column)?;
        }
        Ok([column.clone()].into())
    }
}

impl Question {
    fn is_about(&self, product: &str, major: u32) -> bool {
        self.product.contract.version == major && self.product.contract.product().to_string() == product
    }

    /// That the schema has a column: a misspelt one would be in no rule either.
    fn check_column(&self, column: &str) -> Result<(), AuditError> {
        let failed = |why: String| AuditError::NoSuchColumn { column: column.to_owned(), why };
        let path: ColumnPath = column.parse().map_err(|error| failed(format!("{error}")))?;
        let schema = Schema::parse_value(&self.product.schema).map_err(|error| failed(error.to_string()))?;
        let sensitive = SensitiveColumn { column: path, class: "pii".to_owned(), mask: None };
        Rules::of_columns(&[sensitive], &schema).map(drop).map_err(|findings| {
            let said: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
            failed(said.join("; "))
        })
    }
}

/// What became of a column: its own rule, or that of the record, array or map that it is in.
fn outcome(column: &str, masks: &Masks) -> Outcome {
    let covers = |path: &str| {
        let rest = column.strip_prefix(path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']))
    };
    let nearest = masks.iter().filter(|(path, _)| covers(path)).max_by_key(|(path, _)| path.len());
    nearest.map_or(Outcome::InClear, |(_, rule)| Outcome::Masked(rule.clone()))
}

/// By revision: the view's masks; `Some(None)` where it has no such view, `None` where its rules cannot be had.
type Revisions = BTreeMap<u64, Option<Option<Masks>>>;

/// The rules of every revision that stands on `mesh.products`.
async fn rules_by_revision(kafka: &Settings, question: &Question) -> Result<Revisions, AuditError> {
    let contract = &question.product.contract;
    let key = format!("{}/{}", contract.unique_id, contract.version);
    let is_revision = |record: &Record| {
        let found = record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok());
        found.is_some_and(|found| {
            let rest = found.strip_prefix(&key);
            rest.is_some_and(|rest| {
                rest.is_empty() || rest.strip_prefix('/').is_some_and(|rest| rest.parse::<u64>().is_ok())
            })
        })
    };
    let mut revisions = Revisions::new();
    let mut reader = LogReader::open(kafka, PRODUCTS_TOPIC).await.map_err(AuditError::ReadProducts)?;
    let read = reader.read_to_end(|record| {
        let value = record.value.as_deref().filter(|_| is_revision(&record));
        if let Some(applied) = value.and_then(|value| serde_json::from_slice::<AppliedProduct>(value).ok()) {
            revisions.insert(applied.revision, rules_of_view(&Product::new(applied), &question.view));
        }
    });
    read.await.map_err(AuditError::ReadProducts)?;
    Ok(revisions)
}

/// What nothing tells of, though it held records.
async fn gaps(kafka: &Settings, question: &Question, mut chains: BTreeMap<i32, Chain>) -> Result<Vec<Gap>, AuditError> {
    let contract = &question.product.contract;
    let input = contract.topics().input;
    let admin = Admin::new(kafka).map_err(AuditError::ReadInput)?;
    let committed = admin.committed(&masking_group(&contract.owner), &[&input]).await.map_err(AuditError::ReadInput)?;
    let starts = admin.start_offsets(&[&input]).await.map_err(AuditError::ReadInput)?;
    let audit_starts = admin.start_offsets(&[AUDIT_TOPIC]).await.map_err(AuditError::ReadAudit)?;
    let is_whole = audit_starts.values().all(|start| *start == 0);
    let mut found = Vec::new();
    for (place, start) in &starts {
        let chain = chains.remove(&place.partition).unwrap_or_default();
        let next = committed.get(place).copied().unwrap_or(0);
        for gap in chain.gaps(place.partition, next, &question.span) {
            // where the audit has lost nothing, what comes before its first word was never processed
            let is_none = gap.kind == GapKind::BeforeTheFirst && is_whole;
            if !is_none && !holds_nothing(kafka, place, gap.first..gap.last + 1, *start).await? {
                found.push(gap);
            }
        }
    }
    Ok(found)
}

/// Whether a range of the input is known to hold no record.
async fn holds_nothing(
    kafka: &Settings,
    place: &TopicPartition,
    range: Range<i64>,
    start: i64,
) -> Result<bool, AuditError> {
    if range.start < start || range.end - range.start > LOOKED_THROUGH_MAX {
        return Ok(false);
    }
    let mut records = 0;
    read_range(kafka, place, range, |_| records += 1).await.map_err(AuditError::ReadInput)?;
    Ok(records == 0)
}

#[cfg(test)]
mod tests;
