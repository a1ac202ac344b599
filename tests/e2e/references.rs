//! Types that products of several domains share: registered once, before what uses them; masked, checked and watched wherever
//! they are used.

use crate::check::{check, commit, project};
use crate::support::{Client, Finished, Process, Tree, World};
use serde_json::{Value, json};
use std::fs;
use tokio::runtime::Runtime;

const FINE: i32 = 0;
const FINDINGS: i32 = 1;
const DRIFT: i32 = 3;
const ADDRESS: &str = "schemas/common/address.avsc";
const ORDER: &str = "schemas/crm/order.avsc";
const ORDERS_INPUT: &str = "crm.orders.v1.in-value";
const PAGE_VIEWS_INPUT: &str = "web.page_views.v1.in-value";
/// A field that earlier records lack, and no reader can make up.
const BREAKING: &str = r#"{ "name": "floor", "type": "int", "mesh.sensitive": false },"#;
const COMPATIBLE: &str = r#"{ "name": "floor", "type": "int", "mesh.sensitive": false, "default": 0 },"#;
const FIELDS: &str = r#""fields": ["#;

/// Gives orders and page views an address, which both have from one file; and that one a country, from another.
fn share(tree: &Tree) {
    fs::create_dir(tree.root().join("schemas/common")).expect("the folder is ours");
    let country = r#"{"type": "enum", "name": "common.Country", "symbols": ["DE", "US"]}"#;
    tree.write("schemas/common/country.avsc", country);
    let address = r#"{"type": "record", "name": "common.Address", "fields": [
  { "name": "street", "type": "string" },
  { "name": "country", "type": "Country" }
]}"#;
    tree.write(ADDRESS, address);
    for file in [ORDER, "schemas/web/page_view.avsc"] {
        tree.replace(file, FIELDS, &format!(r#"{FIELDS} {{ "name": "address", "type": "common.Address" }},"#));
    }
    tree.replace("topics/crm/orders.yaml", "sensitive_columns: []", "sensitive_columns: [address.street]");
    tree.replace("topics/web/page_views.yaml", "sensitive_columns:\n", "sensitive_columns:\n  - address.street\n");
}

/// What anybody's client asks of the registry.
struct Asked<'w> {
    world: &'w World,
    runtime: Runtime,
}

impl<'w> Asked<'w> {
    fn of(world: &'w World) -> Self {
        Self { world, runtime: Runtime::new().expect("threads can be started") }
    }

    fn send(&self, method: reqwest::Method, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/{path}", self.world.registry_url);
        self.runtime.block_on(async {
            let request = reqwest::Client::new().request(method, url).body(body.to_string());
            let answer = request.send().await.expect("the registry answers");
            (answer.status().as_u16(), answer.json().await.expect("it answers JSON"))
        })
    }

