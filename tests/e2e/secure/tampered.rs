//! Access rules changed by hand: `mesh drift` tells of it and of nothing else, `mesh apply` mends what is the mesh's, `mesh access` finds
//! what is not, and nothing foreign is touched.

use super::GROUPS;
use crate::support::{Finished, PATIENCE, Process, Python, Tree, eventually, mesh};
use mesh_kafka::admin::{Admin, Rights};
use mesh_kafka::embedded::{EmbeddedKafka, Options};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use tokio::runtime::Runtime;

const DRIFT: i32 = 3;
const FINDINGS: i32 = 1;
/// Who may change the cluster.
const APPLY: &str = "mesh-apply";
/// Who may look at it.
const PLAN: &str = "mesh-plan";
/// Whom no rule binds.
const OPERATOR: &str = "mesh-operator";

/// What of the mesh's own is damaged, and what is told of it and mended: nothing, where it is none of the mesh's.
const OWN: [(&str, &[&str]); 22] = [
    // a rule removed
    ("- allow User:ana * read topic literal crm.customers.v1", &["grant User:ana may Read topic crm.customers.v1"]),
    (
        "- allow User:crm-service * write topic literal crm.orders.v1.in",
        &["grant User:crm-service may Write topic crm.orders.v1.in"],
    ),
    // added for a stranger, on each kind of port
    (
        "+ allow User:eve * read topic literal crm.customers.v1.in",
        &["revoke User:eve may Read topic crm.customers.v1.in"],
    ),
    (
        "+ allow User:eve * all topic literal crm.orders.v1",
        &["revoke User:eve may do anything with topic crm.orders.v1"],
    ),
    (
        "+ allow User:* * describe topic literal crm.orders.v1.quarantine",
        &["revoke User:* may Describe topic crm.orders.v1.quarantine"],
    ),
    // widened: what was read may be done anything with
    ("- allow User:ana * read topic literal web.page_views.v1", &["grant User:ana may Read topic web.page_views.v1"]),
    (
        "+ allow User:ana * all topic literal web.page_views.v1",
        &["revoke User:ana may do anything with topic web.page_views.v1"],
    ),
    // somebody renamed
    (
        "- allow User:sue * read topic literal crm.customers.v1.support",
        &["grant User:sue may Read topic crm.customers.v1.support"],
    ),
    (
        "+ allow User:susan * read topic literal crm.customers.v1.support",
        &["revoke User:susan may Read topic crm.customers.v1.support"],
    ),
    // consumer groups: a reader's own, and the sidecar's, whose offsets are what was masked
    ("- allow User:ana * read group literal ana", &["grant User:ana may Read group ana"]),
    ("+ allow User:eve * read group literal mesh.masking.crm", &["revoke User:eve may Read group mesh.masking.crm"]),
    // transactional ids: who has the sidecar's can fence it
    (
        "- allow User:mesh-masking-crm * write transactional_id literal mesh.masking.crm.0.0",
        &["grant User:mesh-masking-crm may Write transactional id mesh.masking.crm.0.0"],
    ),
    (
        "+ allow User:eve * write transactional_id literal mesh.masking.crm.0.0",
        &["revoke User:eve may Write transactional id mesh.masking.crm.0.0"],
    ),
    // the same of what feeds a version from another, whether or not one is fed
    ("+ allow User:eve * read group literal mesh.feed.crm", &["revoke User:eve may Read group mesh.feed.crm"]),
    (
        "+ allow User:eve * write transactional_id literal mesh.feed.crm.0.0",
        &["revoke User:eve may Write transactional id mesh.feed.crm.0.0"],
    ),
    // the cluster's
    (
        "- allow User:mesh-apply * create broker literal kafka-cluster",
        &["grant User:mesh-apply may Create the cluster"],
    ),
    // what shows the settings of a topic to whoever compares them, and to whoever changes them
    (
        "- allow User:mesh-plan * describe_configs topic literal crm.orders.v1",
        &["grant User:mesh-plan may DescribeConfigs topic crm.orders.v1"],
    ),
    (
        "- allow User:mesh-apply * alter_configs topic literal crm.orders.v1",
        &["grant User:mesh-apply may AlterConfigs topic crm.orders.v1"],
    ),
    // none of the mesh's: what others have, and what is only called alike
    ("+ allow User:eve * read topic literal crm.customers.v10", &[]),
    ("+ allow User:eve * read topic literal crm2.customers.v1", &[]),
    ("+ allow User:eve * read group literal mesh.masking.crm2", &[]),
    ("+ allow User:mesh-masking-crm * write transactional_id literal mesh.masking.crm.b.0", &[]),
];

