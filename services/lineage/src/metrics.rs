//! What the service counts. Labels are reason codes only: names in events are anybody's.

use metrics::{counter, gauge};

use crate::Graph;
use crate::graph::GraphFull;
use crate::intake::Refusal;

pub(crate) fn event_applied() {
    counter!("mesh_lineage_events_total").increment(1);
}

pub(crate) fn event_refused(refusal: &Refusal) {
    counter!("mesh_lineage_refused_events_total", "reason" => refusal.code()).increment(1);
}

pub(crate) fn graph_full(full: GraphFull) {
    counter!("mesh_lineage_graph_full_total", "reason" => full.code()).increment(1);
}

pub(crate) fn graph_size(graph: &Graph) {
    gauge!("mesh_lineage_graph_datasets").set(graph.dataset_count() as f64);
    gauge!("mesh_lineage_graph_jobs").set(graph.job_count() as f64);
    gauge!("mesh_lineage_graph_edges").set(graph.edge_count() as f64);
    gauge!("mesh_lineage_graph_runs").set(graph.run_count() as f64);
    gauge!("mesh_lineage_graph_facet_bytes").set(graph.facet_bytes() as f64);
}
