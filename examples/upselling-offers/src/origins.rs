//! Which columns of the others' views each column of an offer is made of, as lineage is told: what `derive` does, in a table.

use mesh_client::lineage::KafkaCluster;
use mesh_client::lineage::facet::{ColumnLineage, Transformation};

/// The default views that offers are made of, by topic.
pub(crate) struct Views<'t> {
    pub(crate) customers: &'t str,
    pub(crate) orders: &'t str,
    pub(crate) page_views: &'t str,
}

/// Where each column of an offer comes from; `made_at` comes from the clock.
pub(crate) fn of_offers(cluster: &KafkaCluster, views: &Views<'_>) -> ColumnLineage {
    let Views { customers, orders, page_views } = *views;
    let (same, computed, all, joined) =
        (Transformation::identity, Transformation::computed, Transformation::aggregated, Transformation::joined_on);
    let origins = [
        ("offer_id", customers, "customer_id", computed()),
        ("customer_id", customers, "customer_id", same()),
        // the address as the view has it: hashed
        ("contact", customers, "email", same()),
        ("orders", orders, "order_id", all()),
        ("orders", orders, "customer_id", joined()),
        ("spent", orders, "amount", all()),
        ("spent", orders, "customer_id", joined()),
        ("interest", page_views, "event", all()),
        ("interest", page_views, "visitor_email", joined()),
        ("reason", orders, "amount", all()),
        ("reason", orders, "ordered_at", all()),
        ("reason", page_views, "event", all()),
    ];
    origins.into_iter().fold(ColumnLineage::default(), |lineage, (column, topic, field, how)| {
        lineage.with(column, &cluster.namespace, (topic, field), how)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_client::lineage::KafkaNamespace;
    use std::collections::BTreeSet;

    /// What a domain says of its columns is to be of columns that are there.
    #[test]
    fn every_column_is_there_and_has_an_origin() -> Result<(), Box<dyn std::error::Error>> {
        let cluster = KafkaCluster::from(KafkaNamespace::of("k:9092"));
        let views = Views { customers: "crm/customer", orders: "crm/order", page_views: "web/page_view" };
        let lineage = of_offers(&cluster, &views);
        let mut told: BTreeSet<String> = lineage.fields.keys().cloned().collect();
        told.insert("made_at".to_owned());
        assert_eq!(told, columns("upselling/offer")?);
        for origin in lineage.fields.values().flat_map(|origins| &origins.input_fields) {
            assert!(columns(&origin.name)?.contains(&origin.field), "{}.{}", origin.name, origin.field);
        }
        Ok(())
    }

    fn columns(schema: &str) -> Result<BTreeSet<String>, Box<dyn std::error::Error>> {
        let file = format!("{}/../../schemas/{schema}.avsc", env!("CARGO_MANIFEST_DIR"));
        let schema: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
        let fields = schema["fields"].as_array().ok_or("a record has fields")?;
        Ok(fields.iter().filter_map(|field| field["name"].as_str()).map(str::to_owned).collect())
    }
}