/// Rules of other forms that reach into products: what differs by them, and the finding of it.
const FOREIGN: [(&str, &str, &str); 7] = [
    (
        "+ allow User:eve * read topic prefixed crm.customers",
        "User:eve may Read topics that begin with crm.customers: no contract asks for it on crm.customers.v1, \
         crm.customers.v1.in, crm.customers.v1.quarantine and 2 more",
        "undeclared User:eve crm.customers.v1.in crm.customers.v1 crm.customers.v1.stewards crm.customers.v1.support \
         crm.customers.v1.quarantine",
    ),
    (
        "+ allow User:carl * read topic prefixed upselling.offers.v1",
        "User:carl may Read topics that begin with upselling.offers.v1: no contract asks for it on upselling.offers.v1, \
         upselling.offers.v1.in, upselling.offers.v1.quarantine",
        "undeclared User:carl upselling.offers.v1.in upselling.offers.v1 upselling.offers.v1.quarantine",
    ),
    (
        "+ allow User:eve 10.0.0.1 write topic literal crm.orders.v1.in",
        "User:eve may Write topic crm.orders.v1.in from 10.0.0.1: no contract asks for it on crm.orders.v1.in",
        "undeclared User:eve crm.orders.v1.in",
    ),
    (
        "+ allow User:* * all topic prefixed web.page_views.v1.q",
        "User:* may do anything with topics that begin with web.page_views.v1.q: no contract asks for it on \
         web.page_views.v1.quarantine",
        "undeclared User:* web.page_views.v1.quarantine",
    ),
    (
        "+ deny User:ana * read topic literal crm.orders.v1",
        "User:ana must not Read topic crm.orders.v1: it refuses what contracts say: User:ana may Read topic crm.orders.v1",
        "refused User:ana crm.orders.v1",
    ),
    // told by `mesh access` alone: it is no product's
    ("+ allow User:eve * write topic prefixed mesh.pro", "", "undeclared User:eve mesh.products"),
    ("+ allow User:eve * alter broker literal kafka-cluster", "", "administrator User:eve"),
];

/// Rules of other forms that give and refuse nothing that contracts do not.
const HARMLESS: [&str; 4] = [
    "+ allow User:mirror * read topic prefixed foreign.",
    "+ allow User:ana 10.0.0.1 read topic literal crm.orders.v1",
    "+ deny User:eve * all topic literal *",
    "+ deny User:ana 10.0.0.1 read topic literal crm.customers.v1",
];

/// A secured Kafka with a registry, the examples applied, and no other service.
struct Bed {
    runtime: Runtime,
    kafka: Option<EmbeddedKafka>,
    registry_url: String,
    _registry: Process,
    tree: Tree,
    files: BTreeMap<String, PathBuf>,
}

impl Bed {
    fn start() -> Self {
        let runtime = Runtime::new().expect("threads can be started");
        let options = Options { secured: true, ..Options::default() };
        let kafka = runtime.block_on(EmbeddedKafka::start(options)).expect("the embedded Kafka starts");
        let users = runtime.block_on(kafka.add_users(&[APPLY, PLAN])).expect("they are users");
        let operator = kafka.operator().expect("it is secured");
        let files: BTreeMap<String, PathBuf> =
            users.iter().chain([operator]).map(|user| (user.name.clone(), user.file.clone())).collect();
        let mut command = mesh(["run", "registry", "--format", "json", "--kafka-config"]);
        let mut registry = Process::start(command.arg(&files[OPERATOR]));
        let line = registry.line("the registry says where it is", |line| line.contains("registry_url"));
        let said: Value = serde_json::from_str(&line).expect("one JSON object a line");
        let registry_url = said["registry_url"].as_str().expect("an address").to_owned();
        eventually("the registry has read its log", PATIENCE, || {
            let asked = runtime.block_on(reqwest::get(format!("{registry_url}/subjects")));
            let status = asked.map(|answer| answer.status()).map_err(|error| error.to_string())?;
            if status.is_success() { Ok(()) } else { Err(status.to_string()) }
        });
        let tree = Tree::examples();
        tree.write("groups.yaml", GROUPS);
        let bed = Self { runtime, kafka: Some(kafka), registry_url, _registry: registry, tree, files };
        bed.run(OPERATOR, &["apply"]).expect(0);
        bed
    }

