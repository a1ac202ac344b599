//! What one product's outputs do not take holds that product alone: the sidecar says so, and goes on once it may again.

use crate::accounted::{INPUT, VIEWS, assert_view_is_the_input_masked, publish_good, read};
use crate::support::{PATIENCE, Process, Python, World, eventually};
use mesh_kafka::embedded::Options;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ROUND: usize = 500;
const NEIGHBOUR: &str = "crm.orders";
const NEIGHBOUR_VIEW: &str = "crm.orders.v1";

#[test]
fn an_authorisation_that_is_revoked_holds_its_product_alone() {
    let world = World::applied_on(Options { properties: authorising(), ..Options::default() });
    let mut sidecar = Process::start(&mut world.mesh(["run", "masking", "--domain", "crm", "--format", "json"]));
    let said = sidecar.line("the sidecar says where it listens", |line| line.contains("http_url"));
    let url = serde_json::from_str::<Value>(&said).expect("it speaks JSON")["http_url"].clone();
    let url = url.as_str().expect("it is text").to_owned();
    publish_good(&world, 0..ROUND);
    publish_orders(&world, 0);
    eventually("both products are through", PATIENCE, || {
        (count(&world, VIEWS[0].1) == ROUND && count(&world, NEIGHBOUR_VIEW) == ROUND).then_some(())
    });

    acls(&world, "refuse", VIEWS[1].1);
    publish_good(&world, ROUND..2 * ROUND);
    eventually("the product is held", PATIENCE, || held(&url).then_some(()));
    publish_orders(&world, ROUND);
    eventually("its neighbour goes on", PATIENCE, || (count(&world, NEIGHBOUR_VIEW) == 2 * ROUND).then_some(()));
    assert!(held(&url), "it is still held");
    assert!(page(&url, "readyz").contains("output-refused"), "{}", page(&url, "readyz"));
    // Not one view without the others: all outputs of a record, or none.
    VIEWS.iter().for_each(|(_, topic)| assert_eq!(count(&world, topic), ROUND, "{topic}"));

    acls(&world, "allow", VIEWS[1].1);
    eventually("it goes on by itself", PATIENCE, || {
        VIEWS.iter().all(|(_, topic)| count(&world, topic) == 2 * ROUND).then_some(())
    });
    eventually("nothing is held any more", PATIENCE, || (!held(&url)).then_some(()));
    let input = read(&world, INPUT);
    for (view, topic) in VIEWS {
        assert_view_is_the_input_masked(&world, &input, &BTreeMap::new(), view, topic);
    }
}

/// A broker that looks at who may do what; what nothing is said about is allowed.
fn authorising() -> BTreeMap<String, String> {
    let properties = [
        ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
        ("allow.everyone.if.no.acl.found", "true"),
    ];
    properties.map(|(property, value)| (property.to_owned(), value.to_owned())).into()
}

fn acls(world: &World, what: &str, topic: &str) {
    Python::environment().run("acls.py", &[world.bootstrap(), what, topic], "");
}

/// Whether the sidecar's metrics say that partitions of the product are held for want of the right to write, and no others.
fn held(url: &str) -> bool {
    let page = page(url, "metrics");
    let held = page.lines().filter(|line| line.starts_with("mesh_masking_paused_partitions{") && !line.ends_with(" 0"));
    let held: Vec<&str> = held.collect();
    assert!(held.iter().all(|line| line.contains("crm.customers")), "{held:?}");
    held.iter().any(|line| line.contains("output-refused"))
}

fn page(url: &str, path: &str) -> String {
    let asked = async { reqwest::get(format!("{url}/{path}")).await?.text().await };
    tokio::runtime::Runtime::new().expect("threads can be started").block_on(asked).expect("the sidecar answers")
}

fn count(world: &World, topic: &str) -> usize {
    if world.extent(topic) == 0 { 0 } else { read(world, topic).len() }
}

fn publish_orders(world: &World, from: usize) {
    let file = world.scratch("orders.jsonl");
    let lines: String = (from..from + ROUND).map(|number| format!("{}\n", order(number))).collect();
    std::fs::write(&file, lines).expect("the folder is ours");
    world.run(["publish", NEIGHBOUR, file.to_str().expect("temporary folders are UTF-8")]).expect(0);
}

fn order(number: usize) -> Value {
    json!({
        "order_id": format!("O{number}"), "customer_id": "C1", "ordered_at": "2024-01-01T00:00:00Z", "quantity": 1,
        "amount": "9.99", "updated_at": "2024-01-01T00:00:00Z"
    })
}
