//! The schemas: records as services have them, each version of a subject with one optional field more.

use serde_json::{Value, json};

/// Versions of each subject; each can be read by those before it.
pub const VERSIONS: usize = 5;
const FIELDS: usize = 12;

/// The schema of a version, which no other version of any subject has.
pub fn text(subject: usize, version: usize) -> String {
    let given = (0..FIELDS).map(|field| {
        let kind = ["string", "long", "double", "boolean"][field % 4];
        json!({ "name": format!("column_{field}"), "type": kind, "doc": format!("What column {field} holds.") })
    });
    let added = (0..version)
        .map(|field| json!({ "name": format!("added_{field}"), "type": ["null", "string"], "default": null }));
    let fields: Vec<Value> = given.chain(added).collect();
    json!({
        "type": "record", "name": format!("Record{subject}"), "namespace": "bench.registry",
        "doc": "A record of the benchmark.", "fields": fields
    })
    .to_string()
}
