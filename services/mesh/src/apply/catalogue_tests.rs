#![allow(clippy::unwrap_used)]
use super::*;
use mesh_avro::sensitivity::SensitiveNames;
use std::path::Path;

fn examples() -> WorkingTree {
    WorkingTree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."), &SensitiveNames::default()).unwrap()
}

fn write(published: &mut Published, entries: Vec<Entry>) {
    published.0.extend(entries.into_iter().map(|entry| (entry.key.into_bytes(), entry.value)));
}

#[test]
fn a_product_gets_a_revision_only_when_it_changes() {
    let mut published = Published::default();
    let mut product = examples().products.remove(0);
    let (first, entries) = plan_product(&published, &product, 1).unwrap();
    assert_eq!((first.revision, first.change), (1, Change::Published));
    let id = product.contract.value.unique_id;
    assert_eq!(entries.iter().map(|entry| entry.key.clone()).collect::<Vec<_>>(), [format!("{id}/1")]);
    write(&mut published, entries);

    let (again, entries) = plan_product(&published, &product, 2).unwrap();
    assert_eq!((again.revision, again.change, entries.len()), (1, Change::Unchanged, 0));

    product.contract.value.description.push_str(" Changed.");
    let (second, entries) = plan_product(&published, &product, 3).unwrap();
    assert_eq!((second.revision, second.change), (2, Change::Published));
    let keys: Vec<String> = entries.iter().map(|entry| entry.key.clone()).collect();
    assert_eq!(keys, [format!("{id}/1/1"), format!("{id}/1")], "the superseded revision stays");
    write(&mut published, entries);
    let superseded: AppliedProduct = published.get(&format!("{id}/1/1")).unwrap().unwrap();
    assert_eq!((superseded.revision, superseded.applied_at_ms), (1, 1));
}

#[test]
fn a_domain_is_published_only_when_it_changes() {
    let mut published = Published::default();
    let mut domain = examples().domains.remove(0).value;
    let (first, entries) = plan_domain(&published, &domain).unwrap();
    assert_eq!(first.change, Change::Published);
    write(&mut published, entries);
    assert_eq!(plan_domain(&published, &domain).unwrap().0.change, Change::Unchanged);
    domain.description.push('!');
    assert_eq!(plan_domain(&published, &domain).unwrap().0.change, Change::Published);
}

#[test]
fn what_another_version_wrote_is_not_written_over() {
    let product = examples().products.remove(0);
    let contract = &product.contract.value;
    let key = format!("{}/{}", contract.unique_id, contract.version);
    let published = Published(HashMap::from([(key.clone().into_bytes(), b"{\"revision\":1,\"new\":true}".to_vec())]));
    let failure = plan_product(&published, &product, 1).unwrap_err();
    assert!(failure.to_string().contains(&key), "{failure}");
}
