#![allow(clippy::unwrap_used)]

use super::entry::Row;
use super::list::{Listing, summary, table};
use super::replay;
use super::show::{Bytes, Header, Shown, text};
use jiff::Timestamp;
use mesh_masking::quarantine::{Marker, Outcome};
use mesh_masking::remask::Standing;
use mesh_masking::replay::Report;
use serde_json::json;

fn row(offset: i64, reason: &str) -> Row {
    Row {
        partition: 1,
        offset,
        time: Some(Timestamp::from_second(1_700_000_000 + offset).unwrap()),
        reason: reason.to_owned(),
        message: "the datum ends within a value (byte 7 of the datum)".to_owned(),
        source_topic: "crm.customers.v1.in".to_owned(),
        source_partition: 1,
        source_offset: 4_700 + offset,
        source_time: Some(Timestamp::from_second(1_600_000_000).unwrap()),
        schema_id: (reason != "wire-magic").then_some(3),
        major: 1,
        revision: 2,
        generation: 1,
        key_version: 1,
        state: None,
    }
}

fn listing() -> Listing {
    let mut listing = Listing::default();
    for (offset, reason) in ["truncated", "wire-magic", "truncated", "unknown-schema-id"].into_iter().enumerate() {
        listing.add(row(i64::try_from(offset).unwrap(), reason), 3);
    }
    // the first row is not listed any more
    for (of_offset, outcome) in [(0, Outcome::Replayed), (2, Outcome::Replayed), (3, Outcome::Overtaken)] {
        listing.mark(1, &Marker { outcome, of_offset, source_offset: 4_700 + of_offset });
    }
    listing
}

#[test]
fn people_read_a_table_of_the_newest() {
    insta::assert_snapshot!(table(&listing().rows()));
}

/// A quarantine of which the first record, that the input had lost, is left behind by a remask; the last came after it.
fn remasked() -> Listing {
    let standing = Standing { generation: 2, from: 4_701, is_emptying: false, next: 4_704 };
    let mut listing = Listing::of([(1, standing)].into());
    for offset in 0..4 {
        listing.add(Row { generation: if offset == 3 { 2 } else { 1 }, ..row(offset, "truncated") }, 9);
    }
    for of_offset in [0, 1] {
        listing.mark(1, &Marker { outcome: Outcome::Replayed, of_offset, source_offset: 4_700 + of_offset });
    }
    listing
}

#[test]
fn what_a_remask_reads_again_is_marked_also_where_it_was_replayed_before() {
    insta::assert_snapshot!(table(&remasked().rows()), @r"
    partition  offset  reason     source                       schema id  refused at               state
    1          0       truncated  crm.customers.v1.in[1]@4700  3          2023-11-14 22:13:20 UTC  replayed
    1          1       truncated  crm.customers.v1.in[1]@4701  3          2023-11-14 22:13:21 UTC  superseded
    1          2       truncated  crm.customers.v1.in[1]@4702  3          2023-11-14 22:13:22 UTC  superseded
    1          3       truncated  crm.customers.v1.in[1]@4703  3          2023-11-14 22:13:23 UTC  waiting
    ");
    assert_eq!(summary(&remasked()), "4 refused: 4 truncated; 2 replayed since, 2 read again by a remask");
    let json = serde_json::to_value(&remasked().rows()[1]).unwrap();
    assert_eq!((&json["state"], &json["generation"]), (&json!("superseded"), &json!(1)));
}

#[test]
fn the_summary_counts_all() {
    let refused = "4 refused: 2 truncated, 1 unknown-schema-id, 1 wire-magic";
    assert_eq!(summary(&listing()), format!("{refused}; 2 replayed since"));
    let mut waiting = listing();
    waiting.replayed = 0;
    assert_eq!(summary(&waiting), refused);
    assert_eq!(summary(&Listing::default()), "nothing was refused");
}

#[test]
fn a_record_is_shown_whole() {
    let shown = Shown {
        row: row(0, "key-mismatch"),
        key: Some(Bytes::of(b"c-1")),
        value: Some(Bytes::of(&[0, 0, 0, 0, 3, 6, 99, 45, 50])),
        decoded: Some(json!({"customer_id": "c-2"})),
        undecodable: None,
        headers: vec![Header { name: "traceparent".to_owned(), value: None }],
    };
    insta::assert_snapshot!(text(&shown));
}

#[test]
fn bytes_that_would_move_the_cursor_are_no_text() {
    assert_eq!(Bytes::of(b"\x1b[2J").text, None);
    assert_eq!(Bytes::of("Zoë".as_bytes()).text.as_deref(), Some("Zoë"));
}

#[test]
fn a_replay_is_summed_up() {
    let refused = [("key-mismatch", 1), ("truncated", 2)].into_iter().collect();
    let report = Report { replayed: 7, overtaken: 4, refused, already: 5, ..Report::default() };
    let said =
        "7 replayed, 4 overtaken by newer records, 3 still refused (1 key-mismatch, 2 truncated), 5 replayed before";
    assert_eq!(replay::summary(&report, false), said);
    assert_eq!(replay::summary(&Report::default(), true), "0 would be replayed");
}
