//! Tells lineage what the tasks have moved: one run per task, product and revision, told while it moves.
//!
//! Beside `mesh.lineage`, an OpenLineage back end may be told. Neither holds the tasks up: what they tell is waited for by
//! nobody, and what they could not tell is told with the next.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use jiff::Timestamp;
use mesh_client::{
    Catalogue,
    lineage::{
        Emitter, EventType, HttpTransport, Job, JobRun, KafkaCluster, KafkaNamespace, KafkaTransport, ProductDatasets,
        facet::PartitionRange, feed,
    },
};
use mesh_runtime::Shutdown;
use tokio::{
    sync::{mpsc, oneshot},
    time,
};
use uuid::Uuid;

use crate::{
    Config, Duty, Error,
    counts::{End, Inherited, Moved, Told},
    metrics,
    product::Product,
    run::{RunMark, ToldRuns},
};

/// How often to ask what the cluster is called, while it does not answer.
const RETRY: Duration = Duration::from_secs(1);
/// How long partitions that are taken over are gathered, to be told of together.
const SETTLE_INTERVAL: Duration = Duration::from_secs(1);
/// Of the grace period, what tasks have to come to an end; then their runs are told to be aborted. The rest is for
/// delivering the last events.
const GRACE_SHARE: (u32, u32) = (2, 3);
/// How many ended runs are remembered, so that none is ended twice.
const ENDED_MAX: usize = 1_024;
/// Of a run whose process said nothing at its end.
const ENDED_WITHOUT_A_WORD: &str =
    "the sidecar ended without a word; its successor tells what was committed until then";

/// Reports until the tasks are gone, then ends every run that they have left open: well, unless `outcome` says why not.
pub(crate) async fn report(
    config: &Config,
    mut told: mpsc::Receiver<Told>,
    told_runs: ToldRuns,
    outcome: oneshot::Receiver<Option<String>>,
    shutdown: &Shutdown,
) -> Result<(), Error> {
    let Some(interval) = config.lineage_interval else {
        while told.recv().await.is_some() {}
        return Ok(());
    };
    let (emitter, log) = emitters(config)?;
    let Some(first) = told.recv().await else { return Ok(()) };
    let mut runs = Runs::new(
        config.duty,
        cluster(config, shutdown).await,
        emitter,
        Confirmed { log, told_runs, waiting: Vec::new() },
    );
    runs.take(first);
    let mut ticks = time::interval(interval);
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    let mut settling = time::interval(SETTLE_INTERVAL);
    settling.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    let for_tasks = shutdown.grace() * GRACE_SHARE.0 / GRACE_SHARE.1;
    let overdue = async {
        shutdown.triggered().await;
        time::sleep(for_tasks).await;
    };
    tokio::pin!(overdue);
    let end = loop {
        tokio::select! {
            batch = told.recv() => match batch {
                Some(batch) => runs.take(batch),
                None => break outcome.await.ok().flatten().map_or(End::Complete, End::Fail),
            },
            _ = ticks.tick() => runs.tell(),
            _ = settling.tick() => runs.tell_inherited().await,
            () = &mut overdue => break End::Abort,
        }
    };
    runs.tell_inherited().await;
    runs.end_all(&end);
    runs.emitter.flush(shutdown.grace() - for_tasks).await;
    runs.count();
    Ok(())
}

/// The way out, and of it the way to `mesh.lineage`.
fn emitters(config: &Config) -> Result<(Emitter, Emitter), Error> {
    let log = Emitter::spawn(KafkaTransport::new(&config.kafka).map_err(Error::SetUp)?);
    let all = log.clone();
    let all = match &config.lineage_backend {
        Some(options) => all.and(HttpTransport::new(options).map_err(Error::LineageBackend)?),
        None => all,
    };
    Ok((all, log))
}

/// What the cluster is called; what the tasks tell waits meanwhile.
async fn cluster(config: &Config, shutdown: &Shutdown) -> KafkaCluster {
    let ask = async {
        loop {
            match named(config).await {
                Ok(cluster) => return cluster,
                Err(error) => tracing::warn!(error = &*error, "cannot ask what the cluster is called, retrying"),
            }
            time::sleep(RETRY).await;
        }
    };
    let by_address = || KafkaCluster::from(KafkaNamespace::of(config.kafka.bootstrap()));
    shutdown.abandon(ask).await.unwrap_or_else(by_address)
}

async fn named(config: &Config) -> Result<KafkaCluster, Box<dyn std::error::Error + Send + Sync>> {
    let catalogue = Catalogue::read(&config.kafka).await?;
    Ok(KafkaCluster::named_in(&catalogue, &config.kafka).await?)
}

/// The open runs of all tasks, and those of others that are to be told of.
struct Runs {
    duty: Duty,
    cluster: KafkaCluster,
    emitter: Emitter,
    open: BTreeMap<Uuid, JobRun>,
    /// Of former owners of partitions, and whether they are certain to be over.
    inherited: BTreeMap<Uuid, (JobRun, bool)>,
    /// The newest last.
    ended: VecDeque<Uuid>,
    confirmed: Confirmed,
}

/// Lets marks go whose runs are on `mesh.lineage`.
struct Confirmed {
    log: Emitter,
    told_runs: ToldRuns,
    /// Told, and perhaps on their way still.
    waiting: Vec<Uuid>,
}

