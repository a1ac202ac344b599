//! `mesh forget`: what was encrypted about one customer, nobody can decrypt any more; everybody else's values stay as they were.

use crate::accounted::publish_good;
use crate::support::{Finished, PATIENCE, Process, World, eventually};
use mesh_avro::keys::{KeyRing, SubjectPath};
use mesh_avro::mask::{DecryptError, decrypt_text};
use mesh_runtime::keys::FileKeys;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const CUSTOMERS: usize = 200;
const KILLS: usize = 5;
const USAGE: i32 = 2;
const FORGOTTEN: &str = "C000007";
const NAME: &str = "Ada Lovelace";

#[test]
fn one_customer_is_forgotten_and_nobody_else() {
    let world = World::start();
    let contract = "topics/crm/customers.yaml";
    world.tree.replace(contract, "class: pii.name,    mask: redact", "class: pii.name,    mask: encrypt");
    world.tree.replace(contract, "key: customer_id\n", "key: customer_id\nsubject: customer_id\n");
    world.run(["apply"]).expect(0);
    publish_good(&world, 0..CUSTOMERS);
    let sidecar = Process::start(&mut world.mesh(["run", "masking", "--domain", "crm"]));
    eventually("all is masked", PATIENCE, || (sealed(&world, "masked").len() == CUSTOMERS).then_some(()));
    let before = world.scratch("before.json");
    std::fs::copy(world.keys(), &before).expect("the folder is ours");
    assert!(readable(&world, "support", &before).len() == CUSTOMERS, "everybody is readable, to who holds the keys");

    let unasked = forget(&world, FORGOTTEN, &[]).expect(USAGE);
    assert!(unasked.stderr.contains("crm.customers.v1 (view masked): full_name"), "{}", unasked.stderr);
    let receipt = forget(&world, FORGOTTEN, &["--yes"]).expect(0).json_lines().remove(0);
    assert_is_receipt(&receipt);
    for view in ["masked", "support"] {
        let left = readable(&world, view, &world.keys());
        assert_eq!(left.len(), CUSTOMERS - 1, "{view}");
        assert!(!left.contains(FORGOTTEN), "{view}");
    }
    the_keys_holder_reads_the_others(&world);
    assert_is_on_record(&world, &receipt);
    let again = forget(&world, FORGOTTEN, &["--yes"]).expect(0).json_lines().remove(0);
    assert_eq!((&again["was_forgotten_before"], &again["key_versions"]), (&true.into(), &Value::Array(Vec::new())));

    late_data_is_told_to_nobody(&world, &before);
    world.run(["keys", "rotate"]).expect(0);
    world.run(["remask", "crm.customers", "--yes"]).expect(0);
    eventually("the others are there again", PATIENCE, || {
        (readable(&world, "masked", &world.keys()).len() == CUSTOMERS - 1).then_some(())
    });
    drop(sidecar);
    a_kill_in_the_middle_leaves_the_one_or_the_other(&world);
}

fn assert_is_receipt(receipt: &Value) {
    assert_eq!(
        (&receipt["product"], &receipt["subject_column"], &receipt["key_versions"], &receipt["is_verified"]),
        (&"crm.customers@1".into(), &"customer_id".into(), &serde_json::json!([1]), &true.into())
    );
    assert!(!receipt.to_string().contains(FORGOTTEN), "{receipt}");
    let unreadable: Vec<&str> =
        receipt["unreadable"].as_array().into_iter().flatten().filter_map(|port| port["topic"].as_str()).collect();
    assert_eq!(unreadable, ["crm.customers.v1", "crm.customers.v1.support"]);
    let remains: Vec<&str> =
        receipt["remains"].as_array().into_iter().flatten().filter_map(|remains| remains["at"].as_str()).collect();
    for place in ["crm.customers.v1.in", "crm.customers.v1.quarantine", "crm.customers.v1.stewards", "the keys"] {
        assert!(remains.contains(&place), "{place}: {receipt}");
    }
}

/// `mesh subscribe --decrypt`.
fn the_keys_holder_reads_the_others(world: &World) {
    let shown = world.run(["subscribe", "crm.customers", "--until-end", "--decrypt"]).expect(0);
    let names = shown.json_lines();
    let readable = names.iter().filter(|event| event["value"]["full_name"] == NAME).count();
    assert_eq!((names.len(), readable), (CUSTOMERS, CUSTOMERS - 1));
    assert!(shown.stderr.contains("1 encrypted values are about subjects that were forgotten"), "{}", shown.stderr);
}

