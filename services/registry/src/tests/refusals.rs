//! What is refused waits to be on record, with who asked; what is not is not.

use mesh_audit::Event;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Server, access};
use crate::governance::tests::customers;

const INPUT: &str = "crm.customers.v1.in-value";
const REGISTRATION: &str = "/subjects/crm.orders-value/versions";

impl Server {
    /// What would go on record now, without when it was.
    fn refused(&self) -> Vec<Value> {
        let events = self.refusals.waiting().events(0);
        let plain = |event: &Event| {
            let mut event: Value = serde_json::from_str(&event.to_string()).unwrap();
            let fields = event.as_object_mut().unwrap();
            let [at, first] =
                ["at_ms", "first_ms"].map(|time| fields.shift_remove(time).and_then(|time| time.as_i64()));
            assert!(first.is_some() && at >= first, "{fields:?}");
            event
        };
        events.iter().map(plain).collect()
    }
}

fn record(fields: &[Value]) -> String {
    json!({"type": "record", "name": "Customer", "namespace": "crm", "fields": fields}).to_string()
}

#[tokio::test]
async fn a_schema_that_is_refused_goes_on_record_with_its_rules_and_once_however_often_it_comes() {
    let server = Server::start_governed(&[customers()]).await;
    let (id, phone) = (json!({"name": "id", "type": "string"}), json!({"name": "phoneNumber", "type": "string"}));
    assert_eq!(server.register(INPUT, &record(std::slice::from_ref(&id))).await.0, 200);
    assert_eq!(server.refused(), [Value::Null; 0]);
    for _ in 0..3 {
        assert_eq!(server.register(INPUT, &record(&[id.clone(), phone.clone()])).await.0, 409);
    }
    let optional = json!({"name": "phoneNumber", "type": ["null", "string"], "default": null});
    assert_eq!(server.register(INPUT, &record(&[id, optional])).await.0, 422);
    assert_eq!(server.register(INPUT, "no schema").await.0, 422);
    // nobody asks who it is here, and what would be said is only asked
    let check = format!("/compatibility/subjects/{INPUT}/versions/latest");
    assert_eq!(server.post(&check, json!({ "schema": "no schema" })).await.0, 422);
    assert_eq!(server.get("/subjects/nothing/versions").await.0, 404);
    let refused = server.refused();
    let told: Vec<_> = refused.iter().map(|it| (&it["event"], &it["rules"], &it["count"], &it["code"])).collect();
    let event = json!("schema-refused");
    assert_eq!(
        told,
        [
            (&event, &json!(["field-without-default"]), &json!(3), &json!(409)),
            (&event, &Value::Null, &json!(1), &json!(42201)),
            (&event, &json!(["sensitive-unmarked"]), &json!(1), &json!(42201)),
        ],
        "{refused:#?}"
    );
    assert!(refused.iter().all(|it| it["subject"] == INPUT), "{refused:#?}");
    let who = json!({ "host": "127.0.0.1", "with": "the registry" });
    assert_eq!(refused[0]["who"], who);
}

#[tokio::test]
async fn who_may_not_is_on_record_by_name_and_hides_behind_no_replica() {
    let (server, _folder) = access::server(json!({})).await;
    assert_eq!(server.registered_by("analyst", "crm.orders-value").await, (403, 40301));
    assert_eq!(server.registered_by("wrong", "crm.orders-value").await, (401, 40101));
    let refused = server.refused();
    assert_eq!(
        refused,
        [json!({
            "event": "registry-access-denied",
            "who": { "user": "analyst", "host": "127.0.0.1", "with": "the registry" },
            "subject": "crm.orders-value",
            "request": "POST /subjects/{subject}/versions",
            "code": 40301,
            "why": "User analyst is denied operation Write on Subject: crm.orders-value",
            "count": 1,
        })]
    );
    let handed_on = |token: &'static str| {
        let request = server.client.request(Method::POST, format!("{}{REGISTRATION}", server.url));
        request.bearer_auth(token).header("mesh-forwarded", "true").json(&json!({ "schema": "no schema" })).send()
    };
    // a replica tells itself what it hands on; whoever only says so is told of
    assert_eq!(handed_on("operator").await.unwrap().status(), 422);
    assert_eq!(server.refused().len(), 1);
    assert_eq!(handed_on("crm").await.unwrap().status(), 422);
    let refused = server.refused();
    assert_eq!(refused.iter().filter(|it| it["who"]["user"] == "crm").count(), 1, "{refused:#?}");
}
