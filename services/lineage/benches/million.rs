//! A million lineage events: how long they take beside parsing the same bytes into `serde_json::Value`, and how much memory
//! the graph holds then.
//!
//! `cargo bench -p mesh-lineage --bench million`; `MESH_LINEAGE_EVENTS` for another number of events. Two loads:
//!
//! - `mesh`: a thousand products with three views, each telling a snapshot of its run again and again.
//! - `flood`: every event names a job, a run and data sets that nobody named before.
//!
//! One event in twenty is read in both ways, in turns, so that whatever slows the machine down slows both.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

mod load;

use std::time::{Duration, Instant};

use load::{PRODUCTS, Snapshots, resident_mb};
use mesh_lineage::Graph;
use mesh_lineage::intake::Door;
use serde_json::{Value, json};
use uuid::Uuid;

/// One event in so many is parsed into a value, too.
const COMPARED: u64 = 20;
fn main() {
    let events = std::env::var("MESH_LINEAGE_EVENTS").map_or(1_000_000, |text| text.parse().unwrap());
    let flood = run(events, resident_mb(), |index, event| {
        event.clear();
        event.push_str(&hostile(index));
    });
    println!("{}", json!({ "load": "flood", "result": flood }));
    let (snapshots, idle) = (Snapshots::new(), resident_mb());
    let mesh = run(events, idle, |index, event| snapshots.write(index, event));
    println!("{}", json!({ "load": "mesh", "products": PRODUCTS, "result": mesh }));
}

/// Reads every event, and some of them as values.
fn run(events: u64, idle_mb: u64, mut next: impl FnMut(u64, &mut String)) -> Value {
    let (mut graph, mut door) = (Graph::default(), Door::default());
    let (mut ours, mut compared, mut baseline) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let (mut bytes, mut left_out) = (0, 0_u64);
    let mut event = String::new();
    for index in 0..events {
        next(index, &mut event);
        bytes += event.len();
        let started = Instant::now();
        let accepted = door.accept(event.as_bytes()).unwrap();
        left_out += u64::from(graph.apply(&accepted).is_err());
        let took = started.elapsed();
        ours += took;
        if index % COMPARED == 0 {
            compared += took;
            let started = Instant::now();
            drop(std::hint::black_box(serde_json::from_slice::<Value>(event.as_bytes()).unwrap()));
            baseline += started.elapsed();
        }
    }
    let each = |all: Duration, events: u64| all.as_secs_f64() * 1e6 / events as f64;
    json!({
        "events": events,
        "bytes_per_event": bytes as u64 / events,
        "us_per_event": each(ours, events),
        "us_per_event_value": each(baseline, events.div_ceil(COMPARED)),
        "ratio": compared.as_secs_f64() / baseline.as_secs_f64(),
        "seconds": ours.as_secs_f64(),
        "resident_mb": resident_mb() - idle_mb.min(resident_mb()),
        "left_out": left_out,
        "datasets": graph.dataset_count(), "jobs": graph.job_count(), "edges": graph.edge_count(),
        "runs": graph.run_count(), "facet_bytes": graph.facet_bytes(),
    })
}

fn hostile(index: u64) -> String {
    let dataset = |side: &str| {
        let signed = json!({ "_producer": "https://example.org", "_schemaURL": "https://example.org/f.json",
            "description": "x".repeat(200 + (index % 100) as usize) });
        json!({ "namespace": format!("kafka://{side}{index}:9092"), "name": format!("{side}.{index}"),
            "facets": { "documentation": signed } })
    };
    json!({
        "eventType": "RUNNING", "eventTime": "2026-01-01T00:00:00Z", "producer": "https://example.org",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": { "runId": Uuid::from_u128(u128::from(index)) },
        "job": { "namespace": "flood", "name": format!("job{index}") },
        "inputs": [dataset("in")], "outputs": [dataset("out")],
    })
    .to_string()
}
