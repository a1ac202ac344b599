//! The graph as it was.

use super::*;

/// Customers, masked; at second 20 with another column. Two records more than at second 10.
pub(crate) fn two_revisions() -> Vec<Event> {
    let fields = |names: &[&str]| names.iter().map(|it| json!({"name": it, "type": "string"})).collect::<Vec<_>>();
    let origin = |column: &str| {
        let way = json!({"type": "DIRECT", "subtype": "IDENTITY", "masking": column == "email", "description": "hash"});
        json!({"inputFields": [{"namespace": "kafka://k:9092", "name": "crm.customers.v1.in", "field": column, "transformations": [way]}]})
    };
    let signed = |mut facet: serde_json::Value| {
        facet["_producer"] = json!("https://example.org");
        facet["_schemaURL"] = json!("https://example.org/facet.json");
        facet
    };
    let event = |second: i64, columns: &[&str], records: u64| {
        let origins: serde_json::Map<_, _> = columns.iter().map(|it| ((*it).to_owned(), origin(it))).collect();
        let counted = json!({"mesh_kafka": signed(json!({"records": records}))});
        let tags = json!([{"key": "class", "value": "pii.contact", "field": "email"}]);
        Event::from_value(json!({
            "eventType": if second == 10 { "START" } else { "COMPLETE" },
            "eventTime": at(second), "producer": "https://example.org",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
            "run": {"runId": "01890a5d-ac96-774b-bcce-b302099a8057"},
            "job": {"namespace": "mesh", "name": "masking.crm.customers.v1"},
            "inputs": [{"namespace": "kafka://k:9092", "name": "crm.customers.v1.in", "inputFacets": counted,
                "facets": {"schema": signed(json!({"fields": fields(columns)}))}}],
            "outputs": [{"namespace": "kafka://k:9092", "name": "crm.customers.v1", "outputFacets": counted, "facets": {
                "schema": signed(json!({"fields": fields(columns)})),
                "tags": signed(json!({"tags": tags})),
                "columnLineage": signed(json!({"fields": origins})),
            }}],
        }))
        .unwrap()
    };
    vec![event(10, &["email"], 1), event(20, &["email", "id"], 3)]
}

#[test]
fn a_past_instant_has_what_had_happened_by_then() {
    let (mut graph, mut backwards) = (Graph::default(), Graph::default());
    let events = two_revisions();
    events.iter().for_each(|event| apply(&mut graph, event).unwrap());
    events.iter().rev().for_each(|event| apply(&mut backwards, event).unwrap());
    let customers: NodeId = topic("crm.customers.v1").into();
    let seen = |graph: &Graph, seconds: i64| {
        let moment = graph.as_of(seconds * 1_000);
        let job = moment.job("job:mesh:masking.crm.customers.v1")?;
        let columns = moment.columns(&customers).len();
        let records = moment.link(job, Direction::Output, &customers)?.observed?.records;
        let state = moment.latest_run(job)?.1.state(moment.at_ms());
        Some((columns, records, state))
    };
    assert_eq!(seen(&graph, 9), None);
    assert_eq!(seen(&graph, 10), Some((1, 1, RunState::Running)));
    assert_eq!(seen(&graph, 19), Some((1, 1, RunState::Running)));
    assert_eq!(seen(&graph, 20), Some((2, 3, RunState::Completed)));
    // what counts is when it happened, not when it was told
    let without_records = |seconds| seen(&backwards, seconds).map(|(columns, _, state)| (columns, state));
    assert_eq!(without_records(19), Some((1, RunState::Running)));
    assert_eq!(seen(&backwards, 20), Some((2, 3, RunState::Completed)));
}

#[test]
fn declarations_hold_from_when_they_were_applied_until_they_no_longer_were() {
    let orders = product("crm", "orders", 1, &[]);
    let mut before = product("upselling", "offers", 1, &["crm.orders"]);
    before.applied_at_ms = 10_000;
    let mut after = product("upselling", "offers", 1, &[]);
    after.applied_at_ms = 20_000;
    let mut graph = Graph::default();
    let declarations = [
        Declaration { applied: &orders, until_ms: None },
        Declaration { applied: &before, until_ms: Some(20_000) },
        Declaration { applied: &after, until_ms: None },
    ];
    graph.declare(&kafka().into(), &declarations).unwrap();
    let edges_at = |seconds: i64| graph.as_of(seconds * 1_000).product_edges().len();
    assert_eq!([9, 10, 19, 20].map(edges_at), [0, 1, 1, 0]);
    assert_eq!(graph.now().product_edges(), []);
}
