#![allow(clippy::unwrap_used)]

use mesh_client::lineage::{
    RunEvent, Transport,
    transport::{DeliverEventError, Parcel},
};
use tokio::sync::watch;

use super::*;
use crate::counts::tests::product;

/// Keeps what it is told, once it is let.
struct Log {
    open: watch::Receiver<bool>,
    events: mpsc::UnboundedSender<RunEvent>,
}

impl Transport for Log {
    fn name(&self) -> &'static str {
        "test"
    }

    async fn deliver(&mut self, parcel: &Parcel) -> Result<(), DeliverEventError> {
        let _ = self.open.wait_for(|open| *open).await;
        let _ = self.events.send(serde_json::from_slice(&parcel.body).unwrap());
        Ok(())
    }
}

struct Bed {
    runs: Runs,
    told_runs: ToldRuns,
    open: watch::Sender<bool>,
    events: mpsc::UnboundedReceiver<RunEvent>,
}

impl Bed {
    fn new() -> Self {
        let (open, opened) = watch::channel(true);
        let (events, told) = mpsc::unbounded_channel();
        let log = Emitter::spawn(Log { open: opened, events });
        let cluster = KafkaCluster::from(KafkaNamespace::of("k:9092"));
        let told_runs = ToldRuns::default();
        let confirmed = Confirmed { log: log.clone(), told_runs: told_runs.clone(), waiting: Vec::new() };
        Bed { runs: Runs::new(Duty::Mask, cluster, log, confirmed), told_runs, open, events: told }
    }

    async fn next(&mut self) -> RunEvent {
        self.events.recv().await.unwrap()
    }

    fn moved(&mut self, run: Uuid, first: i64, last: i64) {
        let records = (last - first + 1).unsigned_abs();
        let moved =
            Moved { run, product: product(), partition: 0, first, last, records, bytes: 10 * records, quarantined: 1 };
        self.runs.take(Told { moved: vec![moved], ..Told::default() });
    }

    fn inherit(&mut self, run: Uuid, partition: i32, is_over: bool) {
        let mark =
            RunMark { run, worker: "0.0".to_owned(), first: 5, last: 14, records: 10, bytes: 100, quarantined: 0 };
        let inherited = Inherited { product: product(), partition, mark, revision: 1, is_over };
        self.runs.take(Told { inherited: vec![inherited], ..Told::default() });
    }

    fn end(&mut self, run: Uuid, how: End) {
        self.runs.take(Told { ended: vec![(run, how)], ..Told::default() });
    }
}

/// The run, what became of it, and how many records it read by then.
fn seen(event: &RunEvent) -> (Uuid, EventType, u64) {
    let kafka = &event.inputs[0].input_facets.as_map()["mesh_kafka"];
    (event.run.run_id, event.event_type.unwrap(), kafka["records"].as_u64().unwrap())
}

const ONE: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);

#[tokio::test]
async fn a_run_starts_with_its_first_counts_and_says_how_it_broke() {
    let mut bed = Bed::new();
    bed.moved(ONE, 0, 9);
    assert_eq!(seen(&bed.next().await), (ONE, EventType::Start, 10));
    bed.runs.tell();
    bed.moved(ONE, 10, 14);
    bed.runs.tell();
    let running = bed.next().await;
    assert_eq!(seen(&running), (ONE, EventType::Running, 15), "nothing is told of nothing");
    let names: Vec<&str> = running.outputs.iter().map(|output| output.dataset.name.as_str()).collect();
    assert_eq!(names, ["shop.buyers.v1", "shop.buyers.v1.quarantine"]);
    bed.end(ONE, End::Fail("the producer cannot go on".to_owned()));
    let end = bed.next().await;
    assert_eq!(seen(&end), (ONE, EventType::Fail, 15));
    assert_eq!(end.run.facets.as_map()["errorMessage"]["message"], "the producer cannot go on");
    bed.moved(OTHER, 15, 15);
    assert_eq!(seen(&bed.next().await), (OTHER, EventType::Start, 1));
    bed.runs.end_all(&End::Complete);
    assert_eq!(seen(&bed.next().await), (OTHER, EventType::Complete, 1));
}

#[tokio::test]
async fn a_killed_run_is_ended_by_its_successor_with_all_its_partitions() {
    let mut bed = Bed::new();
    bed.inherit(ONE, 0, true);
    bed.inherit(ONE, 1, true);
    bed.runs.tell_inherited().await;
    let end = bed.next().await;
    assert_eq!(seen(&end), (ONE, EventType::Abort, 20));
    assert_eq!(end.run.facets.as_map()["errorMessage"]["message"], ENDED_WITHOUT_A_WORD);
    bed.inherit(ONE, 2, true);
    bed.runs.tell_inherited().await;
    assert_eq!(seen(&bed.next().await), (ONE, EventType::Other, 10), "it has ended once");
}

#[tokio::test]
async fn of_a_run_that_may_go_on_elsewhere_only_the_counts_are_told() {
    let mut bed = Bed::new();
    bed.inherit(ONE, 0, false);
    bed.runs.tell_inherited().await;
    assert_eq!(seen(&bed.next().await), (ONE, EventType::Other, 10));
    bed.moved(OTHER, 0, 4);
    bed.next().await;
    bed.inherit(OTHER, 0, true);
    bed.runs.tell_inherited().await;
    bed.end(OTHER, End::Abort);
    assert_eq!(seen(&bed.next().await), (OTHER, EventType::Abort, 5), "one's own run is known best");
}

#[tokio::test]
async fn a_mark_may_go_once_it_is_on_the_topic() {
    let mut bed = Bed::new();
    bed.open.send_replace(false);
    bed.inherit(ONE, 0, true);
    bed.runs.tell_inherited().await;
    bed.runs.tell_inherited().await;
    assert!(!bed.told_runs.has(ONE), "it is on its way");
    bed.open.send_replace(true);
    bed.next().await;
    assert!(bed.runs.emitter.flush(Duration::from_secs(10)).await);
    bed.runs.tell_inherited().await;
    assert!(bed.told_runs.has(ONE));
}