    fn get(&self, path: &str) -> Value {
        let (status, answer) = self.send(reqwest::Method::GET, path, &Value::Null);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    fn done(&self, method: reqwest::Method, path: &str, body: &Value) {
        let (status, answer) = self.send(method, path, body);
        assert_eq!(status, 200, "{path}: {answer}");
    }

    /// The references of a version of a subject.
    fn references(&self, subject: &str, version: u32) -> Value {
        self.get(&format!("subjects/{subject}/versions/{version}"))["references"].clone()
    }
}

fn uses(name: &str, version: u32) -> Value {
    json!([{ "name": name, "subject": name, "version": version }])
}

/// The changes of a report, as `action name`.
fn changes(finished: &Finished) -> Vec<String> {
    let report: Value = serde_json::from_str(&finished.stdout).expect("one JSON object");
    let text = |change: &Value, key: &str| change[key].as_str().unwrap_or_default().to_owned();
    let changes = report["changes"].as_array().expect("a list").iter();
    changes.map(|change| format!("{} {}", text(change, "action"), text(change, "name"))).collect()
}

fn registered(finished: &Finished) -> Vec<String> {
    changes(finished).iter().filter_map(|change| Some(change.strip_prefix("register ")?.to_owned())).collect()
}

fn order(number: usize) -> Value {
    json!({
        "address": { "street": "1 Canary Row", "country": "DE" }, "order_id": format!("O{number}"), "customer_id": "C1",
        "ordered_at": "2026-01-02T03:04:05Z", "quantity": 1, "amount": "12.50", "updated_at": "2026-01-02T03:04:05Z"
    })
}

fn page_view(number: usize) -> Value {
    json!({
        "address": { "street": "1 Canary Row", "country": "US" }, "view_id": format!("V{number}"), "session_id": "S1",
        "visitor_email": null, "event": "product_view", "platform": "mobile", "acquisition_channel": "organic",
        "viewed_at": 1_700_000_000_000_i64
    })
}

/// An order by `mesh publish`, a page view by a client that takes the registry's newest schema; what their views show of the
/// addresses then.
fn addresses(world: &World, number: usize) -> [Value; 2] {
    let file = world.scratch("orders.jsonl");
    fs::write(&file, order(number).to_string()).expect("it is ours");
    world.run(["publish", "crm.orders", file.to_str().expect("temporary folders are UTF-8")]).expect(FINE);
    let input = [world.bootstrap(), &world.registry_url, "web.page_views.v1.in", "latest", "view_id"];
    Client::Python.run("write_input", &input, &page_view(number).to_string());
    let count = number.to_string();
    let orders = world.run(["subscribe", "crm.orders", "--max", &count]).expect(FINE);
    let view = [world.bootstrap(), &world.registry_url, "web.page_views.v1", &count];
    let page_views = Client::Python.run("read_view", &view, "");
    [(orders, "order_id", "O"), (page_views, "view_id", "V")].map(|(seen, key, letter)| {
        assert!(!seen.stdout.contains("Canary"), "it leaked: {}", seen.stdout);
        let wanted = format!("{letter}{number}");
        let records = seen.json_lines();
        let found = records.iter().find(|record| record["value"][key] == wanted.as_str());
        found.unwrap_or_else(|| panic!("{wanted} is not in {records:?}"))["value"]["address"].clone()
    })
}

#[test]
fn shared_types_are_registered_once_masked_in_every_view_and_changed_together() {
    let world = World::start();
    share(&world.tree);
    let asked = Asked::of(&world);

    let first = world.run(["apply", "--format", "json"]).expect(FINE);
    let order: Vec<String> = registered(&first);
    let at = |name: &str| {
        order.iter().position(|registered| registered == name).unwrap_or_else(|| panic!("{name}: {order:?}"))
    };
    assert!(at("common.Country") < at("common.Address"), "{order:?}");
    assert!(at("common.Address") < at(ORDERS_INPUT).min(at(PAGE_VIEWS_INPUT)), "{order:?}");
    assert_eq!(asked.references("common.Address", 1), uses("common.Country", 1));
    let inputs = [ORDERS_INPUT, PAGE_VIEWS_INPUT];
    inputs.iter().for_each(|input| assert_eq!(asked.references(input, 1), uses("common.Address", 1)));
    assert_eq!(asked.get("subjects/common.Address/versions/1/referencedby").as_array().map(Vec::len), Some(2));
    assert_eq!(asked.get("config/common.Address")["compatibilityLevel"], "BACKWARD_TRANSITIVE");
    let second = world.run(["apply", "--format", "json"]).expect(FINE);
    assert_eq!(changes(&second), [""; 0]);

    let _sidecar = Process::start(&mut world.mesh(["run", "masking"]));
    for address in addresses(&world, 1) {
        let street = address["street"].as_str().unwrap_or_default();
        assert!(street.len() == 64 && street.bytes().all(|byte| byte.is_ascii_hexdigit()), "{address}");
        assert_eq!(address.get("floor"), None);
    }
    let versions = asked.get(&format!("subjects/{ORDERS_INPUT}/versions"));
    assert_eq!(versions, json!([1]), "what is published is not registered in another form");

    world.tree.replace(ADDRESS, FIELDS, &format!("{FIELDS} {COMPATIBLE}"));
    let file = world.scratch("plan.json");
    let plan = file.to_str().expect("temporary folders are UTF-8");
    world.run(["plan", "--out", plan]).expect(FINE);
    let both = world.run(["apply", plan, "--format", "json"]).expect(FINE);
    let wanted = ["common.Address", ORDERS_INPUT, PAGE_VIEWS_INPUT];
    assert!(wanted.iter().all(|name| registered(&both).iter().any(|registered| registered == name)), "{}", both.stdout);
    inputs.iter().for_each(|input| assert_eq!(asked.references(input, 2), uses("common.Address", 2)));
    let again = world.run(["drift", "--format", "json"]).expect(FINE);
    assert_eq!(changes(&again), [""; 0]);
    // a client that takes the newest schema knows no field that is not in the record
    let [order, page_view] = addresses(&world, 2);
    assert_eq!((&order["floor"], &page_view["floor"]), (&json!(0), &json!(0)));
}

#[test]
fn a_change_of_a_shared_type_that_breaks_its_users_is_refused_and_damage_to_its_subject_is_drift() {
    let world = World::start();
    share(&world.tree);
    world.run(["apply"]).expect(FINE);
    let asked = Asked::of(&world);

    world.tree.replace(ADDRESS, FIELDS, &format!("{FIELDS} {BREAKING}"));
    let checked = world.run(["check", "--against", "registry"]).expect(FINDINGS);
    let catalogue = world.extent("mesh.products");
    let refused = world.run(["apply"]).expect(FINDINGS);
    for (said, product, contract) in [
        (&checked.stdout, "crm.orders@1", "topics/crm/orders.yaml:"),
        (&checked.stdout, "web.page_views@1", "topics/web/page_views.yaml:"),
        (&refused.stderr, "crm.orders@1", "schema-incompatible: topics/crm/orders.yaml:"),
        (&refused.stderr, "web.page_views@1", "schema-incompatible: topics/web/page_views.yaml:"),
    ] {
        let named = [product, contract, "schemas/common/address.avsc:1:58"];
        assert!(named.iter().all(|name| said.contains(name)), "{named:?}: {said}");
    }
    assert_eq!(world.extent("mesh.products"), catalogue, "nothing is published of what is refused");
    assert_eq!(asked.get("subjects/common.Address/versions"), json!([1]));
    world.tree.replace(ADDRESS, BREAKING, "");

    let (status, answer) = asked.send(reqwest::Method::DELETE, "subjects/common.Address", &Value::Null);
    assert_eq!((status, &answer["error_code"]), (422, &json!(42206)), "what is used stays: {answer}");
    asked.done(reqwest::Method::PUT, "config/common.Country", &json!({ "compatibility": "NONE" }));
    for subject in [ORDERS_INPUT, PAGE_VIEWS_INPUT, "common.Address"] {
        asked.done(reqwest::Method::DELETE, &format!("subjects/{subject}"), &Value::Null);
    }
    let drifted = changes(&world.run(["drift", "--format", "json"]).expect(DRIFT));
    for change in ["change common.Country", "register common.Address", &format!("register {ORDERS_INPUT}")] {
        assert!(drifted.iter().any(|told| told == change), "{change}: {drifted:?}");
    }
    world.run(["apply"]).expect(FINE);
    assert_eq!(changes(&world.run(["drift", "--format", "json"]).expect(FINE)), [""; 0]);

    let by_hand = r#"{"type": "enum", "name": "common.Country", "symbols": ["DE", "US", "XX"]}"#;
    asked.done(reqwest::Method::POST, "subjects/common.Country/versions", &json!({ "schema": by_hand }));
    let drifted = world.run(["drift"]).expect(DRIFT);
    assert!(drifted.stdout.contains("subject common.Country: version 2"), "{}", drifted.stdout);
}

#[test]
fn a_shared_type_is_held_against_the_history_of_all_that_use_it() {
    let tree = project();
    share(&tree);
    commit(&tree, "an address for orders and page views");
    tree.replace(ADDRESS, FIELDS, &format!("{FIELDS} {COMPATIBLE}"));
    commit(&tree, "its floor");
    check(&tree, &["--against", "HEAD"]).expect(FINE);
    // the newest version has the field, the one before it has not: only the history of the type's file tells
    tree.replace(ADDRESS, COMPATIBLE, BREAKING);
    let finished = check(&tree, &["--against", "HEAD", "--format", "json"]).expect(FINDINGS);
    let lines = finished.json_lines();
    let mut found: Vec<(String, String, u64)> = lines
        .iter()
        .filter(|found| found["path"] == "address.floor")
        .map(|found| {
            let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
            (text("file"), text("product"), found["line"].as_u64().unwrap_or_default())
        })
        .collect();
    found.sort();
    let at = |product: &str| (ADDRESS.to_owned(), product.to_owned(), 1);
    assert_eq!(found, [at("crm.orders@1"), at("web.page_views@1")], "{}", finished.stdout);
}
