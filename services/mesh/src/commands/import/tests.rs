#![allow(clippy::unwrap_used)]

use super::draft::{self, Draft};
use super::report::{Imported, Remark, Report};
use super::said::Said;
use super::select::{LeftOut, target};
use super::source::{Source, Who};
use super::tail::Look;
use crate::new_files::{NewFile, write_all};
use crate::tree::WorkingTree;
use mesh_avro::schema::Schema;
use mesh_avro::sensitivity::SensitiveNames;
use mesh_client::RegisteredSchema;
use mesh_contract::Compatibility;
use mesh_kafka::admin::TopicState;
use std::sync::Arc;
use uuid::Uuid;

const NOW_MS: i64 = 1_800_000_000_000;
const ORDER: &str = r#"{"type":"record","name":"Order","namespace":"shop","doc":"One \"order\" of a customer.","fields":[
    {"name":"order_id","type":"string"},{"name":"email","type":["null","string"],"default":null},{"name":"total","type":"long"}]}"#;

fn source(settings: &[(&str, &str)], schema: &str) -> Source {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let named = |names: &[&str]| Who::Known(names.iter().map(|name| (*name).to_owned()).collect());
    Source {
        topic: "orders".to_owned(),
        state: TopicState { partitions: 6, replication: 3, settings, ..TopicState::default() },
        replication: Some(1),
        version: 2,
        registered: Arc::new(RegisteredSchema { id: 7, text: schema.to_owned(), references: Vec::new() }),
        schema: Schema::parse(schema).unwrap(),
        level: (Compatibility::Full, true),
        key: Some("the type long".to_owned()),
        readers: named(&["User:ana", "User:bi"]),
        writers: named(&["User:shop", "User:*", "User:mesh-masking-crm"]),
        look: Look { times_ms: (0..20).map(|n| NOW_MS - (20 - n) * 60_000).collect(), ..Look::default() },
    }
}

/// The files, with the remarks on them.
fn drafted(source: &Source) -> (Vec<NewFile>, Vec<Remark>) {
    let (target, names) = (target(&source.topic, Some("crm"), None).unwrap(), SensitiveNames::default());
    let draft = Draft { source, target: &target, unique_id: Uuid::from_u128(7), names: &names, now_ms: NOW_MS };
    let (domain, domain_file) = draft::domain("crm", &source.writers);
    let (said, contract) = draft.contract();
    let remarks = |file: &NewFile, said: &[Said]| Remark::of(&file.name, said).into_iter();
    let remarks = remarks(&domain_file, &domain).chain(remarks(&contract, &said)).collect();
    (vec![domain_file, contract, draft.schema().unwrap()], remarks)
}

fn findings(files: &[NewFile]) -> Vec<String> {
    let root = tempfile::tempdir().unwrap();
    write_all(root.path(), files, "").unwrap();
    let tree = WorkingTree::read(root.path(), &SensitiveNames::default()).unwrap();
    tree.findings.iter().map(|finding| format!("{} {}", finding.rule, finding.is_error())).collect()
}

#[test]
fn a_topic_becomes_a_contract_that_is_accepted_as_it_is() {
    let (files, _) = drafted(&source(&[("cleanup.policy", "delete"), ("retention.ms", "604800000")], ORDER));
    let shown: String = files.iter().map(|file| format!("==> {}\n{}", file.name, file.text)).collect();
    insta::assert_snapshot!(shown);
    assert_eq!(findings(&files), ["access-none false"], "nobody reads it until somebody is let");
}

#[test]
fn what_only_a_person_knows_keeps_it_from_being_accepted() {
    let (files, _) = drafted(&source(&[("cleanup.policy", "compact"), ("retention.ms", "604800000")], ORDER));
    let errors: Vec<String> = findings(&files).into_iter().filter(|finding| finding.ends_with("true")).collect();
    assert_eq!(errors.len(), 1, "the newest event of each key wants a key: {errors:?}");
}

#[test]
fn people_machines_and_pull_requests_are_told() {
    let (files, remarks) = drafted(&source(&[("cleanup.policy", "delete"), ("retention.ms", "-1")], ORDER));
    let next = Some("do this".to_owned());
    let products = vec![Imported {
        product: "crm.orders@1".into(),
        topic: Some("orders".into()),
        port: "crm.orders.v1.in".into(),
        next,
    }];
    let left_out = vec![LeftOut { topic: "_schemas".into(), why: "it is the registry's".into() }];
    let mut report = Report { products, remarks, left_out, ..Report::default() };
    report.take(&files);
    insta::assert_snapshot!(report.text());
    insta::assert_snapshot!(report.markdown());
    insta::assert_json_snapshot!(report);
}
