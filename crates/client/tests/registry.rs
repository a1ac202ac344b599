//! The registry's client against a registry that says what the test wants.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use mesh_client::registry::Reference;
use mesh_client::{RegistryClient, RegistryError};
use mesh_contract::Compatibility;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

type Answers = Vec<(u16, Value)>;

/// Answers by "METHOD path", the last one for ever; remembers what was asked.
#[derive(Clone, Default)]
struct Stub {
    answers: Arc<Mutex<HashMap<String, Answers>>>,
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl Stub {
    fn on(self, request: &str, answers: &[(u16, Value)]) -> Self {
        self.answers.lock().unwrap().insert(request.to_owned(), answers.to_vec());
        self
    }

    async fn start(&self) -> String {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stub = self.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(stub.clone().serve(connection));
            }
        });
        format!("http://user:secret@{address}")
    }

    async fn serve(self, mut connection: TcpStream) {
        let mut bytes = Vec::new();
        let head = loop {
            let mut buffer = [0; 4096];
            let read = connection.read(&mut buffer).await.unwrap_or(0);
            bytes.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if read == 0 {
                return;
            }
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let lower = head.to_ascii_lowercase();
            let length = lower.split_once("content-length: ").and_then(|(_, after)| after.lines().next()?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                break (head.to_owned(), body.to_owned());
            }
        };
        assert!(head.0.to_ascii_lowercase().contains("authorization: basic"), "credentials are sent");
        let request = head.0.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
        self.asked.lock().unwrap().push((request.clone(), head.1));
        let (status, body) = self.answer(&request);
        let body = body.to_string();
        let length = body.len();
        let response = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        let _ = connection.write_all(response.as_bytes()).await;
    }

    fn answer(&self, request: &str) -> (u16, Value) {
        let mut answers = self.answers.lock().unwrap();
        match answers.get_mut(request) {
            Some(left) if left.len() > 1 => left.remove(0),
            Some(left) => left[0].clone(),
            None => (404, json!({ "error_code": 40403, "message": "Schema not found" })),
        }
    }

    fn count(&self, request: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|(asked, _)| asked == request).count()
    }
}

const BY_ID: &str = "GET /schemas/ids/7?deleted=true";

#[tokio::test]
async fn a_schema_is_asked_for_once() {
    let stub = Stub::default().on(BY_ID, &[(200, json!({ "schema": "\"string\"" }))]);
    let registry = RegistryClient::new(stub.start().await).unwrap();
    assert!(!registry.url().contains("secret"));
    for _ in 0..3 {
        let schema = registry.clone().schema_by_id(7).await.unwrap();
        assert_eq!((schema.id, schema.text.as_str()), (7, "\"string\""));
        schema.parse().unwrap();
    }
    assert_eq!(stub.count(BY_ID), 1);
}

#[tokio::test]
async fn references_come_before_what_refers_to_them() {
    let refers = |subject: &str| json!([{ "name": "n", "subject": subject, "version": 1 }]);
    let stub = Stub::default()
        .on(BY_ID, &[(200, json!({ "schema": "A", "references": refers("b") }))])
        .on(
            "GET /subjects/b/versions/1",
            &[(200, json!({ "id": 2, "version": 1, "schema": "B", "references": refers("c") }))],
        )
        .on("GET /subjects/c/versions/1", &[(200, json!({ "id": 3, "version": 1, "schema": "C" }))]);
    let registry = RegistryClient::new(stub.start().await).unwrap();
    assert_eq!(registry.schema_by_id(7).await.unwrap().references, ["C", "B"]);
}

#[tokio::test]
async fn what_is_referred_to_on_several_ways_is_asked_for_once() {
    let refers = |subjects: &[&str]| {
        let refers = |subject: &&str| json!({ "name": "n", "subject": subject, "version": 1 });
        subjects.iter().map(refers).collect::<Vec<_>>()
    };
    // a ladder: as many ways to its end as two to the power of its length
    let mut stub = Stub::default().on(BY_ID, &[(200, json!({ "schema": "top", "references": refers(&["a0", "b0"]) }))]);
    for at in 0..20 {
        for side in ["a", "b"] {
            let next = [format!("a{}", at + 1), format!("b{}", at + 1)];
            let next: Vec<&str> = if at == 19 { Vec::new() } else { next.iter().map(String::as_str).collect() };
            let (schema, references) = (format!("{side}{at}"), refers(&next));
            let answer = json!({ "id": 2, "version": 1, "schema": schema, "references": references });
            stub = stub.on(&format!("GET /subjects/{side}{at}/versions/1"), &[(200, answer)]);
        }
    }
    let registry = RegistryClient::new(stub.start().await).unwrap();
    let found = registry.schema_by_id(7).await.unwrap().references.clone();
    assert_eq!((found.len(), stub.count("GET /subjects/a19/versions/1")), (40, 1));
    let at = |text: &str| found.iter().position(|found| found == text).unwrap();
    assert!((0..19).all(|level| at(&format!("b{}", level + 1)) < at(&format!("a{level}"))), "{found:?}");
}

#[tokio::test]
async fn a_reference_that_is_gone_leaves_nothing_to_decode_with() {
    let refers = json!([{ "name": "n", "subject": "gone", "version": 3 }]);
    let stub = Stub::default().on(BY_ID, &[(200, json!({ "schema": "A", "references": refers }))]);
    let registry = RegistryClient::new(stub.start().await).unwrap();
    let error = registry.schema_by_id(7).await.unwrap_err();
    let said = "gone version 3, which schema id 7 refers to";
    assert!(matches!(&error, RegistryError::NotFound { what, .. } if what == said), "{error}");
}