impl Confirmed {
    async fn look(&mut self) {
        if !self.waiting.is_empty() && self.log.flush(Duration::ZERO).await {
            self.told_runs.note(self.waiting.drain(..));
        }
    }
}

impl Runs {
    fn new(duty: Duty, cluster: KafkaCluster, emitter: Emitter, confirmed: Confirmed) -> Self {
        let (open, inherited, ended) = (BTreeMap::new(), BTreeMap::new(), VecDeque::new());
        Runs { duty, cluster, emitter, open, inherited, ended, confirmed }
    }

    fn take(&mut self, told: Told) {
        told.moved.iter().for_each(|moved| self.moved(moved));
        told.inherited.iter().for_each(|inherited| self.inherit(inherited));
        told.ended.iter().for_each(|(run, how)| self.end(*run, how));
    }

    fn moved(&mut self, moved: &Moved) {
        let new = |cluster: &KafkaCluster| run_of(cluster, &moved.product, moved.run);
        let is_new = !self.open.contains_key(&moved.run);
        let run = self.open.entry(moved.run).or_insert_with(|| new(&self.cluster));
        let range = PartitionRange::of_offsets(moved.partition, moved.first, moved.last, moved.records);
        add(run, &moved.product, range, moved.bytes, moved.quarantined);
        if is_new {
            // with its first counts, so that a short run has edges from the start
            run.news(Timestamp::now()).into_iter().for_each(|event| self.emitter.emit(event));
        }
    }

    /// Partitions that are taken over one after the other are told of together.
    fn inherit(&mut self, inherited: &Inherited) {
        let Inherited { product, partition, mark, revision, is_over } = inherited;
        let RunMark { run: id, first, last, records, bytes, quarantined, .. } = mark;
        if self.open.contains_key(id) {
            return;
        }
        let new = || match *revision == product.revision {
            true => run_of(&self.cluster, product, *id),
            // what its data sets were like under that revision is not known here
            false => JobRun::with_id(job_of(&self.cluster, product), self.cluster.clone(), *id),
        };
        let (run, over) = self.inherited.entry(*id).or_insert_with(|| (new(), false));
        *over |= is_over;
        let range = PartitionRange::of_offsets(*partition, *first, *last, *records);
        add(run, product, range, *bytes, *quarantined);
    }

    /// Tells what has moved since the last time.
    fn tell(&mut self) {
        let now = Timestamp::now();
        let news = self.open.values_mut().filter_map(|run| run.news(now));
        news.for_each(|event| self.emitter.emit(event));
        self.count();
    }

    async fn tell_inherited(&mut self) {
        self.confirmed.look().await;
        self.confirmed.waiting.extend(self.inherited.keys());
        for (id, (mut run, is_over)) in std::mem::take(&mut self.inherited) {
            if is_over && !self.ended.contains(&id) {
                self.emitter.emit(run.abort_because(Timestamp::now(), ENDED_WITHOUT_A_WORD));
                self.note_end(id);
            } else {
                self.emitter.emit(run.addendum(Timestamp::now()));
            }
        }
    }

    fn end(&mut self, id: Uuid, how: &End) {
        let Some(mut run) = self.open.remove(&id) else { return };
        let now = Timestamp::now();
        let events = match how {
            End::Complete => run.end(EventType::Complete, now),
            End::Abort => run.end(EventType::Abort, now),
            End::Fail(why) => vec![run.fail(now, why)],
        };
        events.into_iter().for_each(|event| self.emitter.emit(event));
        self.note_end(id);
    }

    fn end_all(&mut self, how: &End) {
        let open: Vec<Uuid> = self.open.keys().copied().collect();
        open.into_iter().for_each(|id| self.end(id, how));
    }

    fn note_end(&mut self, id: Uuid) {
        self.ended.push_back(id);
        if self.ended.len() > ENDED_MAX {
            self.ended.pop_front();
        }
    }

    fn count(&self) {
        metrics::lineage_events(self.duty, self.emitter.delivered(), self.emitter.superseded(), self.emitter.dropped());
    }
}

fn job_of(cluster: &KafkaCluster, product: &Product) -> Job {
    match product.duty {
        Duty::Mask => ProductDatasets::new(cluster, &product.applied).masking_job(),
        Duty::Feed => feed::job(&product.applied),
    }
}

fn run_of(cluster: &KafkaCluster, product: &Product, id: Uuid) -> JobRun {
    match product.duty {
        Duty::Mask => ProductDatasets::new(cluster, &product.applied).masking_run(id),
        Duty::Feed => feed::run(cluster, &product.applied, product.source.as_deref(), id),
    }
}

fn add(run: &mut JobRun, product: &Product, range: PartitionRange, bytes: u64, quarantined: u64) {
    let topics = &product.topics;
    run.read_range(&topics.input, range, bytes);
    run.quarantined(&topics.input, quarantined);
    let out = PartitionRange::of_records(range.partition, range.records - quarantined);
    topics.views.iter().for_each(|(_, topic)| run.wrote_range(topic, out, 0));
    run.wrote_range(&topics.quarantine, PartitionRange::of_records(range.partition, quarantined), 0);
}

#[cfg(test)]
mod tests;
