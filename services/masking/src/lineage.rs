//! Tells `mesh.lineage` what the tasks have moved: one run per product and revision, told while it moves.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use mesh_client::lineage::{
    Emitter, JobRun, KafkaCluster, KafkaNamespace, KafkaTransport, ProductDatasets, facet::PartitionRange,
};
use tokio::{sync::mpsc, time};

use crate::{Config, Error, counts::Moved};

/// How long the last events may take to be delivered.
const FLUSH_DEADLINE: Duration = Duration::from_secs(2);

/// The open runs, by product and revision.
type Runs = BTreeMap<(String, u64), JobRun>;

/// Reports until the tasks are gone, then closes every run.
pub(crate) async fn report(config: &Config, mut moved: mpsc::Receiver<Vec<Moved>>) -> Result<(), Error> {
    let Some(interval) = config.lineage_interval else {
        while moved.recv().await.is_some() {}
        return Ok(());
    };
    let emitter = Emitter::spawn(KafkaTransport::new(&config.kafka).map_err(Error::SetUp)?);
    let cluster = KafkaCluster::from(KafkaNamespace::of(config.kafka.bootstrap()));
    let mut runs = Runs::new();
    let mut ticks = time::interval(interval);
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            batch = moved.recv() => match batch {
                Some(batch) => batch.iter().for_each(|part| count(&mut runs, &cluster, &emitter, part)),
                None => break,
            },
            _ = ticks.tick() => tell(&mut runs, &emitter),
        }
    }
    runs.values_mut().for_each(|run| emitter.emit(run.complete(Timestamp::now())));
    emitter.flush(FLUSH_DEADLINE).await;
    Ok(())
}

/// Tells what has moved since the last time, and ends the runs of revisions that are no longer the newest.
fn tell(runs: &mut Runs, emitter: &Emitter) {
    let now = Timestamp::now();
    let newest: BTreeMap<String, u64> = runs.keys().cloned().collect();
    runs.retain(|(product, revision), run| {
        let superseded = newest.get(product).is_some_and(|newest| newest > revision);
        let event = if superseded { Some(run.complete(now)) } else { run.snapshot(now) };
        event.into_iter().for_each(|event| emitter.emit(event));
        !superseded
    });
}

fn count(runs: &mut Runs, cluster: &KafkaCluster, emitter: &Emitter, moved: &Moved) {
    let product = &moved.product;
    let key = (format!("{}@{}", product.name, product.major), product.revision);
    if let Some(run) = runs.get_mut(&key) {
        return add(run, moved);
    }
    let mut run = ProductDatasets::new(cluster, &product.applied).masking_run();
    add(&mut run, moved);
    // with its first counts, so that a short run has edges from the start
    emitter.emit(run.start(Timestamp::now()));
    runs.insert(key, run);
}

fn add(run: &mut JobRun, moved: &Moved) {
    let topics = &moved.product.topics;
    let range = PartitionRange::of_offsets(moved.partition, moved.first, moved.last, moved.records);
    run.read_range(&topics.input, range, moved.bytes);
    let out = moved.records - moved.quarantined;
    for (_, topic) in &topics.views {
        run.wrote_records(topic, out, 0);
    }
    run.wrote_records(&topics.quarantine, moved.quarantined, 0);
}
