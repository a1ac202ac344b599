//! The JSON Schemas for editors agree with the parser.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::keys::{self, Keys};
use crate::mask::MaskRule;
use crate::yaml::{self, Kind, Node};
use crate::{Compatibility, Storage, parse_contract, parse_domain, parse_waivers};

fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn words(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::Object(map) => map.keys().cloned().collect(),
        _ => BTreeSet::new(),
    }
}

fn assert_keys(object: &Value, keys: &Keys) {
    let all: BTreeSet<String> = keys.all().into_iter().map(str::to_owned).collect();
    let required: BTreeSet<String> = keys.required.iter().map(|(key, _)| (*key).to_owned()).collect();
    assert_eq!(words(&object["properties"]), all, "the keys of {}", keys.what);
    assert_eq!(words(&object["required"]), required, "the required keys of {}", keys.what);
    assert_eq!(object["additionalProperties"], Value::Bool(false), "{}", keys.what);
}

#[test]
fn every_mapping_has_the_parsers_keys() {
    let (contract, domain) = (schema("contract.schema.json"), schema("domain.schema.json"));
    assert_keys(&contract, &keys::CONTRACT);
    assert_keys(&contract["properties"]["refresh_rate"]["oneOf"][1], &keys::REFRESH_RATE);
    let hours = &contract["properties"]["refresh_rate"]["oneOf"][1]["properties"]["hours"];
    assert_keys(&hours["oneOf"][1], &keys::HOURS);
    assert_keys(&contract["$defs"]["sensitive_column"]["oneOf"][1], &keys::SENSITIVE_COLUMN);
    assert_keys(&contract["$defs"]["view"], &keys::VIEW);
    assert_keys(&contract["$defs"]["access_grant"]["oneOf"][1], &keys::ACCESS_GRANT);
    assert_keys(&contract["$defs"]["maintenance"], &keys::MAINTENANCE);
    assert_keys(&contract["properties"]["deprecated"], &keys::DEPRECATED);
    assert_keys(&domain["$defs"]["maintenance"], &keys::MAINTENANCE);
    assert_keys(&domain["$defs"]["quota"], &keys::QUOTA);
    assert_keys(&domain, &keys::DOMAIN);
    assert_keys(&domain["$defs"]["team"], &keys::TEAM);
    assert_keys(&domain["$defs"]["class"], &keys::CLASS);
    assert_keys(&schema("waivers.schema.json")["items"], &keys::WAIVER);
}

#[test]
fn every_choice_has_the_parsers_words() {
    let contract = schema("contract.schema.json");
    let masks = &contract["$defs"]["mask"]["oneOf"];
    let rules: BTreeSet<String> = words(&masks[0]["enum"]).union(&words(&masks[1]["properties"])).cloned().collect();
    assert_eq!(rules, MaskRule::NAMES.map(str::to_owned).into());
    let levels = Compatibility::ALL.map(|level| level.as_str().to_lowercase());
    assert_eq!(words(&contract["properties"]["compatibility"]["enum"]), levels.into());
    assert_eq!(words(&contract["$defs"]["storage"]["enum"]), Storage::ALL.map(|s| s.as_str().to_owned()).into());
}

/// A document as an editor's JSON Schema validator sees it.
fn json(node: &Node) -> Value {
    match &node.kind {
        Kind::List(items) => items.iter().map(json).collect(),
        Kind::Map(entries) => {
            Value::Object(entries.iter().map(|e| (e.key.clone(), json(&e.value))).collect::<Map<_, _>>())
        }
        Kind::Scalar { .. } if node.is_empty() => Value::Null,
        Kind::Scalar { text, plain: true } => match text.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => text.parse::<bool>().map(Value::Bool).unwrap_or_else(|_| text.clone().into()),
        },
        Kind::Scalar { text, .. } => text.clone().into(),
    }
}

fn is_valid(schema: &Value, text: &str) -> bool {
    let (root, findings) = yaml::load(&Arc::from("test.yaml"), text);
    assert!(findings.is_empty(), "{findings:?}");
    jsonschema::is_valid(schema, &json(&root.unwrap()))
}

const LONG_CONTRACT: &str = include_str!("../../tests/long.yaml");
const LONG_DOMAIN: &str = include_str!("../../tests/domain.yaml");
const WAIVERS: &str = include_str!("../../tests/waivers.yaml");

#[test]
fn the_long_forms_are_valid_to_both() {
    assert_eq!(parse_contract("long.yaml", LONG_CONTRACT).map(|_| ()), Ok(()));
    assert!(is_valid(&schema("contract.schema.json"), LONG_CONTRACT));
    assert_eq!(parse_domain("domain.yaml", LONG_DOMAIN).map(|_| ()), Ok(()));
    assert!(is_valid(&schema("domain.schema.json"), LONG_DOMAIN));
    assert_eq!(parse_waivers("waivers.yaml", WAIVERS).map(|_| ()), Ok(()));
    assert!(is_valid(&schema("waivers.schema.json"), WAIVERS));
}

#[test]
fn the_example_contracts_are_valid_to_editors() {
    let topics = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../topics");
    for folder in fs::read_dir(topics).unwrap() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let name = match path.file_name().and_then(|name| name.to_str()) {
                Some("domain.yaml") => "domain.schema.json",
                Some("waivers.yaml") => "waivers.schema.json",
                _ => "contract.schema.json",
            };
            assert!(is_valid(&schema(name), &fs::read_to_string(&path).unwrap()), "{}", path.display());
        }
    }
}

/// One change a line to a contract that is right; the parser and the editor refuse each.
#[test]
fn what_the_parser_refuses_the_editor_refuses() {
    let schema = schema("contract.schema.json");
    for (right, wrong) in [
        ("version: 1", "version: 0"),
        ("version: 1", "version: '1'"),
        ("owner: crm", "owner: mesh"),
        ("owner: crm", "owner: CRM"),
        ("name: customers", "name: masked"),
        ("name: customers", "nme: customers"),
        ("schemas/crm", "/schemas/crm"),
        ("customer.avsc", "customer.json"),
        ("key: customer_id", "key: ids[]"),
        ("subject: customer_id", "subject: ids[]"),
        ("backward_transitive", "backwards"),
        ("every: 15 minutes", "every: 15 fortnights"),
        ("99.5 %", "99.5"),
        ("history: up to 2 years", "history: for ever"),
        ("data lake", "lake"),
        ("mask: hash }", "mask: hsah }"),
        ("keep_last: 4", "keep_last: 0"),
        ("keep_last: 4", "keep_last: four"),
        ("generalise: year", "generalise: decade"),
        ("class: pii.birth", "class: PII"),
        ("tags[]", "tags[0]"),
        ("clear: [phone]", "clear: []"),
        ("web.page_views", "web"),
        ("crm.orders@2", "crm.orders@0"),
        ("partitions: 4", "partitions: 0"),
        ("trace-id", "mesh-id"),
    ] {
        let text = LONG_CONTRACT.replacen(right, wrong, 1);
        assert_ne!(text, LONG_CONTRACT, "{right}");
        assert!(parse_contract("long.yaml", &text).is_err(), "the parser takes {wrong}");
        assert!(!is_valid(&schema, &text), "the editor takes {wrong}");
    }
}
