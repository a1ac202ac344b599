//! What feeds a version does so as itself, with what its contract gives it; the domain's producers write the other version alone.

use super::{Finished, PATIENCE, Tree, Up, eventually};
use crate::feed::declare;

#[test]
fn a_fed_version_is_written_by_its_feed_and_by_no_producer() {
    let tree = Tree::examples();
    declare(&tree);
    let up = Up::start_on(tree, |_| ());
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
}
