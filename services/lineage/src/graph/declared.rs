//! What contracts declare: a product is derived from its dependencies.

use std::borrow::Borrow;

use mesh_client::lineage::name::{JOB_NAMESPACE, KafkaNamespace, derivation_job};
use mesh_client::lineage::{Dataset, Job};
use mesh_contract::{AppliedProduct, ProductRef};

use super::{Direction, Graph, GraphFull};

impl Graph {
    /// Marks what the contracts declare, and unmarks what they no longer do. A dependency without a major version is on
    /// the newest one; one on a product that is not there is left out.
    pub fn declare(
        &mut self,
        namespace: &KafkaNamespace,
        products: &[impl Borrow<AppliedProduct>],
    ) -> Result<(), GraphFull> {
        let products: Vec<&AppliedProduct> = products.iter().map(Borrow::borrow).collect();
        self.undeclare_derivations();
        let mut outcome = Ok(());
        for &product in &products {
            let sources = product.contract.dependencies.iter().filter_map(|wanted| resolve(wanted, &products));
            let sources: Vec<String> = sources.map(output_topic).collect();
            if !sources.is_empty() {
                outcome = outcome.and(self.declare_one(namespace, product, &sources));
            }
        }
        self.forget_empty_jobs();
        outcome
    }

    fn declare_one(
        &mut self,
        namespace: &KafkaNamespace,
        product: &AppliedProduct,
        sources: &[String],
    ) -> Result<(), GraphFull> {
        let at_ms = product.applied_at_ms;
        let name = derivation_job(&product.contract.product().to_string(), product.contract.version);
        let job = self.observe_job(&Job::mesh(name), at_ms)?;
        let sources = sources.iter().map(|topic| (topic.clone(), Direction::Input));
        let target = (product.contract.topics().input, Direction::Output);
        sources.chain([target]).try_for_each(|(topic, direction)| {
            let dataset = self.observe_dataset(&Dataset::topic(namespace, topic), at_ms)?;
            self.edge(&job, &dataset, direction).map(|edge| edge.declared = true)
        })
    }

    fn undeclare_derivations(&mut self) {
        let derivations = self.jobs.values_mut().filter(|job| is_derivation(&job.namespace, &job.name));
        for job in derivations {
            job.inputs.values_mut().chain(job.outputs.values_mut()).for_each(|edge| edge.declared = false);
        }
    }

    /// Edges that nobody saw and nobody declares any more are gone; so are derivations without any.
    fn forget_empty_jobs(&mut self) {
        let datasets = &mut self.datasets;
        self.jobs.retain(|id, job| {
            if !is_derivation(&job.namespace, &job.name) {
                return true;
            }
            for direction in [Direction::Input, Direction::Output] {
                job.edges_mut(direction).retain(|dataset, edge| {
                    let stays = edge.declared || edge.observed.is_some();
                    if !stays && let Some(node) = datasets.get_mut(dataset) {
                        node.touched_by(direction).remove(id);
                    }
                    stays
                });
            }
            !job.inputs.is_empty() || !job.outputs.is_empty()
        });
    }
}

fn is_derivation(namespace: &str, name: &str) -> bool {
    namespace == JOB_NAMESPACE && name.starts_with("derive.")
}

fn resolve<'a>(wanted: &ProductRef, products: &[&'a AppliedProduct]) -> Option<&'a AppliedProduct> {
    let named = products.iter().copied().filter(|product| product.contract.product() == wanted.product);
    let fits = named.filter(|product| wanted.major.is_none_or(|major| major == product.contract.version));
    fits.max_by_key(|product| product.contract.version)
}

/// Derived products read the default view.
fn output_topic(product: &AppliedProduct) -> String {
    let topics = product.contract.topics();
    topics.views.into_iter().next().map(|(_, topic)| topic).unwrap_or_default()
}
