//! The files as they are written: what is there is right, and says what could be there.

use super::draft::Draft;
use mesh_contract::Product;
use serde_json::{Value, json};

/// `topics/<domain>/domain.yaml`
pub(super) fn domain(domain: &str) -> String {
    format!(
        "# A domain: a bounded context with one owning team. docs/contract.md has every key.
domain: {domain}
description: \"TODO: what this domain is about, in a sentence or two\"
team: {{ name: {domain}, contact: \"TODO: who is asked, and who is paged\" }}
# producers: [User:{domain}-service]      # Kafka principals that may write this domain's input ports
# terms:                                  # the domain's words; others refer to them as {domain}.<term>
#   customer: What it means here.
"
    )
}

/// `schemas/<domain>/<product>.avsc`
pub(super) fn schema(product: &Product) -> String {
    let record: String = product.name.trim_end_matches('s').split(['_', '-']).map(capitalised).collect();
    let namespace = product.domain.replace('-', "_");
    let schema = json!({
        "type": "record",
        "name": record,
        "namespace": namespace,
        "doc": "TODO: what one record means",
        "fields": [
            { "name": "id", "type": "string", "doc": "Identifies it; the key of its change events." },
            {
                "name": "updated_at",
                "type": { "type": "long", "logicalType": "timestamp-millis" },
                "doc": "When the fact happened."
            },
        ],
    });
    // what was made of texts is written as text
    let pretty = serde_json::to_string_pretty(&schema).unwrap_or_default();
    format!("{pretty}\n")
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().iter().flat_map(|letter| letter.to_uppercase()).chain(letters).collect()
}

/// `topics/<domain>/<product>.yaml`
pub(super) fn contract(draft: &Draft) -> String {
    let Product { domain, name } = &draft.product;
    let description = draft.description.clone().unwrap_or_else(|| "TODO: what one record means".to_owned());
    let key = match &draft.key {
        Some(key) => format!("key: {key}                             # the column that keys the change events"),
        None => "# key: id                              # the column that keys the change events".to_owned(),
    };
    format!(
        "# A data product. `mesh check` checks this file, docs/contract.md has every key.
unique_id: {unique_id}   # never changes, also across versions
owner: {domain}
name: {name}
version: 1                               # a breaking change is a new version beside this one: mesh new {domain}/{name} --next-version
description: {description}
schema: {schema}
{key}
refresh_rate: hour                       # how often new facts come: minute, hour, day, 15 minutes
history: 2 years                         # how long events are kept; `latest` keeps the newest of each key for ever
{sensitive}
{access}
# views:                                 # `masked` is there unasked; another view shows named columns or classes in clear
#   support: {{ clear: [phone] }}
# dependencies: [crm.orders]             # the products that this one is derived from
",
        unique_id = draft.unique_id,
        description = quoted(&description),
        schema = draft.schema,
        sensitive = sensitive(&draft.suspects),
        access = access(&draft.groups),
    )
}

/// JSON's texts are YAML's.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn sensitive(suspects: &[String]) -> String {
    let said =
        "# what is not seen in clear, unless a view shows it; each is masked by its type's rule unless `mask` says how";
    if suspects.is_empty() {
        return format!("sensitive_columns: []                    {said}");
    }
    let lines: String =
        suspects.iter().map(|column| format!("\n  - {{ column: {}, class: pii }}", quoted(column))).collect();
    format!(
        "{said}\n# TODO: these look sensitive by their names; take out what is not, and say so in the schema: \"mesh.sensitive\": false\nsensitive_columns:{lines}"
    )
}

fn access(groups: &[String]) -> String {
    match groups {
        [] => "access_group: []                         # TODO: the groups that may read the masked view: [analysts]"
            .to_owned(),
        groups => {
            let groups: Vec<String> = groups.iter().map(|group| quoted(group)).collect();
            format!("access_group: [{}]", groups.join(", "))
        }
    }
}
