//! What is waited for: a registry or keys that are away, an output that is missing; nothing is skipped meanwhile.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use mesh_avro::keys::{Key, KeyError, KeyName, KeyRing};
use mesh_kafka::{OutgoingRecord, admin::Admin};
use serde_json::json;

use crate::{
    bed::{Bed, PARTITIONS, Product, assert_all, datum, framed, keys, schema},
    road::Road,
};

pub(super) async fn a_registry_that_is_down_is_waited_for(bed: &Bed) {
    let (waiting, going) = (bed.product("waiting").await, bed.product("going").await);
    let road = Road::to(&bed.registry_url).await;
    let mut config = bed.config();
    config.registry = road.url.as_str().into();
    let sidecar = bed.sidecar(config);
    for product in [&waiting, &going] {
        bed.buyers(product, 0..30).await;
        bed.wait_for(&product.masked(), 30).await;
    }
    road.open.store(false, Ordering::Relaxed);
    let mut newer = schema();
    newer["fields"].as_array_mut().unwrap().push(json!({"name": "more", "type": "long", "default": 0}));
    let newer = Product { id: bed.register(&waiting.subject(), &newer).await, ..waiting.clone() };
    for number in 30..60 {
        let value = framed(newer.id, &[&datum(number)[..], &[0]].concat());
        let partition = i32::try_from(number).unwrap() % PARTITIONS;
        bed.send(OutgoingRecord::to(newer.input()).key(format!("b{number}")).partition(partition).value(value)).await;
    }
    // an id that nobody can vouch for or against either
    bed.send(OutgoingRecord::to(newer.input()).partition(0).key("x").value(framed(987_655, b"x"))).await;
    sidecar.until_held_by("registry-unreachable").await;
    bed.buyers(&going, 30..300).await;
    bed.wait_for(&going.masked(), 300).await;
    assert_eq!(bed.read(&waiting.masked()).await.len(), 30);
    assert_eq!(bed.read(&waiting.quarantine()).await.len(), 0);
    road.open.store(true, Ordering::Relaxed);
    let records = bed.wait_for(&waiting.masked(), 60).await;
    assert_eq!(bed.wait_for(&waiting.quarantine(), 1).await.len(), 1);
    sidecar.until_nothing_is_held().await;
    sidecar.stop().await;
    assert_all(&records, 0..60);
}

/// Keys that can be withheld.
struct Vault {
    keys: Arc<dyn KeyRing>,
    open: Arc<AtomicBool>,
}

impl KeyRing for Vault {
    fn key(&self, name: &KeyName) -> Result<Key, KeyError> {
        if self.open.load(Ordering::Relaxed) {
            return self.keys.key(name);
        }
        Err(KeyError::Unavailable { name: name.clone(), reason: "sealed".to_owned() })
    }

    fn key_version(&self, name: &KeyName, version: u32) -> Result<Key, KeyError> {
        self.keys.key_version(name, version)
    }
}

pub(super) async fn keys_that_cannot_be_had_are_waited_for(bed: &Bed) {
    let product = bed.product("sealed").await;
    let open = Arc::new(AtomicBool::new(false));
    let mut config = bed.config();
    config.keys = Arc::new(Vault { keys: keys(), open: open.clone() });
    let sidecar = bed.sidecar(config);
    bed.buyers(&product, 0..30).await;
    bed.send(OutgoingRecord::to(product.input()).partition(0).value("not avro")).await;
    sidecar.until_held_by("keys-unavailable").await;
    assert_eq!(bed.read(&product.masked()).await.len(), 0);
    open.store(true, Ordering::Relaxed);
    assert_all(&bed.wait_for(&product.masked(), 30).await, 0..30);
    assert_eq!(bed.wait_for(&product.quarantine(), 1).await.len(), 1);
    sidecar.stop().await;
}

pub(super) async fn a_missing_output_holds_its_product_alone(bed: &Bed) {
    let (lame, sound) = (bed.product("lame").await, bed.product("sound").await);
    let sidecar = bed.sidecar(bed.config());
    for product in [&lame, &sound] {
        bed.buyers(product, 0..30).await;
        bed.wait_for(&product.masked(), 30).await;
    }
    Admin::new(&bed.settings).unwrap().delete_topics(&[&lame.stewards()]).await.unwrap();
    bed.buyers(&lame, 30..60).await;
    sidecar.until_held_by("output-missing").await;
    bed.buyers(&sound, 30..90).await;
    assert_all(&bed.wait_for(&sound.masked(), 90).await, 0..90);
    assert_eq!(bed.read(&lame.masked()).await.len(), 30);
    bed.create([lame.stewards()], &[]).await;
    assert_all(&bed.wait_for(&lame.masked(), 60).await, 0..60);
    assert_all(&bed.wait_for(&lame.stewards(), 30).await, 30..60);
    sidecar.stop().await;
}
