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
    assert_eq!(again, (200, json!({ "id": 2, "version": 2 })));

    let version = json!({ "subject": "orders-value", "version": 1, "id": 1, "schema": ORDER });
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

    assert_eq!(server.get("/schemas/ids/1").await, (200, json!({ "schema": ORDER })));
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
    assert_eq!(code(&server.post("/compatibility/subjects/a/versions/7", body).await), (404, 40402));
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
