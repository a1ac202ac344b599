//! Requests to the registry, one after another, on a log in memory: every answer is a typed one.
//!
//! The requests are text with a line `---` between; of each the first line is method and target, the rest its body.
#![no_main]

use std::cell::LazyCell;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use libfuzzer_sys::fuzz_target;
use mesh_contract::{AppliedProduct, parse_contract};
use mesh_registry::memory::MemoryRegistry;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

/// The most requests of one input.
const REQUESTS_MAX: usize = 12;
const BODY_BYTES_MAX: usize = 16 * 1024;
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

thread_local!(static WORLD: LazyCell<(Runtime, MemoryRegistry)> = const { LazyCell::new(world) });

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    WORLD.with(|world| {
        let (runtime, registry) = &**world;
        registry.forget();
        for request in text.split("\n---\n").take(REQUESTS_MAX) {
            runtime.block_on(ask(registry, request));
        }
    });
});

/// A registry that holds the subjects of `crm.customers` to its contract.
fn world() -> (Runtime, MemoryRegistry) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime needs nothing but memory");
    let contract = parse_contract("customers.yaml", include_str!("../../topics/crm/customers.yaml"));
    let contract = contract.expect("the example is a contract").value;
    let schema = serde_json::from_str(include_str!("../../schemas/crm/customer.avsc")).expect("the example is JSON");
    let product = AppliedProduct { revision: 1, applied_at_ms: 0, contract, schema };
    let registry = runtime.block_on(async { MemoryRegistry::start(&[product], BODY_BYTES_MAX) });
    (runtime, registry)
}

async fn ask(registry: &MemoryRegistry, text: &str) {
    let (line, body) = text.split_once('\n').unwrap_or((text, ""));
    let (method, target) = line.split_once(' ').unwrap_or(("GET", line));
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header(header::CONTENT_TYPE, "application/vnd.schemaregistry.v1+json")
        .body(Body::from(body.to_owned()));
    // What is no request of HTTP at all gets no further than the server's parser.
    let Ok(request) = request else { return };
    let answer = registry.router().oneshot(request).await.unwrap_or_else(|never| match never {});
    let status = answer.status();
    assert!(!status.is_server_error() || status == StatusCode::NOT_IMPLEMENTED, "{line}: {status}");
    let body = to_bytes(answer.into_body(), ANSWER_BYTES_MAX).await.expect("answers are bounded");
    if status.is_client_error() && method != "HEAD" {
        let problem: serde_json::Value = serde_json::from_slice(&body).expect("a refusal is JSON");
        assert!(problem["error_code"].is_u64() && problem["message"].is_string(), "{line}: {problem}");
    }
}
