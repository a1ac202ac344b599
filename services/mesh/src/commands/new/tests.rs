#![allow(clippy::unwrap_used)]

use super::{Address, draft};
use super::{Args, draft::Draft};
use crate::new_files::{NewFile, write_all};
use crate::schema_rules::NameOptions;
use crate::tree::WorkingTree;
use mesh_avro::sensitivity::SensitiveNames;
use std::fs;
use std::path::Path;
use uuid::Uuid;

fn args(product: &str) -> Args {
    Args {
        product: product.parse().unwrap(),
        schema: None,
        key: None,
        group: Vec::new(),
        description: None,
        next_version: false,
        names: NameOptions::default(),
    }
}

/// The files, with the id that differs each time made the same.
fn files(args: &Args, root: &Path) -> Vec<NewFile> {
    let mut draft = Draft::of(args, root).unwrap();
    draft.unique_id = Uuid::from_u128(7);
    draft.files(root)
}

fn findings(root: &Path) -> Vec<String> {
    let tree = WorkingTree::read(root, &SensitiveNames::default()).unwrap();
    tree.findings.iter().map(|finding| format!("{} {}", finding.rule, finding.is_error())).collect()
}

fn shown(files: &[NewFile]) -> String {
    files.iter().map(|file| format!("==> {}\n{}", file.name, file.text)).collect()
}

#[test]
fn a_new_product_is_accepted_as_it_is() {
    let root = tempfile::tempdir().unwrap();
    let files = files(&args("crm/customers"), root.path());
    insta::assert_snapshot!(shown(&files));
    write_all(root.path(), &files, "").unwrap();
    assert_eq!(findings(root.path()), ["access-none false"], "nobody reads it until somebody is let");
    let second = super::tests::files(&args("crm/orders"), root.path());
    assert_eq!(second.len(), 2, "the domain is there");
    assert!(write_all(root.path(), &files, "").is_err());
}

#[test]
fn a_schema_that_exists_is_taken_with_what_looks_sensitive_in_it() {
    let root = tempfile::tempdir().unwrap();
    let schema = root.path().join("elsewhere.avsc");
    let text = r#"{"type":"record","name":"Lead","namespace":"crm","fields":[
        {"name":"lead_id","type":"string"},{"name":"email","type":["null","string"],"default":null},
        {"name":"contacts","type":{"type":"array","items":{"type":"record","name":"Contact","fields":[
            {"name":"phone","type":"string"}]}}}]}"#;
    fs::write(&schema, text).unwrap();
    let mut args = args("crm/leads");
    (args.schema, args.group, args.description) =
        (Some(schema), vec!["analysts".to_owned()], Some("One record per \"lead\": a hope.".to_owned()));
    let files = files(&args, root.path());
    insta::assert_snapshot!(files[1].text);
    write_all(root.path(), &files, "").unwrap();
    assert_eq!(findings(root.path()), Vec::<String>::new());
    args.key = Some("nothing".to_owned());
    assert!(Draft::of(&args, root.path()).is_err());
}

#[test]
fn a_next_version_stands_beside_the_one_before() {
    let root = tempfile::tempdir().unwrap();
    let mut first = args("crm/customers");
    first.group = vec!["analysts".to_owned()];
    write_all(root.path(), &files(&first, root.path()), "").unwrap();
    for version in [2, 3] {
        let next = draft::next_version(root.path(), &first.product.0).unwrap();
        let names: Vec<&str> = next.iter().map(|file| file.name.as_str()).collect();
        let contract = format!("topics/crm/customers@{version}.yaml");
        assert_eq!(names, [&contract, &format!("schemas/crm/customers-v{version}.avsc")]);
        write_all(root.path(), &next, "").unwrap();
        assert_eq!(findings(root.path()), Vec::<String>::new());
    }
    assert!(draft::next_version(root.path(), &"crm.orders".parse().unwrap()).is_err());
}

#[test]
fn an_address_is_a_domain_and_a_product() {
    for text in ["crm/customers", "crm.customers"] {
        assert_eq!(text.parse::<Address>().unwrap().0.to_string(), "crm.customers");
    }
    for text in ["crm", "crm/", "Crm/x", "a/b/c", ""] {
        assert!(text.parse::<Address>().is_err(), "{text}");
    }
}
