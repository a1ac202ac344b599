#![allow(clippy::unwrap_used)]

use super::*;
use crate::State;

fn change(state: Option<State>) -> Change {
    Change {
        key: "0d4a7b52-6c1e-4b7e-8d0a-2f9f5f3d7b02/1".to_owned(),
        product: "crm.orders".to_owned(),
        version: 1,
        owner: "crm".to_owned(),
        state,
        before: Some(State::Fresh),
        since_ms: 1_800_000_000_123,
        details: Map::from_iter([("promise".to_owned(), "1 hour".into())]),
    }
}

fn body(event: &Event) -> Value {
    serde_json::from_slice(&event.body).unwrap()
}

#[test]
fn a_change_is_a_cloud_event() {
    let team = Team { name: "CRM".to_owned(), contact: "crm@example.org".to_owned(), escalation: None };
    let event = of(&change(Some(State::Stale)), "kafka://abc/mesh.freshness", Some(&team));
    insta::assert_snapshot!(serde_json::to_string_pretty(&body(&event)).unwrap(), @r#"
    {
      "specversion": "1.0",
      "id": "0d4a7b52-6c1e-4b7e-8d0a-2f9f5f3d7b02-1-stale-1800000000123",
      "source": "kafka://abc/mesh.freshness",
      "type": "mesh.freshness.changed",
      "subject": "crm.orders@1",
      "time": "2027-01-15T08:00:00.123Z",
      "datacontenttype": "application/json",
      "data": {
        "product": "crm.orders",
        "version": 1,
        "owner": "crm",
        "team": {
          "name": "CRM",
          "contact": "crm@example.org",
          "escalation": null
        },
        "state": "stale",
        "previous": "fresh",
        "since": "2027-01-15T08:00:00.123Z",
        "promise": "1 hour"
      }
    }
    "#);
}

#[test]
fn a_change_has_one_id_and_another_change_another() {
    let ids = [
        change(Some(State::Stale)),
        change(Some(State::Stale)),
        change(Some(State::Fresh)),
        change(None),
        Change { since_ms: 1, ..change(Some(State::Stale)) },
    ]
    .map(|change| of(&change, "s", None).id);
    assert_eq!(ids[0], ids[1]);
    let different: std::collections::BTreeSet<&String> = ids.iter().collect();
    assert_eq!(different.len(), 4);
    assert!(ids.iter().all(|id| !id.contains('.')), "the signature's parts are separated by dots");
}

#[test]
fn a_product_that_is_gone_is_told_as_such() {
    let event = body(&of(&change(None), "s", None));
    assert_eq!((&event["type"], &event["data"]["state"]), (&json!("mesh.freshness.forgotten"), &Value::Null));
}
