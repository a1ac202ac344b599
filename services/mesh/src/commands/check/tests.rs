//! A tree against what it was before, in a folder beside it.
#![allow(clippy::unwrap_used)]

use super::before::Against;
use super::*;
use crate::cli::Cli;
use clap::Parser;
use mesh_avro::sensitivity::SensitiveNames;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The example domains twice: as they were, and as they are being changed.
struct Pair {
    before: TempDir,
    now: TempDir,
}

impl Pair {
    fn of_the_examples() -> Self {
        let pair = Self { before: tempfile::tempdir().unwrap(), now: tempfile::tempdir().unwrap() };
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for folder in ["topics", "schemas"] {
            for target in [&pair.before, &pair.now] {
                copy(&repository.join(folder), &target.path().join(folder));
            }
        }
        pair
    }

    fn edit(folder: &TempDir, file: &str, old: &str, new: &str) {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{file} has no {old:?}");
        fs::write(path, text.replacen(old, new, 1)).unwrap();
    }

    fn change(&self, file: &str, old: &str, new: &str) {
        Self::edit(&self.now, file, old, new);
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.now.path().join(file), text).unwrap();
    }

    async fn outcome(&self) -> Outcome {
        let tree = WorkingTree::read(self.now.path(), &SensitiveNames::default()).unwrap();
        let context = Context::new(Cli::parse_from(["mesh", "check"]).global);
        let against = Against::of(self.before.path().to_str());
        let before = against.read(self.now.path(), &tree, &context).await.unwrap().unwrap();
        judge(tree, Some(&before), &Severities::strict(), "2026-06-15".parse().unwrap())
    }

    async fn text(&self) -> String {
        let outcome = self.outcome().await;
        let lines: Vec<String> = outcome.reported.iter().map(|reported| form::text(reported, false)).collect();
        lines.join("\n").replace(self.before.path().to_str().unwrap(), "BEFORE")
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

const ORDER: &str = "schemas/crm/order.avsc";
const CUSTOMERS: &str = "topics/crm/customers.yaml";

#[tokio::test]
async fn what_is_as_it_was_has_no_findings() {
    assert_eq!(Pair::of_the_examples().text().await, "");
}

#[tokio::test]
async fn a_version_past_its_last_day_is_told_and_so_is_whoever_is_derived_from_it() {
    let pair = Pair::of_the_examples();
    let ends = "deprecated: { until: 2026-06-14, reason: nobody asks for it }\nkey:";
    pair.change("topics/crm/orders.yaml", "key:", ends);
    insta::assert_snapshot!(pair.text().await);
    assert_eq!(pair.outcome().await.errors(), 0);
}

#[tokio::test]
async fn a_schema_that_breaks_names_the_views_and_products_that_it_reaches() {
    let pair = Pair::of_the_examples();
    pair.change(ORDER, r#""quantity", "type": "int""#, r#""quantity", "type": "string""#);
    insta::assert_snapshot!(pair.text().await);
}

#[tokio::test]
async fn a_forward_level_protects_readers_of_the_earlier_schema() {
    let pair = Pair::of_the_examples();
    for tree in [&pair.before, &pair.now] {
        Pair::edit(tree, "topics/crm/orders.yaml", "history:", "compatibility: full\nhistory:");
    }
    let schema = pair.now.path().join(ORDER);
    let text = fs::read_to_string(&schema).unwrap();
    let without: Vec<&str> = text.lines().filter(|line| !line.contains("\"quantity\"")).collect();
    fs::write(schema, without.join("\n")).unwrap();
    insta::assert_snapshot!(pair.text().await);
}

#[tokio::test]
async fn a_column_that_is_sensitive_reaches_only_the_views_that_show_it_so() {
    let pair = Pair::of_the_examples();
    pair.change(CUSTOMERS, "mask: { keep_last: 4 } }", "mask: drop } ");
    pair.change(CUSTOMERS, "class: pii.contact, mask: hash }              ", "class: pii.contact, mask: redact } ");
    insta::assert_snapshot!(pair.text().await);
}

#[tokio::test]
async fn a_contract_that_takes_back_what_it_promised_is_refused() {
    let pair = Pair::of_the_examples();
    pair.change(CUSTOMERS, "  support: { clear: [phone] }  ", "  helpdesk: { clear: [phone] }");
    pair.change(CUSTOMERS, "view: support", "view: helpdesk");
    pair.change(CUSTOMERS, "backward_transitive", "none");
    pair.change("topics/web/page_views.yaml", "key: view_id", "key: session_id");
    pair.change("topics/crm/orders.yaml", "0d4a7b52", "0d4a7b53");
    insta::assert_snapshot!(pair.text().await);
}

#[tokio::test]
async fn a_product_that_is_gone_and_a_version_that_goes_back_are_refused_and_a_retired_one_is_told() {
    let pair = Pair::of_the_examples();
    fs::remove_file(pair.now.path().join("topics/upselling/offers.yaml")).unwrap();
    Pair::edit(&pair.before, "topics/crm/orders.yaml", "version: 1", "version: 2");
    let customers = fs::read_to_string(pair.before.path().join(CUSTOMERS)).unwrap();
    let newer = customers.replace("version: 1 ", "version: 2 ");
    fs::write(pair.now.path().join("topics/crm/customers@2.yaml"), newer).unwrap();
    fs::remove_file(pair.now.path().join(CUSTOMERS)).unwrap();
    insta::assert_snapshot!(pair.text().await);
}

#[tokio::test]
async fn a_new_major_version_beside_the_old_one_breaks_nobody() {
    let pair = Pair::of_the_examples();
    let schema = fs::read_to_string(pair.now.path().join(ORDER)).unwrap();
    pair.write(
        "schemas/crm/order2.avsc",
        &schema.replace(r#""quantity", "type": "int""#, r#""quantity", "type": "string""#),
    );
    let contract = fs::read_to_string(pair.now.path().join("topics/crm/orders.yaml")).unwrap();
    let newer = contract.replace("version: 1", "version: 2").replace("order.avsc", "order2.avsc");
    pair.write("topics/crm/orders@2.yaml", &newer);
    assert_eq!(pair.text().await, "");
}

#[tokio::test]
async fn a_contract_that_cannot_be_read_is_not_taken_for_gone() {
    let pair = Pair::of_the_examples();
    pair.change(CUSTOMERS, "version: 1", "version: one");
    let outcome = pair.outcome().await;
    assert!(outcome.reported.iter().all(|reported| reported.about.is_none()), "{}", pair.text().await);
}

fn waiver(rule: &str, product: &str, expires: &str) -> String {
    format!(
        "- {{ rule: {rule}, product: {product}, reason: told everybody, owner: ada@example.org, expires: {expires} }}\n"
    )
}

#[tokio::test]
async fn a_waiver_lets_its_break_pass_until_its_last_day() {
    let pair = Pair::of_the_examples();
    pair.change(ORDER, r#""quantity", "type": "int""#, r#""quantity", "type": "string""#);
    pair.write("topics/crm/waivers.yaml", &waiver("type-mismatch", "crm.orders@1", "2026-06-15"));
    let outcome = pair.outcome().await;
    assert_eq!((outcome.errors(), outcome.reported.len()), (0, 1));
    insta::assert_snapshot!(pair.text().await);
    pair.write("topics/crm/waivers.yaml", &waiver("type-mismatch", "crm.orders@1", "2026-06-14"));
    assert_eq!(pair.outcome().await.errors(), 2);
    insta::assert_snapshot!(pair.text().await);
}

#[tokio::test]
async fn a_waiver_for_nothing_that_can_be_is_a_finding() {
    let pair = Pair::of_the_examples();
    let waivers = [
        waiver("key-changed", "crm.orders", "2026-12-31"),
        waiver("key-chnged", "crm.orders", "2026-12-31"),
        waiver("yaml-syntax", "crm.orders", "2026-12-31"),
        waiver("key-changed", "crm.ordres", "2026-12-31"),
        waiver("key-changed", "web.page_views", "2026-12-31"),
        waiver("view-removed", "crm.orders", "2025-12-31"),
    ];
    pair.write("topics/crm/waivers.yaml", &waivers.concat());
    insta::assert_snapshot!(pair.text().await);
}
