//! Reports a job while it runs: started, then a snapshot every so often while something moves, then its end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::emitter::Emitter;
use super::event::Job;
use super::facet::{JobOwnership, JobType, Owner};
use super::name::{self, KafkaNamespace};
use super::run::JobRun;

/// How often a job that moves something says so, unless told otherwise.
pub const SNAPSHOT_EVERY: Duration = Duration::from_secs(30);

/// Reports one run. Cheap to clone; the clones count into the same run. One that is dropped without
/// [`finish`](Self::finish) leaves its run open, as a crash does.
#[derive(Debug, Clone)]
pub struct Reporter {
    run: Arc<Mutex<JobRun>>,
    emitter: Emitter,
    ticking: Arc<DropGuard>,
}

impl Reporter {
    /// Starts to report a run; needs a Tokio runtime.
    pub fn start(mut run: JobRun, emitter: Emitter, every: Duration) -> Self {
        emitter.emit(run.start(Timestamp::now()));
        let run = Arc::new(Mutex::new(run));
        let stop = CancellationToken::new();
        tokio::spawn(tick(Arc::clone(&run), emitter.clone(), every, stop.clone()));
        Self { run, emitter, ticking: Arc::new(stop.drop_guard()) }
    }

    /// Starts to report the program that derives a product (`upselling.offers`) from others, under the name that the
    /// product's declared dependencies have.
    pub fn derivation(product: &str, major: u32, kafka: &KafkaNamespace, emitter: Emitter) -> Self {
        let owner = product.split('.').next().unwrap_or(product);
        let job = Job::mesh(name::derivation_job(product, major))
            .with(&JobType::streaming("DERIVATION"))
            .with(&JobOwnership { owners: vec![Owner::domain(owner)] });
        Self::start(JobRun::new(job, kafka.clone()), emitter, SNAPSHOT_EVERY)
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
        drop(self.ticking);
        self.emitter.emit(lock(&self.run).complete(Timestamp::now()));
        self.emitter.flush(deadline).await
    }
}

async fn tick(run: Arc<Mutex<JobRun>>, emitter: Emitter, every: Duration, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Some(event) = lock(&run).snapshot(Timestamp::now()) {
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

    use super::super::emitter::{DeliverEventError, Transport};
    use super::super::event::{EventType, RunEvent};
    use super::*;

    struct Kept(mpsc::UnboundedSender<RunEvent>);

    impl Transport for Kept {
        async fn deliver(&mut self, _key: String, body: Vec<u8>) -> Result<(), DeliverEventError> {
            let event = serde_json::from_slice(&body).map_err(|error| DeliverEventError(Box::new(error)))?;
            self.0.send(event).map_err(|error| DeliverEventError(Box::new(error)))
        }
    }

    fn derivation() -> (Reporter, mpsc::UnboundedReceiver<RunEvent>) {
        let (kept, events) = mpsc::unbounded_channel();
        let run = JobRun::new(Job::mesh("derive.a.b.v1"), KafkaNamespace::of("k:1"));
        (Reporter::start(run, Emitter::spawn(Kept(kept)), Duration::from_millis(5)), events)
    }

    #[tokio::test]
    async fn it_starts_tells_what_moves_and_ends() {
        let (reporter, mut events) = derivation();
        assert_eq!(events.recv().await.expect("an event").event_type, Some(EventType::Start));
        reporter.clone().read("c.d.v1", 0, 7, 10);
        let running = events.recv().await.expect("an event");
        assert_eq!((running.event_type, running.inputs.len()), (Some(EventType::Running), 1));
        assert!(reporter.finish(Duration::from_secs(10)).await);
        let end = events.recv().await.expect("an event");
        assert_eq!((end.event_type, end.inputs), (Some(EventType::Complete), running.inputs));
    }

    #[tokio::test]
    async fn one_that_is_dropped_says_no_more() {
        let (reporter, mut events) = derivation();
        drop(reporter);
        assert_eq!(events.recv().await.expect("an event").event_type, Some(EventType::Start));
        assert_eq!(events.recv().await, None, "the emitter ends with its last handle");
    }
}
