//! Records of `_schemas`, whoever wrote them: what is understood is written the same again, the rest changes nothing, and
//! the registry answers about whatever state they lead to.
//!
//! The records are text with a line `---` between; of each the first line is the key and the rest the value; no value at
//! all is a tombstone.
#![no_main]

use std::cell::LazyCell;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use libfuzzer_sys::fuzz_target;
use mesh_registry::memory::{MemoryRegistry, rewritten};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Questions about whatever is there.
const QUESTIONS: [&str; 10] = [
    "/subjects?deleted=true",
    "/schemas?deleted=true",
    "/schemas/ids/1?fetchMaxId=true",
    "/schemas/ids/2/versions?deleted=true",
    "/subjects/a/versions/latest",
    "/subjects/a/versions/1/referencedby",
    "/config/a?defaultToGlobal=true",
    "/mode/a?defaultToGlobal=true",
    "/contexts",
    "/mode",
];

thread_local!(static WORLD: LazyCell<(Runtime, MemoryRegistry)> = const { LazyCell::new(world) });

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    WORLD.with(|world| {
        let (runtime, registry) = &**world;
        registry.forget();
        for (offset, record) in text.split("\n---\n").enumerate() {
            let (key, value) = record.split_once('\n').map_or((record, None), |(key, value)| (key, Some(value)));
            let (key, value) = (key.as_bytes(), value.map(str::as_bytes));
            if let Some((key, value)) = rewritten(Some(key), value) {
                let again = rewritten(Some(&key), value.as_deref());
                assert_eq!(again, Some((key, value)), "what the registry writes it reads as the same");
            }
            registry.follow(offset as i64, Some(key), value);
        }
        runtime.block_on(answers(registry));
    });
});

fn world() -> (Runtime, MemoryRegistry) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime needs nothing but memory");
    let registry = runtime.block_on(async { MemoryRegistry::start(&[], 16 * 1024) });
    (runtime, registry)
}

async fn answers(registry: &MemoryRegistry) {
    for question in QUESTIONS {
        let request = Request::get(question).body(Body::empty()).expect("the question is well formed");
        let answer = registry.router().oneshot(request).await.unwrap_or_else(|never| match never {});
        assert!(!answer.status().is_server_error(), "{question}: {}", answer.status());
        let body = to_bytes(answer.into_body(), ANSWER_BYTES_MAX).await.expect("answers are bounded");
        serde_json::from_slice::<serde_json::Value>(&body).expect("answers are JSON");
    }
}
