//! What feeds a version does so as itself, with what its contract gives it; the domain's producers write the other version alone.

use super::{Finished, PATIENCE, Tree, Up, eventually, least};
use crate::feed::declare;
use mesh_contract::acl::Part;
use mesh_kafka::embedded::{EmbeddedKafka, Options};
use rustix::process::Signal;
use tokio::runtime::Runtime;

#[test]
fn a_fed_version_is_written_by_its_feed_and_by_no_producer() {
    let tree = Tree::examples();
    declare(&tree);
    let mut up = Up::start_on(tree, |_| ());
    let event = up.data.path().join("buyer.jsonl");
    std::fs::write(&event, "{\"mail\":\"b1@example.org\",\"id\":\"B1\",\"points\":7,\"plan\":\"VIP\"}\n")
        .expect("the folder is ours");
    let event = event.to_str().expect("temporary folders are UTF-8");
    let publish = |product: &str| Finished::of(&mut up.mesh_as("shop-service", ["publish", product, event]));
    publish("shop.buyers@2").expect(0);
    let old = "{\"id\":\"B2\",\"plan\":\"PAID\",\"points\":7,\"email\":null,\"note\":\"\"}\n";
    std::fs::write(event, old).expect("the folder is ours");
    publish("shop.buyers@1").expect(4);
    let seen = eventually("its reader sees it", PATIENCE, || {
        let read = Finished::of(&mut up.mesh_as("ana", ["subscribe", "shop.buyers@1", "--until-end"])).expect(0);
        if read.stdout.is_empty() { Err(read.stderr) } else { Ok(read.json_lines()) }
    });
    assert_eq!(seen.len(), 1, "{seen:?}");
    let value = &seen[0]["value"];
    assert_eq!((&value["id"], &value["points"], &value["plan"]), (&"B1".into(), &7.into(), &"FREE".into()), "{value}");
    assert!(value["email"].as_str().is_some_and(|email| !email.contains('@')), "{value}");

    up.process.signal(Signal::TERM);
    assert_eq!(up.process.wait(), 0, "{}", up.process.stderr());
    each_rule_is_needed(&up);
}

/// On the same Kafka without the services.
fn each_rule_is_needed(up: &Up) {
    let runtime = Runtime::new().expect("threads can be started");
    let options = Options { data: Some(up.data.path().to_owned()), secured: true, ..Options::default() };
    let kafka = runtime.block_on(EmbeddedKafka::start(options)).expect("it starts on its data");
    let part = Part::Feed("shop".to_owned());
    let clients = runtime.block_on(kafka.add_users(&[&part.user()])).expect("they are users");
    runtime.block_on(least::each_rule_is_needed_of(&kafka, &clients, [part]));
    runtime.block_on(kafka.stop());
}
