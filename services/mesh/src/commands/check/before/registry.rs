//! What a registry holds: every schema that was registered for a product's ports. It knows no contracts.

use super::{Before, Earlier, Port, is_transitive};
use crate::failure::Failure;
use crate::tree::{WorkingProduct, WorkingTree};
use mesh_avro::schema::Schema;
use mesh_client::registry::Endpoint;
use mesh_client::{RegistryClient, RegistryError};
use mesh_contract::value_subject;
use std::sync::Arc;

pub(super) async fn read(endpoint: Endpoint, tree: &WorkingTree) -> Result<Before, Failure> {
    let client = RegistryClient::new(endpoint).map_err(refused)?;
    let mut before = Before { name: format!("the registry at {}", client.url()), ..Before::default() };
    for product in &tree.products {
        let contract = &product.contract.value;
        let earlier = of_product(&client, product, &mut before.notes).await.map_err(refused)?;
        before.products.insert((contract.product(), contract.version), earlier);
    }
    Ok(before)
}

async fn of_product(
    client: &RegistryClient,
    product: &WorkingProduct,
    notes: &mut Vec<String>,
) -> Result<Earlier, RegistryError> {
    let contract = &product.contract.value;
    let topics = contract.topics();
    let views = topics.views.iter().map(|(view, topic)| (Port::View(view.clone()), topic));
    let mut earlier = Earlier::default();
    for (port, topic) in std::iter::once((Port::Input, &topics.input)).chain(views) {
        let subject = value_subject(topic);
        let ids = client.ids_of(&subject).await?;
        let first = if is_transitive(contract.compatibility) { 0 } else { ids.len().saturating_sub(1) };
        for id in &ids[first..] {
            match client.schema_by_id(*id).await?.parse().and_then(Schema::into_one) {
                Ok(schema) => earlier.push(port.clone(), &format!("schema {id}").into(), Arc::new(schema)),
                Err(error) => notes.push(format!("schema {id} of {subject} is not compared with: {error}")),
            }
        }
    }
    Ok(earlier)
}

fn refused(error: RegistryError) -> Failure {
    let hint = error.hint();
    let failure = match &error {
        RegistryError::Unavailable { .. } => Failure::unreachable("cannot reach the schema registry"),
        _ => Failure::usage("the schema registry refuses"),
    };
    let failure = failure.because(error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
