//! What feeds one version of a product from another, as lineage has it: input port to input port.

use std::collections::BTreeSet;

use mesh_avro::convert;
use mesh_avro::schema::Schema;
use mesh_contract::AppliedProduct;
use uuid::Uuid;

use super::cluster::KafkaCluster;
use super::columns::columns;
use super::event::Job;
use super::facet::{ColumnLineage, JobOwnership, JobType, Owner, Transformation};
use super::name;
use super::product::ProductDatasets;
use super::run::JobRun;

/// The job that feeds a version.
pub fn job(fed: &AppliedProduct) -> Job {
    let contract = &fed.contract;
    Job::mesh(name::feeding_job(&contract.product().to_string(), contract.version))
        .with(&JobType::streaming("SIDECAR"))
        .with(&JobOwnership { owners: vec![Owner::domain(&contract.owner)] })
}

/// A run of it, with every topic described, and the columns that feed each other where the version that feeds it is known. Count
/// on it what was committed.
pub fn run(cluster: &KafkaCluster, fed: &AppliedProduct, source: Option<&AppliedProduct>, id: Uuid) -> JobRun {
    let datasets = ProductDatasets::new(cluster, fed);
    let mut run = JobRun::with_id(job(fed), cluster.clone(), id);
    match source {
        Some(source) => {
            run.describe_input(ProductDatasets::new(cluster, source).input());
            run.describe_output(datasets.input_made_of(&origins(cluster, fed, source)));
        }
        None => run.describe_output(datasets.input()),
    }
    run.describe_output(datasets.quarantine());
    run
}

/// Schemas that cannot be compared claim nothing.
fn origins(cluster: &KafkaCluster, fed: &AppliedProduct, source: &AppliedProduct) -> ColumnLineage {
    let (Ok(reader), Ok(writer)) = (Schema::parse_value(&fed.schema), Schema::parse_value(&source.schema)) else {
        return ColumnLineage::default();
    };
    let told = columns(&fed.schema);
    let leaves: BTreeSet<&str> = told.leaves.iter().map(|leaf| leaf.path.as_str()).collect();
    let topic = source.contract.topics().input;
    let pairs = convert::columns(&reader, &writer).unwrap_or_default();
    pairs.iter().filter(|pair| leaves.contains(pair.reader.as_str())).fold(ColumnLineage::default(), |lineage, pair| {
        lineage.with(&pair.reader, &cluster.namespace, (&topic, &pair.writer), Transformation::identity())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use mesh_contract::parse_contract;
    use serde_json::{Value, json};

    use super::*;
    use crate::lineage::name::KafkaNamespace;

    fn applied(version: u32, fields: Value) -> AppliedProduct {
        let text = format!(
            "unique_id: 7c9e6679-7425-40de-944b-e07fc1f90ae7\nowner: shop\nname: buyers\nversion: {version}\n\
             description: Who buys.\nschema: schemas/shop/buyer.avsc\nkey: id\nrefresh_rate: hour\n\
             history: 2 days\nstorage: stream\nsensitive_columns: []\naccess_group: analysts\ndependencies: []\n"
        );
        let contract = parse_contract("topics/shop/buyers.yaml", &text).unwrap().value;
        let schema = json!({"type": "record", "name": "Buyer", "fields": fields});
        AppliedProduct { revision: 1, applied_at_ms: 0, contract, schema }
    }

    #[test]
    fn columns_come_from_those_of_the_other_version() {
        let old = applied(
            1,
            json!([
                {"name": "id", "type": "string"},
                {"name": "mail", "aliases": ["email"], "type": "string"},
                {"name": "kind", "type": "string", "default": "new"},
            ]),
        );
        let new = applied(
            2,
            json!([
                {"name": "id", "type": "string"},
                {"name": "email", "type": "string"},
                {"name": "since", "type": "long"},
            ]),
        );
        let cluster = KafkaCluster::from(KafkaNamespace::of("localhost:9092"));
        let origins = origins(&cluster, &old, &new);
        let told: Vec<(&str, &str, &str)> = origins
            .fields
            .iter()
            .map(|(column, from)| {
                (column.as_str(), from.input_fields[0].name.as_str(), from.input_fields[0].field.as_str())
            })
            .collect();
        assert_eq!(told, [("id", "shop.buyers.v2.in", "id"), ("mail", "shop.buyers.v2.in", "email")]);
        assert_eq!(job(&old).name, "feed.shop.buyers.v1");
    }
}
