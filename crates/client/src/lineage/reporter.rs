//! Reports a job while it runs: started, then a snapshot every so often while something moves, then its end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use mesh_contract::AppliedProduct;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::cluster::KafkaCluster;
use super::design;
use super::emitter::Emitter;
use super::event::{EventType, Job, RunEvent};
use super::facet::{JobOwnership, JobType, Owner, Parent};
use super::product::ProductDatasets;
use super::run::JobRun;

/// How often a job that moves something says so, unless told otherwise.
pub const SNAPSHOT_EVERY: Duration = Duration::from_secs(30);

/// What the specification's integrations tell those that they start of their own run: `namespace/job/run id`.
const PARENT: &str = "OPENLINEAGE_PARENT_ID";

/// Reports one run: its start with the first counts, and nothing of a run that moves nothing. Cheap to clone; the clones
/// count into the same run. One that is dropped without an end leaves its run open, as a crash does.
#[derive(Debug, Clone)]
pub struct Reporter {
    run: Arc<Mutex<JobRun>>,
    emitter: Emitter,
    ticking: Arc<DropGuard>,
}

impl Reporter {
    /// Starts to report a run; needs a Tokio runtime.
    pub fn start(run: JobRun, emitter: Emitter, every: Duration) -> Self {
        let run = Arc::new(Mutex::new(run));
        let stop = CancellationToken::new();
        tokio::spawn(tick(Arc::clone(&run), emitter.clone(), every, stop.clone()));
        Self { run, emitter, ticking: Arc::new(stop.drop_guard()) }
    }

    /// Starts to report the program that derives a product (`upselling.offers`) from others, under the name that the
    /// product's declared dependencies have.
    pub fn derivation(product: &str, major: u32, kafka: &KafkaCluster, emitter: Emitter) -> Self {
        Self::start(JobRun::new(design::derivation(product, major), kafka.clone()), emitter, SNAPSHOT_EVERY)
    }

    /// Starts to report a job that publishes a product: a finite one.
    pub fn publisher(job: &str, cluster: &KafkaCluster, product: &AppliedProduct, emitter: Emitter) -> Self {
        let mut run = client_run(job, &JobType::batch("PRODUCER"), cluster, product);
        run.describe_output(ProductDatasets::new(cluster, product).input());
        Self::start(run, emitter, SNAPSHOT_EVERY)
    }

    /// Starts to report a job that subscribes to a view of a product.
    pub fn subscriber(
        job: &str,
        cluster: &KafkaCluster,
        product: &AppliedProduct,
        view: &str,
        emitter: Emitter,
    ) -> Self {
        let mut run = client_run(job, &JobType::streaming("CONSUMER"), cluster, product);
        let described = ProductDatasets::new(cluster, product).view(view);
        described.into_iter().for_each(|view| run.describe_input(view));
        Self::start(run, emitter, SNAPSHOT_EVERY)
    }

    /// Looks at or changes the run: describes its topics, counts ranges.
    pub fn with_run<T>(&self, change: impl FnOnce(&mut JobRun) -> T) -> T {
        change(&mut lock(&self.run))
    }

    /// Counts one record read.
    pub fn read(&self, topic: &str, partition: i32, offset: i64, bytes: usize) {
        self.with_run(|run| run.read(topic, partition, offset, bytes));
    }

    /// Counts one record written, once it is stored.
    pub fn wrote(&self, topic: &str, partition: i32, offset: i64, bytes: usize) {
        self.with_run(|run| run.wrote(topic, partition, offset, bytes));
    }

    /// Reports that the run ended well, and waits until that is delivered or the deadline is over.
    pub async fn finish(self, deadline: Duration) -> bool {
        self.end(deadline, |run| run.end(EventType::Complete, Timestamp::now())).await
    }

    /// As [`Reporter::finish`], of a run that was stopped before its end.
    pub async fn abort(self, deadline: Duration) -> bool {
        self.end(deadline, |run| run.end(EventType::Abort, Timestamp::now())).await
    }

    /// As [`Reporter::finish`], of a run that broke. The message must not hold a payload.
    pub async fn fail(self, deadline: Duration, message: &str) -> bool {
        self.end(deadline, |run| vec![run.fail(Timestamp::now(), message)]).await
    }