#[tokio::test]
async fn a_schema_is_found_however_it_is_divided() {
    let address = json!({"type": "record", "name": "c.Address", "fields": []});
    let customer =
        |address: Value| json!({"type": "record", "name": "c.Customer", "fields": [{"name": "a", "type": address}]});
    let (divided, whole) = (customer(json!("c.Address")), customer(address.clone()));
    let refers = json!([{ "name": "c.Address", "subject": "c.Address", "version": 1 }]);
    let version = json!({ "id": 7, "version": 2, "schema": divided.to_string(), "references": refers });
    let stub = Stub::default()
        .on("GET /subjects/s/versions", &[(200, json!([2]))])
        .on("GET /subjects/s/versions/2", &[(200, version.clone())])
        .on(BY_ID, &[(200, version)])
        .on(
            "GET /subjects/c.Address/versions/1",
            &[(200, json!({ "id": 3, "version": 1, "schema": address.to_string() }))],
        )
        .on("POST /subjects/s/versions", &[(200, json!({ "id": 9 }))]);
    let registry = RegistryClient::new(stub.start().await).unwrap();
    assert_eq!(registry.id_of("s", &whole).await.unwrap(), 7);
    assert_eq!(stub.count("POST /subjects/s/versions"), 0);
    assert_eq!(registry.id_of("s", &customer(json!("string"))).await.unwrap(), 9, "another schema is registered");
    let reference = Reference { name: "c.Address".into(), subject: "c.Address".into(), version: 1 };
    assert_eq!(registry.register_with("s", &divided, &[reference]).await.unwrap(), 9);
    let body = stub.asked.lock().unwrap().last().unwrap().1.clone();
    assert_eq!(
        serde_json::from_str::<Value>(&body).unwrap()["references"],
        json!([{ "name": "c.Address", "subject": "c.Address", "version": 1 }])
    );
}

#[tokio::test]
async fn not_found_is_certain_and_unavailable_is_tried_again() {
    let busy = (503, json!({ "error_code": 50301, "message": "not caught up yet" }));
    let stub = Stub::default().on(BY_ID, &[busy.clone(), busy.clone(), (200, json!({ "schema": "\"int\"" }))]);
    let registry = RegistryClient::new(stub.start().await).unwrap();
    assert_eq!(registry.schema_by_id(7).await.unwrap().text, "\"int\"");
    assert_eq!(stub.count(BY_ID), 3);
    let missing = registry.schema_by_id(8).await.unwrap_err();
    assert!(matches!(&missing, RegistryError::NotFound { what, .. } if what == "schema id 8"), "{missing}");
    assert_eq!(stub.count("GET /schemas/ids/8?deleted=true"), 1);

    let stub = Stub::default().on(BY_ID, &[busy]);
    let registry = RegistryClient::new(stub.start().await).unwrap();
    let unavailable = registry.schema_by_id(7).await.unwrap_err();
    assert!(unavailable.is_unavailable() && unavailable.to_string().contains("not caught up yet"), "{unavailable}");
    assert_eq!(stub.count(BY_ID), 4);
}

#[tokio::test]
async fn a_registry_that_is_down_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let registry = RegistryClient::new(format!("http://{address}")).unwrap();
    for error in [registry.schema_by_id(7).await.unwrap_err(), registry.check("s", &json!("int")).await.unwrap_err()] {
        assert!(error.is_unavailable() && error.to_string().to_lowercase().contains("refused"), "{error}");
    }
}

#[tokio::test]
async fn refusals_have_kinds() {
    let refused = |status: u16, code: u32| (status, json!({ "error_code": code, "message": "why" }));
    let stub = Stub::default()
        .on("POST /subjects/incompatible/versions", &[refused(409, 409)])
        .on("POST /subjects/invalid/versions", &[refused(422, 42201)])
        .on("POST /subjects/forbidden/versions", &[refused(403, 40301)])
        .on("POST /subjects/new/versions", &[(200, json!({ "id": 5 }))]);
    let registry = RegistryClient::new(stub.start().await).unwrap();
    let register = async |subject| registry.register(subject, &json!("int")).await;
    assert!(matches!(register("incompatible").await, Err(RegistryError::Incompatible { said, .. }) if said == "why"));
    assert!(matches!(register("invalid").await, Err(RegistryError::InvalidSchema { .. })));
    assert!(matches!(register("forbidden").await, Err(RegistryError::Unauthorised { .. })));
    assert_eq!((register("new").await, register("new").await), (Ok(5), Ok(5)));
    assert_eq!(stub.count("POST /subjects/new/versions"), 1);
    let body = stub.asked.lock().unwrap().last().unwrap().1.clone();
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["schema"], "\"int\"");
}

#[tokio::test]
async fn levels_and_verdicts_are_read() {
    let check = "POST /compatibility/subjects/s/versions?verbose=true";
    let stub = Stub::default()
        .on(check, &[(200, json!({ "is_compatible": false, "messages": ["field x is gone"] }))])
        .on("PUT /config/s", &[(200, json!({ "compatibility": "FULL" }))])
        .on("GET /config/s?defaultToGlobal=true", &[(200, json!({ "compatibilityLevel": "FULL" }))]);
    let registry = RegistryClient::new(stub.start().await).unwrap();
    let verdict = registry.check("s", &json!("int")).await.unwrap();
    assert!(!verdict.compatible && verdict.messages == ["field x is gone"]);
    assert!(registry.check("unknown", &json!("int")).await.unwrap().compatible);
    registry.set_compatibility(Some("s"), Compatibility::Full).await.unwrap();
    assert_eq!(registry.compatibility("s").await.unwrap(), Compatibility::Full);
    let set = stub.asked.lock().unwrap().iter().find(|(request, _)| request == "PUT /config/s").unwrap().1.clone();
    assert_eq!(set, r#"{"compatibility":"FULL"}"#);
}
