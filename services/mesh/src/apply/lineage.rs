//! What an apply tells lineage: what the cluster is called, what became of each product's topics, and what its contract
//! declares that it is derived from.

use super::plan::{Change, Step};
use crate::failure::Failure;
use crate::lineage_options::LineageOptions;
use crate::output;
use jiff::Timestamp;
use mesh_client::Catalogue;
use mesh_client::lineage::{Event, KafkaCluster, design};
use mesh_kafka::Settings;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long lineage may take to hear of it.
const DEADLINE: Duration = Duration::from_secs(10);

/// Tells of every product that was published. The contracts are in force by now whatever becomes of it, so that trouble is
/// said and no more.
pub(super) async fn tell(kafka: &Settings, steps: &[Step], options: &LineageOptions) -> Result<(), Failure> {
    let news = steps.iter().filter_map(|step| match &step.change {
        Change::PublishProduct { product, .. } => Some(product.key()),
        _ => None,
    });
    let news: BTreeSet<String> = news.collect();
    if news.is_empty() || !options.is_on() {
        return Ok(());
    }
    let emitter = options.emitter(kafka)?;
    match events(kafka, &news).await {
        Ok(events) => events.into_iter().for_each(|event| emitter.emit(event)),
        Err(error) => output::talk(&format!("lineage is not told of what was applied: {error}")),
    }
    if !emitter.flush(DEADLINE).await || emitter.dropped() > 0 {
        output::talk("lineage was not told of everything that was applied");
    }
    Ok(())
}

async fn events(
    kafka: &Settings,
    news: &BTreeSet<String>,
) -> Result<Vec<Event>, Box<dyn std::error::Error + Send + Sync>> {
    let catalogue = Catalogue::read(kafka).await?;
    let cluster = KafkaCluster::named_in(&catalogue, kafka).await?;
    let products = catalogue.products();
    let news = products.into_iter().filter(|product| news.contains(&product.key()));
    let find = |wanted: &mesh_contract::ProductRef| catalogue.product(wanted).ok().map(|found| (**found).clone());
    Ok(news.flat_map(|product| design::of_applied(&cluster, product, find, Timestamp::now())).collect())
}
