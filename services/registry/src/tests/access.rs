//! Who may do what: by user, and by the subjects that each may read or write.

use std::{fs, os::unix::fs::PermissionsExt};

use mesh_runtime::access::{Access, hashed_password, hashed_token};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Server;

const SCHEMA: &str = "\"string\"";
const OTHER: &str = "\"long\"";

/// A registry with an operator, the domain `crm`, an analyst, and somebody without rights; each one's token is its name.
pub(super) async fn server(everyone: Value) -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.json");
    let user = |name: &str, read: &[&str], write: &[&str]| json!({ "name": name, "token": hashed_token(name), "read": read, "write": write });
    let mut users = vec![
        user("operator", &[], &["*"]),
        user("crm", &["web."], &["crm."]),
        user("analyst", &["*"], &[]),
        user("staging", &[], &[":.staging:"]),
        user("none", &[], &[]),
    ];
    users[1]["password"] = json!(hashed_password("correct horse").unwrap());
    fs::write(&path, json!({ "users": users, "everyone": everyone }).to_string()).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    (Server::start_asking(Access::open(&path).unwrap()).await, folder)
}

impl Server {
    /// Status and code of an answer to somebody, who gives a token.
    async fn asked_by(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> (u16, u64) {
        let (status, body) = self.told(token, method, path, body).await;
        (status, body["error_code"].as_u64().unwrap_or_default())
    }

    async fn told(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(token);
        let request = body.iter().fold(request, |request, body| request.json(body));
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub(super) async fn registered_by(&self, token: &str, subject: &str) -> (u16, u64) {
        let body = json!({ "schema": SCHEMA });
        self.asked_by(token, Method::POST, &format!("/subjects/{subject}/versions"), Some(body)).await
    }
}

const FORBIDDEN: (u16, u64) = (403, 40301);

#[tokio::test]
async fn without_credentials_nothing_is_answered_but_that_a_registry_is_here() {
    let (server, _folder) = server(json!({})).await;
    assert_eq!(server.get("/").await.0, 200);
    for path in ["/subjects", "/schemas/ids/1", "/config", "/schemas/types", "/nowhere", "/contexts/.a/subjects"] {
        let (status, body) = server.get(path).await;
        assert_eq!((status, &body["error_code"]), (401, &json!(40101)), "{path}");
        assert_eq!(server.asked_by("wrong", Method::GET, path, None).await, (401, 40101), "{path}");
    }
    let response = server.send(Method::GET, "/subjects", None).await;
    assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic"));
    let basic = |password: &'static str| {
        server.client.get(format!("{}/subjects", server.url)).basic_auth("crm", Some(password)).send()
    };
    assert_eq!(basic("correct horse").await.unwrap().status(), 200);
    assert_eq!(basic("battery staple").await.unwrap().status(), 401);
}

#[tokio::test]
async fn each_reads_and_writes_its_own_subjects_alone() {
    let (server, _folder) = server(json!({})).await;
    for subject in ["crm.customers-value", "crmx.customers-value", "web.views-value", ":.staging:crm.a-value"] {
        assert_eq!(server.registered_by("operator", subject).await, (200, 0), "{subject}");
    }
    for (who, subject, expected) in [
        ("crm", "crm.orders-value", (200, 0)),
        ("crm", "crmx.orders-value", FORBIDDEN),
        ("crm", "crm", FORBIDDEN),
        ("crm", "web.views-value", FORBIDDEN),
        ("crm", ":.staging:crm.a-value", FORBIDDEN),
        ("crm", ":.:crm.orders-value", (200, 0)),
        ("staging", ":.staging:b-value", (200, 0)),
        ("staging", ":.staging2:b-value", FORBIDDEN),
        ("staging", "staging-value", FORBIDDEN),
        ("analyst", "crm.orders-value", FORBIDDEN),
        ("none", "crm.orders-value", FORBIDDEN),
    ] {
        assert_eq!(server.registered_by(who, subject).await, expected, "{who} {subject}");
    }
    let under_context = server.asked_by("crm", Method::GET, "/contexts/.staging/subjects/crm.a-value/versions", None);
    assert_eq!(under_context.await, FORBIDDEN, "a context in front grants nothing");
    let list = async |who| server.told(who, Method::GET, "/subjects?subjectPrefix=:*:", None).await.1;
    assert_eq!(list("crm").await, json!(["crm.customers-value", "crm.orders-value", "web.views-value"]));
    assert_eq!(list("none").await, json!([]));
    assert_eq!(list("staging").await, json!([":.staging:b-value", ":.staging:crm.a-value"]));
    assert_eq!(list("analyst").await.as_array().unwrap().len(), 6);
    let contexts = async |who| server.told(who, Method::GET, "/contexts", None).await.1;
    assert_eq!((contexts("crm").await, contexts("staging").await), (json!(["."]), json!([".", ".staging"])));
    let versions = server.told("crm", Method::GET, "/schemas?subjectPrefix=:*:", None).await.1;
    assert_eq!(versions.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn every_resource_of_a_subject_asks_for_the_right_to_it() {
    let (server, _folder) = server(json!({})).await;
    server.registered_by("operator", "erp.items-value").await;
    server.registered_by("operator", "web.views-value").await;
    let schema = || Some(json!({ "schema": SCHEMA }));
    let reads = [
        (Method::GET, "/subjects/{s}/versions", None),
        (Method::GET, "/subjects/{s}/versions/1", None),
        (Method::GET, "/subjects/{s}/versions/1/schema", None),
        (Method::GET, "/subjects/{s}/versions/1/referencedby", None),
        (Method::POST, "/subjects/{s}", schema()),
        (Method::POST, "/compatibility/subjects/{s}/versions", schema()),
        (Method::POST, "/compatibility/subjects/{s}/versions/latest", schema()),
        (Method::GET, "/config/{s}?defaultToGlobal=true", None),
        (Method::GET, "/mode/{s}?defaultToGlobal=true", None),
    ];
    for (method, path, body) in reads {
        let ask = async |who, subject: &str| {
            server.asked_by(who, method.clone(), &path.replace("{s}", subject), body.clone()).await
        };
        assert_eq!(ask("crm", "erp.items-value").await, FORBIDDEN, "{path}");
        assert_eq!(ask("crm", "web.views-value").await.0, 200, "{path}");
    }
    let writes = [
        (Method::POST, "/subjects/{s}/versions", schema()),
        (Method::PUT, "/config/{s}", Some(json!({ "compatibility": "NONE" }))),
        (Method::DELETE, "/config/{s}", None),
        (Method::PUT, "/mode/{s}", Some(json!({ "mode": "READONLY" }))),
        (Method::DELETE, "/mode/{s}", None),
        (Method::DELETE, "/subjects/{s}/versions/1", None),
        (Method::DELETE, "/subjects/{s}/versions/1?permanent=true", None),
        (Method::DELETE, "/subjects/{s}?permanent=true", None),
    ];
    for (method, path, body) in writes {
        let path = path.replace("{s}", "web.views-value");
        let ask = async |who| server.asked_by(who, method.clone(), &path, body.clone()).await;
        assert_eq!(ask("crm").await, FORBIDDEN, "{method} {path}: who may read may not write");
        let operator = ask("operator").await;
        assert!(operator.0 == 200 || operator.1 == 40401, "{method} {path}: {operator:?}");
    }
    for path in ["/config", "/mode"] {
        for method in [Method::PUT, Method::DELETE] {
            let body = Some(json!({ "compatibility": "NONE", "mode": "READWRITE" }));
            assert_eq!(server.asked_by("crm", method.clone(), path, body).await, FORBIDDEN, "{method} {path}");
        }
        assert_eq!(server.asked_by("crm", Method::GET, path, None).await.0, 200, "{path}");
    }
}

#[tokio::test]
async fn an_id_is_read_by_whoever_may_read_a_subject_of_it() {
    let (server, _folder) = server(json!({})).await;
    server.registered_by("operator", "crm.customers-value").await;
    server.registered_by("operator", "erp.items-value").await;
    let other = Some(json!({ "schema": OTHER }));
    server.asked_by("operator", Method::POST, "/subjects/erp.other-value/versions", other).await;
    for resource in ["", "/schema", "/subjects", "/versions"] {
        let of = |id| format!("/schemas/ids/{id}{resource}");
        assert_eq!(server.told("crm", Method::GET, &of(1), None).await.0, 200, "{resource}");
        assert_eq!(server.asked_by("crm", Method::GET, &of(2), None).await, FORBIDDEN, "{resource}");
        assert_eq!(server.asked_by("crm", Method::GET, &of(9), None).await, (404, 40403), "{resource}");
    }
    let uses = server.told("crm", Method::GET, "/schemas/ids/1/subjects", None).await.1;
    assert_eq!(uses, json!(["crm.customers-value"]), "and learns nothing of the others");
    let uses = server.told("crm", Method::GET, "/schemas/ids/1/versions", None).await.1;
    assert_eq!(uses, json!([{ "subject": "crm.customers-value", "version": 1 }]));

    let references = json!([{ "name": "x", "subject": "erp.other-value", "version": 1 }]);
    let body = json!({ "schema": SCHEMA, "references": references });
    let referring = server.asked_by("crm", Method::POST, "/subjects/crm.x-value/versions", Some(body)).await;
    assert_eq!(referring, FORBIDDEN, "what cannot be read cannot be referred to");
}

#[tokio::test]
async fn everyone_may_be_let_read() {
    let (server, _folder) = server(json!({ "read": ["crm."] })).await;
    server.registered_by("operator", "crm.customers-value").await;
    server.registered_by("operator", "erp.items-value").await;
    assert_eq!(server.get("/subjects").await, (200, json!(["crm.customers-value"])));
    assert_eq!(server.get("/subjects/erp.items-value/versions").await.1["error_code"], 40301);
    let refused = server.register("crm.customers-value", OTHER).await;
    assert_eq!((refused.0, &refused.1["error_code"]), (403, &json!(40301)));
    let message = refused.1["message"].as_str().unwrap();
    assert_eq!(message, "User everyone is denied operation Write on Subject: crm.customers-value");
}