    fn run(&self, user: &str, args: &[&str]) -> Finished {
        let mut command = mesh(args);
        command.arg("--root").arg(self.tree.root()).args(["--registry-url", &self.registry_url]);
        Finished::of(command.arg("--kafka-config").arg(&self.files[user]))
    }

    /// What a command says in JSON.
    fn told(&self, user: &str, args: &[&str], code: i32) -> Value {
        let finished = self.run(user, &[args, &["--format", "json"]].concat()).expect(code);
        serde_json::from_str(&finished.stdout).expect("one JSON object")
    }

    /// Changes rules with the client of somebody's own.
    fn tamper<'a>(&self, lines: impl IntoIterator<Item = &'a str>) {
        let lines: Vec<&str> = lines.into_iter().collect();
        let file = self.files[OPERATOR].to_str().expect("temporary folders are UTF-8");
        Python::environment().run("rules.py", &[file], &lines.join("\n"));
    }

    fn rights(&self) -> Rights {
        let kafka = self.kafka.as_ref().expect("it is there until the drop");
        let admin = Admin::new(&kafka.settings()).expect("the settings are right");
        self.runtime.block_on(admin.rights()).expect("the operator may").expect("it is secured")
    }

    fn nothing_to_change(&self) {
        let applied = self.run(APPLY, &["apply"]).expect(0).stdout;
        assert!(applied.contains("nothing to change: the cluster is what the contracts say"), "{applied}");
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if let Some(kafka) = self.kafka.take() {
            self.runtime.block_on(kafka.stop());
        }
    }
}

/// Items of a report, each in words.
fn each(report: &Value, list: &str, words: impl Fn(&Value) -> String) -> BTreeSet<String> {
    report[list].as_array().expect("a list").iter().map(words).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("it is text").to_owned()
}

fn changes(report: &Value) -> BTreeSet<String> {
    each(report, "changes", |change| format!("{} {}", text(&change["action"]), text(&change["name"])))
}

fn remains(report: &Value) -> BTreeSet<String> {
    each(report, "remains", |it| format!("{}: {}", text(&it["name"]), text(&it["what"])))
}

fn findings(report: &Value) -> BTreeSet<String> {
    each(report, "findings", |it| {
        let who = it.pointer("/rule/principal").filter(|_| it["kind"] == "undeclared").unwrap_or(&it["principal"]);
        let topics = it["topics"].as_array().map(|topics| topics.iter().map(text).collect::<Vec<_>>());
        let topics = topics.unwrap_or_else(|| it["topic"].as_str().map(str::to_owned).into_iter().collect());
        [vec![text(&it["kind"]), text(who)], topics].concat().join(" ")
    })
}

fn undone(line: &str) -> String {
    line.replacen('+', "-", 1)
}

#[test]
fn rules_changed_by_hand_are_told_and_mended_and_foreign_ones_are_found_and_left() {
    let bed = Bed::start();
    bed.nothing_to_change();
    as_contracts_say(&bed);
    what_is_the_meshs_is_mended(&bed);
    what_is_foreign_is_told_and_left(&bed);
}

/// Nothing is found, and each part of the report can be had.
fn as_contracts_say(bed: &Bed) {
    let access =
        |args: &[&str]| bed.run(PLAN, &[["access", "--super-user", "User:mesh-operator"].as_slice(), args].concat());
    assert_eq!(findings(&bed.told(PLAN, &["access"], 0)), BTreeSet::new());
    insta::assert_snapshot!("access_of_a_product", access(&["web.page_views"]).expect(0).stdout);
    insta::assert_snapshot!("access_of_a_group", access(&["crm-stewards"]).expect(0).stdout);
    insta::assert_snapshot!("access_of_a_principal", access(&["ana", "--format", "markdown"]).expect(0).stdout);
    let unknown = access(&["nobody"]).expect(2).stderr;
    assert!(unknown.contains("is called nobody") && unknown.contains("hint:"), "{unknown}");
}

