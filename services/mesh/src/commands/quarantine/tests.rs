#![allow(clippy::unwrap_used)]

use super::entry::{Row, State};
use super::list::{Listing, summary, table};
use super::replay;
use super::show::{Bytes, Header, Shown, text};
use jiff::Timestamp;
use mesh_masking::quarantine::{Marker, Outcome};
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
        key_version: 1,
        state: State::Waiting,
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

#[test]
fn the_summary_counts_all() {
    assert_eq!(summary(&listing().reasons, 0), "4 refused: 2 truncated, 1 unknown-schema-id, 1 wire-magic");
    assert_eq!(
        summary(&listing().reasons, 2),
        "4 refused: 2 truncated, 1 unknown-schema-id, 1 wire-magic; 2 replayed since"
    );
    assert_eq!(summary(&Listing::default().reasons, 0), "nothing was refused");
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
