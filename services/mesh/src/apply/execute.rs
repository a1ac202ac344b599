//! Does what a plan says, one stage after another. Whatever was done already is done again without harm, so that an apply that
//! was killed between any two requests is finished by the next one.

use super::lock::Lock;
use super::observed::{Entry, Published, claim_key};
use super::plan::{Change, Step};
use super::record::{Recorder, makes_way};
use super::references::{Versions, WantedSchemas};
use super::{refused, registry::Registry};
use crate::failure::Failure;
use crate::output;
use mesh_contract::acl::AclTable;
use mesh_contract::{AppliedProduct, domain_key};
use mesh_kafka::admin::{Admin, QuotaChanges, SettingChanges, TopicSpec};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

/// So many topics are made or changed in one request.
const TOPICS_PER_REQUEST: usize = 200;

/// Whom an apply changes.
pub(super) struct Executor<'a> {
    pub(super) admin: &'a Admin,
    pub(super) registry: &'a Registry,
    /// What the subjects are to have.
    pub(super) schemas: &'a WantedSchemas,
    pub(super) lock: Lock,
    pub(super) record: Recorder,
    /// As whom one speaks to Kafka, where that is known.
    pub(super) principal: Option<&'a str>,
    /// As it was when the lock was taken: nobody else writes what matters of it.
    pub(super) published: Published,
    /// Whether what is done is told on standard error.
    pub(super) tells: bool,
}

