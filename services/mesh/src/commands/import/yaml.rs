//! Contracts and domains as files that read back to exactly what they are.

use mesh_contract::{Contract, Domain, MASKED_VIEW};
use serde_json::{Map, Value};

/// What a refresh rate has that says nothing of it.
const OBJECTIVE: &str = "99.5 %";
const OVER: &str = "30 days";

/// A contract, in the short forms where these say all.
///
/// # Errors
/// It has no JSON form.
pub(super) fn contract(contract: &Contract) -> Result<String, serde_json::Error> {
    let mut text = String::new();
    for (key, value) in object(serde_json::to_value(contract)?) {
        let value = match (key.as_str(), value) {
            ("compatibility", Value::String(level)) => level.to_lowercase().into(),
            ("refresh_rate", Value::Object(rate)) => refresh_rate(rate),
            ("views" | "dependencies", value) if is_empty(&value) => continue,
            ("storage", Value::Array(mut storages)) if storages.len() == 1 => storages.remove(0),
            ("access_group", Value::Array(grants)) => grants.into_iter().map(grant).collect(),
            (_, value) => value,
        };
        text += &entry(&key, &value);
    }
    Ok(text)
}

/// A domain.
///
/// # Errors
/// It has no JSON form.
pub(super) fn domain(domain: &Domain) -> Result<String, serde_json::Error> {
    let mut text = String::new();
    for (key, value) in object(serde_json::to_value(domain)?) {
        if is_empty(&value) {
            continue;
        }
        match (key.as_str(), value) {
            ("terms", Value::Object(terms)) => {
                text += "terms:\n";
                // each is defined, or refers to another's
                let meanings = terms
                    .into_iter()
                    .map(|(term, meaning)| (term, object(meaning).into_values().next().unwrap_or_default()));
                text += &meanings
                    .map(|(term, meaning)| format!("  {}: {}\n", scalar(&term), flow(&meaning)))
                    .collect::<String>();
            }
            (_, value) => text += &entry(&key, &value),
        }
    }
    Ok(text)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}

fn refresh_rate(mut rate: Map<String, Value>) -> Value {
    if let Some(objective) = rate.get("objective").and_then(Value::as_f64) {
        rate.insert("objective".to_owned(), percentage(objective).into());
    }
    if rate.get("objective").is_some_and(|objective| objective == OBJECTIVE)
        && rate.get("over").is_some_and(|over| over == OVER)
    {
        rate.shift_remove("objective");
        rate.shift_remove("over");
    }
    match rate.get("every") {
        Some(every) if rate.len() == 1 => every.clone(),
        _ => rate.into(),
    }
}

/// 0.995 is `99.5 %`: the decimal point moves in the text, so that nothing is rounded.
fn percentage(fraction: f64) -> String {
    let shown = fraction.to_string();
    let digits = format!("{:0<2}", shown.strip_prefix("0.").unwrap_or(&shown));
    let (whole, rest) = digits.split_at(2);
    let whole = if whole == "00" { "0" } else { whole.trim_start_matches('0') };
    if rest.is_empty() { format!("{whole} %") } else { format!("{whole}.{rest} %") }
}

/// A grant of the masked view is its group.
fn grant(grant: Value) -> Value {
    match (&grant["group"], &grant["view"]) {
        (group, Value::String(view)) if view == MASKED_VIEW => group.clone(),
        _ => grant,
    }
}

/// A key with its value; a list of mappings has a line for each.
fn entry(key: &str, value: &Value) -> String {
    match value {
        Value::Array(items) if items.iter().any(Value::is_object) => {
            let lines: String = items.iter().map(|item| format!("  - {}\n", flow(item))).collect();
            format!("{key}:\n{lines}")
        }
        Value::Object(entries) if entries.values().any(Value::is_object) => {
            let lines: String =
                entries.iter().map(|(key, value)| format!("  {}: {}\n", scalar(key), flow(value))).collect();
            format!("{key}:\n{lines}")
        }
        value => format!("{key}: {}\n", flow(value)),
    }
}

fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Object(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{}: {}", scalar(key), flow(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

/// A text as it is where YAML takes it for nothing else; JSON's texts are YAML's.
fn scalar(text: &str) -> String {
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '/' | '@'));
    let has_letter = text.contains(|c: char| c.is_ascii_alphabetic());
    let spaced = !text.ends_with(' ') && !text.contains("  ");
    let is_word = !matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    if begins && is_plain && has_letter && spaced && is_word && text.parse::<f64>().is_err() {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use mesh_contract::{parse_contract, parse_domain};

    const LONG: &str = r#"
unique_id: 1e100000-8a0d-4f64-9f0b-6d2f3c8f1a01
owner: crm
name: customers
version: 2
description: "Two lines:\n- what \"one\" record: means #1"
schema: schemas/crm/customer.avsc
key: customer_id
subject: customer_id
compatibility: full
refresh_rate: { every: 15 minutes, event_time: updated_at, objective: 99.95 %, over: 7 days, hours: { at: "Mon-Fri 22:00-06:00 Europe/Berlin", except: [12-25, 2027-03-26] } }
history: latest
storage: [stream, data lake]
sensitive_columns:
  - email
  - { column: "contacts[].email", class: pii.contact, mask: "null" }
  - { column: phone, class: pii.contact, mask: { keep_last: 4 } }
  - { column: note, mask: { redact: "12" } }
  - { column: born, mask: { generalise: year } }
  - { column: pin, mask: encrypt }
views: { support: { clear: [phone] }, stewards: { clear: all } }
access_group: [analysts, { group: "cn=crm, ou=x", view: support }, { group: stewards, view: stewards }]
dependencies: [web.visits, crm.orders@2]
partitions: 4
replication: 3
fed_by: 3
headers: [x-trace]
maintenance:
  - { from: 2026-12-24 18:00 Europe/Berlin, to: 2026-12-27 06:00 Europe/Berlin, reason: "the year ends: rest" }
  - { hours: "Sun 02:00-04:00 Europe/Berlin", reason: patches }
deprecated: { until: 2027-06-30, successor: crm.customers@3, reason: names are split, since: 2027-01-01 }
"#;

    #[test]
    fn a_contract_reads_back_to_what_it_is() {
        let read = parse_contract("topics/crm/customers@2.yaml", LONG).unwrap().value;
        let text = contract(&read).unwrap();
        insta::assert_snapshot!(text);
        assert_eq!(parse_contract("topics/crm/customers@2.yaml", &text).unwrap().value, read);
    }

    #[test]
    fn the_examples_read_back_to_what_they_are() {
        let topics = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../topics");
        for folder in std::fs::read_dir(topics).unwrap() {
            for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                let (name, text) = (path.to_string_lossy(), std::fs::read_to_string(&path).unwrap());
                if name.ends_with("/domain.yaml") {
                    let read = parse_domain(&name, &text).unwrap().value;
                    assert_eq!(parse_domain(&name, &domain(&read).unwrap()).unwrap().value, read);
                } else if !name.ends_with("/waivers.yaml") {
                    let read = parse_contract(&name, &text).unwrap().value;
                    assert_eq!(parse_contract(&name, &contract(&read).unwrap()).unwrap().value, read);
                }
            }
        }
    }

    #[test]
    fn a_domain_reads_back_to_what_it_is() {
        let text = r#"
domain: crm
description: "Who: our customers"
team: { name: CRM, contact: crm@example.org, escalation: "https://example.org/runbooks/crm" }
producers: [User:crm-service]
actors: [customer, account manager]
terms: { customer: "A person, or a company: both.", order: shop.order }
classes: { pii.contact: { grants: [web] }, pii.name: { grants: [] } }
maintenance: [{ hours: "Sun 02:00-04:00 UTC", reason: patches }]
quotas: { "User:crm-service": { produce: 10 MB/s, requests: 12.5 % } }
"#;
        let read = parse_domain("topics/crm/domain.yaml", text).unwrap().value;
        let text = domain(&read).unwrap();
        insta::assert_snapshot!(text);
        assert_eq!(parse_domain("topics/crm/domain.yaml", &text).unwrap().value, read);
    }

    #[test]
    fn percentages_are_exact() {
        for (fraction, text) in [(0.995, "99.5 %"), (0.9999, "99.99 %"), (0.5, "50 %"), (0.07, "7 %"), (0.001, "0.1 %")]
        {
            assert_eq!(percentage(fraction), text);
        }
    }
}
