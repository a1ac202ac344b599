#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use jsonschema::Validator;
use mesh_contract::{parse_contract, parse_domain};

use super::*;

fn example() -> (Vec<Contract>, Domain) {
    let contract = |name: &str, text: &str| parse_contract(name, text).unwrap().value;
    let contracts = vec![
        contract("topics/crm/orders.yaml", include_str!("../../../../topics/crm/orders.yaml")),
        contract("topics/web/page_views.yaml", include_str!("../../../../topics/web/page_views.yaml")),
    ];
    let crm = include_str!("../../../../topics/crm/domain.yaml");
    (contracts, parse_domain("topics/crm/domain.yaml", crm).unwrap().value)
}

fn example_objects() -> Vec<Value> {
    let (contracts, crm) = example();
    objects(&contracts.iter().collect::<Vec<_>>(), &[&crm], "http://prometheus:9090")
}

/// What the spec says of each kind, as far as these documents go: which properties there are, which must be, in which form.
fn spec() -> BTreeMap<&'static str, Validator> {
    let text = || json!({ "type": "string" });
    let source =
        only(&["type", "connectionDetails"], json!({ "type": text(), "connectionDetails": { "type": "object" } }));
    let target = only(&["target"], json!({ "target": text(), "description": description() }));
    let kinds = [
        ("DataSource", source),
        ("Service", only(&[], json!({ "description": description() }))),
        ("AlertNotificationTarget", target),
        ("AlertPolicy", alert_policy()),
        ("SLO", service_level_objective()),
    ];
    let document = |kind: &str, spec: &Value| {
        let version = json!({ "const": "openslo/v1" });
        let properties =
            json!({ "apiVersion": version, "kind": { "const": kind }, "metadata": metadata(), "spec": spec });
        only(&["apiVersion", "kind", "metadata", "spec"], properties)
    };
    kinds.iter().map(|(kind, spec)| (*kind, jsonschema::validator_for(&document(kind, spec)).unwrap())).collect()
}

fn alert_policy() -> Value {
    let burn = json!({
        "kind": { "const": "burnrate" },
        "op": op(),
        "threshold": { "type": "number" },
        "lookbackWindow": duration(),
        "alertAfter": duration(),
    });
    let burn = only(&["kind", "op", "threshold", "lookbackWindow", "alertAfter"], burn);
    let spec = json!({ "severity": { "type": "string", "minLength": 1 }, "condition": burn });
    let spec = only(&["severity", "condition"], spec);
    let condition = json!({ "kind": { "const": "AlertCondition" }, "metadata": metadata(), "spec": spec });
    let condition = only(&["kind", "metadata", "spec"], condition);
    let told = only(&["targetRef"], json!({ "targetRef": label() }));
    let policy = json!({
        "description": description(),
        "alertWhenNoData": { "type": "boolean" },
        "alertWhenResolved": { "type": "boolean" },
        "alertWhenBreaching": { "type": "boolean" },
        "conditions": { "type": "array", "minItems": 1, "maxItems": 1, "items": condition },
        "notificationTargets": { "type": "array", "minItems": 1, "items": told },
    });
    let required = ["alertWhenNoData", "alertWhenResolved", "alertWhenBreaching", "conditions", "notificationTargets"];
    only(&required, policy)
}

fn service_level_objective() -> Value {
    let source = json!({ "metricSourceRef": label(), "type": { "type": "string" }, "spec": { "type": "object" } });
    let metric = only(&["metricSource"], json!({ "metricSource": only(&["spec"], source) }));
    let indicator = only(&["thresholdMetric"], json!({ "thresholdMetric": metric }));
    let indicator = only(&["metadata", "spec"], json!({ "metadata": metadata(), "spec": indicator }));
    let window = only(&["duration", "isRolling"], json!({ "duration": duration(), "isRolling": { "const": true } }));
    let policy = only(&["alertPolicyRef"], json!({ "alertPolicyRef": label() }));
    let slo = json!({
        "description": description(),
        "service": label(),
        "indicator": indicator,
        "timeWindow": { "type": "array", "minItems": 1, "maxItems": 1, "items": window },
        "budgetingMethod": { "const": "Timeslices" },
        "objectives": { "type": "array", "minItems": 1, "items": objective() },
        "alertPolicies": { "type": "array", "items": policy },
    });
    only(&["service", "indicator", "timeWindow", "budgetingMethod", "objectives"], slo)
}

