//! Keys that are rotated while the sidecar works, and a provider that is away: on a real Kafka.
#![allow(clippy::unwrap_used)]

#[allow(unreachable_pub, dead_code)]
mod bed;

use std::{
    collections::HashMap,
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bed::{Bed, DEADLINE, HASH, PARTITIONS, Product, datum, framed, read_buyer, schema};
use mesh_avro::keys::{Key, KeyError, KeyName, KeyRing, RootKeys};
use mesh_contract::{AppliedProduct, topic::AUDIT_TOPIC};
use mesh_kafka::{
    OutgoingRecord, Record,
    admin::{Admin, TopicSpec},
};
use mesh_masking::{
    quarantine::Entry,
    remask,
    replay::{self, ReplayError, Selection},
};
use mesh_runtime::keys::{FileKeys, FileSource, FollowOptions, FollowedKeys};
use serde_json::{Value, json};

/// Buyers whose e-mail addresses are hashed again and again.
const BUYERS: i64 = 30;

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_without_a_restart_and_waited_for_where_they_are_away() {
    let bed = Bed::start().await;
    Admin::new(&bed.settings).unwrap().create_topics(&[TopicSpec::new(AUDIT_TOPIC).partitions(1)]).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (file, away) = (folder.path().join("keys.json"), folder.path().join("away.json"));
    FileKeys::generate(&away).unwrap();
    let product = bed.product("rotated").await;
    let mut config = bed.config();
    let options = FollowOptions { interval: Duration::from_millis(50), ..FollowOptions::default() };
    config.keys = Arc::new(FollowedKeys::start(FileSource::new(&file), options));
    config.batch.records_max = 50;
    let sidecar = bed.sidecar(config);

    bed.buyers(&product, 0..BUYERS).await;
    sidecar.until_held_by("keys-unavailable").await;
    assert_eq!(bed.read(&product.masked()).await.len(), 0);
    fs::rename(&away, &file).unwrap();
    bed.wait_for(&product.masked(), BUYERS as usize).await;
    sidecar.until_nothing_is_held().await;

    let before = folder.path().join("before.json");
    fs::copy(&file, &before).unwrap();
    assert_eq!(FileKeys::rotate(&file).unwrap(), 2);
    let (mut sent, started) = (BUYERS, Instant::now());
    loop {
        bed.buyers(&product, 0..BUYERS).await;
        sent += BUYERS;
        let records = bed.wait_for(&product.masked(), sent as usize).await;
        let versions = versions(&records);
        if versions.values().all(|versions| versions.last() == Some(&2)) {
            assert!(versions.values().all(|versions| versions.is_sorted()), "a key of before comes back: {versions:?}");
            break;
        }
        assert!(started.elapsed() < DEADLINE, "the new key is not in force");
    }

    // what is refused is sealed with the newer key, and the past stays as it was until it is remasked
    bed.send(OutgoingRecord::to(product.input()).partition(0).value("not avro")).await;
    let contract = product.contract(HASH);
    let applied = AppliedProduct { revision: 1, applied_at_ms: 0, contract, schema: schema() };
    let admin = Admin::new(&bed.settings).unwrap();
    bed.wait_for(&product.quarantine(), 1).await;
    remask::request(&bed.settings, &admin, &applied).await.unwrap();
    let started = Instant::now();
    loop {
        let standings = remask::standings(&admin, &applied).await.unwrap();
        if standings.values().all(|found| found.generation == 2 && !found.is_emptying) {
            break;
        }
        assert!(started.elapsed() < DEADLINE, "{standings:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let records = bed.wait_for(&product.masked(), sent as usize).await;
    assert!(versions(&records).values().flatten().all(|version| *version == 1), "two keys in one generation");
    let refused = bed.wait_for(&product.quarantine(), 2).await;
    assert_eq!(Entry::of(refused.last().unwrap()).key_version, 2);
    sidecar.stop().await;
    no_replica_goes_back(&bed, &product, &file, sent).await;
    no_replay_goes_back(&bed, &applied, &file, &before).await;
    no_partition_mixes_keys(&bed).await;
    bed.stop().await;
}

/// A replica that has not been given the newest keys yet takes the partitions over: it waits until it has.
async fn no_replica_goes_back(bed: &Bed, product: &Product, file: &Path, sent: i64) {
    let behind = file.with_file_name("behind.json");
    let document: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let older = json!({ "roots": [document["roots"][0]] });
    let write = |document: &Value| {
        let beside = behind.with_extension("new");
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside).unwrap();
        file.write_all(document.to_string().as_bytes()).unwrap();
        fs::rename(&beside, &behind).unwrap();
    };
    write(&older);
    let mut config = bed.config();
    let options = FollowOptions { interval: Duration::from_millis(50), ..FollowOptions::default() };
    config.keys = Arc::new(FollowedKeys::start(FileSource::new(&behind), options));
    let sidecar = bed.sidecar(config);
    bed.buyers(product, 0..BUYERS).await;
    sidecar.until_held_by("keys-behind").await;
    assert_eq!(bed.read(&product.masked()).await.len(), sent as usize, "nothing is masked with the key of before");
    write(&document);
    let records = bed.wait_for(&product.masked(), (sent + BUYERS) as usize).await;
    sidecar.until_nothing_is_held().await;
    assert!(versions(&records).values().flatten().all(|version| *version == 1), "two keys in one generation");
    sidecar.stop().await;
}

/// A replay is given the keys of before, and lets nothing through; with those that the sidecar has it goes through what is there.
async fn no_replay_goes_back(bed: &Bed, applied: &AppliedProduct, file: &Path, before: &Path) {
    let replay = |keys: Arc<dyn KeyRing>| {
        let (kafka, registry) = (bed.settings.clone(), bed.registry_url.as_str().into());
        let config = replay::Config { kafka, registry, keys, product: Arc::new(applied.clone()) };
        async move { replay::run(&config, &Selection::default(), |_| ()).await }
    };
    let load = |path: &Path| Arc::new(FileKeys::open(path).unwrap());
    let refused = replay(load(before)).await;
    assert!(matches!(refused, Err(ReplayError::KeysBehind { in_force: 2 })), "{refused:?}");
    let report = replay(load(file)).await.unwrap();
    assert_eq!((report.replayed, report.superseded, report.refused.values().sum::<u64>()), (0, 1, 1), "{report:?}");
}

/// Keys that are rotated before anybody is told so.
struct Quiet {
    roots: RootKeys,
    version: AtomicU32,
    epoch: AtomicU64,
}

impl KeyRing for Quiet {
    fn key(&self, name: &KeyName) -> Result<Key, KeyError> {
        self.roots.key_version(name, self.version.load(Ordering::Relaxed))
    }

    fn key_version(&self, name: &KeyName, version: u32) -> Result<Key, KeyError> {
        self.roots.key_version(name, version)
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }
}

/// A schema is met for the first time when newer keys are there already, and what was made with those of before is still at hand:
/// its records wait until all is made anew.
async fn no_partition_mixes_keys(bed: &Bed) {
    let product = bed.product("mixed").await;
    let mut newer = schema();
    newer["fields"].as_array_mut().unwrap().push(json!({"name": "more", "type": "long", "default": 0}));
    let newer = bed.register(&product.subject(), &newer).await;
    let roots = RootKeys::new([(1, [1; 32].into()), (2, [2; 32].into())]).unwrap();
    let keys = Arc::new(Quiet { roots, version: AtomicU32::new(1), epoch: AtomicU64::new(0) });
    let mut config = bed.config();
    config.keys = keys.clone();
    let sidecar = bed.sidecar(config);
    bed.buyers(&product, 0..BUYERS).await;
    bed.wait_for(&product.masked(), BUYERS as usize).await;

    keys.version.store(2, Ordering::Relaxed);
    for number in 0..BUYERS {
        let (value, partition) = ([&datum(number)[..], &[0]].concat(), i32::try_from(number).unwrap() % PARTITIONS);
        let record = OutgoingRecord::to(product.input()).key(format!("b{number}")).partition(partition);
        bed.send(record.value(framed(newer, &value))).await;
    }
    bed.buyers(&product, 0..BUYERS).await;
    sidecar.until_held_by("keys-behind").await;
    assert_eq!(bed.read(&product.masked()).await.len(), BUYERS as usize, "two versions of the keys at once");
    keys.epoch.store(1, Ordering::Relaxed);
    let records = bed.wait_for(&product.masked(), 3 * BUYERS as usize).await;
    let versions = versions(&records);
    assert!(versions.values().all(|versions| versions.is_sorted()), "a key of before comes back: {versions:?}");
    assert!(versions.values().all(|versions| versions.last() == Some(&2)), "the new key is not in force: {versions:?}");
    sidecar.until_nothing_is_held().await;
    sidecar.stop().await;
}

/// Of each partition, in order: by the how manyeth hash of its address each buyer is shown, from 1.
fn versions(records: &[Record]) -> HashMap<i32, Vec<usize>> {
    let mut hashes: HashMap<String, Vec<String>> = HashMap::new();
    let mut versions: HashMap<i32, Vec<usize>> = (0..PARTITIONS).map(|partition| (partition, Vec::new())).collect();
    for record in records {
        let (id, hash, _) = read_buyer(record.value.as_deref().unwrap());
        let known = hashes.entry(id).or_default();
        let version = known.iter().position(|seen| *seen == hash).unwrap_or_else(|| {
            known.push(hash);
            known.len() - 1
        });
        versions.get_mut(&record.partition).unwrap().push(version + 1);
    }
    versions
}
