//! What lineage is told of a version that is retired: which of its topics are gone.

use crate::failure::Failure;
use crate::lineage_options::LineageOptions;
use crate::output;
use jiff::Timestamp;
use mesh_client::Catalogue;
use mesh_client::lineage::{KafkaCluster, design};
use mesh_contract::AppliedProduct;
use mesh_kafka::Settings;
use std::time::Duration;

/// How long lineage may take to hear of it.
const DEADLINE: Duration = Duration::from_secs(10);

/// It is retired by now whatever becomes of this, so that trouble is said and no more.
pub(super) async fn tell(
    kafka: &Settings,
    catalogue: &Catalogue,
    product: &AppliedProduct,
    deleted: &[String],
    options: &LineageOptions,
) -> Result<(), Failure> {
    if !options.is_on() {
        return Ok(());
    }
    let emitter = options.emitter(kafka)?;
    match KafkaCluster::named_in(catalogue, kafka).await {
        Ok(cluster) => {
            let events = design::of_retired(&cluster, product, deleted, Timestamp::now());
            events.into_iter().for_each(|event| emitter.emit(event));
        }
        Err(error) => output::talk(&format!("lineage is not told of what was retired: {error}")),
    }
    if !emitter.flush(DEADLINE).await || emitter.dropped() > 0 {
        output::talk("lineage was not told of everything that was retired");
    }
    Ok(())
}
