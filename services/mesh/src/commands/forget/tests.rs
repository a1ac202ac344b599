//! The receipt as people read it.

use super::text;
use mesh_masking::forget::{Receipt, Remains, Unreadable};

fn receipt(key_versions: Vec<u32>) -> Receipt {
    let remains = |at: &str, what: &str, until: &str| Remains {
        at: at.to_owned(),
        what: what.to_owned(),
        until: until.to_owned(),
    };
    Receipt {
        receipt: "mesh-forget/1",
        product: "crm.customers@1".to_owned(),
        unique_id: "5b1c3f0e-8a0d-4f64-9f0b-6d2f3c8f1a01".to_owned(),
        subject_column: "customer_id".to_owned(),
        pseudonym: "00c0ffee00c0ffee".to_owned(),
        forgotten_at: "2026-11-23T12:00:00Z".to_owned(),
        was_forgotten_before: key_versions.is_empty(),
        key_versions,
        is_verified: true,
        unreadable: vec![Unreadable {
            topic: "crm.customers.v1".to_owned(),
            view: "masked".to_owned(),
            columns: vec!["full_name".to_owned(), "notes[]".to_owned()],
        }],
        remains: vec![
            remains("crm.customers.v1.in", "its records in clear", "for 7 days after it was written"),
            remains("the keys", "copies and backups made before", "until they are destroyed"),
        ],
        digest: "sha256:00".to_owned(),
    }
}

#[test]
fn a_receipt_says_what_is_gone_and_what_is_not() {
    insta::assert_snapshot!(text::receipt(&receipt(vec![1, 2])), @r"
crm.customers@1: one subject is forgotten
  when       2026-11-23T12:00:00Z
  subject    00c0ffee00c0ffee of customer_id (a pseudonym)
  keys       its keys of version 1, 2 are destroyed; read again: no version has them
unreadable from now on, at every offset:
  crm.customers.v1 (view masked): full_name, notes[]
not reached by this:
  crm.customers.v1.in: its records in clear
    for 7 days after it was written
  the keys: copies and backups made before
    until they are destroyed
receipt sha256:00, on record in mesh.audit
");
    let again = text::receipt(&receipt(Vec::new()));
    assert!(again.contains("keys       its keys were destroyed before; nothing was left"), "{again}");
}
