#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;

use serde_json::Value;

use super::*;

fn event() -> Value {
    json!({
        "eventType": "START",
        "eventTime": "2026-01-01T00:00:00+00:00",
        "producer": "https://example.org/flink",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": "01890a5d-ac96-774b-bcce-b302099a8057"},
        "job": {"namespace": "flink", "name": "enrich"},
        "inputs": [{"namespace": "kafka://k:9092", "name": "crm.customers.v1"}],
    })
}

fn refusal(change: impl FnOnce(&mut Value)) -> &'static str {
    let mut event = event();
    change(&mut event);
    accept(event.to_string().as_bytes()).err().map_or("accepted", |refusal| refusal.code())
}

#[test]
fn an_event_of_another_system_is_accepted() {
    assert_eq!(refusal(|_| {}), "accepted");
    assert_eq!(
        refusal(|event| event["schemaURL"] = json!("https://openlineage.io/spec/1-0-5/OpenLineage.json")),
        "accepted"
    );
}

#[test]
fn hostile_events_are_refused_with_a_reason() {
    let deep = (0..100).fold(json!({}), |inner, _| json!({ "x": inner }));
    assert_eq!(refusal(|event| event["job"]["facets"] = json!({ "deep": deep })), "too-deep");
    assert_eq!(refusal(|event| event["job"]["name"] = json!("x".repeat(NAME_BYTES_MAX + 1))), "name");
    assert_eq!(refusal(|event| event["job"]["name"] = json!("x".repeat(EVENT_BYTES_MAX))), "too-large");
    assert_eq!(refusal(|event| event["job"]["namespace"] = json!("")), "name");
    assert_eq!(refusal(|event| event["job"]["name"] = json!("a\u{0}b")), "name");
    assert_eq!(
        refusal(|event| event["schemaURL"] = json!("https://openlineage.io/spec/9-0-0/OpenLineage.json")),
        "unknown-version"
    );
    assert_eq!(refusal(|event| event["schemaURL"] = json!("file:///etc/passwd")), "unknown-version");
    assert_eq!(refusal(|event| event["run"]["runId"] = json!("seven")), "malformed");
    assert_eq!(refusal(|event| event["eventTime"] = json!("yesterday")), "malformed");
    assert_eq!(refusal(|event| event["eventType"] = json!("EXPLODE")), "malformed");
    assert_eq!(refusal(|event| event["job"]["facets"] = json!({"jobType": 7})), "facet");
    let dataset = json!({"namespace": "n", "name": "n"});
    assert_eq!(refusal(|event| event["inputs"] = json!(vec![dataset; DATASETS_MAX + 1])), "too-many");
}

#[test]
fn brackets_in_strings_are_no_nesting() {
    assert_eq!(refusal(|event| event["job"]["name"] = json!("[[[\"{\\".repeat(40))), "accepted");
}

proptest! {
    #[test]
    fn no_bytes_crash_it(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = accept(&bytes);
    }

    #[test]
    fn no_damage_crashes_it(at in 0_usize..400, byte: u8) {
        let mut bytes = event().to_string().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = accept(&bytes);
    }
}

/// The refusal of an event in which `from` is replaced, as text: what JSON values cannot hold.
fn refusal_of_text(from: &str, to: &str) -> String {
    let text = event().to_string();
    assert!(text.contains(from), "{text}");
    let text = text.replacen(from, to, 1);
    accept(text.as_bytes()).err().map_or_else(|| "accepted".to_owned(), |refusal| refusal.to_string())
}

fn facet(name: &str, more: Value) -> Value {
    let mut facet = json!({"_producer": "https://example.org", "_schemaURL": "https://example.org/facet.json"});
    facet.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ name: facet })
}

#[test]
fn keys_that_stand_twice_are_refused() {
    let twice = refusal_of_text("\"eventType\":\"START\"", "\"eventType\":\"START\",\"eventType\":\"FAIL\"");
    assert_eq!(twice, "the event has a key twice in one object: `eventType`");
    let name = "\"name\":\"enrich\"";
    let facets = |text: &str| refusal_of_text(name, &format!("{name},\"facets\":{text}"));
    let signed = r#""_producer":"p","_schemaURL":"s""#;
    assert_eq!(
        facets(&format!("{{\"x\":{{{signed}}},\"x\":{{{signed}}}}}")),
        "the event has a key twice in one object: x"
    );
    let inside = facets(&format!("{{\"x\":{{{signed},\"y\":[{{\"z\":1,\"z\":2}}]}}}}"));
    assert_eq!(inside, "the event has a key twice in one object: z");
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let mut bytes = event().to_string().into_bytes();
    bytes[20] = 0xff;
    assert_eq!(accept(&bytes).err(), Some(Refusal::NotUtf8 { at: 20 }));
}

