#![allow(clippy::unwrap_used)]
use super::*;

fn contract(more: &str) -> Contract {
    let text = format!(
        "unique_id: 7c9e6679-7425-40de-944b-e07fc1f90ae7\nowner: crm\nname: orders\nversion: 1\ndescription: Orders.\n\
         schema: schemas/crm/order.avsc\nkey: order_id\nrefresh_rate: hour\nstorage: stream\naccess_group: analysts\n\
         dependencies: []\n{more}"
    );
    mesh_contract::parse_contract("topics/crm/orders.yaml", &text).unwrap().value
}

fn shown(specs: impl IntoIterator<Item = TopicSpec>) -> Vec<String> {
    let shown = specs.into_iter().map(|TopicSpec { name, partitions, replication, config }| {
        let config: Vec<String> = config.iter().map(|(setting, value)| format!("{setting}={value}")).collect();
        format!("{name} {partitions:?} {replication:?} {}", config.join(" "))
    });
    shown.collect()
}

#[test]
fn outputs_have_the_inputs_partitions_and_room_for_what_masking_adds() {
    let contract = contract("sensitive_columns: [email]\nhistory: latest\npartitions: 4\nreplication: 3\n");
    let input = Input { partitions: Some(6), bytes_max: 1000 };
    let specs = std::iter::once(input_spec(&contract)).chain(output_specs(&contract, &input));
    insta::assert_snapshot!(shown(specs).join("\n"), @r"
    crm.orders.v1.in Some(4) Some(3) cleanup.policy=compact delete.retention.ms=604800000
    crm.orders.v1 Some(6) Some(3) cleanup.policy=compact,delete delete.retention.ms=604800000 max.message.bytes=69536 retention.bytes=-1 retention.ms=-1
    crm.orders.v1.quarantine Some(6) Some(3) cleanup.policy=delete max.message.bytes=66536 retention.ms=7776000000
    ");
}

#[test]
fn a_view_that_masks_nothing_only_adds_headers() {
    let plain = contract("sensitive_columns: []\nhistory: 2 years\n");
    assert_eq!(view_bytes_max(&plain, 1000), 1000 + OVERHEAD_BYTES);
    let sensitive = contract("sensitive_columns: [email]\nhistory: 2 years\n");
    assert_eq!(view_bytes_max(&sensitive, 1000), 4000 + OVERHEAD_BYTES);
    assert_eq!(view_bytes_max(&sensitive, RECORD_BYTES_MAX), RECORD_BYTES_MAX);
}
