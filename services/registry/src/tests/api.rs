use reqwest::Method;
use serde_json::{Value, json};

use super::Server;

const ORDER: &str = r#"{"type":"record","name":"Order","namespace":"crm","fields":[{"name":"id","type":"string"}]}"#;
const ORDER_TWO: &str = r#"{"type":"record","name":"Order","namespace":"crm","fields":[{"name":"id","type":"string"},{"name":"note","type":"string","default":""}]}"#;
const ORDER_BROKEN: &str =
    r#"{"type":"record","name":"Order","namespace":"crm","fields":[{"name":"id","type":"int"}]}"#;

fn code(answer: &(u16, Value)) -> (u16, u64) {
    (answer.0, answer.1["error_code"].as_u64().unwrap_or_default())
}

#[tokio::test]
async fn registers_looks_up_and_lists() {
    let server = Server::start().await;
    assert_eq!(server.get("/").await, (200, json!({})));
    assert_eq!(server.register("orders-value", ORDER).await, (200, json!({ "id": 1 })));
    assert_eq!(server.register("orders-value", ORDER).await, (200, json!({ "id": 1 })));
    assert_eq!(server.register("orders-value", ORDER_TWO).await, (200, json!({ "id": 2 })));
    assert_eq!(server.register("returns-value", ORDER_TWO).await, (200, json!({ "id": 2 })));

    let again = server.post("/subjects/orders-value/versions", json!({ "schema": ORDER_TWO })).await;
    let guid = again.1["guid"].clone();
    assert_eq!(again, (200, json!({ "id": 2, "version": 2, "guid": guid })));

    let guid = server.get("/schemas/ids/1").await.1["guid"].clone();
    let version = json!({ "subject": "orders-value", "version": 1, "id": 1, "guid": guid, "schema": ORDER });
    assert_eq!(server.post("/subjects/orders-value", json!({ "schema": ORDER })).await, (200, version.clone()));
    assert_eq!(server.get("/subjects/orders-value/versions/1").await, (200, version.clone()));
    assert_eq!(server.get("/subjects").await, (200, json!(["orders-value", "returns-value"])));
    assert_eq!(server.get("/subjects?subjectPrefix=ret").await, (200, json!(["returns-value"])));
    assert_eq!(server.get("/subjects?offset=1&limit=1").await, (200, json!(["returns-value"])));
    assert_eq!(server.get("/subjects/orders-value/versions").await, (200, json!([1, 2])));
    assert_eq!(server.get("/subjects/orders-value/versions/latest").await.1["version"], 2);
    assert_eq!(server.get("/subjects/orders-value/versions/-1").await.1["version"], 2);
    assert_eq!(
        server.get("/subjects/orders-value/versions/1/schema").await,
        (200, serde_json::from_str(ORDER).unwrap())
    );

    assert_eq!(server.get("/schemas/ids/1").await, (200, json!({ "schema": ORDER, "guid": guid })));
    assert_eq!(server.get("/schemas/ids/1?fetchMaxId=true").await.1["maxId"], 2);
    assert_eq!(server.get("/schemas/ids/2/subjects").await, (200, json!(["orders-value", "returns-value"])));
    let uses = json!([{ "subject": "orders-value", "version": 2 }, { "subject": "returns-value", "version": 1 }]);
    assert_eq!(server.get("/schemas/ids/2/versions").await, (200, uses));
    assert_eq!(server.get("/schemas/types").await, (200, json!(["AVRO"])));
    assert_eq!(server.get("/schemas").await.1.as_array().unwrap().len(), 3);
    let latest = server.get("/schemas?latestOnly=true&subjectPrefix=orders").await.1;
    assert_eq!((latest.as_array().unwrap().len(), &latest[0]["version"]), (1, &json!(2)));
}