fn what_is_the_meshs_is_mended(bed: &Bed) {
    bed.tamper(OWN.iter().map(|(line, _)| *line));
    let expected: BTreeSet<String> = OWN.iter().flat_map(|(_, told)| *told).map(|told| (*told).to_owned()).collect();
    let foreign: BTreeSet<String> = bed.rights().table.iter().map(ToString::to_string).collect();
    let found = bed.run(PLAN, &["access"]).expect(FINDINGS).stdout;
    for finding in [
        "undeclared: User:eve may Read topic crm.customers.v1.in; no contract asks for it on crm.customers.v1.in; it shows in clear",
        "undeclared: User:susan may Read topic crm.customers.v1.support",
        "refused: User:sue may not Read topic crm.customers.v1.support, as a contract says; no rule allows it",
    ] {
        assert!(found.contains(finding), "{finding:?} is not in {found}");
    }
    let drift = bed.told(PLAN, &["drift"], DRIFT);
    assert_eq!((changes(&drift), remains(&drift)), (expected.clone(), BTreeSet::new()));
    assert_eq!(changes(&bed.told(APPLY, &["apply"], 0)), expected);
    bed.nothing_to_change();
    let after: BTreeSet<String> = bed.rights().table.iter().map(ToString::to_string).collect();
    let left = OWN.iter().filter(|(_, told)| told.is_empty()).count();
    let of_others: Vec<&String> = foreign.intersection(&after).filter(|rule| rule.starts_with("User:eve")).collect();
    assert_eq!(of_others.len() + 1, left, "what is foreign stays: {of_others:?}");
    assert_eq!(findings(&bed.told(PLAN, &["access"], 0)), BTreeSet::new());
}

fn what_is_foreign_is_told_and_left(bed: &Bed) {
    bed.tamper(HARMLESS);
    assert_eq!(findings(&bed.told(PLAN, &["access"], 0)), BTreeSet::new());
    bed.nothing_to_change();
    bed.tamper(FOREIGN.iter().map(|(line, ..)| *line));
    let before = bed.rights();
    let differs: BTreeSet<String> =
        FOREIGN.iter().map(|(_, told, _)| (*told).to_owned()).filter(|told| !told.is_empty()).collect();
    for (user, command) in [(PLAN, "drift"), (APPLY, "apply"), (APPLY, "apply")] {
        let report = bed.told(user, &[command], DRIFT);
        assert_eq!((changes(&report), remains(&report)), (BTreeSet::new(), differs.clone()), "{command}");
    }
    assert_eq!(bed.rights(), before, "nothing of it is touched");
    let found: BTreeSet<String> = FOREIGN.iter().map(|(.., finding)| (*finding).to_owned()).collect();
    assert_eq!(findings(&bed.told(PLAN, &["access"], FINDINGS)), found);
    let eve = findings(&bed.told(PLAN, &["access", "eve"], FINDINGS));
    assert!(
        eve.contains("administrator User:eve") && !eve.iter().any(|finding| finding.contains("User:carl")),
        "{eve:?}"
    );
    insta::assert_snapshot!(
        bed.run(PLAN, &["access", "crm.customers", "--format", "markdown"]).expect(FINDINGS).stdout
    );

    // known to be so, they are no difference
    let known = ["User:eve", "User:carl", "User:*", "User:ana"].map(|who| ["--accept-rules-of", who]).concat();
    let accepted = bed.told(PLAN, &[&["drift"], known.as_slice()].concat(), 0);
    assert_eq!(remains(&accepted), BTreeSet::new());
    let undone: Vec<String> = FOREIGN.iter().map(|(line, ..)| undone(line)).collect();
    bed.tamper(undone.iter().map(String::as_str));
    bed.nothing_to_change();
    assert_eq!(findings(&bed.told(PLAN, &["access"], 0)), BTreeSet::new());
}
