#![allow(clippy::unwrap_used)]
use mesh_contract::parse_contract;
use serde_json::{Value, json};

use super::*;
use crate::audit::answer::Verdict;

const SPAN: Span = Span { from_ms: 1_000, to_ms: 2_000 };

fn question(view: &str, column: Option<&str>) -> Question {
    let text = "unique_id: 7c9e6679-7425-40de-944b-e07fc1f90ae7\nowner: shop\nname: buyers\nversion: 1\n\
                description: Who buys.\nschema: schemas/shop/buyer.avsc\nkey: id\nrefresh_rate: hour\n\
                history: 2 days\nstorage: stream\nsensitive_columns:\n  - email\n  - address\n\
                views:\n  support: { clear: [email] }\naccess_group:\n  - { group: analysts }\n  - { group: support, view: support }\n\
                dependencies: []\n";
    let contract = parse_contract("topics/shop/buyers.yaml", text).unwrap().value;
    let field = |name: &str| json!({"name": name, "type": "string"});
    let address = json!({"type": "record", "name": "Address", "fields": [field("street")]});
    let fields = [field("id"), field("email"), json!({"name": "address", "type": address})];
    let schema = json!({"type": "record", "name": "Buyer", "fields": fields});
    let product = Arc::new(AppliedProduct { revision: 3, applied_at_ms: 0, contract, schema });
    Question { product, view: view.to_owned(), column: column.map(str::to_owned), span: SPAN }
}

/// What `mesh.products` has: revision 3, and 2, whose rules cannot be read.
fn revisions(question: &Question) -> Revisions {
    let current = Product::new((*question.product).clone());
    [(2, None), (3, rules_of_view(&current, &question.view))].into()
}

fn record(value: &Value) -> Record {
    Record {
        topic: AUDIT_TOPIC.into(),
        partition: 0,
        offset: 0,
        timestamp_ms: None,
        key: None,
        value: Some(value.to_string().into()),
        headers: Vec::new(),
    }
}

fn masked(revision: u64, offsets: std::ops::RangeInclusive<i64>, at_ms: i64, views: &Value) -> Record {
    let records = offsets.end() - offsets.start() + 1;
    record(&json!({
        "event": "records-masked", "at_ms": at_ms, "since_ms": at_ms - 50, "product": "shop.buyers", "major": 1,
        "revision": revision, "partition": 0, "source_offsets": { "first": offsets.start(), "last": offsets.end() },
        "records": records, "tombstones": 1, "quarantined": { "truncated": 2 }, "keys": { "1": records },
        "views": views,
    }))
}

fn views(records: u64, masked: &Value) -> Value {
    json!([{ "view": "masked", "records": records, "masked": masked }])
}

fn answer(question: &Question, told: &[Record], gaps: Vec<Gap>) -> Result<Answer, AuditError> {
    let mut trail = Trail::default();
    told.iter().for_each(|record| trail.take(record, question));
    trail.answer(question, &revisions(question), gaps)
}

fn outcomes(answer: &Answer) -> Vec<(&str, Outcome, u64, u64)> {
    answer.lines.iter().map(|line| (line.column.as_str(), line.outcome.clone(), line.revision, line.records)).collect()
}

fn by(rule: &str) -> Outcome {
    Outcome::Masked(rule.to_owned())
}

#[test]
fn a_column_that_a_revision_showed_was_not_masked() {
    let told = [
        masked(1, 0..=9, 900, &views(8, &json!({}))),
        masked(1, 10..=19, 1_100, &views(8, &json!({}))),
        masked(3, 20..=29, 1_200, &views(8, &json!({"email": "hash"}))),
        masked(3, 30..=39, 1_300, &views(8, &json!({"email": "hash"}))),
        masked(3, 40..=49, 2_100, &views(8, &json!({}))),
    ];
    let found = answer(&question("masked", Some("email")), &told, Vec::new()).unwrap();
    assert_eq!(outcomes(&found), [("email", Outcome::InClear, 1, 8), ("email", by("hash"), 3, 16)]);
    assert_eq!((found.verdict, found.records, found.tombstones), (Verdict::No, 30, 3));
    assert_eq!(found.quarantined, [("truncated".to_owned(), 6)].into());
    let found = answer(&question("masked", Some("email")), &told[2..4], Vec::new()).unwrap();
    assert_eq!((found.verdict, found.lines[0].key_versions.clone()), (Verdict::Yes, [1].into()));
}

