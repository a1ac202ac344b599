//! The demo's two acts: while the services run, and after they were stopped in order.

use super::canary::Aviary;
use super::cast::PRODUCTS;
use super::hunt::{Mark, parts, read_all};
use super::ledger::{Account, Balance, Ledger};
use super::progress::Progress;
use super::publish::{self, Published, Stage};
use super::readers::{Readers, Seen};
use super::search::{Grants, Search};
use super::story::{Edge, Freshness, Hunt, Joined, Quarantined, Refused};
use super::watch::Quarantine;
use super::world::World;
use super::{failed, offers, refuse, watch};
use crate::failure::Failure;
use mesh_contract::topic::LINEAGE_TOPIC;
use mesh_kafka::Record;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long the sidecars may take over everything that was published.
const SETTLE_DEADLINE: Duration = Duration::from_secs(120);
/// How long the freshness monitor may take to judge every product.
const FRESHNESS_DEADLINE: Duration = Duration::from_secs(30);

/// What the first act saw.
#[derive(Debug)]
pub struct FirstAct {
    pub published: Published,
    pub refused: Vec<Refused>,
    pub settled: Balance,
    pub seen: Seen,
    pub joined: Joined,
    pub freshness: Vec<Freshness>,
}

/// What the second act saw.
#[derive(Debug)]
pub struct SecondAct {
    pub quarantined: Vec<Quarantined>,
    pub lineage_events: Vec<String>,
    pub lineage: Vec<Edge>,
    pub hunt: Hunt,
}

/// Publishes, masks, subscribes, derives, watches.
///
/// # Errors
/// Kafka or the registry cannot be reached, or a part does not do what it is there for.
pub async fn first_act(
    stage: &Stage,
    mark: &Mark,
    world: &World,
    aviary: &mut Aviary,
    progress: &Progress,
) -> Result<FirstAct, Failure> {
    let mut ledger =
        Ledger::open(&stage.kafka, mark, &stage.cast.outputs()).await.map_err(failed::kafka("subscribe"))?;
    progress.counted("publishing", world.len() as u64);
    let mut published = publish::all(stage, world, aviary, now_ms(), progress).await?;
    progress.phase("proposing schemas that break readers");
    let refused = refuse::all(stage).await?;
    progress.counted("masking", PRODUCTS.iter().map(|product| published.records(product)).sum());
    let settled = settle(&mut ledger, stage, &published, progress).await?;
    progress.phase("deriving upselling.offers");
    let joined = offers::derive(stage, &mut published).await?;
    let settled = settled.and(settle(&mut ledger, stage, &published, progress).await?);
    let settled_at_ms = now_ms();
    let views: u64 = stage.cast.outputs().iter().map(|topic| ledger.count(topic)).sum();
    drop(ledger);
    progress.counted("subscribing as each access group", views);
    let grants = Grants::of(stage.cast.contracts());
    let customer_id = world.somebody();
    let seen = Readers::new(stage, mark, aviary, &grants, customer_id).read_all(progress).await?;
    progress.phase("waiting for freshness to be judged");
    let freshness = watch::freshness(&stage.kafka, settled_at_ms, FRESHNESS_DEADLINE).await?;
    Ok(FirstAct { published, refused, settled, seen, joined, freshness })
}

/// Waits until what was published is accounted for.
async fn settle(
    ledger: &mut Ledger,
    stage: &Stage,
    published: &Published,
    progress: &Progress,
) -> Result<Balance, Failure> {
    let account =
        |product: &&str| Account { topics: stage.cast.topics(product), published: published.records(product) };
    let accounts: Vec<Account> = PRODUCTS.iter().map(account).collect();
    let settled = ledger.settle(&accounts, SETTLE_DEADLINE, |moved| progress.at(moved)).await;
    settled.map_err(failed::kafka("follow the views"))
}

/// Reads what the services left behind, and searches all of it for canaries.
///
/// # Errors
/// Kafka cannot be reached, or a topic cannot be read: an incomplete search proves nothing.
pub async fn second_act(
    stage: &Stage,
    mark: &Mark,
    aviary: &Aviary,
    first: &FirstAct,
    progress: &Progress,
) -> Result<SecondAct, Failure> {
    progress.phase("searching every topic for canaries");
    let grants = Grants::of(stage.cast.contracts());
    let mut search = Search::new(aviary.canaries(), &grants)
        .map_err(|error| Failure::internal("cannot search for the canaries").because(error))?;
    let quarantines = stage.cast.quarantines();
    let (mut quarantine, mut lineage_events) = (Quarantine::default(), Vec::new());
    let look = |record: &Record| {
        search.record(&record.topic, parts(record));
        if let Some(product) = quarantines.get(&*record.topic) {
            quarantine.take(product, record, &first.published);
        }
        if &*record.topic == LINEAGE_TOPIC {
            lineage_events.extend(record.value.as_ref().and_then(|value| String::from_utf8(value.to_vec()).ok()));
        }
    };
    let counts = read_all(&stage.kafka, mark, |topic| grants.is_private(topic), look).await;
    let counts = counts.map_err(failed::kafka("search every topic for canaries"))?;
    let hunt = hunted(&search, aviary, counts.len(), &first.seen);
    Ok(SecondAct { quarantined: quarantine.rows(), lineage: watch::edges(&lineage_events), lineage_events, hunt })
}

fn hunted(search: &Search<'_>, aviary: &Aviary, topics: usize, seen: &Seen) -> Hunt {
    let places: BTreeSet<String> = aviary.canaries().iter().map(|canary| canary.perch.describe()).collect();
    let (records, bytes) = search.searched();
    Hunt {
        planted: aviary.canaries().len(),
        places: places.len(),
        topics,
        records,
        bytes,
        granted: search.granted(),
        leaks: search.leaks().clone(),
        birth_dates: seen.birth_dates.clone(),
    }
}

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