fn objective() -> Value {
    let share = |maximum: &str| json!({ "type": "number", "exclusiveMinimum": 0, maximum: 1 });
    let objective = json!({
        "displayName": { "type": "string" },
        "op": op(),
        "value": { "type": "number" },
        "target": share("exclusiveMaximum"),
        "timeSliceTarget": share("maximum"),
        "timeSliceWindow": duration(),
    });
    only(&["target", "op", "value", "timeSliceTarget", "timeSliceWindow"], objective)
}

fn label() -> Value {
    json!({ "type": "string", "pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$" })
}

fn metadata() -> Value {
    only(&["name"], json!({ "name": label(), "displayName": { "type": "string", "minLength": 1 } }))
}

fn description() -> Value {
    json!({ "type": "string", "maxLength": 1050 })
}

fn duration() -> Value {
    json!({ "type": "string", "pattern": "^[1-9][0-9]*[mhdwMQY]$" })
}

fn op() -> Value {
    json!({ "enum": ["lte", "gte", "lt", "gt"] })
}

/// An object with these properties alone.
fn only(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

#[test]
fn people_read_yaml() {
    let (contracts, crm) = example();
    insta::assert_snapshot!(documents(&[&contracts[0]], &[&crm], "http://prometheus:9090"));
}

#[test]
fn every_document_has_the_form_of_the_spec() {
    let spec = spec();
    let objects = example_objects();
    assert_eq!(objects.len(), 1 + 2 * 5 + 2);
    for document in objects {
        let kind = document["kind"].as_str().unwrap();
        let faults: Vec<String> = spec[kind].iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(faults.is_empty(), "{kind}: {faults:?}: {document:#}");
    }
}

#[test]
fn what_a_document_refers_to_is_there() {
    let objects = example_objects();
    let named =
        |kind: &str, name: &Value| objects.iter().any(|it| it["kind"] == kind && it["metadata"]["name"] == *name);
    for document in &objects {
        let spec = &document["spec"];
        match document["kind"].as_str().unwrap() {
            "SLO" => {
                assert!(named("Service", &spec["service"]), "{document:#}");
                let source = &spec["indicator"]["spec"]["thresholdMetric"]["metricSource"]["metricSourceRef"];
                assert!(named("DataSource", source), "{document:#}");
                assert_eq!(spec["alertPolicies"].as_array().unwrap().len(), 3);
                for policy in spec["alertPolicies"].as_array().unwrap() {
                    assert!(named("AlertPolicy", &policy["alertPolicyRef"]), "{policy}");
                }
            }
            "AlertPolicy" => {
                let told = &spec["notificationTargets"][0]["targetRef"];
                assert!(named("AlertNotificationTarget", told), "{document:#}");
            }
            _ => {}
        }
    }
}

#[test]
fn two_products_never_share_a_name() {
    let long = "a".repeat(64);
    let texts = ["crm.a-b", "crm-a.b", "crm.a_b", "crm.a-b-", &format!("{long}.a"), &format!("{long}.b"), "crm"];
    let names: BTreeSet<String> = texts.iter().map(|text| name(text)).collect();
    assert_eq!(names.len(), texts.len(), "{names:?}");
    assert!(names.iter().all(|name| name.len() <= NAME_LENGTH_MAX && !name.ends_with('-')), "{names:?}");
    assert_eq!(name("crm.orders-v1"), "crm-orders-v1");
}

#[test]
fn windows_are_told_in_whole_units() {
    assert_eq!([2_592_000, 86_400, 7_200, 5_400, 30].map(window), ["30d", "1d", "2h", "90m", "1m"]);
}
