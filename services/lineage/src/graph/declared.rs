//! What contracts declare: a product is derived from its dependencies.

use std::sync::Arc;

use mesh_client::lineage::KafkaCluster;
use mesh_client::lineage::name::{JOB_NAMESPACE, derivation_job};
use mesh_contract::{AppliedProduct, ProductRef};

use super::timeline::Timeline;
use super::{Direction, Graph, GraphFull, NodeId};
use crate::event::{Facets, Thing, Work};

/// A revision of a contract, and when it stopped to hold.
#[derive(Debug, Clone, Copy)]
pub struct Declaration<'a> {
    /// The product as it was applied.
    pub applied: &'a AppliedProduct,
    /// When the next revision was applied, or the product was gone; `None` if it holds.
    pub until_ms: Option<i64>,
}

/// How many changes of mind are kept of one declared edge.
const CHANGES_MAX: usize = 32;

impl Graph {
    /// Marks what the contracts declare and declared, on the cluster of this name, in the place of all that was declared
    /// before. From now on the cluster's topics are called by that name, whichever of its names an event uses. A dependency without
    /// a major version is on the newest one; one on a product that is not there is left out.
    pub fn declare(&mut self, cluster: &KafkaCluster, declarations: &[Declaration<'_>]) -> Result<(), GraphFull> {
        self.cluster = Some(Arc::new(cluster.clone()));
        self.undeclare_derivations();
        let mut outcome = Ok(());
        let mut in_order: Vec<&Declaration<'_>> = declarations.iter().collect();
        in_order.sort_by_key(|declaration| declaration.applied.applied_at_ms);
        for declaration in in_order {
            let wanted = declaration.applied.contract.dependencies.iter();
            let sources: Vec<String> = wanted.filter_map(|it| resolve(it, declarations)).map(output_topic).collect();
            if !sources.is_empty() {
                outcome = outcome.and(self.declare_one(cluster, declaration, &sources));
            }
        }
        self.forget_empty_jobs();
        outcome
    }

    fn declare_one(
        &mut self,
        cluster: &KafkaCluster,
        declaration: &Declaration<'_>,
        sources: &[String],
    ) -> Result<(), GraphFull> {
        let (applied, from_ms) = (declaration.applied, declaration.applied.applied_at_ms);
        let name = derivation_job(&applied.contract.product().to_string(), applied.contract.version);
        let facets = Facets::default();
        let job = Thing { namespace: JOB_NAMESPACE.into(), name: name.into(), facets };
        let job = self.observe_job(&job, from_ms)?;
        let sources = sources.iter().map(|topic| (topic.clone(), Direction::Input));
        let target = (applied.contract.topics().input, Direction::Output);
        sources.chain([target]).try_for_each(|(topic, direction)| {
            let dataset = self.observe_dataset(cluster.namespace.as_str(), &topic, from_ms)?;
            let declared = &mut self.edge(&job, &dataset, direction)?.declared;
            declared.set(from_ms, true, CHANGES_MAX);
            declaration.until_ms.into_iter().for_each(|until_ms| declared.set(until_ms, false, CHANGES_MAX));
            Ok(())
        })
    }

    /// Takes in what a job is designed to touch: all of it, so that what it no longer names is no longer declared. What
    /// the derivations of products are declared to touch, the contracts say.
    pub(super) fn apply_design(&mut self, work: &Work<'_>, at_ms: i64) -> Result<(), GraphFull> {
        let job = self.observe_job(&work.job, at_ms)?;
        if is_derivation(&work.job.namespace, &work.job.name) {
            return self.each_touched(work, |graph, touched, _| {
                let id = graph.observe_dataset(touched.namespace(), touched.name(), at_ms)?;
                graph.learn(&id, touched.facets(), at_ms)
            });
        }
        self.undeclare(&job, at_ms);
        self.each_touched(work, |graph, touched, direction| {
            let id = graph.observe_dataset(touched.namespace(), touched.name(), at_ms)?;
            graph.edge(&job, &id, direction)?.declared.set(at_ms, true, CHANGES_MAX);
            if direction == Direction::Output {
                graph.learn_columns(&job, &id, touched.facets(), at_ms)?;
            }
            graph.learn(&id, touched.facets(), at_ms)
        })
    }

    fn undeclare(&mut self, job: &NodeId, at_ms: i64) {
        let Some(node) = self.jobs.get_mut(job) else { return };
        let edges = node.inputs.values_mut().chain(node.outputs.values_mut());
        let declared = edges.filter(|edge| edge.declared.at(at_ms) == Some(&true));
        declared.for_each(|edge| edge.declared.set(at_ms, false, CHANGES_MAX));
    }

    fn undeclare_derivations(&mut self) {
        let derivations = self.jobs.values_mut().filter(|job| is_derivation(job.namespace(), job.name()));
        for job in derivations {
            job.inputs.values_mut().chain(job.outputs.values_mut()).for_each(|it| it.declared = Timeline::default());
        }
    }

    /// Derivations' edges that nobody saw and nobody ever declared are gone; so are derivations without any.
    fn forget_empty_jobs(&mut self) {
        let (datasets, edges) = (&mut self.datasets, &mut self.edges);
        let mut gone = Vec::new();
        for (id, job) in &mut self.jobs {
            if !is_derivation(job.namespace(), job.name()) {
                continue;
            }
            for direction in [Direction::Input, Direction::Output] {
                job.edges_mut(direction).retain(|dataset, edge| {
                    let stays = !edge.declared.entries().is_empty() || edge.seen.is_some();
                    if !stays {
                        *edges -= 1;
                        if let Some(node) = datasets.get_mut(dataset) {
                            node.touched_by(direction).remove(id);
                        }
                    }
                    stays
                });
            }
            if job.inputs.is_empty() && job.outputs.is_empty() && job.runs.is_empty() {
                gone.push(id.clone());
            }
        }
        for id in gone {
            self.jobs.remove(&id);
            self.name_bytes -= id.len();
        }
    }
}

fn is_derivation(namespace: &str, name: &str) -> bool {
    namespace == JOB_NAMESPACE && name.starts_with("derive.")
}

fn resolve<'a>(wanted: &ProductRef, declarations: &[Declaration<'a>]) -> Option<&'a AppliedProduct> {
    let named = declarations.iter().filter(|it| it.applied.contract.product() == wanted.product);
    let fits = named.filter(|it| wanted.major.is_none_or(|major| major == it.applied.contract.version));
    let newest = fits.max_by_key(|it| (it.until_ms.is_none(), it.applied.contract.version));
    newest.map(|it| it.applied)
}

/// Derived products read the default view.
fn output_topic(product: &AppliedProduct) -> String {
    let topics = product.contract.topics();
    topics.views.into_iter().next().map(|(_, topic)| topic).unwrap_or_default()
}