    async fn end(self, deadline: Duration, events: impl FnOnce(&mut JobRun) -> Vec<RunEvent>) -> bool {
        drop(self.ticking);
        events(&mut lock(&self.run)).into_iter().for_each(|event| self.emitter.emit(event));
        self.emitter.flush(deadline).await
    }
}

/// A run of a client; part of another, if whoever started the process says so.
fn client_run(job: &str, job_type: &JobType, cluster: &KafkaCluster, product: &AppliedProduct) -> JobRun {
    let owner = JobOwnership { owners: vec![Owner::domain(&product.contract.owner)] };
    let job = Job::mesh(job).with(job_type);
    // who reads a product does not belong to the domain that owns it
    let job = if job_type.processing_type == "BATCH" { job.with(&owner) } else { job };
    let run = JobRun::new(job, cluster.clone());
    let parent = std::env::var(PARENT).ok().and_then(|text| Parent::parse(&text));
    parent.iter().fold(run, JobRun::part_of)
}

async fn tick(run: Arc<Mutex<JobRun>>, emitter: Emitter, every: Duration, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Some(event) = lock(&run).news(Timestamp::now()) {
            emitter.emit(event);
        }
    }
}

fn lock(run: &Mutex<JobRun>) -> MutexGuard<'_, JobRun> {
    run.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::super::event::Job;
    use super::super::name::KafkaNamespace;
    use super::super::transport::{DeliverEventError, Parcel, Transport};
    use super::*;

    struct Kept(mpsc::UnboundedSender<RunEvent>);

    impl Transport for Kept {
        fn name(&self) -> &'static str {
            "test"
        }

        async fn deliver(&mut self, parcel: &Parcel) -> Result<(), DeliverEventError> {
            let event = serde_json::from_slice(&parcel.body).expect("events are read back");
            let failed = |error| DeliverEventError { source: Box::new(error), is_retriable: false };
            self.0.send(event).map_err(failed)
        }
    }

    fn derivation() -> (Reporter, mpsc::UnboundedReceiver<RunEvent>) {
        let (kept, events) = mpsc::unbounded_channel();
        let run = JobRun::new(Job::mesh("derive.a.b.v1"), KafkaNamespace::of("k:1"));
        (Reporter::start(run, Emitter::spawn(Kept(kept)), Duration::from_millis(5)), events)
    }

    const DEADLINE: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn it_starts_when_something_moves_tells_what_moves_and_ends() {
        let (reporter, mut events) = derivation();
        reporter.clone().read("c.d.v1", 0, 7, 10);
        let start = events.recv().await.expect("an event");
        assert_eq!((start.event_type, start.inputs.len()), (Some(EventType::Start), 1));
        reporter.clone().read("c.d.v1", 0, 8, 10);
        let running = events.recv().await.expect("an event");
        assert_eq!(running.event_type, Some(EventType::Running));
        assert!(reporter.finish(DEADLINE).await);
        let end = events.recv().await.expect("an event");
        assert_eq!((end.event_type, end.inputs), (Some(EventType::Complete), running.inputs));
        assert_eq!((start.run.run_id, end.outputs.len()), (running.run.run_id, 0));
    }

    #[tokio::test]
    async fn a_run_that_moved_nothing_is_in_no_event_unless_it_broke() {
        let (reporter, mut events) = derivation();
        assert!(reporter.finish(DEADLINE).await);
        assert_eq!(events.recv().await, None);

        let (reporter, mut events) = derivation();
        assert!(reporter.fail(DEADLINE, "the registry is away").await);
        let end = events.recv().await.expect("an event");
        assert_eq!((end.event_type, end.inputs.len()), (Some(EventType::Fail), 0));
        assert_eq!(end.run.facets.as_map()["errorMessage"]["message"], "the registry is away");
    }

    #[tokio::test]
    async fn one_that_is_dropped_says_no_more() {
        let (reporter, mut events) = derivation();
        reporter.read("c.d.v1", 0, 7, 10);
        events.recv().await.expect("the start");
        drop(reporter);
        assert_eq!(events.recv().await, None, "the emitter ends with its last handle");
    }
}