#[tokio::test]
async fn says_what_is_not_there() {
    let server = Server::start().await;
    server.register("a", ORDER).await;
    for (path, expected) in [
        ("/subjects/none/versions", (404, 40401)),
        ("/subjects/none/versions/1", (404, 40401)),
        ("/subjects/a/versions/9", (404, 40402)),
        ("/subjects/a/versions/0", (422, 42202)),
        ("/subjects/a/versions/first", (422, 42202)),
        ("/subjects/a/versions/99999999999", (422, 42202)),
        ("/schemas/ids/9", (404, 40403)),
        ("/schemas/ids/none", (404, 404)),
        ("/config/a", (404, 40408)),
        ("/mode/a", (404, 40409)),
        ("/nowhere", (404, 404)),
        ("/subjects?offset=x", (400, 400)),
    ] {
        assert_eq!(code(&server.get(path).await), expected, "{path}");
    }
    assert_eq!(code(&server.post("/subjects/none", json!({ "schema": ORDER })).await), (404, 40401));
    assert_eq!(code(&server.post("/subjects/a", json!({ "schema": ORDER_TWO })).await), (404, 40403));
    assert_eq!(code(&server.post("/subjects", json!({})).await), (405, 405));
}

#[tokio::test]
async fn refuses_what_is_not_a_schema() {
    let server = Server::start().await;
    for body in [
        json!({ "schema": "{" }),
        json!({ "schema": "" }),
        json!({}),
        json!({ "schema": r#"{"type":"record","name":"R"}"# }),
        json!({ "schema": "\"Unknown\"" }),
        json!({ "schema": "\"int\"", "schemaType": "PROTOBUF" }),
        json!({ "schema": "\"int\"", "references": [{ "name": "x", "subject": "none", "version": 1 }] }),
    ] {
        let answer = server.post("/subjects/a/versions", body.clone()).await;
        assert_eq!(code(&answer), (422, 42201), "{body}: {answer:?}");
    }
    let deep = format!("{}\"int\"{}", "[".repeat(1000), "]".repeat(1000));
    assert_eq!(code(&server.register("a", &deep).await), (422, 42201));
    assert_eq!(server.send(Method::POST, "/subjects/a/versions", Some(json!([]))).await.status(), 400);
    assert_eq!(server.send(Method::POST, "/subjects/a/versions", None).await.status(), 422);
    let large = json!({ "schema": "x".repeat(5000) });
    assert_eq!(code(&server.post("/subjects/a/versions", large).await), (413, 413));
    assert_eq!(code(&server.register("a%00b", "\"int\"").await), (422, 42208));
}

#[tokio::test]
async fn refuses_what_is_incompatible_and_says_why() {
    let server = Server::start().await;
    server.register("a", ORDER).await;
    let answer = server.register("a", ORDER_BROKEN).await;
    assert_eq!(code(&answer), (409, 409));
    let message = answer.1["message"].as_str().unwrap();
    assert!(message.contains("incompatible with an earlier schema for subject \"a\""), "{message}");
    assert!(message.contains("path: id") && message.contains("hint: "), "{message}");

    let body = json!({ "schema": ORDER_BROKEN });
    let checked = server.post("/compatibility/subjects/a/versions/latest", body.clone()).await;
    assert_eq!(checked, (200, json!({ "is_compatible": false })));
    let verbose = server.post("/compatibility/subjects/a/versions?verbose=true", body.clone()).await.1;
    assert_eq!((&verbose["is_compatible"], verbose["messages"].as_array().unwrap().len()), (&json!(false), 1));
    let fine = server.post("/compatibility/subjects/a/versions/1?verbose=true", json!({ "schema": ORDER_TWO })).await;
    assert_eq!(fine, (200, json!({ "is_compatible": true, "messages": [] })));
    let first = server.post("/compatibility/subjects/new/versions/latest", body.clone()).await;
    assert_eq!(first, (200, json!({ "is_compatible": true })));
    for subject in ["a", "none"] {
        let missing = server.post(&format!("/compatibility/subjects/{subject}/versions/7"), body.clone()).await;
        assert_eq!(code(&missing), (404, 40402), "{subject}");
    }
}

#[tokio::test]
async fn levels_and_modes() {
    let server = Server::start().await;
    assert_eq!(server.get("/config").await, (200, json!({ "compatibilityLevel": "BACKWARD" })));
    let full = json!({ "compatibility": "FULL" });
    assert_eq!(server.put("/config/a", json!({ "compatibility": "full" })).await, (200, full.clone()));
    assert_eq!(server.get("/config/a").await, (200, json!({ "compatibilityLevel": "FULL" })));
    assert_eq!(server.get("/config/b?defaultToGlobal=true").await, (200, json!({ "compatibilityLevel": "BACKWARD" })));
    assert_eq!(server.put("/config", full.clone()).await, (200, full));
    assert_eq!(code(&server.put("/config", json!({ "compatibility": "MOSTLY" })).await), (422, 42203));
    assert_eq!(code(&server.put("/config", json!({})).await), (422, 42203));
    let spelled_out = json!({ "compatibility": null, "alias": null, "normalize": true });
    assert_eq!(server.put("/config/c", spelled_out).await, (200, json!({ "normalize": true })));
    assert_eq!(server.delete("/config/a").await, (200, json!({ "compatibilityLevel": "FULL" })));
    assert_eq!(code(&server.delete("/config/a").await), (404, 40401));
    assert_eq!(server.delete("/config").await.0, 200);
    assert_eq!(server.get("/config").await.1["compatibilityLevel"], "BACKWARD");

    assert_eq!(server.get("/mode").await, (200, json!({ "mode": "READWRITE" })));
    assert_eq!(server.put("/mode/a", json!({ "mode": "readonly" })).await, (200, json!({ "mode": "READONLY" })));
    assert_eq!(code(&server.register("a", ORDER).await), (422, 42205));
    assert_eq!(server.get("/mode/a").await, (200, json!({ "mode": "READONLY" })));
    assert_eq!(code(&server.put("/mode/a", json!({ "mode": "SOMETIMES" })).await), (422, 42204));
    assert_eq!(server.delete("/mode/a").await, (200, json!({ "mode": "READONLY" })));
    assert_eq!(server.register("a", ORDER).await.0, 200);
}

#[tokio::test]
async fn deletes() {
    let server = Server::start().await;
    server.register("a", ORDER).await;
    server.register("a", ORDER_TWO).await;
    assert_eq!(server.delete("/subjects/a/versions/1").await, (200, json!(1)));
    assert_eq!(server.get("/subjects/a/versions").await, (200, json!([2])));
    assert_eq!(server.get("/subjects/a/versions?deleted=true").await, (200, json!([1, 2])));
    assert_eq!(server.get("/subjects/a/versions/1?deleted=true").await.1["deleted"], true);
    assert_eq!(server.delete("/subjects/a/versions/1?permanent=true").await, (200, json!(1)));
    assert_eq!(server.delete("/subjects/a").await, (200, json!([2])));
    assert_eq!(code(&server.delete("/subjects/a").await), (404, 40404));
    assert_eq!(server.get("/subjects").await, (200, json!([])));
    assert_eq!(server.get("/subjects?deleted=true").await, (200, json!(["a"])));
    assert_eq!(server.get("/schemas/ids/2").await.0, 200, "consumers can still decode");
    assert_eq!(server.delete("/subjects/a?permanent=true").await, (200, json!([2])));
    assert_eq!(code(&server.delete("/subjects/a?permanent=true").await), (404, 40401));
}

#[tokio::test]
async fn subjects_may_have_any_name() {
    let server = Server::start().await;
    assert_eq!(server.register("a%2Fb%20%C3%A9-value", ORDER).await, (200, json!({ "id": 1 })));
    assert_eq!(server.register("%3A.%3Aplain", ORDER).await, (200, json!({ "id": 1 })));
    assert_eq!(server.get("/subjects").await, (200, json!(["a/b é-value", "plain"])));
    assert_eq!(server.get("/subjects/a%2Fb%20%C3%A9-value/versions/1").await.1["subject"], "a/b é-value");
    assert_eq!(server.get("/subjects/:.:plain/versions").await, (200, json!([1])));
    assert_eq!(server.get("/contexts").await, (200, json!(["."])));
}

#[tokio::test]
async fn normalising_ignores_the_order_of_attributes() {
    let server = Server::start().await;
    let (one, other) = (
        r#"{"type":"record","name":"R","fields":[],"a":1,"b":2}"#,
        r#"{"type":"record","name":"R","fields":[],"b":2,"a":1}"#,
    );
    let register = async |schema: &str| {
        server.post("/subjects/n/versions?normalize=true", json!({ "schema": schema })).await.1["id"].clone()
    };
    assert_eq!(register(one).await, register(other).await);
    assert_eq!(server.register("n", other).await.1["id"], 2);
}

#[tokio::test]
async fn answers_in_the_registrys_media_type() {
    let server = Server::start().await;
    for (path, method) in [("/subjects", Method::GET), ("/nowhere", Method::GET), ("/subjects", Method::PATCH)] {
        let response = server.send(method, path, None).await;
        assert_eq!(response.headers()["content-type"], "application/vnd.schemaregistry.v1+json");
    }
}

#[tokio::test]
async fn a_context_is_a_registry_of_its_own() {
    let server = Server::start().await;
    server.register("orders", ORDER).await;
    let body = json!({ "schema": ORDER_TWO });
    let registered = server.post("/contexts/.staging/subjects/orders/versions", body.clone()).await;
    assert_eq!((registered.0, &registered.1["id"]), (200, &json!(1)), "each context counts its own ids");
    assert_eq!(server.get("/contexts/.staging/subjects").await, (200, json!([":.staging:orders"])));
    assert_eq!(server.get("/contexts/staging/subjects?subjectPrefix=o").await, (200, json!([":.staging:orders"])));
    assert_eq!(server.get("/contexts/.staging/subjects/orders/versions").await, (200, json!([1])));
    assert_eq!(server.get("/contexts/.staging/subjects/:.:orders/versions/1").await.1["schema"], ORDER);
    assert_eq!(server.get("/contexts/.staging/schemas/ids/1").await.1["schema"], ORDER_TWO);
    assert_eq!(server.get("/contexts/:.:/schemas/ids/1").await.1["schema"], ORDER);
    assert_eq!(server.get("/contexts/.staging/schemas/ids/1/subjects").await, (200, json!([":.staging:orders"])));
    assert_eq!(server.get("/contexts/.staging/schemas/ids/1/versions?subject=orders").await.1[0]["version"], 1);
    assert_eq!(code(&server.get("/contexts/.none/schemas/ids/1").await), (404, 40403));
    assert_eq!(server.post("/contexts/.staging/subjects/orders", body).await.1["subject"], ":.staging:orders");

    assert_eq!(code(&server.get("/contexts/.staging/config").await), (404, 40408));
    assert_eq!(server.put("/contexts/.staging/config", json!({ "compatibility": "NONE" })).await.0, 200);
    assert_eq!(server.get("/contexts/.staging/config").await.1["compatibilityLevel"], "NONE");
    assert_eq!(server.get("/config").await.1["compatibilityLevel"], "BACKWARD");
    let broken = json!({ "schema": ORDER_BROKEN });
    assert_eq!(server.post("/contexts/.staging/subjects/orders/versions", broken.clone()).await.0, 200);
    assert_eq!(server.post("/subjects/orders/versions", broken).await.0, 409);
    assert_eq!(server.put("/contexts/.staging/mode/orders", json!({ "mode": "READONLY" })).await.0, 200);
    assert_eq!(server.get("/mode/:.staging:orders").await.1["mode"], "READONLY");
    assert_eq!(server.get("/contexts").await, (200, json!([".", ".staging"])));
}

#[tokio::test]
async fn a_guid_is_a_schema_wherever_it_is() {
    let server = Server::start().await;
    server.register("orders", ORDER_TWO).await;
    server.register("orders-too", ORDER_TWO).await;
    server.register(":.staging:other", ORDER).await;
    server.register(":.staging:orders", ORDER_TWO).await;
    let entity = server.get("/schemas/ids/1").await.1;
    let guid = entity["guid"].as_str().unwrap();
    assert_eq!(server.get(&format!("/schemas/guids/{guid}")).await, (200, entity.clone()));
    assert_eq!(server.get(&format!("/contexts/.staging/schemas/guids/{}", guid.to_uppercase())).await.1, entity);
    let ids = json!([{ "context": ".", "id": 1 }, { "context": ".staging", "id": 2 }]);
    assert_eq!(server.get(&format!("/schemas/guids/{guid}/ids")).await, (200, ids));
    assert_eq!(server.get("/subjects/orders/versions/1").await.1["guid"], guid);
    for subject in ["orders", "orders-too"] {
        server.delete(&format!("/subjects/{subject}")).await;
        server.delete(&format!("/subjects/{subject}?permanent=true")).await;
    }
    let ids = server.get(&format!("/schemas/guids/{guid}/ids")).await.1;
    assert_eq!(ids, json!([{ "context": ".staging", "id": 2 }]));
    for unknown in ["00000000-0000-0000-0000-000000000000", "none"] {
        assert_eq!(code(&server.get(&format!("/schemas/guids/{unknown}")).await), (404, 40403), "{unknown}");
    }
}

#[tokio::test]
async fn an_id_that_another_context_gave_is_found_by_the_subject_it_was_asked_with() {
    let server = Server::start().await;
    server.register(":.staging:orders", ORDER).await;
    assert_eq!(code(&server.get("/schemas/ids/1").await), (404, 40403));
    assert_eq!(server.get("/schemas/ids/1?subject=orders").await.1["schema"], ORDER);
    assert_eq!(server.get("/schemas/ids/1/versions?subject=orders").await.1[0]["subject"], ":.staging:orders");
    assert_eq!(code(&server.get("/schemas/ids/1?subject=returns").await), (404, 40403));
    server.register("returns", ORDER_TWO).await;
    assert_eq!(server.get("/schemas/ids/1?subject=orders").await.1["schema"], ORDER_TWO, "its own context comes first");
}

#[tokio::test]
async fn the_newest_version_with_some_metadata_is_found() {
    let server = Server::start().await;
    for (schema, owner) in [(ORDER, "crm"), (ORDER_TWO, "web")] {
        let metadata = json!({ "properties": { "owner": owner, "team": "a" } });
        let body = json!({ "schema": schema, "metadata": metadata });
        assert_eq!(server.post("/subjects/orders/versions", body).await.0, 200);
    }
    let find = async |query: &str| server.get(&format!("/subjects/orders/metadata?{query}")).await;
    assert_eq!(find("key=owner&value=crm").await.1["version"], 1);
    assert_eq!(find("key=team&value=a").await.1["version"], 2);
    assert_eq!(find("key=owner&value=crm&key=team&value=a").await.1["metadata"]["properties"]["owner"], "crm");
    assert_eq!(code(&find("key=owner&value=crm&key=team&value=b").await), (404, 40403));
    assert_eq!(code(&server.get("/subjects/none/metadata?key=a&value=b").await), (404, 40401));
}

#[tokio::test]
async fn lists_come_in_pages_and_may_mark_what_is_deleted() {
    let server = Server::start().await;
    server.put("/config", json!({ "compatibility": "NONE" })).await;
    for schema in ["\"int\"", "\"long\"", "\"string\""] {
        server.register("a", schema).await;
    }
    server.delete("/subjects/a/versions/2").await;
    let versions = async |query: &str| server.get(&format!("/subjects/a/versions?{query}")).await.1;
    assert_eq!(versions("deleted=true&deletedAsNegative=true").await, json!([1, -2, 3]));
    assert_eq!(versions("deletedOnly=true").await, json!([2]));
    assert_eq!(versions("offset=1&limit=1").await, json!([3]));
    assert_eq!(versions("limit=-1").await, json!([1, 3]));
    let references = json!([{ "name": "x", "subject": "a", "version": 1 }]);
    for subject in ["b", "c"] {
        let schema = format!(r#"{{"type":"record","name":"{subject}","fields":[]}}"#);
        server
            .post(&format!("/subjects/{subject}/versions"), json!({ "schema": schema, "references": references }))
            .await;
    }
    assert_eq!(server.get("/subjects/a/versions/1/referencedby").await.1.as_array().unwrap().len(), 2);
    assert_eq!(server.get("/subjects/a/versions/1/referencedby?offset=1").await.1.as_array().unwrap().len(), 1);
    let latest = server.get("/schemas?latestOnly=true&offset=1&limit=1").await.1;
    assert_eq!((&latest[0]["subject"], &latest[0]["version"]), (&json!("b"), &json!(1)));
    assert_eq!(server.get("/schemas?deleted=true&subjectPrefix=a").await.1.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_is_unbounded_is_refused_with_its_bound() {
    let server = Server::start().await;
    let nested = |depth: usize| format!("{}\"int\"{}", r#"{"type":"array","items":"#.repeat(depth), "}".repeat(depth));
    assert_eq!(server.register("shallow", &nested(20)).await.0, 200);
    let deep = server.register("deep", &nested(130)).await;
    assert_eq!(code(&deep), (422, 42201), "{deep:?}");
    let large = server.post("/subjects/a/versions", json!({ "schema": "x".repeat(5000) })).await;
    assert_eq!(code(&large), (413, 413));
    assert!(large.1["message"].as_str().unwrap().contains("4096 bytes"), "{large:?}");
    let name = "n".repeat(1025);
    assert_eq!(code(&server.register(&name, "\"int\"").await), (422, 42208));
}
