//! A product's life: begun by `mesh new`, announced to end, retired once nobody reads it; and what is on record of it.

use crate::support::{Finished, PATIENCE, Process, World, eventually};
use mesh_kafka::log::LogReader;
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::runtime::Runtime;

const FINDINGS: i32 = 1;

#[test]
fn a_product_is_begun_announced_to_end_and_retired_and_all_of_it_is_on_record() {
    let world = World::start();
    world.run(["new", "shop/buyers", "--group", "analysts"]).expect(0);
    world.run(["check"]).expect(0);
    world.run(["new", "shop/buyers", "--next-version"]).expect(0);
    let contract = "topics/shop/buyers.yaml";
    let ends = "deprecated: { until: 2020-01-31, successor: shop.buyers@2, reason: names are split }\nrefresh_rate:";
    world.tree.replace(contract, "refresh_rate:", ends);
    let checked = world.run(["check"]).expect(0);
    assert!(checked.stdout.contains("deprecation-over"), "{}", checked.stdout);
    world.run(["apply"]).expect(0);
    let shown = world.run(["products", "shop.buyers@1"]).expect(0);
    assert!(shown.stdout.contains("read shop.buyers@2 instead: names are split"), "{}", shown.stdout);
    let warned = world.run(["subscribe", "shop.buyers@1", "--until-end"]).expect(0);
    assert!(warned.stderr.contains("warning: shop.buyers@1 is deprecated"), "{}", warned.stderr);

    is_retired_once_nobody_reads_it(&world);
    is_told_to_lineage(&world);
    is_on_record(&world);
}

fn is_retired_once_nobody_reads_it(world: &World) {
    let _sidecar = Process::start(&mut world.mesh(["run", "masking", "--domain", "shop"]));
    let event = world.scratch("buyer.json");
    std::fs::write(&event, "{\"key\":\"b1\",\"value\":{\"id\":\"b1\",\"updated_at\":\"2026-01-01T00:00:00Z\"}}\n")
        .expect("the folder is ours");
    let event = event.to_str().expect("temporary folders are UTF-8");
    world.run(["publish", "shop.buyers@1", event]).expect(0);
    eventually("it is through", PATIENCE, || (world.extent("shop.buyers.v1") > 0).then_some(()));

    let retire = ["retire", "shop.buyers@1", "--delete", "shop.buyers.v1", "--yes"];
    let refused = world.run(retire).expect(FINDINGS);
    assert!(refused.stderr.contains("it holds 1 records that no group has read"), "{}", refused.stderr);
    world.run(["retire", "shop.buyers@2", "--yes"]).expect(FINDINGS);
    world.run(["retire", "shop.buyers", "--yes"]).expect(2);
    world.run(["subscribe", "shop.buyers@1", "--group", "ana", "--until-end"]).expect(0);
    let told = eventually("its reader has left, having read all", PATIENCE, || {
        let tried = world.run(retire);
        (tried.code == 0).then_some(tried)
    });
    assert!(
        told.stdout.contains("deleted  shop.buyers.v1\n") && told.stdout.contains("kept     shop.buyers.v1.in"),
        "{}",
        told.stdout
    );
    let listed: Finished = world.run(["products"]).expect(0);
    assert!(listed.stdout.contains("shop.buyers@2") && !listed.stdout.contains("shop.buyers@1"), "{}", listed.stdout);
}

/// The view that is gone, and the input port that is kept, as OpenLineage has it.
fn is_told_to_lineage(world: &World) {
    let runtime = Runtime::new().expect("threads can be started");
    let mut last = BTreeMap::new();
    runtime.block_on(async {
        let mut reader = LogReader::open(&world.settings(), "mesh.lineage").await.expect("the topic is there");
        let take = |record: mesh_kafka::Record| {
            let event: Value = serde_json::from_slice(&record.value.unwrap_or_default()).unwrap_or_default();
            if let Some(topic) = event["dataset"]["name"].as_str() {
                let facets = &event["dataset"]["facets"];
                last.insert(topic.to_owned(), facets["lifecycleStateChange"]["lifecycleStateChange"].clone());
            }
        };
        reader.read_to_end(take).await.expect("Kafka answers");
    });
    assert_eq!((&last["shop.buyers.v1"], &last["shop.buyers.v1.in"]), (&"DROP".into(), &"ALTER".into()), "{last:?}");
}

fn is_on_record(world: &World) {
    let rows = world.run(["audit", "query", "--product", "shop.buyers@1", "--format", "json"]).expect(0).json_lines();
    let retired = rows.iter().find(|row| row["event"] == "product-retired").expect("it is on record");
    assert_eq!(
        (&retired["reason"], &retired["who"]["with"]),
        (&"names are split".into(), &"mesh retire".into()),
        "{retired}"
    );
    assert!(rows.iter().all(|row| row["major"] != 2), "{rows:?}");
    world.run(["audit", "verify", "--sealed"]).expect(0);
}
