#![allow(clippy::unwrap_used)]

use super::finding::RULES;
use super::*;
use std::collections::BTreeSet;
use std::fs;
use tempfile::TempDir;

/// A copy of the example domains, to be damaged.
struct Copy(TempDir);

impl Copy {
    fn of_the_examples() -> Copy {
        let copy = tempfile::tempdir().unwrap();
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for folder in [TOPICS, SCHEMAS] {
            for file in files::below(&repository, folder).unwrap() {
                let path = copy.path().join(&file.name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, file.text().unwrap()).unwrap();
            }
        }
        Copy(copy)
    }

    fn replace(&self, file: &str, old: &str, new: &str) {
        let path = self.0.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{file} has no {old:?}");
        fs::write(path, text.replacen(old, new, 1)).unwrap();
    }

    fn write(&self, file: &str, bytes: &[u8]) {
        let path = self.0.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn tree(&self) -> WorkingTree {
        WorkingTree::read(self.0.path(), &SensitiveNames::default()).unwrap()
    }

    fn findings(&self) -> String {
        self.tree().findings.iter().map(|finding| format!("{finding}\n")).collect()
    }
}

#[test]
fn the_examples_are_sound() {
    let copy = Copy::of_the_examples();
    assert_eq!(copy.findings(), "");
    let tree = copy.tree().sound().unwrap();
    assert_eq!(tree.counts, Counts { contracts: 4, domains: 3, schemas: 4 });
    assert_eq!(tree.products.len(), 4);
    let customers = tree.products.iter().find(|product| product.contract.value.name == "customers").unwrap();
    let views: Vec<&str> = customers.views.iter().map(|view| view.name.as_str()).collect();
    assert_eq!(views, ["masked", "stewards", "support"]);
}

#[test]
fn what_is_wrong_with_form_schema_and_neighbours_is_found_at_once() {
    let copy = Copy::of_the_examples();
    copy.replace("topics/crm/customers.yaml", "history: latest ", "histroy: latest ");
    copy.replace("topics/crm/customers.yaml", "column: phone,  ", "column: phones, ");
    copy.replace("topics/crm/customers.yaml", "clear: [phone]", "clear: [pii.contacts]");
    copy.replace("topics/crm/orders.yaml", "history: 2 years", "history: 2 fortnights");
    copy.replace("topics/web/page_views.yaml", "page_view.avsc", "pageview.avsc");
    copy.replace("topics/upselling/offers.yaml", "crm.orders", "crm.ordres");
    insta::assert_snapshot!(copy.findings());
}

#[test]
fn files_that_are_no_text_or_out_of_place_are_findings() {
    let copy = Copy::of_the_examples();
    copy.write("topics/readme.md", b"not looked at");
    copy.write("topics/crm/.draft.yaml", b"not looked at");
    copy.write("topics/stray.yaml", b"owner: crm");
    copy.write("topics/crm/old/customers.yaml", b"owner: crm");
    copy.write("topics/crm/returns.yml", b"owner: crm");
    copy.write("topics/crm/latin.yaml", b"owner: crm\nname: caf\xe9\n");
    copy.write("schemas/crm/latin.avsc", b"\xff\xfe");
    copy.write(
        "schemas/crm/cut.avsc",
        b"{\"type\": \"record\",\n \"name\": \"crm.Cut\", \"fields\": [{\"name\": \"a\", \"type\": \"strng\"}]}",
    );
    insta::assert_snapshot!(copy.findings());
}

#[test]
fn a_schemas_terms_lead_somewhere() {
    let copy = Copy::of_the_examples();
    copy.write(
        "schemas/crm/terms.avsc",
        br#"{"type": "record", "name": "crm.Terms", "term": "crm.customer", "fields": [
  {"name": "a", "type": "string", "term": "crm.custmer"},
  {"name": "b", "type": "string", "term": 5}
]}"#,
    );
    insta::assert_snapshot!(copy.findings());
}

#[test]
fn a_field_that_looks_sensitive_is_explained_by_contract_or_schema() {
    let copy = Copy::of_the_examples();
    copy.replace(
        "schemas/crm/order.avsc",
        "{ \"name\": \"quantity\"",
        "{ \"name\": \"recipientEmail\", \"type\": \"string\" },\n    { \"name\": \"quantity\"",
    );
    let found = copy.findings();
    assert!(
        found.starts_with("schemas/crm/order.avsc:11:5: sensitive-unmarked: the field `recipientEmail`"),
        "{found}"
    );
    assert_eq!(copy.tree().errors(), 1);
    copy.replace("topics/crm/orders.yaml", "sensitive_columns: []", "sensitive_columns: [recipientEmail]");
    assert_eq!(copy.findings(), "");
}

#[test]
fn a_tree_with_errors_is_refused_and_one_with_warnings_is_not() {
    let copy = Copy::of_the_examples();
    copy.replace("topics/crm/orders.yaml", "storage: stream", "storage: [stream, sql]");
    let tree = copy.tree();
    assert_eq!((tree.findings.len(), tree.errors()), (1, 0));
    assert_eq!(tree.sound().unwrap().products.len(), 4);
    copy.replace("topics/crm/orders.yaml", "history: 2 years", "history: never");
    assert_eq!(copy.tree().sound().unwrap_err().exit as u8, 1);
}

#[test]
fn no_two_crates_call_different_rules_alike() {
    let contract: BTreeSet<&str> = mesh_contract::rules::RULES.iter().map(|rule| rule.id).collect();
    let avro: BTreeSet<&str> = mesh_avro::mask::RULES.iter().map(|(id, _)| *id).collect();
    // The key's mask and the form of a class are held against the contract in one crate, against the schema in the other.
    assert_eq!(contract.intersection(&avro).copied().collect::<Vec<_>>(), ["class-invalid", "key-mask"]);
    assert!(RULES.iter().all(|(id, _)| !contract.contains(id) && !avro.contains(id)));
}

#[test]
fn text_is_read_to_the_byte_that_is_none() {
    let file = files::File::of("topics/crm/x.yaml", b"a: b\nc\xc3\xa4\xff");
    let found = file.text().unwrap_err();
    assert_eq!(found[0].place.to_string(), "topics/crm/x.yaml:2:3");
}