/// On `mesh.audit`, without the customer's id.
fn assert_is_on_record(world: &World, receipt: &Value) {
    let events = crate::accounted::read(world, "mesh.audit");
    let text = |event: &Value| {
        let hex = event["value"].as_str().expect("an event");
        let bytes = (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hex"));
        String::from_utf8(bytes.collect()).expect("JSON")
    };
    let told: Vec<String> = events.iter().map(text).filter(|text| text.contains("subject-forgotten")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains(receipt["digest"].as_str().expect("a digest")) && !told[0].contains(FORGOTTEN),
        "{told:?}"
    );
}

/// The running sidecar follows: what comes now, not even the keys of before open.
fn late_data_is_told_to_nobody(world: &World, before: &Path) {
    let keys = FileKeys::open(before).expect("a copy");
    eventually("the sidecar knows", PATIENCE, || {
        publish_good(world, 7..8);
        let values = sealed_values(world, "masked");
        let newest = values.iter().rfind(|(customer, _)| customer == FORGOTTEN).expect("it comes").1.clone();
        open(&keys, &newest).is_err().then_some(())
    });
}

/// Each time as soon as the command begins to replace the keys; where it is faster than we are, it has done so.
fn a_kill_in_the_middle_leaves_the_one_or_the_other(world: &World) {
    let keys = world.keys();
    let [new, old] = ["new", "old"].map(|extension| keys.with_added_extension(extension));
    for number in 0..KILLS {
        let customer = format!("C{:06}", 100 + number);
        let mut process = Process::start(world.mesh(["forget", "crm.customers", "--yes", "--subject"]).arg(&customer));
        while !(new.exists() || old.exists()) && process.ended().is_none() {
            std::hint::spin_loop();
        }
        process.kill();
        let left = FileKeys::open(&keys).expect("it is whole").subjects().expect("they are there");
        let versions = left.versions_of(path(world, &customer)).count();
        assert!(versions == 0 || versions == 2, "{customer} has {versions} versions");
        forget(world, &customer, &["--yes"]).expect(0);
        assert!(!new.exists() && !old.exists(), "what was left is swept away");
    }
    let left = readable(world, "masked", &keys);
    assert_eq!(left.len(), CUSTOMERS - 1 - KILLS);
}

fn path(world: &World, customer: &str) -> SubjectPath {
    let keys = FileKeys::open(&world.keys()).expect("it is whole").subjects().expect("they are there");
    // the unique id of crm.customers
    let product = 0x5b1c_3f0e_8a0d_4f64_9f0b_6d2f_3c8f_1a01_u128.to_be_bytes();
    keys.path(&product, customer)
}

fn forget(world: &World, customer: &str, more: &[&str]) -> Finished {
    let mut command = world.mesh(["forget", "crm.customers", "--format", "json", "--subject", "-"]);
    Finished::given(command.args(more), &format!("{customer}\n"))
}

/// The customers whose name can be decrypted with the keys of a file, in the newest of their events and in all before.
fn readable(world: &World, view: &str, keys: &Path) -> BTreeSet<String> {
    let keys = FileKeys::open(keys).expect("it is whole");
    let mut readable = BTreeMap::new();
    for (customer, value) in sealed_values(world, view) {
        let opened = open(&keys, &value);
        assert!(opened.is_err() || opened.as_deref() == Ok(NAME), "{customer}: {opened:?}");
        *readable.entry(customer).or_insert(true) &= opened.is_ok();
    }
    readable.into_iter().filter(|(_, is_readable)| *is_readable).map(|(customer, _)| customer).collect()
}

fn open(keys: &FileKeys, value: &str) -> Result<String, DecryptError> {
    decrypt_text(keys, "pii.name", "crm.customers.v1", "full_name", value)
}

fn sealed(world: &World, view: &str) -> BTreeMap<String, String> {
    sealed_values(world, view).into_iter().collect()
}

/// Customer and encrypted name of each event of a view.
fn sealed_values(world: &World, view: &str) -> Vec<(String, String)> {
    let command = &mut world.mesh(["subscribe", "crm.customers", "--until-end", "--view", view]);
    let events = Finished::of(command).expect(0).json_lines();
    let value = |event: &Value, field: &str| event["value"][field].as_str().expect("text").to_owned();
    events.iter().map(|event| (value(event, "customer_id"), value(event, "full_name"))).collect()
}