impl Executor<'_> {
    /// Does all of it.
    ///
    /// # Errors
    /// It cannot be put on record, or Kafka or the registry refuses or does not answer: what was done stays, and the next apply goes
    /// on from there.
    pub(super) async fn run(mut self, steps: &[Step]) -> Result<(), Failure> {
        let way_was_made = self.make_way(steps).await?;
        self.record.open(way_was_made).await?;
        let done = self.stages(steps).await;
        let is_done = done.is_ok();
        let Self { lock, record, .. } = self;
        let told = record.end(done).await;
        if is_done {
            lock.release().await?;
        }
        told
    }

    /// Does what has to be there for anything to go on record; whether there was any such thing. It is done again in its turn, and
    /// told then.
    async fn make_way(&mut self, steps: &[Step]) -> Result<bool, Failure> {
        let changes = steps.iter().map(|step| &step.change);
        let needed: Vec<&Change> = changes.filter(|change| makes_way(change, self.principal)).collect();
        for stage in needed.chunk_by(|one, other| one.stage() == other.stage()) {
            self.stage(stage).await?;
        }
        Ok(!needed.is_empty())
    }

    async fn stages(&mut self, steps: &[Step]) -> Result<(), Failure> {
        let stages: Vec<&[Step]> = steps.chunk_by(|one, other| one.change.stage() == other.change.stage()).collect();
        for (index, stage) in stages.iter().enumerate() {
            let Some(first) = stage.first() else { continue };
            let words = format!("step {} of {}: {}", index + 1, stages.len(), first.change.words(stage.len()));
            if self.tells {
                output::talk(&words);
            }
            self.lock.at(&words).await?;
            let changes: Vec<&Change> = stage.iter().map(|step| &step.change).collect();
            self.record.changes(&changes).await?;
            self.stage(&changes).await?;
        }
        Ok(())
    }

    async fn stage(&mut self, changes: &[&Change]) -> Result<(), Failure> {
        match changes.first() {
            Some(Change::Revoke { .. } | Change::Grant { .. }) => self.rules(changes).await,
            Some(Change::CreateTopic { .. }) => self.create(changes).await,
            Some(Change::AddPartitions { .. }) => self.grow(changes).await,
            Some(Change::Configure { .. }) => self.configure(changes).await,
            Some(Change::SetLevel { .. } | Change::Register { .. }) => self.subjects(changes).await,
            Some(Change::PublishDomain { .. } | Change::NameCluster { .. } | Change::PublishProduct { .. }) => {
                self.publish(changes).await
            }
            Some(Change::Limit { .. } | Change::Release { .. }) => self.limit(changes).await,
            Some(Change::DeleteTopic { .. }) => self.delete(changes).await,
            None => Ok(()),
        }
    }

    async fn rules(&mut self, changes: &[&Change]) -> Result<(), Failure> {
        let failed = |error| refused("cannot change who may do what at Kafka", error);
        let (mut revoked, mut granted) = (AclTable::new(), AclTable::new());
        for change in changes {
            match change {
                Change::Revoke { rule } => drop(revoked.insert(rule.clone())),
                Change::Grant { rule } => drop(granted.insert(rule.clone())),
                _ => {}
            }
        }
        self.lock.held().await?;
        self.admin.revoke(&revoked).await.map_err(failed)?;
        self.admin.grant(&granted).await.map_err(failed)
    }

    /// Topics are claimed before they are made: what is there and was claimed by nobody is somebody else's.
    async fn create(&mut self, changes: &[&Change]) -> Result<(), Failure> {
        let mut claims: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        let mut specs = Vec::new();
        for change in changes {
            let Change::CreateTopic { topic, partitions, replication, settings, product } = change else { continue };
            if let Some(product) = product {
                claims.entry(product).or_default().insert(topic.clone());
            }
            specs.push(TopicSpec {
                name: topic.clone(),
                partitions: *partitions,
                replication: *replication,
                config: settings.clone(),
            });
        }
        let mut entries = Vec::new();
        for (product, mut topics) in claims {
            let key = claim_key(product);
            // an earlier apply that was killed may have claimed others
            topics.extend(self.published.get::<Vec<String>>(&key).ok().flatten().into_iter().flatten());
            entries.push(Entry::new(key, &topics)?);
        }
        self.lock.publish(entries).await?;
        for specs in specs.chunks(TOPICS_PER_REQUEST) {
            self.lock.held().await?;
            let created = self.admin.create_topics(specs).await;
            created.map_err(|error| refused("cannot create topics", error))?;
        }
        Ok(())
    }

    async fn grow(&mut self, changes: &[&Change]) -> Result<(), Failure> {
        for change in changes {
            let Change::AddPartitions { topic, to, .. } = change else { continue };
            let failed = |error| refused(format!("cannot give {topic} more partitions"), error);
            if self.admin.partitions(topic).await.map_err(failed)?.is_some_and(|is| is < *to) {
                self.lock.held().await?;
                self.admin.add_partitions(topic, *to).await.map_err(failed)?;
            }
        }
        Ok(())
    }

    async fn configure(&mut self, changes: &[&Change]) -> Result<(), Failure> {
        let topics = changes.iter().filter_map(|change| match change {
            Change::Configure { topic, settings, .. } => {
                let settings = settings.iter().map(|change| (change.setting.clone(), change.to.clone()));
                Some((topic.clone(), settings.collect()))
            }
            _ => None,
        });
        let topics: Vec<(String, BTreeMap<String, Option<String>>)> = topics.collect();
        for topics in topics.chunks(TOPICS_PER_REQUEST) {
            self.lock.held().await?;
            let changes: SettingChanges = topics.iter().cloned().collect();
            let changed = self.admin.change_settings(&changes).await;
            changed.map_err(|error| refused("cannot configure topics", error))?;
        }
        Ok(())
    }

    async fn subjects(&mut self, changes: &[&Change]) -> Result<(), Failure> {
        for change in changes {
            self.lock.held().await?;
            match change {
                Change::SetLevel { subject, to, .. } => self.registry.set_level(subject, *to).await?,
                Change::Register { subject, schema, references } => self.register(subject, schema, references).await?,
                _ => {}
            }
        }
        Ok(())
    }

    /// What a schema uses is registered before it, so that it has a version by now.
    async fn register(&self, subject: &str, schema: &Value, references: &[String]) -> Result<(), Failure> {
        match Versions::new(self.registry, self.schemas).references(references).await? {
            Ok(references) => self.registry.register(subject, schema, &references).await,
            Err(name) => {
                let what =
                    format!("cannot register the schema of {subject}: `{name}`, which it uses, is not registered");
                Err(Failure::usage(what).hint("somebody changed that subject meanwhile: plan again"))
            }
        }
    }

    async fn publish(&mut self, changes: &[&Change]) -> Result<(), Failure> {
        let mut entries = Vec::new();
        for change in changes {
            match change {
                Change::PublishDomain { domain } => entries.push(Entry::new(domain_key(&domain.domain), domain)?),
                Change::NameCluster { key, cluster } => entries.push(Entry::new(key.clone(), cluster)?),
                Change::PublishProduct { product, .. } => entries.extend(self.revision(product)?),
                _ => {}
            }
        }
        self.lock.publish(entries).await
    }

    /// The superseded revision first: partitions may still stand at it. Its topics need no claim any more.
    fn revision(&self, product: &AppliedProduct) -> Result<Vec<Entry>, Failure> {
        let key = product.key();
        let current: Option<AppliedProduct> = self.published.get(&key).ok().flatten();
        let is_done = current.as_ref().is_some_and(|it| it.contract == product.contract && it.schema == product.schema);
        if is_done {
            return Ok(vec![Entry::tombstone(claim_key(&key))]);
        }
        if current.as_ref().is_some_and(|current| current.revision >= product.revision) {
            let what =
                format!("revision {} of {} was published by others", product.revision, product.contract.product());
            return Err(Failure::usage(what).hint("plan again: what was done until here stays, and does no harm"));
        }
        let mut entries = Vec::new();
        if let Some(current) = &current {
            entries.push(Entry::new(current.revision_key(), current)?);
        }
        entries.push(Entry::new(key.clone(), &AppliedProduct { applied_at_ms: now_ms(), ..product.clone() })?);
        entries.push(Entry::tombstone(claim_key(&key)));
        Ok(entries)
    }

    async fn limit(&mut self, changes: &[&Change]) -> Result<(), Failure> {
        let limited = changes.iter().filter_map(|change| match change {
            Change::Limit { principal, limits } | Change::Release { principal, limits } => {
                let limits = limits.iter().map(|change| (change.limit.kafkas_name().to_owned(), change.to));
                Some((principal.strip_prefix("User:")?.to_owned(), limits.collect()))
            }
            _ => None,
        });
        let limited: QuotaChanges = limited.collect();
        self.lock.held().await?;
        let changed = self.admin.change_quotas(&limited).await;
        changed.map_err(|error| refused("cannot change client quotas", error))
    }

    async fn delete(&mut self, changes: &[&Change]) -> Result<(), Failure> {
        let topics: Vec<&str> = changes.iter().filter_map(|change| change.topic()).collect();
        self.lock.held().await?;
        let deleted = self.admin.delete_topics(&topics).await;
        deleted.map(drop).map_err(|error| refused("cannot delete topics", error))
    }
}

fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}
