//! What is counted of a partition, and committed with its offset.

use std::time::Duration;

use mesh_kafka::sink::Progress;
use serde_json::Value;

use super::Part;
use crate::{
    audit::Account,
    product::Product,
    remask::OutputMark,
    run::{RunMark, Runs},
    task::metadata::Metadata,
};

impl Part {
    /// Has the open transaction count what it does, and returns what it is to tell: counts that are due, or that another
    /// revision's begin after.
    pub(in crate::task) fn stage(&mut self, runs: &mut Runs, now_ms: i64, interval: Duration) -> Vec<Value> {
        let Some(product) = &self.product else { return Vec::new() };
        let (mut account, mut told) = (self.account.clone(), Vec::new());
        if !account.is_empty() && self.account_revision != product.revision {
            told.push(self.counted(&account, product, self.account_revision, now_ms));
            account = Account::default();
        }
        let mut marks = self.marks.clone();
        if self.tally.records > 0 {
            account.add(&self.tally, self.keys.floor(), now_ms);
            marks = runs.marks_after(&self.marks, product, &self.tally);
        }
        if account.is_due(now_ms, interval) {
            told.push(self.counted(&account, product, product.revision, now_ms));
            account = Account::default();
        }
        let rev = if self.next.is_some() { product.revision } else { self.account_revision };
        let outputs = self.outputs.clone();
        let keys = self.keys.floor();
        self.metadata = Metadata { rev, keys, audit: account.clone(), runs: marks.clone(), outputs }.text();
        self.staged = Some((account, marks));
        told
    }

    fn counted(&self, account: &Account, product: &Product, revision: u64, now_ms: i64) -> Value {
        let mut event = account.event(product, revision, self.partition, now_ms);
        event["generation"] = self.outputs.generation.into();
        event
    }

    /// What was counted and not told yet, to be told now.
    pub(in crate::task) fn account_event(&self, product: &Product, now_ms: i64) -> Option<Value> {
        let told = (!self.account.is_empty()).then_some(self.account_revision);
        told.map(|revision| self.counted(&self.account, product, revision, now_ms))
    }

    /// What is committed with an offset at which nothing is left to be told.
    pub(in crate::task) fn metadata_with(&self, revision: u64, outputs: &OutputMark) -> String {
        let (keys, runs) = (self.keys.floor(), self.marks.clone());
        Metadata { rev: revision, keys, audit: Account::default(), runs, outputs: outputs.clone() }.text()
    }

    /// After such a commit.
    pub(in crate::task) fn settle_mark(&mut self, revision: u64, outputs: OutputMark, next: i64) {
        self.outputs = outputs;
        self.errand = None;
        self.account = Account::default();
        self.account_revision = revision;
        self.committed = Some(next);
    }

    /// How far the open transaction brings the partition, if it has to do with it.
    pub(in crate::task) fn progress(&self) -> Option<Progress<'_>> {
        self.staged.as_ref()?;
        let next = self.next.or(self.committed)?;
        Some(Progress { topic: &self.topic, partition: self.partition, next, metadata: &self.metadata })
    }

    /// After a commit: what was staged holds.
    pub(in crate::task) fn settle_account(&mut self) {
        if let (Some((account, marks)), Some(product)) = (self.staged.take(), &self.product) {
            self.account = account;
            self.marks = marks;
            self.account_revision = product.revision;
        }
    }

    /// What other runs had done here when the partition was taken over, and the revision that the last of it was done under.
    pub(in crate::task) fn inherited(&self) -> (&[RunMark], u64) {
        (&self.marks, self.account_revision)
    }

    /// Has the next commit say that no run of this task is open here; whether there was one.
    pub(in crate::task) fn stage_end(&mut self, runs: &Runs) -> bool {
        let marks = runs.untold(&self.marks);
        if marks.len() == self.marks.len() || self.committed.is_none() || self.product.is_none() {
            return false;
        }
        let (rev, audit, outputs) = (self.account_revision, self.account.clone(), self.outputs.clone());
        let keys = self.keys.floor();
        self.metadata = Metadata { rev, keys, audit: audit.clone(), runs: marks.clone(), outputs }.text();
        self.staged = Some((audit, marks));
        true
    }

    /// After an abort: what was staged never was.
    pub(in crate::task) fn unstage(&mut self) {
        self.staged = None;
    }
}
