//! Lineage events of whomever: refused with a reason, or taken into a graph that stays within its bounds and answers about
//! itself, now and at any instant.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_lineage::graph::{Direction, Limits, NodeId};
use mesh_lineage::intake::{self, Door};
use mesh_lineage::{Graph, Moment, Side};

const LIMITS: Limits = Limits {
    datasets_max: 8,
    jobs_max: 4,
    edges_of_job_max: 6,
    edges_max: 12,
    name_bytes_max: 4_096,
    facet_bytes_max: 8_192,
    versions_of_dataset_max: 3,
    runs_of_job_max: 2,
    runs_max: 6,
    counts_max: 16,
};

fuzz_target!(|input: &[u8]| {
    let (mut graph, mut door) = (Graph::new(LIMITS), Door::default());
    let mut instants = vec![i64::MIN, 0, i64::MAX];
    // one event a line
    for line in input.split(|byte| *byte == b'\n') {
        let fresh = intake::accept(line);
        let known = door.accept(line);
        assert_eq!(fresh.is_ok(), known.is_ok(), "a door that has looked at facets is no other door");
        let Ok(event) = known else {
            let refusal = fresh.expect_err("it was refused").to_string();
            assert!(refusal.len() < 1_000 && !refusal.chars().any(char::is_control), "{refusal:?}");
            continue;
        };
        assert!(!event.key().is_empty());
        instants.push(event.at_ms);
        let _ = graph.apply(&event);
    }
    assert!(graph.dataset_count() <= LIMITS.datasets_max && graph.job_count() <= LIMITS.jobs_max);
    assert!(graph.edge_count() <= LIMITS.edges_max && graph.run_count() <= LIMITS.runs_max);
    assert!(graph.facet_bytes() <= LIMITS.facet_bytes_max);
    instants.into_iter().for_each(|at_ms| look(graph.as_of(at_ms)));
});

/// An edge is seen from both of its ends, and every walk ends.
fn look(moment: Moment<'_>) {
    for (id, job) in moment.jobs() {
        for direction in [Direction::Input, Direction::Output] {
            for link in moment.links(job, direction) {
                assert!(moment.jobs_of(link.dataset, direction).any(|(seen, _)| seen == id));
                let bounds =
                    link.observed.map(|it| it.first_seen_ms <= it.last_seen_ms && it.first_seen_ms <= moment.at_ms());
                assert_ne!(bounds, Some(false), "what is seen at an instant was seen by then");
            }
        }
        assert!(moment.neighbourhood(id, 100, 100).is_some_and(|found| found.nodes.contains(id)));
    }
    let datasets: Vec<&NodeId> = moment.datasets().map(|(id, _)| id).collect();
    let columns = datasets.iter().flat_map(|id| moment.columns(id));
    let _ = moment.columns_around(columns, &[Side::Upstream, Side::Downstream], 100, 1_000);
    let (_, _) = (moment.topic_edges(), moment.product_edges());
}