#[test]
fn known_facets_are_held_to_their_shapes() {
    let job = |facets: Value| refusal(|event| event["job"]["facets"] = facets);
    assert_eq!(job(facet("jobType", json!({"processingType": 1, "integration": "FLINK"}))), "facet");
    assert_eq!(job(facet("jobType", json!({"processingType": "BATCH", "integration": "FLINK"}))), "accepted");
    assert_eq!(job(facet("jobType", json!({"_deleted": true}))), "accepted", "it says that it no longer holds");
    assert_eq!(job(facet("anything", json!({"a": [1, {"b": null}]}))), "accepted");
    let input = |facets: Value| refusal(|event| event["inputs"][0]["facets"] = facets);
    assert_eq!(input(facet("schema", json!({"fields": [{"type": "string"}]}))), "facet");
    assert_eq!(input(facet("schema", json!({}))), "accepted", "the schema leaves its fields optional");
    assert_eq!(input(facet("columnLineage", json!({"fields": {"a": {"inputFields": 7}}}))), "facet");
    let moved = |facets: Value| refusal(|event| event["inputs"][0]["inputFacets"] = facets);
    assert_eq!(moved(facet("inputStatistics", json!({"rowCount": -1}))), "facet");
    let unknown = json!({"_schemaURL": "https://openlineage.io/spec/facets/9-0-0/JobTypeJobFacet.json"});
    assert_eq!(job(facet("jobType", unknown)), "unknown-version");
}

#[test]
fn a_run_is_not_its_own_parent() {
    let parent = |id: &str| facet("parent", json!({"run": {"runId": id}, "job": {"namespace": "n", "name": "j"}}));
    let of = |id: &str| refusal(|event| event["run"]["facets"] = parent(id));
    assert_eq!(of("01890a5d-ac96-774b-bcce-b302099a8057"), "cycle");
    assert_eq!(of("01890a5d-ac96-774b-bcce-b302099a8058"), "accepted");
}

#[test]
fn an_event_tells_of_one_thing() {
    let reason = |change: fn(&mut Value)| {
        let mut event = event();
        change(&mut event);
        accept(event.to_string().as_bytes()).unwrap_err().to_string()
    };
    insta::assert_snapshot!(reason(|event| event["dataset"] = json!({"namespace": "n", "name": "n"})),
        @"the event is not one of OpenLineage 2-0-2: a dataset beside a run or a job: one event tells of one thing");
    insta::assert_snapshot!(reason(|event| _ = event.as_object_mut().unwrap().remove("job")),
        @"the event is not one of OpenLineage 2-0-2: a run without a job");
    insta::assert_snapshot!(reason(|event| event["eventTime"] = json!("yesterday")),
        @"the event is not one of OpenLineage 2-0-2: eventTime is no instant such as 2026-01-01T00:00:00Z");
}

#[test]
fn instants_may_have_any_offset_or_none() {
    let at = |text: &str| {
        let mut event = event();
        event["eventTime"] = json!(text);
        accept(event.to_string().as_bytes()).unwrap().at_ms
    };
    let instants = ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00.000001"];
    assert_eq!(instants.map(at), [1_767_225_600_000; 3]);
}

#[test]
fn what_is_quoted_of_an_event_is_short_and_plain() {
    let refusal = refusal_of_text("\"START\"", &format!("\"\\u001b[2J{}\"", "x".repeat(10_000)));
    assert!(refusal.len() < 1_000 && !refusal.contains('\u{1b}'), "{refusal}");
}

#[test]
fn a_door_that_has_looked_at_a_facet_knows_it_again() {
    let mut door = Door::default();
    let mut wrong = event();
    wrong["job"]["facets"] = facet("jobType", json!({"processingType": 1}));
    let mut right = event();
    right["job"]["facets"] = facet("jobType", json!({"processingType": "BATCH", "integration": "FLINK"}));
    for _ in 0..2 {
        assert!(door.accept(right.to_string().as_bytes()).is_ok());
        assert!(door.accept(wrong.to_string().as_bytes()).is_err(), "what was refused is refused again");
    }
}