#[test]
fn rules_that_were_not_told_come_from_the_contracts() {
    let told = [masked(3, 0..=9, 1_100, &Value::Null)];
    let found = answer(&question("masked", None), &told, Vec::new()).unwrap();
    assert_eq!(outcomes(&found), [("address", by("by type"), 3, 8), ("email", by("by type"), 3, 8)]);
    let found = answer(&question("support", Some("email")), &told, Vec::new()).unwrap();
    assert_eq!((found.verdict, outcomes(&found)), (Verdict::No, vec![("email", Outcome::InClear, 3, 8)]));
    let whole = answer(&question("support", None), &told, Vec::new()).unwrap();
    assert_eq!(
        (whole.verdict, whole.columns["email"], whole.columns["address"]),
        (Verdict::No, Verdict::No, Verdict::Yes)
    );
    // a revision whose contract cannot be read, and one that is gone
    for revision in [2, 7] {
        let told = [masked(revision, 0..=9, 1_100, &Value::Null)];
        let found = answer(&question("masked", Some("email")), &told, Vec::new()).unwrap();
        assert_eq!(found.verdict, Verdict::NotKnown);
    }
}

#[test]
fn what_is_within_a_masked_column_is_masked_and_what_is_around_it_is_not() {
    let told = [masked(3, 0..=9, 1_100, &views(8, &json!({"address.street": "redact", "tags": "hash"})))];
    let of = |column: &str| {
        let lines = outcomes_of(&answer(&question("masked", Some(column)), &told, Vec::new()).unwrap());
        lines[0].clone()
    };
    assert_eq!((of("address.street"), of("address")), (by("redact"), Outcome::InClear));
    let masks = [("tags".to_owned(), "hash".to_owned())].into();
    assert_eq!((outcome("tags[]", &masks), outcome("tagsx", &masks)), (by("hash"), Outcome::InClear));
}

fn outcomes_of(answer: &Answer) -> Vec<Outcome> {
    answer.lines.iter().map(|line| line.outcome.clone()).collect()
}

fn gap() -> Vec<Gap> {
    vec![Gap { partition: 0, first: 3, last: 4, kind: GapKind::Between }]
}

#[test]
fn what_is_not_told_is_not_known_and_what_was_shown_stays_so() {
    let told = |masks: Value| [masked(3, 0..=9, 1_100, &views(8, &masks))];
    let email = question("masked", Some("email"));
    let found = answer(&email, &told(json!({"email": "hash"})), gap()).unwrap();
    assert_eq!((found.verdict, found.columns["email"]), (Verdict::NotKnown, Verdict::NotKnown));
    assert_eq!(answer(&email, &told(json!({})), gap()).unwrap().verdict, Verdict::No);
}

#[test]
fn a_time_without_records_is_neither_yes_nor_no() {
    let email = question("masked", Some("email"));
    let nothing = answer(&email, &[], Vec::new()).unwrap();
    assert_eq!((nothing.verdict, nothing.columns["email"]), (Verdict::NoRecords, Verdict::NoRecords));
    let refused = masked(3, 0..=1, 1_500, &views(0, &json!({ "email": "hash" })));
    let refused = answer(&email, &[refused], Vec::new()).unwrap();
    assert_eq!((refused.verdict, refused.records), (Verdict::NoRecords, 2), "all of them are in quarantine");
    assert_eq!(answer(&email, &[], gap()).unwrap().verdict, Verdict::NotKnown, "there may have been some");
}

#[test]
fn records_out_of_the_quarantine_count_by_their_revision() {
    let event = json!({
        "event": "quarantine-replayed", "at_ms": 1_500, "product": "shop.buyers", "major": 1, "revision": 3, "partition": 0,
        "replayed": 4, "overtaken": 1, "source_offsets": { "first": 2, "last": 9 },
    });
    let found = answer(&question("support", Some("email")), &[record(&event)], Vec::new()).unwrap();
    assert_eq!((found.replayed, outcomes(&found)), (4, vec![("email", Outcome::InClear, 3, 4)]));
}

#[test]
fn misspelt_names_and_other_events_are_no_answer() {
    let column = answer(&question("masked", Some("e_mail")), &[], Vec::new());
    assert!(matches!(column, Err(AuditError::NoSuchColumn { .. })), "{column:?}");
    assert!(answer(&question("masked", Some("id")), &[], Vec::new()).is_ok(), "not sensitive, but there");
    let view = answer(&Question { view: "sales".to_owned(), ..question("masked", None) }, &[], Vec::new());
    assert!(matches!(view, Err(AuditError::NoSuchView { .. })), "{view:?}");
    let strange = ["", "{}", "[1]", r#"{"event":"subject-forgotten"}"#, r#"{"event":"records-masked"}"#];
    let mut told: Vec<Record> =
        strange.iter().map(|text| Record { value: Some((*text).to_owned().into()), ..record(&Value::Null) }).collect();
    told.push(masked(3, 0..=9, 1_100, &Value::Null));
    let mut other = question("masked", None);
    Arc::make_mut(&mut other.product).contract.version = 2;
    assert_eq!(answer(&question("masked", None), &told, Vec::new()).unwrap().records, 10);
    assert_eq!(answer(&other, &told, Vec::new()).unwrap().records, 0, "another major version");
}
