//! What contracts say will be, before anything has moved: data sets as they are designed, and the job of the program that
//! derives a product from others. It is marked as declared: only runs show what really moves.

use jiff::Timestamp;
use mesh_contract::{AppliedProduct, MASKED_VIEW, ProductRef};

use super::cluster::KafkaCluster;
use super::event::{DatasetEvent, Event, InputDataset, Job, JobEvent, OutputDataset};
use super::facet::{JobDocumentation, JobOwnership, JobTags, JobType, Lifecycle, LifecycleStateChange, Owner};
use super::name;
use super::product::ProductDatasets;
use super::run::Described;

/// What is to be told of a product whose contract was applied: what became of each of its topics, and what it is derived
/// from by declaration. `find` resolves a dependency; one that is not there is left out.
pub fn of_applied(
    cluster: &KafkaCluster,
    applied: &AppliedProduct,
    find: impl Fn(&ProductRef) -> Option<AppliedProduct>,
    at: Timestamp,
) -> Vec<Event> {
    let datasets = ProductDatasets::new(cluster, applied);
    let change = if applied.revision == 1 { Lifecycle::Create } else { Lifecycle::Alter };
    let mut events = topics(&datasets, change, at);
    let sources = applied.contract.dependencies.iter().filter_map(find);
    let inputs: Vec<InputDataset> = sources.filter_map(|source| default_view(cluster, &source)).collect();
    // a product that is derived no more says so once
    if !inputs.is_empty() || change == Lifecycle::Alter {
        let output = OutputDataset::new(datasets.input().dataset);
        events.push(JobEvent::new(at, declared_job(applied), inputs, vec![output]).into());
    }
    events
}

/// What is to be told of a version that is retired: which of its topics are gone. Those that are kept have changed, no more.
pub fn of_retired(cluster: &KafkaCluster, retired: &AppliedProduct, deleted: &[String], at: Timestamp) -> Vec<Event> {
    let datasets = all(&ProductDatasets::new(cluster, retired));
    let names: Vec<String> = retired.contract.topics().all().map(str::to_owned).collect();
    let told = names.iter().zip(datasets).map(|(topic, described)| {
        let change = if deleted.contains(topic) { Lifecycle::Drop } else { Lifecycle::Alter };
        changed(described, change, at)
    });
    told.collect()
}

/// Each topic of a product as it is designed, and what became of it.
fn topics(datasets: &ProductDatasets, change: Lifecycle, at: Timestamp) -> Vec<Event> {
    all(datasets).into_iter().map(|described| changed(described, change, at)).collect()
}

fn all(datasets: &ProductDatasets) -> Vec<Described> {
    [datasets.input()].into_iter().chain(datasets.views()).chain([datasets.quarantine()]).collect()
}

fn changed(described: Described, change: Lifecycle, at: Timestamp) -> Event {
    DatasetEvent::new(at, described.dataset.with(&LifecycleStateChange { lifecycle_state_change: change })).into()
}

/// Derived products read the default view.
fn default_view(cluster: &KafkaCluster, source: &AppliedProduct) -> Option<InputDataset> {
    ProductDatasets::new(cluster, source).view(MASKED_VIEW).map(|view| InputDataset::new(view.dataset))
}

/// The job that derives a product, by the name that a program that does so reports under.
fn declared_job(applied: &AppliedProduct) -> Job {
    let contract = &applied.contract;
    let product = contract.product().to_string();
    derivation(&product, contract.version)
        .with(&JobDocumentation { description: format!("Derives {product}, as its contract declares.") })
        .with(&JobTags::declared())
}

/// The job of the program that derives a product.
pub fn derivation(product: &str, major: u32) -> Job {
    let owner = product.split('.').next().unwrap_or(product);
    Job::mesh(name::derivation_job(product, major))
        .with(&JobType::streaming("DERIVATION"))
        .with(&JobOwnership { owners: vec![Owner::domain(owner)] })
}
